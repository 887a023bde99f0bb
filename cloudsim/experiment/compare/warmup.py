"""Where the transient at the beginning of a run ends: the rule MSER-5.

Of a series of observations, batch means of 5 are taken, z_1..z_n. The rule leaves out the first d of them that minimises

    MSER(d) = 1 / (n - d)^2 * sum over i > d of (z_i - mean of z_(d+1)..z_n)^2

which is the squared standard error of what is left. A minimum in the second half means that the run is too short to tell.
Sources: White, "An effective truncation heuristic for bias reduction in simulation output" (Simulation 69, 1997); White, Cobb
and Spratt, "A comparison of five steady-state truncation heuristics for simulation" (WSC 2000), for batches of 5.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BATCH = 5


def mser(series: Sequence[float] | np.ndarray, batch: int = BATCH) -> int | None:
    """How many observations to leave out at the beginning, whole batches; None where the series is too short to tell."""
    whole = len(series) // batch
    if whole < 4:
        return None
    z = np.asarray(series, float)[: whole * batch].reshape(whole, batch).mean(axis=1)
    # Sums of what is left when the first d are left out, for every d at once; centred, so that squares do not cancel.
    z = z - z.mean()
    left = np.arange(whole, 0, -1)
    sums, squares = np.cumsum(z[::-1])[::-1], np.cumsum((z * z)[::-1])[::-1]
    error = np.maximum(squares - sums * sums / left, 0.0) / left**2
    # With a few batches left the error says nothing, however small it is.
    d = int(np.argmin(error[: whole - 3]))
    return d * batch if d <= whole // 2 else None
