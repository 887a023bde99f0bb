"""Traces: which calls and jobs have one, what is in it when things go wrong, and how much of it is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backends.simulated.loop import SimLoop
from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.operations.jobs import Jobs
from cloudsim.management.operations.trace import TRACE
from cloudsim.management.operations.trace_entries import LONGEST, MOST_ENTRIES, MOST_IN_ALL, Entry, Trace
from cloudsim.management.operations.trace_lanes import participants
from cloudsim.management.operations.traces import MOST_SIZE, Traces
from cloudsim.model import ROW_TYPES, Account, Host, PhysicalNetwork
from cloudsim.protocol.commands import StopAnswer, StopCommand
from cloudsim.protocol.messages import Request, Response, Step, Work
from cloudsim.randomness import Randomness
from cloudsim.store import Store

OWNER = Account(id="owner", name="admin", type=1, domain_id="root")
EPOCH = 1_800_000_000.0


class Bench:
    def __init__(self) -> None:
        self.loop = SimLoop()
        self.store = Store(ROW_TYPES)
        self.foundation = Foundation(self.store, Randomness(1), lambda: EPOCH + self.loop.time())
        self.traces = Traces(self.foundation)
        self.jobs = Jobs(self.foundation, self.traces)
        self.traces.record()

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def job(self, seconds: float = 1.0, error: CloudError | None = None, **options: Any) -> str:
        """Do a job of the server's own to its end; its id."""

        async def work() -> None:
            await asyncio.sleep(seconds)
            if error is not None:
                raise error

        async def enter() -> str:
            return self.jobs.submit(Caller(OWNER), "restartVirtualMachine", work, **options).id

        job_id: str = self.run(enter())
        return job_id

    def call(self, trace_id: str = "t", **sent: str) -> None:
        self.traces.called(trace_id, "doIt", Caller(OWNER, trace_id=trace_id), {"command": "doIt", **sent})

    def reply(self, trace_id: str = "t", error: str = "", *, worth: bool = False) -> None:
        self.traces.replied(trace_id, 431 if error else 200, lambda: b"{}", error, worth=worth)
        self.traces.left(trace_id)


@pytest.fixture
def bench() -> Any:
    made = Bench()
    yield made
    made.loop.close()


def short(entry: Entry) -> tuple[str, str, str, str]:
    return entry.kind, entry.source, entry.target, entry.name


def test_a_job_of_the_servers_own_has_a_trace_under_its_own_id(bench: Bench) -> None:
    job_id = bench.job()
    bench.run(bench.jobs.wait(job_id))
    trace = bench.traces.get(job_id)
    assert [short(entry) for entry in trace.in_order()] == [
        ("job", "management", "jobs", "queued"),
        ("job", "jobs", "management", "restartVirtualMachine"),
        ("job", "management", "jobs", "succeeded"),
    ]
    assert (trace.status, trace.end) == ("succeeded", trace.start + 1.0)
    assert bench.store.tables["AsyncJob"][job_id].trace_id == job_id


def test_a_failed_job_tells_why(bench: Bench) -> None:
    job_id = bench.job(error=InvalidParameterValue("no such thing"))
    bench.run(bench.jobs.wait(job_id))
    trace = bench.traces.of_job(job_id)
    assert (trace.status, trace.error, trace.entries[-1].error) == ("failed", "no such thing", "no such thing")


def test_waiting_for_a_turn_is_the_job_queues_time(bench: Bench) -> None:
    first, second = bench.job(3.0, queue="vm"), bench.job(1.0, queue="vm")
    for job_id in (first, second):
        bench.run(bench.jobs.wait(job_id))
    trace = bench.traces.of_job(second)
    seconds = {lane.name: lane.seconds for lane in participants(trace.in_order(), bench.foundation.now())}
    assert seconds == {"jobs": 3.0, "management": 1.0}


def test_a_job_that_is_taken_back_with_its_transaction_leaves_nothing_running(bench: Bench) -> None:
    async def enter() -> None:
        with pytest.raises(ValueError), bench.store.transaction():
            bench.jobs.submit(Caller(OWNER), "doIt", lambda: asyncio.sleep(0))
            raise ValueError
        await asyncio.sleep(1)

    bench.run(enter())
    assert [trace.status for trace in bench.traces.newest()] in ([], ["succeeded"])


def test_a_call_whose_client_went_away_does_not_run_for_ever(bench: Bench) -> None:
    bench.call()
    TRACE.set("t")
    with bench.store.transaction():
        bench.store.table(PhysicalNetwork).insert(PhysicalNetwork(id="n", name="net", zone_id="z"))
    TRACE.set("")
    bench.traces.left("t")
    trace = bench.traces.get("t")
    assert (trace.status, trace.error) == ("failed", "the client went away before the reply")


