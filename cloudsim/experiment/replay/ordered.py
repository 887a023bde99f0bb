"""First-fit and its like, compiled: for each flavour a bit for every host that can hold one, in a tree of 64-bit words.

The lowest host that fits, from any slot on, is three or four words away however many hosts there are. Which flavours
fit on a host is a look into two small tables, by the CPU and by the memory that it has left; a reservation changes bits only
for the flavours that cease to fit, or fit again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cloudsim.experiment.replay.state import Live, packed


class Fits(NamedTuple):
    """`low[f, w]` has a bit for each of 64 hosts, `mid` one for each word of `low`, `high` one for each of `mid`.

    `by_cpu[room, w]` has a bit for each flavour whose CPU fits into that room, `by_memory` likewise; `can[h, w]` one for each
    flavour for which the host's cores and their speed would do.
    """

    low: Any
    mid: Any
    high: Any
    by_cpu: Any
    by_memory: Any
    can: Any


def fits(state: Live, can: np.ndarray) -> Fits:
    """The trees for hosts as they are. `can[f, h]`: the host's cores and their speed would do for flavour f."""
    hosts, need = state.hosts, state.need
    fit = can & (hosts[None, :, 0] >= need[:, None, 0]) & (hosts[None, :, 1] >= need[:, None, 1])
    low = packed(fit)
    mid = packed(low != 0)
    high = packed(mid != 0)
    by_cpu, by_memory = (_by_room(need[:, d], int(state.capacity[:, d].max())) for d in range(2))
    return Fits(low, mid, high, by_cpu, by_memory, packed(np.ascontiguousarray(can.T)))


def _by_room(need: np.ndarray, most: int) -> np.ndarray:
    """Which flavours fit, for each room up to the most that a host has: bits as in `Fits`."""
    flavours = np.flatnonzero(need <= most)
    table = np.zeros((most + 1, -(-len(need) // 64)), np.uint64)
    np.bitwise_or.at(table, (need[flavours], flavours >> 6), np.uint64(1) << (flavours & 63).astype(np.uint64))
    return np.bitwise_or.accumulate(table, axis=0, out=table)
