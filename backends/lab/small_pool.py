"""Storage that can be full: a folder of a size of its own, which all hosts of a lab see."""

from __future__ import annotations

import os
from pathlib import Path

from backends.lab.processes import mounts
from backends.lab.running import run

MIB = 1024 * 1024
_BALLAST = ".ballast"


class SmallPool:
    """A folder in memory, mounted on the machine; hosts get the mount, as they are slaves of the machine's mounts.

    It is for a storage pool of kind SharedMountPoint at `path`. `size` is in bytes.
    """

    def __init__(self, path: Path, source: str) -> None:
        self.path = path
        self.source = source

    @property
    def is_mounted(self) -> bool:
        return (self.source, str(self.path)) in mounts()

    def mount(self, size: int) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        self._mount("-o", f"size={size},mode=755")

    def resize(self, size: int) -> None:
        """Smaller than what is used is refused by the kernel, with a LabError."""
        self._mount("-o", f"remount,size={size}")

    def _mount(self, *options: str) -> None:
        run(f"mounting {self.path}", ["mount", "-t", "tmpfs", *options, self.source, str(self.path)])

    def fill(self, leave: int = 0) -> int:
        """Take what is free, but for `leave` bytes; answers with the bytes taken by this."""
        room = os.statvfs(self.path)
        taken = max(0, room.f_bavail * room.f_frsize - leave)
        if taken:
            with (self.path / _BALLAST).open("ab") as file:
                os.posix_fallocate(file.fileno(), file.tell(), taken)
        return taken

    def empty(self) -> None:
        """Give back what `fill` took."""
        (self.path / _BALLAST).unlink(missing_ok=True)
