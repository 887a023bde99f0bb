"""The way of a command: what an API call caused, from the call to the hypervisors and back.

Root admins see all of a trace. Others see their calls, jobs and the states of what is theirs, but no hosts, commands or
placement: infrastructure is not theirs to see.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

from msgspec import json

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.identity.caller import may_use
from cloudsim.management.operations.trace_entries import Entry, Trace
from cloudsim.management.operations.trace_export import otlp, perfetto
from cloudsim.management.operations.trace_lanes import Participant, participants
from cloudsim.model import Account, AsyncJob, User
from server.api.command import Call, Listed, command
from server.api.listing import Page, page_of
from server.api.parameters import Date as DateParameter
from server.api.parameters import Param
from server.api.scope import AccountScope
from server.api.views import Date, View, date, owner

_FORMATS: dict[str, tuple[Callable[[Trace, list[Entry], float], dict[str, Any]], str]] = {
    "otlp": (otlp, "otlp.json"),
    "perfetto": (perfetto, "perfetto.json"),
}

TraceId = Annotated[str | None, Param("the trace's id", type="uuid")]
JobId = Annotated[str | None, Param("the id of a job that it has", type="uuid", entity=AsyncJob)]


class ParticipantView(View):
    """One who takes part in a trace."""

    key: ClassVar = "participant"

    name: str | None = None
    kind: Annotated[str | None, "user, api, jobs, management, database, placement, agent or hypervisor"] = None
    host: Annotated[str | None, "the host of an agent or hypervisor"] = None
    seconds: Annotated[float | None, "how long it was at work itself, not waiting for the next one"] = None
    entries: Annotated[int | None, "how many entries it has a part in"] = None

    @classmethod
    def of(cls, row: Participant, call: Call) -> ParticipantView:
        return cls(
            name=row.name, kind=row.kind, host=row.host or None, seconds=row.seconds, entries=row.entries
        )


class TraceEntryView(View):
    """A message from one participant to another, or what one does by itself."""

    key: ClassVar = "entry"

    number: int | None = None
    parent: Annotated[int | None, "the number of the entry that it is a part or the end of"] = None
    source: Annotated[str | None, "the participant that it is from"] = None
    target: Annotated[str | None, "the participant that it is to"] = None
    kind: Annotated[
        str | None, "call, reply, job, state, event, placement, written, command, work, step or answer"
    ] = None
    name: str | None = None
    start: Annotated[float | None, "seconds since the trace began"] = None
    duration: Annotated[float | None, "seconds that it took"] = None
    payload: Annotated[str | None, "what was said, with secrets masked"] = None
    payloadformat: Annotated[str | None, "json, xml or text"] = None
    payloadlength: Annotated[int | None, "characters of the whole payload, where only the first part is here"] = None
    error: str | None = None

    @classmethod
    def made(cls, trace: Trace, entry: Entry, *, payload: bool) -> TraceEntryView:
        """The view of an entry; `payload`: with what was said."""
        shown = payload and bool(entry.length)
        return cls(
            number=entry.number,
            parent=entry.parent or None,
            source=entry.source,
            target=entry.target,
            kind=entry.kind,
            name=entry.name,
            start=round(entry.start - trace.start, 6),
            duration=round(entry.end - entry.start, 6),
            payload=entry.payload if shown else None,
            payloadformat=entry.format if shown else None,
            payloadlength=entry.length if shown and entry.length > len(entry.payload) else None,
            error=entry.error or None,
        )


class TraceView(View):
    """What one API call, or one job of the server's own, caused."""

    key: ClassVar = "trace"

    id: str | None = None
    cmd: Annotated[str | None, "the API command"] = None
    status: Annotated[str | None, "running, succeeded or failed"] = None
    error: str | None = None
    username: Annotated[str | None, "the user whose call it was"] = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    start: Annotated[Date | None, "when the call came"] = None
    duration: Annotated[float | None, "seconds until all of it had ended, or until now"] = None
    hosts: Annotated[list[str] | None, "names of the hosts that were sent commands; for root admins"] = None
    commands: Annotated[int | None, "how many commands were sent to hosts; for root admins"] = None
    entrycount: Annotated[int | None, "how many entries it has"] = None
    entriesleftout: Annotated[int | None, "how many more there were, too many to be kept"] = None
    participant: Annotated[list[ParticipantView] | None, "who takes part, from the left"] = None
    entry: Annotated[list[TraceEntryView] | None, "all entries, by their beginnings"] = None

    @classmethod
    def of(cls, row: Trace, call: Call) -> TraceView:
        user = call.store.table(User).get(row.user_id)
        root = call.caller.is_root_admin
        commands = sum(entry.kind == "command" for entry in row.entries)
        return cls(
            id=row.id,
            jobid=next(iter(row.job_ids), None),
            cmd=row.command,
            status=row.status,
            error=row.error or None,
            username=user.username if user is not None else None,
            start=date(row.start),
            duration=round(max(0.0, (row.end or call.manager.foundation.now()) - row.start), 6),
            hosts=list(row.hosts) if root else None,
            commands=commands if root else None,
            entrycount=len(row.entries) if root else len(_visible(call, row)),
            entriesleftout=row.left_out or None,
            **owner(call, row.account_id),
        )


