"""Google's cluster trace of 2019 (Borg), its instances as virtual machines: instance_events as JSON lines or CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

import msgspec

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces import files
from cloudsim.experiment.traces.fractions import Machine
from cloudsim.experiment.traces.rows import LARGEST, read_csv
from cloudsim.experiment.traces.sample import Sample
from cloudsim.experiment.traces.sorting import by_arrival
from cloudsim.experiment.traces.source import Count, Trace
from cloudsim.randomness import Randomness

_TYPES = (
    "SUBMIT",
    "QUEUE",
    "ENABLE",
    "SCHEDULE",
    "EVICT",
    "FAIL",
    "FINISH",
    "KILL",
    "LOST",
    "UPDATE_PENDING",
    "UPDATE_RUNNING",
)
_SUBMIT, _SCHEDULE = _TYPES.index("SUBMIT"), _TYPES.index("SCHEDULE")
_ENDS = range(_TYPES.index("EVICT"), _TYPES.index("LOST") + 1)
_COLLECTIONS = ("JOB", "ALLOC_SET")
_AFTER_US = (1 << 63) - 1
"""The time of what happened after the trace's end."""


class GoogleTrace(Trace, frozen=True, kw_only=True, tag="google-2019"):
    """`path` is a file of instance_events, or a folder of such files: .json (an event a line) or .csv, may be gzipped.

    An instance (collection_id, instance_index) is a request, called collection_id.instance_index. Its first SUBMIT
    (or else SCHEDULE; us from the beginning, 0: before) -> arrival; from its first SCHEDULE to its last end (EVICT,
    FAIL, FINISH, KILL, LOST) is its lifetime, and it runs on if it is scheduled after that, or ends after the trace;
    what was never scheduled is left out. resource_request (cpus, memory: fractions of the largest machine, which has
    `cores` of `cpu_mhz` and `memory_mib`), as in the instance's earliest event that has one -> its size.

    `kind` takes only tasks of jobs, or alloc instances (reservations which tasks run in); by default both, without
    tasks that run in a reservation, so that nothing is counted twice. Events may be in any order; an instance takes
    about half a KB of memory. A CSV file's columns are called time, type, collection_id, instance_index, cpus, memory
    (or resource_request.cpus, resource_request.memory), and if there collection_type and alloc_collection_id.
    """

    title: ClassVar[str] = "Google's Borg cells of 2019: instance_events (JSON lines or CSV)"
    units: ClassVar[str] = "us, fractions of the largest machine"
    source: ClassVar[str] = (
        "Google's trace is described at github.com/google/cluster-data (ClusterData2019, CC-BY); export instance_events "
        "of a cell as JSON or CSV and set workload.path to it."
    )
    folders: ClassVar[bool] = True

    path: str
    cores: Count
    memory_mib: Count
    cpu_mhz: Count = 1000
    kind: Literal["reservations", "tasks", "allocs"] = "reservations"

    @classmethod
    def recognises(cls, sample: Sample) -> bool:
        text = sample.lines[0] if sample.lines else ""
        return all(word in text for word in ("collection_id", "instance_index", "time", "type"))

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        instances: dict[tuple[int, int], _Instance] = {}
        for event in _events(folder / self.path):
            if self._wanted(event):
                key = (event.collection_id, event.instance_index)
                instances.setdefault(key, _Instance()).learn(event)
        machine = Machine(self.cores, self.cpu_mhz, self.memory_mib)
        yield from by_arrival(
            VmRequest(f"{job}.{index}", arrival, lifetime, *machine.part(*instance.size))
            for (job, index), instance in instances.items()
            for arrival, lifetime in instance.life()
            if instance.size is not None
        )

    def _wanted(self, event: _Event) -> bool:
        alloc = event.collection_type == _COLLECTIONS.index("ALLOC_SET")
        if self.kind == "reservations":
            return alloc or not event.alloc_collection_id
        return alloc == (self.kind == "allocs")


class _Resources(msgspec.Struct):
    cpus: float | None = None
    memory: float | None = None


class _Line(msgspec.Struct):
    """An event as JSON has it: numbers may be text, and types names."""

    collection_id: int
    type: int | str
    instance_index: int = 0
    time: int = 0
    collection_type: int | str | None = None
    alloc_collection_id: int | None = None
    resource_request: _Resources | None = None


