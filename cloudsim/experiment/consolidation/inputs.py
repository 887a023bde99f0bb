"""Where the loads of a study come from: PlanetLab's days, or Bitbrains' VMs."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from cloudsim.experiment.consolidation.load import Load
from cloudsim.experiment.consolidation.state import Floats, instances_of
from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.traces.columns import read_parquet
from cloudsim.experiment.traces.planetlab import (
    INSTANCE_TYPES,
    INTERVAL_S,
    InstanceType,
    utilisation,
)
from cloudsim.randomness import Randomness

Order = Literal["name", "upper-case", "listed", "shuffled"]


class _Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="format"):
    """Where loads come from, as a study says it."""


class PlanetLabLoad(_Source, frozen=True, kw_only=True, tag="planetlab"):
    """`days` are folders, or .tar.gz of one, each a load of its own; one that is called 20110303 needs no quotes.

    Of n VMs and k `types`, the first ceil(n / k) VMs are of the first type, and so on: so the `order` of the files
    decides which VM is how large. By `name`; by name in `upper-case`, as Windows lists a folder; as `listed` by the
    folder or archive, which is what CloudSim takes; or `shuffled` by the seed.
    """

    days: Annotated[tuple[str | int, ...], Meta(min_length=1)]
    order: Order = "name"
    types: Annotated[tuple[InstanceType, ...], Meta(min_length=1)] = INSTANCE_TYPES

    @property
    def random(self) -> bool:
        """Whether another seed gives another load."""
        return self.order == "shuffled"

    def loads(self, folder: Path, randomness: Randomness) -> Iterator[Load]:
        """Each day's load; paths are relative to `folder`. Raises TraceError."""
        for day in self.days:
            path = folder / str(day)
            names, matrix = utilisation(path)
            places = self._order(path, names, randomness)
            share = -(-len(names) // len(self.types))
            kinds = [self.types[i // share] for i in range(len(names))]
            yield Load(
                name=path.name.split(".")[0],
                names=tuple(names[i] for i in places),
                instances=instances_of(
                    np.array([kind.vcpu * kind.cpu_mhz for kind in kinds], float),
                    np.array([kind.vcpu for kind in kinds], float),
                    np.array([kind.memory_mib for kind in kinds], float),
                ),
                share=np.ascontiguousarray(matrix[places].T / 100.0),
                interval_s=float(INTERVAL_S),
            )

    def _order(self, path: Path, names: tuple[str, ...], randomness: Randomness) -> list[int]:
        """Indices of the names, which are sorted, in the order that is asked for."""
        if self.order == "upper-case":
            return sorted(range(len(names)), key=lambda i: names[i].upper())
        if self.order == "listed":
            index = {name: i for i, name in enumerate(names)}
            return [index[name] for name in _listed(path) if name in index]
        if self.order == "shuffled":
            return [int(i) for i in randomness.branch("order").generator.permutation(len(names))]
        return list(range(len(names)))


def _listed(path: Path) -> list[str]:
    """The names of files as a folder or archive has them."""
    if path.is_dir():
        return [file.name for file in path.iterdir()]
    with tarfile.open(path) as archive:
        return [name.rpartition("/")[2] for name in archive.getnames()]


class BitbrainsLoad(_Source, frozen=True, kw_only=True, tag="bitbrains"):
    """`path` is the folder of meta.parquet and trace.parquet, as the OpenDC repository has them; one load, of `hours`
    from `start_hour` on. Memory is in KiB, as in GWA-T-12.

    VMs have the sizes that they had. A value stands for its `duration`, until its time; where there is none, a VM
    asks for nothing.
    """

    path: str
    start_hour: Annotated[float, Meta(ge=0)] = 0.0
    hours: Annotated[float, Meta(gt=0)] = 24.0

    random = False

    def loads(self, folder: Path, randomness: Randomness) -> Iterator[Load]:
        """The load; paths are relative to `folder`. Raises TraceError."""
        place = folder / self.path
        sizes: dict[str, tuple[float, float, float]] = {}
        for part in read_parquet(place / "meta.parquet", ("id", "cpu_count", "cpu_capacity", "mem_capacity")):
            rows = zip(
                part.text("id"),
                part.number("cpu_capacity"),
                part.whole("cpu_count", 1),
                part.whole("mem_capacity", 1),
                strict=True,
            )
            for name, mhz, cores, kib in rows:
                sizes[name] = (mhz, float(cores), kib / 1024)
        grid = self._grid(place / "trace.parquet", {name: i for i, name in enumerate(sizes)})
        columns = np.array(list(sizes.values()), float).T
        share = np.minimum(grid / columns[0], 1.0)
        yield Load(place.name, tuple(sizes), instances_of(*columns), share, float(INTERVAL_S))

    def _grid(self, path: Path, index: dict[str, int]) -> Floats:
        """MHz by time and VM, at the beginning of every interval."""
        parts = []
        for part in read_parquet(path, ("id", "timestamp", "duration", "cpu_usage")):
            names = part.text("id")
            unknown = next((i for i, name in enumerate(names) if name not in index), None)
            if unknown is not None:
                raise part.wrong(unknown, "id", "an id that meta.parquet has", names[unknown])
            who = [index[name] for name in names]
            ends = np.array(part.timestamp_ms("timestamp"), np.int64)
            parts.append((who, ends - part.integers("duration", 1), ends, part.numbers("cpu_usage")))
        if not parts:
            raise TraceError(f"{path}: expected at least one row")
        vms, begins, ends, mhz = (np.concatenate(column) for column in zip(*parts, strict=True))
        step = 1000 * INTERVAL_S
        start = int(begins.min() + self.start_hour * 3.6e6)
        if start >= ends.max():
            hours = (ends.max() - begins.min()) / 3.6e6
            raise TraceError(f"{path}: start_hour: expected less than the {hours:.1f} h that there are")
        grid = np.zeros((max(1, round(self.hours * 3600 / INTERVAL_S)), len(index)))
        # The first time of the grid that is not before it.
        first = np.clip(-((start - begins) // step), 0, len(grid))
        last = np.clip(-((start - ends) // step), 0, len(grid))
        for row in np.flatnonzero(last > first):
            grid[first[row] : last[row], vms[row]] = mhz[row]
        return grid


Source = PlanetLabLoad | BitbrainsLoad
"""Every kind of load: `{format: planetlab, days: [...]}`, and so on."""
