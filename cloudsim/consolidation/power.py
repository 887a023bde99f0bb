"""What a host draws: power (W) as a function of the share of its CPU that is used.

The models of the consolidation literature: linear, square-root, square and cubic between an idle and a peak power, and a
table of measured values with straight lines between. Sources: Fan, Weber and Barroso, "Power provisioning
for a warehouse-sized computer" (ISCA 2007), for the linear one with a constant idle share; the curved ones as in CloudSim
(PowerModelSqrt, PowerModelSquare, PowerModelCubic) and OpenDC.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar

import msgspec
import numpy as np
from msgspec import Meta
from numba import njit, types

from cloudsim.consolidation.rule import Floats

Watts = Annotated[float, Meta(ge=0)]
TABLE = 0.0
"""The first number of a curve: it is a table; else the exponent of the used share."""


@njit(cache=True)
def watts_of(curve: Any, used: float) -> float:
    """The power (W) at the used share (0 to 1; more counts as 1) of CPU. `curve` is as `PowerModel.curve` has it."""
    used = min(used, 1.0)
    if curve[0] != TABLE:
        return curve[1] + (curve[2] - curve[1]) * used ** curve[0]
    steps = int(curve[1])
    low = int(np.floor(used * steps))
    high = int(np.ceil(used * steps))
    # In this order of operations, which decides between hosts whose power grows by the same but for rounding.
    slope = (curve[2 + high] - curve[2 + low]) / steps
    return curve[2 + low] + slope * (used - low / steps) * (steps * steps)


WATTS: Any = types.float64(types.float64[::1], types.float64)
"""The type of `watts_of`."""


class PowerModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="model"):
    """A model; `curve` is the same as numbers, for compiled code."""

    def curve(self) -> Floats:
        """The model as numbers: exponent, idle and peak power (W); or TABLE, the number of steps, and the values (W)."""
        raise NotImplementedError

    def watts(self, used: float) -> float:
        """The power (W) at the used share of CPU (0 to 1)."""
        return float(watts_of(self.curve(), float(used)))


class Curved(PowerModel, frozen=True, kw_only=True):
    """From `idle` W, or that share of the peak (`idle_share`), to `peak` W."""

    exponent: ClassVar[float]
    peak: Watts
    idle: Watts | None = None
    idle_share: Annotated[float, Meta(ge=0, le=1)] | None = None

    def __post_init__(self) -> None:
        if (self.idle is None) == (self.idle_share is None):
            raise ValueError("expected exactly one of idle and idle_share")
        if self.idle is not None and self.idle > self.peak:
            raise ValueError(f"idle: expected at most the peak, {self.peak}, got {self.idle}")

    def curve(self) -> Floats:
        share = self.idle_share or 0.0
        idle = self.peak * share if self.idle is None else self.idle
        return np.array([self.exponent, idle, self.peak], np.float64)


class Linear(Curved, frozen=True, kw_only=True, tag="linear"):
    """P(u) = idle + (peak - idle) u."""

    exponent: ClassVar[float] = 1.0


class SquareRoot(Curved, frozen=True, kw_only=True, tag="sqrt"):
    """P(u) = idle + (peak - idle) sqrt(u)."""

    exponent: ClassVar[float] = 0.5


class Square(Curved, frozen=True, kw_only=True, tag="square"):
    """P(u) = idle + (peak - idle) u^2."""

    exponent: ClassVar[float] = 2.0


class Cubic(Curved, frozen=True, kw_only=True, tag="cubic"):
    """P(u) = idle + (peak - idle) u^3."""

    exponent: ClassVar[float] = 3.0


class Table(PowerModel, frozen=True, kw_only=True, tag="table"):
    """Measured values: `watts_at` at equal steps of used CPU from none to all, as SPECpower_ssj2008 reports them
    (active idle, 10 %, ..., 100 %); straight lines between. `source` says where they are from."""

    watts_at: Annotated[tuple[Watts, ...], Meta(min_length=2)]
    source: str = ""

    def __post_init__(self) -> None:
        if any(a > b or math.isinf(b) for a, b in zip(self.watts_at, self.watts_at[1:], strict=False)):
            raise ValueError("watts_at: expected values that do not fall with the load")

    def curve(self) -> Floats:
        return np.array([TABLE, len(self.watts_at) - 1, *self.watts_at], np.float64)


Model = Linear | SquareRoot | Square | Cubic | Table
"""Every model: `{model: linear, peak: 250, idle_share: 0.7}`, and so on."""
