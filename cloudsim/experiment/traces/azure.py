"""Azure's VM traces of 2017 and 2019: vmtable.csv, a line for each VM."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from cloudsim.experiment.requests import SMALLEST_MIB, VmRequest
from cloudsim.experiment.traces.rows import CsvRow, read_csv
from cloudsim.experiment.traces.sample import Sample
from cloudsim.experiment.traces.sorting import by_arrival
from cloudsim.experiment.traces.source import Count, Trace
from cloudsim.randomness import Randomness

_COLUMNS = (
    "vmid",
    "subscriptionid",
    "deploymentid",
    "vmcreated",
    "vmdeleted",
    "maxcpu",
    "avgcpu",
    "p95maxcpu",
    "vmcategory",
    "vmcorecount",
    "vmmemory",
)


class AzureTrace(Trace, frozen=True, kw_only=True, tag="azure-vmtable"):
    """`path` is vmtable.csv or vmtable.csv.gz, which has no header.

    vmid -> id; subscriptionid -> tenant; vmcreated, vmdeleted (s from the beginning of the trace) -> arrival,
    lifetime; vmcorecount (cores) and vmmemory (GB, taken as GiB). The trace of 2019 has buckets of cores (2, 4, 8,
    24, >24) and memory (2, 4, 8, 32, 64, >64): the last, open ones stand for `open_cores` and `open_memory_gib`, by
    default the 30 and 70 that Azure's own analysis puts for them. `end` (s; 2591700 is the last reading of both
    traces), where given, is the end of the observation: VMs deleted then or later run on. Lines are sorted by
    vmcreated, ties by their place; of more than 200,000 some wait in temporary files.
    """

    title: ClassVar[str] = "Azure's VMs of 2017 and 2019, vmtable (CSV)"
    units: ClassVar[str] = "s, cores or buckets of cores, GB (taken as GiB) or buckets of them"
    source: ClassVar[str] = (
        "Azure's traces are at github.com/Azure/AzurePublicDataset; set workload.path to your copy of vmtable.csv."
    )

    path: str
    open_cores: Count = 30
    open_memory_gib: Count = 70
    end: Count | None = None

    @classmethod
    def recognises(cls, sample: Sample) -> bool:
        return not sample.folder and len(sample.columns) == len(_COLUMNS) and sample.name.startswith("vmtable")

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        return by_arrival(self._rows(folder / self.path))

    def _rows(self, path: Path) -> Iterator[VmRequest]:
        for row in read_csv(path, _COLUMNS, _COLUMNS):
            created, deleted = row.whole("vmcreated"), row.whole("vmdeleted")
            if deleted < created:
                raise row.wrong("vmdeleted", f"at least vmcreated {created}", deleted)
            runs_on = self.end is not None and deleted >= self.end
            yield VmRequest(
                row.name("vmid"),
                1000 * created,
                None if runs_on else max(1, 1000 * (deleted - created)),
                max(1, round(self._bucket(row, "vmcorecount", self.open_cores))),
                1000,
                max(SMALLEST_MIB, round(1024 * self._bucket(row, "vmmemory", self.open_memory_gib))),
                tenant=row.text("subscriptionid"),
            )

    def _bucket(self, row: CsvRow, column: str, open_end: int) -> float:
        if row.text(column).startswith(">"):
            return open_end
        value = row.number(column)
        if value <= 0:
            raise row.wrong(column, "more than 0", value)
        return value
