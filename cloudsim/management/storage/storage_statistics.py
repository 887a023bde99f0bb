"""How full storage really is: pools as a host of theirs finds them, image stores as what was put there adds up.

Asked for every `storage.stats.interval`; between two rounds the rows say what was found last. Nobody is told of what
has not changed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from cloudsim.errors import CloudError
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.storage.primary_storage import PrimaryStorage
from cloudsim.model import ImageStore, Snapshot, StoragePool, TemplateOnStore, VolumeOnStore
from cloudsim.protocol.commands import PoolStatisticsAnswer, PoolStatisticsCommand

INTERVAL = "storage.stats.interval"
_OFF = 300.0
"""Seconds between looks at whether measurements are wanted again."""


class StorageStatistics:
    """`measure` is one round; `run` makes them."""

    def __init__(self, foundation: Foundation, agents: Agents, primary_storage: PrimaryStorage) -> None:
        self._foundation = foundation
        self._settings = foundation.settings
        self._store = foundation.store
        self._agents = agents
        self._primary_storage = primary_storage
        self._pools = foundation.table(StoragePool)
        self._image_stores = foundation.table(ImageStore)

    async def run(self) -> None:
        """Measure when it is due, for ever."""
        while True:
            interval = self._settings.number(INTERVAL) / 1000
            await asyncio.sleep(interval or _OFF)
            if interval:
                await self.measure()

    async def measure(self) -> None:
        """Ask of every pool that is in use, and add up what image stores hold."""
        self._add_up()
        await asyncio.gather(*(self._measure(pool) for pool in self._pools if pool.state in ("Up", "Disabled")))

    async def _measure(self, pool: StoragePool) -> None:
        hosts = self._primary_storage.connected_hosts(pool)
        if not hosts:
            return
        try:
            answer = await self._agents.send(hosts[0].id, PoolStatisticsCommand(pool_id=pool.id))
        except CloudError:
            return  # the next round may find another host
        found = answer.statistics if isinstance(answer, PoolStatisticsAnswer) and answer.ok else None
        now = self._pools.get(pool.id)
        if found is None or now is None or now.used == found.used:
            return
        with self._store.transaction():
            self._pools.update(pool.id, used=found.used)

    def _add_up(self) -> None:
        used: Counter[str] = Counter()
        rows: list[tuple[type[Any], str]] = [(TemplateOnStore, "size"), (VolumeOnStore, "physical_size")]
        for row_type, size in rows:
            for row in self._foundation.table(row_type):
                used[row.store_id] += getattr(row, size)
        for snapshot in self._foundation.table(Snapshot):
            if snapshot.store_id is not None and snapshot.state == "BackedUp":
                used[snapshot.store_id] += snapshot.physical_size
        with self._store.transaction():
            for store in list(self._image_stores):
                if store.used != used[store.id]:
                    self._image_stores.update(store.id, used=used[store.id])
