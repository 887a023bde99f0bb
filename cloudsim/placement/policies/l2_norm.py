"""L2 norm of the remainder: the host on which the shortest vector is left, weighted; of equal ones the first.

The root of the sum over CPU, memory and GPUs of weight x (share left once the instance is there) squared: the
norm-based greedy of Panigrahy, Talwar, Uyeda and Wieder, "Heuristics for vector bin packing" (2011). Its
weights may be the mean demands for each resource, so that what is scarce counts more. With weights of 1 it is
`best-fit,norm=l2`.

Use it to pack tightly in all resources at once: among the best of the simple policies.
"""

from __future__ import annotations

from functools import reduce
from typing import ClassVar

import numpy as np

from cloudsim.placement.policy import Candidates, Scores, ScoringPolicy
from cloudsim.placement.request import PlacementRequest
from cloudsim.placement.weights import Weighted


class L2Norm(Weighted, ScoringPolicy):
    name: ClassVar[str] = "l2-norm"
    of_capacity: ClassVar[bool] = True

    def score(self, request: PlacementRequest, hosts: Candidates) -> Scores:
        squares = [w * (d.left * d.left) for w, d in self.weighted(request, hosts)]
        return -np.sqrt(reduce(np.add, squares))
