"""Lower bounds on the hosts that any policy, even one that may move instances at will, needs for what is placed.

The volume bound of an instant is the number of hosts, the largest first, whose capacity is at least what is
reserved, in each dimension on its own; the largest of these counts. The LP bound lets hosts be used in part and
instances be split, but looks at all dimensions at once:

    min sum_k x_k   subject to   sum_k x_k * a_kd >= U_d for every dimension d,   0 <= x_k <= n_k

over kinds k of n_k equal hosts with capacities a_kd. For equal hosts it is the volume bound before rounding up.
The integral of a bound over time bounds the host-hours of non-empty hosts (MinUsageTime in the literature on
dynamic bin packing).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from scipy.optimize import linprog

from cloudsim.experiment.replay.state import cumulated

ROUNDING = 1e-9


class HostsNeeded:
    """Bounds for hosts with those capacities, an array [hosts, dimensions]."""

    def __init__(self, capacity: np.ndarray) -> None:
        self._sums = cumulated(capacity).T.tolist()
        self.kinds, self.counts = np.unique(capacity, axis=0, return_counts=True)

    def volume(self, used: Sequence[int]) -> int:
        """How many hosts, by the volume bound, hold what is used in each dimension."""
        return max(bisect_left(sums, amount) for sums, amount in zip(self._sums, used, strict=True))

    def linear(self, used: np.ndarray) -> int:
        """How many hosts, by the LP bound, rounded up."""
        if len(self.kinds) == 1:
            return self.volume(used.tolist())
        found = linprog(
            np.ones(len(self.kinds)),
            A_ub=-self.kinds.T.astype(float),
            b_ub=-used.astype(float),
            bounds=[(0, int(n)) for n in self.counts],
            method="highs",
        )
        if not found.success:
            return int(self.counts.sum())
        return math.ceil(found.fun - ROUNDING * max(1.0, found.fun))
