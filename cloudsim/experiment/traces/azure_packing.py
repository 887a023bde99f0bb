"""Azure's packing trace of 2020: VM requests of a zone, their sizes as fractions of machines, in an SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.fractions import Machine, Size
from cloudsim.experiment.traces.sample import Sample
from cloudsim.experiment.traces.source import Count, Trace
from cloudsim.randomness import Randomness

DAY_MS = 86_400_000
_PRIORITIES = {"high": (0,), "low": (1,), "any": (0, 1)}


class AzurePackingTrace(Trace, frozen=True, kw_only=True, tag="azure-packing"):
    """`path` is packing_trace_zone_a_v1.sqlite, of the tables vm and vmType.

    A VM type has a row for each machine type that it fits, with its core and memory as fractions of that machine. So a machine
    has to be chosen: `machine` is its machineId (by default the one that most VM types fit, the lowest of these),
    `cores` (of `cpu_mhz` each) and `memory_mib` what it has. VMs of types that do not fit it are left out.

    vm.starttime and endtime (days) -> arrival and lifetime; no endtime: it runs on. VMs that started before `begin` (days) arrive
    then, to live for what is left of their lives; those that ended before are left out. tenantId -> tenant.
    `priority` takes only high (0) or low (1) priority; low-priority VMs may have been evicted, which ends their
    lifetimes early. hdd, ssd and nic are not used. SQLite sorts; memory does not grow with the file.
    """

    title: ClassVar[str] = "Azure's packing trace of 2020 (SQLite)"
    units: ClassVar[str] = "days, fractions of a machine"
    source: ClassVar[str] = (
        "Azure's packing trace is AzureTracesForPacking2020 at github.com/Azure/AzurePublicDataset (CC-BY); set "
        "workload.path to your copy of the .sqlite file."
    )

    path: str
    cores: Count
    memory_mib: Count
    cpu_mhz: Count = 1000
    machine: int | None = None
    begin: float = 0.0
    priority: Literal["any", "high", "low"] = "any"

    @classmethod
    def recognises(cls, sample: Sample) -> bool:
        return sample.data.startswith(b"SQLite format 3\0") and b"vmType" in sample.data

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        path = folder / self.path
        try:
            with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as database:
                yield from self._read(path, database)
        except sqlite3.Error as error:
            raise TraceError(f"{path}: not the SQLite file of a packing trace: {error}") from error

    def _read(self, path: Path, database: sqlite3.Connection) -> Iterator[VmRequest]:
        sizes = self._sizes(path, database)
        priorities = _PRIORITIES[self.priority]
        marks = ", ".join("?" * len(priorities))
        rows = database.execute(
            "SELECT vmId, tenantId, vmTypeId, starttime, endtime FROM vm "
            f"WHERE priority IN ({marks}) AND (endtime IS NULL OR endtime > ?) ORDER BY starttime, vmId",
            (*priorities, self.begin),
        )
        for name, tenant, kind, start, end in rows:
            size = sizes.get(kind)
            if size is None:
                continue
            begin = max(0, self._ms(path, name, "starttime", start))
            lifetime = None
            if end is not None:
                lifetime = self._ms(path, name, "endtime", end) - begin
                if lifetime < 0:
                    raise _wrong(path, name, "endtime", f"at least the starttime {start}", end)
            yield VmRequest(
                str(name), begin, None if lifetime is None else max(1, lifetime), *size, tenant=str(tenant)
            )

    def _ms(self, path: Path, name: object, column: str, days: object) -> int:
        if not isinstance(days, int | float):
            raise _wrong(path, name, column, "a number of days", days)
        return round((days - self.begin) * DAY_MS)

    def _sizes(self, path: Path, database: sqlite3.Connection) -> dict[Any, Size]:
        """The size of each VM type that fits the machine."""
        machine = self.machine
        if machine is None:
            row = database.execute(
                "SELECT machineId FROM vmType GROUP BY machineId ORDER BY COUNT(DISTINCT vmTypeId) DESC, machineId"
            ).fetchone()
            if row is None:
                raise TraceError(f"{path}: vmType: expected at least one row")
            machine = row[0]
        whole = Machine(self.cores, self.cpu_mhz, self.memory_mib)
        sizes: dict[Any, Size] = {}
        for number, kind, core, memory in database.execute(
            "SELECT id, vmTypeId, core, memory FROM vmType WHERE machineId = ? ORDER BY id", (machine,)
        ):
            for column, part in (("core", core), ("memory", memory)):
                if not isinstance(part, int | float) or not 0 <= part <= 1:
                    raise TraceError(
                        f"{path}: vmType: row {number}: {column}: expected a fraction from 0 to 1, got {part!r}"
                    )
            sizes[kind] = whole.part(core, memory)
        if not sizes:
            known = [row[0] for row in database.execute("SELECT DISTINCT machineId FROM vmType ORDER BY 1")]
            expected = f"expected one of {', '.join(map(str, known))}, got {machine}"
            raise TraceError(f"{path}: option machine: {expected}")
        return sizes


def _wrong(path: Path, name: object, column: str, expected: str, value: object) -> TraceError:
    return TraceError(f"{path}: vm: vmId {name}: {column}: expected {expected}, got {value!r}")
