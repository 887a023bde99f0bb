"""Gives addresses of some ranges, each to one taker at a time, without a search over those that are taken."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Iterable

Span = tuple[int, int]
"""The first and the last address of a run, as numbers."""


def number_of(address: str) -> int:
    """The number of an IPv4 address. ValueError for what is none."""
    return int(ipaddress.IPv4Address(address))


def text_of(number: int) -> str:
    """The IPv4 address of that number."""
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def joined(spans: Iterable[Span], without: Iterable[int] = ()) -> list[Span]:
    """The spans ascending and disjoint, with the addresses `without` cut out."""
    whole: list[Span] = []
    for first, last in sorted(span for span in spans if span[0] <= span[1]):
        if whole and first <= whole[-1][1] + 1:
            whole[-1] = (whole[-1][0], max(last, whole[-1][1]))
        else:
            whole.append((first, last))
    for gap in sorted(set(without)):
        whole = [
            part
            for first, last in whole
            for part in (((first, gap - 1), (gap + 1, last)) if first <= gap <= last else ((first, last),))
            if part[0] <= part[1]
        ]
    return whole


class AddressPool:
    """The addresses of `spans` (see `joined`): first those never given, in their order, then those given back longest ago.

    `taken(number)` says what is in use now, transactions that are open included; `in_use` are those in use at first.
    `took` and `gave_back` tell of what has been committed. An address that was shown and then not taken, since its
    transaction failed, comes up again when no other is left.
    """

    def __init__(self, spans: list[Span], taken: Callable[[int], bool], in_use: Iterable[int] = ()) -> None:
        self._spans = spans
        self._taken = taken
        self.size = sum(last - first + 1 for first, last in spans)
        self.in_use = sum(1 for number in in_use if self.holds(number))
        self._returned: OrderedDict[int, None] = OrderedDict()
        self._restart()

    def _restart(self) -> None:
        self._span = 0
        self._next = self._spans[0][0] if self._spans else 0
        self._returned.clear()

    def holds(self, number: int) -> bool:
        """Whether the number is one of the pool's."""
        return any(first <= number <= last for first, last in self._spans)

    def free(self) -> int | None:
        """An address that nobody has; None when all are taken."""
        found = self._search()
        if found is None and self.in_use < self.size:
            self._restart()
            found = self._search()
        return found

    def _search(self) -> int | None:
        while self._span < len(self._spans):
            number, last = self._next, self._spans[self._span][1]
            if number < last:
                self._next = number + 1
            else:
                self._span += 1
                self._next = self._spans[self._span][0] if self._span < len(self._spans) else number + 1
            if not self._taken(number):
                return number
        while self._returned:
            number, _ = self._returned.popitem(last=False)
            if not self._taken(number):
                return number
        return None

    def took(self, number: int) -> None:
        """The address is taken now."""
        if self.holds(number):
            self.in_use += 1
            self._returned.pop(number, None)

    def gave_back(self, number: int) -> None:
        """The address is free now."""
        if self.holds(number):
            self.in_use -= 1
            if number < self._next:
                self._returned[number] = None
