"""Tokens that let one new host join, kept as files so that the command line can make them beside a running server."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from backends.private_files import private_folder, write_private

_FINGERPRINT_DIGITS = 64


class TokenRefused(Exception):
    """The token does not let anybody in; the text says why."""


def split(token: str) -> tuple[str, str]:
    """A token's secret, and the fingerprint of the authority that knows it. ValueError for what is no token."""
    secret, dot, fingerprint = token.strip().partition(".")
    if not (secret and dot) or len(fingerprint) != _FINGERPRINT_DIGITS or not _is_hexadecimal(fingerprint):
        raise ValueError(
            "this is not a token: expected <secret>.<fingerprint>, as `cloudsim agent token` prints it"
        )
    return secret, fingerprint


def _is_hexadecimal(text: str) -> bool:
    return all(c in "0123456789abcdef" for c in text)


class Tokens:
    """One file for each token that is still good, named after its secret's SHA-256, holding when it ends."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self._folder = private_folder(folder)
        self._now = now

    def create(self, ttl: float, fingerprint: str) -> str:
        """A new token, good once within `ttl` seconds, for the authority with that fingerprint."""
        self._prune()
        secret = secrets.token_urlsafe(24)
        write_private(self._path(secret), repr(self._now() + ttl).encode())
        return f"{secret}.{fingerprint}"

    def check(self, secret: str) -> None:
        """Raises TokenRefused unless the token could be consumed now."""
        if self._end(self._path(secret)) < self._now():
            raise TokenRefused("the token is unknown, used already, or its time is over")

    def consume(self, secret: str) -> None:
        """Use the token up. Of two that try at one time one succeeds. Raises TokenRefused."""
        self.check(secret)
        try:
            self._path(secret).unlink()
        except FileNotFoundError:
            raise TokenRefused("the token has just been used") from None

    def _prune(self) -> None:
        for path in self._folder.iterdir():
            if len(path.name) == hashlib.sha256().digest_size * 2 and self._end(path) < self._now():
                path.unlink(missing_ok=True)

    def _end(self, path: Path) -> float:
        try:
            return float(path.read_text())
        except (FileNotFoundError, ValueError):
            return 0.0

    def _path(self, secret: str) -> Path:
        return self._folder / hashlib.sha256(secret.encode()).hexdigest()
