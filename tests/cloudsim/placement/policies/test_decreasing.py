"""Policies that place a batch by decreasing size."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.placement import PlacementRequest, policy
from cloudsim.randomness import Randomness
from tests.cloudsim.placement.policies.bench import Bench, Site, Vm, requests

NAMES = ["first-fit-decreasing", "best-fit-decreasing", "power-aware"]


def order(text: str, batch: Sequence[PlacementRequest]) -> list[int]:
    found = policy(text, Randomness(1)).order_batch(batch)
    assert found is not None
    return list(found)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("measure", ["cpu", "memory", "product", "sum", "largest"])
@settings(max_examples=20, deadline=None)
@given(batch=st.lists(requests, max_size=8))
def test_a_batch_is_ordered_by_decreasing_size(name: str, measure: str, batch: list[PlacementRequest]) -> None:
    cpu, memory = (max(1, sum(each)) for each in (tuple(r.cpu for r in batch), tuple(r.memory for r in batch)))
    found = order(f"{name},measure={measure}", batch)
    assert sorted(found) == list(range(len(batch))), "each request once"
    sizes = [
        {
            "cpu": r.cpu,
            "memory": r.memory,
            "product": r.cpu * r.memory,
            "sum": r.cpu / cpu + r.memory / memory,
            "largest": max(r.cpu / cpu, r.memory / memory),
        }[measure]
        for r in batch
    ]
    assert found == sorted(range(len(batch)), key=lambda i: (-sizes[i], i)), "of equal size: as they came"


def test_gpus_are_part_of_the_size() -> None:
    batch = [PlacementRequest(1024, 1024), PlacementRequest(512, 512, gpus=1)]
    assert order("first-fit-decreasing", batch) == [1, 0]
    assert order("first-fit-decreasing,measure=cpu", batch) == [0, 1]


def test_policies_that_are_not_decreasing_leave_a_batch_alone() -> None:
    batch = [PlacementRequest(256, 256), PlacementRequest(1024, 1024)]
    assert policy("first-fit", Randomness(1)).order_batch(batch) is None


@pytest.mark.parametrize(("decreasing", "plain"), [("first-fit-decreasing", "first-fit"), ("best-fit-decreasing", "best-fit")])
def test_the_largest_first_needs_fewer_hosts(decreasing: str, plain: str) -> None:
    """The example of every textbook: small ones first leave no gap for the large ones."""
    batch = [PlacementRequest(cpu, 256) for cpu in (1024, 1024, 3072, 3072)]

    def used(name: str) -> int:
        bench = Bench([Site(4)] * 4)
        found = policy(name, Randomness(1)).order_batch(batch)
        for i in range(len(batch)) if found is None else found:
            bench.put(bench.plan(name, batch[i]), Vm(batch[i].cpu, 256))
        return int((bench.hosts.instances[:4] > 0).sum())

    assert (used(decreasing), used(plain)) == (2, 3)
