"""What an image file is by its own bytes: its kind, the size of its disk, and whether it refers to other files.

Templates come from users. An image that names a backing file, or an external data file, would show its guest a file
of whoever opens it (CVE-2024-32498 is such a case).
"""

from __future__ import annotations

import codecs
import struct
import uuid
from pathlib import Path
from typing import BinaryIO

from backends.systemvm.secstorage.errors import TransferError

KINDS = {
    "QCOW2": "qcow2",
    "RAW": "raw",
    "ISO": "iso",
    "VHD": "vpc",
    "VHDX": "vhdx",
    "VMDK": "vmdk",
    "VDI": "vdi",
}
"""Formats of the API that a KVM host can use, and what they are called here: QEMU's names, but `iso` for optical discs."""

_QCOW2 = struct.Struct(">4sIQIIQ")
_QCOW2_FEATURES = struct.Struct(">Q")
_EXTERNAL_DATA = 1 << 2
_SECTOR = 512
_ISO_AT = 16 * 2048 + 1
_ISO_MARKS = (b"CD001", b"BEA01", b"NSR02", b"NSR03")
_MARKS = {
    b"QFI\xfb": "qcow2",
    b"KDMV": "vmdk",
    b"COWD": "an old vmdk",
    b"vhdxfile": "vhdx",
    b"conectix": "vpc",
}
_VDI_AT, _VDI = 64, b"\x7f\x10\xda\xbe"
_ARCHIVE_AT, _ARCHIVE = 257, b"ustar"
_VHDX_REGIONS = 192 << 10
_VHDX_METADATA = uuid.UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e").bytes_le
_VHDX_SIZE = uuid.UUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8").bytes_le
_VHDX_ENTRIES = 64


def kind_of(path: Path) -> str:
    """One of the kinds, or what else the file is, in words. Raises TransferError for a header that refers to other files."""
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


def check_kind(path: Path, format: str, what: str) -> str:
    """The file's kind, which must be what `format` says. Raises TransferError, naming `what`, if it is not."""
    wanted = KINDS.get(format.upper())
    if wanted is None:
        raise TransferError(f"images of format {format} are not supported here: {', '.join(KINDS)} are")
    found = kind_of(path)
    if found != wanted and not (wanted == "raw" and found == "iso"):
        raise TransferError(f"{what} is no {wanted} image, but {found}")
    return wanted


def virtual_size(path: Path, kind: str) -> int:
    """Bytes of the disk that an image of this kind holds. Raises TransferError where its header does not say."""
    size = path.stat().st_size
    with path.open("rb") as file:
        match kind:
            case "qcow2":
                found = _number(file, 24, ">Q")
            case "vmdk":
                found = _number(file, 12, "<Q") * _SECTOR
            case "vdi":
                found = _number(file, 0x170, "<Q")
            case "vpc":
                footer = 0 if _at(file, 0, 8) == b"conectix" else size - _SECTOR
                found = _number(file, footer + 48, ">Q")
            case "vhdx":
                found = _vhdx_size(file)
            case _:
                found = size
    if found <= 0:
        raise TransferError(f"{path.name} does not say how large its disk is")
    return found


def _vhdx_size(file: BinaryIO) -> int:
    for place in _entries(file, _VHDX_REGIONS, b"regi", 16, 32, _VHDX_METADATA, "<Q", 8):
        for item in _entries(file, place, b"metadata", 32, 32, _VHDX_SIZE, "<I", 10):
            return _number(file, place + item, "<Q")
    return 0


def _entries(
    file: BinaryIO, at: int, mark: bytes, first: int, length: int, wanted: bytes, kind: str, count_at: int
) -> list[int]:
    """Where the entry of a VHDX table that has the GUID `wanted` says its thing is."""
    if _at(file, at, len(mark)) != mark:
        return []
    count = min(_VHDX_ENTRIES, _number(file, at + count_at, "<H"))
    places = (at + first + number * length for number in range(count))
    return [_number(file, place + 16, kind) for place in places if _at(file, place, 16) == wanted]


def _number(file: BinaryIO, place: int, kind: str) -> int:
    form = struct.Struct(kind)
    (found,) = form.unpack(_at(file, place, form.size).ljust(form.size, b"\0"))
    return int(found)


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
    head = head.ljust(_SECTOR, b"\0")
    if kind == "qcow2":
        _, version, backing, *_ = _QCOW2.unpack_from(head)
        (features,) = _QCOW2_FEATURES.unpack_from(head, 72) if version >= 3 else (0,)
        if backing or features & _EXTERNAL_DATA:
            raise TransferError(refers)
    elif kind == "vmdk":
        # with no capacity QEMU takes the extents, which may lie anywhere, from the descriptor inside
        (capacity,) = struct.unpack_from("<Q", head, 12)
        if capacity == 0:
            raise TransferError(refers)
