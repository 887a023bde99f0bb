"""NICs of instances: MAC and IP addresses, each given once."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from cloudsim.errors import InsufficientAddressCapacity, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.router_use import has_router
from cloudsim.management.network.security_rules import SecurityRules
from cloudsim.management.network.system_networks import SYSTEM_TRAFFIC, SystemNetworks
from cloudsim.management.network.vlans import isolation_of
from cloudsim.model import Network, NetworkOffering, Nic, PhysicalNetwork, VirtualMachine, Zone
from cloudsim.protocol.specs import NicSpec
from cloudsim.store import Change

ON_HOST = ("Dhcp", "Dns", "UserData")
"""What a host can do for the networks of its instances."""
ROUTERS = frozenset({"VirtualRouter", "VpcVirtualRouter"})
CONFIG_DRIVE = "ConfigDrive"
MAC_PREFIX = 0x02_00_00_00_00_00
"""MAC addresses are locally administered (IEEE 802), numbered from here."""


class _Addresses:
    """The addresses of one network: a cursor over the range, and what has come back."""

    def __init__(self, network: Network, used: set[str]) -> None:
        assert network.cidr is not None
        self.net = ipaddress.IPv4Network(network.cidr)
        first, last = int(self.net.network_address) + 1, int(self.net.broadcast_address) - 1
        if network.start_ip:
            first = int(ipaddress.IPv4Address(network.start_ip))
        if network.end_ip:
            last = int(ipaddress.IPv4Address(network.end_ip))
        self.first, self.last = first, last
        self.gateway = network.gateway
        self.used = used
        self._next = first

    def free(self) -> str | None:
        """The next free address after the one given last, round the range; None when all are taken."""
        for number in self._round():
            address = str(ipaddress.IPv4Address(number))
            if address not in self.used and address != self.gateway:
                self._next = number + 1
                return address
        return None

    def _round(self) -> Iterator[int]:
        start = self._next if self.first <= self._next <= self.last else self.first
        yield from range(start, self.last + 1)
        yield from range(self.first, start)

    def holds(self, address: str) -> bool:
        try:
            number = int(ipaddress.IPv4Address(address))
        except ValueError:
            return False
        return self.first <= number <= self.last


class Nics:
    """Gives and takes back addresses. What is given is what the Nic rows say: a change feed keeps count."""

    def __init__(self, foundation: Foundation, security_rules: SecurityRules) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._security_rules = security_rules
        self._nics = foundation.table(Nic)
        self._networks = foundation.table(Network)
        self._offerings = foundation.table(NetworkOffering)
        self._physical = foundation.table(PhysicalNetwork)
        self._zones = foundation.table(Zone)
        self._system_networks = SystemNetworks(foundation)
        self._randomness = foundation.randomness.branch("nics")
        self._pools: dict[str, _Addresses] = {}
        self._next_mac = MAC_PREFIX + 1
        for nic in self._nics:
            number = int(nic.mac.replace(":", ""), 16)
            if number < MAC_PREFIX + (1 << 32):  # others were chosen by callers
                self._next_mac = max(self._next_mac, number + 1)
        foundation.store.subscribe(self._changed, Nic, Network)

    def _changed(self, changes: list[Change]) -> None:
        for table, before, after in changes:
            if table is self._nics:
                if before is not None:
                    pool = self._pools.get(before.network_id)
                    if pool is not None:
                        pool.used.discard(before.ip)
                        pool.used.difference_update(ip for _, ip in before.secondary_ips)
                if after is not None:
                    pool = self._pools.get(after.network_id)
                    if pool is not None:
                        pool.used.add(after.ip)
                        pool.used.update(ip for _, ip in after.secondary_ips)
            elif table is self._networks:
                self._pools.pop((after or before).id, None)

    def _pool(self, network: Network) -> _Addresses:
        pool = self._pools.get(network.id)
        if pool is None:
            used: set[str] = set()
            for nic in self._nics.where("network_id", network.id):
                if nic.ip is not None:
                    used.add(nic.ip)
                used.update(ip for _, ip in nic.secondary_ips)
            pool = self._pools[network.id] = _Addresses(network, used)
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
            return None
        pool = self._pool(network)
        if wanted is None:
            free = pool.free()
            if free is None:
                raise InsufficientAddressCapacity(
                    f"Network {network.name} ({network.cidr}) has no free address"
                )
            return free
        if not pool.holds(wanted):
            raise InvalidParameterValue(f"ipaddress {wanted} is not in the range of network {network.name}")
        if wanted in pool.used or wanted == network.gateway:
            raise InvalidParameterValue(f"ipaddress {wanted} of network {network.name} is in use already")
        return wanted

    def allocate(
        self,
        vm: VirtualMachine,
        network: Network,
        *,
        ip: str | None = None,
        mac: str | None = None,
        default: bool = True,
        device: int = 0,
        reserved: bool = False,
    ) -> Nic:
        """Give the instance a NIC on the network. Needs an open transaction.

        `reserved`: `ip` is not one of those for guests but kept for this NIC, as a router's gateway address is.
        """
        address = ip if reserved else self.address(network, ip)
        made = mac is None
        while mac is None or (made and self._nics.find("mac", mac) is not None):  # a caller may have chosen it
            text = f"{self._next_mac:012x}"
            self._next_mac += 1
            mac = f"{text[:2]}:{text[2:4]}:{text[4:6]}:{text[6:8]}:{text[8:10]}:{text[10:]}"
        nic = self._nics.insert(
            Nic(
                id=self._randomness.uuid(),
                vm_id=vm.id,
                network_id=network.id,
                mac=mac,
                ip=address,
                device_id=device,
                is_default=default,
                created=self._foundation.now(),
            )
        )
        pool = self._pools.get(network.id)
        if pool is not None and address is not None:
            pool.used.add(address)  # seen at once by a second NIC of the same transaction
        return nic

    def release(self, vm: VirtualMachine) -> None:
        """Take back all the instance's NICs. Needs an open transaction."""
        for nic_id in list(self._nics.ids("vm_id", vm.id)):
            self._nics.delete(nic_id)

    def of(self, vm: VirtualMachine) -> list[Nic]:
        """The instance's NICs by device."""
        return sorted(self._nics.where("vm_id", vm.id), key=lambda nic: nic.device_id)

    def spec(self, nic: Nic) -> NicSpec:
        """The NIC as the host needs to know it."""
        network = self._networks[nic.network_id]
        if network.traffic_type in SYSTEM_TRAFFIC:
            return self._system_networks.spec(nic, network)
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
            offering.network_rate if offering is not None else None,
            isolation_of(physical),
            nic.is_default,
            tuple(ip for _, ip in nic.secondary_ips),
            self._host_services(nic, network, offering),
            tuple(filter(None, (zone.dns1, zone.dns2))) if zone is not None else (),
            network.network_domain or "",
            self._security_rules.of(nic),
            routed=network.guest_type == "Shared",
        )

    def _host_services(self, nic: Nic, network: Network, offering: NetworkOffering | None) -> tuple[str, ...]:
        """What the host itself is to serve to the card: nothing where a router does, or to a router."""
        if nic.ip is None or network.traffic_type != "Guest" or has_router(self._store, network, offering):
            return ()
        return host_services(offering)

    def wants_config_drive(self, vm: VirtualMachine) -> bool:
        """Whether one of the instance's networks leaves its user data to a config drive."""
        for nic in self._nics.where("vm_id", vm.id):
            offering = self._offerings.get(self._networks[nic.network_id].network_offering_id)
            if offering is not None and CONFIG_DRIVE in offering.services.get("UserData", ()):
                return True
        return False


def host_services(offering: NetworkOffering | None) -> tuple[str, ...]:
    """The services of the offering's networks that each host gives to its own instances."""
    if offering is None:
        return ()
    return tuple(name for name in ON_HOST if ROUTERS.intersection(offering.services.get(name, ())))
