"""Rows that say when something is to be done with them: the clock of schedules and policies."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from cloudsim.management.foundation import Foundation
from cloudsim.store import Change, Row

R = TypeVar("R", bound=Row)


class DueRows(Generic[R]):
    """The rows of a table in the order in which they are due. `due` says when one is: a time, or None for never.

    What is due is found without a look at the rows that are not, however many there are.
    """

    def __init__(
        self, foundation: Foundation, row_type: type[R], due: Callable[[R], float | None]
    ) -> None:
        self._foundation = foundation
        self._table = foundation.table(row_type)
        self._due_of = due
        self._changed = asyncio.Event()
        self._heap: list[tuple[float, str]] = []  # also of what has changed since, or is gone
        for row in self._table:
            self._note(row)
        foundation.store.subscribe(self._hear, row_type)

    def _hear(self, changes: list[Change]) -> None:
        for _, before, after in changes:
            if after is not None and (before is None or self._due_of(before) != self._due_of(after)):
                self._note(after)
                self._changed.set()

    def _note(self, row: R) -> None:
        due = self._due_of(row)
        if due is not None:
            heapq.heappush(self._heap, (due, row.id))

    def _first(self) -> float | None:
        while self._heap:
            due, row_id = self._heap[0]
            row = self._table.get(row_id)
            if row is not None and self._due_of(row) == due:
                return due
            heapq.heappop(self._heap)
        return None

    async def wait(self) -> None:
        """Return when one is due."""
        while True:
            self._changed.clear()
            due = self._first()
            left = None if due is None else due - self._foundation.now()
            if left is not None and left <= 0:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), left)

    def take(self) -> Iterator[tuple[float, R]]:
        """When each of those that are due by now was due, and its row: each once for each time that it is due at."""
        now = self._foundation.now()
        while (due := self._first()) is not None and due <= now:
            _, row_id = heapq.heappop(self._heap)
            yield due, self._table[row_id]
