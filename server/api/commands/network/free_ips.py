"""Public addresses that nobody has, in the lists of those that somebody has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from cloudsim.management.identity import visibility
from cloudsim.management.network.address_pool import number_of, text_of
from cloudsim.model import (
    IpRange,
    PublicIp,
    Zone,
)
from server.api.command import Call, Listed
from server.api.commands.network.public_ip_view import FreeIp
from server.api.listing import Paging


class Wanted(NamedTuple):
    """What a list call asks for of addresses, in use or free."""

    state: str | None
    ip: str | None
    zone_id: str | None
    range_id: str | None
    physical_network_id: str | None
    system_ranges: bool | None

    def row(self, ip: PublicIp, ranges: Any, wire_of: Callable[[str], str | None]) -> bool:
        found = ranges.get(ip.range_id)
        if ip.portable and self.physical_network_id not in (None, wire_of(ip.zone_id)):
            return False
        return (
            (self.state is None or ip.state.lower() == self.state)
            and (self.ip is None or ip.ip == self.ip)
            and (found is None or self.range(found))
        )

    def range(self, row: IpRange) -> bool:
        return (
            row.public
            and bool(row.start_ip)
            and (self.zone_id is None or row.zone_id == self.zone_id)
            and (self.range_id is None or row.id == self.range_id)
            and (self.physical_network_id is None or row.physical_network_id == self.physical_network_id)
            and (self.system_ranges is None or row.for_system_vms == self.system_ranges)
        )


def free_alone(call: Call, address: FreeIp, allocatedonly: bool) -> Listed:
    if allocatedonly or not may_see(call, address.range):
        return Listed([], 0)
    return Listed([address], 1)


def may_see(call: Call, row: IpRange) -> bool:
    """Whether free addresses of the range are shown to the caller: those that its account could acquire."""
    if call.caller.is_root_admin:
        return True
    zone = call.store.table(Zone)[row.zone_id]
    if not visibility.may(call.store, call.caller, zone, operate=False):
        return False
    return any(each.id == row.id for each in call.manager.public_ips.usable(call.caller.account, zone))


def and_free(call: Call, found: Listed, wanted: Wanted, page: Paging) -> Listed:
    """After the addresses in use, those that are free, as far as the page shows them."""
    ips = call.store.table(PublicIp)
    ranges = [row for row in call.store.table(IpRange) if wanted.range(row) and may_see(call, row)]
    if page.keyword is not None or wanted.ip is not None:
        free = [ip for ip in _free(call, ranges) if _named(ip, wanted.ip, page.keyword)]
        start = max(page.start - found.total, 0)
        end = None if page.size is None else start + page.size - len(found.rows)
        return Listed([*found.rows, *free[start:end]], found.total + len(free))
    total = 0
    for row in ranges:
        size, used = call.manager.public_ips.count(row)
        total += size - used
    start = max(page.start - found.total, 0)
    end = None if page.size is None else start + page.size - len(found.rows)
    shown: list[FreeIp] = []
    for row in ranges:
        size, used = call.manager.public_ips.count(row)
        left = size - used
        if start < left and (end is None or end > 0):
            taken = sorted(number_of(ip.ip) for ip in ips.where("range_id", row.id))
            shown += islice(_gaps(row, taken, start), None if end is None else end - start)
        start, end = max(start - left, 0), None if end is None else max(end - left, 0)
    return Listed([*found.rows, *shown], found.total + total)


def _named(ip: FreeIp, wanted: str | None, keyword: str | None) -> bool:
    text = text_of(ip.number)
    return (wanted is None or text == wanted) and (keyword is None or keyword in text)


def _free(call: Call, ranges: list[IpRange]) -> Iterator[FreeIp]:
    ips = call.store.table(PublicIp)
    for row in ranges:
        yield from _gaps(row, sorted(number_of(ip.ip) for ip in ips.where("range_id", row.id)), 0)


def _gaps(row: IpRange, taken: list[int], skip: int) -> Iterator[FreeIp]:
    """The addresses of the range between those `taken` (ascending), without the first `skip` of them."""
    at = number_of(row.start_ip)
    for end in (*taken, number_of(row.end_ip) + 1):
        passed = min(skip, end - at)
        skip -= passed
        for number in range(at + passed, end):
            yield FreeIp(row, number)
        at = end + 1
