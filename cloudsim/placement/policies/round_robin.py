"""Round robin: the next host after the one used last that can hold the instance."""

from __future__ import annotations

from typing import ClassVar

from cloudsim.placement.policy import OrderedPolicy


class RoundRobin(OrderedPolicy):
    name: ClassVar[str] = "round-robin"

    def after(self, slot: int, size: int) -> int:
        return (slot + 1) % size
