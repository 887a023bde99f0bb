"""Maximum correlation: the instance whose load is explained best by the loads of the others on the host.

Loads that rise together overload a host together, so one of them should leave. Measured by the multiple correlation
coefficient, the share R^2 of an instance's variance that a linear regression on the other instances explains.
Sources: Verma, Dasgupta, Nayak, De and Kothari, "Server workload analysis for power minimization using
consolidation" (USENIX ATC 2009); Beloglazov and Buyya, "Optimal online deterministic algorithms and adaptive heuristics
for energy and performance efficient dynamic consolidation of virtual machines in cloud data centers" (CCPE 24,
2012), section 5.2, MC.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numba import njit

from cloudsim.consolidation.selection.selection import Selection

EXPLAINED = 1e-10
"""A load of which less than that share is left unexplained by others adds nothing to them."""


@njit(cache=True)
def _unexplained(history: Any, chosen: int) -> float:
    """The share of the variance of one row that regression on the others leaves: 1 - R^2; 1 for a constant row."""
    n, values = history.shape
    axes = np.empty((n, values))
    count = 0
    rest = history[chosen] - np.mean(history[chosen])
    variance = np.sum(rest * rest)
    if variance == 0:
        return 1.0
    for other in range(n):
        if other == chosen:
            continue
        axis = history[other] - np.mean(history[other])
        before = np.sum(axis * axis)
        # Gram-Schmidt, twice for the sake of rounding
        for _ in range(2):
            for k in range(count):
                axis -= np.sum(axis * axes[k]) * axes[k]
        left = np.sum(axis * axis)
        if before == 0 or left <= EXPLAINED * before:
            continue
        axes[count] = axis / np.sqrt(left)
        rest = rest - np.sum(rest * axes[count]) * axes[count]
        count += 1
    return np.sum(rest * rest) / variance


@njit(cache=True)
def _all_unexplained(history: Any, left: Any) -> bool:
    """Set `left` to what is left of each row, from the inverse of their covariances; False if some are (nearly) dependent.

    The diagonal of the inverse of a Gram matrix has the reciprocals of the residual sums of squares.
    """
    n, values = history.shape
    rows = np.empty((n, values))
    for i in range(n):
        rows[i] = history[i] - np.mean(history[i])
    lower = np.zeros((n, n))
    for i in range(n):
        for k in range(i + 1):
            rest = 0.0
            for t in range(values):
                rest += rows[i, t] * rows[k, t]
            if k == i:
                left[i] = rest
            for j in range(k):
                rest -= lower[i, j] * lower[k, j]
            if k < i:
                lower[i, k] = rest / lower[k, k]
            elif rest <= EXPLAINED * left[i]:
                return False
            else:
                lower[i, i] = np.sqrt(rest)
    inverse = np.zeros((n, n))
    for i in range(n):
        inverse[i, i] = 1 / lower[i, i]
        for k in range(i):
            rest = 0.0
            for j in range(k, i):
                rest -= lower[i, j] * inverse[j, k]
            inverse[i, k] = rest / lower[i, i]
    for i in range(n):
        diagonal = 0.0
        for k in range(i, n):
            diagonal += inverse[k, i] * inverse[k, i]
        left[i] = 1 / (diagonal * left[i])
    return True


@njit(cache=True)
def _rule(demand: Any, size: Any, memory: Any, history: Any, draw: float, options: Any) -> int:
    n, values = history.shape
    if values <= n:
        return int(np.argmin(memory))
    left = np.empty(n)
    if not _all_unexplained(history, left):
        for i in range(n):
            left[i] = _unexplained(history, i)
    return int(np.argmin(left))


class MaximumCorrelation(Selection, frozen=True, kw_only=True):
    """Of equal ones the first. With no more past values than instances, minimum migration time."""

    rule: ClassVar[Any] = staticmethod(_rule)
