"""Public addresses: acquired by accounts for their networks and VPCs, taken by the zone's own system VMs, given back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cloudsim.errors import (
    InsufficientAddressCapacity,
    InvalidParameterValue,
    PermissionDenied,
    ResourceInUse,
)
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import in_subtree
from cloudsim.management.identity.limits import Limits
from cloudsim.management.network.address_pool import AddressPool, joined, number_of, text_of
from cloudsim.management.network.pod_ips import PodIps
from cloudsim.management.network.quarantine import IpQuarantine
from cloudsim.management.network.vlans import UNTAGGED
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.model import (
    Account,
    Domain,
    IpRange,
    Network,
    Pod,
    PodIp,
    PortableIpRange,
    PublicIp,
    PublicIpv6,
    Vpc,
    Zone,
)
from cloudsim.store import Change, Store

_NUMBER_DIGITS = 8
AnyRange = IpRange | PortableIpRange
"""What public addresses are of: a zone's range, or a region's."""


def range_of_ip(store: Store, ip: PublicIp) -> AnyRange | None:
    """The range that the address is of."""
    return store.table(PortableIpRange).get(ip.range_id) if ip.portable else store.table(IpRange).get(ip.range_id)


def public_ip_id(row: AnyRange, number: int) -> str:
    """The id that an address of the range has whenever it is in use: the range's, ending in the address's number."""
    return f"{row.id[:-_NUMBER_DIGITS]}{number:0{_NUMBER_DIGITS}x}"


def address_of_id(store: Store, wanted: str) -> tuple[IpRange, int] | None:
    """The range and number of the public address, free or in use, that has this id; None if there is none."""
    start, digits = wanted[:-_NUMBER_DIGITS], wanted[-_NUMBER_DIGITS:]
    for row in store.table(IpRange):
        if row.public and row.start_ip and row.id[:-_NUMBER_DIGITS] == start:
            try:
                number = int(digits, 16)
            except ValueError:
                return None
            if number_of(row.start_ip) <= number <= number_of(row.end_ip):
                return row, number
    return None


def _same_wire(row: AnyRange, other: AnyRange | None) -> bool:
    """Whether one NIC reaches the addresses of both ranges. Portable ones come on any wire with public traffic."""
    if other is None:
        return True
    wires = {each.physical_network_id for each in (row, other) if isinstance(each, IpRange)}
    return row.vlan == other.vlan and len(wires) <= 1


def _number(wanted: str) -> int:
    try:
        return number_of(wanted.strip())
    except ValueError:
        raise InvalidParameterValue(f"ipaddress {wanted!r} is not a valid IP address") from None


class PublicIps:
    """Gives and takes back public addresses. Those that are free have no row."""

    def __init__(self, foundation: Foundation, limits: Limits) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._limits = limits
        self._table = foundation.table(PublicIp)
        self._ranges = foundation.table(IpRange)
        self._pools: dict[str, AddressPool] = {}
        self.pod_ips = PodIps(foundation)
        self.quarantine = IpQuarantine(foundation)
        limits.counters["public_ip"] = lambda store, owner: store.table(PublicIp).count("account_id", owner)
        self._portable = foundation.table(PortableIpRange)
        foundation.store.subscribe(self._changed, PublicIp, IpRange, PortableIpRange)

    def _changed(self, changes: list[Change]) -> None:
        for table, before, after in changes:
            if table is not self._table:
                self._pools.pop((after or before).id, None)
                continue
            pool = self._pools.get((after or before).range_id)
            if pool is not None and before is None:
                pool.took(number_of(after.ip))
            elif pool is not None and after is None:
                pool.gave_back(number_of(before.ip))

    def _pool(self, row: AnyRange) -> AddressPool:
        pool = self._pools.get(row.id)
        if pool is None:
            pool = self._pools[row.id] = AddressPool(
                joined([(number_of(row.start_ip), number_of(row.end_ip))]),
                lambda number: self._withheld(public_ip_id(row, number)),
                (number_of(ip.ip) for ip in self._table.where("range_id", row.id)),
            )
        return pool

    def _withheld(self, ip_id: str) -> bool:
        """Whether nobody is to be given the address unasked: it is in use, or in quarantine."""
        return ip_id in self._table or self.quarantine.holds(ip_id)

    # giving

    def acquire(
        self,
        owner: Account,
        zone: Zone,
        *,
        network: Network | None = None,
        vpc: Vpc | None = None,
        wanted: str | None = None,
        source_nat: bool = False,
        display: bool = True,
        state: Any = "Allocated",
    ) -> PublicIp:
        """A free address of the zone, or `wanted`, for the account; of ranges dedicated to it first.

        A network's or VPC's addresses are all on one VLAN: its router has one NIC there. Within the caller's transaction
        or its own. Raises InsufficientAddressCapacity, ResourceAllocationFailed for the account's limit, and what stands
        against an address that is wanted.
        """
        found = self._chosen(owner, zone, wanted, self.beside(network, vpc))
        use = {"source_nat": source_nat, "display": display, "state": state}
        return self._take(found, owner, zone, network, vpc, **use)

    def acquire_portable(
        self,
        owner: Account,
        zone: Zone,
        *,
        network: Network | None = None,
        vpc: Vpc | None = None,
        wanted: str | None = None,
        display: bool = True,
        state: Any = "Allocated",
    ) -> PublicIp:
        """As `acquire`, for a portable address."""
        beside = self.beside(network, vpc)
        if wanted is not None:
            found = self._wanted_portable(wanted)
            self.check_portable(found[0], owner, zone, beside)
        else:
            found = self._chosen_portable(owner, zone, beside)
        return self._take(found, owner, zone, network, vpc, display=display, state=state)

    def _take(
        self,
        found: tuple[AnyRange, int],
        owner: Account,
        zone: Zone,
        network: Network | None,
        vpc: Vpc | None,
        **use: Any,
    ) -> PublicIp:
        row, number = found
        ip_id = public_ip_id(row, number)
        self.quarantine.check(ip_id, text_of(number), owner)
        self._limits.check(owner, "public_ip")
        with self._store.transaction():
            self.quarantine.end_for(ip_id)
            return self._table.insert(
                PublicIp(
                    id=ip_id,
                    ip=text_of(number),
                    zone_id=zone.id,
                    range_id=row.id,
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                    network_id=network.id if network is not None else None,
                    vpc_id=vpc.id if vpc is not None else None,
                    allocated=self._foundation.now(),
                    portable=isinstance(row, PortableIpRange),
                    **use,
                )
            )

    def _chosen(
        self, owner: Account, zone: Zone, wanted: str | None, beside: AnyRange | None
    ) -> tuple[IpRange, int]:
        if wanted is not None:
            found = self._wanted(owner, zone, wanted)
            self.check_beside(found[0], beside)
            return found
        for row in self.usable(owner, zone):
            number = self._pool(row).free() if _same_wire(row, beside) else None
            if number is not None:
                return row, number
        where = (
            ""
            if beside is None
            else f" on VLAN {beside.vlan or UNTAGGED}, where the other addresses of the router are"
        )
        raise InsufficientAddressCapacity(
            f"Insufficient address capacity: zone {zone.name} has no free public IP address{where}"
        )

    def _chosen_portable(self, owner: Account, zone: Zone, beside: AnyRange | None) -> tuple[AnyRange, int]:
        if not len(self._portable):
            raise InvalidParameterValue("isportable: this region has no portable IP range")
        for row in self._portable:
            number = self._pool(row).free() if self._reaches(row, owner, zone, beside) else None
            if number is not None:
                return row, number
        raise InsufficientAddressCapacity(
            "Insufficient address capacity: no portable IP address is free on a VLAN that the router in zone "
            f"{zone.name} has its public addresses on"
        )

    def _wanted_portable(self, wanted: str) -> tuple[AnyRange, int]:
        number = _number(wanted)
        for row in self._portable:
            if number_of(row.start_ip) <= number <= number_of(row.end_ip):
                if public_ip_id(row, number) in self._table:
                    raise InvalidParameterValue(f"ipaddress {wanted} is in use already")
                return row, number
        raise InvalidParameterValue(f"ipaddress {wanted} is not a portable address")

    def _reaches(self, row: AnyRange, owner: Account, zone: Zone, beside: AnyRange | None) -> bool:
        """Whether the range's addresses can be a router's: beside those it has, or that it may get in the zone."""
        if beside is not None:
            return _same_wire(row, beside)
        return any(_same_wire(row, each) for each in self.usable(owner, zone))

    def check_portable(self, row: AnyRange, owner: Account, zone: Zone, beside: AnyRange | None) -> None:
        """Raise InvalidParameterValue unless the portable range's addresses can be the account's router's there."""
        self.check_beside(row, beside)
        if not self._reaches(row, owner, zone, beside):
            raise InvalidParameterValue(
                f"The portable range {row.start_ip}-{row.end_ip} is on VLAN {row.vlan or UNTAGGED}, on which zone "
                f"{zone.name} has no public addresses: addresses on several VLANs are not supported"
            )

    def beside(self, network: Network | None, vpc: Vpc | None) -> AnyRange | None:
        """A range of which the network, or its VPC, has an address already; the zone's own rather than a portable one."""
        vpc_id = vpc.id if vpc is not None else network.vpc_id if network is not None else None
        if vpc_id is not None:
            ids = self._table.ids("vpc_id", vpc_id)
        else:
            ids = self._table.ids("network_id", network.id) if network is not None else ()
        portable = None
        for ip_id in ids:
            ip = self._table[ip_id]
            if not ip.portable:
                return self._ranges.get(ip.range_id)
            portable = portable or range_of_ip(self._store, ip)
        return portable or self._beside_ipv6(network, vpc_id)

    def _beside_ipv6(self, network: Network | None, vpc_id: str | None) -> IpRange | None:
        """The range of the router's IPv6 address, which is on the same NIC."""
        table = self._foundation.table(PublicIpv6)
        if vpc_id is not None:
            found = table.find("vpc_id", vpc_id)
        else:
            found = table.find("network_id", network.id) if network is not None else None
        return None if found is None else self._ranges.get(found.range_id)

    def check_beside(self, row: AnyRange, beside: AnyRange | None) -> None:
        """Raise InvalidParameterValue unless addresses of both ranges can be one router's."""
        if not _same_wire(row, beside):
            assert beside is not None
            raise InvalidParameterValue(
                f"The range {row.start_ip}-{row.end_ip} is on VLAN {row.vlan or UNTAGGED}, and the other addresses of the "
                f"router on VLAN {beside.vlan or UNTAGGED}: addresses on several VLANs are not supported"
            )

    def usable(self, owner: Account, zone: Zone, *, ipv6: bool = False) -> list[IpRange]:
        """The zone's ranges that the account may have addresses of: those dedicated to it, to its domain, to nobody.

        With IPv4 addresses, or instead with IPv6 ones.
        """
        ranges = [
            row
            for row in self._ranges.where("zone_id", zone.id)
            if row.public
            and (row.ip6_cidr if ipv6 else row.start_ip)
            and not row.for_system_vms
            and self._may_have(owner, row)
        ]
        own = [row for row in ranges if row.account_id is not None]
        settings = self._foundation.settings
        if own and not settings.boolean("use.system.public.ips", "Account", owner.id):
            return own
        return sorted(ranges, key=lambda row: (row.account_id is None, row.domain_id is None))

    def _may_have(self, owner: Account, row: IpRange) -> bool:
        if row.account_id is not None:
            return row.account_id == owner.id
        return row.domain_id is None or in_subtree(self._store, owner.domain_id, row.domain_id)

    def _wanted(self, owner: Account, zone: Zone, wanted: str) -> tuple[IpRange, int]:
        number = _number(wanted)
        found = self.range_of(zone, number)
        if found is None:
            raise InvalidParameterValue(f"ipaddress {wanted} is not a public address of zone {zone.name}")
        if found not in self.usable(owner, zone):
            raise PermissionDenied(f"ipaddress {wanted} is of a range that account {owner.name} cannot use")
        if self._table.find(("zone_id", "ip"), (zone.id, text_of(number))) is not None:
            raise InvalidParameterValue(f"ipaddress {wanted} is in use already")
        return found, number

    def range_of(self, zone: Zone, number: int) -> IpRange | None:
        """The public range of the zone that the address is in."""
        for row in self._ranges.where("zone_id", zone.id):
            if row.public and row.start_ip and number_of(row.start_ip) <= number <= number_of(row.end_ip):
                return row
        return None

    def take_for_system(self, zone: Zone, account: Account | None = None) -> PublicIp:
        """An address for a system VM of the zone's own; of ranges kept for such first, of dedicated ones never."""
        account = account or self._system_account()
        ranges = [
            row
            for row in self._ranges.where("zone_id", zone.id)
            if row.public and row.start_ip and row.account_id is None and row.domain_id is None
        ]
        for row in sorted(ranges, key=lambda row: not row.for_system_vms):
            number = self._pool(row).free()
            if number is not None:
                with self._store.transaction():
                    return self._table.insert(
                        PublicIp(
                            id=public_ip_id(row, number),
                            ip=text_of(number),
                            zone_id=zone.id,
                            range_id=row.id,
                            account_id=account.id,
                            domain_id=account.domain_id,
                            system=True,
                            allocated=self._foundation.now(),
                        )
                    )
        raise InsufficientAddressCapacity(
            f"Insufficient address capacity: zone {zone.name} has no free public IP address for a system VM"
        )

    def _system_account(self) -> Account:
        root = self._foundation.table(Domain).find("path", "ROOT")
        found = None
        if root is not None:
            found = self._foundation.table(Account).find(("domain_id", "name"), (root.id, "system"))
        if found is None:
            raise InvalidParameterValue("this cloud has no system account yet")
        return found

    # changing and giving back

    def update(self, ip: PublicIp, **changes: Any) -> PublicIp:
        """Change fields of an address in use."""
        with self._store.transaction():
            return self._table.update(ip.id, **changes)

    def release(self, ip: PublicIp) -> None:
        """Give an address back, with its tags. What uses it must be gone. Within a transaction or its own."""
        with self._store.transaction():
            remove_leftovers(self._foundation, ip.id)
            self.quarantine.begin(ip)
            self._table.delete(ip.id)

    def release_all(self, ips: Iterable[PublicIp]) -> None:
        """Give back the addresses of something that goes, a network or a VPC."""
        with self._store.transaction():
            for ip in list(ips):
                self.release(ip)

    def source_nat_of(self, place: Network | Vpc) -> PublicIp | None:
        """The address that the guests of a VPC, or of a network or of its VPC, are seen as outside."""
        vpc_id = place.id if isinstance(place, Vpc) else place.vpc_id
        ips = (
            self._table.where("network_id", place.id)
            if vpc_id is None
            else self._table.where("vpc_id", vpc_id)
        )
        return next((ip for ip in ips if ip.source_nat), None)

    def count(self, row: IpRange) -> tuple[int, int]:
        """How many addresses a public range has, and how many are in use."""
        pool = self._pool(row)
        return pool.size, self._table.count("range_id", row.id)

    # reserving: in use without a network

    def reserve(self, owner: Account, row: IpRange, number: int, *, display: bool = True) -> PublicIp:
        """Take that very address for the account, for no network yet."""
        zone = self._foundation.table(Zone)[row.zone_id]
        return self.acquire(owner, zone, wanted=text_of(number), display=display, state="Reserved")

    def end_reservation(self, ip: PublicIp) -> None:
        """Give a reserved address back. Raises ResourceInUse for one that is used."""
        if ip.state != "Reserved":
            raise ResourceInUse(
                f"Public IP address {ip.ip} is {ip.state}, not Reserved: disassociate it instead"
            )
        self.release(ip)

    # management addresses of pods

    def take_pod_ip(self, pod: Pod, vm_id: str) -> PodIp:
        """See PodIps.take."""
        return self.pod_ips.take(pod, vm_id)

    def release_pod_ips(self, vm_id: str) -> None:
        """See PodIps.release_of."""
        self.pod_ips.release_of(vm_id)
