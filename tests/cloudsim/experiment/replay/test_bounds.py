"""The hosts that anybody needs, against trying all sets of hosts."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.experiment.replay import HostGroup
from cloudsim.experiment.replay.bounds import HostsNeeded
from cloudsim.experiment.requests import VmRequest
from tests.cloudsim.experiment.replay.workloads import clouds, host, played, traces, vm

capacities = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=6).map(np.array)


@settings(max_examples=60, deadline=None)
@given(capacity=capacities, share=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_both_are_at_most_what_a_search_finds_and_the_linear_one_is_the_better(
    capacity: np.ndarray, share: tuple[float, float]
) -> None:
    used = np.floor(capacity.sum(axis=0) * share).astype(np.int64)
    needed = HostsNeeded(capacity)

    def least(dimensions: list[int]) -> int:
        """The fewest hosts whose capacities sum up to what is used."""
        return next(
            n
            for n in range(len(capacity) + 1)
            if any(
                (capacity[list(chosen)].sum(axis=0) >= used)[dimensions].all()
                for chosen in combinations(range(len(capacity)), n)
            )
        )

    assert needed.volume(used) == max(least([0]), least([1]))
    assert needed.volume(used) <= needed.linear(used) <= least([0, 1])


@pytest.mark.parametrize(
    ("capacity", "used", "volume", "linear"),
    [
        ([(8, 2), (8, 2), (2, 8), (2, 8)], (16, 16), 2, 4),  # all of CPU-heavy hosts, and all of memory-heavy ones
        ([(8, 2), (2, 8)], (5, 5), 1, 1),  # a half of each
        ([(8, 2), (2, 8)], (6, 6), 1, 2),
        ([(4, 4)] * 3, (5, 1), 2, 2),
        ([(4, 4), (2, 2)], (0, 0), 0, 0),
    ],
)
def test_the_linear_bound_sees_what_no_single_resource_shows(
    capacity: list[tuple[int, int]], used: tuple[int, int], volume: int, linear: int
) -> None:
    needed = HostsNeeded(np.array(capacity))
    assert (needed.volume(np.array(used)), needed.linear(np.array(used))) == (volume, linear)


@settings(max_examples=15, deadline=None)
@given(hosts=clouds, trace=traces(), policy=st.sampled_from(("first-fit", "best-fit", "worst-fit", "random")))
def test_no_policy_needs_fewer_hosts(hosts: list[HostGroup], trace: list[VmRequest], policy: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cloudsim.experiment.replay.samples.PARTS_OF_A_SHORT_TRACE", 8)
        result = played(trace, hosts, policy)
    assert result.totals.bound <= result.totals.not_empty * (1 + 1e-12)
    if result.linear_bound is not None:
        assert len(result.linear_bound) == len(result.samples)
        assert all(n <= s.not_empty for n, s in zip(result.linear_bound, result.samples, strict=True))


def test_the_linear_bound_is_left_out_where_it_says_nothing_more_or_does_not_know_gpus() -> None:
    trace = [vm(0), vm(1000)]
    assert played(trace, [host(number=3)]).linear_bound is None
    assert played(trace, [host(), host(4)]).linear_bound is not None
    assert played(trace, [host(), host(4, gpus=1)]).linear_bound is None
    assert played(trace, [host(), host(4)], samples=False).linear_bound is None
