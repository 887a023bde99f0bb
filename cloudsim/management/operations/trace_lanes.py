"""Who takes part in a trace, and how long each was at work itself, not waiting for the next one down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from cloudsim.management.operations.trace_entries import (
    API,
    DATABASE,
    JOBS,
    MANAGEMENT,
    PLACEMENT,
    USER,
    Entry,
)

Interval = tuple[float, float]

ORDER = (USER, API, JOBS, MANAGEMENT, DATABASE, PLACEMENT)
"""Participants from the left; agents and hypervisors of the hosts follow, in the order in which they appear."""


class Participant(msgspec.Struct, frozen=True):
    """A lane of a trace. `host` is that of an agent or hypervisor; `seconds` is how long it was at work itself."""

    name: str
    kind: str
    host: str
    seconds: float
    entries: int


class Span(msgspec.Struct, frozen=True):
    """What takes time: the entry that began it, the participant at work, and when it ended (Unix seconds).

    `level` grows from the call to the hypervisor. `error` is that of the entry that ended it.
    """

    entry: Entry
    lane: str
    end: float
    level: int
    error: str


def spans(entries: Sequence[Entry], now: float) -> list[Span]:
    """The spans of a trace's entries; one that has not ended lasts until `now`."""
    ends = {entry.parent: entry for entry in entries if _ends(entry)}
    found = []
    for entry in entries:
        last = ends.get(entry.number)
        end = last.end if last is not None else now
        error = last.error if last is not None else ""
        if entry.kind == "call":
            found.append(Span(entry, API, end, 0, error))
        elif entry.kind == "job" and entry.name == "queued":
            began = next(
                (e for e in entries if e.kind == "job" and e.source == JOBS and e.number > entry.number), None
            )
            found.append(Span(entry, JOBS, began.start if began is not None else now, 1, ""))
        elif entry.kind == "job" and entry.source == JOBS:
            found.append(Span(entry, MANAGEMENT, end, 2, error))
        elif entry.kind == "written":
            found.append(Span(entry, DATABASE, entry.end, 3, ""))
        elif entry.kind == "command":
            found.append(Span(entry, entry.target, end, 3, error))
        elif entry.kind == "work":
            found.append(Span(entry, entry.target, entry.end, 4, entry.error))
        elif entry.kind == "step":
            found.append(Span(entry, entry.target, entry.end, 5, entry.error))
    return found


def _ends(entry: Entry) -> bool:
    return entry.kind in ("reply", "answer") or (
        entry.kind == "job" and entry.target == JOBS and entry.name != "queued"
    )


def participants(entries: Sequence[Entry], now: float) -> list[Participant]:
    """The lanes of a trace's entries, from the left."""
    lanes: dict[str, int] = {}
    for entry in entries:
        for name in {entry.source, entry.target}:
            lanes[name] = lanes.get(name, 0) + 1
    timed = spans(entries, now)
    deepest = max((span.level for span in timed), default=0)
    below: list[list[Interval]] = [
        _union((span.entry.start, span.end) for span in timed if span.level > level)
        for level in range(deepest + 1)
    ]
    steps: dict[str, list[Interval]] = {}
    for span in timed:
        if span.level == 5:
            steps.setdefault(_host(span.lane), []).append((span.entry.start, span.end))
    busy: dict[str, list[Interval]] = {}
    for span in timed:
        own = [(span.entry.start, span.end)]
        # an agent waits for nobody but its host's hypervisor; its work is a part of its command
        below_it = _union(steps.get(_host(span.lane), [])) if span.level in (3, 4) else below[span.level]
        busy.setdefault(span.lane, []).extend(_without(own, below_it))
    hosts = [name for name in lanes if name not in ORDER]
    ordered = [name for name in ORDER if name in lanes] + _by_host(hosts)
    return [_participant(name, _length(_union(busy.get(name, []))), lanes[name]) for name in ordered]


def _participant(name: str, seconds: float, entries: int) -> Participant:
    kind, _, host = name.partition(" ")
    return Participant(name, kind, host, round(seconds, 6), entries)


def _host(lane: str) -> str:
    return lane.partition(" ")[2]


def _by_host(names: list[str]) -> list[str]:
    """Each host's agent and then its hypervisor."""
    hosts = dict.fromkeys(_host(name) for name in names)
    return [name for host in hosts for name in (f"agent {host}", f"hypervisor {host}") if name in names]


def _union(intervals: Iterable[Interval]) -> list[Interval]:
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _without(intervals: list[Interval], taken: list[Interval]) -> list[Interval]:
    """What is left of the intervals without those `taken`, which are in order and apart."""
    found = []
    for start, end in intervals:
        for first, last in taken:
            if last <= start or first >= end:
                continue
            if first > start:
                found.append((start, first))
            start = last
            if start >= end:
                break
        if start < end:
            found.append((start, end))
    return found


def _length(intervals: list[Interval]) -> float:
    return sum(end - start for start, end in intervals)
