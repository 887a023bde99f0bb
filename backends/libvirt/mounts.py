"""Network file systems that this host mounts for the cloud."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from backends.libvirt.bounded import in_process
from cloudsim.hypervisor import HypervisorError

LIMIT = 60.0
"""Seconds that mounting or unmounting may take."""

_TABLE = Path("/proc/self/mountinfo")
_PASSABLE = 0o711


def mounted(folder: Path) -> tuple[str, str] | None:
    """Type and source of what is mounted at this folder; None: nothing is.

    From the kernel's table (proc(5), mountinfo), because to ask a file system whose server is gone may take for ever.
    """
    found = None
    for line in _TABLE.read_text().splitlines():
        place, _, kind = line.partition(" - ")
        if _plain(place.split()[4]) == str(folder):
            type, source = kind.split()[:2]
            found = type, _plain(source)
    return found


def _plain(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


async def mount_nfs(host: str, path: str, port: int, folder: Path, *options: str) -> None:
    """Mount host:path at the folder, which is made; again is no error. `port` 0: the usual one."""
    source = f"[{host}]:{path}" if ":" in host else f"{host}:{path}"
    there = mounted(folder)
    if there is not None:
        if there[0].startswith("nfs") and there[1].rstrip("/") != source.rstrip("/"):
            raise HypervisorError(f"cannot mount {source} at {folder}: {there[1]} is mounted there")
        return
    _make(folder)
    if port not in (0, 2049):
        options = (*options, f"port={port}")
    flags = ("-o", ",".join(options)) if options else ()
    command = ("mount", "-t", "nfs", *flags, "--", source, str(folder))
    await in_process(f"mounting {source}", *command, limit=LIMIT)


def _make(folder: Path) -> None:
    """QEMU runs as another user: it must be able to pass the agent's own folder, though not to list it."""
    folder.mkdir(parents=True, exist_ok=True)
    for above in (folder.parent, folder.parent.parent):
        mode = above.stat().st_mode & 0o777
        if mode | _PASSABLE != mode:
            above.chmod(mode | _PASSABLE)


async def unmount(folder: Path) -> None:
    """Unmount what is at the folder, if anything, and remove the empty folder."""
    if mounted(folder) is not None:
        await in_process(f"unmounting {folder}", "umount", "--", str(folder), limit=LIMIT)
    with suppress(FileNotFoundError):
        os.rmdir(folder)
