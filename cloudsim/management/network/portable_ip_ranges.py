"""Ranges of portable public addresses: a region's, which belong to no zone."""

from __future__ import annotations

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.regions import LOCAL, Regions
from cloudsim.management.network.address_ranges import address_range
from cloudsim.management.network.quarantine import forget_range
from cloudsim.management.network.range_conflicts import RangeConflicts
from cloudsim.management.network.vlans import checked_tag
from cloudsim.model import PhysicalNetwork, PortableIpRange, PublicIp, TrafficType, Zone

LARGEST_RANGE = 65_536
"""So many addresses a range may have: each of them is listed with it."""


class PortableIpRanges:
    """Makes and removes them."""

    def __init__(self, foundation: Foundation, regions: Regions) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(PortableIpRange)
        self._ips = foundation.table(PublicIp)
        self._zones = foundation.table(Zone)
        self._physical = foundation.table(PhysicalNetwork)
        self._traffic = foundation.table(TrafficType)
        self._conflicts = RangeConflicts(foundation)
        self._regions = regions
        self._randomness = foundation.randomness.branch("portable ip ranges")

    def check_region(self, number: int) -> None:
        """Raise InvalidParameterValue unless it is the region that this cloud is: others keep their own addresses."""
        self._regions.find(number)
        if number != LOCAL:
            raise InvalidParameterValue(
                f"regionid {number} is another cloud's region: this one has the portable addresses of region {LOCAL}"
            )

    def create(
        self, *, region: int, start_ip: str, end_ip: str, gateway: str, netmask: str, vlan: str | None = None
    ) -> PortableIpRange:
        """A range, apart from all others of the cloud. Raises InvalidParameterValue for what it cannot be.

        Its VLAN may be one that public ranges of zones are on: only where it is, a router gets the range's addresses.
        """
        self.check_region(region)
        start_ip, end_ip, gateway, netmask = (text.strip() for text in (start_ip, end_ip, gateway, netmask))
        wanted = address_range(gateway, netmask, start_ip, end_ip)
        size = wanted.end - wanted.start + 1
        if size > LARGEST_RANGE:
            raise InvalidParameterValue(
                f"The range {start_ip}-{end_ip} has {size} addresses: a portable range has {LARGEST_RANGE} at most"
            )
        tag = checked_tag(vlan)
        words = (start_ip, end_ip, gateway)
        self._conflicts.check_apart(self._table, wanted, words, tag)
        for zone in self._zones:
            self._conflicts.check_public_overlap(zone, wanted, words, tag)
            for wire in self._physical.where("zone_id", zone.id):
                if (
                    self._traffic.find(("physical_network_id", "traffic_type"), (wire.id, "Public"))
                    is not None
                ):
                    self._conflicts.check_public_vlan(zone, wire, tag)
        with self._store.transaction():
            return self._table.insert(
                PortableIpRange(
                    id=self._randomness.uuid(),
                    region=region,
                    gateway=gateway,
                    netmask=netmask,
                    start_ip=start_ip,
                    end_ip=end_ip,
                    vlan=tag,
                    created=self._foundation.now(),
                )
            )

    def check_deletable(self, row: PortableIpRange) -> None:
        """Raise InvalidParameterValue while somebody has an address of it."""
        used = self._ips.count("range_id", row.id)
        if used:
            raise InvalidParameterValue(
                f"Can't delete portable IP range {row.start_ip}-{row.end_ip} as there are {used} IP's assigned to "
                "accounts or networks"
            )

    def delete(self, range_id: str) -> None:
        """Remove a range of which nobody has an address."""
        row = self._table[range_id]
        self.check_deletable(row)
        with self._store.transaction():
            forget_range(self._foundation, row.id)
            self._table.delete(row.id)

    def served(self, region: int) -> bool:
        """Whether the region has portable addresses."""
        return bool(self._table.count("region", region))
