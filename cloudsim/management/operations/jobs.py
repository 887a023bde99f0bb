"""Asynchronous jobs: calls that outlive their request, one at a time for each instance."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

import msgspec

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.operations.trace import TRACE
from cloudsim.management.operations.traces import Traces
from cloudsim.model import AsyncJob
from cloudsim.model.operations import JOB_FAILED, JOB_IN_PROGRESS, JOB_SUCCEEDED

log = logging.getLogger(__name__)

Work = Callable[[], Coroutine[Any, Any, Any]]
Present = Callable[[Any], str]


class _Pending(NamedTuple):
    job_id: str
    work: Work
    present: Present | None
    trace_id: str
    queue: str | None
    instance_id: str | None


def error_result(error: CloudError) -> str:
    """The JSON that a failed job answers with."""
    body = {
        "uuidList": list(error.uuids),
        "errorcode": error.errorcode,
        "cserrorcode": error.cserrorcode,
        "errortext": error.text,
    }
    return msgspec.json.encode(body).decode()


class JobsRefused(CloudError):
    """The management server takes no new jobs."""


class Jobs:
    """The job queue. A job ends exactly once: Succeeded with what `present` makes of its value, or Failed."""

    def __init__(self, foundation: Foundation, traces: Traces) -> None:
        self._foundation = foundation
        self._traces = traces
        self._store = foundation.store
        self._table = foundation.table(AsyncJob)
        self._randomness = foundation.randomness.branch("jobs")
        self._queues: dict[str, deque[_Pending]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._waiters: dict[str, asyncio.Future[AsyncJob]] = {}
        self._stopping = False
        self.closed = False
        """Whether callers' jobs are refused, so that those that there are end: see `check_open`."""

    def check_open(self) -> None:
        """Raise JobsRefused while a shutdown is prepared. What the cloud begins by itself goes on."""
        if self.closed:
            raise JobsRefused("A shutdown of the management server is being prepared: it takes no new jobs")

    @property
    def outstanding(self) -> int:
        """How many jobs have not ended."""
        return self._table.count("status", JOB_IN_PROGRESS)

    def busy(self, instance_id: str) -> bool:
        """Whether a job works on that instance, or waits to."""
        return instance_id in self._queues

    def submit(
        self,
        caller: Caller,
        command: str,
        work: Work,
        *,
        instance_type: str | None = None,
        instance_id: str | None = None,
        queue: str | None = None,
        present: Present | None = None,
    ) -> AsyncJob:
        """Enter a job; it begins in the loop's next round, after the open transaction has committed.

        Jobs with the same `queue` (by default: the same `instance_id`) run one after the other. A
        transaction that is rolled back takes the job with it.
        """
        foundation = self._foundation
        job_id = self._randomness.uuid()
        trace_id = self._traces.trace_id(caller, job_id)
        with self._store.transaction():
            job = self._table.insert(
                AsyncJob(
                    id=job_id,
                    command=command,
                    account_id=caller.account.id,
                    user_id=caller.user_id,
                    instance_type=instance_type,
                    instance_id=instance_id,
                    trace_id=trace_id,
                    created=foundation.now(),
                )
            )
        self._traces.queued(job)
        pending = _Pending(job.id, work, present, trace_id, queue or instance_id, instance_id)
        asyncio.get_running_loop().call_soon(self._enter, pending)
        return job

    async def wait(self, job_id: str) -> AsyncJob:
        """The job once it has ended. KeyError for an unknown job."""
        job = self._table[job_id]
        if job.status != JOB_IN_PROGRESS:
            return job
        waiter = self._waiters.get(job_id)
        if waiter is None:
            waiter = self._waiters[job_id] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(waiter)

    def _enter(self, pending: _Pending) -> None:
        if pending.job_id not in self._table or self._stopping:
            self._traces.job_gone(pending.job_id)
            return
        queue = pending.queue
        if queue is not None:
            waiting = self._queues.get(queue)
            if waiting is not None:
                waiting.append(pending)
                return
            self._queues[queue] = deque()
        self._begin(pending)

    def _begin(self, pending: _Pending) -> None:
        loop = asyncio.get_running_loop()
        self._tasks[pending.job_id] = loop.create_task(self._run(pending), name=f"job {pending.job_id}")

    async def _run(self, pending: _Pending) -> None:
        TRACE.set(pending.trace_id)
        self._traces.job_began(pending.job_id)
        try:
            value = await pending.work()
            result = pending.present(value) if pending.present is not None else None
            self._end(pending.job_id, JOB_SUCCEEDED, 0, result)
        except CloudError as error:
            self._end(pending.job_id, JOB_FAILED, error.errorcode, error_result(error))
        except asyncio.CancelledError:
            if not self._stopping:
                self._end(pending.job_id, JOB_FAILED, 530, error_result(CloudError("The job was cancelled")))
            raise
        except KeyError as error:
            if not self._is_gone(error, pending):
                self._broken(pending, error)
            else:
                gone = InvalidParameterValue(f"Unable to find {error.args[0]}: it was removed meanwhile")
                self._end(pending.job_id, JOB_FAILED, gone.errorcode, error_result(gone))
        except Exception as error:  # a bug must not leave its caller waiting
            self._broken(pending, error)
        finally:
            if not self._stopping:
                self._next(pending)

    def _broken(self, pending: _Pending, error: Exception) -> None:
        log.exception("job %s failed", pending.job_id)
        self._end(pending.job_id, JOB_FAILED, 530, error_result(CloudError(f"Internal error: {error!r}")))

    def _is_gone(self, error: KeyError, pending: _Pending) -> bool:
        """Whether the row that a job was entered for is not there any more: it had to wait for its turn."""
        missing = error.args[0] if error.args else None
        wanted = (pending.queue, pending.instance_id)
        return missing in wanted and not any(missing in table for table in self._store.tables.values())

    def _next(self, pending: _Pending) -> None:
        self._tasks.pop(pending.job_id, None)
        if pending.queue is not None:
            self._release(pending.queue)

    def _release(self, queue: str) -> None:
        waiting = self._queues[queue]
        if waiting:
            self._begin(waiting.popleft())
        else:
            del self._queues[queue]

    async def hold(self, instance_id: str, work: Work) -> Any:
        """Do the server's own work on an instance that is not `busy`; jobs for it wait meanwhile."""
        assert instance_id not in self._queues, f"a job works on {instance_id}"
        self._queues[instance_id] = deque()
        try:
            return await work()
        finally:
            if not self._stopping:
                self._release(instance_id)

    def _end(self, job_id: str, status: int, code: int, result: str | None) -> None:
        with self._store.transaction():
            job = self._table.update(
                job_id, status=status, result_code=code, result=result, completed=self._foundation.now()
            )
        self._traces.job_ended(job)
        waiter = self._waiters.pop(job_id, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(job)

    def recover(self) -> list[AsyncJob]:
        """After a restart: fail the jobs that the server's end interrupted, and return them."""
        interrupted = self._table.where("status", JOB_IN_PROGRESS)
        text = error_result(CloudError("Job cancelled because of a management server restart"))
        for job in interrupted:
            self._end(job.id, JOB_FAILED, 530, text)
        return interrupted

    def purge(self) -> int:
        """Forget jobs that ended more than job.expire.minutes ago; returns how many."""
        oldest = self._foundation.now() - 60 * self._foundation.settings.integer("job.expire.minutes")
        old = []
        for job in self._table:  # insertion order is the order of `created`
            if job.created >= oldest:
                break
            if job.completed is not None and job.completed < oldest:
                old.append(job.id)
        with self._store.transaction():
            for job_id in old:
                self._table.delete(job_id)
        return len(old)

    async def stop(self) -> None:
        """Abandon what runs, leaving it to `recover`, and return when nothing runs any more."""
        self._stopping = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
