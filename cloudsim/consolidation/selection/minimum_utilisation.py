"""Minimum utilisation: the instance that uses the least share of its own size; of equal ones the first on the host.

The one that will notice the migration least; it may take many to relieve the host. Source: CloudSim's policy of
that name (PowerVmSelectionPolicyMinimumUtilization), after Beloglazov and Buyya.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numba import njit

from cloudsim.consolidation.selection.selection import Selection


@njit(cache=True)
def _rule(demand: Any, size: Any, memory: Any, history: Any, draw: float, options: Any) -> int:
    return int(np.argmin(demand / size))


class MinimumUtilisation(Selection, frozen=True, kw_only=True):
    rule: ClassVar[Any] = staticmethod(_rule)
