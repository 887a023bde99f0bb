"""A simulated month of a cloud under faults, with every invariant watched.

`python -m tests.dst --years 100` goes on from here, and `-m slow` runs more seeds of the same.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from cloudsim import faults as f
from cloudsim.faults import Fault
from tests.dst.plan import ACTIVE, KINDS, Operation, Plan, from_json
from tests.dst.run import Outcome, Run


def holds(plan: Plan) -> Outcome:
    """Run the plan; fail with what it broke and the command that replays it."""
    outcome = Run(plan).outcome()
    broken = "\n".join(str(violation) for violation in outcome.violations)
    assert not outcome.violations, f"{broken}\nreplay: {plan.command()}"
    return outcome


def more(*seeds: int) -> list[Any]:
    """Seeds that only `-m slow` runs."""
    return [pytest.param(seed, marks=pytest.mark.slow) for seed in seeds]


@pytest.mark.parametrize("seed", [101, 102, *more(103, 104, 105)])
def test_a_cloud_of_six_hosts_keeps_its_invariants_for_four_days(seed: int) -> None:
    holds(Plan(seed=seed, episodes=16))


@pytest.mark.parametrize("seed", [201, *more(202)])
def test_a_cloud_of_twelve_hosts_keeps_its_invariants_for_four_days(seed: int) -> None:
    holds(Plan(seed=seed, racks=3, hosts=4, episodes=16))


def test_a_single_rack_keeps_its_invariants_for_two_days() -> None:
    holds(Plan(seed=301, racks=1, hosts=2, episodes=8))


def test_where_hosts_are_watched_broken_ones_are_switched_off_and_no_instance_ever_runs_twice() -> None:
    outcome = holds(Plan(seed=101, episodes=8, watched=True))
    assert outcome.taken_back > 5


def test_the_same_plan_gives_the_same_changes_in_the_same_order() -> None:
    plan = Plan(seed=7, episodes=2)
    first, second = Run(plan).outcome(), Run(plan).outcome()
    assert first == second and first.restarts and first.succeeded > 50
    assert first.digest != Run(Plan(seed=8, episodes=2)).outcome().digest


def test_a_plan_survives_its_json() -> None:
    plan = Plan(seed=7, episodes=1).complete()
    assert from_json(plan.command().split("'")[1]) == plan
    assert plan.operations and plan.faults


hosts = st.sampled_from([f"zone-1/pod-1/rack-{rack}/host-{n}" for rack in (1, 2) for n in (1, 2)])
whens = st.floats(0, ACTIVE).map(lambda at: round(at, 1))
lasts = st.floats(1, 3000).map(lambda last: round(last, 1))


def faults() -> st.SearchStrategy[Fault]:
    """Any fault, at any time of the first episode, undone by itself."""
    return st.one_of(
        st.builds(f.HostCrash, at=whens, duration=lasts, host=hosts),
        st.builds(f.AgentHang, at=whens, duration=lasts, host=hosts),
        st.builds(f.LinkCut, at=whens, duration=lasts, link=hosts),
        st.builds(f.MessageLoss, at=whens, duration=lasts, rate=st.sampled_from([0.02, 0.4])),
        st.builds(f.MessageDuplication, at=whens, duration=lasts, rate=st.just(0.5)),
        st.builds(f.MessageDelay, at=whens, duration=lasts, seconds=st.sampled_from([1.0, 60.0])),
        st.builds(f.PoolFull, at=whens, duration=lasts, pool=st.just("zone-1/pod-1/rack-1/primary")),
        st.builds(f.ManagerRestart, at=whens, duration=st.sampled_from([0.0, 30.0])),
    )


operations = st.builds(
    Operation,
    at=whens,
    kind=st.sampled_from(sorted(KINDS)),
    pick=st.integers(0, 20),
    other=st.integers(0, 20),
)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    seed=st.integers(0, 1000),
    deployed=st.integers(1, 6),
    operations=st.lists(operations, max_size=25),
    faults=st.lists(faults(), max_size=6),
    watched=st.booleans(),
)
def test_whatever_is_asked_and_whatever_fails_a_cloud_keeps_its_invariants(
    seed: int, deployed: int, operations: list[Operation], faults: list[Fault], watched: bool
) -> None:
    deploys = tuple(Operation(1.0 + n, "deploy", n, n) for n in range(deployed))
    plan = Plan(
        seed=seed,
        racks=2,
        hosts=2,
        episodes=1,
        operations=(*deploys, *operations),
        faults=tuple(faults),
        watched=watched,
    )
    note(f"replay: {plan.command()}")
    holds(plan)
