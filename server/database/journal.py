"""The journal that makes a Store's commits durable in a SQL database.

One thread writes. It takes all that is queued into one SQL transaction (group commit), so that
requests that come together share one fsync, and so that a commit is on disk whole or not at all.
A row changed several times in between is written once.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

import sqlalchemy as sa

from cloudsim.errors import CloudError
from cloudsim.store import Change, Row
from server.database.bulk import delete_rows, insert_rows, update_rows
from server.database.schema import MAPPINGS, RowMapping, commit_table

log = logging.getLogger(__name__)


class JournalBroken(CloudError):
    """The database refused a write: what is in memory since then is not durable and never will be."""


class _Commit(NamedTuple):
    sequence: int
    changes: Sequence[Change]


class _Net:
    """What a batch does to one row: was it in the database before, what is it after, is it new there?"""

    __slots__ = ("existed", "inserted_at", "row")

    def __init__(self, existed: bool) -> None:
        self.existed = existed
        self.row: Row | None = None
        self.inserted_at: int | None = None


class DatabaseJournal:
    """A `cloudsim.store.Journal` over a database that `open_database` opened.

    `record` and `durable` belong to the loop's thread, the only one that touches the Store. When a
    write fails, every `durable()` from then on, those waiting included, raises JournalBroken, nothing
    more is written, and `on_failure(error)` is called once, from the writing thread: it should
    have the server stop. `commits` and `sql_commits` count what was made durable, `statements` what the database was
    told since it was `opened` (Unix seconds), for metrics.
    """

    def __init__(
        self, engine: sa.Engine, *, on_failure: Callable[[JournalBroken], None] | None = None
    ) -> None:
        self.commits = 0
        self.sql_commits = 0
        self.statements = 0
        self.opened = time.time()
        self._engine = engine
        self._on_failure = on_failure
        self._queue: SimpleQueue[_Commit | None] = SimpleQueue()
        self._durable = 0  # the Store's sequence up to which all is on disk
        self._failure: str | None = None
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiters: list[tuple[int, int, asyncio.Future[None]]] = []  # a heap by sequence
        self._asked = 0
        with engine.connect() as connection:
            last = connection.execute(sa.select(commit_table.c.sequence, commit_table.c.position)).one()
        self._base, self._position = last  # commits of earlier runs, and the next free position
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        sa.event.listen(engine, "before_cursor_execute", self._count)
        self._thread.start()

    def _count(self, *_: Any) -> None:
        self.statements += 1

    @property
    def engine(self) -> sa.Engine:
        """What it writes through; for metrics."""
        return self._engine

    def record(self, sequence: int, changes: Sequence[Change]) -> None:
        """Queue a commit for writing; never waits.

        Raises InvalidParameterValue for a value that no database column holds (see
        `RowMapping.check`), upon which the Store undoes the transaction.
        """
        if self._closed:
            raise RuntimeError("the journal is closed")
        for table, _, after in changes:
            if after is not None:
                MAPPINGS[table.row_type].check(after)
        if self._failure is None:  # a broken journal writes nothing, so keeps nothing either
            self._queue.put(_Commit(sequence, changes))

    async def durable(self, sequence: int) -> None:
        """Return once commit `sequence` is on disk. Raises JournalBroken if it can't be known to be."""
        # The writer publishes its progress first and reads `_loop` second; here it is the other way
        # round, so a waiter either sees the progress or is seen by the writer.
        self._loop = asyncio.get_running_loop()
        if self._failure is not None:
            raise JournalBroken(self._failure)
        if sequence <= self._durable:
            return
        future = self._loop.create_future()
        self._asked += 1
        heapq.heappush(self._waiters, (sequence, self._asked, future))
        await future

    def close(self) -> None:
        """Write what is queued and end the thread. Blocks; a second call does nothing.

        Raises JournalBroken if something recorded could not be written.
        """
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()
        if self._failure is not None:
            raise JournalBroken(self._failure)

    # The loop's thread.

    def _settle(self) -> None:
        """Answer the waiters whose commits are durable, or all of them if the journal broke."""
        waiters = self._waiters
        while waiters and (self._failure is not None or waiters[0][0] <= self._durable):
            future = heapq.heappop(waiters)[2]
            if future.done():  # its task was cancelled
                continue
            if self._failure is not None:
                future.set_exception(JournalBroken(self._failure))
            else:
                future.set_result(None)

    # The writing thread.

    def _run(self) -> None:
        open_ = True
        while open_:
            batch = [self._queue.get()]
            try:
                while True:
                    batch.append(self._queue.get_nowait())
            except Empty:
                pass
            if batch[-1] is None:  # nothing is recorded after close()
                batch.pop()
                open_ = False
            commits = [commit for commit in batch if commit is not None]
            if not commits:
                continue
            try:
                self._write(commits)
            except Exception as error:
                # No second try: after a failed write or fsync nobody knows what the disk holds.
                log.exception("the journal cannot write")
                self._failure = f"the database cannot be written: {error}"
                self._wake()
                if self._on_failure is not None:
                    self._on_failure(JournalBroken(self._failure))
                return
            self._durable = commits[-1].sequence
            self._wake()

    def _wake(self) -> None:
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self._settle)
            except RuntimeError:  # the loop was closed: nobody waits
                log.debug("the journal's loop is closed")

    def _write(self, commits: Sequence[_Commit]) -> None:
        position = self._position
        net: dict[RowMapping[Any], dict[str, _Net]] = {}
        for commit in commits:
            for table, before, after in commit.changes:
                rows = net.setdefault(MAPPINGS[table.row_type], {})
                row_id = after.id if before is None else before.id
                entry = rows.get(row_id)
                if entry is None:
                    entry = rows[row_id] = _Net(existed=before is not None)
                entry.row = after
                if before is None:
                    entry.inserted_at = position
                    position += 1
                elif after is None:
                    entry.inserted_at = None
        done = self._base + commits[-1].sequence
        with self._engine.begin() as connection:
            for mapping, entries in net.items():
                _write_table(connection, mapping, entries)
            connection.execute(sa.update(commit_table).values(sequence=done, position=position))
        self._position = position
        self.commits += len(commits)
        self.sql_commits += 1


def _write_table(connection: sa.Connection, mapping: RowMapping[Any], entries: dict[str, _Net]) -> None:
    """Bring one table from before a batch to after it."""
    deletes: list[str] = []
    updates: list[Sequence[Any]] = []
    inserts: list[Sequence[Any]] = []
    for row_id, entry in entries.items():
        inserted = entry.row is not None and entry.inserted_at is not None
        if entry.existed and (entry.row is None or inserted):
            deletes.append(row_id)
        if inserted:
            inserts.append((*mapping.values(entry.row), entry.inserted_at))
        elif entry.row is not None:
            updates.append(mapping.values(entry.row))
    if deletes:
        delete_rows(connection, mapping, deletes)
    if updates:
        update_rows(connection, mapping, updates)
    if inserts:
        insert_rows(connection, mapping, inserts)
