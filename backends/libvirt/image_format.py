"""What an image file is by its own bytes, and that it refers to no other file.

Templates come from users. An image that names a backing file, or an external data file, would show its guest a file
of the host (CVE-2024-32498 is such a case), so QEMU opens a foreign file only after its header was read here, only as
the format found, and not at all if it refers to anything.
"""

from __future__ import annotations

import codecs
import struct
from pathlib import Path
from typing import BinaryIO

from backends.libvirt import qemu_img
from backends.libvirt.bounded import in_thread
from backends.libvirt.qemu_img import ImageInfo
from cloudsim.hypervisor import HypervisorError

FORMATS = {
    "QCOW2": "qcow2",
    "RAW": "raw",
    "ISO": "iso",
    "VHD": "vpc",
    "VHDX": "vhdx",
    "VMDK": "vmdk",
    "VDI": "vdi",
}
"""Formats of the API that a KVM host can use, and what they are called here: QEMU's names, but `iso` for optical discs."""

SUFFIXES = {"qcow2": "qcow2", "raw": "raw", "iso": "iso", "vpc": "vhd", "vhdx": "vhdx", "vmdk": "vmdk", "vdi": "vdi"}
_BY_SUFFIX = {suffix: kind for kind, suffix in SUFFIXES.items()} | {"img": "raw"}

_QCOW2 = struct.Struct(">4sIQIIQ")
_QCOW2_FEATURES = struct.Struct(">Q")
_EXTERNAL_DATA = 1 << 2
_SECTOR = 512
_ISO_AT = 16 * 2048 + 1
_ISO_MARKS = (b"CD001", b"BEA01", b"NSR02", b"NSR03")
_MARKS = {b"QFI\xfb": "qcow2", b"KDMV": "vmdk", b"COWD": "an old vmdk", b"vhdxfile": "vhdx", b"conectix": "vpc"}
_VDI_AT, _VDI = 64, b"\x7f\x10\xda\xbe"
_ARCHIVE_AT, _ARCHIVE = 257, b"ustar"


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
    """One of `FORMATS`, or what else it is, in words. Raises HypervisorError for a header that refers to other files."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_SECTOR)
        for mark, kind in _MARKS.items():
            if head.startswith(mark):
                _check_header(head, kind, path.name)
                return kind
        if head[_VDI_AT:].startswith(_VDI):
            return "vdi"
        if head[_ARCHIVE_AT:].startswith(_ARCHIVE):
            return "a tar archive (an OVA is one)"
        if _at(file, _ISO_AT, 5) in _ISO_MARKS:
            return "iso"
        if size >= _SECTOR and _at(file, size - _SECTOR, 8) == b"conectix":
            return "vpc"
    if not size:
        return "an empty file"
    if _is_text(head):
        return f"a text: {head[:60].decode(errors='ignore').strip()!r}"
    if size % _SECTOR:
        return f"a file of {size} bytes, which is no whole number of sectors"
    return "raw"


def _at(file: BinaryIO, place: int, length: int) -> bytes:
    file.seek(place)
    return file.read(length)


def _is_text(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character.isspace() for character in text)


def _check_header(head: bytes, kind: str, name: str) -> None:
    refers = f"{name} is not complete in itself: it refers to another file"
    if kind == "qcow2":
        _, version, backing, *_ = _QCOW2.unpack_from(head.ljust(_SECTOR, b"\0"))
        (features,) = _QCOW2_FEATURES.unpack_from(head.ljust(_SECTOR, b"\0"), 72) if version >= 3 else (0,)
        if backing or features & _EXTERNAL_DATA:
            raise HypervisorError(refers)
    elif kind == "vmdk":
        # with no capacity QEMU takes the extents, which may lie anywhere, from the descriptor inside
        (capacity,) = struct.unpack_from("<Q", head.ljust(_SECTOR, b"\0"), 12)
        if capacity == 0:
            raise HypervisorError(refers)


def backing_of(path: Path) -> str | None:
    """The name of a qcow2 file's backing file as its header has it; None: it has none, or is no qcow2 file."""
    with path.open("rb") as file:
        head = file.read(_QCOW2.size)
        if len(head) < _QCOW2.size or not head.startswith(b"QFI\xfb"):
            return None
        _, _, place, length, *_ = _QCOW2.unpack(head)
        return _at(file, place, length).decode(errors="replace") if place else None
