"""Pods: made, changed and removed by the operator."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_ranges import AddressRange, address_range
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.model import (
    Cluster,
    Host,
    IpRange,
    Pod,
    PodIp,
    PodIpRange,
    PortableIpRange,
    StorageIpRange,
    StoragePool,
    Zone,
)
from cloudsim.model.infrastructure import Allocation
from cloudsim.store import Table


class Pods:
    """The pods of all zones. No two pods of a zone share addresses, nor (setting check.pod.cidrs) a subnet."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._pods = foundation.table(Pod)
        self._randomness = foundation.randomness.branch("pods")

    def create(
        self,
        zone: Zone,
        *,
        name: str,
        gateway: str | None,
        netmask: str | None,
        start_ip: str | None,
        end_ip: str | None = None,
        allocation_state: Allocation = "Enabled",
    ) -> Pod:
        """Add a pod. Without `end_ip` its range goes to the last address of the subnet."""
        if not gateway or not netmask or not start_ip:
            raise InvalidParameterValue("A pod needs gateway, netmask and startip")
        self._check_name(zone.id, name)
        end_ip = end_ip or _last_address(gateway, netmask, start_ip)
        self._check_range(zone, None, address_range(gateway, netmask, start_ip, end_ip))
        with self._store.transaction():
            return self._pods.insert(
                Pod(
                    id=self._randomness.uuid(),
                    name=name,
                    zone_id=zone.id,
                    gateway=gateway,
                    netmask=netmask,
                    start_ip=start_ip,
                    end_ip=end_ip,
                    allocation_state=allocation_state,
                    created=self._foundation.now(),
                )
            )

    def update(
        self,
        pod: Pod,
        *,
        name: str | None = None,
        gateway: str | None = None,
        netmask: str | None = None,
        start_ip: str | None = None,
        end_ip: str | None = None,
        allocation_state: Allocation | None = None,
    ) -> Pod:
        """Change what is given. While the pod has hosts its range can only grow."""
        changes: dict[str, Any] = {}
        if name is not None and name != pod.name:
            self._check_name(pod.zone_id, name)
            changes["name"] = name
        given = {"gateway": gateway, "netmask": netmask, "start_ip": start_ip, "end_ip": end_ip}
        addresses = {field: text for field, text in given.items() if text}
        if addresses:
            old = address_range(pod.gateway, pod.netmask, pod.start_ip, pod.end_ip)
            new = address_range(
                gateway or pod.gateway, netmask or pod.netmask, start_ip or pod.start_ip, end_ip or pod.end_ip
            )
            if self._foundation.table(Host).count("pod_id", pod.id) and not new.holds(old):
                raise InvalidParameterValue(
                    f"The new range of pod {pod.name} must hold the old one, since there are hosts in the pod"
                )
            self._check_range(self._foundation.table(Zone)[pod.zone_id], pod, new)
            changes |= addresses
        if allocation_state is not None:
            changes["allocation_state"] = allocation_state
        with self._store.transaction():
            return self._pods.update(pod.id, **changes)

    def delete(self, pod: Pod) -> None:
        """Remove an empty pod."""
        for row_type, what in ((Host, "servers"), (Cluster, "clusters"), (StoragePool, "storage pools")):
            if self._foundation.table(row_type).count("pod_id", pod.id):
                raise CloudError(f"The pod cannot be deleted because there are {what} in this pod")
        if self._foundation.table(PodIp).count("pod_id", pod.id):
            raise CloudError(
                "The pod cannot be deleted because there are management IP addresses in use in this pod"
            )
        with self._store.transaction():
            for range_type in (PodIpRange, StorageIpRange):
                ranges: Table[Any] = self._foundation.table(range_type)
                for range_id in list(ranges.ids("pod_id", pod.id)):
                    ranges.delete(range_id)
            remove_leftovers(self._foundation, pod.id)
            self._pods.delete(pod.id)

    def _check_name(self, zone_id: str, name: str) -> None:
        if not name.strip():
            raise InvalidParameterValue("A pod needs a name")
        if self._pods.find(("zone_id", "name"), (zone_id, name)) is not None:
            raise InvalidParameterValue(
                f"A pod with name {name} already exists in the zone. Please specify a different pod name"
            )

    def _check_range(self, zone: Zone, itself: Pod | None, wanted: AddressRange) -> None:
        whole_subnet = self._foundation.settings.boolean("check.pod.cidrs")
        for other in self._pods.where("zone_id", zone.id):
            if itself is not None and other.id == itself.id:
                continue
            taken = address_range(other.gateway, other.netmask, other.start_ip, other.end_ip)
            if wanted.range_overlaps(taken) or (whole_subnet and wanted.subnet_overlaps(taken)):
                raise InvalidParameterValue(
                    f"The subnet of the pod conflicts with the subnet of pod {other.name} in zone {zone.name}. "
                    "Please specify a different gateway/netmask"
                )
        ranges = self._foundation.table(IpRange).where("zone_id", zone.id)
        portable = self._foundation.table(PortableIpRange)
        for public in (*(row for row in ranges if row.public and row.start_ip), *portable):
            if wanted.range_overlaps(
                address_range(public.gateway, public.netmask, public.start_ip, public.end_ip)
            ):
                raise InvalidParameterValue(
                    f"The range of the pod overlaps the public IP range {public.start_ip}-{public.end_ip} of zone {zone.name}"
                )


def _last_address(gateway: str, netmask: str, start: str) -> str:
    subnet = address_range(gateway, netmask, start, start)
    last = subnet.broadcast - 1
    return str(IPv4Address(last - 1 if last == int(IPv4Address(gateway)) else last))
