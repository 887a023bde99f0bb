"""Bitbrains' business-critical VMs (GWA-T-12), as packaged by OpenDC: a Parquet file with a row for each VM."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.columns import read_parquet
from cloudsim.experiment.traces.sample import Sample
from cloudsim.experiment.traces.sorting import by_arrival
from cloudsim.experiment.traces.source import Trace
from cloudsim.randomness import Randomness


class BitbrainsTrace(Trace, frozen=True, kw_only=True, tag="bitbrains"):
    """`path` is meta.parquet. Sizes and times only; the VMs' utilisation is not replayed.

    id; start_time -> arrival; stop_time - start_time -> lifetime; cpu_count -> cpus; cpu_capacity (MHz of all
    cores) / cpu_count -> cpu_mhz, to the nearest; mem_capacity (KiB, as in GWA-T-12) -> memory_mib, rounded up.
    """

    title: ClassVar[str] = "Bitbrains' VMs, GWA-T-12, as packaged by OpenDC (Parquet)"
    units: ClassVar[str] = "time stamps, cores, MHz of all cores, KiB"
    source: ClassVar[str] = (
        "The Bitbrains trace is not shipped with cloudsim: it is meta.parquet of the bitbrains workload in the "
        "OpenDC repository (github.com/atlarge-research/opendc); set workload.path to your copy."
    )

    path: str

    @classmethod
    def recognises(cls, sample: Sample) -> bool:
        return sample.has("id", "start_time", "stop_time", "cpu_count", "cpu_capacity", "mem_capacity")

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        return by_arrival(_rows(folder / self.path))


def _rows(path: Path) -> Iterator[VmRequest]:
    columns = ("id", "start_time", "stop_time", "cpu_count", "cpu_capacity", "mem_capacity")
    for part in read_parquet(path, columns):
        names, starts, stops = part.text("id"), part.timestamp_ms("start_time"), part.timestamp_ms("stop_time")
        cpus, speeds = part.whole("cpu_count", 1), part.number("cpu_capacity")
        memory = part.whole("mem_capacity", 1)
        for i in range(len(part)):
            if stops[i] <= starts[i]:
                raise part.wrong(i, "stop_time", "a time after start_time", stops[i])
            # The source's MHz are measured values such as 5851.998636: to the nearest MHz per core.
            mhz = max(1, round(speeds[i] / cpus[i]))
            yield VmRequest(
                names[i], starts[i], stops[i] - starts[i], cpus[i], mhz, math.ceil(memory[i] / 1024)
            )
