"""Traces in the formats of others: OpenTelemetry's OTLP JSON, and the trace events that Perfetto opens.

- OTLP: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding (a TracesData message: `resourceSpans`). A
  participant is a resource whose `service.name` is its own; what is at an instant is an event of the span around it.
- Trace events: the "Trace Event Format" of Chrome's tracing, which ui.perfetto.dev opens. A participant is a process,
  and as many of its threads as are needed for what it does at one time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from cloudsim import __version__
from cloudsim.management.operations.trace_entries import API, USER, Entry, Trace
from cloudsim.management.operations.trace_lanes import Span, participants, spans

_SERVER, _CLIENT, _INTERNAL = 2, 3, 1
"""SpanKind of OpenTelemetry."""
_OK, _ERROR = 1, 2
"""StatusCode of OpenTelemetry."""


def otlp(trace: Trace, entries: Sequence[Entry], now: float) -> dict[str, Any]:
    """The trace as an OTLP TracesData message."""
    trace_id = (
        hashlib.sha256(trace.id.encode()).hexdigest()[:32] if len(_hex(trace.id)) != 32 else _hex(trace.id)
    )
    timed = {span.entry.number: span for span in spans(entries, now)}
    made: dict[int, dict[str, Any]] = {}
    by_lane: dict[str, list[dict[str, Any]]] = {}
    for number, span in timed.items():
        made[number] = _span(trace, trace_id, span, _around(span.entry, timed, entries), now)
        by_lane.setdefault(span.lane, []).append(made[number])
    for entry in entries:
        around = _around(entry, timed, entries)
        if entry.number not in timed and around in made:
            made[around]["events"].append(
                {"timeUnixNano": _nano(entry.start), "name": entry.name, "attributes": _attributes(entry)}
            )
    return {"resourceSpans": [_resource(lane, made_spans) for lane, made_spans in by_lane.items()]}


def _resource(lane: str, made: list[dict[str, Any]]) -> dict[str, Any]:
    kind, _, host = lane.partition(" ")
    attributes = [_text("service.name", f"cloudsim {kind}"), _text("service.version", __version__)]
    if host:
        attributes.append(_text("host.name", host))
    return {
        "resource": {"attributes": attributes},
        "scopeSpans": [{"scope": {"name": "cloudsim", "version": __version__}, "spans": made}],
    }


def _span(trace: Trace, trace_id: str, span: Span, parent: int, now: float) -> dict[str, Any]:
    entry = span.entry
    whole = entry.kind == "call"
    error = trace.error if whole else span.error
    end = max(span.end, trace.end or now) if whole else span.end
    kind = _SERVER if whole or entry.kind == "work" else _CLIENT if entry.kind == "command" else _INTERNAL
    made: dict[str, Any] = {
        "traceId": trace_id,
        "spanId": _span_id(entry.number),
        "name": entry.name,
        "kind": kind,
        "startTimeUnixNano": _nano(entry.start),
        "endTimeUnixNano": _nano(end),
        "attributes": _attributes(entry),
        "events": [],
        "status": {"code": _ERROR, "message": error} if error else {"code": _OK},
    }
    if parent:
        made["parentSpanId"] = _span_id(parent)
    return made


def _around(entry: Entry, timed: dict[int, Span], entries: Sequence[Entry]) -> int:
    """The number of the nearest span that an entry is a part of; 0: of none."""
    by_number = {each.number: each for each in entries}
    parent = entry.parent
    while parent and parent not in timed and parent in by_number:
        parent = by_number[parent].parent
    return parent if parent in timed and parent != entry.number else 0


def _attributes(entry: Entry) -> list[dict[str, Any]]:
    found = [
        _text("cloudsim.kind", entry.kind),
        _text("cloudsim.source", entry.source),
        _text("cloudsim.target", entry.target),
    ]
    if entry.payload:
        found.append(_text("cloudsim.payload", entry.payload))
    if entry.error:
        found.append(_text("error.message", entry.error))
    return found


def _text(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def _hex(text: str) -> str:
    plain = text.replace("-", "").lower()
    return plain if all(c in "0123456789abcdef" for c in plain) else ""


def _span_id(number: int) -> str:
    return f"{number:016x}"


def _nano(seconds: float) -> str:
    """Nanoseconds as a text: JSON has no integers of 64 bits."""
    return str(round(seconds * 1_000_000) * 1000)


def perfetto(trace: Trace, entries: Sequence[Entry], now: float) -> dict[str, Any]:
    """The trace as trace events. Times are microseconds since it began."""
    events: list[dict[str, Any]] = []
    numbers: dict[str, int] = {}
    for number, lane in enumerate(participants(entries, now), 1):
        numbers[lane.name] = number
        events.append(
            {"ph": "M", "name": "process_name", "pid": number, "tid": 0, "args": {"name": lane.name}}
        )
        events.append(
            {"ph": "M", "name": "process_sort_index", "pid": number, "tid": 0, "args": {"sort_index": number}}
        )
    timed = spans(entries, now)
    threads = _threads(timed)
    for span in timed:
        entry = span.entry
        events.append(
            {
                "ph": "X",
                "name": entry.name,
                "cat": entry.kind,
                "pid": numbers[span.lane],
                "tid": threads[entry.number],
                "ts": _micro(entry.start, trace),
                "dur": max(0.0, round(_micro(span.end, trace) - _micro(entry.start, trace), 3)),
                "args": _arguments(entry) | ({"error": span.error} if span.error else {}),
            }
        )
    shown = {span.entry.number for span in timed}
    for entry in entries:
        if entry.number not in shown:
            events.append(_instant(entry, numbers[entry.target], trace))
        if entry.source != entry.target and {entry.source, entry.target} != {USER, API}:
            events += _arrow(entry, numbers, trace)
    return {
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {"trace": trace.id, "command": trace.command, "version": __version__},
    }


def _threads(timed: list[Span]) -> dict[int, int]:
    """By entry number, a thread of its participant: on each, spans lie within one another or apart."""
    found: dict[int, int] = {}
    rows: dict[str, list[list[float]]] = {}
    for span in sorted(timed, key=lambda s: (s.entry.start, -s.end, s.entry.number)):
        mine = rows.setdefault(span.lane, [])
        for index, open_ends in enumerate(mine):
            while open_ends and open_ends[-1] <= span.entry.start:
                open_ends.pop()
            if not open_ends or open_ends[-1] >= span.end:
                open_ends.append(span.end)
                found[span.entry.number] = index + 1
                break
        else:
            mine.append([span.end])
            found[span.entry.number] = len(mine)
    return found


def _instant(entry: Entry, pid: int, trace: Trace) -> dict[str, Any]:
    return {
        "ph": "i",
        "s": "p",
        "name": entry.name,
        "cat": entry.kind,
        "pid": pid,
        "tid": 1,
        "ts": _micro(entry.start, trace),
        "args": _arguments(entry),
    }


def _arrow(entry: Entry, numbers: dict[str, int], trace: Trace) -> list[dict[str, Any]]:
    same = {"name": entry.name, "cat": "message", "id": entry.number, "tid": 1}
    return [
        same | {"ph": "s", "pid": numbers[entry.source], "ts": _micro(entry.start, trace)},
        same
        | {
            "ph": "f",
            "bp": "e",
            "pid": numbers[entry.target],
            "ts": _micro(max(entry.start, entry.end), trace),
        },
    ]


def _arguments(entry: Entry) -> dict[str, Any]:
    return {name: value for name, value in (("payload", entry.payload), ("error", entry.error)) if value}


def _micro(seconds: float, trace: Trace) -> float:
    return round((seconds - trace.start) * 1e6, 3)
