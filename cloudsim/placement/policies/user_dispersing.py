"""User dispersing: the host with the fewest instances of the same account; of equal ones the first.

Use it so that one host's failure hits each user little. After CloudStack's UserDispersingPlanner, which does the
same with clusters before hosts.
"""

from __future__ import annotations

from typing import ClassVar

from cloudsim.placement.policy import Candidates, Need, Scores, ScoringPolicy
from cloudsim.placement.request import PlacementRequest


class UserDispersing(ScoringPolicy):
    name: ClassVar[str] = "user-dispersing"
    needs: ClassVar[tuple[Need, ...]] = ("tenants",)

    def score(self, request: PlacementRequest, hosts: Candidates) -> Scores:
        return -hosts.instances_of(request.account_id)
