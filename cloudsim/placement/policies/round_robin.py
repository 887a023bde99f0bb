"""Round robin: the next host after the one used last that can hold the instance."""

from __future__ import annotations

from typing import ClassVar

from cloudsim.placement.capacity import HostCapacity, Mask
from cloudsim.placement.policy import Policy
from cloudsim.placement.request import PlacementRequest
from cloudsim.randomness import Randomness


class RoundRobin(Policy):
    name: ClassVar[str] = "round-robin"

    def __init__(self, randomness: Randomness) -> None:
        super().__init__(randomness)
        self._next = 0

    def choose(self, request: PlacementRequest, hosts: HostCapacity, feasible: Mask) -> int:
        later = feasible[self._next :]
        slot = self._next + int(later.argmax()) if later.any() else int(feasible.argmax())
        self._next = (slot + 1) % len(feasible)
        return slot
