"""What may not be true of an address range beside all others of the cloud, and who has addresses of it."""

from __future__ import annotations

from collections.abc import Iterable

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_pool import number_of
from cloudsim.management.network.address_ranges import AddressRange, address_range
from cloudsim.management.network.vlans import UNTAGGED, parse_vlans, vlan_number
from cloudsim.model import IpRange, Network, Nic, PhysicalNetwork, Pod, PortableIpRange, PublicIp, Zone


class RangeConflicts:
    """Checks of IPv4 ranges of a zone's public addresses, of portable ones and of shared networks."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._table = foundation.table(IpRange)
        self._portable = foundation.table(PortableIpRange)
        self._networks = foundation.table(Network)
        self._ips = foundation.table(PublicIp)

    # public ranges

    def check_public_vlan(self, zone: Zone, physical: PhysicalNetwork, vlan: str | None) -> None:
        """Raise InvalidParameterValue where guest networks have that VLAN of the wire, or may get it."""
        number = vlan_number(vlan)
        if number is None:
            return
        for low, high in parse_vlans(physical.vlan):
            if low <= number <= high:
                raise InvalidParameterValue(
                    f"The VLAN tag {number} is already being used for dynamic vlan allocation for the guest network "
                    f"in zone {zone.name}"
                )
        for network in self._networks.where("physical_network_id", physical.id):
            if network.traffic_type == "Guest" and vlan_number(network.vlan) == number:
                raise InvalidParameterValue(
                    f"The VLAN tag {number} is already used by guest network {network.name}"
                )

    def check_public_overlap(
        self,
        zone: Zone,
        wanted: AddressRange,
        words: tuple[str, str, str],
        vlan: str | None,
        itself: str | None = None,
    ) -> None:
        """Raise InvalidParameterValue where what is in the zone already contradicts a range of public addresses.

        `words`: its first and last address and its gateway. `itself`: the range that is being changed.
        """
        start, end, _ = words
        rows = self._table.where("zone_id", zone.id)
        others = [row for row in rows if row.public and row.start_ip and row.id != itself]
        self.check_apart(others, wanted, words, vlan)
        self.check_apart(self._portable, wanted, words, vlan)
        for pod in self._foundation.table(Pod).where("zone_id", zone.id):
            private = address_range(pod.gateway, pod.netmask, pod.start_ip, pod.end_ip)
            if wanted.range_overlaps(private):
                raise InvalidParameterValue(
                    f"The IP range {start}-{end} overlaps the management addresses of pod {pod.name}"
                )

    def check_apart(
        self,
        others: Iterable[IpRange | PortableIpRange],
        wanted: AddressRange,
        words: tuple[str, str, str],
        vlan: str | None,
    ) -> None:
        """Raise InvalidParameterValue where one of the others has such an address, or sees its subnet differently."""
        start, end, gateway = words
        for other in others:
            taken = address_range(other.gateway, other.netmask, other.start_ip, other.end_ip)
            _check_apart(wanted, (start, end), taken, (other.start_ip, other.end_ip))
            if not wanted.subnet_overlaps(taken):
                continue
            same_subnet = (taken.network, taken.broadcast) == (wanted.network, wanted.broadcast)
            if other.vlan != vlan or not same_subnet or other.gateway != gateway:
                raise InvalidParameterValue(
                    f"The subnet of the range {start}-{end} overlaps that of {other.start_ip}-{other.end_ip}, which has "
                    f"VLAN {other.vlan or UNTAGGED} and gateway {other.gateway}"
                )

    # ranges of shared networks

    def check_apart_in(
        self, network: Network, wanted: AddressRange, words: tuple[str, str], itself: str | None = None
    ) -> None:
        """Raise InvalidParameterValue where another range of a shared network has such an address.

        `words`: first and last address. `itself`: the range that is being changed.
        """
        gateway, netmask = str(network.gateway), str(network.netmask)
        for other in self._table.where("network_id", network.id):
            if other.id != itself and other.start_ip:
                taken = address_range(gateway, netmask, other.start_ip, other.end_ip)
                _check_apart(wanted, words, taken, (other.start_ip, other.end_ip))

    # who has addresses of one

    def check_used_within(self, row: IpRange, wanted: AddressRange) -> None:
        """Raise InvalidParameterValue where an address of the range that is in use is not among the wanted."""
        for number in self.used(row):
            if not wanted.start <= number <= wanted.end:
                raise InvalidParameterValue(
                    f"The new range must hold all addresses of {row.start_ip}-{row.end_ip} that are in use"
                )

    def used(self, row: IpRange) -> list[int]:
        """Numbers of the range's IPv4 addresses that somebody has."""
        if not row.start_ip:
            return []
        if row.public:
            return [number_of(ip.ip) for ip in self._ips.where("range_id", row.id)]
        span = address_range(row.gateway, row.netmask, row.start_ip, row.end_ip)
        used = []
        for nic in self._foundation.table(Nic).where("network_id", row.network_id):
            for ip in (nic.ip, *(address for _, address in nic.secondary_ips)):
                if ip is not None and span.start <= number_of(ip) <= span.end:
                    used.append(number_of(ip))
        return used


def _check_apart(
    wanted: AddressRange, words: tuple[str, str], taken: AddressRange, others: tuple[str, str]
) -> None:
    if wanted.range_overlaps(taken):
        raise InvalidParameterValue(
            f"The IP range {words[0]}-{words[1]} overlaps with the range {others[0]}-{others[1]}"
        )
