"""What a run has placed where, as columns: of a replay and of a full run alike, so that both are measured by the same rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cloudsim.experiment.blocks import ENDLESS, RequestBlock
from cloudsim.experiment.replay import HostGroup
from cloudsim.experiment.result import RunResult

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DIMENSIONS = 3
"""MHz, MiB and thousandths of GPUs, in this order."""


class Placements(NamedTuple):
    """Requests in the order of arrival, and hosts. Times in ms from the beginning; of a replay they are whole numbers.

    `start` and `end` say from when to when capacity is reserved on `host`, the host's number (-1: the request was not placed);
    `end` is at most `over`, when the run ended. `need` [requests, DIMENSIONS] is what each reserves, `core_ms` the
    cores times the time that it asked for (0 for one that runs on for ever). `flavour` are indices into `flavours`, (MHz, MiB).
    `capacity` [hosts, DIMENSIONS] is what hosts give, over-commit included.
    """

    arrival: Floats
    start: Floats
    end: Floats
    host: Ints
    need: Ints
    core_ms: Floats
    flavour: Ints
    flavours: Ints
    capacity: Ints
    over: float

    @property
    def placed(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = self.host >= 0
        return found


def capacity_of(groups: Sequence[HostGroup]) -> Ints:
    """What each host gives, [hosts, DIMENSIONS]."""
    sizes = np.array([(group.cpu, group.memory, 1000 * group.gpus) for group in groups], np.int64)
    return np.repeat(sizes, [group.number for group in groups], axis=0)


def of_replay(
    blocks: Sequence[RequestBlock], slots: Ints, groups: Sequence[HostGroup], over: float
) -> Placements:
    """What a replay of these blocks, that ended at `over` ms, has placed on which slots."""
    arrival = np.concatenate([block.arrival_ms for block in blocks])
    lifetime = np.concatenate([block.lifetime_ms for block in blocks])
    flavour = np.concatenate([block.flavour for block in blocks])
    flavours = blocks[-1].flavours
    sizes = np.array([(f.cpus * f.cpu_mhz, f.memory_mib, f.gpus * f.gpu_milli) for f in flavours], np.int64)
    cores = np.array([f.cpus for f in flavours], np.int64)
    end = np.where(lifetime == ENDLESS, over, np.minimum(arrival + lifetime, over))
    return Placements(
        arrival.astype(float),
        arrival.astype(float),
        end.astype(float),
        slots.astype(np.int64),
        sizes[flavour],
        cores[flavour] * np.maximum(lifetime, 0).astype(float),
        flavour,
        sizes[:, :2],
        capacity_of(groups),
        float(over),
    )


def of_run(result: RunResult, cpu_overcommit: float, memory_overcommit: float) -> Placements:
    """What a full run has placed. An instance that moved counts for the host that it was on last, from its first placement on."""
    outcomes, over = result.outcomes, 1000 * result.simulated
    number = {host.name: index for index, host in enumerate(result.hosts)}
    capacity = np.array([(h.cpu_mhz, h.memory_mib, h.gpu_milli) for h in result.hosts], np.int64)
    capacity[:, 0] = (capacity[:, 0] * cpu_overcommit).astype(np.int64)
    capacity[:, 1] = (capacity[:, 1] * memory_overcommit).astype(np.int64)
    cores = np.array(outcomes.cpus, np.int64)
    need = np.column_stack((cores * np.array(outcomes.cpu_mhz, np.int64), outcomes.memory_mib, outcomes.gpu_milli))
    host = [-1 if start is None else number.get(name or "", -1) for start, name in _places(result)]
    flavours, flavour = np.unique(need[:, :2], axis=0, return_inverse=True)
    return Placements(
        1000 * np.array(outcomes.arrival),
        np.minimum([over if t is None else 1000 * t for t in outcomes.placed_at], over),
        np.minimum([over if t is None else 1000 * t for t in outcomes.released_at], over),
        np.array(host, np.int64),
        need.astype(np.int64),
        1000 * cores * np.array([t or 0.0 for t in outcomes.lifetime]),
        flavour.reshape(-1),
        flavours,
        capacity,
        over,
    )


def _places(result: RunResult) -> zip[tuple[float | None, str | None]]:
    return zip(result.outcomes.placed_at, result.outcomes.host, strict=True)
