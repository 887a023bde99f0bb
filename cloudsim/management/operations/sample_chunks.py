"""Series of measurements, one for each of many things, kept for a while: some samples to a row.

A row for each sample would cost as much again as the sample; one row for all of a thing's would be written anew with
each. So they stand in rows of `CHUNK`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, Protocol, TypeVar, cast

from cloudsim.store import Row, Store


class Sample(Protocol):
    """A measurement `at` a time, Unix seconds."""

    @property
    def at(self) -> float: ...


S = TypeVar("S", bound=Sample)

CHUNK = 12
"""Samples of a thing that stand in one row."""


class SampleChunks(Generic[S]):
    """The series in a table whose rows have `begun`, `samples`, and in the field `owner` the id of what was measured.

    Writing needs an open transaction.
    """

    def __init__(self, store: Store, row_type: type[Row], owner: str, uuid: Callable[[], str]) -> None:
        self._table: Any = store.table(row_type)
        self._row_type: Any = row_type
        self._owner = owner
        self._uuid = uuid

    def add(self, owner_id: str, sample: S) -> None:
        """Put a sample at the end of a thing's series."""
        last = self._last(owner_id)
        if last is not None and len(last.samples) < CHUNK:
            self._table.update(last.id, samples=(*last.samples, sample))
        else:
            whose = {self._owner: owner_id}
            self._table.insert(self._row_type(id=self._uuid(), begun=sample.at, samples=(sample,), **whose))

    def of(self, owner_id: str, start: float | None = None, end: float | None = None) -> Iterator[S]:
        """The samples of a thing from `start` to `end` (Unix seconds, both included), the oldest first."""
        for chunk in self._table.where(self._owner, owner_id):
            for sample in chunk.samples:
                if (start is None or sample.at >= start) and (end is None or sample.at <= end):
                    yield sample

    def latest(self, owner_id: str) -> S | None:
        """The last sample of a thing; None before there is one."""
        last = self._last(owner_id)
        return None if last is None else last.samples[-1]

    def _last(self, owner_id: str) -> Any:
        ids = cast("dict[str, None]", self._table.ids(self._owner, owner_id))
        chunk_id = next(reversed(ids), None)
        return None if chunk_id is None else self._table[chunk_id]

    def forget(self, owner_id: str) -> None:
        """Let go of a thing's series."""
        for chunk_id in list(self._table.ids(self._owner, owner_id)):
            self._table.delete(chunk_id)

    def purge(self, oldest: float) -> None:
        """Let go of rows whose samples are all older than that (Unix seconds)."""
        old = []
        for chunk in self._table:  # insertion order is the order of `begun`
            if chunk.begun >= oldest:
                break
            if chunk.samples[-1].at < oldest:
                old.append(chunk.id)
        for chunk_id in old:
            self._table.delete(chunk_id)
