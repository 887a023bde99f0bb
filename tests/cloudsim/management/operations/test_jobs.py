"""Jobs: one at a time for an instance, ended exactly once, and failed by the next server if this one dies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from backends.simulated.loop import SimLoop
from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.operations.jobs import Jobs
from cloudsim.management.operations.trace import TRACE
from cloudsim.management.operations.traces import Traces
from cloudsim.model import ROW_TYPES, Account, AsyncJob, Network
from cloudsim.model.operations import JOB_FAILED, JOB_IN_PROGRESS, JOB_SUCCEEDED
from cloudsim.randomness import Randomness
from cloudsim.store import Store

OWNER = Account(id="owner", name="admin", type=1, domain_id="root")


class Bench:
    def __init__(self, store: Store | None = None) -> None:
        self.loop = SimLoop()
        self.store = store or Store(ROW_TYPES)
        foundation = Foundation(self.store, Randomness(1), lambda: 1_800_000_000.0 + self.loop.time())
        self.jobs = Jobs(foundation, Traces(foundation))
        self.log: list[str] = []

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def work(self, name: str, seconds: float = 1.0, error: BaseException | None = None) -> Callable[[], Any]:
        async def work() -> str:
            self.log.append(f"{name} begins at {self.loop.time():g}")
            await asyncio.sleep(seconds)
            if error is not None:
                raise error
            self.log.append(f"{name} ends at {self.loop.time():g}")
            return name

        return work

    def submit(self, work: Callable[[], Any], **options: Any) -> AsyncJob:
        """Enter a job, from within the loop."""

        async def enter() -> AsyncJob:
            return self.jobs.submit(Caller(OWNER, trace_id="trace"), "doIt", work, **options)

        job: AsyncJob = self.run(enter())
        return job

    def ended(self, job: AsyncJob) -> AsyncJob:
        found: AsyncJob = self.run(self.jobs.wait(job.id))
        return found


def error_of(job: AsyncJob) -> tuple[int, str]:
    body = json.loads(job.result or "")
    return body["errorcode"], body["errortext"]


def test_a_job_ends_with_what_present_makes_of_its_value() -> None:
    bench = Bench()
    job = bench.submit(bench.work("a"), instance_id="vm", present=lambda value: f'"{value}!"')
    assert (job.status, bench.jobs.outstanding, bench.jobs.busy("vm")) == (JOB_IN_PROGRESS, 1, True)
    done = bench.ended(job)
    assert (done.status, done.result, done.completed) == (JOB_SUCCEEDED, '"a!"', 1_800_000_001.0)
    assert (bench.jobs.outstanding, bench.jobs.busy("vm")) == (0, False)
    assert bench.ended(job) == done, "one that ended can be waited for as well"


def test_jobs_of_one_instance_are_done_one_after_the_other_and_others_side_by_side() -> None:
    bench = Bench()
    jobs = [bench.submit(bench.work(n, 2), instance_id=vm) for n, vm in (("a", "1"), ("b", "1"), ("c", "2"))]
    jobs.append(bench.submit(bench.work("d", 2), instance_id="volume", queue="1"))
    for job in jobs:
        bench.ended(job)
    assert bench.log == [
        "a begins at 0", "c begins at 0", "a ends at 2", "c ends at 2", "b begins at 2", "b ends at 4",
        "d begins at 4", "d ends at 6",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [(InvalidParameterValue("not so"), 431, "not so"), (ZeroDivisionError("oops"), 530, "Internal error")],
)
def test_a_failure_is_the_jobs_answer_and_the_next_one_begins(error: Exception, code: int, text: str) -> None:
    bench = Bench()
    job = bench.submit(bench.work("a", error=error), instance_id="vm")
    after = bench.submit(bench.work("b"), instance_id="vm")
    failed = bench.ended(job)
    assert failed.status == JOB_FAILED and error_of(failed)[0] == code and text in error_of(failed)[1]
    assert bench.ended(after).status == JOB_SUCCEEDED


def test_a_job_whose_object_went_while_it_waited_says_so() -> None:
    bench = Bench()

    async def look() -> None:
        bench.store.table(Network)["gone"]

    failed = bench.ended(bench.submit(look, instance_id="gone"))
    assert error_of(failed) == (431, "Unable to find gone: it was removed meanwhile")
    assert error_of(bench.ended(bench.submit(look, instance_id="another")))[0] == 530, (
        "that would be a defect"
    )


def test_a_transaction_that_is_rolled_back_takes_the_job_with_it() -> None:
    bench = Bench()

    async def enter() -> None:
        with bench.store.transaction():
            bench.jobs.submit(Caller(OWNER), "doIt", bench.work("a"))
            raise InvalidParameterValue("no")

    with pytest.raises(InvalidParameterValue):
        bench.run(enter())
    bench.run(asyncio.sleep(5))
    assert bench.log == [] and len(bench.store.table(AsyncJob)) == 0


def test_a_job_begins_after_the_transaction_that_entered_it() -> None:
    bench = Bench()
    seen: list[int] = []

    async def look() -> None:
        seen.append(bench.store.sequence)

    async def enter() -> AsyncJob:
        with bench.store.transaction():
            return bench.jobs.submit(Caller(OWNER), "doIt", look)

    bench.ended(bench.run(enter()))
    assert seen == [1]


def test_a_job_works_under_the_trace_of_the_call_that_caused_it() -> None:
    bench = Bench()
    seen: list[str] = []

    async def look() -> None:
        seen.append(TRACE.get())

    bench.ended(bench.submit(look))
    assert seen == ["trace"]


def test_the_servers_own_work_keeps_jobs_waiting() -> None:
    bench = Bench()

    async def both() -> None:
        own = asyncio.ensure_future(bench.jobs.hold("vm", bench.work("own", 3)))
        await asyncio.sleep(1)
        assert bench.jobs.busy("vm")
        job = bench.jobs.submit(Caller(OWNER), "doIt", bench.work("job"), instance_id="vm")
        await own
        await bench.jobs.wait(job.id)

    bench.run(both())
    assert bench.log == ["own begins at 0", "own ends at 3", "job begins at 3", "job ends at 4"]
    assert not bench.jobs.busy("vm")


def test_what_a_dead_server_left_in_progress_fails_under_the_next() -> None:
    bench = Bench()
    running = bench.submit(bench.work("a", 100), instance_id="vm")
    waiting = bench.submit(bench.work("b"), instance_id="vm")
    done = bench.ended(bench.submit(bench.work("c")))
    bench.run(bench.jobs.stop())
    assert bench.store.table(AsyncJob)[running.id].status == JOB_IN_PROGRESS, (
        "a server that stops leaves it as it is"
    )
    after = Bench(bench.store)
    assert [job.id for job in after.jobs.recover()] == [running.id, waiting.id]
    for job in (running, waiting):
        assert error_of(after.store.table(AsyncJob)[job.id]) == (
            530,
            "Job cancelled because of a management server restart",
        )
    assert after.store.table(AsyncJob)[done.id] == done and after.jobs.outstanding == 0
    assert bench.log[-1] != "b begins at 1"


def test_jobs_that_ended_long_ago_are_forgotten() -> None:
    bench = Bench()
    old = bench.ended(bench.submit(bench.work("a")))
    bench.run(asyncio.sleep(23 * 3600))
    new = bench.ended(bench.submit(bench.work("b")))
    bench.run(asyncio.sleep(2 * 3600))
    assert bench.jobs.purge() == 1
    assert old.id not in bench.store.table(AsyncJob) and new.id in bench.store.table(AsyncJob)
