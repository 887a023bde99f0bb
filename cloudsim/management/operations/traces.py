"""The newest traces: each API call that did something is followed through job, placement, commands and hypervisors.

Who takes part tells of it here (`called`, `replied`, `queued`, ...), under the trace id that the context carries; state
changes are heard from the store. Nothing is kept of a call that only looked. All of it is in memory: traces begin
with the server's start, and the oldest go when there are more than `trace.keep`, or more than MOST_SIZE of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.operations.trace import TRACE
from cloudsim.management.operations.trace_changes import heard_of
from cloudsim.management.operations.trace_commands import answered, sent, unanswered
from cloudsim.management.operations.trace_entries import API, DATABASE, JOBS, MANAGEMENT, USER, Trace
from cloudsim.management.operations.trace_placement import told
from cloudsim.model import AsyncJob, Host
from cloudsim.model.operations import JOB_FAILED
from cloudsim.placement.explaining import Planning
from cloudsim.protocol.messages import Request, Response
from cloudsim.store import Change

MOST_SIZE = 64 * 1024 * 1024
"""Characters of payload that all traces together may hold."""


class _Call(NamedTuple):
    """A call of which it is not known yet whether it does anything."""

    command: str
    caller: Caller
    sent: Mapping[str, str]
    start: float


class Traces:
    """Records nothing before `record`. All times are the world's."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._settings = foundation.settings
        self._now = foundation.now
        self._jobs = foundation.table(AsyncJob)
        self._hosts = foundation.table(Host)
        self._calls: dict[str, _Call] = {}
        self._kept: OrderedDict[str, Trace] = OrderedDict()
        self._of_job: dict[str, str] = {}
        self._size = 0
        self.recording = False
        self.began = 0.0
        """When recording began (Unix seconds)."""
        self.dropped = 0
        """Traces that are not kept any more."""

    def record(self) -> None:
        """Begin to record."""
        if not self.recording:
            self.recording = True
            self.began = self._now()
            self._foundation.store.subscribe(self._changed)

    # asking

    def newest(self) -> Iterable[Trace]:
        """The traces that are kept, the newest first; of calls that did nothing worth keeping, none."""
        return (trace for trace in reversed(self._kept.values()) if len(trace.entries) > 1)

    def get(self, trace_id: str) -> Trace:
        """The trace. InvalidParameterValue, with the reason, when there is none."""
        trace = self._kept.get(trace_id)
        if trace is None:
            raise InvalidParameterValue(self.missing(trace_id, None))
        return trace

    def of_job(self, job_id: str) -> Trace:
        """The trace that a job belongs to. InvalidParameterValue, with the reason, when there is none."""
        trace = self._kept.get(self._of_job.get(job_id, ""))
        if trace is None:
            raise InvalidParameterValue(self.missing(None, job_id))
        return trace

    def missing(self, trace_id: str | None, job_id: str | None) -> str:
        """That there is no such trace, and why that may be."""
        what = f"trace {trace_id}" if trace_id is not None else f"trace of job {job_id}"
        if not self.recording:
            return f"There is no {what}: this server does not record traces"
        most = self._settings.integer("trace.keep")
        return (
            f"There is no {what}, or it is not kept any more: the newest {most} are (setting trace.keep), "
            "and traces begin with the server's start"
        )

    # the API

    def called(self, trace_id: str, command: str, caller: Caller, sent: Mapping[str, str]) -> None:
        """A call came in; it is kept if it turns out to do something."""
        if not self.recording:
            return
        self._calls[trace_id] = _Call(command, caller, sent, self._now())

    def replied(
        self, trace_id: str, status: int, body: Callable[[], bytes], error: str, *, worth: bool
    ) -> None:
        """The call was answered with that HTTP status, and JSON that `body()` makes or an `error`.

        `worth` keeping even if nothing was done: a refusal of what would have done something.
        """
        trace = self._find(trace_id) if worth else self._kept.get(trace_id)
        self._calls.pop(trace_id, None)
        if trace is None:
            return
        if len(trace.entries) == 1 and not worth:
            self._forget(trace)
            return
        name = "OK" if status == 200 else f"error {status}"
        account_id = trace.account_id
        payload = msgspec.json.decode(body())
        trace.add(
            "reply", API, USER, name, self._now(), None, payload, error=error, parent=1, account_id=account_id
        )
        self._grew(trace)
        self._part_ended(trace, error)

    def left(self, trace_id: str) -> None:
        """The call ended without a reply, if it was not replied to: nobody waits for it any more."""
        if self._calls.pop(trace_id, None) is None:
            return
        trace = self._kept.get(trace_id)
        if trace is not None:
            self._part_ended(trace, "the client went away before the reply")

    # jobs

    def trace_id(self, caller: Caller, job_id: str) -> str:
        """The id of the trace that a job of the caller's is to be in: its call's, or for the server's own work one of its own."""
        if caller.trace_id or not self.recording:
            return caller.trace_id
        return job_id

    def queued(self, job: AsyncJob) -> None:
        """A job was entered."""
        if not self.recording or not job.trace_id:
            return
        trace = self._find(job.trace_id)
        if trace is None:
            if job.trace_id != job.id:
                return  # of a call whose trace is not kept any more
            trace = Trace(
                id=job.id,
                command=job.command,
                account_id=job.account_id,
                user_id=job.user_id,
                start=job.created,
            )
            self._keep(trace)
        trace.job_ids[job.id] = 0
        trace.open_jobs += 1
        trace.end, trace.status = None, "running"
        self._of_job[job.id] = trace.id
        if job.instance_id is not None:
            trace.touch(job.instance_id)
        source = API if trace.id != job.id else MANAGEMENT
        payload = {
            "jobid": job.id,
            "cmd": job.command,
            "instancetype": job.instance_type,
            "instanceid": job.instance_id,
        }
        now, account_id = self._now(), job.account_id
        trace.add("job", source, JOBS, "queued", now, None, payload, parent=1, account_id=account_id)
        self._grew(trace)

    def job_began(self, job_id: str) -> None:
        """It is a job's turn."""
        trace = self._kept.get(self._of_job.get(job_id, ""))
        if trace is not None:
            job = self._jobs[job_id]
            entry = trace.add(
                "job", JOBS, MANAGEMENT, job.command, self._now(), parent=1, account_id=job.account_id
            )
            if entry is not None:
                trace.job = trace.job_ids[job_id] = entry.number

    def job_gone(self, job_id: str) -> None:
        """It was taken back with the transaction that entered it."""
        trace = self._kept.get(self._of_job.pop(job_id, ""))
        if trace is not None:
            self._part_ended(trace, "")

    def job_ended(self, job: AsyncJob) -> None:
        """A job has its result."""
        trace = self._kept.get(self._of_job.get(job.id, ""))
        if trace is None:
            return
        payload = msgspec.json.decode(job.result) if job.result else {"success": True}
        failed = job.status == JOB_FAILED
        error = str(payload.get("errortext", "failed")) if failed and isinstance(payload, dict) else ""
        name = "failed" if failed else "succeeded"
        now, whose = self._now(), job.account_id
        began = trace.job_ids[job.id]
        trace.add(
            "job", MANAGEMENT, JOBS, name, now, None, payload, error=error, parent=began, account_id=whose
        )
        self._grew(trace)
        self._part_ended(trace, error)

    # what is done

    def _changed(self, changes: list[Change]) -> None:
        trace = self._find(TRACE.get())
        if trace is not None:
            now = self._now()
            for change in changes:
                heard_of(trace, change, now)
            self._grew(trace)

    def written(self, since: float, *, by_api: bool = False) -> None:
        """What was changed is durable now; that was waited for since then (Unix seconds), by the API or by a job."""
        trace, now = self._kept.get(TRACE.get()), self._now()
        if trace is not None and now > since:
            source, parent = (API, 1) if by_api else (MANAGEMENT, trace.job or 1)
            trace.add("written", source, DATABASE, "durable", since, now, parent=parent)

    def planning(self) -> Callable[[Planning], None] | None:
        """What wants to hear the explanation of the planning that is to come, if anything does."""
        trace = self._find(TRACE.get())
        if trace is None:
            return None

        def planned(planning: Planning) -> None:
            told(trace, planning, self._hosts, self._now())
            self._grew(trace)

        return planned

    def wants_work(self, trace_id: str) -> bool:
        """Whether commands under that trace id are to tell how they were done."""
        return trace_id in self._kept or trace_id in self._calls

    def command_sent(self, host: str, request: Request) -> None:
        """A command leaves for a host, for the first time."""
        trace = self._find(request.trace_id)
        if trace is not None:
            trace.hosts[host] = None
            sent(trace, host, request, self._now())
            self._grew(trace)

    def command_ended(self, host: str, request: Request, response: Response | None) -> None:
        """Its answer has come; None: its time is over, or it was forgotten."""
        trace = self._kept.get(request.trace_id)
        if trace is None:
            return
        now = self._now()
        if response is None:
            unanswered(trace, host, request, now)
        else:
            answered(trace, host, request, response, now)
        self._grew(trace)

    # keeping

    def _find(self, trace_id: str) -> Trace | None:
        """The trace to which there is something to add, begun if it is that of a call."""
        trace = self._kept.get(trace_id)
        if trace is None and trace_id:
            call = self._calls.get(trace_id)
            return None if call is None else self._begin(trace_id, call)
        return trace

    def _begin(self, trace_id: str, call: _Call) -> Trace:
        caller, start = call.caller, call.start
        account_id = caller.account.id
        trace = Trace(
            id=trace_id,
            command=call.command,
            account_id=account_id,
            user_id=caller.user_id,
            start=start,
            open_jobs=1,
        )
        parameters = {name: value for name, value in call.sent.items() if name.lower() not in _NOT_SHOWN}
        trace.add("call", USER, API, call.command, start, None, parameters, account_id=account_id)
        self._keep(trace)
        return trace

    def _keep(self, trace: Trace) -> None:
        self._kept[trace.id] = trace
        self._grew(trace)

    def _grew(self, trace: Trace) -> None:
        """Let the oldest go while there is too much."""
        self._size += trace.size - trace.counted
        trace.counted = trace.size
        most = self._settings.number("trace.keep")
        while len(self._kept) > most or (self._size > MOST_SIZE and len(self._kept) > 1):
            self._forget(next(iter(self._kept.values())))
            self.dropped += 1

    def _forget(self, trace: Trace) -> None:
        del self._kept[trace.id]
        self._size -= trace.counted
        for job_id in trace.job_ids:
            self._of_job.pop(job_id, None)

    def _part_ended(self, trace: Trace, error: str) -> None:
        if error:
            trace.error = error
        trace.open_jobs -= 1
        if trace.open_jobs <= 0:
            trace.end = self._now()
            trace.status = "failed" if trace.error else "succeeded"


_NOT_SHOWN = frozenset({"apikey", "signature", "sessionkey", "signatureversion", "expires"})
