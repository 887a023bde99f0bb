"""Worst fit: the host with the most CPU left; of equal ones the first.

Use it to spread load, at the price of fragmentation. It is what CloudStack calls firstfitleastconsumed.
"""

from __future__ import annotations

from typing import ClassVar

from cloudsim.placement.capacity import HostCapacity, Ints
from cloudsim.placement.policy import ScoringPolicy
from cloudsim.placement.request import PlacementRequest


class WorstFit(ScoringPolicy):
    name: ClassVar[str] = "worst-fit"

    def score(self, request: PlacementRequest, hosts: HostCapacity, candidates: Ints) -> Ints:
        return hosts.cpu_room[candidates]
