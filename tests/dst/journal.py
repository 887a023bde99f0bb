"""A database in memory, as treacherous as a real one: what it was given a moment ago does not survive a crash."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence

import msgspec

from cloudsim.store import Change, Row

FLUSH = 0.004
"""Seconds from a commit to its being durable."""


class MemoryJournal:
    """Implements `cloudsim.store.Journal`. `rows` is what a new manager would load, `digest` of all that led there."""

    def __init__(self, loop: asyncio.AbstractEventLoop, earlier: MemoryJournal | None = None) -> None:
        self.rows: dict[tuple[str, str], Row] = {} if earlier is None else earlier.rows
        self._hash = hashlib.sha256() if earlier is None else earlier._hash
        self._loop = loop
        self._pending: list[tuple[int, Sequence[Change]]] = []
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self._flushed = 0
        self._dead = False
        self.hasty = False
        """While it is true nobody waits: for who looks on from outside, at one instant."""
        self._encoder = msgspec.json.Encoder()

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def record(self, sequence: int, changes: Sequence[Change]) -> None:
        if self._dead:
            return
        if not self._pending:
            self._loop.call_later(FLUSH, self._flush)
        self._pending.append((sequence, changes))

    async def durable(self, sequence: int) -> None:
        if self.hasty:
            return
        if self._dead or self._flushed < sequence:
            waiter = self._loop.create_future()
            self._waiters.append((sequence, waiter))
            await waiter

    def die(self) -> None:
        """From now on nothing is kept, and what is not durable yet is lost."""
        self._dead = True

    def _flush(self) -> None:
        if self._dead:
            return
        for sequence, changes in self._pending:
            self._hash.update(f"{sequence} {self._loop.time()!r}".encode())
            for table, before, after in changes:
                if after is None:
                    del self.rows[table.name, before.id]
                    self._hash.update(before.id.encode())
                else:
                    self.rows[table.name, after.id] = after
                    self._hash.update(self._encoder.encode(after))
            self._flushed = sequence
        self._pending.clear()
        waiting, self._waiters = self._waiters, []
        for wanted, waiter in waiting:
            if wanted > self._flushed:
                self._waiters.append((wanted, waiter))
            elif not waiter.done():
                waiter.set_result(None)
