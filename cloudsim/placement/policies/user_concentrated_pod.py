"""User-concentrated pod: in the pod where the account has most instances already, then the next such pod.

Use it to keep a user's traffic within a pod. `within` a pod the first host that fits is taken, or a random
one. After CloudStack's UserConcentratedPodPlanner and its allocation algorithms userconcentratedpod_firstfit
and userconcentratedpod_random.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from cloudsim.placement.policy import HostArrays, Mask, Need, Policy
from cloudsim.placement.request import PlacementRequest


class UserConcentratedPod(Policy):
    name: ClassVar[str] = "user-concentrated-pod"
    needs: ClassVar[tuple[Need, ...]] = ("tenants", "pods")
    within: Literal["first-fit", "random"] = "first-fit"

    def choose(self, request: PlacementRequest, hosts: HostArrays, feasible: Mask) -> int:
        mine, pods = hosts.instances_of(request.account_id), hosts.pod[: hosts.size]
        there = np.flatnonzero((mine > 0) & (pods >= 0))  # a host that is gone is in no pod
        counts = np.bincount(pods[there], mine[there])
        for pod in np.argsort(-counts, kind="stable"):
            inside = feasible & (pods == pod)
            if not counts[pod]:
                break
            if inside.any():
                return self._one_of(inside)
        return self._one_of(feasible)

    def _one_of(self, hosts: Mask) -> int:
        if self.within == "first-fit":
            return int(hosts.argmax())
        slots = np.flatnonzero(hosts)
        return int(slots[self.randomness.generator.integers(len(slots))])
