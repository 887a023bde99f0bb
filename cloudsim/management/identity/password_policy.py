"""What passwords of users must be like: the settings password.policy.*, by domain."""

from __future__ import annotations

import re

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.operations.settings import Settings

_LEAST = (
    ("minimum.special.characters", "special characters", lambda c: not c.isalnum()),
    ("minimum.uppercase.letters", "uppercase letters", str.isupper),
    ("minimum.lowercase.letters", "lowercase letters", str.islower),
    ("minimum.digits", "digits", str.isdigit),
)


def check_password(settings: Settings, password: str, username: str, domain_id: str) -> None:
    """Raise InvalidParameterValue, saying what is missing, unless users of that domain may have that password."""

    def policy(name: str) -> str:
        return settings.get(f"password.policy.{name}", "Domain", domain_id)

    least = int(policy("minimum.length"))
    if len(password) < least:
        raise InvalidParameterValue(
            f"Parameter password: expected at least {least} characters, got {len(password)}"
        )
    for name, what, counts in _LEAST:
        least, found = int(policy(name)), sum(map(counts, password))
        if found < least:
            raise InvalidParameterValue(f"Parameter password: expected at least {least} {what}, got {found}")
    contains = username.lower() in password.lower()
    if contains and policy("allowPasswordToContainUsername").lower() != "true":
        raise InvalidParameterValue("Parameter password: it must not contain the user's name")
    pattern = policy("regex")
    if pattern and re.fullmatch(pattern, password) is None:
        raise InvalidParameterValue(f"Parameter password: it does not match the regular expression {pattern}")
