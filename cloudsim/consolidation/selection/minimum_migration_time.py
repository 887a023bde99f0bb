"""Minimum migration time: the instance with the least memory; of equal ones the first on the host.

Cheap and quick to migrate, whatever it asks for. Source: Beloglazov and Buyya, "Optimal online deterministic algorithms
and adaptive heuristics for energy and performance efficient dynamic consolidation of virtual machines in cloud data
centers" (CCPE 24, 2012), section 5.2, MMT.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numba import njit

from cloudsim.consolidation.selection.selection import Selection


@njit(cache=True)
def _rule(demand: Any, size: Any, memory: Any, history: Any, draw: float, options: Any) -> int:
    return int(np.argmin(memory))


class MinimumMigrationTime(Selection, frozen=True, kw_only=True):
    rule: ClassVar[Any] = staticmethod(_rule)
