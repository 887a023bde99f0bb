"""Further address ranges of pods: of their management network, and of the storage network."""

from __future__ import annotations

from collections.abc import Iterator

from cloudsim.errors import InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_pool import number_of
from cloudsim.management.network.address_ranges import AddressRange, address_range
from cloudsim.management.network.vlans import UNTAGGED, checked_tag
from cloudsim.model import (
    IpRange,
    PhysicalNetwork,
    Pod,
    PodIp,
    PodIpRange,
    PortableIpRange,
    StorageIpRange,
    TrafficType,
    Zone,
)


class PodRanges:
    """Makes, changes and removes them. No two ranges of a zone share an address."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._pods = foundation.table(Pod)
        self._ips = foundation.table(PodIp)
        self._table = foundation.table(PodIpRange)
        self._storage = foundation.table(StorageIpRange)
        self._randomness = foundation.randomness.branch("pod ranges")

    # the management network

    def add(
        self,
        pod: Pod,
        *,
        gateway: str,
        netmask: str,
        start_ip: str,
        end_ip: str | None = None,
        vlan: str | None = None,
        for_system_vms: bool = False,
    ) -> PodIpRange:
        """More management addresses, of the pod's subnet."""
        if (gateway, netmask) != (pod.gateway, pod.netmask):
            raise InvalidParameterValue(
                f"Multiple subnets for pod {pod.name} are not supported: gateway and netmask must be {pod.gateway} and "
                f"{pod.netmask}, not {gateway} and {netmask}"
            )
        end_ip = end_ip or start_ip
        self._check_apart(pod, address_range(gateway, netmask, start_ip, end_ip), start_ip, end_ip)
        tag = checked_tag(vlan)
        with self._store.transaction():
            return self._table.insert(
                PodIpRange(
                    id=self._randomness.uuid(),
                    pod_id=pod.id,
                    start_ip=start_ip,
                    end_ip=end_ip,
                    vlan=tag,
                    for_system_vms=for_system_vms,
                )
            )

    def update(
        self, pod: Pod, start_ip: str, end_ip: str, new_start: str | None = None, new_end: str | None = None
    ) -> None:
        """Change the range that is `start_ip` to `end_ip` now. Addresses in use must stay in it."""
        row = self._found(pod, start_ip, end_ip)
        first, last = new_start or start_ip, new_end or end_ip
        wanted = address_range(pod.gateway, pod.netmask, first, last)
        for number in self._used(pod, start_ip, end_ip):
            if not wanted.start <= number <= wanted.end:
                raise InvalidParameterValue(
                    f"The new range must hold all addresses of {start_ip}-{end_ip} that are in use"
                )
        self._check_apart(pod, wanted, first, last, apart_from=pod.id if row is None else row.id)
        with self._store.transaction():
            if row is None:
                self._pods.update(pod.id, start_ip=first, end_ip=last)
            else:
                self._table.update(row.id, start_ip=first, end_ip=last)

    def remove(self, pod: Pod, start_ip: str, end_ip: str, vlan: str | None = None) -> None:
        """Remove a further range of which no address is in use."""
        row = self._found(pod, start_ip, end_ip)
        if row is None:
            raise InvalidParameterValue(
                f"The range {start_ip}-{end_ip} is pod {pod.name}'s own: it goes with the pod"
            )
        if vlan is not None and checked_tag(vlan) != row.vlan:
            raise InvalidParameterValue(
                f"The range {start_ip}-{end_ip} is on VLAN {row.vlan or UNTAGGED}, not {vlan}"
            )
        used = len(self._used(pod, start_ip, end_ip))
        if used:
            raise ResourceInUse(
                f"The range {start_ip}-{end_ip} cannot be deleted: {used} of its addresses are in use"
            )
        with self._store.transaction():
            self._table.delete(row.id)

    def _found(self, pod: Pod, start_ip: str, end_ip: str) -> PodIpRange | None:
        """The further range; None where it is the pod's own. InvalidParameterValue where there is none."""
        for row in self._table.where("pod_id", pod.id):
            if (row.start_ip, row.end_ip) == (start_ip, end_ip):
                return row
        pod = self._pods[pod.id]
        if (pod.start_ip, pod.end_ip) != (start_ip, end_ip):
            raise InvalidParameterValue(f"Pod {pod.name} has no IP range {start_ip}-{end_ip}")
        return None

    def _used(self, pod: Pod, start_ip: str, end_ip: str) -> list[int]:
        first, last = number_of(start_ip), number_of(end_ip)
        numbers = (number_of(ip.ip) for ip in self._ips.where("pod_id", pod.id))
        return [number for number in numbers if first <= number <= last]

    # the storage network

    def add_storage(
        self,
        pod: Pod,
        *,
        gateway: str,
        netmask: str,
        start_ip: str,
        end_ip: str | None = None,
        vlan: int | None = None,
    ) -> StorageIpRange:
        """Addresses of the storage network, in a zone whose wires carry its traffic."""
        carried = self._foundation.table(TrafficType)
        wires = self._foundation.table(PhysicalNetwork).where("zone_id", pod.zone_id)
        key = ("physical_network_id", "traffic_type")
        if not any(carried.find(key, (wire.id, "Storage")) is not None for wire in wires):
            raise InvalidParameterValue(
                "Storage network is not enabled in this zone: no physical network carries Storage traffic"
            )
        end_ip = end_ip or start_ip
        self._check_apart(pod, address_range(gateway, netmask, start_ip, end_ip), start_ip, end_ip)
        tag = _storage_vlan(vlan)
        with self._store.transaction():
            return self._storage.insert(
                StorageIpRange(
                    id=self._randomness.uuid(),
                    zone_id=pod.zone_id,
                    pod_id=pod.id,
                    gateway=gateway,
                    netmask=netmask,
                    start_ip=start_ip,
                    end_ip=end_ip,
                    vlan=tag,
                )
            )

    def update_storage(
        self,
        row: StorageIpRange,
        *,
        start_ip: str | None = None,
        end_ip: str | None = None,
        netmask: str | None = None,
        vlan: int | None = None,
    ) -> StorageIpRange:
        """Change what is given."""
        first, last, mask = start_ip or row.start_ip, end_ip or row.end_ip, netmask or row.netmask
        wanted = address_range(row.gateway, mask, first, last)
        self._check_apart(self._pods[row.pod_id], wanted, first, last, apart_from=row.id)
        tag = row.vlan if vlan is None else _storage_vlan(vlan)
        with self._store.transaction():
            return self._storage.update(row.id, start_ip=first, end_ip=last, netmask=mask, vlan=tag)

    def remove_storage(self, row: StorageIpRange) -> None:
        """Remove a range of the storage network."""
        with self._store.transaction():
            self._storage.delete(row.id)

    # apart from one another

    def _check_apart(
        self, pod: Pod, wanted: AddressRange, start: str, end: str, *, apart_from: str | None = None
    ) -> None:
        for row_id, first, last, what in self._all(self._foundation.table(Zone)[pod.zone_id]):
            if row_id != apart_from and wanted.start <= number_of(last) and number_of(first) <= wanted.end:
                raise InvalidParameterValue(f"The range {start}-{end} overlaps with {first}-{last} of {what}")

    def _all(self, zone: Zone) -> Iterator[tuple[str, str, str, str]]:
        """Every range of the zone that is not a guest network's: id, first and last address, and whose it is."""
        for pod in self._pods.where("zone_id", zone.id):
            yield pod.id, pod.start_ip, pod.end_ip, f"pod {pod.name}"
            for row in self._table.where("pod_id", pod.id):
                yield row.id, row.start_ip, row.end_ip, f"pod {pod.name}"
        for storage in self._storage.where("zone_id", zone.id):
            yield storage.id, storage.start_ip, storage.end_ip, "the storage network"
        for public in self._foundation.table(IpRange).where("zone_id", zone.id):
            if public.public and public.start_ip:
                yield public.id, public.start_ip, public.end_ip, "the public network"
        for portable in self._foundation.table(PortableIpRange):
            yield portable.id, portable.start_ip, portable.end_ip, "a portable range"


def _storage_vlan(number: int | None) -> str | None:
    return None if number in (None, 0) else checked_tag(str(number))
