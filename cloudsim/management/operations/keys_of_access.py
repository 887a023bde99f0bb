"""Configuration keys of who gets in, how often, and what users may do there."""

from __future__ import annotations

import re

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.operations.configuration_key import ConfigurationKey as key

_OF_ACCOUNTS, _OF_DOMAINS = ("Account",), ("Domain",)


def check_regex(text: str) -> None:
    """Raise InvalidParameterValue unless that is a regular expression."""
    try:
        re.compile(text)
    except re.error as error:
        raise InvalidParameterValue(f"expected a regular expression, got {text!r}: {error}") from None


OF_ACCESS: tuple[key, ...] = (
    key(
        "api.throttling.enabled",
        "false",
        "boolean",
        "Whether calls are counted for each account and refused above a number; never those of root admins",
    ),
    key(
        "api.throttling.interval",
        "1",
        "integer",
        "Seconds over which an account's calls are counted",
        minimum=1,
    ),
    key(
        "api.throttling.max", "25", "integer", "Calls that an account may make within the interval", minimum=1
    ),
    key(
        "api.throttling.cachesize",
        "50000",
        "integer",
        "Accounts whose calls are counted at one time; above it those are forgotten that called longest ago",
        minimum=1,
    ),
    key(
        "enable.account.settings.for.domain",
        "false",
        "boolean",
        "Whether domains can have values of accounts' settings, which with enable.domain.settings.for.child.domain hold for "
        "their accounts that have none of their own",
    ),
    key(
        "enable.domain.settings.for.child.domain",
        "false",
        "boolean",
        "Whether a domain's settings hold for its subdomains, and accounts' ones for its accounts, that have none of their own",
    ),
    key(
        "allow.subdomain.network.access",
        "true",
        "boolean",
        "Whether a new network of a domain is for the domains below too, where its creator does not say",
    ),
    key(
        "account.cleanup.interval",
        "86400",
        "integer",
        "Seconds between attempts to delete what is left of accounts whose deletion failed or was interrupted",
        minimum=1,
    ),
    key("allow.user.create.projects", "true", "boolean", "Whether users may create projects"),
    key(
        "allow.public.user.templates",
        "true",
        "boolean",
        "Whether users may make templates and ISOs public",
        scopes=_OF_ACCOUNTS,
    ),
    key(
        "allow.user.expunge.recover.vm",
        "false",
        "boolean",
        "Whether users may expunge instances, and recover destroyed ones",
        scopes=_OF_ACCOUNTS,
    ),
    key(
        "allow.user.expunge.recover.volume",
        "true",
        "boolean",
        "Whether users may expunge volumes, and recover destroyed ones",
        scopes=_OF_ACCOUNTS,
    ),
    key(
        "resource.limit.host.tags",
        "",
        "string",
        "Host tags, comma separated, by which instances, CPUs, memory and GPUs are limited, too",
    ),
    key(
        "resource.limit.storage.tags",
        "",
        "string",
        "Storage tags, comma separated, by which volumes and primary storage are limited, too",
    ),
    key(
        "api.key.access",
        "true",
        "boolean",
        "Whether users may call with API key and signature, where neither they nor their account say otherwise",
        scopes=_OF_DOMAINS,
    ),
    key(
        "incorrect.login.attempts.allowed",
        "5",
        "integer",
        "Wrong passwords or codes, one after the other, at which a user is disabled; 0 for any number",
        minimum=0,
    ),
    key("enable.user.2fa", "false", "boolean", "Whether users may have a second factor", scopes=_OF_DOMAINS),
    key(
        "mandate.user.2fa",
        "false",
        "boolean",
        "With enable.user.2fa: whether users must have a second factor",
        scopes=_OF_DOMAINS,
    ),
    key(
        "user.2fa.default.provider",
        "totp",
        "string",
        "The second factor of a user who names none: totp, codes of an authenticator app, or staticpin",
        scopes=_OF_DOMAINS,
        choices=("totp", "staticpin"),
    ),
    key(
        "user.2fa.issuer",
        "CloudStack",
        "string",
        "What authenticator apps call this cloud",
        scopes=_OF_DOMAINS,
    ),
    key(
        "password.policy.minimum.length",
        "0",
        "integer",
        "Characters that a user's password must have",
        scopes=_OF_DOMAINS,
        minimum=0,
        maximum=255,
    ),
    key(
        "password.policy.minimum.special.characters",
        "0",
        "integer",
        "Characters of a user's password that must be neither letters nor digits",
        scopes=_OF_DOMAINS,
        minimum=0,
        maximum=255,
    ),
    key(
        "password.policy.minimum.uppercase.letters",
        "0",
        "integer",
        "Uppercase letters that a user's password must have",
        scopes=_OF_DOMAINS,
        minimum=0,
        maximum=255,
    ),
    key(
        "password.policy.minimum.lowercase.letters",
        "0",
        "integer",
        "Lowercase letters that a user's password must have",
        scopes=_OF_DOMAINS,
        minimum=0,
        maximum=255,
    ),
    key(
        "password.policy.minimum.digits",
        "0",
        "integer",
        "Digits that a user's password must have",
        scopes=_OF_DOMAINS,
        minimum=0,
        maximum=255,
    ),
    key(
        "password.policy.allowPasswordToContainUsername",
        "true",
        "boolean",
        "Whether a user's password may contain the user's name",
        scopes=_OF_DOMAINS,
    ),
    key(
        "password.policy.regex",
        "",
        "string",
        "A regular expression that a user's whole password must match",
        scopes=_OF_DOMAINS,
        checked_by=check_regex,
    ),
)
