"""How many snapshots a host takes at one time: the others wait for their turn, in the order in which they came."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cloudsim.management.operations.settings import Settings

THRESHOLD = "concurrent.snapshots.threshold.perhost"


class SnapshotTurns:
    """`of(host)` is a turn on that host, as long as the block lasts. A changed setting counts from the next turn on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._taking: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[asyncio.Future[None]]] = defaultdict(deque)

    @asynccontextmanager
    async def of(self, host_id: str) -> AsyncIterator[None]:
        """Wait for a turn on the host, and give it back at the end."""
        if self._waiting[host_id] or not self._free(host_id):
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting[host_id].append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._give_back(host_id)
                raise
        else:
            self._taking[host_id] += 1
        try:
            yield
        finally:
            self._give_back(host_id)

    def _free(self, host_id: str) -> bool:
        most = self._settings.get(THRESHOLD)
        return not most or self._taking[host_id] < int(most)

    def _give_back(self, host_id: str) -> None:
        self._taking[host_id] -= 1
        waiting = self._waiting[host_id]
        while waiting and self._free(host_id):
            turn = waiting.popleft()
            if not turn.done():
                self._taking[host_id] += 1
                turn.set_result(None)
        if not waiting:
            del self._waiting[host_id]
        if not self._taking[host_id]:
            del self._taking[host_id]
