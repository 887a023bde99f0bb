"""An agent with a journal: no command is done twice, though the agent is stopped or killed in the middle of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.simulated.loop import SimLoop
from cloudsim.agent import Agent
from cloudsim.protocol import commands as c
from cloudsim.protocol.messages import Connected, Message, Request, Response, Startup
from cloudsim.protocol.specs import HostFacts, VmReport

SYNC = 0.25
"""Seconds until a note is durable."""


class Journal:
    """What is on the disk. Notes take `SYNC`; those that are not durable are lost with the agent."""

    def __init__(self) -> None:
        self.answers: dict[int, Response] = {}
        self.open: set[int] = set()
        self.notes: list[tuple[str, int]] = []

    def recall(self) -> tuple[dict[int, Response], set[int]]:
        return dict(sorted(self.answers.items())), set(self.open)

    async def begun(self, request: Request) -> None:
        await asyncio.sleep(SYNC)
        self.notes.append(("begun", request.sequence))
        self.open.add(request.sequence)

    async def answered(self, response: Response) -> None:
        await asyncio.sleep(SYNC)
        self.notes.append(("answered", response.sequence))
        self.answers[response.sequence] = response
        self.open.discard(response.sequence)

    def forget(self, answered: int) -> None:
        self.answers = {n: r for n, r in self.answers.items() if n > answered}
        self.open = {n for n in self.open if n > answered}


class Host:
    """Reboots and stops take a second."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.begun: Counter[str] = Counter()
        self.done: Counter[str] = Counter()

    async def facts(self) -> HostFacts:
        return HostFacts("KVM", 8, 2000, 32768)

    def inventory(self) -> tuple[VmReport, ...]:
        return ()

    async def vm_states(self) -> tuple[VmReport, ...]:
        return ()

    async def stop_vm(self, name: str, forced: bool) -> None:
        await self._do(name)

    async def reboot_vm(self, name: str, forced: bool) -> None:
        await self._do(name)

    async def _do(self, name: str) -> None:
        assert self.journal.open, "that it is begun is on the disk first"
        self.begun[name] += 1
        await asyncio.sleep(1)
        self.done[name] += 1


class Bench:
    """A host with a journal, its agent, and a manager that notes what it hears. The agent may be another each time."""

    def __init__(self) -> None:
        self.loop = SimLoop()
        self.journal = Journal()
        self.host = Host(self.journal)
        self.heard: list[Message] = []
        self.wire: Any = None
        self.start()

    async def connect(self) -> Any:
        bench = self

        class Wire:
            on_message: Any = None
            on_close: Any = None

            def send(self, message: Message) -> None:
                bench.heard.append(message)
                if isinstance(message, Startup):
                    bench.loop.call_soon(self.on_message, Connected("host", 60.0))

            def close(self) -> None:
                pass

        self.wire = Wire()
        return self.wire

    def start(self) -> Bench:
        self.agent = Agent("guid", "kvm1", self.host, self, self.journal)  # type: ignore[arg-type]
        self.loop.call_soon(self.agent.start)
        return self.wait(0.1)

    def kill(self) -> Bench:
        self.loop.call_soon(self.agent.stop)
        return self.wait(0)

    def ask(self, sequence: int, kind: type[c.Command] = c.RebootCommand, answered: int = 0) -> Bench:
        command = kind(vm=f"i-2-{sequence}-VM")  # type: ignore[call-arg]
        self.loop.call_soon(self.wire.on_message, Request(sequence, command, "trace", answered))
        return self.wait(0)

    def wait(self, seconds: float) -> Bench:
        self.loop.run_until_complete(asyncio.sleep(seconds))
        return self

    def answers(self) -> list[Response]:
        return [message for message in self.heard if isinstance(message, Response)]


