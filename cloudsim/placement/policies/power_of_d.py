"""Power of d choices: of d hosts drawn at random among those that can hold the instance, the least loaded.

Use it to balance load when looking at every host is too dear: two choices are exponentially better than one.
With d=1 it is random placement. Each is drawn from all, so that one may be drawn twice; of equally loaded
ones the first drawn is taken. `load` is the larger of the shares of CPU and memory that are used (`largest`,
the default), one of them, or the number of instances. Source: Mitzenmacher, "The power of two choices in
randomized load balancing" (2001).
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from msgspec import Meta

from cloudsim.placement.policy import Candidates, HostArrays, Mask, Policy, Scores
from cloudsim.placement.request import PlacementRequest


class PowerOfD(Policy):
    name: ClassVar[str] = "power-of-d"
    d: Annotated[int, Meta(ge=1, le=1_000_000)] = 2
    load: Literal["largest", "cpu", "memory", "instances"] = "largest"

    def choose(self, request: PlacementRequest, hosts: HostArrays, feasible: Mask) -> int:
        candidates = np.flatnonzero(feasible)
        drawn = candidates[self.randomness.generator.integers(len(candidates), size=self.d)]
        return int(drawn[np.argmax(self._idleness(Candidates(hosts, drawn)))])

    def _idleness(self, hosts: Candidates) -> Scores:
        if self.load == "instances":
            return -hosts.instances
        cpu, memory = hosts.free()
        if self.load == "cpu":
            return cpu
        return memory if self.load == "memory" else np.minimum(cpu, memory)