class TraceExportView(View):
    """A trace as a file of another format."""

    key: ClassVar = "traceexport"

    id: str | None = None
    format: Annotated[str | None, "otlp or perfetto"] = None
    filename: str | None = None
    content: Annotated[str | None, "the file's text, JSON"] = None


@command("listTraces", view=TraceView, group="Trace")
async def list_traces(
    call: Call,
    *,
    page: Page,
    scope: AccountScope,
    id: TraceId = None,
    jobid: JobId = None,
    cmd: Annotated[str | None, Param("only of that API command")] = None,
    status: Annotated[
        Literal["running", "succeeded", "failed"] | None, Param("running, succeeded or failed")
    ] = None,
    resourceid: Annotated[str | None, Param("only those that changed the thing of that id", type="uuid")] = None,
    host: Annotated[str | None, Param("only those with commands to the host of that name; for root admins")] = None,
    startdate: Annotated[DateParameter | None, Param("none that began before that")] = None,
    enddate: Annotated[DateParameter | None, Param("none that began after that")] = None,
) -> Listed:
    """Lists the traces of the newest calls that did something, the newest first."""
    if host is not None and not call.caller.is_root_admin:
        raise InvalidParameterValue("Parameter host is for root admins: hosts are not shown to others")
    rows = [
        trace
        for trace in call.manager.traces.newest()
        if scope.owns(trace.account_id)
        and (id is None or trace.id == id)
        and (jobid is None or jobid in trace.job_ids)
        and (cmd is None or trace.command.lower() == cmd.lower())
        and (status is None or trace.status == status)
        and (resourceid is None or resourceid in trace.subjects)
        and (host is None or host in trace.hosts)
        and (startdate is None or trace.start >= startdate)
        and (enddate is None or trace.start <= enddate)
    ]
    return page_of(rows, page, search=("command", "error"))


@command("getTrace", view=TraceView, group="Trace")
async def get_trace(call: Call, *, id: TraceId = None, jobid: JobId = None) -> TraceView:
    """Shows a trace, by its id or by that of a job: who took part, and what each said to whom."""
    trace = _trace(call, id, jobid)
    entries, root = _visible(call, trace), call.caller.is_root_admin
    view = TraceView.of(trace, call)
    lanes = participants(entries, call.manager.foundation.now())
    view.participant = [ParticipantView.of(lane, call) for lane in lanes]
    # a change's payload may name hosts, so that others see only which state it was
    view.entry = [
        TraceEntryView.made(trace, each, payload=root or each.kind not in ("state", "event")) for each in entries
    ]
    return view


@command("exportTrace", view=TraceExportView, group="Trace")
async def export_trace(
    call: Call,
    *,
    format: Annotated[
        Literal["otlp", "perfetto"], Param("otlp: OpenTelemetry; perfetto: trace events for ui.perfetto.dev")
    ],
    id: TraceId = None,
    jobid: JobId = None,
) -> TraceExportView:
    """Writes a trace in a format of other tools."""
    trace = _trace(call, id, jobid)
    write, ending = _FORMATS[format]
    entries = _visible(call, trace)
    if not call.caller.is_root_admin:
        entries = [_without_payload(entry) if entry.kind in ("state", "event") else entry for entry in entries]
    content = json.encode(write(trace, entries, call.manager.foundation.now())).decode()
    return TraceExportView(
        id=trace.id, format=format, filename=f"{trace.command}-{trace.id[:8]}.{ending}", content=content
    )


def _trace(call: Call, trace_id: str | None, job_id: str | None) -> Trace:
    if (trace_id is None) == (job_id is None):
        raise InvalidParameterValue("Exactly one of the parameters id and jobid must be given")
    traces = call.manager.traces
    trace: Trace = traces.get(trace_id) if trace_id is not None else traces.of_job(job_id)
    if not _may_see(call, trace.account_id):
        raise InvalidParameterValue(traces.missing(trace_id, job_id))
    return trace


def _visible(call: Call, trace: Trace) -> list[Entry]:
    """The entries that the caller may see, by their beginnings."""
    entries = trace.in_order()
    if call.caller.is_root_admin:
        return entries
    return [e for e in entries if not e.is_infrastructure and e.account_id and _may_see(call, e.account_id)]


def _may_see(call: Call, account_id: str) -> bool:
    known: dict[str, bool] = call.cache.setdefault("may see traces of", {})
    if account_id not in known:
        account = call.store.table(Account).get(account_id)
        domain_id = "" if account is None else account.domain_id
        known[account_id] = may_use(call.store, call.caller, account_id, domain_id)
    return known[account_id]


def _without_payload(entry: Entry) -> Entry:
    shown = Entry(**{name: getattr(entry, name) for name in entry.__struct_fields__})
    shown.payload, shown.length = "", 0
    return shown
