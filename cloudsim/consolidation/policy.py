"""A whole consolidation policy: detection, selection, placement and underload together; and the baselines without any."""

from __future__ import annotations

import msgspec

from cloudsim.consolidation.detection import Detection
from cloudsim.consolidation.placement import Placement, PowerAwareBestFitDecreasing
from cloudsim.consolidation.selection import Selection
from cloudsim.consolidation.underload import LeastUtilised, Underload


class Consolidation(msgspec.Struct, frozen=True, kw_only=True):
    """What is done at every decision: relieve overloaded hosts, then empty underloaded ones. `name` is for people."""

    name: str
    detection: Detection
    selection: Selection
    placement: Placement = PowerAwareBestFitDecreasing()
    underload: Underload = LeastUtilised()

    @property
    def random(self) -> bool:
        """Whether chance decides, so that another seed may give another result."""
        return self.selection.random


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """No migrations. Hosts draw their peak power at all times (`full_power`), or by their load, and nothing without any."""

    name: str
    full_power: bool

    random = False


BASELINES = {
    "npa": Baseline(name="npa", full_power=True),
    "dvfs": Baseline(name="dvfs", full_power=False),
}
"""Non-power-aware; and dynamic voltage and frequency scaling, where power follows load."""

Policy = Consolidation | Baseline
