"""A stream of bytes into a file: unpacked, hashed, with holes where it is zero; on a thread, and stopped when cancelled."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from backends.libvirt.bounded import in_thread
from backends.libvirt.checksums import USUAL, Checksum, hasher
from backends.systemvm.secstorage.errors import TransferError
from backends.systemvm.secstorage.packing import packing, unpacked
from cloudsim.hypervisor import HypervisorError

T = TypeVar("T")

BLOCK = 1 << 20
_HOLE = 1 << 16
_ZEROS = bytes(_HOLE)
_KEEP = 64 << 20
"""Bytes that are to stay free where a stream of unknown length is written to."""
_LONGEST = 86400.0
_STOPS = 5.0


class Stopped(HypervisorError):
    """Nobody waits for the transfer any more."""


class Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Received(msgspec.Struct, frozen=True):
    """`sent`: checksum of the bytes as they came; `kept`: of the file, which differs where they were `packed`."""

    sent: Checksum
    kept: Checksum
    size: int
    """Of the file, in bytes."""
    packed: str | None = None


async def stoppable(what: str, work: Callable[[threading.Event], T]) -> T:
    """`work(stop)` on a thread; when the caller is cancelled `stop` is set, and the work has a moment to end."""
    stop = threading.Event()
    running = asyncio.get_running_loop().create_task(in_thread(what, lambda: work(stop), _LONGEST))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        running.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait([running], timeout=_STOPS)
        raise


def receive(
    source: Source,
    target: Path,
    *,
    algorithm: str = USUAL,
    length: int | None = None,
    unpack: bool = True,
    stop: threading.Event,
) -> Received:
    """Write what `source` gives into the new file `target`. gzip, bzip2, xz and zip are known by their first bytes.

    Raises HypervisorError if `length` bytes were to come and did not, if they cannot be unpacked, if the room
    that is left is too small, or once `stop` is set.
    """
    sent, count = hasher(algorithm), 0

    def blocks() -> Iterator[bytes]:
        nonlocal count
        while block := source.read(BLOCK):
            if stop.is_set():
                raise Stopped("it was stopped")
            sent.update(block)
            count += len(block)
            yield block
        if length is not None and count != length:
            raise HypervisorError(f"it broke off after {count} of {length} bytes")

    coming = blocks()
    first = next(coming, b"")
    packed = packing(first) if unpack else None
    if stop.is_set():
        raise Stopped("it was stopped")
    with target.open("xb") as file:
        writer = _Writer(file, algorithm if packed is None else USUAL, target.parent)
        try:
            pieces = chain((first,), coming)
            for block in pieces if packed in (None, "zip") else unpacked(packed, pieces):
                writer.write(block)
        except TransferError as error:
            raise HypervisorError(str(error)) from error
        writer.finish()
    result = Checksum(algorithm, sent.hexdigest())
    if packed == "zip":
        return _unzip(target, result, stop)
    return Received(result, writer.checksum, writer.size, packed)


def checksum(path: Path, algorithm: str, stop: threading.Event) -> Checksum:
    """Of a whole file."""
    found = hasher(algorithm)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            if stop.is_set():
                raise Stopped("it was stopped")
            found.update(block)
    return Checksum(algorithm, found.hexdigest())


class _Writer:
    """Writes a file sparsely, hashes it, and leaves some room to others."""

    def __init__(self, file: Any, algorithm: str, folder: Path) -> None:
        self._file = file
        self._algorithm = algorithm
        self._hash = hasher(algorithm)
        found = os.statvfs(folder)
        self._room = found.f_bavail * found.f_frsize - min(_KEEP, found.f_blocks * found.f_frsize // 20)
        self.size = 0
        self._written = 0

    def write(self, block: bytes) -> None:
        self._hash.update(block)
        view = memoryview(block)
        for start in range(0, len(block), _HOLE):
            piece = view[start : start + _HOLE]
            self.size += len(piece)
            if len(piece) == _HOLE and piece == _ZEROS:
                self._file.seek(_HOLE, os.SEEK_CUR)
                continue
            self._written += len(piece)
            if self._written > self._room:
                raise HypervisorError(f"{os.strerror(errno.ENOSPC)}: over {self._room} bytes came")
            self._file.write(piece)

    def finish(self) -> None:
        self._file.truncate(self.size)

    @property
    def checksum(self) -> Checksum:
        return Checksum(self._algorithm, self._hash.hexdigest())


def _unzip(target: Path, sent: Checksum, stop: threading.Event) -> Received:
    """Put the one file of a zip archive in the archive's place."""
    archive = target.with_name(f"{target.name}.zip")
    target.rename(archive)
    try:
        with zipfile.ZipFile(archive) as opened:
            files = [entry for entry in opened.infolist() if not entry.is_dir()]
            if len(files) != 1:
                raise HypervisorError(f"it is a zip archive of {len(files)} files, not of one")
            with opened.open(files[0]) as source:
                inner = receive(source, target, unpack=False, stop=stop)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise HypervisorError(f"it cannot be unpacked as zip: {error}") from error
    finally:
        archive.unlink()
    return Received(sent, inner.kept, inner.size, "zip")
