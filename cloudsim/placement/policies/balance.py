"""Balance: the host on which the least is left, and that in proportion; of equal ones the first.

Of the shares of CPU and memory left once the instance is there it takes the smallest sum, plus `weight` x
their difference. An empty host is taken only when no other has room.

Use it when instances are CPU-heavy or memory-heavy: best fit by the sum of shares (`best-fit,norm=l1`,
which is this with a weight of 0) fills one resource and leaves the other lying. Penalising an uneven
remainder is also what Kubernetes' NodeResourcesBalancedAllocation does. See `least-stranding` for a rule
that packs tighter while a cloud fills.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from cloudsim.placement.policy import Candidates, Scores, ScoringPolicy
from cloudsim.placement.request import PlacementRequest


class Balance(ScoringPolicy):
    name: ClassVar[str] = "balance"
    of_capacity: ClassVar[bool] = True
    weight: Annotated[float, Meta(ge=0)] = 2.0

    def score(self, request: PlacementRequest, hosts: Candidates) -> Scores:
        cpu, memory = hosts.left(request)
        uneven = cpu + memory + self.weight * abs(cpu - memory)
        return -uneven - hosts.empty * (3 + self.weight)  # more than any host in use can have
