"""IPv6 prefixes of zones: each guest network with IPv6 gets a subnet of 64 bits of one of them, and gives it back."""

from __future__ import annotations

from ipaddress import IPv6Network
from typing import NamedTuple

from cloudsim.errors import InsufficientAddressCapacity, InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_pool import AddressPool
from cloudsim.management.network.ipv6_addresses import SUBNET, checked_prefix
from cloudsim.model import GuestIpv6Prefix, GuestIpv6Subnet, IpRange, Network, Zone
from cloudsim.store import Change

SHORTEST = 16
"""The prefix length of the largest prefix."""


class Subnet6(NamedTuple):
    """A network's IPv6 addresses: such as 2001:db8::/64, and its gateway, the first of them."""

    cidr: str
    gateway: str


class GuestIpv6Prefixes:
    """Makes and removes prefixes; gives and takes back subnets."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(GuestIpv6Prefix)
        self._subnets = foundation.table(GuestIpv6Subnet)
        self._ranges = foundation.table(IpRange)
        self._randomness = foundation.randomness.branch("guest ipv6 prefixes")
        self._pools: dict[str, AddressPool] = {}
        foundation.store.subscribe(self._changed, GuestIpv6Prefix, GuestIpv6Subnet)

    def _changed(self, changes: list[Change]) -> None:
        for table, before, after in changes:
            if table is self._table:
                self._pools.pop((after or before).id, None)
                continue
            pool = self._pools.get((after or before).prefix_id)
            if pool is not None and before is None:
                pool.took(after.number)
            elif pool is not None and after is None:
                pool.gave_back(before.number)

    def _pool(self, row: GuestIpv6Prefix) -> AddressPool:
        pool = self._pools.get(row.id)
        if pool is None:
            key = ("prefix_id", "number")
            pool = self._pools[row.id] = AddressPool(
                [(0, self.size(row) - 1)],
                lambda number: self._subnets.find(key, (row.id, number)) is not None,
                (subnet.number for subnet in self._subnets.where("prefix_id", row.id)),
            )
        return pool

    # prefixes

    def create(self, zone: Zone, text: str) -> GuestIpv6Prefix:
        """A prefix of the zone. Raises InvalidParameterValue for what is none, or what the zone has already."""
        wanted = checked_prefix(text, "prefix")
        if zone.network_type == "Basic":
            raise InvalidParameterValue(
                f"prefix: Basic zone {zone.name} has no networks that could get a subnet"
            )
        if not SHORTEST <= wanted.prefixlen <= SUBNET:
            raise InvalidParameterValue(
                f"prefix {wanted} must have a prefix length of {SHORTEST} to {SUBNET}: networks get {SUBNET} bits"
            )
        for other in self._table.where("zone_id", zone.id):
            if wanted.overlaps(IPv6Network(other.prefix)):
                raise InvalidParameterValue(f"prefix {wanted} overlaps {other.prefix} of zone {zone.name}")
        for row in self._ranges.where("zone_id", zone.id):
            if row.ip6_cidr is not None and wanted.overlaps(IPv6Network(row.ip6_cidr)):
                raise InvalidParameterValue(
                    f"prefix {wanted} overlaps {row.ip6_cidr} of an IP range of zone {zone.name}"
                )
        with self._store.transaction():
            return self._table.insert(
                GuestIpv6Prefix(
                    id=self._randomness.uuid(),
                    zone_id=zone.id,
                    prefix=str(wanted),
                    created=self._foundation.now(),
                )
            )

    def check_deletable(self, row: GuestIpv6Prefix) -> None:
        """Raise ResourceInUse where networks have subnets of the prefix."""
        used = self.used(row)
        if used:
            raise ResourceInUse(
                f"Can't delete the IPv6 prefix {row.prefix}: networks have {used} subnets of it"
            )

    def delete(self, prefix_id: str) -> None:
        """Remove a prefix of which no network has a subnet."""
        row = self._table.get(prefix_id)
        if row is not None:
            self.check_deletable(row)
            with self._store.transaction():
                self._table.delete(row.id)

    def size(self, row: GuestIpv6Prefix) -> int:
        """How many subnets the prefix has."""
        return 1 << (SUBNET - IPv6Network(row.prefix).prefixlen)

    def used(self, row: GuestIpv6Prefix) -> int:
        """How many of them networks have."""
        return self._subnets.count("prefix_id", row.id)

    # subnets

    def check_free(self, zone: Zone) -> None:
        """Raise what stands against giving a network of the zone a subnet."""
        self._with_room(zone)

    def _with_room(self, zone: Zone) -> GuestIpv6Prefix:
        prefixes = self._table.where("zone_id", zone.id)
        if not prefixes:
            raise InvalidParameterValue(
                f"Zone {zone.name} has no IPv6 prefix for guest networks: an administrator has to create one"
            )
        for row in prefixes:
            if self.used(row) < self.size(row):
                return row
        raise InsufficientAddressCapacity(
            f"Insufficient address capacity: the IPv6 prefixes of zone {zone.name} have no subnet left"
        )

    def take(self, zone: Zone, network_id: str) -> Subnet6:
        """A subnet for the network, its until `release`. Needs an open transaction."""
        row = self._with_room(zone)
        number = self._pool(row).free()
        assert number is not None
        self._subnets.insert(
            GuestIpv6Subnet(
                id=self._randomness.uuid(), prefix_id=row.id, number=number, network_id=network_id
            )
        )
        start = int(IPv6Network(row.prefix)[0]) + (number << SUBNET)
        subnet = IPv6Network((start, SUBNET))
        return Subnet6(str(subnet), str(subnet[1]))

    def release(self, network: Network) -> None:
        """The network goes, and its subnet, if it has one, is free. Needs an open transaction."""
        subnet = self._subnets.find("network_id", network.id)
        if subnet is not None:
            self._subnets.delete(subnet.id)
