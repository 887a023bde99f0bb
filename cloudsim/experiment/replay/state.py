"""What every compiled kernel of a replay works on: hosts, instances that run, counters and integrals, as arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cloudsim.experiment.replay.kernels import (
    CLOCK,
    COUNTERS,
    DAY_BITS,
    DAYS,
    FAR,
    FREE,
    INSTANCES,
    INTEGRALS,
    LATEST,
    LEAST_FREE,
    MEASURE_FROM,
    MOST_LIVE,
    NEXT_SWEEP,
    NONE,
    SAMPLE_AT,
)

FIRST_DAY_BITS = 12
"""Days of 4 s at first, so that the calendar goes three days ahead: what lives that long is not looked at again until then."""


class Live(NamedTuple):
    """Sizes are (CPU, memory) in `units`, so that they are small numbers; hosts by slot, instances by a number of their own.

    `capacity[h]` is what a host has; `hosts[h]` what is left of it, and how many instances it has. `need[f]` is what a
    flavour takes. `instance`, `calendar` and `due` are the calendar of departures, `free` the numbers that are not in use.
    `sums` are the cumulated capacities of hosts, the largest first, from 0, for the volume bound. `count` and `integral`
    are as the kernels name them.
    """

    capacity: Any
    hosts: Any
    need: Any
    instance: Any
    free: Any
    calendar: Any
    due: Any
    count: Any
    integral: Any
    sums: Any


def units(capacity: np.ndarray, need: np.ndarray) -> np.ndarray:
    """The largest common units of those capacities and needs: [MHz, MiB]."""
    return np.array([np.gcd.reduce(np.concatenate((capacity[:, d], need[:, d]))) for d in range(2)], np.int64)


def cumulated(capacity: np.ndarray) -> np.ndarray:
    """What the n largest hosts have in each dimension, for n from 0: int64[hosts + 1, dimensions]."""
    sums = np.zeros((len(capacity) + 1, capacity.shape[1]), np.int64)
    for dimension in range(capacity.shape[1]):
        sums[1:, dimension] = np.cumsum(np.sort(capacity[:, dimension].astype(np.int64))[::-1])
    return sums


def live(capacity: np.ndarray, need: np.ndarray, size: int = 1024) -> Live:
    """The state before the first request, for hosts of that capacity (int32[hosts, 2])."""
    hosts = np.zeros((len(capacity), 4), np.int32)
    hosts[:, : INSTANCES] = capacity
    state = Live(
        capacity,
        hosts,
        need,
        np.zeros((size, 2), np.int64),
        np.arange(size - 1, -1, -1, dtype=np.int32),
        np.full(DAYS, NONE, np.int32),
        np.zeros(size, np.int64),
        np.zeros(COUNTERS, np.int64),
        np.zeros(INTEGRALS, np.float64),
        cumulated(capacity),
    )
    state.count[FREE] = state.count[LEAST_FREE] = size
    state.count[SAMPLE_AT] = LATEST
    state.count[DAY_BITS] = FIRST_DAY_BITS
    state.count[NEXT_SWEEP] = DAYS >> 1
    state.count[FAR] = NONE
    return state


def grown(state: Live) -> Live:
    """The same with room for twice as many instances. OverflowError where that would be MOST_LIVE or more."""
    size = len(state.instance)
    if 2 * size >= MOST_LIVE:  # not all numbers can be given away: NONE is one
        raise OverflowError(f"more than {size:,} instances at a time")
    free = np.zeros(2 * size, np.int32)
    free[: state.count[FREE]] = state.free[: state.count[FREE]]
    free[state.count[FREE] : state.count[FREE] + size] = np.arange(2 * size - 1, size - 1, -1)
    state.count[FREE] += size
    state.count[LEAST_FREE] += size
    return state._replace(
        instance=np.concatenate((state.instance, np.zeros((size, 2), np.int64))),
        free=free,
        due=np.concatenate((state.due, np.zeros(size, np.int64))),
    )


def integral(state: Live, which: int, level: int) -> float:
    """The integral over time of a level that is now at `level`, from when measuring began to the last instant."""
    now = max(int(state.count[CLOCK]), int(state.count[MEASURE_FROM]))
    return float(state.integral[which]) + float(level) * now


def packed(bits: np.ndarray) -> np.ndarray:
    """bool[m, n] -> uint64[m, ceil(n / 64)], the lowest bit first."""
    width = -(-bits.shape[1] // 64)
    padded = np.zeros((bits.shape[0], width * 64), np.bool_)
    padded[:, : bits.shape[1]] = bits
    packed: np.ndarray = np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64)
    return packed
