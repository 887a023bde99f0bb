"""A threshold that falls with how much the load varies, measured by the median absolute deviation (MAD).

The more a host's load has been jumping, the more room is kept. Source: Beloglazov and Buyya, "Optimal online
deterministic algorithms and adaptive heuristics for energy and performance efficient dynamic consolidation of
virtual machines in cloud data centers" (CCPE 24, 2012), section 5.1, MAD.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta
from numba import njit

from cloudsim.consolidation.detection.detection import Detection
from cloudsim.consolidation.detection.ranking import middle, ranked

ENOUGH = 12
"""Fewer values than that say nothing about a deviation."""


@njit(cache=True)
def _rule(history: Any, demand: float, horizon: float, options: Any) -> bool:
    if len(history) < ENOUGH:
        return demand > options[1]
    median = middle(ranked(history))
    return demand > 1 - options[0] * middle(ranked(np.abs(median - history)))


class MedianAbsoluteDeviation(Detection, frozen=True, kw_only=True):
    """Overloaded: demand > 1 - `safety` * MAD, MAD = median(|median(history) - history|).

    With fewer than 12 values: demand > `fallback`.
    """

    rule: ClassVar[Any] = staticmethod(_rule)
    safety: Annotated[float, Meta(ge=0)] = 2.5
    fallback: Annotated[float, Meta(gt=0, le=1)] = 0.7
