"""How much of everything a zone, pod or cluster has, and how much of it is taken."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_pool import number_of
from cloudsim.management.network.vlans import parse_vlans, vlan_number
from cloudsim.management.storage.disks import Disks
from cloudsim.model import (
    Backup,
    BackupRepository,
    Cluster,
    ImageStore,
    IpRange,
    Network,
    Nic,
    PhysicalNetwork,
    Pod,
    PodIp,
    PodIpRange,
    PublicIp,
    StoragePool,
    Zone,
)
from cloudsim.placement.capacity import HostCapacity

MEMORY, CPU, STORAGE, STORAGE_ALLOCATED = 0, 1, 2, 3
PUBLIC_IP, PRIVATE_IP, SECONDARY_STORAGE, VLAN, DIRECT_IP, LOCAL_STORAGE, GPU = 4, 5, 6, 7, 8, 9, 19
BACKUP_STORAGE = 10
NAMES = {
    MEMORY: "MEMORY",
    CPU: "CPU",
    STORAGE: "STORAGE",
    STORAGE_ALLOCATED: "STORAGE_ALLOCATED",
    PUBLIC_IP: "VIRTUAL_NETWORK_PUBLIC_IP",
    PRIVATE_IP: "PRIVATE_IP",
    SECONDARY_STORAGE: "SECONDARY_STORAGE",
    VLAN: "VLAN",
    DIRECT_IP: "DIRECT_ATTACHED_PUBLIC_IP",
    LOCAL_STORAGE: "LOCAL_STORAGE",
    BACKUP_STORAGE: "BACKUP_STORAGE",
    GPU: "GPU",
}
"""CloudStack's numbers and names of capacity types, those that there is data for."""
MIB = 1 << 20

Place = Zone | Pod | Cluster
Level = Literal["zone", "pod", "cluster"]


class Capacity(NamedTuple):
    """One kind of capacity in one place. Memory and storage in bytes, CPU in MHz, the rest counted."""

    type: int
    place: Place
    total: int
    used: int
    tag: str | None = None
    """The host or storage tag that it is of alone; None for all."""

    @property
    def name(self) -> str:
        """CloudStack's word for the kind."""
        return NAMES[self.type]

    @property
    def share(self) -> float:
        """What is taken of it, 0 to 1 and more."""
        return self.used / self.total if self.total else 0.0


class HostSums(NamedTuple):
    """Sums over the hosts that take instances, by the group number of a zone, pod or cluster."""

    hosts: NDArray[np.int64]
    cpu_total: NDArray[np.int64]
    cpu_used: NDArray[np.int64]
    memory_total: NDArray[np.int64]
    memory_used: NDArray[np.int64]
    gpu_total: NDArray[np.int64]
    gpu_used: NDArray[np.int64]

    def of(self, group: int) -> tuple[int, ...]:
        """The sums of one group, in the fields' order; zeros for one without hosts."""
        if not 0 <= group < len(self.hosts):
            return (0,) * len(self)
        return tuple(int(each[group]) for each in self)


