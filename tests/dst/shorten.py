"""Finds a smaller plan that breaks the same invariant: by halves, as delta debugging does.

Source: Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input" (2002), without its complements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from tests.dst.plan import EPISODE, Plan
from tests.dst.run import Outcome, Run

T = TypeVar("T")


def shorten(plan: Plan, outcome: Outcome) -> Plan:
    """As few operations and faults as still break the first invariant that `outcome` found broken."""
    wanted = {v.invariant for v in outcome.violations}

    def breaks(candidate: Plan) -> bool:
        return any(v.invariant in wanted for v in Run(candidate).outcome().violations)

    plan = plan.complete()
    shorter = replace(plan, episodes=min(plan.episodes, int(outcome.at / EPISODE) + 1))
    if breaks(shorter):
        plan = shorter
    operations = _fewer(plan.operations or (), lambda kept: breaks(replace(plan, operations=kept)))
    plan = replace(plan, operations=operations)
    faults = _fewer(plan.faults or (), lambda kept: breaks(replace(plan, faults=kept)))
    return replace(plan, faults=faults)


def _fewer(items: tuple[T, ...], breaks: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    size = (len(items) + 1) // 2
    while items:
        position = 0
        while position < len(items):
            kept: Sequence[T] = (*items[:position], *items[position + size :])
            if breaks(tuple(kept)):
                items = tuple(kept)
            else:
                position += size
        if size == 1:
            break
        size = (size + 1) // 2
    return items
