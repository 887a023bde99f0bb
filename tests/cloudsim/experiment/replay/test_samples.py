"""States at some instants: which instants, and what is said of each, reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.experiment.blocks import RequestBlock
from cloudsim.experiment.replay import replay
from cloudsim.experiment.replay.samples import (
    MOST,
    Mix,
    Sampler,
    State,
    fragmentation,
    gini,
    sample,
    stranding,
)
from tests.cloudsim.experiment.replay.workloads import HOUR, YEAR, host, played, single_cores, vm

# Three hosts of 8 MHz and 16 MiB: one with 2 and 1 left, one with 1 and 12, and an empty one.
STATE = State(
    np.array([8, 8, 8]), np.array([2, 1, 8]), np.array([16, 16, 16]), np.array([1, 12, 16]), np.array([3, 2, 0])
)
# Of (2, 4) three were asked for, of (1, 12) one, of (1, 1) none.
MIX = Mix(np.array([2, 1, 1]), np.array([4, 12, 1]), np.array([3, 1, 0]))


def test_what_is_left_where_no_flavour_fits_is_stranded() -> None:
    assert stranding(STATE, MIX) == (2, 1), "the first host: (1, 1) would fit, but nobody asks for it"
    assert stranding(STATE, MIX._replace(asked=np.array([3, 0, 0]))) == (2 + 1, 1 + 12)
    assert stranding(STATE, MIX._replace(asked=np.array([3, 0, 1]))) == (0, 0)
    assert stranding(STATE, MIX._replace(asked=np.zeros(3, int))) == (0, 0), "nothing is known to be lost"


def test_fragmentation_is_the_share_of_cpu_that_a_request_could_not_use() -> None:
    # (2, 4) cannot use 2 + 1 of 11 MHz, and comes three times of four; (1, 12) cannot use the 2 of the first host.
    assert fragmentation(STATE, MIX) == pytest.approx(3 / 4 * 3 / 11 + 1 / 4 * 2 / 11)
    assert fragmentation(STATE, MIX._replace(asked=np.zeros(3, int))) == 0
    assert fragmentation(STATE._replace(cpu_room=np.zeros(3, int)), MIX) == 0, "nothing is left"


sizes = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=8)


@given(rooms=sizes, needs=sizes, data=st.data())
def test_stranding_and_fragmentation_are_their_definitions(
    rooms: list[tuple[int, int]], needs: list[tuple[int, int]], data: st.DataObject
) -> None:
    asked = data.draw(st.lists(st.integers(0, 3), min_size=len(needs), max_size=len(needs)))
    cpu, memory = np.array(rooms).T
    total = np.full(len(rooms), 6)
    state = State(total, cpu, total, memory, np.zeros(len(rooms), int))
    mix = Mix(*np.array(needs).T, np.array(asked))

    def takes(room: tuple[int, int], need: tuple[int, int]) -> bool:
        return room[0] >= need[0] and room[1] >= need[1]

    wanted = [need for need, n in zip(needs, asked, strict=True) for _ in range(n)]
    dead = [room for room in rooms if wanted and not any(takes(room, need) for need in wanted)]
    assert stranding(state, mix) == (sum(c for c, _ in dead), sum(m for _, m in dead))
    lost = [sum(room[0] for room in rooms if not takes(room, need)) for need in wanted]
    left = sum(c for c, _ in rooms)
    assert fragmentation(state, mix) == pytest.approx(np.mean(lost) / left if lost and left else 0)


def test_gini_is_nothing_for_equal_loads_and_nearly_one_for_a_single_one() -> None:
    assert gini(np.array([0.5, 0.5, 0.5])) == pytest.approx(0)
    assert gini(np.array([0.0, 0.0, 0.0, 0.8])) == pytest.approx(3 / 4)
    assert gini(np.zeros(4)) == 0
    assert gini(np.array([0.25, 0.75])) == gini(np.array([0.75, 0.25])) == pytest.approx(1 / 4)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=8).map(np.array))
def test_gini_is_half_the_mean_difference_over_the_mean(load: np.ndarray) -> None:
    differences = np.abs(load[:, None] - load[None, :]).mean()
    assert gini(load) == pytest.approx(differences / (2 * load.mean()) if load.any() else 0)


def test_a_sample_says_all_of_that() -> None:
    one = sample(50, STATE, MIX, 4)
    assert one[:6] == (50, 5, 2, 6 + 7, 15 + 4, 4)
    assert (one.stranded_cpu, one.stranded_memory) == (2 / 24, 1 / 48)
    assert one.fragmentation == fragmentation(STATE, MIX)
    assert one.gini == pytest.approx(gini(np.array([15 / 16, 7 / 8, 0]))), "by the resource of which more is taken"


# which instants


def test_they_are_equally_far_apart_and_see_what_left_but_not_what_comes() -> None:
    trace = [vm(0, 100), vm(10), vm(512, 256), vm(513), vm(1024)]
    for engine in ("indexed", "general"):
        samples = played(trace, [host()], engine=engine).samples
        assert [s.time_ms for s in samples] == [*range(4, 1025, 4)]
        running = {s.time_ms: s.instances for s in samples}
        assert [running[t] for t in (4, 12, 96, 100, 512, 516, 768, 1024)] == [1, 2, 2, 1, 1, 3, 2, 2]


@settings(max_examples=50, deadline=None)
@given(gaps=st.lists(st.sampled_from((0, 1, 3, 1000, HOUR, YEAR)), min_size=1, max_size=30), size=st.integers(1, 8))
def test_there_are_never_too_many_and_always_the_same(gaps: list[int], size: int) -> None:
    arrivals = np.minimum(np.cumsum(gaps), 8 * YEAR)
    blocks = single_cores(arrivals, np.full(len(arrivals), HOUR), size)
    found = [replay(lambda: iter(blocks), [host(40, 1)], "first-fit").samples for _ in range(2)]
    assert found[0] == found[1]
    times = [s.time_ms for s in found[0]]
    assert len(times) < MOST
    assert len(set(np.diff(times))) <= 1, "equally far apart"
    if len(times) > 1:
        assert times[-1] + times[1] - times[0] > arrivals[-1], "up to the last arrival"


def test_a_longer_trace_has_samples_that_are_further_apart() -> None:
    state = State(*(np.ones(1, int) for _ in range(5)))
    sampler = Sampler(lambda: 0.0, most=4)
    code = np.zeros(2, np.int64)
    sampler.begin(RequestBlock(0, np.array([100, 100 + 256]), code, code, code, []))
    taken = []
    for now in range(200):
        if sampler.next_ms <= now:
            sampler.take(now, state, MIX, 0)
            taken.append(now)
    assert taken == [101, 102, 103, 104, 106, 108, 112, 116, 124, 132, 148, 164, 196]
    assert [s.time_ms for s in sampler.samples] == [132, 164, 196]


def test_without_them_nothing_is_sampled() -> None:
    result = played([vm(0), vm(1000)], [host()], samples=False)
    assert result.samples == [] and result.metrics()["gini"] is None


def test_a_trace_of_one_instant_has_none() -> None:
    for engine in ("indexed", "general"):
        assert played([vm(), vm()], [host()], engine=engine).samples == []


def test_a_long_trace_in_small_blocks_does_not_take_as_many_samples_of_each_as_a_short_trace_of_one() -> None:
    looks = 0

    def clock() -> float:
        nonlocal looks
        looks += 1
        return 0.0

    sampler = Sampler(clock)
    code = np.zeros(2, np.int64)
    for first in range(0, 40 * 1024, 1024):
        sampler.begin(RequestBlock(first, np.array([first, first + 1024]), code, code, code, []))
        while sampler.next_ms <= first + 1024:
            sampler.take(sampler.next_ms, STATE, MIX, 0)
    taken = looks // 2
    assert taken < 1000, "and not 1,600"
    times = [s.time_ms for s in sampler.samples]
    assert len(times) >= 64
    assert len(set(np.diff(times))) == 1
