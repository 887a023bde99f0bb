"""The state of all hosts at some instants of a run: what cannot be summed up exactly is averaged over these."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from cloudsim.experiment.compare.cells import edges_of
from cloudsim.experiment.compare.placements import Floats, Ints, Placements
from cloudsim.experiment.compare.spec import CELLS
from cloudsim.experiment.replay.bounds import HostsNeeded
from cloudsim.experiment.replay.samples import Mix, State, sample

EVERY = 4
"""At the end of every so-manieth cell."""

COLUMNS = ("stranded_cpu", "stranded_memory", "fragmentation", "gini", "linear_bound")


def snapshots_of(placements: Placements) -> Floats:
    """[CELLS / EVERY, COLUMNS]: shares of what hosts have, and the LP bound (hosts); NaN where it says no more than the
    volume bound, as hosts are all alike."""
    p = placements
    instants = edges_of(p.over)[EVERY::EVERY]
    there = np.flatnonzero(p.placed & (p.end > p.start))
    times = np.concatenate((p.start[there], p.end[there]))
    request = np.concatenate((there, there))
    sign = np.repeat((1, -1), len(there))
    order = np.argsort(times, kind="stable")
    times, request, sign = times[order], request[order], sign[order]
    # What ends with the run is still there at its end.
    parts = np.searchsorted(times, instants, side="right")
    parts[-1] = np.searchsorted(times, p.over, side="left")
    asked = np.searchsorted(p.arrival, instants, side="right")
    capacity = p.capacity
    used = np.zeros_like(capacity)
    instances = np.zeros(len(capacity), np.int64)
    mix = np.zeros(len(p.flavours), np.int64)
    needed = HostsNeeded(capacity if capacity[:, 2].any() else capacity[:, :2])

    @lru_cache(maxsize=1)  # often nothing has changed since the snapshot before
    def bound(in_all: tuple[int, ...]) -> int:
        return needed.linear(np.array(in_all[: needed.kinds.shape[1]]))

    rows = np.empty((len(instants), len(COLUMNS)))
    seen = known = 0
    for row, (upto, arrived) in enumerate(zip(parts.tolist(), asked.tolist(), strict=True)):
        some = slice(seen, upto)
        _change(used, instances, p, request[some], sign[some])
        mix += np.bincount(p.flavour[known:arrived], minlength=len(mix))
        seen, known = upto, arrived
        room = capacity - used
        state = State(capacity[:, 0], room[:, 0], capacity[:, 1], room[:, 1], instances)
        found = sample(0, state, Mix(p.flavours[:, 0], p.flavours[:, 1], mix), 0)
        linear = float(bound(tuple(used.sum(axis=0).tolist()))) if len(needed.kinds) > 1 else np.nan
        rows[row] = (found.stranded_cpu, found.stranded_memory, found.fragmentation, found.gini, linear)
    return rows


def _change(used: Ints, instances: Ints, placements: Placements, request: Ints, sign: Ints) -> None:
    """Reserve, or give back, what those requests have."""
    host = placements.host[request]
    for dimension in range(used.shape[1]):
        change = np.bincount(host, sign * placements.need[request, dimension], len(used))
        used[:, dimension] += np.rint(change).astype(np.int64)
    instances += np.rint(np.bincount(host, sign, len(instances))).astype(np.int64)


assert CELLS % EVERY == 0
