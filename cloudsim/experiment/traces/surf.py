"""Jobs of the SURF Lisa cluster (2022), as packaged by OpenDC: a Parquet file of tasks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.columns import read_parquet
from cloudsim.experiment.traces.sample import Sample
from cloudsim.experiment.traces.sorting import by_arrival
from cloudsim.experiment.traces.source import Trace
from cloudsim.randomness import Randomness

MEGABYTE, MEBIBYTE = 10**6, 1 << 20


class SurfTrace(Trace, frozen=True, kw_only=True, tag="surf"):
    """`path` is tasks.parquet.

    id; submission_time (ms since 1970) -> arrival; duration (ms) -> lifetime; cpu_count -> cpus;
    cpu_capacity (MHz of all cores) / cpu_count -> cpu_mhz; mem_capacity (MB, 10^6 bytes) -> memory_mib;
    divisions are rounded up. A duration of 1000 means: shorter than the source resolves. The file is not quite in the
    order of submission, so it is sorted; ties keep its order, and of more than 200,000 rows some wait in temporary files.
    """

    title: ClassVar[str] = "SURF's Lisa cluster, 2022, as packaged by OpenDC (Parquet)"
    units: ClassVar[str] = "ms, cores, MHz of all cores, MB (10^6 bytes)"
    source: ClassVar[str] = (
        "The SURF trace is not shipped with cloudsim: it is tasks.parquet of the SURF workload in the "
        "OpenDC repository (github.com/atlarge-research/opendc); set workload.path to your copy."
    )

    path: str

    @classmethod
    def recognises(cls, sample: Sample) -> bool:
        return sample.has("id", "submission_time", "duration", "cpu_count", "cpu_capacity", "mem_capacity")

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        return by_arrival(_rows(folder / self.path))


def _rows(path: Path) -> Iterator[VmRequest]:
    columns = ("id", "submission_time", "duration", "cpu_count", "cpu_capacity", "mem_capacity")
    for part in read_parquet(path, columns):
        rows = zip(
            part.text("id"),
            part.whole("submission_time"),
            part.whole("duration", 1),
            part.whole("cpu_count", 1),
            part.number("cpu_capacity"),
            part.whole("mem_capacity", 1),
            strict=True,
        )
        for name, arrival, lifetime, cpus, mhz, megabytes in rows:
            mib = -(-megabytes * MEGABYTE // MEBIBYTE)
            yield VmRequest(name, arrival, lifetime, cpus, -int(-mhz // cpus), mib)
