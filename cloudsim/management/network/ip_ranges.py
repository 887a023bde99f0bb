"""Address ranges of VLANs: a zone's public addresses, and those of shared guest networks."""

from __future__ import annotations

import ipaddress
from typing import Any

import msgspec

from cloudsim.errors import InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.network import ipv6_ranges
from cloudsim.management.network.address_ranges import AddressRange, address_range
from cloudsim.management.network.ipv6_ranges import Ipv6Ranges
from cloudsim.management.network.quarantine import forget_range
from cloudsim.management.network.range_conflicts import RangeConflicts
from cloudsim.management.network.vlans import UNTAGGED, checked_tag, vlan_number
from cloudsim.model import (
    Account,
    Domain,
    IpRange,
    Network,
    PhysicalNetwork,
    Pod,
    PublicIp,
    PublicIpv6,
    TrafficType,
    Zone,
)

NO_IPV4 = ("", "", "", "")
"""Gateway, netmask, first and last address of a range that has IPv6 addresses alone."""


class RangeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a new range is to be: of the shared network `network`, or public. `owner`, `domain`: dedicated to them."""

    start_ip: str | None
    end_ip: str | None = None
    gateway: str | None = None
    netmask: str | None = None
    vlan: str | None = None
    zone: Zone | None = None
    network: Network | None = None
    physical: PhysicalNetwork | None = None
    pod: Pod | None = None
    public: bool | None = None
    owner: Account | None = None
    domain: Domain | None = None
    for_system_vms: bool = False
    ip6_gateway: str | None = None
    ip6_cidr: str | None = None
    start_ip6: str | None = None
    end_ip6: str | None = None


class IpRanges:
    """Makes, changes, dedicates and removes ranges."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(IpRange)
        self._zones = foundation.table(Zone)
        self._networks = foundation.table(Network)
        self._physical = foundation.table(PhysicalNetwork)
        self._traffic = foundation.table(TrafficType)
        self._ips = foundation.table(PublicIp)
        self._conflicts = RangeConflicts(foundation)
        self._six = Ipv6Ranges(foundation)
        self._randomness = foundation.randomness.branch("ip ranges")

    # making

    def create(self, request: RangeRequest) -> IpRange:
        """A range. Raises InvalidParameterValue for what it cannot be."""
        six = ipv6_ranges.fields(request.ip6_gateway, request.ip6_cidr, request.start_ip6, request.end_ip6)
        if not request.start_ip and not six:
            raise InvalidParameterValue("StartIP or startIPv6 is missing in the parameters!")
        network = request.network
        if network is None or network.traffic_type == "Public":
            made = msgspec.structs.replace(self._public(request), **six)
            self._six.check_public(made.zone_id, six, made.vlan)
            with self._store.transaction():
                return self._table.insert(made)
        made = msgspec.structs.replace(self._of_network(request, network), **six)
        self._six.check_network(network, six)
        with self._store.transaction():
            if six:
                self._networks.update(network.id, ip6_cidr=made.ip6_cidr, ip6_gateway=made.ip6_gateway)
            if network.cidr is None:
                subnet = ipaddress.IPv4Network(f"{made.gateway}/{made.netmask}", strict=False)
                self._networks.update(
                    network.id, cidr=str(subnet), gateway=made.gateway, netmask=made.netmask
                )
            return self._table.insert(made)

    def _of_network(self, request: RangeRequest, network: Network) -> IpRange:
        if network.guest_type != "Shared":
            raise InvalidParameterValue(
                f"Can't create an IP range for network {network.name}: only shared networks have further ranges"
            )
        if request.public:
            raise InvalidParameterValue(
                f"forvirtualnetwork cannot be true for a range of guest network {network.name}"
            )
        if request.owner is not None or request.domain is not None or request.for_system_vms:
            raise InvalidParameterValue("Only public IP ranges can be dedicated or kept for system VMs")
        self._check_place(request, network.zone_id, network.physical_network_id)
        vlan = checked_tag(request.vlan, self._physical.get(network.physical_network_id))
        if request.vlan is not None and vlan_number(vlan) != vlan_number(network.vlan):
            raise InvalidParameterValue(
                f"vlan must be that of network {network.name}, {network.vlan or UNTAGGED}, not {request.vlan}"
            )
        addresses = NO_IPV4
        if request.start_ip:
            gateway, netmask = self._subnet(request, network)
            start, end = request.start_ip, request.end_ip or request.start_ip
            wanted = address_range(gateway, netmask, start, end)
            self._conflicts.check_apart_in(network, wanted, (start, end))
            addresses = (gateway, netmask, start, end)
        elif network.cidr is None:
            raise InvalidParameterValue(
                f"startip: network {network.name} has no IPv4 addresses, and networks with IPv6 ones alone are not supported"
            )
        return self._row(
            request,
            network.zone_id,
            addresses,
            vlan=network.vlan,
            physical_id=network.physical_network_id,
            network_id=network.id,
            public=False,
        )

    def _subnet(self, request: RangeRequest, network: Network) -> tuple[str, str]:
        """Gateway and netmask: the network's, or of one without a subnet what the request says."""
        if network.gateway is None or network.netmask is None:
            if not request.gateway or not request.netmask:
                raise InvalidParameterValue(
                    f"gateway and netmask must be given: network {network.name} has no subnet yet"
                )
            return request.gateway, request.netmask
        if request.gateway not in (None, network.gateway) or request.netmask not in (None, network.netmask):
            raise InvalidParameterValue(
                f"The range must be of the subnet of network {network.name}, gateway {network.gateway} and netmask "
                f"{network.netmask}: ranges of another subnet are not supported"
            )
        return network.gateway, network.netmask

    def _public(self, request: RangeRequest) -> IpRange:
        physical = self._public_wire(request)
        if request.public is False:
            raise InvalidParameterValue("Network Id is required for Direct vlan creation: give networkid")
        self._check_place(request, physical.zone_id, physical.id)
        zone = self._zones[physical.zone_id]
        vlan, addresses = checked_tag(request.vlan, physical), NO_IPV4
        self._conflicts.check_public_vlan(zone, physical, vlan)
        if request.start_ip:
            if not request.gateway or not request.netmask:
                raise InvalidParameterValue(
                    "Gateway, netmask and zoneId have to be passed in for virtual and direct untagged networks"
                )
            start, end = request.start_ip, request.end_ip or request.start_ip
            wanted = address_range(request.gateway, request.netmask, start, end)
            self._conflicts.check_public_overlap(zone, wanted, (start, end, request.gateway), vlan)
            addresses = (request.gateway, request.netmask, start, end)
        if request.owner is not None and request.for_system_vms:
            raise InvalidParameterValue("A range for system VMs cannot be dedicated to an account")
        return self._row(
            request,
            zone.id,
            addresses,
            vlan=vlan,
            physical_id=physical.id,
            network_id=None,
            public=True,
        )

    def _public_wire(self, request: RangeRequest) -> PhysicalNetwork:
        if request.physical is not None:
            if not self._carries_public(request.physical):
                raise InvalidParameterValue(
                    f"Physical network {request.physical.name} does not carry Public traffic"
                )
            return request.physical
        if request.zone is None:
            raise InvalidParameterValue("A public IP range needs zoneid or physicalnetworkid")
        for wire in self._physical.where("zone_id", request.zone.id):
            if self._carries_public(wire):
                return wire
        raise InvalidParameterValue(
            f"Unable to find physical network with traffic type Public in zone {request.zone.name}"
        )

    def _carries_public(self, physical: PhysicalNetwork) -> bool:
        key = ("physical_network_id", "traffic_type")
        return self._traffic.find(key, (physical.id, "Public")) is not None

    def _check_place(self, request: RangeRequest, zone_id: str, physical_id: str | None) -> None:
        if request.zone is not None and request.zone.id != zone_id:
            raise InvalidParameterValue(f"zoneid: zone {request.zone.name} is not where the range is to be")
        if request.physical is not None and request.physical.id != physical_id:
            raise InvalidParameterValue(
                f"physicalnetworkid: the network is not on physical network {request.physical.name}"
            )
        if request.pod is not None and request.pod.zone_id != zone_id:
            raise InvalidParameterValue(f"podid: pod {request.pod.name} is not in the zone of the range")

    def _row(
        self,
        request: RangeRequest,
        zone_id: str,
        addresses: tuple[str, str, str, str],
        *,
        vlan: str | None,
        physical_id: str | None,
        network_id: str | None,
        public: bool,
    ) -> IpRange:
        gateway, netmask, start, end = addresses
        domain_id = request.domain.id if request.domain is not None else None
        return IpRange(
            id=self._randomness.uuid(),
            zone_id=zone_id,
            gateway=gateway,
            netmask=netmask,
            start_ip=start,
            end_ip=end,
            physical_network_id=physical_id,
            network_id=network_id,
            pod_id=request.pod.id if request.pod is not None else None,
            vlan=vlan,
            public=public,
            account_id=request.owner.id if request.owner is not None else None,
            domain_id=request.owner.domain_id if request.owner is not None else domain_id,
            for_system_vms=request.for_system_vms,
            created=self._foundation.now(),
        )

    # changing

    def update(
        self,
        row: IpRange,
        *,
        gateway: str | None = None,
        netmask: str | None = None,
        start_ip: str | None = None,
        end_ip: str | None = None,
        for_system_vms: bool | None = None,
        ip6_gateway: str | None = None,
        ip6_cidr: str | None = None,
        start_ip6: str | None = None,
        end_ip6: str | None = None,
    ) -> IpRange:
        """Change what is given. Addresses in use must stay in the range."""
        changes: dict[str, Any] = {}
        if for_system_vms is not None:
            if not row.public or (for_system_vms and row.account_id is not None):
                raise InvalidParameterValue("forsystemvms is for public ranges that no account has")
            changes["for_system_vms"] = for_system_vms
        given = {"gateway": gateway, "netmask": netmask, "start_ip": start_ip, "end_ip": end_ip}
        addresses = {name: text for name, text in given.items() if text}
        own = self._own_of_network(row)
        sixes = dict(zip(ipv6_ranges.FIELDS, (ip6_gateway, ip6_cidr, start_ip6, end_ip6), strict=True))
        six: ipv6_ranges.Fields = {}
        if any(sixes.values()):
            six = ipv6_ranges.fields(*(text or getattr(row, name) for name, text in sixes.items()))
            self._six.check_change(row, six)
            changes |= six
        if addresses and not row.start_ip:
            raise InvalidParameterValue(f"The range {row.span} has no IPv4 addresses: make another for them")
        if addresses:
            after = msgspec.structs.replace(row, **addresses)
            wanted = address_range(after.gateway, after.netmask, after.start_ip, after.end_ip)
            self._conflicts.check_used_within(row, wanted)
            self._check_still_apart(row, after, wanted)
            changes |= addresses
        with self._store.transaction():
            if own is not None and addresses:
                self._networks.update(own.id, start_ip=after.start_ip, end_ip=after.end_ip)
            if six and row.network_id is not None:
                self._networks.update(row.network_id, ip6_cidr=six["ip6_cidr"], ip6_gateway=six["ip6_gateway"])
            return self._table.update(row.id, **changes)

    def _check_still_apart(self, row: IpRange, after: IpRange, wanted: AddressRange) -> None:
        if row.network_id is None:
            zone = self._zones[row.zone_id]
            words = (after.start_ip, after.end_ip, after.gateway)
            self._conflicts.check_public_overlap(zone, wanted, words, row.vlan, row.id)
            return
        network = self._networks[row.network_id]
        if (after.gateway, after.netmask) != (network.gateway, network.netmask):
            raise InvalidParameterValue(
                f"gateway and netmask are those of network {network.name}: they cannot be changed here"
            )
        self._conflicts.check_apart_in(network, wanted, (after.start_ip, after.end_ip), row.id)

    def _own_of_network(self, row: IpRange) -> Network | None:
        """The shared network whose first range this is: what its row says too."""
        network = self._networks.get(row.network_id)
        if network is not None and row.start_ip and (network.start_ip, network.end_ip) == (row.start_ip, row.end_ip):
            return network
        return None

    def delete(self, row: IpRange) -> None:
        """Remove a range of which nobody has an address."""
        used = len(self._conflicts.used(row))
        if used:
            raise ResourceInUse(
                f"Can't delete the IP range {row.span}: {used} of its addresses are in use"
            )
        self._six.check_removable(row)
        own = self._own_of_network(row)
        network = self._networks.get(row.network_id)
        with self._store.transaction():
            if own is not None:
                self._networks.update(own.id, start_ip=None, end_ip=None)
            forget_range(self._foundation, row.id)
            self._table.delete(row.id)
            left = self._table.where("network_id", row.network_id)
            if network is not None and row.ip6_cidr is not None and not any(each.ip6_cidr for each in left):
                self._networks.update(network.id, ip6_cidr=None, ip6_gateway=None)
            if network is not None and network.is_default and not left:
                self._networks.update(network.id, cidr=None, gateway=None, netmask=None)

    # dedication

    def dedicate(self, row: IpRange, owner: Account | None, domain: Domain) -> IpRange:
        """Let only that account, or that domain, have addresses of a public range."""
        if not row.public:
            raise InvalidParameterValue("Only public IP ranges can be dedicated")
        if row.for_system_vms:
            raise InvalidParameterValue("A range for system VMs cannot be dedicated to an account")
        if row.account_id is not None or row.domain_id is not None:
            raise InvalidParameterValue(
                f"Public IP range {row.span} has already been dedicated"
            )
        accounts = self._foundation.table(Account)
        sixes = self._foundation.table(PublicIpv6).where("range_id", row.id)
        used: list[PublicIp | PublicIpv6] = [*self._ips.where("range_id", row.id), *sixes]
        for ip in used:
            holder = accounts.get(ip.account_id)
            mine = owner is not None and ip.account_id == owner.id
            if not mine and (owner is not None or holder is None or holder.domain_id != domain.id):
                raise InvalidParameterValue(
                    f"Public IP address {ip.ip} of the range is in use by another account"
                )
        with self._store.transaction():
            return self._table.update(
                row.id, account_id=owner.id if owner is not None else None, domain_id=domain.id
            )

    def release(self, row: IpRange) -> None:
        """Give a dedicated range back to everyone. Addresses that are in use stay so."""
        if row.account_id is None and row.domain_id is None:
            raise InvalidParameterValue(
                f"Can't release Public IP range {row.span} as it is not dedicated to any domain "
                "and any account"
            )
        with self._store.transaction():
            self._table.update(row.id, account_id=None, domain_id=None)


def first_range(network: Network, range_id: str, six: ipv6_ranges.Fields) -> IpRange:
    """The range of a new shared network, of the addresses that its row says and these IPv6 ones."""
    made = IpRange(
        id=range_id,
        zone_id=network.zone_id,
        gateway=network.gateway or "",
        netmask=network.netmask or "",
        start_ip=network.start_ip or "",
        end_ip=network.end_ip or "",
        physical_network_id=network.physical_network_id,
        network_id=network.id,
        vlan=network.vlan,
        public=False,
        created=network.created,
    )
    return msgspec.structs.replace(made, **six)
