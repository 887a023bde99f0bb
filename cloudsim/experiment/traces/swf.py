"""Logs of batch systems in the Standard Workload Format (Chapin et al., 1999; Parallel Workloads Archive)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar

from msgspec import Meta

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import SMALLEST_MIB, VmRequest
from cloudsim.experiment.traces import files
from cloudsim.experiment.traces.rows import CsvRow
from cloudsim.experiment.traces.sample import Sample
from cloudsim.experiment.traces.source import Count, Trace
from cloudsim.randomness import Randomness

FIELDS = (
    "job",
    "submit_time",
    "wait_time",
    "run_time",
    "allocated_processors",
    "average_cpu_time",
    "used_memory",
    "requested_processors",
    "requested_time",
    "requested_memory",
    "status",
    "user",
    "group",
    "executable",
    "queue",
    "partition",
    "preceding_job",
    "think_time",
)
UNKNOWN = -1


class SwfTrace(Trace, frozen=True, kw_only=True, tag="swf"):
    """`path` is a .swf file (may be gzipped): 18 numbers a line, -1 for what is not known; comments begin with ;.

    job -> id; submit_time (s) -> arrival; run_time (s) -> lifetime; processors requested, or else allocated -> cpus;
    memory requested, or else used (KiB a processor) times processors -> memory_mib, and `memory_mib_per_cpu` where
    neither is known; requested_time (s), the user's own estimate -> expected_ms; user -> tenant. Jobs that never ran
    (no run time) or have no processors are left out. A job is one instance, or with `most_cpus` as many as it takes
    for each to have no more cores than that, called job.1, job.2 and so on. Lines must be in the order of
    submission, as the format has it.
    """

    title: ClassVar[str] = "Logs of batch systems, Standard Workload Format"
    units: ClassVar[str] = "s, processors, KiB a processor"
    source: ClassVar[str] = (
        "Logs in this format are in the Parallel Workloads Archive (www.cs.huji.ac.il/labs/parallel/workload); set "
        "workload.path to your copy."
    )

    path: str
    cpu_mhz: Count = 1000
    memory_mib_per_cpu: Annotated[int, Meta(ge=SMALLEST_MIB)] = 1024
    most_cpus: Count | None = None

    @classmethod
    def recognises(cls, sample: Sample) -> bool:
        jobs = [line.split() for line in sample.lines if line.strip() and not line.lstrip().startswith(";")]
        return not sample.folder and bool(jobs[:-1]) and all(len(job) == len(FIELDS) for job in jobs[:-1])

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        last = 0
        for row in _lines(folder / self.path):
            submitted = row.whole("submit_time")
            if submitted < last:
                raise row.wrong("submit_time", f"at least {last}, in the order of submission", submitted)
            last = submitted
            run_time, cpus = _known(row, "run_time"), _known(row, "requested_processors", "allocated_processors")
            if run_time is None or not cpus:
                continue
            kib = _known(row, "requested_memory", "used_memory")
            mib = self.memory_mib_per_cpu * cpus if kib is None else -(-kib * cpus // 1024)
            estimate = _known(row, "requested_time")
            user = row.text("user")
            parts = self._parts(cpus)
            for number, part in enumerate(parts, 1):
                yield VmRequest(
                    row.text("job") if len(parts) == 1 else f"{row.text('job')}.{number}",
                    1000 * submitted,
                    max(1, 1000 * run_time),
                    part,
                    self.cpu_mhz,
                    max(SMALLEST_MIB, -(-mib * part // cpus)),
                    tenant="" if user == str(UNKNOWN) else user,
                    expected_ms=None if estimate is None else max(1, 1000 * estimate),
                )

    def _parts(self, cpus: int) -> list[int]:
        """The cores of each instance of a job."""
        if self.most_cpus is None or cpus <= self.most_cpus:
            return [cpus]
        count = -(-cpus // self.most_cpus)
        return [(cpus + index) // count for index in range(count)]


def _lines(path: Path) -> Iterator[CsvRow]:
    columns = {name: index for index, name in enumerate(FIELDS)}
    for number, line in enumerate(files.lines(path), 1):
        values = line.split()
        if not values or values[0].startswith(";"):
            continue
        if len(values) != len(FIELDS):
            raise TraceError(f"{path}:{number}: expected {len(FIELDS)} fields, got {len(values)}")
        yield CsvRow(path, number, columns, values)


def _known(row: CsvRow, *columns: str) -> int | None:
    """The first of the columns that is known, rounded up; None if none is."""
    for column in columns:
        if not row.text(column).startswith("-"):
            return -int(-row.number(column) // 1)
        if row.text(column).rstrip("0").rstrip(".") != str(UNKNOWN):
            raise row.wrong(column, "a number that is not negative, or -1", row.text(column))
    return None
