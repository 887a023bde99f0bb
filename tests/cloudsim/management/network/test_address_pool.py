"""Pools of addresses: each is given to one taker, all are given, and what comes back is given again."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cloudsim.management.network.address_pool import AddressPool, joined, number_of, text_of

spans = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=4)


@given(spans, st.sets(st.integers(0, 40), max_size=5))
def test_joined_spans_hold_the_same_numbers_each_once(
    given_spans: list[tuple[int, int]], cut: set[int]
) -> None:
    numbers = {n for first, last in given_spans for n in range(first, last + 1)} - cut
    made = joined(given_spans, cut)
    assert [n for first, last in made for n in range(first, last + 1)] == sorted(numbers)
    assert all(a[1] + 1 < b[0] or b[0] - 1 in cut for a, b in pairwise(made))


@given(st.integers(0, (1 << 32) - 1))
def test_an_address_and_its_number(number: int) -> None:
    assert number_of(text_of(number)) == number


@given(
    st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), min_size=1, max_size=3),
    st.sets(st.integers(0, 15)),
    st.lists(st.sampled_from(["take", "lose", "wanted", "return"]), max_size=60),
    st.randoms(use_true_random=False),
)
def test_what_is_given_is_free_and_nothing_free_is_ever_lost(
    given_spans: list[tuple[int, int]], first_used: set[int], steps: list[str], random: object
) -> None:
    whole = joined(given_spans)
    every = {n for first, last in whole for n in range(first, last + 1)}
    used = set(first_used)
    pool = AddressPool(whole, lambda number: number in used, first_used)
    for step in steps:
        free = every - used
        if step in ("take", "lose"):
            found = pool.free()
            assert (found is None) == (not free)
            if found is not None:
                assert found in free
                if step == "take":  # a transaction that fails takes nothing: lose
                    used.add(found)
                    pool.took(found)
        elif step == "wanted" and free:
            number = random.choice(sorted(free))  # type: ignore[attr-defined]
            used.add(number)
            pool.took(number)
        elif step == "return" and used:
            number = random.choice(sorted(used))  # type: ignore[attr-defined]
            used.discard(number)
            pool.gave_back(number)
        assert pool.in_use == len(used & every)


def test_an_address_that_came_back_is_given_after_those_never_given() -> None:
    used: set[int] = set()
    pool = AddressPool([(1, 4)], lambda number: number in used)

    def take() -> int | None:
        number = pool.free()
        if number is not None:
            used.add(number)
            pool.took(number)
        return number

    assert [take(), take()] == [1, 2]
    for back in (2, 1):
        used.discard(back)
        pool.gave_back(back)
    assert [take(), take(), take(), take(), take()] == [3, 4, 2, 1, None]


def test_giving_from_a_large_pool_looks_at_each_address_once() -> None:
    """The work for an address does not grow with how many are taken."""
    looks = 0
    used: set[int] = set()

    def taken(number: int) -> bool:
        nonlocal looks
        looks += 1
        return number in used

    pool = AddressPool([(0, 9_999)], taken)
    for _ in range(10_000):
        number = pool.free()
        assert number is not None
        used.add(number)
        pool.took(number)
    assert pool.free() is None
    for number in (5_000, 17):  # nearly full: what came back is found without a search
        used.discard(number)
        pool.gave_back(number)
        assert pool.free() == number
        used.add(number)
        pool.took(number)
    assert looks == 10_000 + 2
