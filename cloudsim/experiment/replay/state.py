"""What every compiled kernel of a replay works on: hosts, instances that run, counters and integrals, as arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cloudsim.experiment.replay.kernels import COUNTERS, FREE, INTEGRALS, LATEST, MOST_LIVE, SAMPLE_AT


class Live(NamedTuple):
    """Sizes are (CPU, memory) in `units`, so that they are small numbers; hosts by slot, instances by a number of their own.

    `capacity[h]` is what a host has, `room[h]` what is left of it, `need[f]` what a flavour takes. `host` and `flavour` are
    those of each instance, `free` the numbers that are not in use, `heap` the departures. `sums` are the cumulated
    capacities of hosts, the largest first, from 0, for the volume bound. `count` and `integral` are as the kernels name them.
    """

    capacity: Any
    room: Any
    instances: Any
    need: Any
    host: Any
    flavour: Any
    free: Any
    heap: Any
    count: Any
    integral: Any
    sums: Any


def units(capacity: np.ndarray, need: np.ndarray) -> np.ndarray:
    """The largest common units of those capacities and needs: [MHz, MiB]."""
    return np.array([np.gcd.reduce(np.concatenate((capacity[:, d], need[:, d]))) for d in range(2)], np.int64)


def cumulated(capacity: np.ndarray) -> np.ndarray:
    """What the n largest hosts have in each dimension, for n from 0: int64[hosts + 1, 2]."""
    sums = np.zeros((len(capacity) + 1, 2), np.int64)
    for dimension in range(2):
        sums[1:, dimension] = np.cumsum(np.sort(capacity[:, dimension].astype(np.int64))[::-1])
    return sums


def live(capacity: np.ndarray, need: np.ndarray, size: int = 1024) -> Live:
    """The state before the first request, for hosts of that capacity (int32[hosts, 2])."""
    state = Live(
        capacity,
        capacity.copy(),
        np.zeros(len(capacity), np.int32),
        need,
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.arange(size - 1, -1, -1, dtype=np.int32),
        np.zeros(size, np.int64),
        np.zeros(COUNTERS, np.int64),
        np.zeros(INTEGRALS, np.float64),
        cumulated(capacity),
    )
    state.count[FREE] = size
    state.count[SAMPLE_AT] = LATEST
    return state


def grown(state: Live) -> Live:
    """The same with room for twice as many instances. OverflowError beyond MOST_LIVE."""
    size = len(state.host)
    if 2 * size > MOST_LIVE:
        raise OverflowError(f"more than {MOST_LIVE:,} instances at a time")
    free = np.zeros(2 * size, np.int32)
    free[: state.count[FREE]] = state.free[: state.count[FREE]]
    free[state.count[FREE] : state.count[FREE] + size] = np.arange(2 * size - 1, size - 1, -1)
    state.count[FREE] += size
    return state._replace(
        host=np.concatenate((state.host, np.zeros(size, np.int32))),
        flavour=np.concatenate((state.flavour, np.zeros(size, np.int32))),
        free=free,
        heap=np.concatenate((state.heap, np.zeros(size, np.int64))),
    )
