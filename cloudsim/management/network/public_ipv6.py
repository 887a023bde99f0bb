"""Public IPv6 addresses of routers: each network or VPC with IPv6 has one, which stays the same as long as there is it."""

from __future__ import annotations

from ipaddress import IPv6Address

from cloudsim.errors import InsufficientAddressCapacity, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.ipv6_ranges import range_of
from cloudsim.management.network.public_ips import PublicIps
from cloudsim.model import Account, IpRange, Network, PublicIpv6, Vpc, Zone


class PublicIpv6s:
    """Gives and takes back. A router has it on its public NIC, so it is of a VLAN that has IPv4 addresses too."""

    def __init__(self, foundation: Foundation, public_ips: PublicIps) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._public_ips = public_ips
        self._table = foundation.table(PublicIpv6)
        self._ranges = foundation.table(IpRange)
        self._randomness = foundation.randomness.branch("public ipv6 addresses")

    def of(self, network: Network) -> PublicIpv6 | None:
        """The address that leads to the network: its own, or that of its VPC."""
        if network.vpc_id is not None:
            return self._table.find("vpc_id", network.vpc_id)
        return self._table.find("network_id", network.id)

    def check_free(self, owner: Account, zone: Zone) -> None:
        """Raise what stands against an address for a network or VPC of the account."""
        self._free(owner, zone)

    def _free(self, owner: Account, zone: Zone) -> tuple[IpRange, str]:
        ranges = self._public_ips.usable(owner, zone, ipv6=True)
        if not ranges:
            raise InvalidParameterValue(
                f"Zone {zone.name} has no public IPv6 range: an administrator has to create one"
            )
        wires = {(row.physical_network_id, row.vlan) for row in self._public_ips.usable(owner, zone)}
        beside = [row for row in ranges if (row.physical_network_id, row.vlan) in wires]
        if not beside:
            raise InvalidParameterValue(
                f"The public IPv6 ranges of zone {zone.name} are on VLANs without public IPv4 addresses: a router has "
                "both on one"
            )
        for row in beside:
            found = self._free_in(row)
            if found is not None:
                return row, found
        raise InsufficientAddressCapacity(
            f"Insufficient address capacity: the public IPv6 ranges of zone {zone.name} have no free address"
        )

    def _free_in(self, row: IpRange) -> str | None:
        """Chosen by chance, so that in a range of 64 bits the first try is free; then the next that is."""
        span = range_of(row)
        size = span.last - span.first + 1
        used = self._table.count("range_id", row.id)
        at = int.from_bytes(self._randomness.generator.bytes(16), "big") % size
        for offset in range(min(size, used + 2)):  # one more than are used, and the gateway
            address = str(IPv6Address(span.first + (at + offset) % size))
            taken = self._table.find(("zone_id", "ip"), (row.zone_id, address)) is not None
            if address != row.ip6_gateway and not taken:
                return address
        return None

    def take(
        self, owner: Account, zone: Zone, *, network: Network | None = None, vpc: Vpc | None = None
    ) -> PublicIpv6:
        """An address for the network's router, or the VPC's. Needs an open transaction."""
        row, address = self._free(owner, zone)
        return self._table.insert(
            PublicIpv6(
                id=self._randomness.uuid(),
                ip=address,
                zone_id=zone.id,
                range_id=row.id,
                account_id=owner.id,
                domain_id=owner.domain_id,
                network_id=network.id if network is not None else None,
                vpc_id=vpc.id if vpc is not None else None,
                allocated=self._foundation.now(),
            )
        )

    def release_network(self, network: Network) -> None:
        """The network goes. Needs an open transaction."""
        self._release(self._table.find("network_id", network.id))

    def release_vpc(self, vpc: Vpc) -> None:
        """The VPC goes. Needs an open transaction."""
        self._release(self._table.find("vpc_id", vpc.id))

    def _release(self, row: PublicIpv6 | None) -> None:
        if row is not None:
            self._table.delete(row.id)


def routes_to(network: Network, address: PublicIpv6 | None) -> list[dict[str, str]]:
    """What routers upstream have to know of the network: its subnet, and the address that leads there."""
    if network.ip6_cidr is None or address is None:
        return []
    return [{"subnet": network.ip6_cidr, "gateway": address.ip}]
