"""What invariants look at, and what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from cloudsim.management.services import Services
from cloudsim.protocol.specs import SecurityRule
from cloudsim.store import Store


class Violation(NamedTuple):
    """An invariant that does not hold, and where."""

    invariant: str
    text: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.text}"


class Inventory(NamedTuple):
    """The world as it really is, whatever the manager believes.

    `instances` are names by host id of what executes there now, so that an instance that is being moved is on one
    host only; `files` are paths by storage pool id; `rules` the security rules that are in force, by NIC id. A host or
    pool that cannot be seen is left out.
    """

    instances: Mapping[str, frozenset[str]]
    files: Mapping[str, frozenset[str]]
    rules: Mapping[str, tuple[SecurityRule, ...] | None] = {}


class Scene(NamedTuple):
    """One management server with its store at one instant; `inventory` where somebody can see the world."""

    store: Store
    server: Services
    inventory: Inventory | None = None


Invariant = Callable[[Scene], Iterator[Violation]]


def check(scene: Scene, invariants: Sequence[Invariant]) -> list[Violation]:
    """Everything that breaks one of `invariants` (ALWAYS, WHEN_QUIET) now."""
    return [violation for invariant in invariants for violation in invariant(scene)]
