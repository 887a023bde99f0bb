"""Random placement and the power of d choices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.placement import PlacementRequest
from tests.cloudsim.placement.policies.bench import Bench, Site, Vm, clouds, requests

SMALL = PlacementRequest(256, 256)


def counts(bench: Bench, policy: str, request: PlacementRequest, times: int = 3000) -> list[int]:
    """How often each host is chosen, when nothing is placed in between."""
    chosen = [bench.plan(policy, request) for _ in range(times)]
    return np.bincount(chosen, minlength=len(bench.sites)).tolist()


@pytest.mark.parametrize("policy", ["random", "power-of-d,d=1"])
def test_each_host_that_fits_is_taken_about_as_often(policy: str) -> None:
    bench = Bench([Site(8), Site(4, vms=(Vm(2048, 256),)), Site(8), Site(16)])
    often = counts(bench, policy, PlacementRequest(4096, 512))
    assert often[1] == 0 and all(900 < often[slot] < 1100 for slot in (0, 2, 3))


def test_of_two_drawn_hosts_the_less_loaded_is_taken() -> None:
    loads = [Site(vms=(Vm(1024, 256),) * n) for n in range(4)]
    often = counts(Bench(loads), "power-of-d", SMALL, 4000)
    # The host of rank r (0 is the least loaded) is the better of two out of four with probability (7 - 2r) / 16.
    assert all(abs(often[rank] - 250 * (7 - 2 * rank)) < 150 for rank in range(4))


@settings(max_examples=50, deadline=None)
@given(clouds, requests, st.sampled_from(("largest", "cpu", "memory", "instances")))
def test_among_very_many_draws_is_the_least_loaded_of_all(
    sites: list[Site], request: PlacementRequest, load: str
) -> None:
    bench = Bench(sites)
    fitting = bench.fitting(request)
    if not fitting:
        return

    def loaded(slot: int) -> object:
        cpu, memory = (1 - free for free in sites[slot].free())
        named = {"largest": max(cpu, memory), "cpu": cpu, "memory": memory, "instances": len(sites[slot].vms)}
        return named[load]

    chosen = bench.plan(f"power-of-d,d=1000,load={load}", request)
    assert chosen in fitting and loaded(chosen) == min(loaded(slot) for slot in fitting)


@pytest.mark.parametrize("policy", ["random", "power-of-d,d=3", "protean,rules=non-empty,ties=random"])
def test_the_seed_decides(policy: str) -> None:
    def choices(seed: int) -> list[int]:
        bench = Bench([Site()] * 8, seed)
        return [bench.plan(policy, SMALL) for _ in range(20)]

    assert choices(1) == choices(1) != choices(2)
