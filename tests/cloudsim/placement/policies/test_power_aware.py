"""The power-aware policy: where power grows least."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings

from cloudsim.errors import InvalidParameterValue
from cloudsim.placement import PlacementRequest, policy
from cloudsim.randomness import Randomness
from tests.cloudsim.placement.policies.bench import Bench, Site, Vm, clouds, requests

WATTS = {4 * 1024: (128, 256), 8 * 1024: (64, 512)}
"""Idle and peak W of hosts of four and of eight cores; those of sixteen are left to the other options."""


def growth(site: Site, request: PlacementRequest, empty: str) -> Fraction:
    peak = Fraction(site.cpu) * 32 / 1000
    idle, peak = WATTS.get(site.cpu, (peak / 2, peak))
    wakes = not site.vms and empty == "off"
    return (peak - idle) * Fraction(request.cpu, site.cpu) + (idle if wakes else 0)


@pytest.mark.parametrize("empty", ["off", "idle"])
@settings(max_examples=80, deadline=None)
@given(sites=clouds, request=requests)
def test_the_host_whose_power_grows_least_is_taken(
    empty: str, sites: list[Site], request: PlacementRequest
) -> None:
    bench = Bench(sites)
    fitting = bench.fitting(request)
    watts = "+".join(f"{mhz}:{idle}:{peak}" for mhz, (idle, peak) in WATTS.items())
    if fitting:
        chosen = bench.plan(f"power-aware,watts={watts},watts_per_ghz=32,idle=0.5,empty={empty}", request)
        least = min(growth(sites[slot], request, empty) for slot in fitting)
        assert growth(sites[chosen], request, empty) - least < Fraction(1, 10**9)


def test_a_host_that_is_on_is_taken_before_one_is_woken() -> None:
    bench = Bench([Site(), Site(vms=(Vm(256, 256),))])
    assert bench.plan("power-aware", PlacementRequest(256, 256)) == 1
    assert bench.plan("power-aware,empty=idle", PlacementRequest(256, 256)) == 0


@pytest.mark.parametrize("watts", ["fast", "1024:10", "1024:20:10", "0:1:2", "1024:nan:5", "1024:1:inf"])
def test_watts_that_are_wrong_are_refused(watts: str) -> None:
    with pytest.raises(InvalidParameterValue, match=r"watts: expected MHz:idle:peak"):
        policy(f"power-aware,watts={watts}", Randomness(1))
