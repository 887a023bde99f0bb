"""Policies that are chains of rules: the best by one rule, among equals the best by the next, and so on.

A rule gives a number for each of the candidates, higher is better. Many should be equal, or the next rule has nothing to say.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

import numpy as np

from cloudsim.placement.arrays import Ints
from cloudsim.placement.lifetimes import class_of, extension
from cloudsim.placement.norms import Norm, remainder
from cloudsim.placement.policy import Candidates, HostArrays, Mask, Scores, ScoringPolicy
from cloudsim.placement.request import PlacementRequest

Rule = Callable[[PlacementRequest, Candidates], Scores]


class RuleChain(ScoringPolicy):
    """Compares hosts by its rules in lexicographic order; of those that are equal in all, the lowest slot is taken."""

    @abstractmethod
    def preferences(self) -> Sequence[Rule]:
        """The rules, the most important first."""

    def best(self, request: PlacementRequest, hosts: HostArrays, feasible: Mask) -> Ints:
        """The slots that are the best by every rule."""
        slots = np.flatnonzero(feasible)
        for rule in self.preferences():
            if len(slots) == 1:
                break
            scores = rule(request, Candidates(hosts, slots))
            slots = slots[scores == scores.max()]
        return slots

    def choose(self, request: PlacementRequest, hosts: HostArrays, feasible: Mask) -> int:
        return self.pick(self.best(request, hosts, feasible))

    def pick(self, best: Ints) -> int:
        """Of slots that are equal in all, by ascending number, the one to use."""
        return int(best[0])

    def score(self, request: PlacementRequest, hosts: Candidates) -> Scores:
        """The rank that each has among the candidates, from 0 for the worst; equal ones have the same."""
        rank = np.zeros(len(hosts), np.int64)
        for rule in self.preferences():
            values, place = np.unique(rule(request, hosts), return_inverse=True)
            rank = np.unique(rank * len(values) + place.reshape(-1), return_inverse=True)[1].reshape(-1)
        return rank


# rules that several policies have


def tightest(norm: Norm, levels: int | None = None) -> Rule:
    """The least left, by that norm; with `levels`, the shares left in so many steps."""

    def rule(request: PlacementRequest, hosts: Candidates) -> Scores:
        left = remainder(norm, request, hosts)
        return -left if levels is None else -(levels * left).astype(np.int64)

    return rule


def least_extended(limits: Ints | None = None) -> Rule:
    """The host that must stay on the least longer, in ms or in classes by those limits."""

    def rule(request: PlacementRequest, hosts: Candidates) -> Scores:
        longer = extension(request, hosts)
        return -longer if limits is None else -class_of(longer, limits)

    return rule


def balanced(levels: int) -> Rule:
    """The least difference between the shares of CPU and of memory that are left, in so many steps."""

    def rule(request: PlacementRequest, hosts: Candidates) -> Scores:
        cpu, memory = hosts.left(request)
        return -(levels * np.abs(cpu - memory)).astype(np.int64)

    return rule


def non_empty(request: PlacementRequest, hosts: Candidates) -> Scores:
    """Hosts with instances first."""
    return -1 * hosts.empty


def without_gpus(request: PlacementRequest, hosts: Candidates) -> Scores:
    """For a request for no GPUs, hosts without any first."""
    if request.gpus or len(hosts.dimensions(request)) < 3:
        return np.zeros(len(hosts), np.int64)
    return -1 * (hosts.gpu_total > 0)


def fewest_of_account(request: PlacementRequest, hosts: Candidates) -> Scores:
    """The fewest instances of the same account."""
    return -hosts.instances_of(request.account_id)
