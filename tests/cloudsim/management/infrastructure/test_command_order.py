"""Two command logs agree when they have the same commands in the same causal order, whatever the times."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsim.management.infrastructure.command_log import MASKED, CommandLog, CommandRecord, read
from cloudsim.management.infrastructure.command_order import causal_order, differences
from cloudsim.protocol import commands as c
from cloudsim.protocol.messages import Request
from cloudsim.protocol.specs import VmSpec

UUID = "00000000-0000-4000-8000-00000000000"


class Written:
    """A log, and a clock that ticks with every word."""

    def __init__(self, tick: float = 1.0) -> None:
        self.time, self.tick = 0.0, tick
        self.records: list[CommandRecord] = []
        self.log = CommandLog(self.now, self.records.append)

    def now(self) -> float:
        self.time += self.tick
        return self.time

    def sent(self, sequence: int, command: c.Command, cause: str = "", host: str = "h1") -> None:
        self.log.sent(host, Request(sequence, command, cause))

    def done(self, sequence: int, host: str = "h1", error: str | None = None) -> None:
        self.log.ended(host, sequence, c.Answer(error=error))


def stop(name: str) -> c.StopCommand:
    return c.StopCommand(vm=name)


def delete(number: int) -> c.DeleteVolumeCommand:
    return c.DeleteVolumeCommand(volume_id=f"{UUID}{number}", pool_id="p", path="anywhere")


def one_after_the_other(tick: float = 1.0, first: int = 1, second: int = 2, **more: Any) -> Written:
    found = Written(tick)
    found.sent(1, stop("i-1"), "call")
    found.done(1, **more)
    found.sent(2, delete(first), "call")
    found.done(2)
    found.sent(3, delete(second), "call")
    found.done(3)
    return found


def compared(a: Written, b: Written) -> list[str]:
    return differences(causal_order(a.records), causal_order(b.records))


def test_times_ids_and_paths_do_not_matter() -> None:
    assert compared(one_after_the_other(), one_after_the_other(0.01, first=7, second=8)) == []


def test_an_id_that_stands_for_another_thing_does() -> None:
    assert compared(one_after_the_other(second=2), one_after_the_other(second=1)) != []


def test_that_one_failed_matters() -> None:
    assert compared(one_after_the_other(), one_after_the_other(error="no")) != []


def test_side_by_side_is_not_one_after_the_other() -> None:
    together = Written()
    together.sent(1, stop("i-1"), "call")
    together.done(1)
    together.sent(2, delete(1), "call")
    together.sent(3, delete(2), "call")
    together.done(3)
    together.done(2)
    text = "\n".join(compared(one_after_the_other(), together))
    assert "only in the first log DeleteVolumeCommand ends before DeleteVolumeCommand" in text


def test_the_order_in_which_siblings_are_sent_does_not_matter() -> None:
    logs = []
    for order in ((1, 2), (2, 1)):
        log = Written()
        for number in order:
            log.sent(number, stop(f"i-{number}"), "call")
        for number in (1, 2):
            log.done(number)
        logs.append(log)
    assert compared(*logs) == []


def test_what_happens_to_one_instance_is_in_order_whoever_caused_it() -> None:
    logs = []
    for first, second in ((c.SuspendCommand, c.ResumeCommand), (c.ResumeCommand, c.SuspendCommand)):
        log = Written()
        for number, kind in enumerate((first, second), 1):
            log.sent(number, kind(vm="i-1"), kind.__name__)
            log.done(number)
        logs.append(log)
    assert compared(*logs) == [
        "instance i-1: SuspendCommand at h1, ResumeCommand at h1 against ResumeCommand at h1, SuspendCommand at h1"
    ]


def test_questions_are_left_out() -> None:
    asked = one_after_the_other()
    asked.sent(9, c.VmStatesCommand())
    asked.done(9)
    assert compared(one_after_the_other(), asked) == []


def test_a_command_that_only_one_log_has_is_named() -> None:
    more = one_after_the_other()
    more.sent(9, stop("i-9"), "another call")
    more.done(9)
    assert compared(one_after_the_other(), more) == [
        "another call: only in the second log",
        "instance i-9: nothing against StopCommand at h1",
    ]


def test_secrets_are_not_written_and_the_rest_is_read_again() -> None:
    log = Written()
    vm = VmSpec("i-1", "id", 1, 1000, 128, password="letmein", user_data="c2VjcmV0")
    log.sent(1, c.StartCommand(vm=vm), "call")
    log.log.ended("h1", 1, None)
    lines = [msgspec.json.encode(record) for record in log.records]
    assert b"letmein" not in lines[0] and b"c2VjcmV0" not in lines[0]
    (found,) = read(lines)
    assert found == log.records[0]
    assert found.command["vm"]["password"] == MASKED
    assert (found.ok, found.seconds, found.answered_number) == (False, None, None)
    with pytest.raises(ValueError, match="line 2"):
        list(read([lines[0], b"{}"]))


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=12))
def test_every_log_agrees_with_itself_and_with_its_own_at_another_speed(steps: list[tuple[int, bool]]) -> None:
    logs = []
    for tick in (1.0, 0.001):
        log, open_ = Written(tick), []
        for number, (vm, close) in enumerate(steps):
            log.sent(number, stop(f"i-{vm}"), f"call {vm}")
            open_.append(number)
            if close:
                log.done(open_.pop(0))
        for number in open_:
            log.done(number)
        logs.append(log)
    assert compared(logs[0], logs[0]) == [] == compared(*logs)
