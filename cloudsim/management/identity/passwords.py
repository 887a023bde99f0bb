"""Passwords as they are kept: scrypt with a salt of their own."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cloudsim.randomness import Randomness

_BLOCK, _PARALLEL, _SIZE = 8, 1, 32


class Passwords:
    """Makes and checks hashes `scrypt$<log2 of cost>$<salt>$<hash>`; a hash of any cost is understood.

    Cost 2**14 takes about 50 ms and 16 MiB; experiments with thousands of accounts may want less.
    """

    def __init__(self, randomness: Randomness, log_cost: int = 14) -> None:
        self._randomness = randomness.branch("passwords")
        self.log_cost = log_cost

    def hashed(self, password: str) -> str:
        salt = self._randomness.secret(16)
        return "$".join(
            ("scrypt", str(self.log_cost), _text(salt), _text(_hash(password, salt, self.log_cost)))
        )

    @staticmethod
    def matches(password: str, kept: str) -> bool:
        """Whether that is the password; never for an empty `kept`, which no password matches."""
        parts = kept.split("$")
        if len(parts) != 4 or parts[0] != "scrypt":
            return False
        salt, expected = base64.b64decode(parts[2]), base64.b64decode(parts[3])
        return hmac.compare_digest(_hash(password, salt, int(parts[1])), expected)


def _hash(password: str, salt: bytes, log_cost: int) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=1 << log_cost, r=_BLOCK, p=_PARALLEL, dklen=_SIZE, maxmem=1 << 27
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
