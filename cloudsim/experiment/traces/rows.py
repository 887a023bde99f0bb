"""Rows of a CSV file as typed values, and errors that say which line and column is wrong."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.traces import files

LARGEST = 1 << 53
"""No number in a trace is larger: a double is exact up to there, and sums of two still fit 64 bits."""



class CsvRow:
    """One line: its values by column name. Every reading method raises TraceError for a value that is not such."""

    __slots__ = ("_columns", "_path", "_values", "line")

    def __init__(self, path: Path, line: int, columns: dict[str, int], values: Sequence[str]) -> None:
        self._path = path
        self.line = line
        self._columns = columns
        self._values = values

    def wrong(self, column: str, expected: str, value: object) -> TraceError:
        return TraceError(f"{self._path}:{self.line}: {column}: expected {expected}, got {value!r}")

    def has(self, column: str) -> bool:
        """Whether the file has that column."""
        return column in self._columns

    def text(self, column: str) -> str:
        """The value as it stands; empty where the file has no such column."""
        index = self._columns.get(column)
        return "" if index is None else self._values[index]

    def name(self, column: str) -> str:
        """A value that may not be empty."""
        value = self.text(column)
        if not value:
            raise self.wrong(column, "a name", value)
        return value

    def whole(self, column: str, minimum: int = 0) -> int:
        """An integer of at least `minimum`."""
        value = self.text(column)
        try:
            number = int(value)
        except ValueError:
            raise self.wrong(column, "a whole number", value) from None
        if number < minimum:
            raise self.wrong(column, f"at least {minimum}", value)
        if number > LARGEST:
            raise self.wrong(column, f"at most {LARGEST}", value)
        return number

    def whole_or(self, column: str, default: int, minimum: int = 0) -> int:
        """As `whole`; `default` where the value is empty or the column is missing."""
        return self.whole(column, minimum) if self.text(column) else default

    def whole_or_none(self, column: str, minimum: int = 0) -> int | None:
        """As `whole`; None where the value is empty."""
        return self.whole(column, minimum) if self.text(column) else None

    def wholes(self, column: str, minimum: int = 0) -> Iterator[int]:
        """Integers of at least `minimum`, separated by `|`; none where the value is empty."""
        for part in self.names(column):
            yield CsvRow(self._path, self.line, {column: 0}, [part]).whole(column, minimum)

    def number(self, column: str) -> float:
        """A number from 0 to LARGEST."""
        value = self.text(column)
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not 0 <= number <= LARGEST:
            raise self.wrong(column, f"a number from 0 to {LARGEST}", value)
        return number

    def names(self, column: str) -> tuple[str, ...]:
        """Names separated by `|`; none where the value is empty."""
        value = self.text(column)
        return tuple(part for part in value.split("|") if part) if value else ()


class HeaderError(TraceError):
    """What a file begins with is wrong, so that no row of it can be understood."""


class Header(NamedTuple):
    """What comes before a CSV file's rows: its columns' names, and how many lines all that takes."""

    columns: tuple[str, ...]
    lines: int


def read_header(path: Path, lines: Iterator[str], needed: Sequence[str], delimiter: str = ",") -> Header:
    """Read up to the first row. Empty lines, and those that begin with #, go before the line with the columns' names,
    which may have spaces around them.

    Raises HeaderError for a file without the `needed` columns, or with two of one name.
    """
    count = 0
    columns: tuple[str, ...] = ()
    for line in lines:
        count += 1
        if line.strip() and not line.startswith("#"):
            columns = tuple(name.strip() for name in next(csv.reader([line], delimiter=delimiter)))
            break
    missing = [name for name in needed if name not in columns]
    if missing:
        raise HeaderError(
            f"{path}:{max(count, 1)}: expected a header with the columns {', '.join(needed)}; "
            f"missing: {', '.join(missing)}"
        )
    twice = [name for name in columns if columns.count(name) > 1]
    if twice:
        raise HeaderError(f"{path}:{count}: expected each column only once, got {twice[0]!r} twice")
    return Header(columns, count)


def read_csv(
    path: Path, needed: Sequence[str], columns: Sequence[str] | None = None, delimiter: str = ","
) -> Iterator[CsvRow]:
    """The rows of a CSV file (UTF-8, may be gzipped), streaming; see `read_header` for what comes before them.

    A file without a header has the `columns` given. TraceError also for a line of another length.
    """
    lines = files.lines(path)
    if columns is None:
        header = read_header(path, lines, needed, delimiter)
    else:
        header = Header(tuple(columns), 0)
    places = {name: index for index, name in enumerate(header.columns)}
    width = len(header.columns)
    reader = csv.reader(lines, strict=True, delimiter=delimiter)
    try:
        for values in reader:
            if len(values) != width:
                if not values:
                    continue
                line = header.lines + reader.line_num
                raise TraceError(f"{path}:{line}: expected {width} columns, got {len(values)}")
            yield CsvRow(path, header.lines + reader.line_num, places, values)
    except csv.Error as error:
        raise TraceError(f"{path}:{header.lines + reader.line_num}: not CSV: {error}") from error
