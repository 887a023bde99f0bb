"""Huawei Cloud's placement sequences C1 to C5, with NUMA nodes, affinity and anti-affinity, in spreadsheets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.rows import CsvRow
from cloudsim.experiment.traces.sample import Sample
from cloudsim.experiment.traces.sheets import read_sheet
from cloudsim.experiment.traces.source import Trace
from cloudsim.randomness import Randomness

EVERY_MS = 1000
_COLUMNS = ("flavor_vcpus", "flavor_ram", "numa", "strategy", "group", "domain")
_STRATEGIES = ("affinity", "anti-affinity", "fault_domain")


class HuaweiTopologyTrace(Trace, frozen=True, kw_only=True, tag="huawei-topology"):
    """`path` is an .xlsx file such as VM_data_C1.xlsx: an order of requests, without times and departures.

    A request's id is its row in the sheet. flavor_vcpus (cores), flavor_ram (GiB), numa -> numa_nodes (the instance is
    spread evenly over that many). They arrive a second apart, or `every_ms`, and run on. A strategy goes with a
    group: affinity and anti-affinity become groups of these names, such as affinity-3, unless `groups` leaves one of
    them out. Some affinity groups ask for more cores than any host of the data set has (448 against 170), so that a
    host cannot be what they were to share. The third strategy, fault_domain, wants the members of a group in three
    fault domains (column domain, 0 to 2) with no host in common; no request can say that, and it is left out.
    """

    title: ClassVar[str] = "Huawei's placement sequences C1 to C5, with NUMA nodes and groups (Excel)"
    units: ClassVar[str] = "no times; cores, GiB"
    source: ClassVar[str] = (
        "The sequences are at github.com/mdl1104/Dataset-for-topology-aware-VM-placement (CC0); a copy of C1 to C4 is "
        "in examples/traces/huawei-topology."
    )

    path: str
    groups: tuple[Literal["affinity", "anti-affinity"], ...] = ("affinity", "anti-affinity")

    @classmethod
    def recognises(cls, sample: Sample) -> bool:
        return sample.has(*_COLUMNS)

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        for number, row in enumerate(read_sheet(folder / self.path, _COLUMNS)):
            affinity, anti_affinity = self._groups(row)
            yield VmRequest(
                str(row.line),
                number * EVERY_MS,
                None,
                row.whole("flavor_vcpus", 1),
                1000,
                1024 * row.whole("flavor_ram", 1),
                affinity=affinity,
                anti_affinity=anti_affinity,
                numa_nodes=row.whole("numa", 1),
            )

    def _groups(self, row: CsvRow) -> tuple[tuple[str, ...], tuple[str, ...]]:
        strategy = row.text("strategy")
        if not strategy:
            return (), ()
        if strategy not in _STRATEGIES:
            raise row.wrong("strategy", f"one of {', '.join(_STRATEGIES)}, or nothing", strategy)
        group = (f"{strategy}-{row.whole('group')}",)
        near = strategy == "affinity" and "affinity" in self.groups
        far = strategy == "anti-affinity" and "anti-affinity" in self.groups
        return group if near else (), group if far else ()
