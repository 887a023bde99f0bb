"""A fixed threshold: a host is overloaded while its instances ask for more than a given share of its CPU.

Simple and predictable; the share has to be chosen for the load. Source: Beloglazov and Buyya, "Energy efficient
resource management in virtualized cloud data centers" (CCGrid 2010), policy single threshold.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import Meta
from numba import njit

from cloudsim.consolidation.detection.detection import Detection


@njit(cache=True)
def _rule(history: Any, demand: float, horizon: float, options: Any) -> bool:
    return demand > options[0]


class StaticThreshold(Detection, frozen=True, kw_only=True):
    """Overloaded: demand > `threshold`."""

    rule: ClassVar[Any] = staticmethod(_rule)
    threshold: Annotated[float, Meta(gt=0, le=1)] = 0.8
