"""Huawei-East-1: creations and deletions of VMs in the order in which they happened (VMAgent's dataset)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.rows import read_csv
from cloudsim.experiment.traces.sample import Sample
from cloudsim.experiment.traces.source import Count, Trace
from cloudsim.randomness import Randomness


class HuaweiEastTrace(Trace, frozen=True, kw_only=True, tag="huawei-east-1"):
    """`path` is a CSV file with the columns vmid, cpu (cores), memory (GB, taken as GiB), time, type (0 create, 1 delete).

    `time_unit_ms` is how many ms the file's unit of time is. The file is read twice: deletions first.
    """

    title: ClassVar[str] = "Huawei-East-1, VMAgent's data set (CSV)"
    units: ClassVar[str] = "units of `time_unit_ms`, cores, GB (taken as GiB)"
    source: ClassVar[str] = (
        "Huawei-East-1 is in the VMAgent repository (github.com/mail-ecnu/VMAgent); set workload.path to your copy."
    )

    path: str
    time_unit_ms: Count = 1000

    @classmethod
    def recognises(cls, sample: Sample) -> bool:
        return sample.has("vmid", "cpu", "memory", "time", "type")

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        path = folder / self.path
        needed = ("vmid", "cpu", "memory", "time", "type")
        ends: dict[str, int] = {}
        created: dict[str, int] = {}
        last = 0
        for row in read_csv(path, needed):
            name, time, kind = row.name("vmid"), row.whole("time"), row.text("type")
            if kind not in ("0", "1"):
                raise row.wrong("type", "0 (create) or 1 (delete)", kind)
            if time < last:
                raise row.wrong("time", f"at least {last}, in the order of time", time)
            last = time
            if kind == "0":
                if name in created:
                    raise row.wrong("vmid", "a VM that was not created before", name)
                created[name] = time
            else:
                if name not in created or name in ends:
                    raise row.wrong("vmid", "a VM that exists", name)
                ends[name] = time
        for row in read_csv(path, needed):
            if row.text("type") != "0":
                continue
            name, time = row.text("vmid"), row.whole("time")
            end = ends.get(name)
            lifetime = None if end is None else max(1, (end - time) * self.time_unit_ms)
            mib = 1024 * row.whole("memory", 1)
            yield VmRequest(name, time * self.time_unit_ms, lifetime, row.whole("cpu", 1), 1000, mib)
