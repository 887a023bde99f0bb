"""Which storage pools a host reaches, and which hosts reach a pool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cloudsim.errors import ResourceUnavailable
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.infrastructure.hypervisor_types import EXTERNAL
from cloudsim.model import Host, StoragePool, VirtualMachine, Volume

EXCLUDED = "cluster.storage.operations.exclude"


class PoolReach:
    """Hosts and pools of one cloud, by scope: a pool is a host's own, its cluster's or its zone's."""

    def __init__(self, foundation: Foundation, agents: Agents) -> None:
        self._agents = agents
        self._settings = foundation.settings
        self._hosts = foundation.table(Host)
        self._pools = foundation.table(StoragePool)
        self._volumes = foundation.table(Volume)

    def pools_for(self, host: Host) -> list[StoragePool]:
        """The pools that the host reaches: its own, its cluster's, its zone's."""
        return [
            *self._pools.where("host_id", host.id),
            *(pool for pool in self._pools.where("cluster_id", host.cluster_id) if pool.scope == "CLUSTER"),
            *self._pools.where(("zone_id", "scope"), (host.zone_id, "ZONE")),
        ]

    def pools_near(self, vm: VirtualMachine) -> list[StoragePool]:
        """The pools that the instance's host reaches; of one that has none, those of its zone that are near its disks."""
        host = self._hosts.get(vm.host_id)
        if host is not None:
            return self.pools_for(host)
        near = self._pools.where("zone_id", vm.zone_id)
        for volume in self._volumes.where("vm_id", vm.id):
            own = self._pools.get(volume.pool_id)
            if own is not None and own.cluster_id is not None:
                near = [pool for pool in near if pool.cluster_id in (None, own.cluster_id)]
        return near

    def hosts_reaching(self, pool: StoragePool, prefer: str | None = None) -> Iterator[Host]:
        """The Up hosts that reach the pool and have an agent connected, `prefer` (a host id) first.

        Those of clusters that a setting excludes from storage operations come last. They are looked for as they are
        taken: there may be thousands. Valid until the next write.
        """
        preferred = self._hosts.get(prefer)
        if preferred is not None and self.reaches(preferred, pool) and self._works(preferred):
            yield preferred
        if pool.scope == "HOST":
            ids: Iterable[str] = filter(None, (pool.host_id,))
        elif pool.scope == "CLUSTER":
            ids = self._hosts.ids("cluster_id", pool.cluster_id)
        else:
            ids = self._hosts.ids("zone_id", pool.zone_id)
        excluded = []
        for host_id in ids:
            host = self._hosts.get(host_id)
            if host is not None and host_id != prefer and self._works(host):
                if self._settings.boolean(EXCLUDED, "Cluster", host.cluster_id):
                    excluded.append(host)
                else:
                    yield host
        yield from excluded

    def _works(self, host: Host) -> bool:
        return host.state == "Up" and host.hypervisor != EXTERNAL and self._agents.is_connected(host.id)

    def hosts_of(self, zone_id: str) -> list[Host]:
        """The hosts that reach a pool of the zone which is up: those of the first such pool."""
        for pool in self._pools.where("zone_id", zone_id):
            if pool.state == "Up" and (hosts := list(self.hosts_reaching(pool))):
                return hosts
        return []

    def reaches(self, host: Host, pool: StoragePool) -> bool:
        """Whether the host can use what is on the pool."""
        if pool.scope == "HOST":
            return pool.host_id == host.id
        if pool.scope == "CLUSTER":
            return pool.cluster_id == host.cluster_id
        return pool.zone_id == host.zone_id

    def host_for(self, pool: StoragePool, prefer: str | None = None) -> Host:
        """A host to work on the pool through. Raises ResourceUnavailable."""
        host = next(self.hosts_reaching(pool, prefer), None)
        if host is None:
            raise ResourceUnavailable(f"No host that is up reaches storage pool {pool.name}")
        return host
