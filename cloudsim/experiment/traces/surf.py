"""Jobs of the SURF Lisa cluster (2022), as packaged by OpenDC: a Parquet file of tasks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.columns import read_parquet
from cloudsim.experiment.traces.sample import Sample
from cloudsim.experiment.traces.source import Trace
from cloudsim.randomness import Randomness

MEGABYTE, MEBIBYTE = 10**6, 1 << 20


class SurfTrace(Trace, frozen=True, kw_only=True, tag="surf"):
    """`path` is tasks.parquet.

    id; submission_time (ms since 1970) -> arrival; duration (ms) -> lifetime; cpu_count -> cpus;
    cpu_capacity (MHz of all cores) / cpu_count -> cpu_mhz; mem_capacity (MB, 10^6 bytes) -> memory_mib;
    divisions are rounded up. A duration of 1000 means: shorter than the source resolves. The file is not quite in the
    order of submission, so it is read whole (24 bytes a row) and sorted; ties keep the file's order.
    """

    source: ClassVar[str] = (
        "The SURF trace is not shipped with cloudsim: it is tasks.parquet of the SURF workload in the "
        "OpenDC repository (github.com/atlarge-research/opendc); set workload.path to your copy."
    )

    path: str

    @classmethod
    def recognises(cls, sample: Sample) -> bool:
        return sample.has("id", "submission_time", "duration", "cpu_count", "cpu_capacity", "mem_capacity")

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        rows: list[tuple[int, int, str, int, int, int, int]] = []
        path = folder / self.path
        columns = ("id", "submission_time", "duration", "cpu_count", "cpu_capacity", "mem_capacity")
        for part in read_parquet(path, columns):
            names = part.text("id")
            arrivals = part.whole("submission_time")
            lifetimes = part.whole("duration", 1)
            cpus = part.whole("cpu_count", 1)
            speeds = part.number("cpu_capacity")
            memory = part.whole("mem_capacity", 1)
            serial = len(rows)
            rows.extend(
                (
                    arrivals[i],
                    serial + i,
                    names[i],
                    lifetimes[i],
                    cpus[i],
                    -int(-speeds[i] // cpus[i]),
                    memory[i],
                )
                for i in range(len(part))
            )
        if not rows:
            raise TraceError(f"{path}: expected at least one row")
        rows.sort()
        first = rows[0][0]
        for arrival, _, name, lifetime, cores, mhz, megabytes in rows:
            mib = -(-megabytes * MEGABYTE // MEBIBYTE)
            yield VmRequest(name, arrival - first, lifetime, cores, mhz, mib)
