"""What storage pools have promised to volumes, and which has room for one more."""

from __future__ import annotations

from cloudsim.errors import InsufficientCapacity
from cloudsim.management.foundation import Foundation
from cloudsim.management.storage.pool_reach import PoolReach
from cloudsim.model import Cluster, Host, StoragePool, Volume
from cloudsim.store import Change


class NoPool(InsufficientCapacity):
    """No pool that a host reaches has room; `on_cluster`: none that its cluster's other hosts reach has, either."""

    on_cluster = True


class PoolRoom:
    """The room of pools.

    A pool's promised space is the sum of its volumes' sizes, kept from the store's change feed.
    """

    def __init__(self, foundation: Foundation, reach: PoolReach) -> None:
        self._foundation = foundation
        self._reach = reach
        self._volumes = foundation.table(Volume)
        self.promised: dict[str, int] = {}
        """Bytes by pool id."""
        for volume in self._volumes:
            self._count(volume, 1)
        foundation.store.subscribe(self._changed, Volume)

    def _changed(self, changes: list[Change]) -> None:
        for table, before, after in changes:
            if table is self._volumes:
                if before is not None:
                    self._count(before, -1)
                if after is not None:
                    self._count(after, 1)

    def _count(self, volume: Volume, sign: int) -> None:
        if volume.pool_id is not None:
            self.promised[volume.pool_id] = self.promised.get(volume.pool_id, 0) + sign * volume.size

    def choose(
        self, host: Host, size: int, *, tags: tuple[str, ...] = (), local: bool = False, iops: int = 0
    ) -> StoragePool:
        """The pool with most room that can promise `size` bytes and `iops` more. Raises NoPool."""
        settings = self._foundation.settings
        best, best_room = None, -1
        wanted = set(tags)
        for pool in self._reach.pools_for(host):
            if pool.state != "Up" or (pool.scope == "HOST") != local or not wanted <= set(pool.tags):
                continue
            full = settings.number("pool.storage.capacity.disablethreshold", "StoragePool", pool.id)
            if pool.used > full * pool.capacity:
                continue
            if iops and not self.has_iops(pool, iops):
                continue
            factor = settings.number("storage.overprovisioning.factor", "StoragePool", pool.id)
            limit = settings.number(
                "pool.storage.allocated.capacity.disablethreshold", "StoragePool", pool.id
            )
            room = int(pool.capacity * factor * limit) - self.promised.get(pool.id, 0)
            if room >= size and room > best_room:
                best, best_room = pool, room
        if best is None:
            cluster = self._foundation.table(Cluster).get(host.cluster_id)
            where = cluster.name if cluster is not None else host.cluster_id
            failure = NoPool(
                f"No {'local ' if local else ''}storage pool of cluster {where} has {size} bytes left"
                + (f", {iops} IOPS" if iops else "")
                + (f" and tags {', '.join(tags)}" if tags else "")
            )
            failure.on_cluster = not local
            raise failure
        return best

    def has_iops(self, pool: StoragePool, iops: int) -> bool:
        """Whether a pool can promise so many IOPS more; one that does not say how many it has can."""
        most = pool.details.get("capacityiops")
        if not most:
            return True
        return self.promised_iops(pool.id) + iops <= int(most)

    def promised_iops(self, pool_id: str) -> int:
        """The least IOPS that the volumes on a pool are to have, together."""
        return sum(volume.min_iops or 0 for volume in self._volumes.where("pool_id", pool_id))
