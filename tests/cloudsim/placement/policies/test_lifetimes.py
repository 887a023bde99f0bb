"""Policies that are told when instances are expected to end: lifetime alignment and NILAS."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings

from cloudsim.errors import InvalidParameterValue
from cloudsim.placement import PlacementRequest, policy
from cloudsim.randomness import Randomness
from tests.cloudsim.placement.policies.bench import HOUR, NOW, Bench, Site, Vm, clouds, requests

HOURS = (0, 2, 20)


def end(foretold: int | None) -> int:
    """An end that nobody foretold is very far, one that is past is now."""
    return 10**15 if foretold is None else max(foretold, NOW)


def longer(site: Site, request: PlacementRequest) -> int:
    """Milliseconds that the host must stay on longer for the request."""
    return max(0, end(request.expected_end) - max((end(vm.end) for vm in site.vms), default=NOW))


def left(site: Site, request: PlacementRequest) -> float:
    return math.hypot(*(float(share) for share in site.left(request)))


@settings(max_examples=100, deadline=None)
@given(clouds, requests)
def test_lifetime_alignment_takes_the_host_that_stays_on_the_least_longer(
    sites: list[Site], request: PlacementRequest
) -> None:
    bench = Bench(sites)
    fitting = bench.fitting(request)
    if fitting:
        wanted = min(fitting, key=lambda s: (longer(sites[s], request), left(sites[s], request), s))
        assert bench.plan("lifetime-alignment", request) == wanted


@settings(max_examples=100, deadline=None)
@given(clouds, requests)
def test_nilas_does_so_by_classes(sites: list[Site], request: PlacementRequest) -> None:
    bench = Bench(sites)
    fitting = bench.fitting(request)

    def cost(slot: int) -> int:
        return sum(longer(sites[slot], request) > hours * HOUR for hours in HOURS)

    if fitting:
        wanted = min(fitting, key=lambda s: (cost(s), left(sites[s], request), s))
        assert bench.plan(f"nilas,hours={'+'.join(map(str, HOURS))}", request) == wanted


@pytest.mark.parametrize("name", ["lifetime-alignment", "nilas", "lava"])
def test_without_any_foretold_end_they_fill_the_fullest_host_that_is_not_empty(name: str) -> None:
    bench = Bench([Site(), Site(4, 4096), Site(vms=(Vm(256, 256),)), Site(vms=(Vm(1024, 1024),))])
    assert bench.plan(name, PlacementRequest(256, 256, time=NOW)) == 3


@pytest.mark.parametrize("name", ["lifetime-alignment", "nilas"])
def test_an_instance_that_has_left_is_forgotten(name: str) -> None:
    long, short = Vm(256, 256, end=NOW + 90 * HOUR), Vm(256, 256, end=NOW + HOUR // 2)
    bench = Bench([Site(vms=(short,)), Site(vms=(long, short))])
    request = PlacementRequest(256, 256, time=NOW, expected_end=NOW + 90 * HOUR)
    assert bench.plan(name, request) == 1
    bench.put(1, long, -1)
    bench.put(0, long)
    assert bench.plan(name, request) == 0


@pytest.mark.parametrize(
    "text", ["nilas,hours=1+1", "nilas,hours=2+1", "nilas,hours=-1", "nilas,hours=nan", "lava,hours=", "protean,hours=5+4"]
)
def test_bounds_that_do_not_ascend_are_refused(text: str) -> None:
    with pytest.raises(InvalidParameterValue, match="hours: expected"):
        policy(text, Randomness(1))
