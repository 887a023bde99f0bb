"""Where instances that have to leave go: in order of decreasing demand, each to the host where it costs least.

Which cost, a placement says. Hosts that could not hold the instance or would be overloaded by it are left out before.
"""

from __future__ import annotations

from typing import Any, ClassVar

from numba import njit, types

from cloudsim.consolidation.rule import Rule


class Placement(Rule, frozen=True, kw_only=True):
    """Its rule is `rule(before, after, used, options) -> float`, the cost; of hosts that cost the same, the first.

    `before` and `after` are the host's power (W) without and with the instance, `used` the share of its CPU that is
    used with it.
    """

    signature: ClassVar[Any] = types.float64(types.float64, types.float64, types.float64, types.float64[::1])

    def cost(self, before: float, after: float, used: float) -> float:
        """What the rule says such a host costs."""
        return float(self.rule(float(before), float(after), float(used), self.options()))


@njit(cache=True)
def _growth(before: float, after: float, used: float, options: Any) -> float:
    return after - before


class PowerAwareBestFitDecreasing(Placement, frozen=True, kw_only=True):
    """The host whose power grows least. Source: Beloglazov, Abawajy and Buyya, "Energy-aware resource allocation heuristics

    for efficient management of data centers for cloud computing" (FGCS 28, 2012), algorithm MBFD, called PABFD since.
    """

    rule: ClassVar[Any] = staticmethod(_growth)


@njit(cache=True)
def _fullest(before: float, after: float, used: float, options: Any) -> float:
    return -used


class BestFitDecreasing(Placement, frozen=True, kw_only=True):
    """The host that is fullest then, whatever power it draws: what PABFD has to beat."""

    rule: ClassVar[Any] = staticmethod(_fullest)


PLACEMENTS: dict[str, type[Placement]] = {"pabfd": PowerAwareBestFitDecreasing, "bfd": BestFitDecreasing}
"""The placements by name."""
