"""Alibaba's cluster trace of 2018: long-running containers, and tasks of batch jobs, in CSV files without header."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import msgspec

from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.fractions import Machine, Size
from cloudsim.experiment.traces.rows import CsvRow, read_csv
from cloudsim.experiment.traces.sample import Sample
from cloudsim.experiment.traces.sorting import by_arrival
from cloudsim.experiment.traces.source import Count, Trace
from cloudsim.randomness import Randomness

CONTAINER_META = (
    "container_id",
    "machine_id",
    "time_stamp",
    "app_du",
    "status",
    "cpu_request",
    "cpu_limit",
    "mem_size",
)
BATCH_TASK = (
    "task_name",
    "instance_num",
    "job_name",
    "task_type",
    "status",
    "start_time",
    "end_time",
    "plan_cpu",
    "plan_mem",
)
_SOURCE = (
    "The trace is cluster-trace-v2018 at github.com/alibaba/clusterdata; set workload.path to your copy of {}."
)


class AlibabaContainersTrace(Trace, frozen=True, kw_only=True, tag="alibaba-2018-containers"):
    """`path` is container_meta.csv: a line for each change of a container's state.

    container_id -> id; the first time_stamp (s; 0: before the trace began) -> arrival; a last state of stopped ends
    the lifetime then, other containers run on; cpu_request (100 is a core) -> cpus of at most `cpu_mhz`, see
    `fractions.slow_cores`; mem_size (0 to 100: per cent of the largest machine, which has `memory_mib`); app_du, the
    application -> tenant, and with `spread` also an anti-affinity group. A container's size is that of its first
    line; those whose size is not valid there (0, or as the trace has it -1 or 101) are left out. The lines may be in
    any order; a container takes about half a KB of memory.
    """

    title: ClassVar[str] = "Alibaba's cluster of 2018: container_meta (CSV)"
    units: ClassVar[str] = "s, hundredths of a core, per cent of the largest machine's memory"
    source: ClassVar[str] = _SOURCE.format("container_meta.csv")

    path: str
    memory_mib: Count
    cpu_mhz: Count = 1000
    spread: bool = False

    @classmethod
    def recognises(cls, sample: Sample) -> bool:
        return not sample.folder and len(sample.columns) == 8 and sample.columns[0].startswith("c_")

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        containers: dict[str, _Container] = {}
        for row in read_csv(folder / self.path, CONTAINER_META, CONTAINER_META):
            name, time, stopped = row.name("container_id"), row.whole("time_stamp"), row.text("status") == "stopped"
            container = containers.get(name)
            if container is None or time < container.first:
                size = _size(row, "cpu_request", "mem_size", self.cpu_mhz, self.memory_mib)
                last, ended = (time, stopped) if container is None else (container.last, container.ended)
                containers[name] = _Container(time, last, ended, size, row.text("app_du"))
            elif time >= container.last:
                container.last, container.ended = time, stopped
        yield from by_arrival(
            VmRequest(
                name,
                1000 * c.first,
                max(1, 1000 * (c.last - c.first)) if c.ended else None,
                *c.size,
                tenant=c.application,
                anti_affinity=(c.application,) if self.spread and c.application else (),
            )
            for name, c in containers.items()
            if c.size is not None
        )


class _Container(msgspec.Struct):
    first: int
    last: int
    ended: bool
    size: Size | None
    application: str


class AlibabaTasksTrace(Trace, frozen=True, kw_only=True, tag="alibaba-2018-tasks"):
    """`path` is batch_task.csv: a line for each task of a batch job.

    job_name.task_name -> id; start_time, end_time (s) -> arrival, lifetime (an end of 0, beyond the trace: it runs
    on); plan_cpu (100 is a core) -> cpus of at most `cpu_mhz`, see `fractions.slow_cores`; plan_mem (0 to 100: per
    cent of the largest machine, which has `memory_mib`); job_name -> tenant. A task has instance_num instances of
    that size: with `instances` each is a request (job_name.task_name.1 and so on), else only one is, whatever their
    number. Tasks that never started, and those without a valid size, are left out. Lines are sorted by start_time;
    of more than 200,000 some wait in temporary files.
    """

    title: ClassVar[str] = "Alibaba's cluster of 2018: batch_task (CSV)"
    units: ClassVar[str] = "s, hundredths of a core, per cent of the largest machine's memory"
    source: ClassVar[str] = _SOURCE.format("batch_task.csv")

    path: str
    memory_mib: Count
    cpu_mhz: Count = 1000
    instances: bool = False

    @classmethod
    def recognises(cls, sample: Sample) -> bool:
        return not sample.folder and len(sample.columns) == 9 and sample.columns[2].startswith("j_")

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        return by_arrival(self._rows(folder / self.path))

    def _rows(self, path: Path) -> Iterator[VmRequest]:
        for row in read_csv(path, BATCH_TASK, BATCH_TASK):
            start, end = row.whole_or("start_time", 0), row.whole_or("end_time", 0)
            size = _size(row, "plan_cpu", "plan_mem", self.cpu_mhz, self.memory_mib)
            if not start or size is None:
                continue
            if end and end < start:
                raise row.wrong("end_time", f"at least the start_time {start}, or 0", end)
            job = row.name("job_name")
            name = f"{job}.{row.name('task_name')}"
            lifetime = max(1, 1000 * (end - start)) if end else None
            if not self.instances:
                yield VmRequest(name, 1000 * start, lifetime, *size, tenant=job)
                continue
            for number in range(1, row.whole("instance_num", 1) + 1):
                yield VmRequest(f"{name}.{number}", 1000 * start, lifetime, *size, tenant=job)


def _size(row: CsvRow, cpu: str, memory: str, cpu_mhz: int, memory_mib: int) -> Size | None:
    """The size that a row asks for; None where it is missing or marked as not valid."""
    texts = row.text(cpu), row.text(memory)
    if any(not text or text.startswith("-") for text in texts):
        return None
    hundredths, percent = row.number(cpu), row.number(memory)
    if hundredths == 0 or not 0 < percent <= 100:
        return None
    return Machine(1, cpu_mhz, memory_mib).part(hundredths / 100, percent / 100)
