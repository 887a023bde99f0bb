"""Primary storage: pools made known to the hosts that reach them, taken out of service, and removed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.infrastructure.hypervisor_types import EXTERNAL, hypervisor_named
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.storage.pool_urls import PoolAddress, parse_pool_url
from cloudsim.model import (
    Cluster,
    Host,
    Pod,
    StoragePool,
    TemplateOnPool,
    Volume,
    Zone,
)
from cloudsim.protocol.commands import ModifyStoragePoolAnswer, ModifyStoragePoolCommand
from cloudsim.protocol.specs import PoolSpec, PoolStatistics
from cloudsim.store import Change

log = logging.getLogger(__name__)

PROVIDERS = {"primary": ("DefaultPrimary",), "image": ("NFS",), "object": ()}
"""Names of storage providers by the type that listStorageProviders takes."""
LOCAL_PATH = "/var/lib/libvirt/images"


class PoolFailed(CloudError):
    """No host could use the pool."""


class PrimaryStorage:
    """The storage pools of all zones."""

    def __init__(self, foundation: Foundation, agents: Agents) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._pools = foundation.table(StoragePool)
        self._hosts = foundation.table(Host)
        self._volumes = foundation.table(Volume)
        self._randomness = foundation.randomness.branch("primary storage")
        self._zone_wide: dict[str, dict[str, None]] = {}
        for pool in self._pools:
            self._note(pool)
        foundation.store.subscribe(self._changed, StoragePool)

    def _changed(self, changes: list[Change]) -> None:
        for table, before, after in changes:
            if table is self._pools:
                if before is not None and before.scope == "ZONE":
                    self._zone_wide[before.zone_id].pop(before.id, None)
                if after is not None:
                    self._note(after)

    def _note(self, pool: StoragePool) -> None:
        if pool.scope == "ZONE":
            self._zone_wide.setdefault(pool.zone_id, {})[pool.id] = None

    # making

    def check_new(
        self,
        zone: Zone,
        pod: Pod | None,
        cluster: Cluster | None,
        *,
        name: str,
        url: str,
        scope: str | None = None,
        provider: str | None = None,
        hypervisor: str | None = None,
        managed: bool = False,
        capacity: int | None = None,
        capacity_iops: int | None = None,
        tags: Sequence[str] = (),
        details: Mapping[str, str] | None = None,
    ) -> StoragePool:
        """The pool that `create` would make, checked against everything that is known without asking a host."""
        address = parse_pool_url(url)
        if (provider or "DefaultPrimary") not in PROVIDERS["primary"]:
            raise InvalidParameterValue(f"can't find storage provider: {provider}")
        if managed:
            raise InvalidParameterValue("Managed storage is not supported by the provider DefaultPrimary")
        where = (scope or ("ZONE" if cluster is None else "CLUSTER")).upper()
        if where not in ("ZONE", "CLUSTER"):
            raise InvalidParameterValue(
                f"Invalid scope {scope}: a storage pool is made for a cluster or a zone"
            )
        if where == "ZONE" and (cluster is not None or pod is not None):
            raise InvalidParameterValue("cluster id and pod id should be null, if scope is zone")
        if where == "CLUSTER":
            if cluster is None or pod is None:
                raise InvalidParameterValue("cluster id and pod id can't be null, if scope is cluster")
            if cluster.pod_id != pod.id or pod.zone_id != zone.id:
                raise InvalidParameterValue(f"Cluster {cluster.name} is not in that pod of zone {zone.name}")
        if not name.strip() or self._pools.find(("zone_id", "name"), (zone.id, name)) is not None:
            raise InvalidParameterValue(
                f"Storage pool name {name!r} is empty or used in zone {zone.name} already"
            )
        self._check_address(zone, address)
        if capacity is not None and capacity <= 0:
            raise InvalidParameterValue("capacitybytes must be greater than 0")
        kept = dict(details or {})
        if hypervisor is not None and hypervisor.lower() != "any":
            kept["hypervisor"] = hypervisor_named(hypervisor)
        if capacity_iops is not None:
            kept["capacityiops"] = str(capacity_iops)
        if address.user:
            kept |= {"rbd.user": address.user, "rbd.secret": address.secret}
        return StoragePool(
            id=self._randomness.uuid(),
            name=name,
            zone_id=zone.id,
            pod_id=None if pod is None else pod.id,
            cluster_id=None if cluster is None else cluster.id,
            scope="ZONE" if where == "ZONE" else "CLUSTER",
            type=address.type,
            host_address=address.host,
            path=address.path,
            port=address.port,
            capacity=capacity or 0,
            state="Initialized",
            tags=tuple(tags),
            created=self._foundation.now(),
            details=kept,
        )

    async def create(self, pool: StoragePool) -> StoragePool:
        """Make the pool of `check_new` and mount it on every host of its scope that is up.

        Its capacity is what the first host says, unless the operator gave one. When no host can mount it, nothing
        is left of it.
        """
        hosts = self.connected_hosts(pool)
        if not hosts:
            raise PoolFailed(
                f"No host up to associate a storage pool with in {pool.scope.lower()} of {pool.name}"
            )
        with self._store.transaction():
            self._pools.insert(pool)
        try:
            found = await self.mount_everywhere(pool, hosts)
            if pool.id not in self._pools:
                raise PoolFailed(f"Storage pool {pool.name} was deleted before it was there")
        except BaseException:
            if pool.id in self._pools:
                with self._store.transaction():
                    self._pools.delete(pool.id)
            raise
        with self._store.transaction():
            return self._pools.update(
                pool.id, state="Up", capacity=pool.capacity or found.capacity, used=found.used
            )

    async def mount_everywhere(self, pool: StoragePool, hosts: Sequence[Host]) -> PoolStatistics:
        """Mount on those hosts; raises PoolFailed when none can, and an alert for each that can't."""
        answers = await asyncio.gather(*(self._mount(pool, host) for host in hosts), return_exceptions=True)
        found: PoolStatistics | None = None
        failures: list[str] = []
        for host, answer in zip(hosts, answers, strict=True):
            if isinstance(answer, PoolStatistics):
                found = found or answer
            elif isinstance(answer, CloudError):
                failures.append(f"{host.name}: {answer}")
            else:
                raise answer
        if found is None:
            raise PoolFailed(f"Failed to access storage pool {pool.name}: {'; '.join(failures[:3])}")
        for failure in failures:
            self._foundation.events.alert(
                "ALERT.STORAGE.MISC",
                f"Storage pool {pool.name} cannot be used by host {failure}",
                zone_id=pool.zone_id,
                pod_id=pool.pod_id,
                cluster_id=pool.cluster_id,
            )
        return found

    async def _mount(self, pool: StoragePool, host: Host) -> PoolStatistics:
        answer = await self._agents.send(host.id, ModifyStoragePoolCommand(pool=pool_spec(pool)))
        if not isinstance(answer, ModifyStoragePoolAnswer) or not answer.ok:
            raise PoolFailed(answer.error or f"Host {host.name} did not mount storage pool {pool.name}")
        return answer.statistics or PoolStatistics(pool.capacity, pool.used)

    def connected_hosts(self, pool: StoragePool) -> list[Host]:
        """The hosts of the pool's scope that are up and have an agent connected."""
        if pool.scope == "HOST":
            owner = self._hosts.get(pool.host_id)
            rows = [] if owner is None else [owner]
        elif pool.scope == "CLUSTER":
            rows = self._hosts.where("cluster_id", pool.cluster_id)
        else:
            rows = self._hosts.where("zone_id", pool.zone_id)
        return [
            host
            for host in rows
            if host.state == "Up" and host.hypervisor != EXTERNAL and self._agents.is_connected(host.id)
        ]

    def _check_address(self, zone: Zone, address: PoolAddress) -> None:
        for pool in self._pools.where("zone_id", zone.id):
            if pool.scope != "HOST" and (pool.type, pool.host_address, pool.path) == address[:3]:
                raise InvalidParameterValue(
                    f"Storage pool {pool.name} uses {address.host}:{address.path} already in zone {zone.name}"
                )

    # hosts

    def pools_for_new(self, host: Host) -> list[StoragePool]:
        """The shared pools that a new host must mount: its cluster's and its zone's."""
        found = [p for p in self._pools.where("cluster_id", host.cluster_id) if p.scope == "CLUSTER"]
        found += [self._pools[pool_id] for pool_id in self._zone_wide.get(host.zone_id, ())]
        return [pool for pool in found if pool.state in ("Initialized", "Up", "Disabled")]

    async def mount_on(self, host: Host) -> None:
        """Mount all shared pools on a new host, and make its local one where the zone uses local storage.

        An External host uses none.
        """
        if host.hypervisor == EXTERNAL:
            return
        for pool in self.pools_for_new(host):
            await self._mount(pool, host)
        zone = self._foundation.table(Zone)[host.zone_id]
        if zone.local_storage and not self._pools.count("host_id", host.id):
            await self._add_local(host)

    async def _add_local(self, host: Host) -> None:
        pool = StoragePool(
            id=self._randomness.uuid(),
            name=f"{host.name}-local-{host.guid[:8]}",
            zone_id=host.zone_id,
            pod_id=host.pod_id,
            cluster_id=host.cluster_id,
            host_id=host.id,
            scope="HOST",
            type="Filesystem",
            host_address=host.private_ip,
            path=LOCAL_PATH,
            port=0,
            capacity=host.local_storage,
            created=self._foundation.now(),
        )
        found = await self._mount(pool, host)
        with self._store.transaction():
            self._pools.insert(pool)
            self._pools.update(pool.id, capacity=found.capacity or pool.capacity, used=found.used)

    def remove_local(self, host: Host) -> None:
        """Delete a host's own pools. Needs an open transaction; raises ResourceInUse for volumes on them."""
        self.check_local_unused(host)
        for pool in self._pools.where("host_id", host.id):
            self._remove_rows(pool)

    def check_local_unused(self, host: Host) -> None:
        for pool in self._pools.where("host_id", host.id):
            if volumes := self._volumes.count("pool_id", pool.id):
                raise ResourceInUse(f"Local storage of host {host.name} still holds {volumes} volumes")

    def _remove_rows(self, pool: StoragePool) -> None:
        copies = self._foundation.table(TemplateOnPool)
        for copy_id in list(copies.ids("pool_id", pool.id)):
            copies.delete(copy_id)
        remove_leftovers(self._foundation, pool.id)
        self._pools.delete(pool.id)

    # changing

    def update(
        self,
        pool: StoragePool,
        *,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        capacity: int | None = None,
        capacity_iops: int | None = None,
        enabled: bool | None = None,
        url: str | None = None,
        details: Mapping[str, str] | None = None,
    ) -> StoragePool:
        """Change what is given. The URL can change in maintenance only; a disabled pool takes no new volume."""
        changes: dict[str, Any] = {}
        if name is not None and name != pool.name:
            if not name.strip() or self._pools.find(("zone_id", "name"), (pool.zone_id, name)) is not None:
                raise InvalidParameterValue(
                    f"Storage pool name {name!r} is empty or used in the zone already"
                )
            changes["name"] = name
        if tags is not None:
            changes["tags"] = tuple(tags)
        if capacity is not None:
            if capacity <= 0:
                raise InvalidParameterValue("capacitybytes must be greater than 0")
            changes["capacity"] = capacity
        kept = {**pool.details, **(details or {})}
        if capacity_iops is not None:
            kept["capacityiops"] = str(capacity_iops)
        if kept != pool.details:
            changes["details"] = kept
        if enabled is not None:
            if pool.state not in ("Up", "Disabled"):
                raise InvalidParameterValue(
                    f"Storage pool {pool.name} is {pool.state}; only one that is Up or Disabled can be changed so"
                )
            changes["state"] = "Up" if enabled else "Disabled"
        if url is not None:
            if pool.state != "Maintenance":
                raise InvalidParameterValue(
                    "The URL of a storage pool can change only while it is in maintenance"
                )
            address = parse_pool_url(url)
            changes |= {"host_address": address.host, "path": address.path, "port": address.port}
        with self._store.transaction():
            return self._pools.update(pool.id, **changes)

    def check_delete(self, pool: StoragePool) -> None:
        """Raise unless the pool could be deleted now: in maintenance, or never finished."""
        if pool.scope == "HOST":
            raise InvalidParameterValue("Local storage goes with its host")
        if pool.state not in ("Maintenance", "Initialized"):
            raise InvalidParameterValue(
                f"Unable to delete storage due to it is not in Maintenance state, pool: {pool.name}"
            )
        if volumes := self._volumes.count("pool_id", pool.id):
            raise CloudError(
                f"Cannot delete pool {pool.name} as there are {volumes} associated volumes for this pool"
            )

    async def delete(self, pool: StoragePool) -> None:
        """Let the hosts go of a pool that `check_delete` allows to be deleted, and forget it."""
        self.check_delete(pool)
        command = ModifyStoragePoolCommand(pool=pool_spec(pool), add=False)
        sent = (self._agents.send(host.id, command) for host in self.connected_hosts(pool))
        for answer in await asyncio.gather(*sent, return_exceptions=True):
            if isinstance(answer, CloudError) or not (isinstance(answer, BaseException) or answer.ok):
                log.warning("a host kept storage pool %s mounted: %s", pool.name, answer)
        self.check_delete(pool)
        with self._store.transaction():
            self._remove_rows(pool)


def pool_spec(pool: StoragePool) -> PoolSpec:
    """The pool as hosts need to know it."""
    return PoolSpec(pool.id, pool.type, pool.host_address, pool.path, pool.port)
