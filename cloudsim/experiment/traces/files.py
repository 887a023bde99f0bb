"""A trace's file, compressed or not, and what can go wrong with it said as a TraceError."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO, cast

from cloudsim.experiment.errors import TraceError

_GZIP = b"\x1f\x8b"
_left_out: ContextVar[Mapping[Path, frozenset[int]] | None] = ContextVar("lines not read", default=None)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes; a gzip file's (told by its first bytes, not its name) are decompressed.

    Raises TraceError, here and in what reads on, for a file that is not there, cannot be read or ends too early.
    """
    try:
        with path.open("rb") as plain:
            if plain.peek(2)[:2] == _GZIP:
                with gzip.open(plain) as unpacked:
                    yield cast(BinaryIO, unpacked)
            else:
                yield plain
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise TraceError(f"{path}: not a whole gzip file: {error}") from error


def lines(path: Path) -> Iterator[str]:
    """The file's lines, as text in UTF-8, with their ends. Raises TraceError also for other bytes."""
    left_out = (_left_out.get() or {}).get(path)
    with opened(path) as data, io.TextIOWrapper(data, encoding="utf-8-sig", newline="") as text:
        try:
            if left_out:
                yield from ("\n" if number in left_out else line for number, line in enumerate(text, 1))
            else:
                yield from text
        except UnicodeDecodeError as error:
            raise TraceError(f"{path}: expected text in UTF-8: {error}") from error


@contextmanager
def leaving_out(numbers: Mapping[Path, frozenset[int]]) -> Iterator[None]:
    """Within this, lines of these numbers (from 1) are read as empty ones: to find what is wrong with others."""
    token = _left_out.set(numbers)
    try:
        yield
    finally:
        _left_out.reset(token)