def test_waiting_for_the_database_is_told_as_its_time(bench: Bench) -> None:
    async def write() -> None:
        TRACE.set("t")
        with bench.store.transaction():
            bench.store.table(PhysicalNetwork).insert(PhysicalNetwork(id="n", name="net", zone_id="z"))
        since = bench.foundation.now()
        bench.traces.written(since)  # there was nothing to wait for
        await asyncio.sleep(2.0)
        bench.traces.written(since, by_api=True)

    bench.call()
    bench.run(write())
    bench.reply()
    trace = bench.traces.get("t")
    assert [short(entry) for entry in trace.entries][2:] == [
        ("written", "api", "database", "durable"),
        ("reply", "api", "user", "OK"),
    ]
    lanes = {lane.name: lane.seconds for lane in participants(trace.in_order(), bench.foundation.now())}
    assert (lanes["database"], lanes["api"]) == (2.0, 0.0)


class TestCommands:
    def request(self, bench: Bench) -> Request:
        return Request(7, StopCommand(vm="i-2-1-VM"), "t", 0, True)

    def test_times_of_a_host_are_put_between_sending_and_answer(self, bench: Bench) -> None:
        bench.call()
        request = self.request(bench)
        bench.traces.command_sent("host-1", request)
        bench.run(asyncio.sleep(10.0))
        work = Work(waited=1.0, seconds=7.0, steps=(Step("vm_shutdown", 2.0, 5.0),))
        bench.traces.command_ended("host-1", request, Response(7, StopAnswer(), "t", work))
        times = {e.kind: (e.start - EPOCH, e.end - EPOCH) for e in bench.traces.get("t").entries}
        assert times["command"] == (0.0, 1.0)
        assert times["work"] == (2.0, 9.0)
        assert times["step"] == (4.0, 9.0)
        assert times["answer"] == (9.0, 10.0)

    def test_a_command_that_nobody_answers_ends_red(self, bench: Bench) -> None:
        bench.call()
        request = self.request(bench)
        bench.traces.command_sent("host-1", request)
        bench.traces.command_ended("host-1", request, None)
        last = bench.traces.get("t").entries[-1]
        assert (last.kind, last.name, last.error) == ("answer", "no answer", "not answered in time")

    def test_an_old_agent_that_tells_nothing_of_its_work_is_traced_all_the_same(self, bench: Bench) -> None:
        bench.call()
        request = self.request(bench)
        bench.traces.command_sent("host-1", request)
        bench.traces.command_ended("host-1", request, Response(7, StopAnswer(error="no room"), "t"))
        kinds = [entry.kind for entry in bench.traces.get("t").entries]
        assert kinds == ["call", "command", "answer"]
        assert bench.traces.get("t").entries[-1].error == "no room"

    def test_only_calls_that_are_followed_ask_for_the_agents_work(self, bench: Bench) -> None:
        bench.call()
        assert bench.traces.wants_work("t")
        assert not bench.traces.wants_work("another")


class TestBounds:
    def test_a_trace_has_so_many_entries_and_counts_the_rest(self) -> None:
        trace = Trace(id="t", command="doIt", account_id="a", user_id=None, start=0.0)
        for number in range(MOST_ENTRIES + 9):
            trace.add("state", "management", "management", f"{number}", 0.0)
        assert (len(trace.entries), trace.left_out) == (MOST_ENTRIES, 9)

    def test_payloads_are_cut_and_bounded_in_all(self) -> None:
        trace = Trace(id="t", command="doIt", account_id="a", user_id=None, start=0.0)
        for _ in range(60):
            entry = trace.add("state", "management", "management", "x", 0.0, None, {"text": "x" * 2 * LONGEST})
            assert entry is not None and entry.length > 2 * LONGEST >= 2 * len(entry.payload)
        assert trace.size == sum(len(entry.payload) for entry in trace.entries) == MOST_IN_ALL

    def test_the_oldest_go_when_all_together_are_too_large(self, bench: Bench) -> None:
        for number in range(MOST_SIZE // MOST_IN_ALL + 3):
            bench.call(str(number))
            bench.reply(str(number), "refused", worth=True)
            trace = bench.traces.get(str(number))
            trace.size = MOST_IN_ALL
            bench.traces._grew(trace)
        kept = list(bench.traces.newest())
        assert len(kept) == MOST_SIZE // MOST_IN_ALL
        assert kept[-1].id == "3"
        with pytest.raises(InvalidParameterValue, match="not kept any more"):
            bench.traces.get("0")


def test_a_host_that_has_gone_keeps_its_name_in_traces(bench: Bench) -> None:
    bench.call()
    bench.traces.command_sent("host-9", Request(1, StopCommand(vm="x"), "t", 0, True))
    assert len(bench.store.table(Host)) == 0
    assert list(bench.traces.get("t").hosts) == ["host-9"]
