"""NILAS, non-invasive lifetime-aware scoring: lifetime alignment in coarse steps before tightness.

How much longer a host must stay on for the instance (as in `lifetime-alignment`) is put into one of the
classes that the bounds `hours` make; the lowest class wins, and among the hosts of that class the one on
which the least is left by `norm`. Coarse steps leave the packing score something to decide, and forgive
errors of prediction that are smaller than a step.

Use it where lifetimes are predicted, and with some error. Source: Ling et al., "LAVA: Lifetime-aware VM
allocation with learned distributions and adaptation to mispredictions" (MLSys 2025). This is a reading of the
idea, and not the authors' code. What is simpler here: a lifetime is one number, foretold once; the paper
predicts again from a distribution as instances age, where here an overdue instance counts as ending now. The
bounds are chosen here, and tightness stands for the score of the scheduler that NILAS is added to. A request
without an expected end is expected to stay for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from cloudsim.placement.lifetimes import bounds
from cloudsim.placement.norms import Norm
from cloudsim.placement.policy import Need
from cloudsim.placement.rules import Rule, RuleChain, least_extended, tightest


class Nilas(RuleChain):
    name: ClassVar[str] = "nilas"
    needs: ClassVar[tuple[Need, ...]] = ("lifetimes",)
    hours: tuple[float, ...] = (0, 0.5, 1, 2, 4, 8, 24, 72, 168)
    norm: Norm = "l2"

    def prepare(self) -> None:
        self._limits = bounds(self.name, "hours", self.hours)

    def preferences(self) -> Sequence[Rule]:
        return least_extended(self._limits), tightest(self.norm)
