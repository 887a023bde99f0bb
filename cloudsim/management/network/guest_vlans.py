"""VLAN ids of guest networks: which are left, and which of them only one account's networks get."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from cloudsim.errors import InsufficientCapacity, InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.vlans import parse_vlans, vlan_number
from cloudsim.model import Account, GuestVlanRange, Network, PhysicalNetwork


class GuestVlan(NamedTuple):
    """An id that guest networks may have, and the network that has it."""

    physical: PhysicalNetwork
    number: int
    network: Network | None
    dedicated: GuestVlanRange | None


class GuestVlans:
    """The ids of all physical networks."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(GuestVlanRange)
        self._networks = foundation.table(Network)
        self._physical = foundation.table(PhysicalNetwork)
        self._accounts = foundation.table(Account)
        self._randomness = foundation.randomness.branch("guest vlans")

    def free(self, network: Network) -> str | None:
        """An id for the network, of those kept for its account first; None on a wire that has no ids.

        Raises InsufficientCapacity.
        """
        physical = self._physical.get(network.physical_network_id)
        if physical is None or not physical.vlan:
            return None
        kept = self._table.where("physical_network_id", physical.id)
        used = {vlan_number(n.vlan) for n in self._networks.where("physical_network_id", physical.id)}
        used |= {  # those in which cards are that have not moved on yet
            vlan_number(each.move.vlan)
            for each in self._networks.where("zone_id", network.zone_id)
            if each.move is not None and each.move.physical_network_id == physical.id
        }
        mine = [(row.first, row.last) for row in kept if row.account_id == network.account_id]
        others = _without(parse_vlans(physical.vlan), [(row.first, row.last) for row in kept])
        for low, high in (*sorted(mine), *others):
            for number in range(low, high + 1):
                if number not in used:
                    return str(number)
        raise InsufficientCapacity(
            f"Physical network {physical.name} has no VLAN left for network {network.name}"
        )

    def dedicate(self, physical: PhysicalNetwork, owner: Account, text: str) -> GuestVlanRange:
        """Keep ids, `first-last`, for the account. Those that other accounts' networks have cannot be."""
        spans = parse_vlans(text)
        if len(spans) != 1:
            raise InvalidParameterValue(f"Invalid format for parameter value vlan {text!r}: use first-last")
        first, last = spans[0]
        if not any(low <= first and last <= high for low, high in parse_vlans(physical.vlan)):
            raise InvalidParameterValue(
                f"Unable to find guest vlan by range {text}: physical network {physical.name} has {physical.vlan or 'none'}"
            )
        for row in self._table.where("physical_network_id", physical.id):
            if row.first <= last and first <= row.last:
                raise InvalidParameterValue(
                    f"Guest vlan range {text} overlaps {row.first}-{row.last}, which is dedicated already"
                )
        for network in self._networks.where("physical_network_id", physical.id):
            number = vlan_number(network.vlan)
            if number is not None and first <= number <= last and network.account_id != owner.id:
                raise ResourceInUse(
                    f"VLAN {number} of the range is in use by network {network.name}, which another account owns"
                )
        with self._store.transaction():
            return self._table.insert(
                GuestVlanRange(
                    id=self._randomness.uuid(),
                    physical_network_id=physical.id,
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                    first=first,
                    last=last,
                )
            )

    def release(self, row: GuestVlanRange) -> None:
        """Let every account's networks have the ids again."""
        with self._store.transaction():
            self._table.delete(row.id)

    async def release_of(self, account: Account) -> None:
        """The account goes: what was kept for it is for everyone."""
        for row in self._table.where("account_id", account.id):
            self.release(row)

    # which there are

    def count(self, physical: PhysicalNetwork) -> int:
        """How many ids guest networks on the wire may have."""
        return sum(high - low + 1 for low, high in parse_vlans(physical.vlan))

    def of(self, physical: PhysicalNetwork, start: int = 0, size: int | None = None) -> Iterator[GuestVlan]:
        """The ids of the wire ascending, from the `start`-th on, `size` of them or all."""
        state = self._state(physical)
        for low, high in parse_vlans(physical.vlan):
            skipped = min(start, high - low + 1)
            start -= skipped
            for number in range(low + skipped, high + 1):
                if size is not None:
                    if size <= 0:
                        return
                    size -= 1
                yield state(number)

    def used(self, physical: PhysicalNetwork) -> list[GuestVlan]:
        """The ids of the wire that networks have, ascending."""
        state = self._state(physical)
        numbers = {vlan_number(n.vlan) for n in self._networks.where("physical_network_id", physical.id)}
        return [
            state(number) for number in sorted(n for n in numbers if n is not None and self._has(physical, n))
        ]

    def one(self, physical: PhysicalNetwork, number: int) -> GuestVlan | None:
        """That id, if guest networks on the wire may have it."""
        return self._state(physical)(number) if self._has(physical, number) else None

    def _has(self, physical: PhysicalNetwork, number: int) -> bool:
        return any(low <= number <= high for low, high in parse_vlans(physical.vlan))

    def _state(self, physical: PhysicalNetwork) -> Callable[[int], GuestVlan]:
        networks = {vlan_number(n.vlan): n for n in self._networks.where("physical_network_id", physical.id)}
        kept = self._table.where("physical_network_id", physical.id)

        def state(number: int) -> GuestVlan:
            dedicated = next((row for row in kept if row.first <= number <= row.last), None)
            return GuestVlan(physical, number, networks.get(number), dedicated)

        return state


def _without(spans: list[tuple[int, int]], cut: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ids of `spans` that are not in `cut`."""
    for first, last in cut:
        left = []
        for low, high in spans:
            left += [
                part
                for part in ((low, min(high, first - 1)), (max(low, last + 1), high))
                if part[0] <= part[1]
            ]
        spans = left
    return spans
