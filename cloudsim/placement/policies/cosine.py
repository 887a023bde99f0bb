"""Cosine: the host whose remaining vector has the smallest angle to the request; of equal ones the first.

The cosine between what is asked and what is free, as shares of the host, in CPU, memory and GPUs: alignment
as in Tetris (Grandl et al., "Multi-resource packing for cluster schedulers", SIGCOMM 2014) without its
preference for hosts with much left.

Use it where shapes differ much (CPU-heavy and memory-heavy instances), to keep what is left in the proportion
that is asked for. It does not look at how full a host is.
"""

from __future__ import annotations

from functools import reduce
from typing import ClassVar

import numpy as np

from cloudsim.placement.policy import Candidates, Scores, ScoringPolicy
from cloudsim.placement.request import PlacementRequest
from cloudsim.placement.weights import Weighted


class Cosine(Weighted, ScoringPolicy):
    name: ClassVar[str] = "cosine"
    of_capacity: ClassVar[bool] = True

    def score(self, request: PlacementRequest, hosts: Candidates) -> Scores:
        dimensions = self.weighted(request, hosts)
        dot = reduce(np.add, [w * (d.asked * d.free) for w, d in dimensions])
        asked = reduce(np.add, [w * (d.asked * d.asked) for w, d in dimensions])
        free = reduce(np.add, [w * (d.free * d.free) for w, d in dimensions])
        lengths = np.sqrt(asked) * np.sqrt(free)
        return dot / np.where(lengths > 0, lengths, 1.0)
