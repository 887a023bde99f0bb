"""What a placement policy is, and how one is found by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from importlib.metadata import entry_points
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cloudsim.errors import InvalidParameterValue
from cloudsim.placement.capacity import HostCapacity, Ints, Mask
from cloudsim.placement.request import PlacementRequest
from cloudsim.randomness import Randomness


class Policy(ABC):
    """Chooses among the hosts that can hold a request. One instance serves one cloud."""

    name: ClassVar[str]

    def __init__(self, randomness: Randomness) -> None:
        self.randomness = randomness

    @abstractmethod
    def choose(self, request: PlacementRequest, hosts: HostCapacity, feasible: Mask) -> int:
        """The slot to use; `feasible[slot]` is true for those that can be, and at least one can."""


class ScoringPolicy(Policy):
    """Takes the host with the highest score; of equal ones the lowest slot."""

    @abstractmethod
    def score(
        self, request: PlacementRequest, hosts: HostCapacity, candidates: Ints
    ) -> NDArray[np.int64] | NDArray[np.float64]:
        """A number for each of `candidates` (slots, ascending)."""

    def choose(self, request: PlacementRequest, hosts: HostCapacity, feasible: Mask) -> int:
        candidates = np.flatnonzero(feasible)
        return int(candidates[np.argmax(self.score(request, hosts, candidates))])


CLOUDSTACK_NAMES = {
    "random": "random",
    "firstfit": "first-fit",
    "firstfitleastconsumed": "worst-fit",
    "userdispersing": "user-dispersing",
    "userconcentratedpod_random": "user-concentrated-pod",
    "userconcentratedpod_firstfit": "user-concentrated-pod",
    "FirstFitPlanner": "first-fit",
    "UserDispersingPlanner": "user-dispersing",
    "UserConcentratedPodPlanner": "user-concentrated-pod",
}
"""CloudStack's values of vm.allocation.algorithm and planner names, and the policy that each means here."""


def policies() -> dict[str, str]:
    """Names of the installed policies, with where each is found (module:Class)."""
    return {e.name: e.value for e in entry_points(group="cloudsim.policies")}


def policy(name: str, randomness: Randomness) -> Policy:
    """The policy called `name`: an installed one, CloudStack's name of one, or `module:Class`.

    Raises InvalidParameterValue, listing those there are.
    """
    installed = policies()
    where = installed.get(CLOUDSTACK_NAMES.get(name, name), name)
    module, _, attribute = where.partition(":")
    if not attribute:
        raise InvalidParameterValue(
            f"no placement policy {name!r}; there are {', '.join(sorted(installed))}, or module:Class"
        )
    try:
        kind = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise InvalidParameterValue(f"placement policy {name!r} cannot be loaded: {error}") from error
    if not (isinstance(kind, type) and issubclass(kind, Policy)):
        raise InvalidParameterValue(f"placement policy {name!r} is not a cloudsim.placement.Policy")
    return kind(randomness.branch(f"policy {kind.name}"))
