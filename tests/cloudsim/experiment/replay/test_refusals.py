"""What a replay will not do, and what it says then; and what it does in general, as there is no index for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from cloudsim.errors import InvalidParameterValue
from cloudsim.experiment.blocks import Flavour, RequestBlock
from cloudsim.experiment.errors import ScenarioError, TraceError
from cloudsim.experiment.replay import HostGroup, replay
from cloudsim.experiment.replay.kernels import LATEST
from cloudsim.placement import OrderedPolicy, PlacementRequest, Policy, ScoringPolicy
from cloudsim.placement.policy import HostArrays, Mask
from tests.cloudsim.experiment.replay.workloads import HOUR, host, played, single_cores, slots, vm


class Scoring(ScoringPolicy):
    """Scores by a function that a test gives; `Indexed` by a function of capacity, or so it says."""

    scores: ClassVar[Any] = None

    def score(self, request: PlacementRequest, hosts: Any) -> Any:
        return type(self).scores(hosts)


class Indexed(Scoring):
    of_capacity = True


class Choosing(Policy):
    def choose(self, request: PlacementRequest, hosts: HostArrays, feasible: Mask) -> int:
        return int(hosts.instances[: hosts.size].argmax())


class Repeating(OrderedPolicy):
    def order_batch(self, requests: Sequence[PlacementRequest]) -> Sequence[int]:
        return [0] * len(requests)


def own(kind: type[Policy]) -> str:
    return f"{__name__}:{kind.__name__}"


BOTH = pytest.mark.parametrize("kind", [Indexed, Scoring], ids=["indexed", "general"])


@BOTH
@pytest.mark.parametrize(
    ("scores", "text"),
    [
        (lambda hosts: np.zeros(len(hosts) + 1), r"score: expected an array of \d+, one for each host, got \(\d+,\)"),
        (lambda hosts: 1.0, r"score: expected an array of \d+, one for each host, got \(\)"),
        (lambda hosts: hosts.cpu_room * np.nan, "score: expected numbers, got NaN"),
    ],
    ids=["too many", "one for all", "NaN"],
)
def test_scores_that_are_none(kind: type[Scoring], scores: Any, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "scores", staticmethod(scores))
    with pytest.raises(InvalidParameterValue, match=f"policy {kind.name}: {text}"):
        played([vm(), vm()], [host(number=3)], own(kind))


@BOTH
@pytest.mark.parametrize(
    "scores",
    [lambda hosts: hosts.cpu_room >= 8, lambda hosts: list(-hosts.cpu_room), lambda hosts: hosts.cpu_room + np.inf],
    ids=["true or false", "a list", "infinite"],
)
def test_scores_that_are_unusual(kind: type[Scoring], scores: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "scores", staticmethod(scores))
    trace = [vm(cpus=2), vm(cpus=1), vm(cpus=3)]
    hosts = [host(9, 16, 2)]
    found = played(trace, hosts, own(kind))
    assert found.totals.engine == kind.__name__.lower().replace("scoring", "general")
    assert slots(found)[0] == 0 and -1 not in slots(found)


@pytest.mark.parametrize("name", ["expected_end", "instances", "slots", "gpu_room", "pod"])
def test_a_score_that_says_it_is_of_capacity_and_looks_at_more(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Indexed, "scores", staticmethod(lambda hosts: getattr(hosts, name)))
    with pytest.raises(InvalidParameterValue, match=f"says that its score is of_capacity, but it looks at more: .*{name}"):
        played([vm()], [host()], own(Indexed))


def test_a_policy_that_chooses_a_host_which_cannot_hold_the_request() -> None:
    with pytest.raises(InvalidParameterValue, match="policy choosing chose host 0, which cannot hold the request"):
        played([vm(cpus=5), vm(cpus=5)], [host(number=2)], own(Choosing))


def test_a_policy_that_orders_a_batch_and_forgets_some() -> None:
    assert slots(played([vm(0), vm(1)], [host()], own(Repeating))) == [0, 0]
    with pytest.raises(InvalidParameterValue, match=r"order_batch: expected each index of 2 requests once, got \[0, 0\]"):
        played([vm(), vm()], [host()], own(Repeating))


def test_the_indexed_engine_where_there_is_no_index() -> None:
    with pytest.raises(InvalidParameterValue, match="engine: there is no index for random on these hosts"):
        played([vm()], [host()], "random", engine="indexed")
    with pytest.raises(InvalidParameterValue, match="engine: there is no index for first-fit on these hosts"):
        played([vm()], [host(gpus=1)], engine="indexed")
    with pytest.raises(InvalidParameterValue, match="the indexed one cannot replay this: affinity groups"):
        played([vm(), vm(affinity=("g",))], [host()], engine="indexed", size=1)
    with pytest.raises(InvalidParameterValue, match="the indexed one cannot replay this: GPUs, tags or NUMA nodes"):
        played([vm(), vm(gpus=1)], [host()], engine="indexed", size=1)


@pytest.mark.parametrize("hosts", [[], [host(number=0)]])
def test_no_hosts(hosts: list[HostGroup]) -> None:
    with pytest.raises(ScenarioError, match="hosts: expected at least one"):
        played([vm()], hosts)


@pytest.mark.parametrize("group", [host(memory=0), host(memory=1, memory_overcommit=0.5), host(cpu_overcommit=0.01)])
def test_hosts_that_could_hold_nothing(group: HostGroup) -> None:
    with pytest.raises(ScenarioError, match="hosts: expected at least one MHz and one MiB"):
        played([vm()], [host(), group])


@pytest.mark.parametrize("engine", ["indexed", "general"])
def test_an_empty_trace(engine: str) -> None:
    with pytest.raises(TraceError, match="expected at least one request"):
        played([], [host()], engine=engine)


@pytest.mark.parametrize("engine", ["indexed", "general"])
def test_empty_blocks_do_not_matter(engine: Any) -> None:
    nothing = np.zeros(0, np.int64)
    empty = RequestBlock(0, nothing, nothing, nothing, nothing, [])
    one = single_cores(np.zeros(1, np.int64), np.zeros(1, np.int64))
    assert replay(lambda: iter([empty, *one, empty]), [host()], "first-fit", engine=engine).totals.placed == 1


# what would be too much for an index


@pytest.mark.parametrize("trace", [[vm(0, LATEST), vm(5)], [vm(0, 1), vm(LATEST)], [vm(0, (1 << 63) - 1), vm(5)]])
def test_times_beyond_those_that_an_index_can_count_to(trace: list[Any]) -> None:
    result = played(trace, [host(1, 1)], samples=False)
    assert (result.totals.engine, result.totals.placed) == ("general", 1 if trace[1].arrival_ms == 5 else 2)


def test_hosts_with_more_states_than_are_worth_it() -> None:
    hosts = [host(64, 262_143, mhz=1001)]
    assert played([vm(memory=7)], hosts, "best-fit").totals.engine == "general"
    assert played([vm(memory=7)], hosts, "first-fit").totals.engine == "indexed"


def test_very_many_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [Flavour(1, 1, m) for m in range(1, 300)]
    one = np.zeros(1, np.int64)
    block = RequestBlock(0, one, one, one, one, many)

    def engine() -> str:
        return replay(lambda: iter([block]), [host(4, 1000)], "first-fit", samples=False).totals.engine

    assert engine() == "indexed"
    monkeypatch.setattr("cloudsim.experiment.replay.indexed.MOST_FLAVOURS", 298)
    assert engine() == "general"
    monkeypatch.setattr("cloudsim.experiment.replay.indexed.MOST_FLAVOURS", 299)
    assert engine() == "indexed"
    monkeypatch.setattr("cloudsim.experiment.replay.indexed.MOST_WORDS", 1000 * 5 - 1)
    assert engine() == "general"


def test_very_many_instances_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudsim.experiment.replay.state.MOST_LIVE", 4096)
    trace = [vm(0, HOUR) for _ in range(2100)]
    for number, engine in ((2048, "indexed"), (2049, "general")):
        totals = played(trace[:number], [host(2100, 2100)], samples=False).totals
        assert (totals.engine, totals.placed) == (engine, number)
