"""Alibaba's production GPU cluster of 2023 ("openb"): pods as requests, and its nodes as hosts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import SMALLEST_MIB, VmRequest
from cloudsim.experiment.traces.fractions import slow_cores
from cloudsim.experiment.traces.rows import read_csv
from cloudsim.experiment.traces.sample import Sample
from cloudsim.experiment.traces.sorting import by_arrival
from cloudsim.experiment.traces.source import Trace
from cloudsim.randomness import Randomness

CORE_MHZ = 1000
"""A core of this cluster counts as 1000 MHz, so that a thousandth of a core is one MHz."""

_NEEDED = (
    "name",
    "cpu_milli",
    "memory_mib",
    "num_gpu",
    "gpu_milli",
    "gpu_spec",
    "creation_time",
    "deletion_time",
)


class OpenbTrace(Trace, frozen=True, kw_only=True, tag="openb"):
    """`path` is a pod list such as openb_pod_list_default.csv.

    name -> id; creation_time (s) -> arrival; deletion_time - creation_time -> lifetime (without one the pod runs on);
    cpu_milli -> cpus = ceil(cpu_milli / 1000) cores of cpu_mhz = ceil(cpu_milli / cpus), so that the reservation is
    never smaller than asked for and at most cpus - 1 MHz larger; memory_mib; num_gpu -> gpus, each with gpu_milli
    thousandths; gpu_spec -> gpu_models. Rows are sorted by creation, ties by their place: the lists with other
    shares of pods are in no order.

    Pods that the original cluster never ran (pod_phase Pending) are requests as well. A pod that was created and
    deleted within a second gets a lifetime of 1 ms.
    """

    title: ClassVar[str] = "Alibaba's GPU cluster of 2023 (CSV)"
    units: ClassVar[str] = "s, thousandths of a core, MiB, thousandths of a GPU"
    source: ClassVar[str] = (
        "The openb trace is in the Alibaba cluster data repository (github.com/alibaba/clusterdata, "
        "cluster-trace-gpu-v2023); a copy is in examples/traces/openb."
    )

    path: str

    @classmethod
    def recognises(cls, sample: Sample) -> bool:
        return sample.has("name", "cpu_milli", "num_gpu", "creation_time")

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        return by_arrival(_requests(folder / self.path))


def _requests(path: Path) -> Iterator[VmRequest]:
    for row in read_csv(path, _NEEDED):
        # A pod may ask for no CPU or no memory at all; an instance has at least one MHz and 32 MiB.
        cpus, mhz = slow_cores(row.whole("cpu_milli"), CORE_MHZ)
        gpus = row.whole("num_gpu")
        share = row.whole("gpu_milli", 1 if gpus else 0)
        if gpus and share > 1000:
            raise row.wrong("gpu_milli", "at most 1000", share)
        created = row.whole("creation_time")
        deleted = row.whole_or_none("deletion_time")
        if deleted is not None and deleted < created:
            raise row.wrong("deletion_time", f"at least the creation_time {created}", deleted)
        yield VmRequest(
            row.name("name"),
            1000 * created,
            None if deleted is None else max(1, 1000 * (deleted - created)),
            cpus,
            mhz,
            max(SMALLEST_MIB, row.whole("memory_mib")),
            gpus,
            share if gpus else 1000,
            row.names("gpu_spec") if gpus else (),
        )


def host_groups(path: Path) -> list[dict[str, Any]]:
    """The nodes of a node list as host groups of a datacenter description, equal neighbours as one.

    sn is not kept; cpu_milli -> cores (a fraction is lost), memory_mib, gpu -> gpus, model -> gpu_model.
    """
    if not path.is_file():
        raise TraceError(f"{path}: there is no such file. {OpenbTrace.source}")
    nodes: list[tuple[int, int, int, str]] = []
    for row in read_csv(path, ("sn", "cpu_milli", "memory_mib", "gpu", "model")):
        gpus = row.whole("gpu")
        model = row.name("model") if gpus else ""
        nodes.append((row.whole("cpu_milli", 1000) // 1000, row.whole("memory_mib", 1), gpus, model))
    if not nodes:
        raise TraceError(f"{path}: expected at least one node")
    groups: list[dict[str, Any]] = []
    for (cores, memory, gpus, model), equal in groupby(nodes):
        group: dict[str, Any] = {
            "count": len(list(equal)),
            "cores": cores,
            "mhz": CORE_MHZ,
            "memory_mib": memory,
        }
        if gpus:
            group |= {"gpus": gpus, "gpu_model": model}
        groups.append(group)
    return groups
