"""CSV files of millions of rows as columns, at tens of millions of values a second of CPU.

Only for plain files, in which no value is quoted: in the columns that it is asked for it takes what `rows.read_csv` takes, and
nothing that that would refuse. At anything else it raises NotPlain, whereupon its caller goes over to
`read_csv`, which knows what to say. Columns that nobody asked for are not looked at.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv as pc

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.traces.columns import Columns
from cloudsim.experiment.traces.files import opened
from cloudsim.experiment.traces.rows import read_header

_BLOCK_BYTES = 2 << 20


class NotPlain(ValueError):
    """The fast reader cannot say what this file holds, or whether something is wrong with it."""


def read_plain_csv(
    path: Path, columns: Mapping[str, pa.DataType], needed: Sequence[str], delimiter: str = ","
) -> Iterator[Columns]:
    """The file's rows in batches, with those of `columns` that it has. Raises NotPlain, also without the `needed` ones."""
    try:
        with opened(path) as file:
            header = _header(path, file, needed, delimiter)
            wanted = [name for name in header if name in columns]
            first = 1
            for batch in _batches(_Plain(file), header, wanted, columns, delimiter):
                yield Columns(path, batch, first)
                first += batch.num_rows
    except (TraceError, pa.ArrowException, UnicodeDecodeError) as error:
        raise NotPlain(str(error)) from error


def _header(path: Path, file: BinaryIO, needed: Sequence[str], delimiter: str) -> list[str]:
    lines: list[bytes] = []
    while not lines or not lines[-1].strip() or lines[-1].startswith(b"#"):
        line = file.readline()
        if b"\r" in line.rstrip(b"\r\n"):
            raise NotPlain("there is a line end that is none everywhere")
        if not line:
            break
        lines.append(line)
    text = io.StringIO(b"".join(lines).decode("utf-8-sig"), newline="")
    return list(read_header(path, text, needed, delimiter).columns)


def _batches(
    file: _Plain, names: list[str], wanted: list[str], types: Mapping[str, pa.DataType], delimiter: str
) -> Iterator[pa.RecordBatch]:
    try:
        reader = pc.open_csv(
            pa.PythonFile(file, mode="r"),
            read_options=pc.ReadOptions(column_names=names, block_size=_BLOCK_BYTES, use_threads=False),
            parse_options=pc.ParseOptions(delimiter=delimiter, quote_char=False),
            convert_options=pc.ConvertOptions(
                column_types={name: types[name] for name in wanted},
                include_columns=wanted,
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return
        raise
    with reader:
        yield from reader


class _Plain(io.RawIOBase):
    """A file that refuses to give what Arrow and Python's csv take differently: quotes, and numbers such as 0x10."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._last = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        seen = self._last + data
        for mark in (b'"', b"0x", b"0X", b"\0"):
            if mark in seen:
                raise NotPlain(f"there is {mark!r} in it")
        self._last = data[-1:]
        return data
