"""W2, the benchmark "work": instances that all arrive at once, each with the same number of tasks that it time-shares.

Instance i is of the size of W1's request i of the same seed. Its task k of K lasts floor((60 + 7200 u) 1000 + 0.5) ms
on all vCPUs at full speed, where u in [0, 1) is the splitmix64 draw number i K + k + 1 of the next seed: from a
minute to two hours. Instances run on when their work is done. Where hosts are not overcommitted, the times at which
tasks end follow from `backends.simulated.work`'s closed form, whatever the placement.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.source import Count, NotNegative, Trace
from cloudsim.experiment.traces.w1 import FLAVOURS, flavours, uniform_draws
from cloudsim.randomness import Randomness

SHORTEST, SPAN = 60, 7200
"""Seconds."""
_BLOCK = 65_536


def lengths(first: int, vms: int, tasks: int, seed: int) -> NDArray[np.int64]:
    """Milliseconds of each of `tasks` tasks of `vms` instances, the first of which is number `first`: a row each."""
    u = uniform_draws(first * tasks + 1, vms * tasks, seed)
    found: NDArray[np.int64] = np.floor((SHORTEST + SPAN * u) * 1000 + 0.5).astype(np.int64)
    return found.reshape(vms, tasks)


class W2Trace(Trace, frozen=True, kw_only=True, tag="w2"):
    """W2 with `vms` instances of `tasks_per_vm` tasks. `seed` is W2's own, not the scenario's."""

    title: ClassVar[str] = 'Generated: W2, the benchmark "work"'

    vms: Count
    tasks_per_vm: Count = 1
    seed: NotNegative = 42

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        for first in range(0, self.vms, _BLOCK):
            size = min(_BLOCK, self.vms - first)
            draws = uniform_draws(4 * first + 1, 4 * size, self.seed).reshape(size, 4)
            sizes = flavours(draws[:, 2], draws[:, 3]).tolist()
            work = lengths(first, size, self.tasks_per_vm, self.seed + 1).tolist()
            for number, (size_number, tasks) in enumerate(zip(sizes, work, strict=True), first):
                cpus, mhz, mib = FLAVOURS[size_number][:3]
                yield VmRequest(str(number), 0, None, cpus, mhz, mib, work_ms=tuple(tasks))
