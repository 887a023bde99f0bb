"""Why a host was chosen, or none: the planner's filters one after the other, and how the policy scored the rest.

Made only for whoever watches a planner (`Planner.on_planned`); by masks over the arrays, so that it costs what a few
plannings cost, whatever the number of hosts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from cloudsim.placement.arrays import HostArrays, Mask
from cloudsim.placement.candidates import Candidates
from cloudsim.placement.policy import Policy, ScoringPolicy
from cloudsim.placement.request import PlacementRequest

MOST_NAMED = 20
"""Hosts that are named of those that a filter took away, and of those that were scored."""

Say = Callable[[int], str]
Stage = tuple[str, str, Mask, Say]
"""A filter: its name, what was wanted, which hosts (all slots) have it, and what one of them has."""


class TakenHost(msgspec.Struct, frozen=True):
    """A host that a filter took away, and what it has where something else was wanted."""

    host_id: str
    has: str


class Filtered(msgspec.Struct, frozen=True, kw_only=True):
    """A filter: how many hosts it took away of those that the ones before had left, and the first of them."""

    name: str
    wanted: str
    took: int
    left: int
    hosts: tuple[TakenHost, ...] = ()


class ScoredHost(msgspec.Struct, frozen=True):
    """A host that could be used. `score` None: the policy does not score."""

    host_id: str
    score: float | None


class Planning(msgspec.Struct, frozen=True, kw_only=True):
    """One planning. `chosen` None: no host, for the reason in `error`.

    `considered` hosts there are; `scores` are the first of the `feasible` ones, the best first where they have scores.
    """

    policy: str
    request: dict[str, Any]
    considered: int
    filters: tuple[Filtered, ...]
    feasible: int
    scores: tuple[ScoredHost, ...] = ()
    chosen: str | None = None
    error: str = ""


def explain(
    hosts: HostArrays,
    policy: Policy,
    request: PlacementRequest,
    stages: list[Stage],
    slot: int | None,
    error: str,
) -> Planning:
    """The planning of `request` that ended at `slot`, or with an `error`. To be called before the instance is there."""
    there: Mask = hosts.zone[: hosts.size] >= 0
    considered = int(there.sum())
    mask, left = there.copy(), considered
    filters = []
    for name, wanted, passes, has in stages:
        gone = np.flatnonzero(mask & ~passes)
        mask &= passes
        left -= len(gone)
        named = tuple(TakenHost(hosts.ids[i], has(int(i))) for i in gone[:MOST_NAMED])
        filters.append(Filtered(name=name, wanted=wanted, took=len(gone), left=left, hosts=named))
    candidates = np.flatnonzero(mask)
    return Planning(
        policy=policy.name,
        request={name: value for name, value in request._asdict().items() if value not in ((), None, "")},
        considered=considered,
        filters=tuple(filters),
        feasible=len(candidates),
        scores=_scores(hosts, policy, request, candidates, slot),
        chosen=None if slot is None else hosts.ids[slot],
        error=error,
    )


def _scores(
    hosts: HostArrays, policy: Policy, request: PlacementRequest, candidates: Any, slot: int | None
) -> tuple[ScoredHost, ...]:
    """The best candidates and, wherever it stands, the chosen one. The order is that in which a policy prefers them."""
    if slot is None:
        return ()
    scores = None
    if isinstance(policy, ScoringPolicy):
        scores = np.asarray(policy.score(request, Candidates(hosts, candidates)), np.float64)
        order = np.argsort(-scores, kind="stable")[:MOST_NAMED]
    else:
        order = np.arange(min(len(candidates), MOST_NAMED))
    place = int(np.searchsorted(candidates, slot))
    if place not in order:
        order = np.append(order[: MOST_NAMED - 1], place)
    return tuple(
        ScoredHost(hosts.ids[candidates[i]], None if scores is None else round(float(scores[i]), 6))
        for i in order
    )
