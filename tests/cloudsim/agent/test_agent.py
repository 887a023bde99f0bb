"""The agent: stays connected, does each command once, in order for each instance, and outlives all that fails."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.simulated.loop import SimLoop
from cloudsim.agent import Agent
from cloudsim.agent.agent import FACTS_AGAIN, FULL_EVERY, RECONNECT_FIRST, RECONNECT_LONGEST, STARTUP_AGAIN
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol import commands as c
from cloudsim.protocol.messages import Connected, Message, Ping, Refused, Request, Response, Startup
from cloudsim.protocol.specs import HostFacts, VmReport

FACTS = HostFacts("Simulator", 8, 2000, 32768)
PING = 10.0


class Wire:
    """The agent's end of a connection; notes what is sent with its time."""

    def __init__(self, manager: Manager) -> None:
        self.manager = manager
        self.on_message: Callable[[Message], None] = lambda message: None
        self.on_close: Callable[[], None] = lambda: None
        self.closed = False

    def send(self, message: Message) -> None:
        self.manager.heard.append((self.manager.now, message))
        if isinstance(message, Startup) and self.manager.answers:
            self.manager.loop.call_soon(self.on_message, Connected("host", PING))

    def close(self) -> None:
        self.closed = True


class Manager:
    """Accepts connections and says what tests want said. `down`: nobody answers; `answers`: Startup gets Connected."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.heard: list[tuple[float, Message]] = []
        self.attempts: list[float] = []
        self.wires: list[Wire] = []
        self.down = False
        self.answers = True

    @property
    def now(self) -> float:
        return self.loop.time()

    async def connect(self) -> Wire:
        self.attempts.append(self.now)
        await asyncio.sleep(0)
        if self.down:
            raise ConnectionError("nobody listens")
        self.wires.append(Wire(self))
        return self.wires[-1]

    def say(self, message: Message) -> None:
        self.wires[-1].on_message(message)

    def cut(self) -> None:
        self.wires[-1].on_close()

    def of(self, kind: type) -> list[Any]:
        return [message for _, message in self.heard if isinstance(message, kind)]

    def answered(self) -> list[int]:
        return [response.sequence for response in self.of(Response)]


class Host:
    """A hypervisor whose stops take `slow` seconds; `done` tells what was begun and ended."""

    def __init__(self, slow: float = 5.0) -> None:
        self.slow = slow
        self.vms: tuple[VmReport, ...] = ()
        self.done: list[tuple[str, str]] = []
        self.fails: Exception | None = None
        self.ails: Exception | None = None

    async def facts(self) -> HostFacts:
        if self.ails is not None:
            raise self.ails
        return FACTS

    def inventory(self) -> tuple[VmReport, ...] | None:
        return self.vms

    async def vm_states(self) -> tuple[VmReport, ...]:
        return self.vms

    async def stop_vm(self, name: str, forced: bool) -> None:
        self.done.append(("begin", name))
        await asyncio.sleep(self.slow)
        if self.fails is not None:
            raise self.fails
        self.done.append(("end", name))


class Bench:
    def __init__(self, slow: float = 5.0) -> None:
        self.loop = SimLoop()
        self.host = Host(slow)
        self.manager = Manager(self.loop)
        self.agent = Agent("guid", "kvm1", self.host, self.manager)  # type: ignore[arg-type]

    def start(self) -> Bench:
        self.loop.call_soon(self.agent.start)
        return self.wait(0.5)

    def wait(self, seconds: float) -> Bench:
        self.loop.run_until_complete(asyncio.sleep(seconds))
        return self

    def do(self, what: Callable[..., object], *arguments: object) -> Bench:
        self.loop.call_soon(what, *arguments)
        return self.wait(0)

    def cut(self) -> Bench:
        return self.do(self.manager.cut)

    def stop(self) -> Bench:
        return self.do(self.agent.stop)

    def ask(self, sequence: int, vm: str = "i-2-1-VM", answered: int = 0) -> Bench:
        return self.do(self.manager.say, Request(sequence, c.StopCommand(vm=vm), "trace", answered))


def test_it_says_who_it_is_and_pings_at_the_managers_interval() -> None:
    bench = Bench().start()
    assert bench.manager.of(Startup) == [
        Startup("guid", "kvm1", bench.manager.of(Startup)[0].version, FACTS, ())
    ]
    assert bench.agent.connected and bench.agent.host_id == "host"
    bench.wait(3 * PING)
    pings = [time for time, message in bench.manager.heard if isinstance(message, Ping)]
    assert pings == [PING, 2 * PING, 3 * PING]


def test_a_command_is_done_and_answered_with_its_number_and_trace() -> None:
    bench = Bench().start().ask(7).wait(6)
    assert bench.manager.of(Response) == [Response(7, c.StopAnswer(), "trace")]
    assert bench.host.done == [("begin", "i-2-1-VM"), ("end", "i-2-1-VM")]


def test_a_command_is_never_done_twice() -> None:
    bench = Bench().start().ask(7).wait(1).ask(7).wait(6).ask(7).wait(6)
    assert Counter(bench.host.done)["begin", "i-2-1-VM"] == 1
    assert bench.manager.answered() == [7, 7], "asked again when it is done, it answers again"


def test_a_command_that_waits_its_turn_is_not_queued_twice() -> None:
    bench = Bench().start().ask(7).ask(8).ask(8).wait(30)
    assert bench.manager.answered() == [7, 8]


def test_an_answer_is_forgotten_once_the_manager_says_that_it_came() -> None:
    bench = Bench().start().ask(7).wait(6).ask(8, "i-2-2-VM", answered=7).wait(6)
    assert list(bench.agent._answers) == [8]


def test_commands_for_one_instance_are_done_in_order_and_others_side_by_side() -> None:
    bench = Bench().start().ask(1).ask(2).ask(3, "i-2-2-VM").wait(30)
    a, b = "i-2-1-VM", "i-2-2-VM"
    assert bench.host.done == [
        ("begin", a),
        ("begin", b),
        ("end", a),
        ("begin", a),
        ("end", b),
        ("end", a),
    ] or (bench.host.done == [("begin", a), ("begin", b), ("end", a), ("end", b), ("begin", a), ("end", a)])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 8), st.integers(0, 4)), min_size=1, max_size=30))
def test_whatever_comes_again_and_whenever_each_command_is_done_once_in_order(
    asked: list[tuple[int, int]],
) -> None:
    bench = Bench(slow=2.0).start()
    first: dict[int, None] = {}
    for sequence, pause in asked:
        first[sequence] = None
        bench.ask(sequence, f"i-2-{sequence % 2}-VM").wait(pause)
    bench.wait(60)
    for parity in (0, 1):
        mine = [n for n in first if n % 2 == parity]
        assert bench.host.done.count(("begin", f"i-2-{parity}-VM")) == len(mine)
        answered = list(dict.fromkeys(n for n in bench.manager.answered() if n % 2 == parity))
        assert answered == mine, "in the order in which they came first"


def test_a_lost_connection_is_made_again_and_what_was_begun_goes_on() -> None:
    bench = Bench().start().ask(7).cut().wait(10)
    assert len(bench.manager.of(Startup)) == 2 and bench.agent.connected
    assert bench.manager.answered() == [7]
    assert bench.manager.of(Startup)[1].vms == (VmReport("i-2-1-VM", "", "PowerUnknown"),), (
        "it is still at it"
    )
    bench.ask(7).wait(1)
    assert Counter(bench.host.done)["begin", "i-2-1-VM"] == 1


def test_it_waits_longer_and_longer_while_nobody_answers() -> None:
    bench = Bench()
    bench.manager.down = True
    bench.start().wait(400)
    gaps = [b - a for a, b in zip(bench.manager.attempts, bench.manager.attempts[1:], strict=False)]
    assert gaps[:6] == [RECONNECT_FIRST * 2**n for n in range(6)] and set(gaps[6:]) == {RECONNECT_LONGEST}
    bench.manager.down = False
    bench.wait(RECONNECT_LONGEST)
    assert bench.agent.connected


def test_a_startup_that_got_lost_is_said_again() -> None:
    bench = Bench()
    bench.manager.answers = False
    bench.start().wait(2 * STARTUP_AGAIN)
    assert len(bench.manager.of(Startup)) == 3 and len(bench.manager.wires) == 1
    bench.manager.answers = True
    bench.wait(STARTUP_AGAIN)
    assert bench.agent.connected
    bench.wait(10 * STARTUP_AGAIN)
    assert len(bench.manager.of(Startup)) == 4


def test_one_that_is_refused_hangs_up_and_tries_again() -> None:
    bench = Bench().start()
    bench.do(bench.manager.say, Refused("not here"))
    assert bench.manager.wires[0].closed and not bench.agent.connected
    bench.wait(RECONNECT_FIRST + 1)
    assert len(bench.manager.wires) == 2 and bench.agent.connected


def test_a_change_is_told_once_and_everything_now_and_then() -> None:
    bench = Bench().start()
    bench.host.vms = (VmReport("i-2-1-VM", "id", "PowerOn"),)
    bench.wait(PING * (FULL_EVERY + 2))
    told = [ping.vms for ping in bench.manager.of(Ping)]
    assert told[0] == bench.host.vms and told[FULL_EVERY] == bench.host.vms, (
        "the first one may have been lost"
    )
    assert told[1:FULL_EVERY] == [None] * (FULL_EVERY - 1)


def test_after_work_on_an_instance_everything_is_told_for_it_may_have_come_and_gone_between_two_pings() -> None:
    bench = Bench(slow=1.0).start().wait(2 * PING)
    assert bench.manager.of(Ping)[-1].vms is None
    bench.ask(1).wait(PING)
    assert bench.manager.of(Ping)[-1].vms == ()
    bench.wait(PING)
    assert bench.manager.of(Ping)[-1].vms is None


def test_a_hypervisor_that_answers_again_is_told_of_soon() -> None:
    bench = Bench()
    bench.host.ails = HypervisorError("libvirt did not answer")
    bench.start().wait(FACTS_AGAIN)
    assert bench.manager.of(Startup) == [] and not bench.agent.connected
    bench.host.ails = None
    bench.wait(FACTS_AGAIN)
    assert len(bench.manager.of(Startup)) == 1 and bench.agent.connected
    bench.wait(2 * STARTUP_AGAIN)
    assert len(bench.manager.of(Startup)) == 1


def test_what_changes_nothing_is_answered_anew_when_it_is_asked_again() -> None:
    bench = Bench().start()
    ask = Request(5, c.VmStatesCommand())
    bench.do(bench.manager.say, ask).wait(1)
    bench.host.vms = (VmReport("i-2-1-VM", "id", "PowerOn"),)
    bench.do(bench.manager.say, ask).wait(1)
    assert [response.answer.vms for response in bench.manager.of(Response)] == [(), bench.host.vms]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (HypervisorError("no disk"), "no disk"),
        (ZeroDivisionError("oops"), "StopCommand failed: ZeroDivisionError"),
    ],
)
def test_it_outlives_what_fails_and_says_so(error: Exception, text: str) -> None:
    bench = Bench().start()
    bench.host.fails = error
    bench.ask(7).wait(6)
    answer = bench.manager.of(Response)[0].answer
    assert isinstance(answer, c.StopAnswer) and answer.error is not None and text in answer.error
    bench.host.fails = None
    bench.ask(8).wait(6)
    assert bench.manager.of(Response)[1].answer.ok


def test_one_that_is_stopped_forgets_what_it_did_and_can_be_started_again() -> None:
    bench = Bench().start().ask(7).wait(1).stop().wait(60)
    assert bench.host.done == [("begin", "i-2-1-VM")] and bench.manager.answered() == []
    assert bench.manager.wires[0].closed
    bench.start().ask(7).wait(6)
    assert bench.manager.answered() == [7]
