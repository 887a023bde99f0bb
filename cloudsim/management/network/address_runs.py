"""A set of IPv4 addresses that changes one by one and is told as CIDRs, at a cost that goes by its runs, not its size."""

from __future__ import annotations

from collections.abc import Iterator

from sortedcontainers import SortedDict

from cloudsim.management.network.address_pool import text_of


class AddressRuns:
    """Addresses as numbers. One that was added several times leaves when it was removed as often."""

    __slots__ = ("_count", "_runs", "_told")

    def __init__(self) -> None:
        self._count: dict[int, int] = {}
        self._runs = SortedDict()  # the first address of each run -> the last one
        self._told: tuple[str, ...] | None = ()

    def __len__(self) -> int:
        return len(self._count)

    def add(self, number: int) -> None:
        known = self._count.get(number, 0)
        self._count[number] = known + 1
        if known:
            return
        self._told = None
        runs = self._runs
        place = runs.bisect_right(number)
        last = runs.pop(number + 1, number)  # the run that begins behind it becomes part of its own
        if place and runs.values()[place - 1] == number - 1:
            runs[runs.keys()[place - 1]] = last
        else:
            runs[number] = last

    def remove(self, number: int) -> None:
        """KeyError for one that is not there."""
        left = self._count[number] - 1
        if left:
            self._count[number] = left
            return
        del self._count[number]
        self._told = None
        runs = self._runs
        first = runs.keys()[runs.bisect_right(number) - 1]
        last = runs.pop(first)
        if first < number:
            runs[first] = number - 1
        if number < last:
            runs[number + 1] = last

    def cidrs(self) -> tuple[str, ...]:
        """The fewest CIDRs that are exactly these addresses, ascending."""
        if self._told is None:
            self._told = tuple(cidr for first, last in self._runs.items() for cidr in _cidrs(first, last))
        return self._told


def _cidrs(first: int, last: int) -> Iterator[str]:
    while first <= last:
        bits = 32 if first == 0 else (first & -first).bit_length() - 1  # as large as its first address allows
        bits = min(bits, (last - first + 1).bit_length() - 1)  # and as its last one does
        yield f"{text_of(first)}/{32 - bits}"
        first += 1 << bits
