"""What instances may ask the router about themselves: the files that the metadata server answers from."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

from backends.systemvm.guest import metadata_server
from backends.systemvm.guest.errors import GuestError

WEB, PASSWORDS = 80, 8080
_ITEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")


def service(root: Path, metadata: dict[str, Any]) -> dict[str, Any]:
    """The server, as an entry of a plan's services."""
    addresses = [str(each) for each in metadata.get("addresses") or ()]
    command = ["python", "-I", "-S", str(Path(metadata_server.__file__)), f"--folder={_folder(root)}"]
    command += [f"--listen={each}:{WEB}" for each in addresses]
    command += [f"--passwords={each}:{PASSWORDS}" for each in addresses]
    return {"name": "metadata", "command": command}


def write(root: Path, metadata: dict[str, Any] | None) -> None:
    """Have the files say this and no more, but for passwords: one that its instance has taken does not come back, and
    one that it has not taken yet stays although it is not given any more (the manager says it once, at the start).

    Raises GuestError for what cannot be a file; then nothing was changed.
    """
    folder = _folder(root)
    guests = {str(guest["ip"]): _content(guest) for guest in (metadata or {}).get("guests") or ()}
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in guests:
            shutil.rmtree(path)
    for ip, content in guests.items():
        _write_guest(folder / ip, content)


def _folder(root: Path) -> Path:
    return root / "metadata"


def _content(guest: dict[str, Any]) -> dict[str, bytes]:
    ip = str(guest["ip"])
    if not _ADDRESS.fullmatch(ip):
        raise GuestError(f"{ip!r} is no address of an instance")
    found = {}
    for name, value in (guest.get("meta_data") or {}).items():
        if not _ITEM.fullmatch(name):
            raise GuestError(f"{name!r} is no name of an item of metadata")
        found[f"meta-data/{name}"] = str(value).encode()
    if guest.get("user_data"):
        try:
            found["user-data"] = base64.b64decode("".join(str(guest["user_data"]).split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise GuestError(f"the user data of {ip} is not base64: {error}") from None
    if guest.get("password"):
        found["password"] = str(guest["password"]).encode()
    return found


def _write_guest(folder: Path, content: dict[str, bytes]) -> None:
    owner = content.get("meta-data/vm-id") or content.get("meta-data/instance-id") or b""
    if folder.exists() and _read(folder / "instance") != owner:
        shutil.rmtree(folder)  # of another that had the address
    (folder / "meta-data").mkdir(mode=0o700, parents=True, exist_ok=True)
    _put(folder / "instance", owner)
    password = content.get("password")
    if password is not None and _read(folder / "password.saved") == hashlib.sha256(password).hexdigest().encode():
        content = {name: value for name, value in content.items() if name != "password"}
    if "user-data" not in content:
        (folder / "user-data").unlink(missing_ok=True)
    for path in (folder / "meta-data").iterdir():
        if f"meta-data/{path.name}" not in content:
            path.unlink()
    for name, value in content.items():
        _put(folder / name, value)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _put(path: Path, content: bytes) -> None:
    if _read(path) != content:
        new = path.with_name(f".{path.name}.new")
        new.write_bytes(content)
        new.replace(path)
