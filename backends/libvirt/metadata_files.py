"""What an instance is told about itself, as CloudStack's virtual router words it: the values, and files of them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import NicSpec, VmSpec

_ITEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def metadata_of(vm: VmSpec, nic: NicSpec | None, host_name: str = "") -> dict[str, str]:
    """The items of the metadata service by their names; `nic` is the card on which they are asked for.

    The manager's values (`VmSpec.metadata`) go before those found here. An instance without a public address is told
    its own one, as in a Basic zone.
    """
    address = (nic.ip if nic is not None else None) or ""
    values = {
        "service-offering": "",
        "availability-zone": "",
        "local-ipv4": address,
        "local-hostname": vm.hostname or vm.name,
        "public-ipv4": address,
        "public-hostname": vm.metadata.get("public-ipv4") or address,
        "instance-id": vm.name,
        "vm-id": vm.id,
        "public-keys": "\n".join(vm.public_keys),
        "cloud-identifier": "",
        "hypervisor-host-name": host_name,
    }
    return values | {name: value for name, value in vm.metadata.items() if _ITEM.fullmatch(name)}


def user_data_of(vm: VmSpec) -> bytes | None:
    """Decoded; None if there is none. Raises HypervisorError if it is not base64."""
    if vm.user_data is None:
        return None
    try:
        return base64.b64decode("".join(vm.user_data.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise HypervisorError(f"instance {vm.name}: its user data is not base64: {error}") from None


def write_private(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace the file whole or not at all; one that has this content already is left alone."""
    try:
        if path.read_bytes() == content:
            return
    except FileNotFoundError:
        pass
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        os.fchmod(descriptor, mode)
    new.replace(path)


def write_metadata(folder: Path, guests: Iterable[tuple[VmSpec, NicSpec]], host_name: str) -> None:
    """Make `folder` hold what these guests of one network are told, a folder for each address, and of no others.

    A guest's folder has `user-data`, `meta-data/` and `password`. Once the guest has said that it has set the
    password, the metadata server replaces it by `password.saved`, its hash, and it isn't written again.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = set()
    for vm, nic in guests:
        if nic.ip is None:
            continue
        wanted.add(nic.ip)
        wanted.update(nic.secondary_ips)
        _write_guest(folder / nic.ip, vm, nic, host_name)
        for address in nic.secondary_ips:
            _link(folder / address, nic.ip)
    for path in folder.iterdir():
        if path.name not in wanted:
            _remove(path)


def _write_guest(folder: Path, vm: VmSpec, nic: NicSpec, host_name: str) -> None:
    if folder.is_symlink():  # it was another's second address
        folder.unlink()
    owner = folder / "instance"
    if folder.exists() and (not owner.exists() or owner.read_text() != vm.id):
        _remove(folder)  # of one that had the address before
    items = folder / "meta-data"
    items.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    write_private(owner, vm.id.encode())
    values = metadata_of(vm, nic, host_name)
    for name, value in values.items():
        write_private(items / name, value.encode())
    for path in items.iterdir():
        if path.name not in values:
            path.unlink()
    _write_or_remove(folder / "user-data", user_data_of(vm))
    password = vm.password.encode() if vm.password else None
    if password is not None and _saved(folder) == hashlib.sha256(password).hexdigest():
        password = None
    _write_or_remove(folder / "password", password)


def _saved(folder: Path) -> str:
    try:
        return (folder / "password.saved").read_text()
    except FileNotFoundError:
        return ""


def _write_or_remove(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    else:
        write_private(path, content)


def _link(path: Path, target: str) -> None:
    if path.is_symlink() and path.readlink() == Path(target):
        return
    if path.exists() or path.is_symlink():
        _remove(path)
    path.symlink_to(target)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
