"""Management addresses of pods: taken by system VMs, or by whoever asks for one."""

from __future__ import annotations

from cloudsim.errors import InsufficientAddressCapacity, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_pool import AddressPool, joined, number_of, text_of
from cloudsim.model import Pod, PodIp, PodIpRange, Zone
from cloudsim.store import Change


class PodIps:
    """Gives and takes back the addresses of pods' ranges."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(PodIp)
        self._pods = foundation.table(Pod)
        self._ranges = foundation.table(PodIpRange)
        self._randomness = foundation.randomness.branch("pod ips")
        self._pools: dict[str, AddressPool] = {}
        self._last = max((ip.number for ip in self._table if ip.number is not None), default=0)
        foundation.store.subscribe(self._changed, PodIp, Pod, PodIpRange)

    def _changed(self, changes: list[Change]) -> None:
        for table, before, after in changes:
            row = after or before
            if table is self._pods:
                self._pools.pop(row.id, None)
            elif table is self._ranges:
                self._pools.pop(row.pod_id, None)
            else:
                pool = self._pools.get(row.pod_id)
                if pool is not None and before is not None:
                    pool.gave_back(number_of(before.ip))
                if pool is not None and after is not None:
                    pool.took(number_of(after.ip))

    def _pool(self, pod: Pod) -> AddressPool:
        pool = self._pools.get(pod.id)
        if pool is None:
            spans = [(number_of(pod.start_ip), number_of(pod.end_ip))]
            spans += [
                (number_of(r.start_ip), number_of(r.end_ip)) for r in self._ranges.where("pod_id", pod.id)
            ]
            pool = self._pools[pod.id] = AddressPool(
                joined(spans),
                lambda number: self._table.find(("pod_id", "ip"), (pod.id, text_of(number))) is not None,
                (number_of(ip.ip) for ip in self._table.where("pod_id", pod.id)),
            )
        return pool

    def take(self, pod: Pod, vm_id: str = "", *, number: int | None = None) -> PodIp:
        """An address of the pod for the system VM. Raises InsufficientAddressCapacity. Within a transaction or its own."""
        free = self._pool(self._pods[pod.id]).free()
        if free is None:
            raise InsufficientAddressCapacity(f"Pod {pod.name} has no free management address")
        with self._store.transaction():
            return self._table.insert(
                PodIp(id=self._randomness.uuid(), pod_id=pod.id, ip=text_of(free), vm_id=vm_id, number=number)
            )

    def release_of(self, vm_id: str) -> None:
        """Take back what the system VM has."""
        with self._store.transaction():
            for ip_id in list(self._table.ids("vm_id", vm_id)):
                self._table.delete(ip_id)

    def acquire(self, zone: Zone, pod: Pod | None = None) -> PodIp:
        """An address for something that is no system VM, from that pod or any of the zone that has one."""
        if pod is not None and pod.zone_id != zone.id:
            raise InvalidParameterValue(f"podid: pod {pod.name} is not in zone {zone.name}")
        for each in (pod,) if pod is not None else self._pods.where("zone_id", zone.id):
            if self._pool(each).in_use < self._pool(each).size:
                self._last += 1
                return self.take(each, number=self._last)
        raise InsufficientAddressCapacity(f"Zone {zone.name} has no free management address")

    def release(self, number: int) -> None:
        """Take back what `acquire` gave under that number."""
        found = self._table.find("number", number)
        if found is None:
            raise InvalidParameterValue(f"id: there is no management address that was acquired as {number}")
        with self._store.transaction():
            self._table.delete(found.id)

    def count(self, pod: Pod) -> tuple[int, int]:
        """How many addresses the pod has, and how many are taken."""
        pool = self._pool(self._pods[pod.id])
        return pool.size, pool.in_use
