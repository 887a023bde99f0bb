"""What a selection is: it says which instance leaves first, until the host is not overloaded any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numba import types

from cloudsim.consolidation.rule import Rule


class Selection(Rule, frozen=True, kw_only=True):
    """Its rule is `rule(demand, size, memory, history, draw, options) -> int`, an index of the instance to leave.

    There is at least one. `demand` and `size` are each instance's CPU that it asks for and was promised (MHz), `memory`
    its memory (MiB); `history[i]` what it asked for at the last decisions (MHz), now last. `draw` is a random number in [0, 1).
    """

    signature: ClassVar[Any] = types.int64(
        types.float64[::1],
        types.float64[::1],
        types.float64[::1],
        types.float64[:, ::1],
        types.float64,
        types.float64[::1],
    )
    random: ClassVar[bool] = False
    """Whether the draw matters, so that another seed may give another result."""

    def choose(
        self,
        demand: Sequence[float],
        size: Sequence[float],
        memory: Sequence[float],
        history: Sequence[Sequence[float]] = (),
        draw: float = 0.0,
    ) -> int:
        """The index of the instance that leaves."""
        known = np.array(history, np.float64) if len(history) else np.zeros((len(demand), 0))
        arrays = (np.array(values, np.float64) for values in (demand, size, memory))
        return int(self.rule(*arrays, known, float(draw), self.options()))
