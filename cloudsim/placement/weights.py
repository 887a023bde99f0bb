"""Weights of CPU, memory and GPUs, as options that several policies share."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from cloudsim.placement.candidates import Capacities, Dimension
from cloudsim.placement.request import PlacementRequest

Weight = Annotated[float, Meta(ge=0, le=1e9)]


class Weighted:
    """A policy's options `cpu_weight`, `memory_weight` and `gpu_weight`; a resource of weight 0 does not count."""

    cpu_weight: Weight = 1.0
    memory_weight: Weight = 1.0
    gpu_weight: Weight = 1.0

    def weighted(self, request: PlacementRequest, hosts: Capacities) -> list[tuple[float, Dimension]]:
        """The resources, each with its weight."""
        weights = (self.cpu_weight, self.memory_weight, self.gpu_weight)
        return list(zip(weights, hosts.dimensions(request), strict=False))
