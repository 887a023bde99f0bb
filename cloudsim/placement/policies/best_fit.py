"""Best fit: the host on which the least is left, by a chosen norm; of equal ones the first.

Use it to keep large gaps for large instances. `norm` says what "least" means: CPU before placing (`cpu`, the
default), memory, or a norm of the shares of CPU and memory that will be left: their sum (`l1`), the root of the sum of
their squares (`l2`), the larger (`linf`). Source: Johnson, "Near-optimal bin packing algorithms" (1973); for several dimensions
Panigrahy, Talwar, Uyeda and Wieder, "Heuristics for vector bin packing" (2011).
"""

from __future__ import annotations

from typing import ClassVar

from cloudsim.placement.norms import Norm, remainder
from cloudsim.placement.policy import Candidates, Scores, ScoringPolicy
from cloudsim.placement.request import PlacementRequest


class BestFit(ScoringPolicy):
    name: ClassVar[str] = "best-fit"
    of_capacity: ClassVar[bool] = True
    norm: Norm = "cpu"

    def score(self, request: PlacementRequest, hosts: Candidates) -> Scores:
        return -remainder(self.norm, request, hosts)
