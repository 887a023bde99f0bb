"""What is done again and again by the clock: rows that say when they are due next, and what they have made so far."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from cloudsim.errors import CloudError
from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.due_rows import DueRows
from cloudsim.management.operations.schedule_times import next_run
from cloudsim.model import Backup, BackupSchedule, Snapshot, SnapshotPolicy, VmSchedule
from cloudsim.store import Table

log = logging.getLogger(__name__)

S = TypeVar("S", BackupSchedule, SnapshotPolicy, VmSchedule)
M = TypeVar("M", Backup, Snapshot)


def next_of(row: BackupSchedule | SnapshotPolicy, after: float) -> float:
    """When a schedule of an interval is due next after that time, both in Unix seconds."""
    return next_run(row.interval, row.schedule, row.timezone, after)


class Recurring(Generic[S]):
    """The clock of schedules. `following(row, after)` says when one is due next; `enabled`, whether it is due at all.

    What was due while the server was down is due once when it is back.
    """

    def __init__(
        self,
        foundation: Foundation,
        row_type: type[S],
        following: Callable[[S, float], float | None],
        enabled: Callable[[S], bool] = lambda row: True,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table: Table[S] = foundation.table(row_type)
        self._following: Callable[[S, float], float | None] = following
        self._due: DueRows[S] = DueRows(foundation, row_type, lambda row: row.next_run if enabled(row) else None)

    async def wait(self) -> None:
        """Return when one is due."""
        await self._due.wait()

    def run_due(self, do: Callable[[S, float], object]) -> None:
        """Call `do` with each row that is due now, and with when it was, in the transaction that says when it is next."""
        now = self._foundation.now()
        for due, row in self._due.take():
            with self._store.transaction():
                do(self._table.update(row.id, next_run=self._following(row, now)), due)

    async def run(self, do: Callable[[S, float], object]) -> None:
        """For ever: wait until one is due, and `run_due`."""
        while True:
            await self.wait()
            self.run_due(do)


async def keep_newest(made: Sequence[M], most: int, delete: Callable[[str], Awaitable[object]]) -> None:
    """Delete the oldest beyond so many, by their ids. What cannot be deleted now is deleted after the next one is made."""
    oldest_first = sorted(made, key=lambda each: each.created)
    for each in oldest_first[: max(0, len(made) - most)]:
        try:
            await delete(each.id)
        except CloudError as error:
            log.warning("%s is kept for now: %s", each.name, error.text)
