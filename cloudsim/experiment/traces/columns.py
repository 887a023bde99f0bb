"""Columns of a Parquet or CSV file, checked as a whole, and errors that say which row and column is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cloudsim.experiment.blocks import ENDLESS, Ints
from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.traces.rows import LARGEST

BATCH = 65_536


class Columns:
    """Some rows of a file, `first` being the number of the first one (from 1)."""

    def __init__(self, path: Path, table: pa.Table | pa.RecordBatch, first: int = 1) -> None:
        self._path = path
        self._table = table
        self.first = first

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def has(self, name: str) -> bool:
        """Whether the file has that column."""
        return name in self._table.schema.names

    def wrong(self, index: int, name: str, expected: str, value: object) -> TraceError:
        return TraceError(
            f"{self._path}: row {self.first + index}: {name}: expected {expected}, got {value!r}"
        )

    def _column(self, name: str) -> Any:
        column = self._table.column(name)
        return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column

    def _checked(self, name: str, expected: str, valid: Callable[[Any], Any], optional: bool) -> Any:
        column = self._column(name)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if not optional and column.null_count:
            raise self.wrong(pc.index(column.is_null(), True).as_py(), name, expected, None)
        good = valid(column)
        if good is not None:
            place = pc.index(good, False).as_py()
            if place >= 0:
                raise self.wrong(place, name, expected, column[place].as_py())
        return column

    def integers(self, name: str, minimum: int = 0, maximum: int = LARGEST, *, optional: bool = False) -> Ints:
        """Whole numbers from `minimum` to `maximum`; where `optional`, ENDLESS stands for those that are missing."""
        kind = self._table.schema.field(name).type
        if pa.types.is_null(kind) and optional:
            return np.full(len(self), ENDLESS, np.int64)
        if not pa.types.is_integer(kind):
            raise TraceError(f"{self._path}: {name}: expected a column of whole numbers, got {kind}")
        upper = f" and at most {maximum}" if maximum < LARGEST else ""
        expected = f"a whole number of at least {minimum}{upper}"

        def valid(column: Any) -> Any:
            return pc.and_(pc.greater_equal(column, minimum), pc.less_equal(column, maximum))

        column = self._checked(name, expected, valid, optional).cast(pa.int64())
        if column.null_count:
            column = column.fill_null(ENDLESS)
        numbers: Ints = column.to_numpy(zero_copy_only=False)
        return numbers

    def whole(self, name: str, minimum: int = 0) -> list[int]:
        """As `integers`, as a list."""
        numbers: list[int] = self.integers(name, minimum).tolist()
        return numbers

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Numbers from 0 to LARGEST."""
        kind = self._table.schema.field(name).type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise TraceError(f"{self._path}: {name}: expected a column of numbers, got {kind}")

        def valid(column: Any) -> Any:
            numbers = column.cast(pa.float64(), safe=False)
            return pc.and_(pc.greater_equal(numbers, 0.0), pc.less_equal(numbers, float(LARGEST)))

        column = self._checked(name, f"a number from 0 to {LARGEST}", valid, False)
        values: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return values

    def number(self, name: str) -> list[float]:
        """As `numbers`, as a list."""
        values: list[float] = self.numbers(name).tolist()
        return values

    def text(self, name: str) -> list[str]:
        """Strings, not empty; integers are written out."""
        kind = self._table.schema.field(name).type
        if pa.types.is_integer(kind):
            return [str(value) for value in self._checked(name, "a name", lambda c: None, False).to_pylist()]
        self._need_strings(name)
        texts: list[str] = self._checked(name, "a name", lambda c: pc.not_equal(c, ""), False).to_pylist()
        return texts

    def labels(self, name: str) -> tuple[Ints, list[str]]:
        """Strings as numbers, and the strings that these stand for; null is the empty string."""
        self._need_strings(name)
        column = self._column(name)
        if pa.types.is_null(column.type):
            return np.zeros(len(self), np.int64), [""]
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        values = column.dictionary.to_pylist()
        indices = column.indices
        if indices.null_count:
            indices = indices.fill_null(len(values))
            values.append("")
        codes: Ints = indices.to_numpy(zero_copy_only=False).astype(np.int64)
        return codes, values

    def names(self, name: str) -> list[tuple[str, ...]]:
        """Names separated by `|` in each value; none where it is empty or null. An empty list where all are."""
        codes, texts = self.labels(name)
        lists = [split_names(text) for text in texts]
        return [lists[code] for code in codes.tolist()] if any(lists) else []

    def _need_strings(self, name: str) -> None:
        kind = self._table.schema.field(name).type
        values = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not (pa.types.is_string(values) or pa.types.is_large_string(values) or pa.types.is_null(values)):
            raise TraceError(f"{self._path}: {name}: expected a column of strings, got {kind}")

    def timestamp_ms(self, name: str) -> list[int]:
        """Points in time as milliseconds since 1970."""
        kind = self._table.schema.field(name).type
        if not pa.types.is_timestamp(kind):
            raise TraceError(f"{self._path}: {name}: expected a column of timestamps, got {kind}")
        column = self._table.column(name).cast(pa.timestamp("ms", tz=kind.tz)).cast(pa.int64())
        return Columns(self._path, pa.table({name: column}), self.first).whole(name)


def split_names(text: str) -> tuple[str, ...]:
    """Names separated by `|`; an empty one is none."""
    return tuple(part for part in text.split("|") if part)


def read_parquet(
    path: Path,
    needed: Sequence[str],
    optional: Sequence[str] = (),
    *,
    repeating: Sequence[str] = (),
    unread: Sequence[str] = (),
) -> Iterator[Columns]:
    """The file in batches of rows, with the columns `needed` and those of `optional` that it has.

    Those `repeating` have few different texts, and are read faster if that is known. Those `unread` must be there, and that is
    all.
    """
    try:
        have = pq.read_schema(path).names
        missing = [name for name in needed if name not in have]
        if missing:
            raise TraceError(
                f"{path}: expected the columns {', '.join(needed)}; missing: {', '.join(missing)}"
            )
        wanted = [name for name in (*needed, *optional) if name in have and name not in unread]
        with pq.ParquetFile(path, read_dictionary=[name for name in repeating if name in have]) as file:
            first = 1
            for batch in file.iter_batches(BATCH, columns=wanted):
                yield Columns(path, batch, first)
                first += batch.num_rows
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror or error}") from error
    except pa.ArrowInvalid as error:
        raise TraceError(f"{path}: not a Parquet file: {error}") from error
