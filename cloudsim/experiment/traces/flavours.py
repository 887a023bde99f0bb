"""The sizes that generated instances have, and how often: a list, or a CSV file with a line for each.

| column | unit | |
|---|---|---|
| vcpu | cores | |
| memory_mib | MiB | or mem_gib, in GiB |
| weight | | optional, 1: how often it is wanted against the others |
| cpu_mhz | MHz per core | optional, 1000 |
| gpus, gpu_milli | GPUs, thousandths of each | optional, 0 and 1000 |
| gpu_models, tags | names separated by a vertical bar | optional |
| numa_nodes | | optional, 1 |
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from cloudsim.experiment.blocks import Flavour
from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.traces.rows import read_csv
from cloudsim.experiment.traces.source import Count, NotNegative, Positive


class WeightedFlavour(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A size of instance, wanted `weight` times as often as one of weight 1."""

    vcpu: Count
    memory_mib: Count
    cpu_mhz: Count = 1000
    gpus: NotNegative = 0
    gpu_milli: Annotated[int, Meta(ge=1, le=1000)] = 1000
    gpu_models: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    numa_nodes: Count = 1
    weight: Positive = 1.0

    @property
    def flavour(self) -> Flavour:
        return Flavour(
            self.vcpu,
            self.cpu_mhz,
            self.memory_mib,
            self.gpus,
            self.gpu_milli,
            self.gpu_models,
            self.tags,
            self.numa_nodes,
        )


def read_flavours(path: Path) -> tuple[WeightedFlavour, ...]:
    """The flavours of a CSV file with the columns above. Raises TraceError."""
    found: list[WeightedFlavour] = []
    for row in read_csv(path, ("vcpu",)):
        if row.has("memory_mib"):
            mib = row.whole("memory_mib", 1)
        elif row.has("mem_gib"):
            mib = math.ceil(row.number("mem_gib") * 1024)
        else:
            raise TraceError(f"{path}: expected a column memory_mib or mem_gib")
        weight = row.number("weight") if row.text("weight") else 1.0
        share = row.whole_or("gpu_milli", 1000, 1)
        if mib < 1:
            raise row.wrong("mem_gib", "more than 0", row.text("mem_gib"))
        if weight <= 0:
            raise row.wrong("weight", "more than 0", row.text("weight"))
        if share > 1000:
            raise row.wrong("gpu_milli", "at most 1000", share)
        found.append(
            WeightedFlavour(
                vcpu=row.whole("vcpu", 1),
                memory_mib=mib,
                cpu_mhz=row.whole_or("cpu_mhz", 1000, 1),
                gpus=row.whole_or("gpus", 0),
                gpu_milli=share,
                gpu_models=row.names("gpu_models"),
                tags=row.names("tags"),
                numa_nodes=row.whole_or("numa_nodes", 1, 1),
                weight=weight,
            )
        )
    if not found:
        raise TraceError(f"{path}: expected at least one flavour")
    return tuple(found)
