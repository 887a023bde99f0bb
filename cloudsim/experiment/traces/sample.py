"""The beginning of a file, from which formats tell whether it is one of theirs."""

from __future__ import annotations

import csv
import gzip
import zlib
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from cloudsim.experiment.traces.sheets import first_row

_BYTES = 65_536
LINES = 200


class Sample(NamedTuple):
    """What is known of a file or folder at a glance.

    `name` is the file's name in lower case, without .gz. `columns` are the names of a Parquet file's or a sheet's columns,
    or the values of a text's first line that is no comment (#), split at commas. `lines` are the first lines of a text, `data`
    the first bytes, both after decompression. Of a folder there are the first file's `lines` and `columns`, and no `data`.
    """

    path: Path
    name: str
    folder: bool
    data: bytes
    lines: tuple[str, ...]
    columns: tuple[str, ...]

    def has(self, *columns: str) -> bool:
        """Whether all these columns are there."""
        return set(columns) <= set(self.columns)


def sample(path: Path) -> Sample:
    """Look at the file's beginning. Raises OSError where that cannot be read."""
    if path.is_dir():
        files = sorted(f for f in path.iterdir() if f.is_file() and not f.name.startswith("."))
        first = sample(files[0]) if files else None
        lines, columns = (first.lines, first.columns) if first else ((), ())
        return Sample(path, path.name.lower(), True, b"", lines, columns)
    name = path.name.lower()
    with path.open("rb") as file:
        data = file.read(_BYTES)
    if data.startswith(b"PAR1"):
        return Sample(path, name, False, data, (), _parquet_columns(path))
    if path.suffix.lower() in (".xlsx", ".xls"):
        return Sample(path, name, False, data, (), first_row(path))
    if data.startswith(b"\x1f\x8b"):
        name = name.removesuffix(".gz")
        try:
            with gzip.open(path) as file:
                data = file.read(_BYTES)
        except (OSError, EOFError, zlib.error):
            data = b""
    lines = _lines(data)
    return Sample(path, name, False, data, lines, _first_row(lines))


def _parquet_columns(path: Path) -> tuple[str, ...]:
    try:
        return tuple(pq.read_schema(path).names)
    except pa.ArrowInvalid:
        return ()


def _lines(data: bytes) -> tuple[str, ...]:
    if b"\0" in data:
        return ()
    return tuple(data.decode("utf-8", "replace").splitlines()[:LINES])


def _first_row(lines: tuple[str, ...]) -> tuple[str, ...]:
    for line in lines:
        if line.strip() and not line.startswith("#"):
            return tuple(next(csv.reader([line])))
    return ()
