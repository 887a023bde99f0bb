"""User-concentrated pod: in the pod where the account has most instances already, then the next such pod.

Use it to keep a user's traffic within a pod. `within` a pod the first host that fits is taken, or a random
one. After CloudStack's UserConcentratedPodPlanner and its allocation algorithms userconcentratedpod_firstfit
and userconcentratedpod_random.
"""

from __future__ import annotations

from collections import Counter
from typing import ClassVar, Literal

import numpy as np

from cloudsim.placement.policy import HostArrays, Mask, Need, Policy
from cloudsim.placement.request import PlacementRequest


class UserConcentratedPod(Policy):
    name: ClassVar[str] = "user-concentrated-pod"
    needs: ClassVar[tuple[Need, ...]] = ("tenants", "pods")
    within: Literal["first-fit", "random"] = "first-fit"

    def choose(self, request: PlacementRequest, hosts: HostArrays, feasible: Mask) -> int:
        pods: Counter[int] = Counter()
        for slot, count in hosts.by_account.get(request.account_id, {}).items():
            pods[int(hosts.pod[slot])] += count
        for pod, _ in sorted(pods.items(), key=lambda item: (-item[1], item[0])):
            inside = feasible & (hosts.pod[: hosts.size] == pod)
            if inside.any():
                return self._one_of(inside)
        return self._one_of(feasible)

    def _one_of(self, hosts: Mask) -> int:
        if self.within == "first-fit":
            return int(hosts.argmax())
        slots = np.flatnonzero(hosts)
        return int(slots[self.randomness.generator.integers(len(slots))])
