"""Files that are being made: under a name of their own until they are whole, so that a file with its name is whole."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from backends.libvirt.bounded import QUICK, in_thread
from cloudsim.hypervisor import HypervisorError

BEGINNING = ".new-"
"""What the names of files that are being made begin with."""
_FLUSH = 600.0
"""Seconds that a disk may take to write what is still in memory."""
_FULL = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class Unfinished:
    """The files that this host is making, on folders that other hosts may share.

    Their names carry the host's `guid`, so that each host clears away what it was making when it died, and nothing
    of the others.
    """

    def __init__(self, guid: str) -> None:
        self._prefix = f"{BEGINNING}{re.sub('[^A-Za-z0-9-]', '_', guid)}-"
        self._making: set[Path] = set()

    @asynccontextmanager
    async def beside(self, target: Path) -> AsyncIterator[Path]:
        """A name next to `target` that no file has; what is made there and not put in place is removed."""
        new = target.with_name(f"{self._prefix}{secrets.token_hex(4)}-{target.name}")
        self._making.add(new)
        try:
            yield new
        finally:
            if new in self._making:
                with suppress(HypervisorError):
                    await in_thread(f"removing {new}", lambda: new.unlink(missing_ok=True))
                self._making.discard(new)

    async def put(self, new: Path, target: Path, *, replace: bool = False, mode: int | None = None) -> bool:
        """Give the new file its name, once it is safely on the disk.

        False: another host was faster; unless it is to `replace` what is there, the other's file stays.
        """
        placed = await in_thread(f"putting {target} in place", lambda: _put(new, target, replace, mode), _FLUSH)
        if placed:
            self._making.discard(new)
        return placed

    async def clear(self, folder: Path) -> None:
        """Remove from the folder what an earlier agent of this host left half-made."""

        def remove() -> None:
            for path in folder.glob(f"{self._prefix}*"):
                if path not in self._making:
                    path.unlink(missing_ok=True)

        await in_thread(f"clearing {folder}", remove, 10 * QUICK)


def _put(new: Path, target: Path, replace: bool, mode: int | None) -> bool:
    with new.open("rb") as file:
        if mode is not None:
            os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    if replace:
        new.replace(target)
    elif not _link(new, target):
        return False
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True


def _link(new: Path, target: Path) -> bool:
    """A link never replaces a file that another host put there meanwhile, as a rename does."""
    try:
        os.link(new, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if target.exists():
            return False
        new.replace(target)
        return True
    new.unlink()
    return True


@contextmanager
def room(place: str) -> Iterator[None]:
    """Make an error for want of space say what it is that is full."""
    try:
        yield
    except HypervisorError as error:
        if any(text in str(error) for text in _FULL):
            raise HypervisorError(f"{place} is full: {error}") from error
        raise


def check_room(folder: Path, what: str, size: int) -> None:
    """Raise HypervisorError if `size` bytes more do not fit; `room` says where."""
    found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize
    if size > free:
        total = found.f_blocks * found.f_frsize
        raise HypervisorError(f"{_FULL[0]}: {what} needs {size} bytes, and {free} of {total} are left")
