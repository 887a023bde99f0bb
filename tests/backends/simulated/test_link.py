import asyncio
from contextvars import copy_context
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.simulated.link import TCP_TIMEOUT, Condition, SimulatedLink, kind
from backends.simulated.loop import SimLoop
from cloudsim.protocol import commands as c
from cloudsim.protocol.messages import Connected, Ping, Request, Response
from cloudsim.randomness import Randomness


def numbered(number: int) -> Connected:
    """A message that can be told from others."""
    return Connected("", number)


class Wire:
    """Two ends that note (time, sequence) of what they receive, and None when they close."""

    def __init__(self, latencies: list[float] | None = None, seed: int = 1) -> None:
        self.loop: Any = SimLoop()
        self.condition = Condition(Randomness(seed))
        values = iter(latencies or [])
        self.managers_ends: dict[SimulatedLink, None] = {}
        self.agent, self.manager = SimulatedLink.pair(
            self.loop, self.condition, lambda: next(values, 0.1), copy_context(), self.managers_ends
        )
        self.at_agent: list[tuple[float, int | None]] = []
        self.at_manager: list[tuple[float, int | None]] = []
        for end, seen in ((self.agent, self.at_agent), (self.manager, self.at_manager)):
            end.on_message = lambda m, seen=seen: seen.append((self.loop.time(), m.ping_interval))
            end.on_close = lambda seen=seen: seen.append((self.loop.time(), None))

    def at(self, time: float, what: Any, *args: Any) -> None:
        self.loop.call_at(time, what, *args)

    def run(self) -> None:
        self.loop.run_forever()


def numbers(seen: list[tuple[float, int | None]]) -> list[int | None]:
    return [number for _, number in seen]


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 2)), max_size=30))
def test_messages_come_in_order_whatever_their_latencies(sends: list[tuple[float, float]]) -> None:
    sends = sorted(sends, key=lambda s: s[0])
    wire = Wire([latency for _, latency in sends])
    for number, (time, _) in enumerate(sends):
        wire.at(time, wire.agent.send, Connected("", number))
    wire.run()
    expected, last = [], 0.0
    for number, (time, latency) in enumerate(sends):
        last = max(last, time + latency)
        expected.append((pytest.approx(last), number))
    assert wire.at_manager == expected


@given(st.integers(0, 100), st.floats(0.1, 0.9), st.floats(0, 0.9))
def test_loss_and_duplication_keep_the_order(seed: int, loss: float, duplication: float) -> None:
    wire = Wire(seed=seed)
    wire.condition.impair(loss=loss, duplication=duplication, delay=0.5)
    for number in range(200):
        wire.manager.send(Connected("", number))
    wire.run()
    assert numbers(wire.at_agent) == sorted(numbers(wire.at_agent))  # type: ignore[type-var]
    assert 0 < len(set(numbers(wire.at_agent))) < 200
    assert {time for time, _ in wire.at_agent} == {0.6}
    wire.condition.impair(loss=-loss, duplication=-duplication, delay=-0.5)
    assert wire.condition.clear


def test_nothing_arrives_from_within_send_and_a_close_comes_after_what_was_sent() -> None:
    wire = Wire()
    wire.agent.send(Connected("", 1))
    wire.agent.close()
    wire.agent.send(Connected("", 2))
    wire.manager.send(Connected("", 3))
    assert wire.at_manager == []
    wire.run()
    assert numbers(wire.at_manager) == [1, None] and wire.at_agent == []
    assert wire.agent.closed and wire.manager.closed
    assert not wire.condition.links and not wire.managers_ends


def test_a_short_partition_loses_messages_and_a_long_one_the_connection() -> None:
    wire = Wire()
    wire.at(1, wire.condition.cut)
    wire.at(2, wire.agent.send, Connected("", 1))
    wire.at(3, wire.condition.mend)
    wire.at(4, wire.agent.send, Connected("", 2))
    wire.at(100, wire.condition.cut)
    wire.at(101, wire.condition.cut)
    wire.at(102, wire.condition.mend)
    wire.run()
    end = (100 + TCP_TIMEOUT, None)
    assert wire.at_manager == [(4.1, 2), end] and wire.at_agent == [end]


def test_an_end_closed_during_a_partition_is_missed_by_the_other_in_time() -> None:
    wire = Wire()
    wire.condition.cut()
    wire.at(5, wire.manager.close)
    wire.at(6, wire.condition.mend)
    wire.run()
    assert wire.at_agent == [(5 + TCP_TIMEOUT, None)]


def test_a_hung_agent_keeps_what_comes_and_goes_until_it_wakes() -> None:
    wire = Wire()
    wire.at(1, wire.condition.hang)
    wire.at(2, wire.manager.send, Connected("", 1))
    wire.at(3, wire.agent.send, Connected("", 2))
    wire.at(9.95, wire.manager.send, Connected("", 3))
    wire.at(10, wire.condition.wake)
    wire.at(10, wire.manager.send, Connected("", 4))
    wire.run()
    assert wire.at_agent == [(10, 1), (pytest.approx(10.05), 3), (pytest.approx(10.1), 4)]
    assert wire.at_manager == [(pytest.approx(10.1), 2)]


def test_a_hung_agent_hears_of_the_close_when_it_wakes() -> None:
    wire = Wire()
    wire.condition.hang()
    wire.at(1, wire.manager.send, Connected("", 1))
    wire.at(2, wire.manager.close)
    wire.at(10, wire.condition.wake)
    wire.run()
    assert wire.at_agent == [(10, 1), (10, None)] and not wire.condition.links


def test_a_vanished_machine_says_nothing_more() -> None:
    wire = Wire()
    wire.agent.send(Connected("", 1))
    wire.at(5, wire.agent.vanish)
    wire.at(6, wire.manager.send, Connected("", 2))
    wire.at(7, wire.agent.close)
    wire.run()
    assert wire.at_manager == [(0.1, 1), (5 + TCP_TIMEOUT, None)] and wire.at_agent == []


def test_awake_waits_for_the_end_of_a_hang() -> None:
    async def main() -> None:
        condition = Condition()
        await condition.awake()
        condition.hang()
        asyncio.get_running_loop().call_later(3, condition.wake)
        await condition.awake()
        assert asyncio.get_running_loop().time() == 3

    SimLoop().run_until_complete(main())


def test_messages_are_counted_by_command_and_survive_their_json() -> None:
    from collections import Counter

    wire = Wire()
    seen: list[object] = []
    wire.agent.on_message = seen.append  # type: ignore[assignment]
    wire.condition.counter = counter = Counter()
    wire.condition.wire = True
    wire.condition.judge()
    request = Request(1, c.StopCommand(vm="i-2-3-VM"), "trace")
    wire.manager.send(request)
    wire.agent.send(Response(1, c.StopAnswer()))
    wire.agent.send(Connected("", 5))
    wire.run()
    assert seen == [request] and seen[0] is not request
    assert counter == {"StopCommand": 1, "StopAnswer": 1, "Connected": 1}
    assert kind(Ping("guid")) == "Ping"
