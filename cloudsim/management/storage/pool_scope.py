"""Another reach for a storage pool: from its cluster to the whole zone, and back to one cluster."""

from __future__ import annotations

import asyncio
import logging
from typing import Literal

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.storage.primary_storage import PrimaryStorage, pool_spec
from cloudsim.model import Cluster, Host, StoragePool, VirtualMachine, Volume
from cloudsim.protocol.commands import ModifyStoragePoolCommand

log = logging.getLogger(__name__)

Reach = Literal["ZONE", "CLUSTER"]


class PoolScope:
    """Changes the scope of pools that are disabled."""

    def __init__(self, foundation: Foundation, agents: Agents, primary: PrimaryStorage) -> None:
        self._store = foundation.store
        self._agents = agents
        self._primary = primary
        self._pools = foundation.table(StoragePool)
        self._volumes = foundation.table(Volume)
        self._vms = foundation.table(VirtualMachine)
        self._hosts = foundation.table(Host)
        self._clusters = foundation.table(Cluster)

    def check(self, pool: StoragePool, scope: Reach, cluster: Cluster | None) -> None:
        """Raise what stands against the pool having that scope."""
        if pool.scope == "HOST":
            raise InvalidParameterValue(f"Storage pool {pool.name} is a host's own: its scope cannot change")
        if pool.scope == scope:
            raise InvalidParameterValue(f"Storage pool {pool.name} has scope {scope} already")
        if pool.state != "Disabled":
            raise InvalidParameterValue(
                f"Scope of the storage pool {pool.name} cannot be changed: it is {pool.state}, and must be Disabled"
            )
        if scope == "ZONE":
            return
        if cluster is None:
            raise InvalidParameterValue("clusterid must be given, if scope is CLUSTER")
        if cluster.zone_id != pool.zone_id:
            raise InvalidParameterValue(f"Cluster {cluster.name} is not in the zone of storage pool {pool.name}")
        hypervisor = pool.details.get("hypervisor")
        if hypervisor and hypervisor != cluster.hypervisor:
            raise InvalidParameterValue(
                f"Storage pool {pool.name} is for {hypervisor}, and cluster {cluster.name} is of {cluster.hypervisor}"
            )
        affected = self.affected(pool, cluster)
        if affected:
            names = ", ".join(vm.name for vm in affected[:3])
            raise ResourceInUse(
                f"{len(affected)} instances with disks on storage pool {pool.name} are on hosts of other clusters: {names}"
            )

    def affected(self, pool: StoragePool, cluster: Cluster) -> list[VirtualMachine]:
        """The instances with disks on the pool that are on hosts of other clusters."""
        found: dict[str, VirtualMachine] = {}
        for volume in self._volumes.where("pool_id", pool.id):
            vm = self._vms.get(volume.vm_id)
            host = None if vm is None else self._hosts.get(vm.host_id)
            if vm is not None and host is not None and host.cluster_id != cluster.id:
                found[vm.id] = vm
        return list(found.values())

    async def change(self, pool_id: str, scope: Reach, cluster: Cluster | None) -> StoragePool:
        """Give the pool the scope: the hosts that it gains mount it first, those that it loses let go of it."""
        pool = self._pools.get(pool_id)
        if pool is None:
            raise InvalidParameterValue(f"There is no storage pool {pool_id}")
        self.check(pool, scope, cluster)
        if scope == "ZONE":
            return await self._widen(pool)
        assert cluster is not None
        return await self._narrow(pool, cluster)

    async def _widen(self, pool: StoragePool) -> StoragePool:
        own = self._clusters.get(pool.cluster_id)
        details = pool.details if own is None else {"hypervisor": own.hypervisor, **pool.details}
        hosts = [
            host
            for host in self._hosts.where("zone_id", pool.zone_id)
            if host.state == "Up" and host.cluster_id != pool.cluster_id and self._agents.is_connected(host.id)
        ]
        if hosts:
            await self._primary.mount_everywhere(pool, hosts)
        with self._store.transaction():
            return self._pools.update(pool.id, scope="ZONE", cluster_id=None, pod_id=None, details=details)

    async def _narrow(self, pool: StoragePool, cluster: Cluster) -> StoragePool:
        hosts = self._primary.connected_hosts(pool)
        with self._store.transaction():  # from now on nothing of it is given to hosts of other clusters
            changed = self._pools.update(
                pool.id, scope="CLUSTER", cluster_id=cluster.id, pod_id=cluster.pod_id
            )
        command = ModifyStoragePoolCommand(pool=pool_spec(pool), add=False)
        lost = [host for host in hosts if host.cluster_id != cluster.id]
        answers = await asyncio.gather(
            *(self._agents.send(host.id, command) for host in lost), return_exceptions=True
        )
        for host, answer in zip(lost, answers, strict=True):
            if isinstance(answer, CloudError) or not (isinstance(answer, BaseException) or answer.ok):
                log.warning("host %s kept storage pool %s mounted: %s", host.name, pool.name, answer)
        return changed

    async def refresh(self, pool: StoragePool) -> StoragePool:
        """Mount the pool again on its hosts, and take over what they say of its size."""
        hosts = self._primary.connected_hosts(pool)
        if not hosts:
            raise InvalidParameterValue(f"No host that is up reaches storage pool {pool.name}")
        found = await self._primary.mount_everywhere(pool, hosts)
        with self._store.transaction():
            return self._pools.update(pool.id, used=found.used)
