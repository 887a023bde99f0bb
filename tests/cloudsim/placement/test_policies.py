"""What holds for every installed policy, and how policies and their options are named."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Annotated, ClassVar, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from cloudsim.errors import InvalidParameterValue
from cloudsim.placement import (
    Candidates,
    Capacities,
    NoPlace,
    PlacementRequest,
    RuleChain,
    ScoringPolicy,
    policy,
)
from cloudsim.placement.naming import CLOUDSTACK_NAMES, check, policies, policy_class, text_of
from cloudsim.placement.policy import Scores, option_types
from cloudsim.randomness import Randomness
from tests.cloudsim.placement.policies.bench import NOW, Bench, Site, Vm, clouds, requests

EVERY = sorted(policies())


def placed(name: str, sites: list[Site], asked: list[PlacementRequest], seed: int) -> list[int]:
    """Slots of the requests, placed one after the other; -1 for one that was refused, which must have a reason."""
    bench = Bench(sites, seed)
    slots = []
    for request in asked:
        fitting = bench.fitting(request)
        try:
            slot = bench.plan(name, request)
        except NoPlace as error:
            assert not fitting or error.cause == "policy"
            slots.append(-1)
            continue
        assert slot in fitting
        slots.append(slot)
        vm = Vm(request.cpu, request.memory, request.account_id, request.expected_end)
        bench.put(slot, vm)
        bench.sites[slot] = bench.sites[slot]._replace(vms=(*bench.sites[slot].vms, vm))
    return slots


@pytest.mark.parametrize("name", EVERY)
@settings(max_examples=15, deadline=None)
@given(sites=clouds, asked=st.lists(requests, min_size=1, max_size=8), seed=st.integers(0, 5))
def test_it_takes_hosts_that_fit_and_the_same_ones_again(
    name: str, sites: list[Site], asked: list[PlacementRequest], seed: int
) -> None:
    assert placed(name, sites, asked, seed) == placed(name, sites, asked, seed)


@pytest.mark.parametrize("name", EVERY)
def test_it_takes_the_only_host_there_is(name: str) -> None:
    bench = Bench([Site(4), Site(16), Site(4, pod=1)])
    assert bench.plan(name, PlacementRequest(8192, 512, time=NOW)) == 1


# LAVA notes what it has chosen, and would not score as it did.
SCORED = [name for name in EVERY if issubclass(policy_class(name), ScoringPolicy) and name != "lava"]


@pytest.mark.parametrize("name", SCORED)
@settings(max_examples=15, deadline=None)
@given(sites=clouds, request=requests)
def test_a_score_is_a_number_for_each_host_and_the_highest_is_taken(
    name: str, sites: list[Site], request: PlacementRequest
) -> None:
    bench = Bench(sites)
    made = bench.planner.policy(name)
    assert isinstance(made, ScoringPolicy)
    fitting = np.array(bench.fitting(request), np.int64)
    allowed = made.filter(request, bench.hosts)
    fitting = fitting if allowed is None else fitting[allowed[fitting]]
    if len(fitting):
        scores = made.score(request, Candidates(bench.hosts, fitting))
        assert scores.shape == (len(fitting),) and not np.isnan(scores).any()
        assert bench.plan(name, request) == fitting[np.argmax(scores)]


@pytest.mark.parametrize("name", [name for name in SCORED if policy_class(name).of_capacity])
@settings(max_examples=15, deadline=None)
@given(sites=clouds, request=requests)
def test_a_score_of_capacity_looks_at_nothing_else(
    name: str, sites: list[Site], request: PlacementRequest
) -> None:
    bench = Bench(sites)
    fitting = np.array(bench.fitting(request), np.int64)
    made = bench.planner.policy(name)
    assert isinstance(made, ScoringPolicy)
    if len(fitting):
        rows = Candidates(bench.hosts, fitting)
        capacities = Capacities(rows.cpu_total, rows.cpu_room, rows.memory_total, rows.memory_room)
        bare = PlacementRequest(request.cpu, request.memory)
        assert np.array_equal(made.score(bare, capacities), made.score(request, rows))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", EVERY)
def test_it_is_called_what_it_is_installed_as_and_says_when_to_use_it(name: str) -> None:
    kind = policy_class(name)
    assert kind.name == name
    assert "Use it" in (import_module(kind.__module__).__doc__ or "")


# names and options


@pytest.mark.parametrize(("cloudstack", "ours"), sorted(CLOUDSTACK_NAMES.items()))
def test_cloudstacks_names_mean_a_policy_of_ours(cloudstack: str, ours: str) -> None:
    assert type(policy(cloudstack, Randomness(1))).name == ours.split(",")[0]


def test_options_go_with_cloudstacks_names_too() -> None:
    made = policy("ImplicitDedicationPlanner,mode=preferred", Randomness(1))
    assert vars(made)["mode"] == "preferred"
    assert vars(policy("userconcentratedpod_random", Randomness(1)))["within"] == "random"
    assert vars(policy("userconcentratedpod_random,within=first-fit", Randomness(1)))["within"] == "first-fit"


class TallestHostFirst(ScoringPolicy):
    of_capacity: ClassVar[bool] = True
    weight: Annotated[float, Meta(gt=0)] = 1.5
    unit: Literal["mhz", "cores"] = "mhz"
    levels: tuple[int, ...] = (1, 2)
    soft: bool = False
    _kept = 3

    def score(self, request: PlacementRequest, hosts: Candidates) -> Scores:
        return self.weight * hosts.cpu_total


OWN = f"{__name__}:TallestHostFirst"


def test_a_policy_of_ones_own_is_found_by_module_and_class() -> None:
    bench = Bench([Site(4), Site(16), Site(8)])
    assert bench.plan(OWN, PlacementRequest(256, 256)) == 1
    assert type(policy(OWN, Randomness(1))).name == "tallest-host-first", "by its class, where it gives no name"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("tallest", "no placement policy 'tallest'; there are "),
        ("nowhere:Policy", "cannot be loaded"),
        ("cloudsim.placement.planner:Planner", "is not a cloudsim.placement.Policy"),
        ("cloudsim.placement:ScoringPolicy", "is not complete: it has no score"),
    ],
)
def test_a_policy_that_is_not_there_is_refused(name: str, why: str) -> None:
    with pytest.raises(InvalidParameterValue, match=why):
        check(name)


def test_options_are_annotated_fields_with_a_default() -> None:
    assert list(option_types(TallestHostFirst)) == ["weight", "unit", "levels", "soft"]
    made = policy(f"{OWN},weight=2,unit=cores,levels=3+4+5,soft=true", Randomness(1))
    assert vars(made).items() >= {"weight": 2.0, "unit": "cores", "levels": (3, 4, 5), "soft": True}.items()
    untouched = policy(OWN, Randomness(1))
    assert isinstance(untouched, TallestHostFirst) and untouched.weight == 1.5 and untouched.levels == (1, 2)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("height=3", "has no option 'height': it has weight, unit, levels, soft"),
        ("_kept=3", "has no option '_kept'"),
        ("of_capacity=false", "has no option 'of_capacity'"),
        ("weight=0", r"weight: expected `float` > 0.0, got '0'"),
        ("weight=heavy", "weight: expected `float`, got `str`, got 'heavy'"),
        ("unit=ghz", "unit: expected one of mhz, cores, got 'ghz'"),
        ("levels=1+x", "levels: expected `int`, got `str`"),
        ("weight", "expected option=value, got 'weight'"),
        ("weight=1,weight=2", "option weight is given twice"),
    ],
)
def test_an_option_that_is_wrong_is_refused_with_what_was_expected(options: str, why: str) -> None:
    with pytest.raises(InvalidParameterValue, match=why):
        check(f"{OWN},{options}")


def test_a_policy_can_be_written_as_a_mapping() -> None:
    assert text_of("best-fit,norm=l2") == "best-fit,norm=l2"
    assert text_of({"name": "best-fit"}) == "best-fit"
    rules = {"name": "protean", "rules": ["packing", "balance"], "levels": 5}
    assert text_of(rules) == "protean,rules=packing+balance,levels=5"
    assert text_of({"name": OWN, "soft": True, "weight": 0.5}) == f"{OWN},soft=true,weight=0.5"
    for wrong in ({"norm": "l2"}, {}, {"name": ["best-fit"]}):
        with pytest.raises(InvalidParameterValue, match="expected a name"):
            text_of(wrong)  # type: ignore[arg-type]


# chains of rules


class Chain(RuleChain):
    """Rules that compare hosts by what hypothesis draws for them."""

    columns: ClassVar[list[list[int]]] = []

    def preferences(self) -> list[Callable[[PlacementRequest, Candidates], Scores]]:
        return [lambda request, hosts, c=column: np.array(c)[hosts.slots] for column in self.columns]


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 6), st.data())
def test_a_chain_scores_as_it_chooses(size: int, data: st.DataObject) -> None:
    row = st.lists(st.integers(0, 2), min_size=size, max_size=size)
    Chain.columns = data.draw(st.lists(row, min_size=1, max_size=3))
    chain = Chain(Randomness(1))
    bench = Bench([Site()] * size)
    feasible = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    slots = np.flatnonzero(feasible)
    if len(slots):
        keys = {slot: tuple(column[slot] for column in Chain.columns) for slot in slots.tolist()}
        request = PlacementRequest(256, 256)
        assert chain.choose(request, bench.hosts, feasible) == min(slots, key=lambda s: ([-k for k in keys[s]], s))
        scores = dict(zip(slots.tolist(), chain.score(request, Candidates(bench.hosts, slots)).tolist(), strict=True))
        for one in keys:
            for other in keys:
                assert (scores[one] < scores[other]) == (keys[one] < keys[other])
