"""The indexed engine does what the general one does, which asks the management server's planner."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.experiment.blocks import RequestBlock
from cloudsim.experiment.replay import HostGroup, ReplayResult, replay
from cloudsim.experiment.replay.indexed import takes
from cloudsim.experiment.replay.samples import Sampler
from cloudsim.experiment.requests import VmRequest
from cloudsim.placement import policy
from cloudsim.placement.naming import policies
from cloudsim.randomness import Randomness
from tests.cloudsim.experiment.replay.workloads import (
    HOUR,
    YEAR,
    assert_same,
    clouds,
    host,
    played,
    random_block,
    traces,
    vm,
)

OPTIONS = [
    *(f"{name},norm={norm}" for name in ("best-fit", "worst-fit") for norm in ("memory", "l1", "l2", "linf")),
    "protean,rules=non-empty+packing,levels=4",
    "protean,rules=balance+packing,norm=linf",
    "l2-norm,cpu_weight=0.5,memory_weight=2",
]


def has_index(name: str) -> bool:
    return takes(policy(name, Randomness(0)), [host()])


INDEXED = [*filter(has_index, sorted(policies())), *OPTIONS]


@pytest.fixture(scope="module", autouse=True)
def few_samples() -> Iterator[None]:
    """For each state costs a linear programme; few are thinned out more often, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cloudsim.experiment.replay.samples.PARTS_OF_A_SHORT_TRACE", 6)
        patch.setattr(import_module("cloudsim.experiment.replay.replay"), "Sampler", partial(Sampler, most=8))
        yield


def test_policies_of_order_and_of_capacity_have_an_index() -> None:
    assert all(map(has_index, OPTIONS))
    assert set(INDEXED) >= {"first-fit", "next-fit", "round-robin", "best-fit", "worst-fit", "dot-product", "cosine"}


@pytest.mark.parametrize("name", ["random", "power-of-d", "user-dispersing", "protean", "first-fit-decreasing"])
def test_others_have_none_and_are_replayed_in_general(name: str) -> None:
    assert not has_index(name)
    assert played([vm()], [host()], name).totals.engine == "general"


@pytest.mark.parametrize(
    "group", [host(gpus=1), host(tags=("ssd",)), host(numa=((4, 8), (4, 8)))], ids=["GPUs", "tags", "NUMA nodes"]
)
def test_hosts_with_more_than_cpu_and_memory_are_replayed_in_general(group: HostGroup) -> None:
    assert played([vm()], [host(), group]).totals.engine == "general"


@pytest.mark.parametrize("name", INDEXED)
@settings(max_examples=12, deadline=None)
@given(hosts=clouds, trace=traces(), size=st.sampled_from((2, 5, 1000)), later=st.integers(-1, 10), drain=st.booleans())
def test_they_place_alike_and_report_the_same(
    name: str, hosts: list[HostGroup], trace: list[VmRequest], size: int, later: int, drain: bool
) -> None:
    # In blocks of two or five requests most sizes are new ones, for which all is measured in smaller units.
    begin = 1 if later < 0 else trace[-1].arrival_ms * later // 8
    until = "last-departure" if drain else "last-arrival"
    indexed, general = (
        played(trace, hosts, name, size, engine=engine, measure_from_ms=begin, until=until)
        for engine in ("indexed", "general")
    )
    assert_same(indexed, general)


def both(block: RequestBlock, hosts: list[HostGroup], name: str) -> tuple[ReplayResult, ReplayResult]:
    """The replays of a block, cut into pieces, by both engines."""

    def pieces() -> list[RequestBlock]:
        columns = (block.arrival_ms, block.lifetime_ms, block.expected_ms, block.flavour)
        cuts = range(0, len(block), 700)
        return [RequestBlock(i, *(column[i : i + 700] for column in columns), block.flavours) for i in cuts]

    return (
        replay(lambda: iter(pieces()), hosts, name, keep_assignments=True, engine="indexed"),
        replay(lambda: iter(pieces()), hosts, name, keep_assignments=True, engine="general"),
    )


@pytest.mark.parametrize("name", ["first-fit", "round-robin", "best-fit", "worst-fit,norm=linf"])
def test_with_hundreds_of_flavours_and_more_instances_than_there_was_room_for(name: str) -> None:
    block = random_block(np.random.default_rng(3), 4000, 100, (1, 20 * HOUR), 8, 31)
    hosts = [host(64, 128, 90), host(48, 192, 60)]
    indexed, general = both(block, hosts, name)
    assert_same(indexed, general)
    assert len(block.flavours) > 64 and indexed.totals.live_peak > 1024


@pytest.mark.parametrize("name", ["next-fit", "best-fit,norm=memory", "worst-fit,norm=l2"])
def test_with_thousands_of_hosts(name: str) -> None:
    # More hosts than a page of a class has, or two levels of words.
    block = random_block(np.random.default_rng(4), 6500, 1, (5 * HOUR, YEAR), 3, 3)
    indexed, general = both(block, [host(3, 4, 2500), host(4, 3, 2000)], name)
    assert_same(indexed, general)
    assert indexed.totals.not_empty_peak > 4096 or name.startswith("best")
    assert max(indexed.assignments) >= 4096  # type: ignore[type-var, arg-type]
