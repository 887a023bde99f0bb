"""Sets of addresses told as CIDRs."""

from __future__ import annotations

import ipaddress
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cloudsim.management.network.address_runs import AddressRuns

NUMBERS = st.one_of(st.integers(0, 20), st.integers((1 << 32) - 20, (1 << 32) - 1), st.integers(0, (1 << 32) - 1))


@given(st.lists(st.tuples(st.booleans(), NUMBERS), max_size=120))
def test_they_are_told_as_the_fewest_cidrs(steps: list[tuple[bool, int]]) -> None:
    runs, model = AddressRuns(), Counter[int]()
    for adding, number in steps:
        if adding:
            runs.add(number)
            model[number] += 1
        elif model[number]:
            runs.remove(number)
            model[number] -= 1
        there = [number for number, count in model.items() if count]
        assert len(runs) == len(there)
        nets = ipaddress.collapse_addresses(ipaddress.IPv4Network(number) for number in there)
        assert runs.cidrs() == tuple(map(str, nets))

