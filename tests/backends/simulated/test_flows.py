import asyncio
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.simulated.flows import Channel, Flow, Flows, fair_rates
from backends.simulated.loop import SimLoop


def naive(paths: Sequence[Sequence[int]], capacities: Sequence[float]) -> list[float]:
    """Water filling as the textbook has it: raise all rates alike, stop those whose channel is full."""
    rates = [0.0] * len(paths)
    growing = {i for i, path in enumerate(paths)}
    left = list(capacities)
    while growing:
        users = [sum(1 for i in growing if c in paths[i]) for c in range(len(left))]
        limits = [left[c] / users[c] for c in range(len(left)) if users[c]]
        step = min(limits, default=math.inf)
        if step == math.inf:
            return [math.inf if i in growing else r for i, r in enumerate(rates)]
        for i in growing:
            rates[i] += step
        left = [left[c] - step * users[c] for c in range(len(left))]
        full = {c for c in range(len(left)) if users[c] and left[c] <= 1e-9 * max(1.0, capacities[c])}
        growing = {i for i in growing if not full.intersection(paths[i])}
    return rates


NETWORKS = st.lists(st.one_of(st.just(0.0), st.floats(0.5, 100)), min_size=1, max_size=5).flatmap(
    lambda capacities: st.tuples(
        st.just(capacities),
        st.lists(st.sets(st.integers(0, len(capacities) - 1), min_size=1), min_size=1, max_size=8),
    )
)


@given(NETWORKS)
def test_rates_are_those_of_water_filling(network: tuple[list[float], list[set[int]]]) -> None:
    capacities, paths = network
    loop = SimLoop()
    channels = [Channel(str(n), c) for n, c in enumerate(capacities)]
    flows = [Flow(tuple(channels[c] for c in sorted(p)), 1.0, 0.0, loop.create_future()) for p in paths]
    rates = fair_rates(flows)
    expected = naive([sorted(p) for p in paths], capacities)
    assert [rates[f] for f in flows] == pytest.approx(expected, rel=1e-6, abs=1e-6)
    for channel in channels:
        crossing = [rates[f] for f in flows if channel in f.path]
        assert sum(crossing) <= channel.capacity * (1 + 1e-9) + 1e-9
    for flow in flows:  # each has a channel that is full and on which none gets more: it could not grow
        assert any(
            sum(rates[f] for f in flows if c in f.path) >= c.capacity * (1 - 1e-9) - 1e-9
            and all(rates[f] <= rates[flow] * (1 + 1e-9) + 1e-9 for f in flows if c in f.path)
            for c in flow.path
        )


@given(
    NETWORKS,
    st.lists(st.tuples(st.floats(0, 10), st.floats(0.1, 50)), min_size=8, max_size=8),
    st.lists(st.tuples(st.floats(0, 20), st.integers(0, 4), st.floats(0.5, 100)), max_size=4),
)
def test_what_arrives_is_what_was_sent_whenever_rates_change(
    network: tuple[list[float], list[set[int]]],
    jobs: list[tuple[float, float]],
    changes: list[tuple[float, int, float]],
) -> None:
    """Against a second computation: every flow's rate, read after each instant, times the time it held."""
    capacities, paths = network
    loop = SimLoop()
    flows = Flows(loop)
    channels = [Channel(str(n), c + 0.5) for n, c in enumerate(capacities)]
    moved: dict[Flow, float] = {}
    sizes: dict[Flow, float] = {}
    finished: list[float] = []

    async def job(path: set[int], start: float, size: float) -> None:
        await asyncio.sleep(start)
        way = [channels[c] for c in sorted(path)]
        finished.append(await flows.transfer(way, size))

    def watch(until: float) -> None:
        for flow in flows.active:
            sizes.setdefault(flow, flow.remaining)
            moved[flow] = moved.get(flow, 0.0) + flow.rate * (min(until, flow.finish) - loop.time())
        for channel in channels:
            assert channel.load <= channel.capacity * (1 + 1e-9)

    async def change(at: float, number: int, capacity: float) -> None:
        await asyncio.sleep(at)
        flows.set_capacity(channels[number % len(channels)], capacity)

    async def main() -> None:
        await asyncio.gather(
            *(job(p, *jobs[i]) for i, p in enumerate(paths)), *(change(*c) for c in changes)
        )

    done = loop.create_task(main())
    while not done.done():
        loop.step()
        following = loop._next_instant()
        if following < math.inf and not loop._ready:
            watch(following)
    done.result()
    assert len(finished) == len(paths) and not flows.active
    for flow, size in sizes.items():
        assert moved[flow] == pytest.approx(size, rel=1e-6, abs=1e-6)


def run(main: object) -> None:
    SimLoop().run_until_complete(main)  # type: ignore[arg-type]


def test_two_flows_share_and_the_second_speeds_up() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        flows, wire = Flows(loop), Channel("wire", 10.0)
        assert await asyncio.gather(flows.transfer([wire], 50), flows.transfer([wire], 100)) == [10.0, 15.0]

    run(main())


def test_a_cut_stalls_and_repair_resumes() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        flows, wire = Flows(loop), Channel("wire", 10.0)
        loop.call_later(5, flows.set_capacity, wire, 0.0)
        loop.call_later(25, flows.set_capacity, wire, 10.0)
        assert await flows.transfer([wire, wire], 100) == 30.0

    run(main())


def test_cancelling_gives_the_share_back_and_failing_is_heard() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        flows, wire = Flows(loop), Channel("wire", 10.0)
        other = loop.create_task(flows.transfer([wire], 100))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(flows.transfer([wire], 1000), 4)
        assert await other == 12.0 and not wire.flows
        loop.call_later(1, flows.fail, wire, OSError("gone"))
        with pytest.raises(OSError, match="gone"):
            await flows.transfer([wire], 100)
        assert not flows.active

    run(main())


def test_nothing_and_nowhere_take_no_time_and_untimed_flows_only_wait_for_a_way() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        flows, wire = Flows(loop), Channel("wire", 10.0)
        assert await flows.transfer([wire], 0) == 0.0
        assert await flows.transfer([], 100) == 0.0
        assert await flows.transfer([Channel("wide", math.inf)], 100) == 0.0
        untimed = Flows(loop, timed=False)
        assert await untimed.transfer([wire], 1e12) == 0.0
        untimed.set_capacity(wire, 0.0)
        loop.call_later(7, untimed.set_capacity, wire, 1.0)
        assert await untimed.transfer([wire], 1e12) == 7.0

    run(main())
