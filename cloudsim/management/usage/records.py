"""The records of usage: made when they are due from what was counted, found, and let go of.

A record tells what an account used of one thing in one window (a day, unless `usage.stats.job.aggregation.range` says
otherwise). The records of a window are made in parts, so that nobody waits for all of them; a job that was interrupted
is begun anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.usage.counting import UsageCounting
from cloudsim.management.usage.windows import Windows
from cloudsim.model.usage import UsageAmount, UsageInterval, UsageJob, UsageRecord, Use

HOUR, DAY = 3600.0, 86_400.0
PART = 1000
"""Rows that are written, or let go of, without letting others have a turn."""
_OFF = 300.0
"""Seconds between looks at whether records are wanted, and when."""


class UsageRecords:
    """Makes records when they are due (`run`) or asked for (`generate`)."""

    def __init__(self, foundation: Foundation, counting: UsageCounting, windows: Windows) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._counting = counting
        self._windows = windows
        self._uuid = foundation.randomness.branch("usage records").uuid
        self._intervals = foundation.table(UsageInterval)
        self._amounts = foundation.table(UsageAmount)
        self._records = foundation.table(UsageRecord)
        self._jobs = foundation.table(UsageJob)
        self._turn = asyncio.Lock()
        self.heartbeat: float | None = None
        """Unix seconds at which it was looked last whether records are due; None before that and while that is off."""

    async def run(self) -> None:
        """Make records when they are due, for ever."""
        while True:
            now = self._foundation.now()
            self.heartbeat = now if self._counting.enabled else None
            due = self._windows.due(now)
            await asyncio.sleep(min(due - now, _OFF))
            if self._counting.enabled and self._foundation.now() >= due - 1e-3:
                await self.make(self._windows.start(self._foundation.now()))

    @property
    def last_success(self) -> float | None:
        """Unix seconds at which records were made last; None before that."""
        last = self._last_job()
        return last.finished if last is not None else None

    def _last_job(self) -> UsageJob | None:
        return next(self._jobs.ordered("started", descending=True), None)

    async def generate(self, end: float | None) -> int:
        """Make the records of all that was used until `end` (Unix seconds, by default now), and tell how many.

        What is told by a record is never told again. Raises InvalidParameterValue while usage is not counted.
        """
        if not self._counting.enabled:
            raise InvalidParameterValue("Usage is not counted: enable.usage.server is false")
        now = round(self._foundation.now(), 3)
        return await self.make(now if end is None else min(end, now))

    async def make(self, until: float) -> int:
        """Make the records of all windows that ended by `until`, the last of them cut there."""
        async with self._turn:
            await self._undo_unfinished()
            self._counting.write()
            made = 0
            while (span := self._next(until)) is not None:
                made += await self._make(*span)
            return made

    def _next(self, until: float) -> tuple[float, float] | None:
        """The first span of which there are no records yet, though something was used in it."""
        last = self._last_job()
        told = last.ended if last is not None else 0.0
        begun = min(
            (max(each.started, told) for each in self._intervals if _after(each, told)), default=until
        )
        begun = min((begun, *(max(each.window, told) for each in self._amounts)))
        if begun >= until:
            return None
        start = max(self._windows.start(begun), told)
        return start, min(self._windows.end(begun), until)

    async def _undo_unfinished(self) -> None:
        for job in [each for each in self._jobs if each.state == "Running"]:
            await self._drop(list(self._records.ids("started", job.started)))
            with self._store.transaction():
                self._jobs.delete(job.id)

    async def _make(self, start: float, end: float) -> int:
        with self._store.transaction():
            job = self._jobs.insert(UsageJob(id=self._uuid(), started=start, ended=end))
        hours: dict[Use, float] = {}
        for intervals in _parts(list(self._intervals)):
            for each in intervals:
                seconds = min(end if each.ended is None else each.ended, end) - max(each.started, start)
                if seconds > 0:
                    hours[each.use] = hours.get(each.use, 0.0) + seconds / HOUR
            await asyncio.sleep(0)
        told = [amount for amount in self._amounts if amount.window < end]
        counts: dict[Use, float] = {}
        for amount in told:
            counts[amount.use] = counts.get(amount.use, 0) + amount.amount
        uses = [*hours.items(), *counts.items()]
        for part in _parts(uses):
            with self._store.transaction():
                for use, amount_used in part:
                    self._records.insert(self._record(use, start, end, amount_used))
            await asyncio.sleep(0)
        with self._store.transaction():
            self._counting.settle(told)
            self._jobs.update(
                job.id, state="Succeeded", records=len(uses), finished=round(self._foundation.now(), 3)
            )
        past = [each.id for each in self._intervals if each.ended is not None and each.ended <= end]
        for ids in _parts(past):
            with self._store.transaction():
                for interval_id in ids:
                    self._intervals.delete(interval_id)
            await asyncio.sleep(0)
        return len(uses)

    def _record(self, use: Use, start: float, end: float, amount: float) -> UsageRecord:
        return UsageRecord(
            id=self._uuid(),
            use=use,
            account_id=use.account_id,
            started=start,
            ended=end,
            amount=amount,
        )

    def between(
        self,
        start: float,
        end: float,
        accounts: Iterable[str] | None,
        wanted: Callable[[UsageRecord], bool],
    ) -> list[UsageRecord]:
        """The records of windows that lie between (Unix seconds, both included), the oldest first.

        `accounts`: only theirs, by id; None for everybody's.
        """
        found: list[UsageRecord] = []
        ids = None if accounts is None else tuple(accounts)
        for job in self._jobs.ordered("started"):
            if job.started < start or job.ended - 1 > end or job.state != "Succeeded":
                continue
            if ids is None:
                rows = self._records.where("started", job.started)
            else:
                index = ("account_id", "started")
                rows = [row for each in ids for row in self._records.where(index, (each, job.started))]
            found += filter(wanted, rows)
        return found

    async def remove(self, days: int) -> int:
        """Let go of the records of windows that ended more than so many days ago; returns how many there were."""
        if days < 0:
            raise InvalidParameterValue("Parameter interval must be a number of days from 0")
        async with self._turn:
            oldest = self._foundation.now() - DAY * days
            past = [job for job in self._jobs.ordered("started") if job.ended < oldest]
            removed = 0
            for job in past:
                ids = list(self._records.ids("started", job.started))
                removed += len(ids)
                await self._drop(ids)
            last = self._last_job()
            with self._store.transaction():
                for job in past:
                    if job is not last:  # it says until when records have been made
                        self._jobs.delete(job.id)
            return removed

    async def _drop(self, ids: list[str]) -> None:
        for part in _parts(ids):
            with self._store.transaction():
                for record_id in part:
                    self._records.delete(record_id)
            await asyncio.sleep(0)


def _after(interval: UsageInterval, told: float) -> bool:
    return interval.ended is None or interval.ended > told


def _parts(rows: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(rows)
    while part := list(islice(left, PART)):
        yield part
