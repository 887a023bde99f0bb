"""Implicit dedication: hosts that no two accounts share.

First fit among the hosts that have instances of the same account only; then among empty ones; and then, with
`mode=preferred`, among the others. With `mode=strict`, the default, an instance that finds neither is
refused.

Use it for accounts that must, or would like to, have their hosts to themselves, without giving hosts to
accounts beforehand. After CloudStack's ImplicitDedicationPlanner, which has the mode in the offering's detail
ImplicitDedicationMode. It holds what it says as long as all instances are placed by it: where some are placed
by other policies, or in preferred mode, those may come to a host that has an account's strict instances,
which CloudStack reserves.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from cloudsim.placement.policy import Candidates, HostArrays, Mask, Need, Scores, ScoringPolicy
from cloudsim.placement.request import PlacementRequest


class ImplicitDedication(ScoringPolicy):
    name: ClassVar[str] = "implicit-dedication"
    needs: ClassVar[tuple[Need, ...]] = ("tenants",)
    mode: Literal["strict", "preferred"] = "strict"

    def filter(self, request: PlacementRequest, hosts: HostArrays) -> Mask | None:
        if self.mode == "preferred":
            return None
        unshared: Mask = hosts.instances[: hosts.size] == hosts.instances_of(request.account_id)
        return unshared

    def score(self, request: PlacementRequest, hosts: Candidates) -> Scores:
        mine = hosts.instances_of(request.account_id)
        empty = hosts.instances == 0
        return 2 * ((mine == hosts.instances) & ~empty) + 1 * empty
