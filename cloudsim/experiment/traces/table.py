"""cloudsim's own trace schema, as CSV or Parquet: one request a row.

| column | unit | |
|---|---|---|
| id | | unique |
| arrival_ms | ms | from the beginning of the trace; rows are in this order |
| lifetime_ms | ms | at least 1; empty: the instance runs on |
| vcpu | cores | at least 1 |
| memory_mib | MiB | or mem_gib, in GiB (a fraction is rounded up to a MiB) |
| cpu_mhz | MHz per core | optional, 1000 |
| gpus | | optional, 0 |
| gpu_milli | thousandths of each GPU | optional, 1000 |
| gpu_models | names separated by a vertical bar | optional: any model |
| tags | host tags separated by a vertical bar | optional |

A CSV file may begin with comment lines (#) before its header.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from pathlib import Path

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.columns import read_parquet
from cloudsim.experiment.traces.rows import CsvRow, read_csv
from cloudsim.experiment.traces.sample import Sample
from cloudsim.experiment.traces.source import Trace
from cloudsim.randomness import Randomness

DEFAULT_MHZ = 1000
REQUIRED = ("id", "arrival_ms", "lifetime_ms", "vcpu")
COLUMNS = (*REQUIRED, "cpu_mhz", "memory_mib", "gpus", "gpu_milli", "gpu_models", "tags")


class TableTrace(Trace, frozen=True, kw_only=True, tag="table"):
    """`path` is a .csv or .parquet file with the columns of this module's text."""

    path: str

    @classmethod
    def recognises(cls, sample: Sample) -> bool:
        return sample.has(*REQUIRED)

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        path = folder / self.path
        if path.suffix not in (".csv", ".parquet"):
            raise TraceError(f"{path}: expected a .csv or .parquet file")
        return _checked(path, _from_csv(path) if path.suffix == ".csv" else _from_parquet(path))


def write_csv(path: Path, requests: Iterable[VmRequest], comment: str = "") -> int:
    """Write requests as a CSV file of this schema; returns how many. `comment` goes in # lines before the header."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        for line in comment.splitlines():
            file.write(f"# {line}".rstrip() + "\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for r in requests:
            lifetime = "" if r.lifetime_ms is None else r.lifetime_ms
            row = (r.id, r.arrival_ms, lifetime, r.cpus, r.cpu_mhz, r.memory_mib, r.gpus, r.gpu_milli)
            writer.writerow((*row, "|".join(r.gpu_models), "|".join(r.tags)))
            count += 1
    return count


def _checked(path: Path, rows: Iterable[tuple[str, VmRequest]]) -> Iterator[VmRequest]:
    """The requests, if ids are unique and arrivals in order; `rows` come with where they stand."""
    seen: set[str] = set()
    last = 0
    for where, request in rows:
        if request.id in seen:
            raise TraceError(f"{where}: id: expected a name that no earlier row has, got {request.id!r}")
        seen.add(request.id)
        if request.arrival_ms < last:
            raise TraceError(
                f"{where}: arrival_ms: expected at least {last}, in the order of arrival, got {request.arrival_ms}"
            )
        last = request.arrival_ms
        yield request


def _from_csv(path: Path) -> Iterator[tuple[str, VmRequest]]:
    memory = ""
    for row in read_csv(path, REQUIRED):
        if not memory:
            memory = next((name for name in ("memory_mib", "mem_gib") if row.has(name)), "")
            if not memory:
                raise TraceError(f"{path}: expected a column memory_mib or mem_gib")
        yield f"{path}:{row.line}", _request(row, memory)


def _request(row: CsvRow, memory: str) -> VmRequest:
    mib = row.whole(memory, 1) if memory == "memory_mib" else math.ceil(row.number(memory) * 1024)
    if mib < 1:
        raise row.wrong(memory, "more than 0", row.text(memory))
    share = row.whole_or("gpu_milli", 1000, 1)
    if share > 1000:
        raise row.wrong("gpu_milli", "at most 1000", share)
    return VmRequest(
        row.name("id"),
        row.whole("arrival_ms"),
        row.whole_or_none("lifetime_ms", 1),
        row.whole("vcpu", 1),
        row.whole_or("cpu_mhz", DEFAULT_MHZ, 1),
        mib,
        row.whole_or("gpus", 0),
        share,
        row.names("gpu_models"),
        row.names("tags"),
    )


def _from_parquet(path: Path) -> Iterator[tuple[str, VmRequest]]:
    optional = ("cpu_mhz", "memory_mib", "mem_gib", "gpus", "gpu_milli", "gpu_models", "tags")
    first = 1
    for part in read_parquet(path, REQUIRED, optional):
        n = len(part)
        ids, arrivals = part.text("id"), part.whole("arrival_ms")
        lifetimes = part.whole("lifetime_ms", 1, optional=True)
        cpus = part.whole("vcpu", 1)
        if "memory_mib" in part:
            memory = part.whole("memory_mib", 1)
        elif "mem_gib" in part:
            memory = [math.ceil(gib * 1024) for gib in part.number("mem_gib")]
        else:
            raise TraceError(f"{path}: expected a column memory_mib or mem_gib")
        speeds = part.whole("cpu_mhz", 1) if "cpu_mhz" in part else [DEFAULT_MHZ] * n
        gpus = part.whole("gpus") if "gpus" in part else [0] * n
        shares = part.whole("gpu_milli", 1) if "gpu_milli" in part else [1000] * n
        models = part.names("gpu_models") if "gpu_models" in part else [()] * n
        tags = part.names("tags") if "tags" in part else [()] * n
        for i in range(n):
            if memory[i] < 1:
                raise part.wrong(i, "mem_gib", "more than 0", memory[i])
            if shares[i] > 1000:
                raise part.wrong(i, "gpu_milli", "at most 1000", shares[i])
            yield (
                f"{path}: row {first + i}",
                VmRequest(
                    ids[i],
                    arrivals[i],
                    lifetimes[i],
                    cpus[i],
                    speeds[i],
                    memory[i],
                    gpus[i],
                    shares[i],
                    models[i],
                    tags[i],
                ),
            )
        first += n
