"""What comes packed, unpacked as it is read: gzip, bzip2, xz and zip are known by their first bytes."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from backends.systemvm.secstorage.errors import TransferError

BLOCK = 1 << 20
_PACKINGS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"PK\x03\x04": "zip"}


def packing(first: bytes) -> str | None:
    """How a file that begins with these bytes is packed; None: it is not.

    >>> packing(b"BZh91AY")
    'bzip2'
    """
    return next((name for mark, name in _PACKINGS.items() if first.startswith(mark)), None)


class _Gzip:
    """zlib's object with the interface that those of bz2 and lzma have."""

    def __init__(self) -> None:
        self._object = zlib.decompressobj(wbits=31)
        self._waiting = b""
        self._full = False

    def decompress(self, data: bytes, max_length: int) -> bytes:
        found = self._object.decompress(self._waiting + data, max_length)
        self._waiting = self._object.unconsumed_tail
        self._full = len(found) == max_length
        return found

    @property
    def needs_input(self) -> bool:
        return not self._waiting and not self._full

    @property
    def eof(self) -> bool:
        return self._object.eof

    @property
    def unused_data(self) -> bytes:
        return self._object.unused_data


def _opener(packed: str) -> Any:
    return {"gzip": _Gzip, "bzip2": bz2.BZ2Decompressor, "xz": lzma.LZMADecompressor}[packed]()


def unpacked(packed: str, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """What a gzip, bzip2 or xz stream holds; several streams may follow one another.

    At most BLOCK bytes at a time, however much a few packed ones stand for. Raises TransferError if it is broken.
    """
    opener = _opener(packed)
    try:
        for block in blocks:
            data = block
            while data or not (opener.eof or opener.needs_input):
                if opener.eof:
                    if not data.strip(b"\0"):  # padding
                        break
                    opener = _opener(packed)
                yield opener.decompress(data, BLOCK)
                data = opener.unused_data if opener.eof else b""
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise TransferError(f"it cannot be unpacked as {packed}: {error}") from error
    if not opener.eof:
        raise TransferError(f"it cannot be unpacked as {packed}: the end is missing")
