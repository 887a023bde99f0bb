"""An explanation says what the planner did, and watching changes nothing of it."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsim.placement import HostArrays, NoPlace, PlacementRequest, Planner
from cloudsim.placement.explaining import MOST_NAMED, Planning
from cloudsim.randomness import Randomness

HOSTS = st.lists(
    st.fixed_dictionaries(
        {
            "zone": st.sampled_from(["z1", "z2"]),
            "cpus": st.integers(1, 8),
            "memory": st.integers(512, 8192),
            "tags": st.sets(st.sampled_from(["ssd", "gpu"])),
            "enabled": st.booleans() | st.just(True),
            "owner": st.none() | st.sampled_from(["a", "b"]),
        }
    ),
    min_size=1,
    max_size=40,
)
REQUESTS = st.builds(
    PlacementRequest,
    cpu=st.integers(100, 8000),
    memory=st.integers(128, 9000),
    cpus=st.integers(1, 8),
    speed=st.sampled_from([0, 1000, 2000]),
    account_id=st.sampled_from(["a", "b", "c"]),
    tags=st.sampled_from([(), ("ssd",), ("ssd", "gpu")]),
)


class Fixed:
    """Settings of a cloud."""

    def __init__(self, policy: str, threshold: float = 1.0) -> None:
        self._policy, self._threshold = policy, threshold

    def get(self, name: str, *_: Any) -> str:
        return self._policy

    def number(self, name: str, *_: Any) -> float:
        return self._threshold

    def own(self, name: str, *_: Any) -> dict[str, float]:
        return {}


def arrays(hosts: list[dict[str, Any]]) -> HostArrays:
    made = HostArrays()
    for number, host in enumerate(hosts):
        slot = made.add(f"host-{number}", host["zone"], "pod", f"cluster-{number % 3}", host["tags"])
        size = {"cpu": 1000 * host["cpus"], "memory": host["memory"], "enabled": host["enabled"]}
        made.resize(slot, cpus=host["cpus"], speed=1000, **size)
        made.dedicate(slot, host["owner"])
    return made


def planned(planner: Planner, request: PlacementRequest, **where: Any) -> tuple[int | None, list[Planning]]:
    """The chosen slot, and what was explained."""
    heard: list[Planning] = []
    planner.on_planned = lambda: heard.append
    slot = None
    with contextlib.suppress(NoPlace):
        slot = planner.plan(request, **where)
    planner.on_planned = None
    return slot, heard


@given(HOSTS, REQUESTS, st.sampled_from(["random", "best-fit", "first-fit"]), st.sampled_from([1.0, 0.6]), st.data())
def test_the_filters_leave_exactly_what_the_planner_found_feasible(
    hosts: list[dict[str, Any]], request_: PlacementRequest, policy: str, threshold: float, data: st.DataObject
) -> None:
    ids = st.sets(st.sampled_from([f"host-{n}" for n in range(len(hosts))]))
    where: dict[str, Any] = {
        "zone_id": data.draw(st.none() | st.just("z1")),
        "host_ids": data.draw(st.none() | ids),
        "avoid": data.draw(ids),
    }
    planner = Planner(arrays(hosts), Fixed(policy, threshold), Randomness(1))
    slot, (told,) = planned(planner, request_, **where)
    try:
        feasible = int(planner.feasible(request_, **where).sum())
    except NoPlace:
        feasible = 0
    assert told.feasible == feasible == (told.filters[-1].left if told.filters else told.considered)
    assert told.considered - sum(each.took for each in told.filters) == feasible
    assert all(len(each.hosts) == min(each.took, MOST_NAMED) for each in told.filters)
    assert (told.chosen is None) == (feasible == 0) == bool(told.error) == (slot is None)
    assert slot is None or told.chosen == planner.hosts.ids[slot]


@given(HOSTS, st.lists(REQUESTS, max_size=5), st.sampled_from(["random", "next-fit", "worst-fit", "power-of-d"]))
def test_a_planner_that_is_watched_decides_as_one_that_is_not(
    hosts: list[dict[str, Any]], requests: list[PlacementRequest], policy: str
) -> None:
    watched = Planner(arrays(hosts), Fixed(policy), Randomness(1))
    alone = Planner(arrays(hosts), Fixed(policy), Randomness(1))
    for request in requests:
        slot = None
        with contextlib.suppress(NoPlace):
            slot = alone.plan(request)
        assert planned(watched, request)[0] == slot


def test_the_chosen_host_is_named_even_when_it_is_not_among_the_first() -> None:
    host = {"zone": "z1", "cpus": 8, "memory": 8192, "tags": set(), "enabled": True, "owner": None}
    planner = Planner(arrays([host] * 200), Fixed("random"), Randomness(1))
    for _ in range(5):
        slot, (told,) = planned(planner, PlacementRequest(100, 128))
        assert len(told.scores) == MOST_NAMED
        assert told.chosen in [each.host_id for each in told.scores]
        assert slot is not None


def test_a_host_that_was_taken_away_says_what_it_has() -> None:
    hosts = [
        {"zone": "z1", "cpus": 2, "memory": 512, "tags": {"ssd"}, "enabled": True, "owner": None},
        {"zone": "z1", "cpus": 2, "memory": 4096, "tags": set(), "enabled": True, "owner": None},
    ]
    _, (told,) = planned(Planner(arrays(hosts), Fixed("first-fit"), Randomness(1)), PlacementRequest(500, 1024, tags=("ssd",)))
    taken = {each.name: [(h.host_id, h.has) for h in each.hosts] for each in told.filters if each.took}
    assert taken == {"host tags": [("host-1", "none")], "memory": [("host-0", "512 MiB free")]}
    assert told.error.endswith("(memory)")


def test_nobody_is_asked_for_an_explanation_that_nobody_wants() -> None:
    host = {"zone": "z1", "cpus": 8, "memory": 8192, "tags": set(), "enabled": True, "owner": None}
    planner = Planner(arrays([host]), Fixed("first-fit"), Randomness(1))
    planner.on_planned = lambda: None
    planner.hosts.tags = None  # type: ignore[assignment]  # what only explanations and requests with tags look at
    assert planner.plan(PlacementRequest(100, 128)) == 0
    assert np.flatnonzero(planner.hosts.enabled).tolist() == [0]
    with pytest.raises(NoPlace):
        planner.plan(PlacementRequest(100, 1 << 20))
