"""Physical networks of zones, and the kinds of traffic that each carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.providers import NetworkServiceProviders
from cloudsim.management.network.vlans import check_vlans, join_vlans, parse_vlans, vlan_number
from cloudsim.model import (
    GuestVlanRange,
    IpRange,
    Network,
    Nic,
    PhysicalNetwork,
    PublicIp,
    PublicIpv6,
    TrafficType,
    Zone,
)

Traffic = Literal["Guest", "Public", "Management", "Storage", "Control"]
ISOLATION_METHODS = ("VLAN", "VXLAN", "GRE", "STT", "L3", "BCF_SEGMENT", "NSX", "ODL", "SSP", "TF", "VSP")
_ONCE_IN_A_ZONE = ("Public", "Management", "Storage", "Control")
LABELS = ("xen", "kvm", "vmware", "hyperv", "ovm3")
"""Hypervisors for which a traffic type may name the bridge or switch it goes over."""


class PhysicalNetworks:
    """The wires of all zones."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._physical = foundation.table(PhysicalNetwork)
        self._traffic = foundation.table(TrafficType)
        self._networks = foundation.table(Network)
        self._zones = foundation.table(Zone)
        self._ranges = foundation.table(IpRange)
        self._guest_vlans = foundation.table(GuestVlanRange)
        self._randomness = foundation.randomness.branch("physical networks")
        self.providers = NetworkServiceProviders(foundation)

    def create(
        self,
        zone: Zone,
        *,
        name: str,
        vlan: str | None = None,
        isolation_methods: Sequence[str] = (),
        broadcast_domain_range: str | None = None,
        network_speed: str | None = None,
        tags: Sequence[str] = (),
    ) -> PhysicalNetwork:
        """Add a physical network with its service providers, all disabled. `vlan`: ranges such as 100-200,300-310."""
        if not name.strip():
            raise InvalidParameterValue("A physical network needs a name")
        if self._physical.find(("zone_id", "name"), (zone.id, name)) is not None:
            raise InvalidParameterValue(
                f"A physical network with name {name} already exists in zone {zone.name}"
            )
        basic = zone.network_type == "Basic"
        if basic and self._physical.count("zone_id", zone.id):
            raise InvalidParameterValue(f"Basic zone {zone.name} takes only one physical network")
        methods = _isolation(isolation_methods, basic)
        scope = (broadcast_domain_range or ("POD" if basic else "ZONE")).upper()
        if scope not in ("POD", "ZONE") or (scope == "POD" and not basic):
            raise InvalidParameterValue(
                f"broadcastdomainrange must be ZONE, or in a Basic zone POD or ZONE, not {scope}"
            )
        with self._store.transaction():
            physical = self._physical.insert(
                PhysicalNetwork(
                    id=self._randomness.uuid(),
                    name=name,
                    zone_id=zone.id,
                    vlan=self._vlans(zone, vlan, methods) if vlan else "",
                    isolation_methods=methods,
                    broadcast_domain_range=scope,
                    network_speed=network_speed,
                    tags=tuple(tags),
                )
            )
            self.providers.add_first(physical)
            return physical

    def update(
        self,
        physical: PhysicalNetwork,
        *,
        state: Literal["Enabled", "Disabled"] | None = None,
        vlan: str | None = None,
        network_speed: str | None = None,
        tags: Sequence[str] | None = None,
    ) -> PhysicalNetwork:
        """Change what is given. A VLAN that a network uses must stay in the ranges."""
        changes: dict[str, Any] = {}
        if vlan is not None:
            ranges = self._vlans(self._zones[physical.zone_id], vlan, physical.isolation_methods)
            self._check_used(physical, ranges)
            changes["vlan"] = ranges
        if state is not None:
            changes["state"] = state
        if network_speed is not None:
            changes["network_speed"] = network_speed
        if tags is not None:
            changes["tags"] = tuple(tags)
        with self._store.transaction():
            return self._physical.update(physical.id, **changes)

    def delete(self, physical: PhysicalNetwork) -> None:
        """Remove a physical network with all that is on it, if nothing uses it.

        That is its traffic types, service providers and address ranges, the zone's default network and the networks
        of its system VMs.
        """
        unused = self._unused_networks(physical)
        self._check_ranges_unused(physical)
        with self._store.transaction():
            for network_id in unused:
                self._networks.delete(network_id)
            for traffic_id in list(self._traffic.ids("physical_network_id", physical.id)):
                self._traffic.delete(traffic_id)
            for range_id in list(self._ranges.ids("physical_network_id", physical.id)):
                self._ranges.delete(range_id)
            for vlans_id in list(self._guest_vlans.ids("physical_network_id", physical.id)):
                self._guest_vlans.delete(vlans_id)
            self.providers.remove_all(physical)
            self._physical.delete(physical.id)

    def _check_ranges_unused(self, physical: PhysicalNetwork) -> None:
        ips, sixes = self._foundation.table(PublicIp), self._foundation.table(PublicIpv6)
        for row in self._ranges.where("physical_network_id", physical.id):
            if ips.count("range_id", row.id) or sixes.count("range_id", row.id):
                raise CloudError(
                    f"The Physical Network is not deletable because addresses of its IP range {row.span} "
                    "are in use"
                )

    def _unused_networks(self, physical: PhysicalNetwork) -> list[str]:
        """The zone's own networks on it, without NICs. Raises CloudError when there is any other network."""
        nics = self._foundation.table(Nic)
        found = []
        for network in self._networks.where("physical_network_id", physical.id):
            own = network.is_default or network.traffic_type != "Guest"
            if not own or nics.count("network_id", network.id):
                raise CloudError(
                    f"The Physical Network is not deletable because network {network.name} uses it"
                )
            found.append(network.id)
        return found

    def _vlans(self, zone: Zone, text: str, methods: Sequence[str]) -> str:
        if text.strip() == "":
            return ""
        if zone.network_type == "Basic":
            raise InvalidParameterValue("Can't add vlan range to a physical network in a Basic zone")
        ranges = parse_vlans(text)
        check_vlans(ranges, "VXLAN" if "VXLAN" in methods else "GRE" if "GRE" in methods else "VLAN")
        return join_vlans(ranges)

    def _check_used(self, physical: PhysicalNetwork, ranges: str) -> None:
        left, before = parse_vlans(ranges), parse_vlans(physical.vlan)
        for kept in self._guest_vlans.where("physical_network_id", physical.id):
            if not any(low <= kept.first and kept.last <= high for low, high in left):
                raise ResourceInUse(
                    f"VLANs {kept.first}-{kept.last} cannot be removed from physical network {physical.name}: "
                    "they are dedicated to an account"
                )
        for network in self._networks.where("physical_network_id", physical.id):
            number = vlan_number(network.vlan)
            if number is None or not any(low <= number <= high for low, high in before):
                continue
            if not any(low <= number <= high for low, high in left):
                raise ResourceInUse(
                    f"VLAN {number} cannot be removed from physical network {physical.name}: "
                    f"network {network.name} uses it"
                )

    # traffic types

    def add_traffic_type(
        self, physical: PhysicalNetwork, traffic_type: str, labels: Mapping[str, str] | None = None
    ) -> TrafficType:
        """Say that the physical network carries that traffic; `labels` by hypervisor (see LABELS)."""
        kind = _traffic(traffic_type)
        zone = self._zones[physical.zone_id]
        if self._traffic.find(("physical_network_id", "traffic_type"), (physical.id, kind)) is not None:
            raise InvalidParameterValue(
                f"Traffic type {kind} exists already in physical network {physical.name}"
            )
        if kind == "Public" and zone.network_type == "Basic" and not zone.security_groups:
            raise InvalidParameterValue("A Basic zone without security groups has no public traffic")
        if kind in _ONCE_IN_A_ZONE:
            for other in self._physical.where("zone_id", zone.id):
                if self._traffic.find(("physical_network_id", "traffic_type"), (other.id, kind)) is not None:
                    raise InvalidParameterValue(
                        f"Physical network {other.name} carries {kind} traffic already; "
                        "one physical network of a zone can"
                    )
        with self._store.transaction():
            return self._traffic.insert(
                TrafficType(
                    id=self._randomness.uuid(),
                    physical_network_id=physical.id,
                    traffic_type=kind,
                    labels={name: label for name, label in (labels or {}).items() if label},
                )
            )

    def update_traffic_type(self, traffic: TrafficType, labels: Mapping[str, str]) -> TrafficType:
        """Change labels; an empty one is removed."""
        merged = {**traffic.labels, **labels}
        with self._store.transaction():
            return self._traffic.update(
                traffic.id, labels={name: label for name, label in merged.items() if label}
            )

    def delete_traffic_type(self, traffic: TrafficType) -> None:
        """Take the traffic off its physical network, if no network and no address range there is of its kind."""
        unused: list[str] = []
        physical = self._physical[traffic.physical_network_id]
        if traffic.traffic_type == "Guest":
            unused = self._unused_networks(physical)
        if traffic.traffic_type == "Public" and any(
            row.public for row in self._ranges.where("physical_network_id", physical.id)
        ):
            raise CloudError(
                f"Traffic type Public cannot be deleted: physical network {physical.name} has public IP ranges"
            )
        with self._store.transaction():
            for network_id in unused:
                self._networks.delete(network_id)
            self._traffic.delete(traffic.id)


def _traffic(text: str) -> Traffic:
    for kind in get_args(Traffic):
        if text.lower() == kind.lower():
            found: Traffic = kind
            return found
    raise InvalidParameterValue(f"Unable to resolve Traffic Type {text}; use {', '.join(get_args(Traffic))}")


def _isolation(given: Sequence[str], basic: bool) -> tuple[str, ...]:
    if not given:
        return ("L3",) if basic else ("VLAN",)
    if len(given) > 1:
        raise InvalidParameterValue(
            "Only one isolationMethod can be specified for a physical network at this time"
        )
    for method in ISOLATION_METHODS:
        if given[0].strip().lower() == method.lower():
            return (method,)
    raise InvalidParameterValue(
        f"isolationmethods must be one of {', '.join(ISOLATION_METHODS)}, not {given[0]!r}"
    )
