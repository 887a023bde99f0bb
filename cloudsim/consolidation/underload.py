"""Which host to empty next, so that it can be switched off.

All its instances leave, or none: if one has nowhere to go, the host stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta
from numba import njit, types

from cloudsim.consolidation.rule import Rule


class Underload(Rule, frozen=True, kw_only=True):
    """Its rule is `rule(used, eligible, options) -> int`, the host to empty next, or -1: no more.

    `used[h]` is the share of its CPU that host h uses; `eligible[h]` is true for those that can be emptied now: on, not
    overloaded, not tried in this round, not chosen to receive an instance.
    """

    signature: ClassVar[Any] = types.int64(types.float64[::1], types.boolean[::1], types.float64[::1])

    def next(self, used: Sequence[float], eligible: Sequence[bool]) -> int:
        """The host to empty next, or -1."""
        return int(self.rule(np.array(used, np.float64), np.array(eligible, np.bool_), self.options()))


@njit(cache=True)
def _least(used: Any, eligible: Any, options: Any) -> int:
    best = -1
    least = options[0]
    for h in range(len(used)):
        if eligible[h] and used[h] < least:
            least = used[h]
            best = h
    return best


class LeastUtilised(Underload, frozen=True, kw_only=True):
    """The one that uses the least of its CPU, if that is below `below`; of equal ones the first.

    Source: Beloglazov and Buyya, "Optimal online deterministic algorithms and adaptive heuristics for energy and performance
    efficient dynamic consolidation of virtual machines in cloud data centers" (CCPE 24, 2012), section 5.3. A lower
    `below` is the lower of the two thresholds of their earlier policies.
    """

    rule: ClassVar[Any] = staticmethod(_least)
    below: Annotated[float, Meta(ge=0, le=1)] = 1.0
