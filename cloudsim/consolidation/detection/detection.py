"""What a detection is: it tells from a host's CPU, now and before, whether the host is overloaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numba import types

from cloudsim.consolidation.rule import Rule

REMEMBERED = 30
"""How many past values a rule is given at most, the present one included."""


class Detection(Rule, frozen=True, kw_only=True):
    """Its rule is `rule(history, demand, horizon, options) -> bool`.

    `history` has what the host's present instances asked for at the last decisions, as shares of its CPU, the
    present last: at most `REMEMBERED` values, as many as there are. `demand` is what they ask for now; it may be
    above 1. `horizon` is how many intervals the migration of the largest instance takes, rounded up.
    """

    signature: ClassVar[Any] = types.boolean(
        types.float64[::1], types.float64, types.float64, types.float64[::1]
    )

    def overloaded(self, history: Sequence[float], demand: float, horizon: float = 1.0) -> bool:
        """Whether the rule takes such a host for overloaded."""
        return bool(self.rule(np.array(history, np.float64), float(demand), float(horizon), self.options()))
