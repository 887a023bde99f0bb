"""Random: any host that can hold the instance, each as likely as another.

Use it as the baseline that any idea must beat. It is CloudStack's default (`random` of vm.allocation.algorithm).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from cloudsim.placement.policy import HostArrays, Mask, Policy
from cloudsim.placement.request import PlacementRequest


class RandomFit(Policy):
    name: ClassVar[str] = "random"

    def choose(self, request: PlacementRequest, hosts: HostArrays, feasible: Mask) -> int:
        candidates = np.flatnonzero(feasible)
        return int(candidates[self.randomness.generator.integers(len(candidates))])
