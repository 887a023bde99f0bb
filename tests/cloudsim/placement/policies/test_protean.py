"""Protean: rules in lexicographic order."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.errors import InvalidParameterValue
from cloudsim.placement import PlacementRequest, ScoringPolicy, policy
from cloudsim.randomness import Randomness
from tests.cloudsim.placement.policies.bench import HOUR, Bench, Site, clouds, requests
from tests.cloudsim.placement.policies.test_lifetimes import longer

RULES = ("non-empty", "packing", "balance", "lifetime", "dispersing")
chains = st.lists(st.sampled_from(RULES), min_size=1, unique=True)


def badness(rule: str, site: Site, request: PlacementRequest) -> float:
    """What a rule makes small, with four levels and two bounds."""
    cpu, memory = (float(share) for share in site.left(request))
    return {
        "non-empty": float(not site.vms),
        "packing": math.floor(4 * (cpu + memory)),
        "balance": math.floor(4 * abs(cpu - memory)),
        "lifetime": sum(longer(site, request) > hours * HOUR for hours in (1, 10)),
        "dispersing": sum(vm.account == request.account_id for vm in site.vms),
    }[rule]


@settings(max_examples=150, deadline=None)
@given(clouds, requests, chains)
def test_hosts_are_compared_by_the_rules_in_their_order(
    sites: list[Site], request: PlacementRequest, rules: list[str]
) -> None:
    bench = Bench(sites)
    fitting = bench.fitting(request)
    bad = {slot: [badness(rule, sites[slot], request) for rule in rules] for slot in fitting}
    best = [slot for slot in fitting if bad[slot] == min(bad.values())]
    options = f"protean,rules={'+'.join(rules)},levels=4,hours=1+10,norm=l1"
    if fitting:
        assert bench.plan(options, request) == best[0]
        assert bench.plan(f"{options},ties=random", request) in best


def test_hosts_with_gpus_are_kept_for_what_asks_for_gpus() -> None:
    bench = Bench([Site(gpus=1), Site(), Site(gpus=1)])
    assert bench.plan("protean,rules=no-gpus+packing", PlacementRequest(256, 256)) == 1
    assert bench.plan("protean,rules=no-gpus+packing", PlacementRequest(256, 256, gpus=1)) == 0


@pytest.mark.parametrize(
    ("options", "alone"),
    [("rules=non-empty+packing+balance", True), ("rules=packing,ties=random", False), ("rules=packing+lifetime", False)],
)
def test_it_says_whether_capacity_alone_decides(options: str, alone: bool) -> None:
    made = policy(f"protean,{options}", Randomness(1))
    assert isinstance(made, ScoringPolicy) and made.of_capacity is alone


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("rules=packing+packing", "rules: expected each rule once, got packing"),
        ("rules=luck", "rules: expected some of non-empty, packing"),
        ("levels=0", "levels: expected `int` >= 1, got '0'"),
        ("ties=last", "ties: expected one of first, random, got 'last'"),
    ],
)
def test_options_that_are_wrong_are_refused(options: str, why: str) -> None:
    with pytest.raises(InvalidParameterValue, match=why.replace("+", r"\+")):
        policy(f"protean,{options}", Randomness(1))
