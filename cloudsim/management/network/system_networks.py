"""The networks that NICs of system VMs are on, one for each zone and kind of traffic; and those NICs as hosts see them."""

from __future__ import annotations

from typing import Literal

from cloudsim.management.foundation import Foundation
from cloudsim.model import IpRange, Network, Nic, PhysicalNetwork, Pod, PodIp, PublicIp, TrafficType, Zone
from cloudsim.protocol.specs import NicSpec

SystemTraffic = Literal["Public", "Management"]
SYSTEM_TRAFFIC = frozenset({"Public", "Management"})


class SystemNetworks:
    """Networks without an address range of their own: addresses come from the zone's public ranges and its pods."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._networks = foundation.table(Network)
        self._ips = foundation.table(PublicIp)
        self._ranges = foundation.table(IpRange)
        self._pods = foundation.table(Pod)
        self._pod_ips = foundation.table(PodIp)
        self._randomness = foundation.randomness.branch("system networks")

    def of(self, zone: Zone, traffic: SystemTraffic, account_id: str) -> Network:
        """The zone's network for that traffic, made if there is none. Needs an open transaction."""
        for network in self._networks.where(("zone_id", "traffic_type"), (zone.id, traffic)):
            return network
        return self._networks.insert(
            Network(
                id=self._randomness.uuid(),
                name=f"{traffic.lower()}-{zone.name}",
                display_text=f"{traffic} network of zone {zone.name}",
                zone_id=zone.id,
                network_offering_id="",
                account_id=account_id,
                domain_id="",
                physical_network_id=self._wire(zone, traffic),
                guest_type="Shared",
                traffic_type=traffic,
                acl_type="Domain",
                state="Setup",
                created=self._foundation.now(),
            )
        )

    def _wire(self, zone: Zone, traffic: SystemTraffic) -> str | None:
        carried = self._foundation.table(TrafficType)
        for wire in self._foundation.table(PhysicalNetwork).where("zone_id", zone.id):
            if any(each.traffic_type == traffic for each in carried.where("physical_network_id", wire.id)):
                return wire.id
        return None

    def spec(self, nic: Nic, network: Network) -> NicSpec:
        """A NIC on one of these networks, as the host needs to know it."""
        gateway = netmask = vlan = None
        zone = self._foundation.table(Zone)[network.zone_id]
        servers = (zone.internal_dns1, zone.internal_dns2)
        if network.traffic_type == "Public":
            ip = self._ips.find(("zone_id", "ip"), (network.zone_id, nic.ip))
            found = self._ranges.get(ip.range_id) if ip is not None else None
            servers = (zone.dns1, zone.dns2)
            if found is not None:
                gateway, netmask, vlan = found.gateway, found.netmask, found.vlan
        else:
            for pod_ip in self._pod_ips.where("vm_id", nic.vm_id):
                pod = self._pods.get(pod_ip.pod_id)
                if pod_ip.ip == nic.ip and pod is not None:
                    gateway, netmask = pod.gateway, pod.netmask
        return NicSpec(
            nic.id,
            nic.mac,
            nic.network_id,
            nic.device_id,
            nic.ip,
            netmask,
            gateway,
            vlan,
            default=nic.is_default,
            dns=tuple(server for server in servers if server),
            traffic="Public" if network.traffic_type == "Public" else "Management",
        )
