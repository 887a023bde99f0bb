"""Rows of a CSV file as typed values, and errors that say which line and column is wrong."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from cloudsim.experiment.errors import TraceError


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
        return number

    def whole_or(self, column: str, default: int, minimum: int = 0) -> int:
        """As `whole`; `default` where the value is empty or the column is missing."""
        return self.whole(column, minimum) if self.text(column) else default

    def whole_or_none(self, column: str, minimum: int = 0) -> int | None:
        """As `whole`; None where the value is empty."""
        return self.whole(column, minimum) if self.text(column) else None

    def number(self, column: str) -> float:
        """A finite number that is not negative."""
        value = self.text(column)
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not 0 <= number < float("inf"):
            raise self.wrong(column, "a number that is not negative", value)
        return number

    def names(self, column: str) -> tuple[str, ...]:
        """Names separated by `|`; none where the value is empty."""
        value = self.text(column)
        return tuple(part for part in value.split("|") if part) if value else ()


def read_csv(path: Path, needed: Sequence[str], columns: Sequence[str] | None = None) -> Iterator[CsvRow]:
    """The rows of a CSV file (UTF-8, commas), streaming. Lines that begin with # before the header are skipped.

    The first line names the columns, unless `columns` does. TraceError for a file without the `needed` ones,
    or with a line of another length.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            if columns is None:
                columns = next((line for line in reader if line and not line[0].startswith("#")), [])
            missing = [name for name in needed if name not in columns]
            if missing:
                raise TraceError(
                    f"{path}:{max(reader.line_num, 1)}: expected a header with the columns {', '.join(needed)}; "
                    f"missing: {', '.join(missing)}"
                )
            places = {name: index for index, name in enumerate(columns)}
            width = len(columns)
            for values in reader:
                if len(values) != width:
                    if not values:
                        continue
                    raise TraceError(f"{path}:{reader.line_num}: expected {width} columns, got {len(values)}")
                yield CsvRow(path, reader.line_num, places, values)
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise TraceError(f"{path}: not a CSV file in UTF-8: {error}") from error