def test_an_answer_is_on_the_disk_before_it_is_given() -> None:
    bench = Bench().ask(7).wait(SYNC + 1 + SYNC / 2)
    assert bench.host.done["i-2-7-VM"] == 1 and bench.answers() == []
    bench.wait(SYNC)
    assert bench.answers() == [Response(7, c.RebootAnswer(), "trace")]
    assert bench.journal.notes == [("begun", 7), ("answered", 7)]


def test_the_next_agent_answers_what_this_one_has_done() -> None:
    bench = Bench().ask(7).wait(5).kill().start().ask(7).wait(5)
    assert bench.host.begun["i-2-7-VM"] == 1
    assert bench.answers() == [Response(7, c.RebootAnswer(), "trace")] * 2


def test_what_can_be_repeated_is() -> None:
    bench = Bench().ask(7, c.StopCommand).wait(0.5).kill().start().ask(7, c.StopCommand).wait(5)
    assert bench.host.begun["i-2-7-VM"] == 2 and bench.host.done["i-2-7-VM"] == 1
    assert bench.answers() == [Response(7, c.StopAnswer(), "trace")]


@pytest.mark.parametrize("moment", [SYNC + 0.5, SYNC + 1 + SYNC / 2])
def test_what_cannot_be_repeated_is_answered_with_an_error(moment: float) -> None:
    bench = Bench().ask(7).wait(moment).kill().start().ask(7).wait(5)
    assert bench.host.begun["i-2-7-VM"] == 1
    error = "the agent of kvm1 was restarted in the middle of RebootCommand"
    assert bench.answers() == [Response(7, c.RebootAnswer(error=error), "trace")]
    bench.kill().start().ask(7).wait(5)
    assert bench.answers() == [Response(7, c.RebootAnswer(error=error), "trace")] * 2, "and so it stays"


def test_what_was_not_begun_on_the_disk_was_not_begun() -> None:
    bench = Bench().ask(7).wait(SYNC / 2).kill().start().ask(7).wait(5)
    assert bench.host.begun["i-2-7-VM"] == 1 and bench.answers()[0].answer.ok


def test_questions_are_not_noted_and_answered_anew() -> None:
    bench = Bench()
    bench.loop.call_soon(bench.wire.on_message, Request(7, c.VmStatesCommand()))
    bench.wait(0.1)
    assert bench.answers()[0].answer == c.VmStatesAnswer() and bench.journal.notes == []


def test_what_the_manager_has_is_forgotten_even_if_it_was_interrupted() -> None:
    bench = Bench().ask(7).wait(5).ask(8).wait(0.5).kill().start()
    assert (list(bench.journal.answers), bench.journal.open) == ([7], {8})
    bench.ask(9, answered=8).wait(5)
    assert (list(bench.journal.answers), bench.journal.open) == ([9], set())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("ask"), st.integers(1, 6)),
            st.tuples(st.just("wait"), st.floats(0, 2)),
            st.tuples(st.just("kill"), st.none()),
        ),
        max_size=25,
    )
)
def test_whenever_it_is_killed_what_cannot_be_repeated_is_begun_once_and_all_is_answered(
    steps: list[tuple[str, Any]],
) -> None:
    bench = Bench()
    asked: set[int] = set()
    for what, value in steps:
        if what == "ask":
            asked.add(value)
            bench.ask(value, c.RebootCommand if value % 2 else c.StopCommand)
        elif what == "wait":
            bench.wait(value)
        else:
            bench.kill().start()
    for sequence in sorted(asked):
        bench.ask(sequence, c.RebootCommand if sequence % 2 else c.StopCommand)
    bench.wait(20)
    by_number: dict[int, set[str]] = {}
    for response in bench.answers():
        by_number.setdefault(response.sequence, set()).add(str(response.answer))
    assert set(by_number) == asked
    for sequence, said in by_number.items():
        name = f"i-2-{sequence}-VM"
        if sequence % 2:
            assert bench.host.begun[name] <= 1 and len(said) == 1, "one command, one answer"
        else:
            assert bench.host.done[name] >= 1
