"""First fit, next fit, round robin, best fit and worst fit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.placement import PlacementRequest
from tests.cloudsim.placement.policies.bench import Bench, Site, Vm, clouds, requests


@settings(max_examples=50, deadline=None)
@given(clouds, requests)
def test_first_fit_takes_the_first(sites: list[Site], request: PlacementRequest) -> None:
    bench = Bench(sites)
    for fitting in bench.fitting(request)[:1]:
        assert bench.plan("first-fit", request) == fitting


@pytest.mark.parametrize(("policy", "step"), [("next-fit", 0), ("round-robin", 1)])
@settings(max_examples=50, deadline=None)
@given(sites=clouds, asked=st.lists(requests, min_size=1, max_size=6))
def test_a_search_goes_on_where_the_last_one_ended(
    policy: str, step: int, sites: list[Site], asked: list[PlacementRequest]
) -> None:
    bench, start = Bench(sites), 0
    for request in asked:
        fitting = bench.fitting(request)
        if fitting:
            wanted = next((slot for slot in fitting if slot >= start), fitting[0])
            assert bench.plan(policy, request) == wanted
            start = wanted + step


def measure(norm: str, site: Site, request: PlacementRequest) -> float:
    """What best fit makes small and worst fit large."""
    left = [float(share) for share in site.left(request)]
    return {
        "cpu": site.cpu_room,
        "memory": site.memory_room,
        "l1": sum(left),
        "l2": math.sqrt(left[0] ** 2 + left[1] ** 2),
        "linf": max(left),
    }[norm]


@pytest.mark.parametrize("norm", ["cpu", "memory", "l1", "l2", "linf"])
@settings(max_examples=40, deadline=None)
@given(sites=clouds, request=requests)
def test_best_and_worst_fit_leave_the_least_and_the_most(
    norm: str, sites: list[Site], request: PlacementRequest
) -> None:
    bench = Bench(sites)
    fitting = bench.fitting(request)
    if fitting:
        left = {slot: measure(norm, sites[slot], request) for slot in fitting}
        assert bench.plan(f"best-fit,norm={norm}", request) == min(fitting, key=lambda slot: (left[slot], slot))
        assert bench.plan(f"worst-fit,norm={norm}", request) == min(fitting, key=lambda slot: (-left[slot], slot))


def test_both_look_at_cpu_unless_told_otherwise() -> None:
    bench = Bench([Site(8, vms=(Vm(2048, 256),)), Site(8, vms=(Vm(256, 4096),))])
    request = PlacementRequest(256, 256)
    assert (bench.plan("best-fit", request), bench.plan("worst-fit", request)) == (0, 1)
    assert bench.plan("best-fit,norm=memory", request) == 1


def test_a_norm_counts_gpus_where_there_are_any() -> None:
    bench = Bench([Site(gpus=1), Site(gpus=1, vms=(Vm(0, 0, gpu=500),)), Site(vms=(Vm(1024, 1024),))])
    assert bench.plan("best-fit,norm=l2", PlacementRequest(256, 256)) == 2
    assert bench.plan("best-fit,norm=l2", PlacementRequest(256, 256, gpus=1, gpu_milli=300)) == 1
    assert bench.plan("worst-fit,norm=l1", PlacementRequest(256, 256)) == 0
