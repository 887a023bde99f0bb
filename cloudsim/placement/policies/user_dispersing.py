"""User dispersing: the host with the fewest instances of the same account; of equal ones the first.

Use it so that one host's failure hits each user little. After CloudStack's UserDispersingPlanner, which does the
same with clusters before hosts.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from cloudsim.placement.capacity import HostCapacity, Ints
from cloudsim.placement.policy import ScoringPolicy
from cloudsim.placement.request import PlacementRequest


class UserDispersing(ScoringPolicy):
    name: ClassVar[str] = "user-dispersing"

    def score(self, request: PlacementRequest, hosts: HostCapacity, candidates: Ints) -> Ints:
        counts = np.zeros(hosts.size, np.int64)
        mine = hosts.by_account.get(request.account_id)
        if mine:
            counts[np.fromiter(mine.keys(), np.int64, len(mine))] = np.fromiter(
                mine.values(), np.int64, len(mine)
            )
        return -counts[candidates]
