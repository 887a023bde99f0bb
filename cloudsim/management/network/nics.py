"""NICs of instances: MAC and IP addresses, each given once."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from cloudsim.errors import InsufficientAddressCapacity, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_pool import AddressPool, Span, joined, number_of, text_of
from cloudsim.management.network.ipv6_addresses import address_of_mac, checked_address, mac_of_address
from cloudsim.management.network.ipv6_ranges import range_of
from cloudsim.management.network.router_use import has_router
from cloudsim.management.network.security_rules import SecurityRules
from cloudsim.management.network.system_networks import SYSTEM_TRAFFIC, SystemNetworks
from cloudsim.management.network.vlans import isolation_of
from cloudsim.model import (
    IpRange,
    LoadBalancerRule,
    Network,
    NetworkOffering,
    Nic,
    PhysicalNetwork,
    ServiceOffering,
    VirtualMachine,
    Zone,
)
from cloudsim.protocol.specs import NicSpec
from cloudsim.store import Change, Table

ON_HOST = ("Dhcp", "Dns", "UserData")
"""What a host can do for the networks of its instances."""
ROUTERS = frozenset({"VirtualRouter", "VpcVirtualRouter"})
CONFIG_DRIVE = "ConfigDrive"
MAC_PREFIX = 0x02_00_00_00_00_00
"""MAC addresses are locally administered (IEEE 802), numbered from here."""


class _Addresses:
    """The addresses of one network that NICs can have: its own and those of its further ranges.

    Those that internal load balancers have, or will have with their first member, are none of them.
    """

    def __init__(
        self,
        network: Network,
        ranges: list[IpRange],
        nics: Table[Nic],
        balancers: Table[LoadBalancerRule],
    ) -> None:
        self._network_id = network.id
        self._nics = nics
        self._balancers = balancers
        self.secondary: set[str] = set()
        in_use = []
        for nic in nics.where("network_id", network.id):
            if nic.ip is not None:
                in_use.append(nic.ip)
            self.secondary.update(ip for _, ip in nic.secondary_ips)
        spans = [(number_of(each.start_ip), number_of(each.end_ip)) for each in ranges if each.start_ip]
        spans += _own_span(network, bool(spans))
        kept = [number_of(each) for each in (network.gateway, network.router_ip) if each is not None]
        taken = map(number_of, (*in_use, *self.secondary))
        self.pool = AddressPool(joined(spans, kept), self.taken, taken)

    def taken(self, number: int) -> bool:
        """Whether a NIC has the address, as its first one or another, or an internal load balancer."""
        text = text_of(number)
        return (
            text in self.secondary
            or self._nics.find(("network_id", "ip"), (self._network_id, text)) is not None
            or self._balancers.count(("source_network_id", "source_ip"), (self._network_id, text)) > 0
        )

    def took(self, nic: Nic) -> None:
        if nic.ip is not None:
            self.pool.took(number_of(nic.ip))
        for _, ip in nic.secondary_ips:
            self.secondary.add(ip)
            self.pool.took(number_of(ip))

    def gave_back(self, nic: Nic) -> None:
        if nic.ip is not None:
            self.pool.gave_back(number_of(nic.ip))
        for _, ip in nic.secondary_ips:
            self.secondary.discard(ip)
            self.pool.gave_back(number_of(ip))


def _own_span(network: Network, has_ranges: bool) -> list[Span]:
    """What the network's row says: a part of its subnet, or all of it; of a shared one only what it was given.

    A zone's default network gives all of its subnet until it has ranges.
    """
    if network.start_ip is not None and network.end_ip is not None:
        return [(number_of(network.start_ip), number_of(network.end_ip))]
    if network.cidr is None or (network.guest_type == "Shared" and (has_ranges or not network.is_default)):
        return []
    net = ipaddress.IPv4Network(network.cidr)
    return [(int(net.network_address) + 1, int(net.broadcast_address) - 1)]


class Nics:
    """Gives and takes back addresses. What is given is what the Nic rows say: a change feed keeps count."""

    def __init__(self, foundation: Foundation, security_rules: SecurityRules) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._security_rules = security_rules
        self._nics = foundation.table(Nic)
        self._networks = foundation.table(Network)
        self._ranges = foundation.table(IpRange)
        self._balancers = foundation.table(LoadBalancerRule)
        self._offerings = foundation.table(NetworkOffering)
        self._vms = foundation.table(VirtualMachine)
        self._service_offerings = foundation.table(ServiceOffering)
        self._settings = foundation.settings
        self._physical = foundation.table(PhysicalNetwork)
        self._zones = foundation.table(Zone)
        self.system_networks = SystemNetworks(foundation)
        self._randomness = foundation.randomness.branch("nics")
        self._pools: dict[str, _Addresses] = {}
        self._secondary: dict[str, str] = {}
        self._next_mac = MAC_PREFIX + 1
        for nic in self._nics:
            self._secondary.update((each, nic.id) for each, _ in nic.secondary_ips)
            number = int(nic.mac.replace(":", ""), 16)
            if number < MAC_PREFIX + (1 << 32):  # others were chosen by callers
                self._next_mac = max(self._next_mac, number + 1)
        foundation.store.subscribe(self._changed, Nic, Network, IpRange)

    def _changed(self, changes: list[Change]) -> None:
        for table, before, after in changes:
            if table is self._nics:
                if before is not None:
                    for each, _ in before.secondary_ips:
                        self._secondary.pop(each, None)
                if after is not None:
                    self._secondary.update((each, after.id) for each, _ in after.secondary_ips)
                if before is not None and (pool := self._pools.get(before.network_id)) is not None:
                    pool.gave_back(before)
                if after is not None and (pool := self._pools.get(after.network_id)) is not None:
                    pool.took(after)
            elif table is self._networks:
                if before is not None and (after is None or _addresses_of(before) != _addresses_of(after)):
                    self._pools.pop(before.id, None)
            else:
                self._pools.pop((after or before).network_id, None)

    def _pool(self, network: Network) -> _Addresses:
        pool = self._pools.get(network.id)
        if pool is None:
            ranges = self._ranges.where("network_id", network.id)
            pool = self._pools[network.id] = _Addresses(network, ranges, self._nics, self._balancers)
        return pool

    def address(self, network: Network, wanted: str | None = None) -> str | None:
        """A free address of the network, or `wanted` if it is one; None on a network without addresses.

        Raises InsufficientAddressCapacity or InvalidParameterValue. The address is taken when a Nic has it.
        """
        if network.cidr is None:
            if wanted is not None:
                raise InvalidParameterValue(
                    f"Network {network.name} has no addresses, so ipaddress cannot be {wanted}"
                )
            if network.guest_type == "Shared" and network.traffic_type == "Guest":
                raise InsufficientAddressCapacity(f"Network {network.name} has no IP range")
            return None
        pool = self._pool(network)
        if wanted is None:
            free = pool.pool.free()
            if free is None:
                raise InsufficientAddressCapacity(
                    f"Network {network.name} ({network.cidr}) has no free address"
                )
            return text_of(free)
        try:
            number = number_of(wanted)
        except ValueError:
            raise InvalidParameterValue(f"ipaddress {wanted!r} is not a valid IP address") from None
        if wanted in (network.gateway, network.router_ip) or pool.taken(number):
            raise InvalidParameterValue(f"ipaddress {wanted} of network {network.name} is in use already")
        if not pool.pool.holds(number):
            raise InvalidParameterValue(f"ipaddress {wanted} is not in the range of network {network.name}")
        return wanted

    def check_address6(self, network: Network, wanted: str) -> str:
        """The IPv6 address in its usual form. Raises InvalidParameterValue unless a NIC can get it on the network."""
        address = checked_address(wanted, "ip6address")
        if network.ip6_cidr is None or network.guest_type != "Shared":
            raise InvalidParameterValue(
                f"ip6address {address} cannot be asked for on network {network.name}: "
                + ("its instances make theirs themselves" if network.ip6_cidr else "it has no IPv6 addresses")
            )
        rows = self._ranges.where("network_id", network.id)
        if not any(row.ip6_cidr is not None and range_of(row).holds(address) for row in rows):
            raise InvalidParameterValue(f"ip6address {address} is not in the range of network {network.name}")
        maker = self._nics.find("mac", mac_of_address(address))
        if (
            address == network.ip6_gateway
            or self._nics.find(("network_id", "ip6"), (network.id, address)) is not None
            or (maker is not None and maker.network_id == network.id)
        ):
            raise InvalidParameterValue(f"ip6address {address} of network {network.name} is in use already")
        return address

    def address6(self, nic: Nic, network: Network) -> str | None:
        """The NIC's IPv6 address: the one that was asked for, else what its guest makes of its MAC; None: it has none.

        Routers have others: that of the network's gateway, and one outside.
        """
        if network.ip6_cidr is None or nic.ip is None:
            return None
        vm = self._vms.get(nic.vm_id)
        if vm is None or vm.type != "User":
            return None
        return nic.ip6 or address_of_mac(network.ip6_cidr, nic.mac)

    def allocate(
        self,
        vm: VirtualMachine,
        network: Network,
        *,
        ip: str | None = None,
        ip6: str | None = None,
        mac: str | None = None,
        default: bool = True,
        device: int = 0,
        reserved: bool = False,
        dhcp_options: Mapping[str, str] | None = None,
    ) -> Nic:
        """Give the instance a NIC on the network. Needs an open transaction.

        `reserved`: `ip` is not one of those for guests but kept for this NIC, as a router's gateway address is.
        """
        address = ip if reserved else self.address(network, ip)
        address6 = None if ip6 is None else self.check_address6(network, ip6)
        made = mac is None
        while mac is None or (
            made and self._nics.find("mac", mac) is not None
        ):  # a caller may have chosen it
            text = f"{self._next_mac:012x}"
            self._next_mac += 1
            mac = f"{text[:2]}:{text[2:4]}:{text[4:6]}:{text[6:8]}:{text[8:10]}:{text[10:]}"
        return self._nics.insert(
            Nic(
                id=self._randomness.uuid(),
                vm_id=vm.id,
                network_id=network.id,
                mac=mac,
                ip=address,
                device_id=device,
                is_default=default,
                created=self._foundation.now(),
                dhcp_options=dict(dhcp_options or {}),
                ip6=address6,
            )
        )

    def release(self, vm: VirtualMachine) -> None:
        """Take back all the instance's NICs. Needs an open transaction."""
        for nic_id in list(self._nics.ids("vm_id", vm.id)):
            self._nics.delete(nic_id)

    def of(self, vm: VirtualMachine) -> list[Nic]:
        """The instance's NICs by device."""
        return sorted(self._nics.where("vm_id", vm.id), key=lambda nic: nic.device_id)

    def with_secondary(self, secondary_id: str) -> Nic:
        """The NIC that has the secondary address of that id. Raises InvalidParameterValue."""
        nic = self._nics.get(self._secondary.get(secondary_id))
        if nic is None:
            raise InvalidParameterValue(f"Unable to find the secondary IP address {secondary_id}")
        return nic

    def spec(self, nic: Nic) -> NicSpec:
        """The NIC as the host needs to know it."""
        network = self._networks[nic.network_id]
        if network.traffic_type in SYSTEM_TRAFFIC:
            return self.system_networks.spec(nic, network)
        offering = self._offerings.get(network.network_offering_id)
        physical = self._physical.get(network.physical_network_id)
        zone = self._zones.get(network.zone_id)
        return NicSpec(
            nic.id,
            nic.mac,
            nic.network_id,
            nic.device_id,
            nic.ip,
            network.netmask,
            network.gateway,
            network.vlan,
            self.rate_mbit(nic, network),
            isolation_of(physical),
            nic.is_default,
            tuple(ip for _, ip in nic.secondary_ips),
            self._host_services(nic, network, offering),
            _name_servers(network, zone),
            network.network_domain or "",
            self._security_rules.of(nic),
            routed=network.guest_type == "Shared",
            dhcp_options=nic.dhcp_options,
            ip6=(own6 := self.address6(nic, network)),
            gateway6=None if own6 is None else network.ip6_gateway,
        )

    def rate_mbit(self, nic: Nic, network: Network) -> int | None:
        """Mbit/s that the card may send and receive, None for any: of the instance's offering for its default network."""
        if network.traffic_type != "Guest":
            return None
        vm = self._vms.get(nic.vm_id)
        service = None
        if vm is not None and vm.type == "User" and nic.is_default:
            service = self._service_offerings.get(vm.service_offering_id)
        if service is not None:
            rate, setting = service.network_rate, "vm.network.throttling.rate"
        else:
            offering = self._offerings.get(network.network_offering_id)
            rate, setting = None if offering is None else offering.network_rate, "network.throttling.rate"
        if rate is None:
            rate = self._settings.integer(setting, "Zone", network.zone_id)
        return rate if rate > 0 else None

    def _host_services(self, nic: Nic, network: Network, offering: NetworkOffering | None) -> tuple[str, ...]:
        """What the host itself is to serve to the card: nothing where a router does, or to a router."""
        if nic.ip is None or network.traffic_type != "Guest" or has_router(self._store, network, offering):
            return ()
        external = self._settings.boolean("use.external.dns", "Zone", network.zone_id)
        return tuple(name for name in host_services(offering) if not (external and name == "Dns"))

    def wants_config_drive(self, vm: VirtualMachine) -> bool:
        """Whether one of the instance's networks leaves its user data to a config drive."""
        for nic in self._nics.where("vm_id", vm.id):
            offering = self._offerings.get(self._networks[nic.network_id].network_offering_id)
            if offering is not None and CONFIG_DRIVE in offering.services.get("UserData", ()):
                return True
        return False


def _name_servers(network: Network, zone: Zone | None) -> tuple[str, ...]:
    """The network's own, or else the zone's."""
    own = tuple(filter(None, (network.dns1, network.dns2)))
    return own or (() if zone is None else tuple(filter(None, (zone.dns1, zone.dns2))))


def host_services(offering: NetworkOffering | None) -> tuple[str, ...]:
    """The services of the offering's networks that each host gives to its own instances."""
    if offering is None:
        return ()
    return tuple(name for name in ON_HOST if ROUTERS.intersection(offering.services.get(name, ())))


def _addresses_of(network: Network) -> tuple[object, ...]:
    return network.cidr, network.start_ip, network.end_ip, network.gateway, network.is_default
