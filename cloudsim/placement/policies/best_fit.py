"""Best fit: the host with the least CPU left; of equal ones the first.

Use it to keep large gaps for large instances. Source: Johnson, "Near-optimal bin packing algorithms" (1973),
with the size of a bin taken as its CPU.
"""

from __future__ import annotations

from typing import ClassVar

from cloudsim.placement.capacity import HostCapacity, Ints
from cloudsim.placement.policy import ScoringPolicy
from cloudsim.placement.request import PlacementRequest


class BestFit(ScoringPolicy):
    name: ClassVar[str] = "best-fit"

    def score(self, request: PlacementRequest, hosts: HostCapacity, candidates: Ints) -> Ints:
        return -hosts.cpu_room[candidates]
