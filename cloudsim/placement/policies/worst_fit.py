"""Worst fit: the host on which the most is left, by a chosen norm; of equal ones the first.

Use it to spread load, at the price of fragmentation. With `norm=cpu`, the default, it is what CloudStack calls
firstfitleastconsumed, and the default of CloudSim. The norms are those of best fit.
"""

from __future__ import annotations

from typing import ClassVar

from cloudsim.placement.norms import Norm, remainder
from cloudsim.placement.policy import Candidates, Scores, ScoringPolicy
from cloudsim.placement.request import PlacementRequest


class WorstFit(ScoringPolicy):
    name: ClassVar[str] = "worst-fit"
    of_capacity: ClassVar[bool] = True
    norm: Norm = "cpu"

    def score(self, request: PlacementRequest, hosts: Candidates) -> Scores:
        return remainder(self.norm, request, hosts)
