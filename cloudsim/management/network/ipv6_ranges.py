"""IPv6 addresses of ranges: what a public range or a shared network's may have, apart from all others."""

from __future__ import annotations

from ipaddress import IPv6Network

from cloudsim.errors import InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.ipv6_addresses import Ipv6Range, checked_address, ipv6_range
from cloudsim.model import GuestIpv6Prefix, IpRange, Network, NetworkOffering, Nic, PublicIpv6

FIELDS = ("ip6_gateway", "ip6_cidr", "start_ip6", "end_ip6")
Fields = dict[str, str | None]
"""The four fields of a range by these names."""


def range_of(row: IpRange) -> Ipv6Range:
    """What a row gives out, which has IPv6 addresses."""
    return ipv6_range(row.ip6_gateway or "", row.ip6_cidr or "", row.start_ip6, row.end_ip6)


def fields(gateway: str | None, cidr: str | None, first: str | None, last: str | None) -> Fields:
    """The fields in their usual form; {} where nothing is given. InvalidParameterValue says what does not fit."""
    if not any((gateway, cidr, first, last)):
        return {}
    if not gateway or not cidr:
        raise InvalidParameterValue(
            "ip6gateway and ip6cidr should be defined when startipv6/endipv6 are passed in"
        )
    found = ipv6_range(gateway, cidr, first or None, last or None)
    return {
        "ip6_gateway": checked_address(gateway, "ip6gateway"),
        "ip6_cidr": str(found.subnet),
        "start_ip6": checked_address(first, "startipv6") if first else None,
        "end_ip6": checked_address(last or first, "endipv6") if first else None,
    }


class Ipv6Ranges:
    """Checks what ranges are to have, against what there is."""

    def __init__(self, foundation: Foundation) -> None:
        self._ranges = foundation.table(IpRange)
        self._prefixes = foundation.table(GuestIpv6Prefix)
        self._networks = foundation.table(Network)
        self._offerings = foundation.table(NetworkOffering)
        self._nics = foundation.table(Nic)
        self._addresses = foundation.table(PublicIpv6)

    # public ones

    def check_public(self, zone_id: str, wanted: Fields, vlan: str | None, itself: str | None = None) -> None:
        """Raise InvalidParameterValue where what is in the zone contradicts a public range's IPv6 addresses."""
        if not wanted:
            return
        self.check_apart(zone_id, wanted, vlan, itself)

    def check_apart(
        self,
        zone_id: str,
        wanted: Fields,
        vlan: str | None,
        itself: str | None = None,
        network_id: str | None = None,
    ) -> None:
        """Raise InvalidParameterValue where a range, network or prefix of the zone has such addresses, or sees the
        subnet differently. `network_id`: the network that the range is of."""
        mine = _of(wanted)
        for row in self._ranges.where("zone_id", zone_id):
            if row.ip6_cidr is None or row.id == itself:
                continue
            other = range_of(row)
            if not mine.subnet.overlaps(other.subnet):
                continue
            same = (row.ip6_gateway, row.ip6_cidr, row.vlan, row.network_id)
            if same != (wanted["ip6_gateway"], wanted["ip6_cidr"], vlan, network_id):
                raise InvalidParameterValue(
                    f"ip6cidr {mine.subnet} overlaps {row.ip6_cidr} of the range {row.span}, which has gateway "
                    f"{row.ip6_gateway} and VLAN {row.vlan or 'untagged'}"
                )
            if mine.overlaps(other):
                raise InvalidParameterValue(
                    f"The IPv6 addresses of the range overlap with those of {row.span}"
                )
        for prefix in self._prefixes.where("zone_id", zone_id):
            if mine.subnet.overlaps(IPv6Network(prefix.prefix)):
                raise InvalidParameterValue(
                    f"ip6cidr {mine.subnet} overlaps {prefix.prefix}, a prefix of the zone's guest networks"
                )

    # those of shared networks

    def check_network(self, network: Network, wanted: Fields, itself: str | None = None) -> None:
        """As `check_public`, for a range of the shared network."""
        if not wanted:
            return
        check_shared(self._offerings.get(network.network_offering_id))
        known = (network.ip6_gateway, network.ip6_cidr)
        others = any(
            row.ip6_cidr and row.id != itself for row in self._ranges.where("network_id", network.id)
        )
        if others and known != (wanted["ip6_gateway"], wanted["ip6_cidr"]):
            raise InvalidParameterValue(
                f"ip6gateway and ip6cidr must be those of network {network.name}, {known[0]} and {known[1]}"
            )
        self.check_apart(network.zone_id, wanted, network.vlan, itself, network.id)

    def used(self, row: IpRange) -> list[str]:
        """The range's addresses that somebody has: routers, or cards that asked for one."""
        if row.ip6_cidr is None:
            return []
        if row.public:
            return [each.ip for each in self._addresses.where("range_id", row.id)]
        own = range_of(row)
        nics = self._nics.where("network_id", row.network_id)
        return [nic.ip6 for nic in nics if nic.ip6 is not None and own.holds(nic.ip6)]

    def check_change(self, row: IpRange, wanted: Fields) -> None:
        """Raise what stands against giving a range these addresses instead of those it has."""
        if row.public:
            self.check_public(row.zone_id, wanted, row.vlan, row.id)
        else:
            self.check_network(self._networks[str(row.network_id)], wanted, row.id)
            if row.ip6_cidr is not None and row.ip6_cidr != wanted.get("ip6_cidr"):
                self._check_unused(row)
        for address in self.used(row):
            if not wanted or not _of(wanted).holds(address):
                raise InvalidParameterValue(
                    f"The new range must hold all addresses of {row.span} that are in use, such as {address}"
                )

    def check_removable(self, row: IpRange) -> None:
        """Raise ResourceInUse where somebody has IPv6 addresses of the range."""
        used = len(self.used(row))
        if used:
            raise ResourceInUse(
                f"Can't delete the IP range {row.span}: {used} of its IPv6 addresses are in use"
            )
        if row.ip6_cidr is not None and not row.public:
            self._check_unused(row)

    def _check_unused(self, row: IpRange) -> None:
        """The last range with IPv6 addresses of a network takes those that its cards made themselves with it."""
        others = self._ranges.where("network_id", row.network_id)
        if any(each.ip6_cidr and each.id != row.id for each in others):
            return
        if self._nics.count("network_id", row.network_id):
            raise ResourceInUse(
                f"Can't take the IPv6 subnet {row.ip6_cidr} from its network: instances on it have addresses of it"
            )


def check_shared(offering: NetworkOffering | None) -> None:
    """Raise InvalidParameterValue where the hosts would let no IPv6 through to instances of such a network."""
    if offering is not None and "SecurityGroup" in offering.services:
        raise InvalidParameterValue(
            "ip6cidr: IPv6 is not supported on networks with security groups, whose hosts let IPv4 alone through"
        )


def _of(wanted: Fields) -> Ipv6Range:
    return ipv6_range(
        wanted["ip6_gateway"] or "", wanted["ip6_cidr"] or "", wanted["start_ip6"], wanted["end_ip6"]
    )
