"""The admin's credentials: chosen when a cloud is first started, and the files that hand them over."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from backends.private_files import write_private
from cloudsim.management.identity.passwords import Passwords
from cloudsim.model import User

PASSWORD, API_KEY, SECRET_KEY = (
    "CLOUDSIM_ADMIN_PASSWORD",
    "CLOUDSIM_ADMIN_API_KEY",
    "CLOUDSIM_ADMIN_SECRET_KEY",
)
DEFAULT_PASSWORD = "password"
"""What CloudStack's admin begins with. Kept where only this machine can reach the server."""


class CredentialsError(ValueError):
    """The environment's credentials cannot be used."""


class Given(msgspec.Struct, frozen=True):
    """What the environment says of the admin."""

    password: str | None = None
    api_key: str | None = None
    secret_key: str | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Given:
        """Empty variables say nothing. Raises CredentialsError for one key without the other."""
        found = cls(*(environment.get(name) or None for name in (PASSWORD, API_KEY, SECRET_KEY)))
        if (found.api_key is None) != (found.secret_key is None):
            raise CredentialsError(f"{API_KEY} and {SECRET_KEY} are set together")
        return found

    def __bool__(self) -> bool:
        return self.password is not None or self.api_key is not None

    @property
    def keys(self) -> tuple[str, str] | None:
        return None if self.api_key is None or self.secret_key is None else (self.api_key, self.secret_key)

    def first_password(self, host: str) -> str:
        """The given one; else CloudStack's own if the server is only for this machine, else a random one."""
        if self.password is not None:
            return self.password
        return DEFAULT_PASSWORD if is_loopback(host) else secrets.token_urlsafe(15)


def is_loopback(host: str) -> bool:
    """Whether that is this machine, seen from itself only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Handover:
    """`admin.json` and `cloudstack.ini` in the data directory; both private to their owner."""

    def __init__(self, folder: Path) -> None:
        self.json = folder / "admin.json"
        self.ini = folder / "cloudstack.ini"

    @property
    def password(self) -> str | None:
        """The password that was handed over, if it is known."""
        found = self._kept().get("password")
        return found if isinstance(found, str) else None

    def write(self, endpoint: str, user: User, password: str | None) -> None:
        """Write both, whole or not at all. `password` None is not known."""
        found = {
            "endpoint": endpoint,
            "username": user.username,
            "password": password,
            "apikey": user.api_key,
            "secretkey": user.secret_key,
        }
        write_private(self.json, msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        values = {"endpoint": endpoint, "key": user.api_key or "", "secret": user.secret_key or ""}
        lines = [f"{name} = {text.replace('%', '%%')}" for name, text in values.items()]
        write_private(self.ini, "\n".join(["[cloudstack]", *lines, ""]).encode())

    def renew(self, endpoint: str, user: User, passwords: Passwords) -> None:
        """Write both for the endpoint of this start. The password stays as long as it is the user's."""
        kept = self.password
        known = kept is not None and passwords.matches(kept, user.password)
        self.write(endpoint, user, kept if known else None)

    def _kept(self) -> dict[str, Any]:
        try:
            found = msgspec.json.decode(self.json.read_bytes())
        except (OSError, msgspec.DecodeError):
            return {}
        return found if isinstance(found, dict) else {}
