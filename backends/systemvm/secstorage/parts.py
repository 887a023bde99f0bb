"""A file on its way into a store: what there is of it lies beside its place, so that another machine can go on with it.

`.part-NAME` holds the first bytes of what is sent, `.part-NAME.json` where they come from and how many of them are safely
on the disk. Whoever goes on with it writes the same bytes to the same places: should the one before still be at it,
which nobody can know for certain, both write the same file. What is to be written anew becomes a new file.
"""

from __future__ import annotations

import errno
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from backends.systemvm.secstorage.checksums import USUAL, Checksum, hasher, parsed
from backends.systemvm.secstorage.errors import BrokeOff, TransferError
from backends.systemvm.secstorage.images import check_kind, virtual_size
from backends.systemvm.secstorage.packing import BLOCK, packing, unpacked

SYNC_EVERY = 64 << 20
"""Bytes after which what has come is put on the disk, and noted."""
KEEP = 64 << 20
"""Bytes that are to stay free where a stream of unknown length is written to."""
READABLE = 0o644
"""Every host has to read what is put into a store."""
_HOLE = 1 << 16
_ZEROS = bytes(_HOLE)

Look = Callable[[], None]
"""Called now and then; raises Stopped when nobody wants the file any more."""


class Finished(NamedTuple):
    """A file in its place. `size` is what it takes, `checksum` that of what was sent."""

    size: int
    virtual_size: int
    checksum: str


