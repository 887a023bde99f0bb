"""Azure's VM traces of 2017 and 2019: vmtable.csv, a line for each VM."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.rows import CsvRow, read_csv
from cloudsim.experiment.traces.sample import Sample
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
    """`path` is vmtable.csv, which has no header. vmcreated, vmdeleted (s) -> arrival, lifetime.

    Cores and memory (GB, taken as GiB) are buckets there; a last, open one such as ">24" stands for
    `open_cores` and `open_memory_gib`. `end` (s), where given, is the end of the trace's observation: VMs
    deleted then or later run on. Lines are sorted by vmcreated, ties by their place; all are held in memory.
    """

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
        requests: list[VmRequest] = []
        for row in read_csv(folder / self.path, _COLUMNS, _COLUMNS):
            created, deleted = row.whole("vmcreated"), row.whole("vmdeleted")
            if deleted < created:
                raise row.wrong("vmdeleted", f"at least vmcreated {created}", deleted)
            runs_on = self.end is not None and deleted >= self.end
            lifetime = None if runs_on else max(1, 1000 * (deleted - created))
            cores = self._bucket(row, "vmcorecount", self.open_cores)
            gib = self._bucket(row, "vmmemory", self.open_memory_gib)
            requests.append(
                VmRequest(
                    row.name("vmid"), 1000 * created, lifetime, max(1, round(cores)), 1000, round(1024 * gib)
                )
            )
        requests.sort(key=lambda request: request.arrival_ms)
        yield from requests

    def _bucket(self, row: CsvRow, column: str, open_end: int) -> float:
        if row.text(column).startswith(">"):
            return open_end
        value = row.number(column)
        if value <= 0:
            raise row.wrong(column, "more than 0", value)
        return value
