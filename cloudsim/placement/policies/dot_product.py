"""Dot product: the host whose remaining vector has the largest dot product with the request; of equal ones the first.

Both are shares of the host: sum over CPU, memory and GPUs of weight x asked x free. With weights of 1 it is
the alignment score by which Tetris picks a machine (Grandl, Ananthanarayanan, Kandula, Rao and Akella,
"Multi-resource packing for cluster schedulers", SIGCOMM 2014); with weights it is the dot product heuristic
of Panigrahy, Talwar, Uyeda and Wieder, "Heuristics for vector bin packing" (2011), whose weights may be the
mean demands for each resource.

Use it to compare with what others call by that name. It favours hosts with much left: both papers choose an
item for a given bin, where that is right; choosing a host for a given instance it spreads like worst fit. For
packing see `cosine` and `l2-norm`.
"""

from __future__ import annotations

from functools import reduce
from typing import ClassVar

import numpy as np

from cloudsim.placement.policy import Candidates, Scores, ScoringPolicy
from cloudsim.placement.request import PlacementRequest
from cloudsim.placement.weights import Weighted


class DotProduct(Weighted, ScoringPolicy):
    name: ClassVar[str] = "dot-product"
    of_capacity: ClassVar[bool] = True

    def score(self, request: PlacementRequest, hosts: Candidates) -> Scores:
        return reduce(np.add, [w * (d.asked * d.free) for w, d in self.weighted(request, hosts)])