class Part:
    """What there is of the file that is to be `target`, from `source` (a URL, or an upload's id)."""

    def __init__(self, target: Path, source: str) -> None:
        self.target = target
        self.path = target.with_name(f".part-{target.name}")
        self._note = target.with_name(f".part-{target.name}.json")
        self._source = source
        self.validator = ""
        """What the server calls this version of the file; "": it does not say."""
        self.done = 0
        self.size = 0
        self._file: Any = None
        self._synced = 0

    # coming in

    def open(self) -> None:
        """Find what there is already. Raises BrokeOff if the store cannot be used."""
        with _disk(self.target):
            self.target.parent.mkdir(parents=True, exist_ok=True)
            noted = self._noted()
            if noted is None:
                self._new()
                return
            self.validator = str(noted["validator"])
            self._file = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
            self.done = self._synced = min(int(noted["done"]), os.fstat(self._file).st_size)
            self.size = int(noted["size"])

    def _noted(self) -> dict[str, Any] | None:
        try:
            noted = json.loads(self._note.read_text())
            known = noted["source"] == self._source and bool(noted["validator"]) and self.path.is_file()
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return noted if known else None

    def _new(self) -> None:
        self.close()
        self._note.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self.done = self._synced = 0

    def begin(self, validator: str, size: int | None, *, at: int) -> None:
        """What comes now begins at `at`: 0, or where this part ends. `size`: of all, as far as is known.

        Raises TransferError if there is no room for it.
        """
        with _disk(self.target):
            if at != self.done:
                self._new()
            self.validator, self.size = validator, size or 0
            self._check_room((size or 0) - self.done)
            self._write_note()

    def _check_room(self, more: int) -> None:
        found = os.statvfs(self.target.parent)
        free, total = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
        if more > free:
            raise TransferError(
                f"secondary storage is full: {more} bytes more are needed, and {free} of {total} are left"
            )
        self._room = free - min(KEEP, total // 20)

    def write(self, block: bytes) -> None:
        """The next bytes. What is zero becomes a hole. Raises TransferError when the store is full."""
        with _disk(self.target):
            view = memoryview(block)
            for start in range(0, len(block), _HOLE):
                piece = view[start : start + _HOLE]
                at = self.done + start
                if piece == _ZEROS and os.fstat(self._file).st_size < at + len(piece):
                    os.ftruncate(self._file, at + len(piece))
                    continue
                self._room -= len(piece)
                if self._room < 0:
                    raise TransferError("secondary storage is full")
                _write_all(self._file, piece, at)
            self.done += len(block)
            if self.done - self._synced >= SYNC_EVERY:
                self.sync()

    def sync(self) -> None:
        """Put what has come on the disk, and note how much it is."""
        if self._file is not None and self.done > self._synced:
            os.fsync(self._file)
            self._synced = self.done
            self._write_note()

    def _write_note(self) -> None:
        text = {"source": self._source, "validator": self.validator, "done": self._synced, "size": self.size}
        new = self._note.with_name(f"{self._note.name}.new")
        new.write_text(json.dumps(text))
        new.replace(self._note)

    def blocks(self, look: Look) -> Iterator[bytes]:
        """What there is of it, from the beginning."""
        with self.path.open("rb") as file:
            left = self.done
            while left and (block := file.read(min(BLOCK, left))):
                look()
                left -= len(block)
                yield block

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def pause(self) -> None:
        """Nobody goes on with it here; somebody may elsewhere."""
        with suppress(OSError):
            self.sync()
        self.close()

    def remove(self) -> None:
        """Nobody is to go on with it."""
        self.close()
        for each in (self.path, self._note, self._unpacked):
            with suppress(OSError):
                each.unlink(missing_ok=True)

    # whole

    @property
    def _unpacked(self) -> Path:
        return self.target.with_name(f".part-{self.target.name}.unpacked")

    def finish(
        self, format: str, checksum: str | None, largest: int | None, what: str, look: Look
    ) -> Finished:
        """All of it is there: see that it is what it should be, unpack it, and put it in its place.

        Raises TransferError if it is not. Its note beside it says what was sent, where that is not what is kept.
        """
        with _disk(self.target):
            self.sync()
            if self.target.exists() and not self.path.exists():
                self.remove()  # another machine was faster
                return found(self.target, format, checksum, look)
            sent = self._checked(checksum, what, look)
            first = next(self.blocks(look), b"")
            packed = packing(first)
            whole, kept = self.path, sent
            if packed is not None:
                whole = self._unpacked
                kept = self._unpack(packed, whole, largest, look)
            kind = check_kind(whole, format, what)
            virtual = virtual_size(whole, kind)
            note = note_of(self.target)
            if packed is not None:
                note.write_text(json.dumps({"sent": str(sent), "kept": str(kept)}))
            else:
                note.unlink(missing_ok=True)
            os.chmod(whole, READABLE)
            _sync(whole)
            size = whole.stat().st_size
            with suppress(FileNotFoundError):  # another machine put it in place meanwhile
                whole.replace(self.target)
            _sync(self.target.parent)
        self.remove()
        return Finished(size, virtual, str(sent))

    def _checked(self, checksum: str | None, what: str, look: Look) -> Checksum:
        wanted = _parsed(checksum)
        counted = hasher(USUAL if wanted is None else wanted.algorithm)
        for block in self.blocks(look):
            counted.update(block)
        sent = Checksum(USUAL if wanted is None else wanted.algorithm, counted.hexdigest())
        if wanted is not None and sent != wanted:
            raise TransferError(f"{what} has the checksum {sent} instead of {wanted}")
        return sent

    def _unpack(self, packed: str, target: Path, largest: int | None, look: Look) -> Checksum:
        counted, size = hasher(USUAL), 0
        with target.open("wb") as file:
            for block in _contents(packed, self, look):
                size += len(block)
                if largest is not None and size > largest:
                    raise TransferError(f"unpacked it is more than {largest} bytes, and no more are allowed")
                counted.update(block)
                if block.strip(b"\0"):
                    file.write(block)
                else:
                    file.seek(len(block), os.SEEK_CUR)
            file.truncate(size)
        return Checksum(USUAL, counted.hexdigest())


def found(target: Path, format: str, checksum: str | None, look: Look) -> Finished:
    """A file that is in its place already. Raises TransferError if it is not what it should be."""
    kind = check_kind(target, format, target.name)
    noted = _sent(target)
    if noted is None:
        wanted = _parsed(checksum)
        counted = hasher(USUAL if wanted is None else wanted.algorithm)
        with target.open("rb") as file:
            while block := file.read(BLOCK):
                look()
                counted.update(block)
        noted = Checksum(USUAL if wanted is None else wanted.algorithm, counted.hexdigest())
        if wanted is not None and noted != wanted:
            raise TransferError(f"{target.name} has the checksum {noted} instead of {wanted}")
    return Finished(target.stat().st_size, virtual_size(target, kind), str(noted))


def remove(target: Path) -> None:
    """Remove a file, its note, and what there is of it."""
    Part(target, "").remove()
    for each in (target, note_of(target)):
        each.unlink(missing_ok=True)


def note_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.checksum")


def _sent(target: Path) -> Checksum | None:
    try:
        return parsed(json.loads(note_of(target).read_text())["sent"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _parsed(checksum: str | None) -> Checksum | None:
    if not checksum:
        return None
    try:
        return parsed(checksum)
    except ValueError as error:
        raise TransferError(str(error)) from error


def _contents(packed: str, part: Part, look: Look) -> Iterator[bytes]:
    if packed != "zip":
        yield from unpacked(packed, part.blocks(look))
        return
    try:
        with zipfile.ZipFile(part.path) as archive:
            files = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(files) != 1:
                raise TransferError(f"it is a zip archive of {len(files)} files, not of one")
            with archive.open(files[0]) as file:
                while block := file.read(BLOCK):
                    look()
                    yield block
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise TransferError(f"it cannot be unpacked as zip: {error}") from error


def _write_all(file: int, data: memoryview, at: int) -> None:
    while data:
        written = os.pwrite(file, data, at)
        data, at = data[written:], at + written


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


class _disk:
    """Makes an error of the store one that may pass, or one that a full disk is."""

    def __init__(self, target: Path) -> None:
        self._target = target

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, OSError):
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise TransferError(f"secondary storage is full: {error.strerror}") from error
            raise BrokeOff(f"the store cannot be written to: {error}") from error
