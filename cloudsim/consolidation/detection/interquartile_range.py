"""A threshold that falls with how much the load varies, measured by the interquartile range (IQR).

Like MAD, of the middle half of the values. Source: Beloglazov and Buyya, "Optimal online deterministic algorithms
and adaptive heuristics for energy and performance efficient dynamic consolidation of virtual machines in cloud data
centers" (CCPE 24, 2012), section 5.1, IQR.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta
from numba import njit

from cloudsim.consolidation.detection.detection import Detection
from cloudsim.consolidation.detection.ranking import ranked

ENOUGH = 12
"""Fewer values than that say nothing about a range."""


@njit(cache=True)
def _rule(history: Any, demand: float, horizon: float, options: Any) -> bool:
    n = len(history)
    if n < ENOUGH:
        return demand > options[1]
    ordered = ranked(history)
    lower = int(np.floor(0.25 * (n + 1) + 0.5)) - 1
    upper = int(np.floor(0.75 * (n + 1) + 0.5)) - 1
    return demand > 1 - options[0] * (ordered[upper] - ordered[lower])


class InterquartileRange(Detection, frozen=True, kw_only=True):
    """Overloaded: demand > 1 - `safety` * (Q3 - Q1).

    Of n values, Q1 and Q3 are those of rank (n + 1) / 4 and 3 (n + 1) / 4, rounded. With fewer than 12 values: demand >
    `fallback`.
    """

    rule: ClassVar[Any] = staticmethod(_rule)
    safety: Annotated[float, Meta(ge=0)] = 1.5
    fallback: Annotated[float, Meta(gt=0, le=1)] = 0.7
