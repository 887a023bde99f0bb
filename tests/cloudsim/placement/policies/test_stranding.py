"""Balance and least stranding."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings

from cloudsim.errors import InvalidParameterValue
from cloudsim.placement import PlacementRequest
from cloudsim.placement.policies.balance import Balance
from cloudsim.placement.policies.least_stranding import LeastStranding
from tests.cloudsim.placement.policies.bench import Bench, Site, Vm, clouds, requests

BALANCE = f"{Balance.__module__}:Balance"
LEAST = f"{LeastStranding.__module__}:LeastStranding"
CORE, GIB = 1024, 1024


def uneven_remainder(site: Site, request: PlacementRequest) -> tuple[bool, Fraction]:
    cpu, memory = site.left(request)
    return not site.vms, cpu + memory + 2 * abs(cpu - memory)


@settings(max_examples=60, deadline=None)
@given(sites=clouds, request=requests)
def test_balance_leaves_the_smallest_even_remainder_on_hosts_in_use(
    sites: list[Site], request: PlacementRequest
) -> None:
    bench = Bench(sites)
    fitting = bench.fitting(request)
    if fitting:
        wanted = min(fitting, key=lambda slot: (uneven_remainder(sites[slot], request), slot))
        assert bench.plan(BALANCE, request) == wanted


def test_balance_without_weight_is_best_fit_by_the_sum() -> None:
    bench = Bench([Site(8, vms=(Vm(6 * CORE, GIB),)), Site(8, vms=(Vm(3 * CORE, 3 * GIB),))])
    request = PlacementRequest(CORE, GIB)
    assert bench.plan(f"{BALANCE},weight=0", request) == bench.plan("best-fit,norm=l1", request) == 0
    assert bench.plan(BALANCE, request) == 1


def cost(site: Site, request: PlacementRequest, skew: int) -> float:
    """The four terms for hosts without GPUs, one number after the other."""
    x, y = site.left(request)
    cpu, memory = site.free()
    stranded = max(x - skew * y, y - skew * x, Fraction(0))
    uneven = abs(cpu - memory)
    return (
        math.sqrt(stranded)
        + 0.08 * math.sqrt((x + y) / 2)
        + 0.18 * float(uneven)
        - 0.08 * math.sqrt(uneven)
        + (0.02 if not site.vms else 0)
    )


@pytest.mark.parametrize("skew", [1, 2, 4])
@settings(max_examples=60, deadline=None)
@given(sites=clouds, request=requests)
def test_least_stranding_takes_a_host_of_least_cost(
    skew: int, sites: list[Site], request: PlacementRequest
) -> None:
    bench = Bench(sites)
    fitting = bench.fitting(request)
    if fitting:
        taken = bench.plan(f"{LEAST},skew={skew}", request)
        assert cost(sites[taken], request, skew) <= min(cost(sites[s], request, skew) for s in fitting) + 1e-9


def test_a_new_host_is_opened_rather_than_one_resource_used_up_alone() -> None:
    """After it the first host would have no core and 4 GiB left; best fit does not mind."""
    bench = Bench([Site(8, 8 * GIB, (Vm(4 * CORE, 2 * GIB),)), Site(8, 8 * GIB)])
    request = PlacementRequest(4 * CORE, 2 * GIB)
    assert bench.plan("best-fit,norm=l1", request) == 0
    assert bench.plan(LEAST, request) == 1


def test_a_host_in_use_is_filled_up_where_nothing_strands() -> None:
    loads: list[tuple[Vm, ...]] = [(), (Vm(4 * CORE, 4 * GIB),), (Vm(2 * CORE, 2 * GIB),)]
    bench = Bench(Site(8, 8 * GIB, load) for load in loads)
    assert bench.plan(LEAST, PlacementRequest(2 * CORE, 2 * GIB)) == 1


def test_an_instance_without_gpus_leaves_hosts_with_gpus_alone_while_it_can() -> None:
    bench = Bench([Site(8, gpus=2, vms=(Vm(CORE, GIB),)), Site(8)])
    assert bench.plan(LEAST, PlacementRequest(CORE, GIB)) == 1
    assert bench.plan(LEAST, PlacementRequest(CORE, GIB, gpus=1)) == 0
    assert Bench(bench.sites[:1]).plan(LEAST, PlacementRequest(CORE, GIB)) == 0


def test_gpus_are_not_left_without_the_cores_to_use_them() -> None:
    """Both hosts would be as full; on the first no core would be left for its second GPU."""
    sites = [Site(8, 8 * GIB, gpus=2), Site(8, 8 * GIB, gpus=1)]
    request = PlacementRequest(8 * CORE, 8 * GIB, gpus=1)
    assert Bench(sites).plan(LEAST, request) == 1
    assert Bench(sites).plan(f"{LEAST},gpus=0", request) == 0


@pytest.mark.parametrize(
    ("policy", "option"), [(BALANCE, "weight=-1"), (LEAST, "skew=0.5"), (LEAST, "tightness=-1")]
)
def test_weights_that_make_no_sense_are_refused(policy: str, option: str) -> None:
    with pytest.raises(InvalidParameterValue, match=option.partition("=")[0]):
        Bench([Site()]).plan(f"{policy},{option}", PlacementRequest(CORE, GIB))
