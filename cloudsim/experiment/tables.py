"""The tables of a run as Parquet: one row a request, a task, a sample, a host and time, a job, a kind of message
and interval.

Times are seconds from the beginning of the study, to the microsecond; other units are in the columns' names.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cloudsim.experiment.result import RunResult
from cloudsim.experiment.sampling import SAMPLE_COLUMNS


def write_tables(result: RunResult, folder: Path) -> None:
    """Write vms, samples, hosts, jobs, messages, faults and, where there are any, operations and tasks .parquet."""
    for name, table in tables(result).items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd", store_schema=False)


def tables(result: RunResult) -> dict[str, pa.Table]:
    """All tables by name."""
    found = {
        "vms": _vms(result),
        "samples": _samples(result),
        "hosts": _hosts(result),
        "jobs": _jobs(result),
        "messages": _messages(result),
        "faults": _faults(result),
    }
    if result.checked.operations:
        found["operations"] = _operations(result)
    if len(result.tasks):
        found["tasks"] = _tasks(result)
    return found


def _seconds(values: Iterable[float | None]) -> pa.Array:
    return pa.array([None if value is None else round(value, 6) for value in values], pa.float64())


def _words(values: Iterable[str | None]) -> pa.Array:
    return pa.array(values, pa.string())


def _vms(result: RunResult) -> pa.Table:
    o = result.outcomes
    return pa.table(
        {
            "id": _words(o.id),
            "arrival_s": _seconds(o.arrival),
            "lifetime_s": _seconds(o.lifetime),
            "vcpus": pa.array(o.cpus, pa.int32()),
            "cpu_mhz_per_core": pa.array(o.cpu_mhz, pa.int32()),
            "memory_mib": pa.array(o.memory_mib, pa.int64()),
            "gpu_milli": pa.array(o.gpu_milli, pa.int32()),
            "placed_s": _seconds(o.placed_at),
            "running_s": _seconds(o.running_at),
            "released_s": _seconds(o.released_at),
            "gone_s": _seconds(o.gone_at),
            "host": _words(o.host),
            "outcome": _words(o.outcome),
            "cause": _words(o.cause),
        }
    )


def _tasks(result: RunResult) -> pa.Table:
    tasks, ids = result.tasks, result.outcomes.id
    return pa.table(
        {
            "request": _words(ids[index] for index in tasks.request),
            "task": pa.array(tasks.task, pa.int32()),
            "length_ms": pa.array(tasks.length_ms, pa.int64()),
            "began_s": _seconds(tasks.began),
            "finished_s": _seconds(tasks.finished),
        }
    )


def _samples(result: RunResult) -> pa.Table:
    rows = result.sampler.rows
    columns: dict[str, Any] = {}
    for index, name in enumerate(SAMPLE_COLUMNS):
        values = [row[index] for row in rows]
        columns[name] = _seconds(values) if name == "time_s" else pa.array(values, pa.int64())
    return pa.table(columns)


def _hosts(result: RunResult) -> pa.Table:
    samples = result.sampler.hosts
    names = samples.names
    sizes = {host.name: host for host in result.hosts}
    # A host that was added later is missing from earlier samples, at their end.
    indices = [np.arange(len(column), dtype=np.int32) for column in samples.cpu_mhz]
    number = np.concatenate(indices) if indices else np.zeros(0, np.int32)
    times = np.repeat(np.round(samples.times, 6), [len(index) for index in indices])

    def column(values: list[Any]) -> pa.Array:
        return pa.array(np.concatenate(values) if values else np.zeros(0, np.int64), pa.int64())

    def capacity(field: str) -> pa.Array:
        each = np.array([getattr(sizes.get(name), field, 0) for name in names], np.int64)
        return pa.array(each[number], pa.int64())

    return pa.table(
        {
            "time_s": pa.array(times, pa.float64()),
            "host": pa.DictionaryArray.from_arrays(pa.array(number), _words(names)),
            "instances": column(samples.instances),
            "cpu_mhz": column(samples.cpu_mhz),
            "cpu_mhz_capacity": capacity("cpu_mhz"),
            "memory_mib": column(samples.memory_mib),
            "memory_mib_capacity": capacity("memory_mib"),
            "gpu_milli": column(samples.gpu_milli),
            "gpu_milli_capacity": capacity("gpu_milli"),
        }
    )


def _jobs(result: RunResult) -> pa.Table:
    rows = result.recorder.job_rows
    return pa.table(
        {
            "command": _words(row.command for row in rows),
            "outcome": _words(row.outcome for row in rows),
            "submitted_s": _seconds(row.submitted for row in rows),
            "ended_s": _seconds(row.ended for row in rows),
        }
    )


def _messages(result: RunResult) -> pa.Table:
    """How many of each kind were sent in the interval that ends at `time_s`; kinds with none are left out."""
    times, kinds, counts = (
        zip(*result.sampler.message_rows, strict=True) if result.sampler.message_rows else ((),) * 3
    )
    return pa.table({"time_s": _seconds(times), "kind": _words(kinds), "count": pa.array(counts, pa.int64())})


def _faults(result: RunResult) -> pa.Table:
    strikes = result.strikes
    return pa.table(
        {
            "time_s": _seconds(s.time for s in strikes),
            "fault": _words(s.fault for s in strikes),
            "target": _words(s.target for s in strikes),
            "change": _words("began" if s.began else "ended" for s in strikes),
        }
    )


def _operations(result: RunResult) -> pa.Table:
    rows = result.operations
    return pa.table(
        {
            "operation": _words(row.operation for row in rows),
            "request": pa.array([row.request for row in rows], pa.int64()),
            "began_s": _seconds(row.began for row in rows),
            "ended_s": _seconds(row.ended for row in rows),
            "error": _words(row.error for row in rows),
        }
    )
