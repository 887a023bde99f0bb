"""Policies that look at whose instances are where."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from cloudsim.placement import NoPlace, PlacementRequest
from tests.cloudsim.placement.policies.bench import Bench, Site, Vm, clouds, requests


def mine(site: Site, account: str) -> int:
    return sum(vm.account == account for vm in site.vms)


@settings(max_examples=80, deadline=None)
@given(clouds, requests)
def test_user_dispersing_takes_the_host_with_the_fewest_of_the_account(
    sites: list[Site], request: PlacementRequest
) -> None:
    bench = Bench(sites)
    fitting = bench.fitting(request)
    if fitting:
        wanted = min(fitting, key=lambda slot: (mine(sites[slot], request.account_id), slot))
        assert bench.plan("user-dispersing", request) == wanted


def pods_in_order(sites: list[Site], account: str) -> list[int]:
    """Pods with instances of the account, those with the most first; of equal ones the one with the lower host."""
    first = {site.pod: slot for slot, site in reversed(list(enumerate(sites)))}
    counts = {pod: sum(mine(site, account) for site in sites if site.pod == pod) for pod in first}
    return sorted((pod for pod in first if counts[pod]), key=lambda pod: (-counts[pod], first[pod]))


@pytest.mark.parametrize("within", ["first-fit", "random"])
@settings(max_examples=60, deadline=None)
@given(sites=clouds, request=requests)
def test_user_concentrated_pod_fills_the_accounts_pods_first(
    within: str, sites: list[Site], request: PlacementRequest
) -> None:
    bench = Bench(sites)
    fitting = bench.fitting(request)
    if fitting:
        inside = [[s for s in fitting if sites[s].pod == pod] for pod in pods_in_order(sites, request.account_id)]
        wanted = next((slots for slots in inside if slots), fitting)
        chosen = bench.plan(f"user-concentrated-pod,within={within}", request)
        assert chosen == wanted[0] if within == "first-fit" else chosen in wanted


def test_a_random_host_within_the_pod_is_any_of_them() -> None:
    bench = Bench([Site(), Site(pod=1), Site(pod=1, vms=(Vm(256, 256, "a"),)), Site(pod=1)])
    request = PlacementRequest(256, 256, account_id="a")
    assert {bench.plan("userconcentratedpod_random", request) for _ in range(60)} == {1, 2, 3}
    assert bench.plan("userconcentratedpod_firstfit", request) == 1


@pytest.mark.parametrize("mode", ["strict", "preferred"])
@settings(max_examples=60, deadline=None)
@given(sites=clouds, request=requests)
def test_implicit_dedication_shares_no_host_unless_it_must_and_may(
    mode: str, sites: list[Site], request: PlacementRequest
) -> None:
    bench = Bench(sites)
    fitting = bench.fitting(request)
    own = [s for s in fitting if sites[s].vms and {vm.account for vm in sites[s].vms} == {request.account_id}]
    empty = [s for s in fitting if not sites[s].vms]
    wanted = own or empty or (fitting if mode == "preferred" else [])
    if wanted:
        assert bench.plan(f"implicit-dedication,mode={mode}", request) == wanted[0]
    else:
        with pytest.raises(NoPlace) as refused:
            bench.plan(f"implicit-dedication,mode={mode}", request)
        assert (refused.value.cause == "policy") == bool(fitting)
