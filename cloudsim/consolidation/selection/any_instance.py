"""Random choice: any instance of the host, all with the same chance.

What a selection has to beat. Source: Beloglazov and Buyya, "Optimal online deterministic algorithms and adaptive
heuristics for energy and performance efficient dynamic consolidation of virtual machines in cloud data centers"
(CCPE 24, 2012), section 5.2, RS.
"""

from __future__ import annotations

from typing import Any, ClassVar

from numba import njit

from cloudsim.consolidation.selection.selection import Selection


@njit(cache=True)
def _rule(demand: Any, size: Any, memory: Any, history: Any, draw: float, options: Any) -> int:
    return int(draw * len(demand))


class AnyInstance(Selection, frozen=True, kw_only=True):
    rule: ClassVar[Any] = staticmethod(_rule)
    random: ClassVar[bool] = True
