"""Second factors of users: what a user sets up, whether it is asked for at a login, whether a code is right.

A secret counts only once a code made with it was given (`confirm`), so that nobody locks himself out by half a set-up.
Codes of the provider totp are those of RFC 6238: six digits, SHA-1, 30 seconds; each is taken once.
"""

from __future__ import annotations

import base64
import hmac

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.foundation import Foundation
from cloudsim.model import User

ENABLED, MANDATED = "enable.user.2fa", "mandate.user.2fa"
DEFAULT_PROVIDER, ISSUER = "user.2fa.default.provider", "user.2fa.issuer"

PROVIDERS = {
    "totp": "Codes of an authenticator app that change every 30 seconds (TOTP)",
    "staticpin": "A PIN that stays the same",
}
"""Kinds of second factors, and what they are."""

STEP, DIGITS = 30, 6
_AROUND = (-1, 0, 1)
"""Steps whose codes are taken: clocks differ, and typing takes a while."""

GUESSES, PAUSE = 5, 300.0
"""After so many wrong codes, one after the other, none is looked at for so many seconds."""


class TwoFactor:
    """Sets up, confirms and removes second factors. Times are the clients' Unix seconds, not the cloud's."""

    def __init__(self, foundation: Foundation) -> None:
        self._settings = foundation.settings
        self._store = foundation.store
        self._table = foundation.table(User)
        self._randomness = foundation.randomness.branch("two factor")
        self._used: dict[str, int] = {}
        self._wrong: dict[str, tuple[int, float]] = {}

    def is_offered(self, domain_id: str) -> bool:
        """Whether users of that domain may have a second factor."""
        return self._settings.boolean(ENABLED, "Domain", domain_id)

    def is_mandated(self, user: User) -> bool:
        """Whether the user must have one."""
        return self.is_offered(user.domain_id) and (
            user.two_factor_mandated or self._settings.boolean(MANDATED, "Domain", user.domain_id)
        )

    def is_asked_for(self, user: User) -> bool:
        """Whether a login of that user needs more than the password: a code, or the set-up that is due."""
        return user.two_factor_confirmed or self.is_mandated(user)

    def issuer(self, domain_id: str) -> str:
        """What authenticator apps are to call this cloud."""
        return self._settings.get(ISSUER, "Domain", domain_id)

    def set_up(self, user: User, provider: str | None) -> User:
        """Give the user a new secret, to be confirmed."""
        if not self.is_offered(user.domain_id):
            raise PermissionDenied(
                f"2FA is not enabled for the domain of user {user.username}: see {ENABLED}"
            )
        if user.two_factor_confirmed:
            raise InvalidParameterValue(f"2FA is already set up for user {user.username}: disable it first")
        provider = provider or self._settings.get(DEFAULT_PROVIDER, "Domain", user.domain_id)
        if provider not in PROVIDERS:
            raise InvalidParameterValue(
                f"Parameter provider: expected {' or '.join(PROVIDERS)}, got {provider!r}"
            )
        self._used.pop(user.id, None)
        with self._store.transaction():
            return self._table.update(
                user.id, two_factor_provider=provider, two_factor_key=self._secret(provider)
            )

    def _secret(self, provider: str) -> str:
        if provider == "totp":
            return base64.b32encode(self._randomness.secret(20)).decode()
        number = int.from_bytes(self._randomness.secret(16), "big")
        return f"{number % 10**DIGITS:0{DIGITS}}"

    def check_disable(self, user: User, *, by_admin: bool) -> None:
        """Raise PermissionDenied for a second factor that its user must keep."""
        if not by_admin and self.is_mandated(user):
            raise PermissionDenied(f"2FA is mandated for user {user.username} and cannot be disabled")

    def disable(self, user: User) -> User:
        """Take the second factor from the user."""
        self._used.pop(user.id, None)
        with self._store.transaction():
            return self._table.update(
                user.id, two_factor_provider=None, two_factor_key=None, two_factor_confirmed=False
            )

    def mandate(self, user: User, mandated: bool) -> User:
        """Have the user need a second factor, or not."""
        if mandated and not self.is_offered(user.domain_id):
            raise InvalidParameterValue(
                f"Parameter mandate2fa: 2FA is not enabled for the domain of user {user.username}: see {ENABLED}"
            )
        with self._store.transaction():
            return self._table.update(user.id, two_factor_mandated=mandated)

    def accepts(self, user: User, code: str, at: float) -> bool:
        """Whether that is the user's code `at` that time, and was not given before.

        Raises PermissionDenied for a while after GUESSES wrong ones in a row.
        """
        wrong, last = self._wrong.get(user.id, (0, at))
        if wrong >= GUESSES and at - last < PAUSE:
            raise PermissionDenied(
                f"Too many wrong codes: the next one is looked at in {PAUSE - (at - last):.0f} s"
            )
        if self._is_right(user, code.strip(), at):
            self._wrong.pop(user.id, None)
            return True
        self._wrong[user.id] = wrong + 1, at
        return False

    def _is_right(self, user: User, code: str, at: float) -> bool:
        if not user.two_factor_key:
            return False
        if user.two_factor_provider == "staticpin":
            return hmac.compare_digest(code.encode(), user.two_factor_key.encode())
        totp = TOTP(base64.b32decode(user.two_factor_key), DIGITS, SHA1(), STEP)
        now = int(at // STEP)
        for step in (now + around for around in _AROUND):
            if step <= self._used.get(user.id, -1):
                continue
            if hmac.compare_digest(code.encode(), totp.generate(step * STEP)):
                self._used[user.id] = step
                return True
        return False

    def confirm(self, user: User) -> User:
        """A right code was given: from now on it is asked for at logins."""
        if user.two_factor_confirmed:
            return user
        with self._store.transaction():
            return self._table.update(user.id, two_factor_confirmed=True)
