"""Disk images, by way of the program qemu-img. Every failure is a HypervisorError with qemu-img's own text.

Paths are absolute. A program that runs is killed when its caller is cancelled, or after a time that grows with the
amount to copy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from backends.libvirt.bounded import QUICK, ProgramFailed, in_process

PROGRAM = "qemu-img"

_SLOWEST = 4 << 20
"""Bytes per second that a copy makes at the very least."""
_START = 300.0
_PROBE_MEMORY = 2 << 30
"""Address space for looking at an image, which may be made to use all there is."""
_LEAKS = 3
"""qemu-img check: no damage, but clusters that nothing refers to."""
_LOCKED = "Is another process using the image"


Filled = Literal["off", "metadata", "falloc"]
"""What of an image is on the disk from the start: nothing, its tables, all of it (qemu-img's preallocation)."""


class ImageInfo(msgspec.Struct, frozen=True):
    """What an image's header says. Sizes in bytes: `virtual_size` as the guest sees it, `actual_size` on the disk."""

    format: str
    virtual_size: int
    actual_size: int
    backing: str | None = None
    snapshots: tuple[str, ...] = ()
    encrypted: bool = False
    details: dict[str, Any] = {}
    """What qemu-img tells of this format only."""


def copy_limit(size: int) -> float:
    """Seconds that a copy of so many bytes may take."""
    return _START + size / _SLOWEST


def whole_sectors(size: int) -> int:
    """The size, rounded up to sectors of 512 bytes: disks come in no other."""
    return -(-size // 512) * 512


async def info(path: Path, format: str | None = None) -> ImageInfo:
    """What the image is, also while a running guest uses it.

    Without a `format` it is found out: not to be done with what may be raw, for a guest chooses a raw image's first bytes.
    """
    flags = () if format is None else ("-f", format)
    command = (PROGRAM, "info", "-U", "--output=json", *flags, str(path))
    text = await in_process(f"looking at {path}", *command, memory=_PROBE_MEMORY)
    found = msgspec.json.decode(text)
    return ImageInfo(
        format=found["format"],
        virtual_size=found["virtual-size"],
        actual_size=found.get("actual-size", 0),
        backing=found.get("backing-filename"),
        snapshots=tuple(snapshot["name"] for snapshot in found.get("snapshots", ())),
        encrypted=found.get("encrypted", False),
        details=found.get("format-specific", {}).get("data", {}),
    )


async def in_use(path: Path, format: str = "qcow2") -> bool:
    """Whether some QEMU, here or on another host that sees its locks, has the image open to write to it.

    QEMU could not use an image that cannot be opened for another reason, so that one is not in use.
    """
    try:
        await in_process(f"looking at {path}", PROGRAM, "info", "-f", format, str(path))
    except ProgramFailed as error:
        return _LOCKED in str(error)
    return False


async def create(path: Path, size: int, filled: Filled = "off") -> None:
    """An empty qcow2 image, which by default takes room only as it is written to."""
    options = () if filled == "off" else ("-o", f"preallocation={filled}")
    await _run(
        f"making {path}", "create", "-q", "-f", "qcow2", *options, str(path), str(whole_sectors(size)), limit=_START
    )


async def clone(path: Path, backing: str | Path, size: int | None = None) -> None:
    """A qcow2 image whose content is that of `backing` (qcow2 too; a relative name starts at the image's folder)."""
    sizes = () if size is None else (str(whole_sectors(size)),)
    await _run(
        f"making {path}", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(backing), str(path), *sizes
    )


async def convert(
    source: Path,
    target: Path,
    source_format: str = "qcow2",
    *,
    snapshot: str | None = None,
    share: bool = False,
    filled: Filled = "off",
) -> None:
    """Copy what a guest would see into a new qcow2 image that stands alone.

    `snapshot`: what it would see in that internal snapshot. `share`: although a guest is writing to it, which gives
    one moment's content only of a snapshot.
    """
    size = (await info(source, source_format)).virtual_size
    flags = (("-U",) if share else ()) + (() if snapshot is None else ("-l", f"snapshot.name={snapshot}"))
    if filled != "off":
        flags += ("-o", f"preallocation={filled}")
    command = (PROGRAM, "convert", "-q", "-f", source_format, "-O", "qcow2", *flags, str(source), str(target))
    await in_process(f"copying {source} to {target}", *command, limit=copy_limit(size))


async def resize(path: Path, size: int, shrink: bool = False, filled: Filled = "off") -> None:
    """Change the size that a guest will see. What lies beyond a smaller one is lost, so `shrink` has to be said."""
    flags: tuple[str, ...] = ("--shrink",) if shrink else ()
    if filled != "off":
        flags += (f"--preallocation={filled}",)
    await _run(
        f"resizing {path}",
        "resize",
        "-q",
        "-f",
        "qcow2",
        *flags,
        str(path),
        str(whole_sectors(size)),
        limit=_START,
    )


async def snapshot_create(path: Path, name: str) -> None:
    """Keep the present content inside the image under a name; no guest may be using it."""
    await _run(f"snapshot {name} of {path}", "snapshot", "-q", "-c", name, str(path), limit=_START)


async def snapshot_apply(path: Path, name: str) -> None:
    """Go back to an internal snapshot; no guest may be using the image."""
    await _run(f"going back to snapshot {name} of {path}", "snapshot", "-q", "-a", name, str(path), limit=_START)


async def snapshot_delete(path: Path, name: str) -> None:
    """Forget an internal snapshot; no guest may be using the image."""
    await _run(f"removing snapshot {name} of {path}", "snapshot", "-q", "-d", name, str(path), limit=_START)


async def snapshot_list(path: Path) -> tuple[str, ...]:
    """The names of the image's internal snapshots, oldest first."""
    return (await info(path, "qcow2")).snapshots


async def check(path: Path) -> None:
    """Raise HypervisorError if the qcow2 image is damaged. Clusters that nothing refers to do no harm."""
    try:
        await _run(f"{path} is damaged", "check", "-q", "-U", "-f", "qcow2", str(path), limit=_START)
    except ProgramFailed as error:
        if error.code != _LEAKS:
            raise


async def _run(what: str, *arguments: str, limit: float = 2 * QUICK) -> None:
    await in_process(what, PROGRAM, *arguments, limit=limit)