class _Event(msgspec.Struct):
    time: int
    type: int
    collection_id: int
    instance_index: int
    collection_type: int
    alloc_collection_id: int
    size: tuple[float, float] | None


class _Instance(msgspec.Struct):
    """What the events of an instance tell, in whatever order. Times in us."""

    submitted: int = _AFTER_US
    scheduled: int = _AFTER_US
    scheduled_last: int = -1
    ended: int = -1
    sized: int = _AFTER_US
    size: tuple[float, float] | None = None

    def learn(self, event: _Event) -> None:
        if event.type == _SUBMIT:
            self.submitted = min(self.submitted, event.time)
        elif event.type == _SCHEDULE:
            self.scheduled = min(self.scheduled, event.time)
            self.scheduled_last = max(self.scheduled_last, event.time)
        elif event.type in _ENDS:
            self.ended = max(self.ended, event.time)
        if event.size is not None and (self.size is None or event.time < self.sized):
            self.size, self.sized = event.size, event.time

    def life(self) -> Iterator[tuple[int, int | None]]:
        """Arrival and lifetime in ms; nothing of an instance that never ran."""
        if self.scheduled == _AFTER_US:
            return
        runs_on = self.ended < self.scheduled_last or self.ended == _AFTER_US
        lifetime = None if runs_on else max(1, (self.ended - self.scheduled) // 1000)
        yield min(self.submitted, self.scheduled) // 1000, lifetime


def _events(path: Path) -> Iterator[_Event]:
    if path.is_dir():
        parts = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
        if not parts:
            raise TraceError(f"{path}: expected at least one file")
    else:
        parts = [path]
    for file in parts:
        yield from _csv(file) if ".csv" in file.suffixes else _json(file)


def _json(path: Path) -> Iterator[_Event]:
    decode = msgspec.json.Decoder(_Line, strict=False).decode
    for number, text in enumerate(files.lines(path), 1):
        if not text.strip():
            continue
        where = f"{path}:{number}"
        try:
            line = decode(text)
        except msgspec.DecodeError as error:
            raise TraceError(f"{where}: expected an instance event as JSON: {error}") from error
        asked = line.resource_request or _Resources()
        sized = None if asked.cpus is None or asked.memory is None else (asked.cpus, asked.memory)
        yield _event(
            where,
            line.time,
            line.type,
            line.collection_id,
            line.instance_index,
            line.collection_type,
            line.alloc_collection_id or 0,
            sized,
        )


def _csv(path: Path) -> Iterator[_Event]:
    for row in read_csv(path, ("time", "type", "collection_id", "instance_index")):
        sizes = []
        for name in ("cpus", "memory"):
            column = name if row.has(name) else f"resource_request.{name}"
            if not row.has(column):
                raise TraceError(f"{path}: expected a column {name} or resource_request.{name}")
            if row.text(column):
                sizes.append(row.number(column))
        yield _event(
            f"{path}:{row.line}",
            row.whole("time") if row.text("time") != str(_AFTER_US) else _AFTER_US,
            row.text("type"),
            row.whole("collection_id"),
            row.whole("instance_index"),
            row.text("collection_type") or None,
            row.whole_or("alloc_collection_id", 0),
            (sizes[0], sizes[1]) if len(sizes) == 2 else None,
        )


def _event(
    where: str,
    time: int,
    type_: int | str,
    collection_id: int,
    instance_index: int,
    collection_type: int | str | None,
    alloc_collection_id: int,
    size: tuple[float, float] | None,
) -> _Event:
    if not (0 <= time <= LARGEST or time == _AFTER_US):
        raise TraceError(f"{where}: time: expected microseconds from 0 on, got {time}")
    if size is not None and not all(0 <= part <= 1 for part in size):
        raise TraceError(f"{where}: resource_request: expected fractions from 0 to 1, got {size}")
    return _Event(
        time,
        _number(where, "type", type_, _TYPES),
        collection_id,
        instance_index,
        0 if collection_type is None else _number(where, "collection_type", collection_type, _COLLECTIONS),
        alloc_collection_id,
        size,
    )


def _number(where: str, column: str, value: int | str, names: tuple[str, ...]) -> int:
    """The number of a type, given as such, as text, or by its name."""
    if isinstance(value, str) and value in names:
        return names.index(value)
    if str(value).isdigit() and int(value) < len(names):
        return int(value)
    raise TraceError(
        f"{where}: {column}: expected 0 to {len(names) - 1} or one of {', '.join(names)}, got {value!r}"
    )
