"""What an image file is by its own bytes, and that it refers to no other file.

Templates come from users. An image that names a backing file, or an external data file, would show its guest a file
of the host (CVE-2024-32498 is such a case), so QEMU opens a foreign file only after its header was read here, only as
the format found, and not at all if it refers to anything.
"""

from __future__ import annotations

import struct
from pathlib import Path

from backends.libvirt import qemu_img
from backends.libvirt.bounded import in_thread
from backends.libvirt.qemu_img import ImageInfo
from backends.systemvm.secstorage.errors import TransferError
from backends.systemvm.secstorage.images import KINDS, kind_of
from cloudsim.hypervisor import HypervisorError

FORMATS = KINDS
SUFFIXES = {"qcow2": "qcow2", "raw": "raw", "iso": "iso", "vpc": "vhd", "vhdx": "vhdx", "vmdk": "vmdk", "vdi": "vdi"}
_BY_SUFFIX = {suffix: kind for kind, suffix in SUFFIXES.items()} | {"img": "raw"}

_QCOW2 = struct.Struct(">4sIQIIQ")


def named(format: str) -> str:
    """QEMU's name of a format of the API. Raises HypervisorError for one that KVM hosts have no use for."""
    kind = FORMATS.get(format.upper())
    if kind is None:
        raise HypervisorError(f"images of format {format} are not supported on this host: {', '.join(FORMATS)} are")
    return kind


def of_name(path: str, format: str) -> str:
    """What a file in secondary storage is: its suffix says so, and else the format it is said to have."""
    return _BY_SUFFIX.get(path.rpartition(".")[2].lower()) or named(format)


def opened_as(kind: str) -> str:
    """The format that QEMU opens such a file with."""
    return "raw" if kind == "iso" else kind


async def examine(path: Path, kind: str, what: str) -> ImageInfo:
    """Make sure that the file is of this kind, and complete in itself. Raises HypervisorError, naming `what`, if not."""
    found = await in_thread(f"looking at {what}", lambda: _kind(path))
    if found != kind and not (kind == "raw" and found == "iso"):
        raise HypervisorError(f"{what} is no {kind} image, but {found}")
    image = await qemu_img.info(path, opened_as(kind))
    outside = image.backing or image.details.get("data-file")
    for extent in image.details.get("extents", ()):
        if extent.get("filename", str(path)) != str(path):
            outside = extent["filename"]
    if outside:
        raise HypervisorError(f"{what} is not complete in itself: it refers to the file {outside!r}")
    if image.encrypted:
        raise HypervisorError(f"{what} is encrypted")
    return image


def _kind(path: Path) -> str:
    try:
        return kind_of(path)
    except TransferError as error:
        raise HypervisorError(str(error)) from error


def backing_of(path: Path) -> str | None:
    """The name of a qcow2 file's backing file as its header has it; None: it has none, or is no qcow2 file."""
    with path.open("rb") as file:
        head = file.read(_QCOW2.size)
        if len(head) < _QCOW2.size or not head.startswith(b"QFI\xfb"):
            return None
        _, _, place, length, *_ = _QCOW2.unpack(head)
        if not place:
            return None
        file.seek(place)
        return file.read(length).decode(errors="replace")
