"""Bitbrains' business-critical VMs as published (GWA-T-12): a folder with a CSV file for each VM."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import SMALLEST_MIB, VmRequest
from cloudsim.experiment.traces.plain_csv import NotPlain, read_plain_csv
from cloudsim.experiment.traces.rows import read_csv
from cloudsim.experiment.traces.sample import Sample
from cloudsim.experiment.traces.source import Count, Trace
from cloudsim.randomness import Randomness

TIME, CORES, MHZ, KIB = "Timestamp [ms]", "CPU cores", "CPU capacity provisioned [MHZ]", "Memory capacity provisioned [KB]"
INTERVAL_S = 300
_COLUMNS = (TIME, CORES, MHZ, KIB)


class BitbrainsCsvTrace(Trace, frozen=True, kw_only=True, tag="bitbrains-csv"):
    """`path` is a folder such as fastStorage/2013-8, of files 1.csv, 2.csv and so on with `;` between values.

    Sizes and times only; the VMs' utilisation is not replayed. A file's name without .csv -> id; its first time stamp -> arrival;
    from there to its last one and 5 minutes on, as each line stands for so long -> lifetime. The time stamps are seconds
    since 1970, though the header calls them ms; `time_unit_ms` says otherwise. CPU cores, MHz (of all cores, divided by
    them, to the nearest) and memory (KB, taken as KiB, rounded up to MiB) are the largest that were ever provisioned.
    Files are read one after the other; a VM takes about half a KB of memory.
    """

    title: ClassVar[str] = "Bitbrains' VMs, GWA-T-12, as published (a folder of CSV files)"
    units: ClassVar[str] = "s, cores, MHz of all cores, KB (taken as KiB)"
    source: ClassVar[str] = (
        "The trace is GWA-T-12 at the Grid Workloads Archive (gwa.ewi.tudelft.nl); set workload.path to the folder of "
        "your copy that has the .csv files."
    )
    folders: ClassVar[bool] = True

    path: str
    time_unit_ms: Count = 1000

    @classmethod
    def recognises(cls, sample: Sample) -> bool:
        return sample.folder and bool(sample.lines) and sample.lines[0].startswith(f"{TIME};")

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        path = folder / self.path
        files = sorted(path.glob("*.csv"), key=lambda file: (len(file.name), file.name))
        if not files:
            raise TraceError(f"{path}: expected a folder with a .csv file for each VM")
        requests = [self._request(file) for file in files]
        requests.sort(key=lambda request: request.arrival_ms)
        yield from requests

    def _request(self, path: Path) -> VmRequest:
        first, last, cores, mhz, kib = _summary(path)
        return VmRequest(
            path.stem,
            first * self.time_unit_ms,
            (last - first) * self.time_unit_ms + 1000 * INTERVAL_S,
            cores,
            max(1, round(mhz / cores)),
            max(SMALLEST_MIB, -int(-kib // 1024)),
        )


def _summary(path: Path) -> tuple[int, int, int, float, float]:
    """First and last time, and the most cores, MHz and KiB."""
    try:
        columns = [np.concatenate(values) for values in zip(*_fast(path), strict=True)]
    except NotPlain:
        columns = [np.array(values) for values in zip(*_slow(path), strict=True)]
    if not columns:
        raise TraceError(f"{path}: expected at least one line of values")
    times, cores, mhz, kib = columns
    return int(times.min()), int(times.max()), int(cores.max()), float(mhz.max()), float(kib.max())


def _fast(path: Path) -> Iterator[tuple[np.ndarray, ...]]:
    types = {TIME: pa.int64(), CORES: pa.int64(), MHZ: pa.float64(), KIB: pa.float64()}
    for part in read_plain_csv(path, types, _COLUMNS, ";"):
        try:
            yield part.integers(TIME), part.integers(CORES, 1), part.numbers(MHZ), part.numbers(KIB)
        except TraceError as error:
            raise NotPlain(str(error)) from error


def _slow(path: Path) -> Iterator[tuple[float, ...]]:
    for row in read_csv(path, _COLUMNS, delimiter=";"):
        yield row.whole(TIME), row.whole(CORES, 1), row.number(MHZ), row.number(KIB)