class CapacityReport:
    """Answers from the placement arrays and the pools' rows, in NumPy time for hosts."""

    def __init__(self, foundation: Foundation, hosts: HostCapacity, disks: Disks) -> None:
        self._foundation = foundation
        self._hosts = hosts
        self._pools = foundation.table(StoragePool)
        self._disks = disks

    def promised(self, pool_id: str) -> int:
        """Bytes promised to the volumes on a pool."""
        return self._disks.room.promised.get(pool_id, 0)

    def overcommit(self, pool: StoragePool) -> float:
        """How many times the pool's space may be promised; local and given sizes go by the same setting."""
        return self._foundation.settings.number("storage.overprovisioning.factor", "StoragePool", pool.id)

    def host_sums(self, level: Level, tag: str | None = None) -> HostSums:
        """The sums of every zone, pod or cluster at once; with `tag` over the hosts that have it."""
        hosts = self._hosts
        n = hosts.size
        enabled = hosts.enabled[:n]
        if tag is not None:
            enabled = enabled & np.fromiter((tag in tags for tags in hosts.tags[:n]), np.bool_, n)
        groups = {"zone": hosts.zone, "pod": hosts.pod, "cluster": hosts.cluster}[level][:n][enabled]

        def summed(values: NDArray[np.int64]) -> NDArray[np.int64]:
            return np.bincount(groups, weights=values[:n][enabled]).astype(np.int64)

        free = hosts.gpu_free[:n]
        gpu_total = (free >= 0).sum(axis=1)
        gpu_used = gpu_total - np.where(free > 0, free, 0).sum(axis=1) // 1000
        return HostSums(
            np.bincount(groups),
            summed(hosts.cpu_total),
            summed(hosts.cpu_used),
            summed(hosts.memory_total),
            summed(hosts.memory_used),
            summed(gpu_total),
            summed(gpu_used),
        )

    def of(
        self,
        places: Iterable[Place],
        types: Collection[int] | None = None,
        *,
        kept: bool = False,
        tag: str | None = None,
    ) -> list[Capacity]:
        """Capacities of those places (all of one kind), of all types or of `types`.

        With `tag` what hosts and pools that have it give, and nothing else. Types of which a place has nothing are
        left out, unless `kept`.
        """
        found: list[Capacity] = []
        sums: HostSums | None = None
        for place in places:
            if sums is None:
                sums = self.host_sums(_level(place), tag)
            every = self._of(place, sums.of(self._hosts.group(place.id)), tag)
            found += [c for c in every if (types is None or c.type in types) and (c.total or kept)]
        return found

    def _of(self, place: Place, sums: tuple[int, ...], tag: str | None) -> list[Capacity]:
        _, cpu, cpu_used, memory, memory_used, gpus, gpus_used = sums
        found = [
            Capacity(MEMORY, place, memory * MIB, memory_used * MIB),
            Capacity(CPU, place, cpu, cpu_used),
            *self._storage(place, tag),
            Capacity(GPU, place, gpus, gpus_used),
        ]
        if tag is not None:
            found = [capacity._replace(tag=tag) for capacity in found]
        elif isinstance(place, Pod):
            found.append(self._private(place, (place,)))
        elif isinstance(place, Zone):
            found.append(self._private(place, self._foundation.table(Pod).where("zone_id", place.id)))
            found += self._of_zone(place)
        return sorted(found, key=lambda c: c.type)

    def _storage(self, place: Place, tag: str | None) -> list[Capacity]:
        size = used = promisable = promised = local = local_promised = 0
        for pool in self._pools.where(f"{_level(place)}_id", place.id):
            if pool.state not in ("Up", "Disabled") or (tag is not None and tag not in pool.tags):
                continue
            if pool.scope == "HOST":
                local += pool.capacity
                local_promised += self.promised(pool.id)
                continue
            size += pool.capacity
            used += pool.used
            promisable += int(pool.capacity * self.overcommit(pool))
            promised += self.promised(pool.id)
        return [
            Capacity(STORAGE, place, size, used),
            Capacity(STORAGE_ALLOCATED, place, promisable, promised),
            Capacity(LOCAL_STORAGE, place, local, local_promised),
        ]

    def _of_zone(self, zone: Zone) -> list[Capacity]:
        stores = self._foundation.table(ImageStore).where("zone_id", zone.id)
        vlans = vlans_used = direct = direct_used = public = public_used = 0
        for physical in self._foundation.table(PhysicalNetwork).where("zone_id", zone.id):
            vlans += sum(high - low + 1 for low, high in parse_vlans(physical.vlan))
        nics, ips = self._foundation.table(Nic), self._foundation.table(PublicIp)
        ranges = self._foundation.table(IpRange)
        for network in self._foundation.table(Network).where("zone_id", zone.id):
            if network.traffic_type != "Guest":
                continue
            if network.guest_type == "Shared":
                if ranges.count("network_id", network.id):
                    direct_used += nics.count("network_id", network.id)
            elif vlan_number(network.vlan) is not None:
                vlans_used += 1
        for row in ranges.where("zone_id", zone.id):
            if row.public:
                public += _size(row)
                public_used += ips.count("range_id", row.id)
            else:
                direct += _size(row)
        return [
            Capacity(PUBLIC_IP, zone, public, public_used),
            Capacity(SECONDARY_STORAGE, zone, sum(s.capacity for s in stores), sum(s.used for s in stores)),
            self._backups(zone),
            Capacity(VLAN, zone, vlans, vlans_used),
            Capacity(DIRECT_IP, zone, direct, direct_used),
        ]

    def _backups(self, zone: Zone) -> Capacity:
        """What the backup repositories hold of which it was said how large they are."""
        size = used = 0
        backups = self._foundation.table(Backup)
        for repository in self._foundation.table(BackupRepository).where("zone_id", zone.id):
            if repository.capacity:
                size += repository.capacity
                used += sum(backup.size for backup in backups.where("repository_id", repository.id))
        return Capacity(BACKUP_STORAGE, zone, size, used)

    def _private(self, place: Place, pods: Iterable[Pod]) -> Capacity:
        """The management addresses of pods, and those that system VMs and others have."""
        more, ips = self._foundation.table(PodIpRange), self._foundation.table(PodIp)
        size = used = 0
        for pod in pods:
            size += _size(pod) + sum(_size(row) for row in more.where("pod_id", pod.id))
            used += ips.count("pod_id", pod.id)
        return Capacity(PRIVATE_IP, place, size, used)


def _size(row: IpRange | Pod | PodIpRange) -> int:
    """How many IPv4 addresses a range has."""
    return number_of(row.end_ip) - number_of(row.start_ip) + 1 if row.start_ip else 0


def _level(place: Place) -> Level:
    if isinstance(place, Zone):
        return "zone"
    return "pod" if isinstance(place, Pod) else "cluster"
