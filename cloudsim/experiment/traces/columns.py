"""Columns of a Parquet file, checked as a whole, and errors that say which row and column is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cloudsim.experiment.errors import TraceError

BATCH = 65_536


class Columns:
    """Some rows of a Parquet file, `first` being the number of the first one (from 1)."""

    def __init__(self, path: Path, table: pa.Table | pa.RecordBatch, first: int = 1) -> None:
        self._path = path
        self._table = table
        self._first = first

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __contains__(self, name: str) -> bool:
        return name in self._table.schema.names

    def wrong(self, index: int, name: str, expected: str, value: object) -> TraceError:
        return TraceError(
            f"{self._path}: row {self._first + index}: {name}: expected {expected}, got {value!r}"
        )

    def _checked(self, name: str, expected: str, valid: Callable[[Any], Any], optional: bool) -> list[Any]:
        column = self._table.column(name)
        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks()
        if not optional and column.null_count:
            raise self.wrong(pc.index(column.is_null(), True).as_py(), name, expected, None)
        good = valid(column)
        if good is not None:
            place = pc.index(good, False).as_py()
            if place >= 0:
                raise self.wrong(place, name, expected, column[place].as_py())
        values: list[Any] = column.to_pylist()
        return values

    def whole(self, name: str, minimum: int = 0, *, optional: bool = False) -> list[Any]:
        """Integers of at least `minimum`; None only where `optional`."""
        kind = self._table.schema.field(name).type
        if pa.types.is_null(kind) and optional:
            return [None] * len(self)
        if not pa.types.is_integer(kind):
            raise TraceError(f"{self._path}: {name}: expected a column of whole numbers, got {kind}")
        expected = f"a whole number of at least {minimum}"
        return self._checked(name, expected, lambda c: pc.greater_equal(c, minimum), optional)

    def number(self, name: str) -> list[float]:
        """Finite numbers that are not negative."""
        kind = self._table.schema.field(name).type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise TraceError(f"{self._path}: {name}: expected a column of numbers, got {kind}")

        def valid(column: Any) -> Any:
            numbers = column.cast(pa.float64())
            return pc.and_(pc.greater_equal(numbers, 0.0), pc.less(numbers, float("inf")))

        return self._checked(name, "a number that is not negative", valid, False)

    def text(self, name: str) -> list[str]:
        """Strings, not empty; integers are written out."""
        kind = self._table.schema.field(name).type
        if pa.types.is_integer(kind):
            return [str(value) for value in self._checked(name, "a name", lambda c: None, False)]
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise TraceError(f"{self._path}: {name}: expected a column of strings, got {kind}")
        return self._checked(name, "a name", lambda c: pc.not_equal(c, ""), False)

    def names(self, name: str) -> list[tuple[str, ...]]:
        """Names separated by `|` in each value; none where it is empty or null."""
        kind = self._table.schema.field(name).type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
            raise TraceError(f"{self._path}: {name}: expected a column of strings, got {kind}")
        values = self._table.column(name).to_pylist()
        return [tuple(part for part in (value or "").split("|") if part) for value in values]

    def timestamp_ms(self, name: str) -> list[int]:
        """Points in time as milliseconds since 1970."""
        kind = self._table.schema.field(name).type
        if not pa.types.is_timestamp(kind):
            raise TraceError(f"{self._path}: {name}: expected a column of timestamps, got {kind}")
        column = self._table.column(name).cast(pa.timestamp("ms", tz=kind.tz)).cast(pa.int64())
        return Columns(self._path, pa.table({name: column}), self._first).whole(name)


def read_parquet(path: Path, needed: Sequence[str], optional: Sequence[str] = ()) -> Iterator[Columns]:
    """The file in batches of rows, with the columns `needed` and those of `optional` that it has."""
    try:
        with pq.ParquetFile(path) as file:
            have = file.schema_arrow.names
            missing = [name for name in needed if name not in have]
            if missing:
                raise TraceError(
                    f"{path}: expected the columns {', '.join(needed)}; missing: {', '.join(missing)}"
                )
            wanted = [*needed, *(name for name in optional if name in have)]
            first = 1
            for batch in file.iter_batches(BATCH, columns=wanted):
                yield Columns(path, batch, first)
                first += batch.num_rows
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror or error}") from error
    except pa.ArrowInvalid as error:
        raise TraceError(f"{path}: not a Parquet file: {error}") from error
