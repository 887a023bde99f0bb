"""The states that a host can be in, as classes: equal hosts with the same room left are alike to a score of capacity.

With sizes in their largest common units the states of a kind of host are a small grid (65 x 129 for hosts of 64 cores and
256 GiB). The policy is asked once for every flavour and state; what remains of a placement is to find the best occupied class.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloudsim.errors import InvalidParameterValue
from cloudsim.placement import Capacities, PlacementRequest, ScoringPolicy

MOST_CLASSES = 1 << 18
MOST_SCORES = 1 << 23
"""Beyond so many classes, or flavours times classes, an index would cost more than it saves."""


class Grid(NamedTuple):
    """Classes of all kinds of hosts, one after the other; the other arrays have an entry for each class.

    `base[kind]` is the number of a kind's first class, `columns[kind]` how many units of memory it has, and one more: the class
    of a host with that room left, in units, is base + CPU * columns + memory.
    """

    base: np.ndarray
    columns: np.ndarray
    kind: np.ndarray
    capacities: Capacities

    @property
    def size(self) -> int:
        return len(self.kind)

    def of(self, kind: np.ndarray, room: np.ndarray) -> np.ndarray:
        """The classes of hosts of those kinds with that room left (units)."""
        found: np.ndarray = self.base[kind] + room[:, 0] * self.columns[kind] + room[:, 1]
        return found


def grid(kinds: np.ndarray, unit: np.ndarray, flavours: int) -> Grid | None:
    """The grid for kinds of hosts of those capacities (MHz, MiB); None if it would be too large for so many flavours."""
    steps = kinds // unit
    sizes = (steps[:, 0] + 1) * (steps[:, 1] + 1)
    total = int(sizes.sum())
    if total > MOST_CLASSES or total * flavours > MOST_SCORES:
        return None
    base = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
    columns = (steps[:, 1] + 1).astype(np.int64)
    kind = np.repeat(np.arange(len(kinds)), sizes)
    within = np.arange(total) - base[kind]
    cpu_room = within // columns[kind] * unit[0]
    memory_room = within % columns[kind] * unit[1]
    capacities = Capacities(
        kinds[kind, 0].astype(np.int64), cpu_room, kinds[kind, 1].astype(np.int64), memory_room
    )
    return Grid(base, columns, kind, capacities)


class Ranking(NamedTuple):
    """For each flavour the classes that can hold it, the best first.

    `place[f, class]` is its place, -1 if it cannot hold it; `at[f, place]` the class; `tie[f, place]` is the same for
    classes of equal score.
    """

    place: np.ndarray
    at: np.ndarray
    tie: np.ndarray


def ranking(policy: ScoringPolicy, classes: Grid, need: np.ndarray, can: np.ndarray) -> Ranking:
    """What the policy thinks of every class, for every flavour of those needs (MHz, MiB).

    `can[f, kind]`: the host's cores and their speed would do.

    Raises InvalidParameterValue for a score that is not a number.
    """
    shape = (len(need), classes.size)
    found = Ranking(np.full(shape, -1, np.int32), np.zeros(shape, np.int32), np.zeros(shape, np.int32))
    have = classes.capacities
    for f, (cpu, memory) in enumerate(need.tolist()):
        fitting = np.flatnonzero(
            can[f][classes.kind] & (have.cpu_room >= cpu) & (have.memory_room >= memory)
        )
        if not len(fitting):
            continue
        rows = Capacities(
            have.cpu_total[fitting], have.cpu_room[fitting], have.memory_total[fitting], have.memory_room[fitting]
        )
        scores = _scores(policy, PlacementRequest(cpu, memory), rows)
        order = np.argsort(-scores, kind="stable")
        sorted_scores = scores[order]
        n = len(fitting)
        found.at[f, :n] = fitting[order]
        found.place[f, fitting[order]] = np.arange(n)
        found.tie[f, 1:n] = np.cumsum(sorted_scores[1:] != sorted_scores[:-1])
    return found


def _scores(policy: ScoringPolicy, request: PlacementRequest, rows: Capacities) -> np.ndarray:
    try:
        scores = np.asarray(policy.score(request, rows))  # type: ignore[arg-type]
    except AttributeError as error:
        raise InvalidParameterValue(
            f"policy {policy.name} says that its score is of_capacity, but it looks at more: {error}"
        ) from error
    if scores.shape != (len(rows),):
        raise InvalidParameterValue(
            f"policy {policy.name}: score: expected an array of {len(rows)}, one for each host, got {scores.shape}"
        )
    if scores.dtype.kind not in "biuf":
        raise InvalidParameterValue(f"policy {policy.name}: score: expected numbers, got {scores.dtype}")
    if scores.dtype.kind == "f" and np.isnan(scores).any():
        raise InvalidParameterValue(f"policy {policy.name}: score: expected numbers, got NaN")
    return scores if scores.dtype.kind == "f" else scores.astype(np.int64)


def kinds_of(capacity: np.ndarray, cores: np.ndarray, speed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kinds of hosts: (MHz, MiB, cores, speed) of each kind, and each host's kind."""
    table = np.column_stack((capacity, cores, speed)).astype(np.int64)
    kinds, number = np.unique(table, axis=0, return_inverse=True)
    return kinds, number.reshape(-1).astype(np.int64)
