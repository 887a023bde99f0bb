"""Lifetime alignment: the host that must stay on the least longer for the instance; of equal ones the tightest.

For each host, by how much the instance would put off the time at which the host is expected to be empty
(nothing, where others stay longer; all of its own lifetime on an empty host); among equals the one on which
the least is left by `norm`. It needs requests that say when they are expected to end. One that does not is
expected to stay for ever: it goes to a host that has such an instance, and where no request says anything
this is best fit that opens a host only when it must.

Use it where lifetimes are known or well predicted, to have instances that leave together share hosts. Source:
the idea of placing by predicted departure of Barbalho et al., "Virtual machine allocation with lifetime
predictions" (MLSys 2023), who use classes of lifetimes and guard against wrong predictions; this is the plain
version, with exact times.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from cloudsim.placement.norms import Norm
from cloudsim.placement.policy import Need
from cloudsim.placement.rules import Rule, RuleChain, least_extended, tightest


class LifetimeAlignment(RuleChain):
    name: ClassVar[str] = "lifetime-alignment"
    needs: ClassVar[tuple[Need, ...]] = ("lifetimes",)
    norm: Norm = "l2"

    def preferences(self) -> Sequence[Rule]:
        return least_extended(), tightest(self.norm)
