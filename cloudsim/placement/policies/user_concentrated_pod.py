"""User-concentrated pod: first fit in the pod where the account has most instances already, then the next such pod.

Use it to keep a user's traffic within a pod. After CloudStack's UserConcentratedPodPlanner.
"""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from cloudsim.placement.policy import HostArrays, Mask, Policy
from cloudsim.placement.request import PlacementRequest


class UserConcentratedPod(Policy):
    name: ClassVar[str] = "user-concentrated-pod"

    def choose(self, request: PlacementRequest, hosts: HostArrays, feasible: Mask) -> int:
        pods: Counter[int] = Counter()
        for slot, count in hosts.by_account.get(request.account_id, {}).items():
            pods[int(hosts.pod[slot])] += count
        for pod, _ in sorted(pods.items(), key=lambda item: (-item[1], item[0])):
            inside = feasible & (hosts.pod[: hosts.size] == pod)
            slot = int(inside.argmax())
            if inside[slot]:
                return slot
        return int(feasible.argmax())
