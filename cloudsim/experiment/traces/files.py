"""A trace's file, compressed or not, and what can go wrong with it said as a TraceError."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from cloudsim.experiment.errors import TraceError

_GZIP = b"\x1f\x8b"


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


@contextmanager
def opened_text(path: Path) -> Iterator[TextIO]:
    """As `opened`, as text in UTF-8 with its line ends as they are. Raises TraceError also for other bytes."""
    with opened(path) as data, io.TextIOWrapper(data, encoding="utf-8-sig", newline="") as text:
        try:
            yield text
        except UnicodeDecodeError as error:
            raise TraceError(f"{path}: expected text in UTF-8: {error}") from error
