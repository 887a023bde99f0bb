"""What one pass over a trace tells, and which policies have nothing to decide by on such a trace."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from cloudsim.experiment.blocks import ENDLESS, RequestBlock


class TraceFacts(NamedTuple):
    """`digest` is the SHA-256 of all requests. `foretold`: placement is told how long some live; `together`: some arrive at
    the same instant; `grouped`: some are in affinity groups; `spread`: some want several NUMA nodes."""

    requests: int
    last_arrival_ms: int
    endless: int
    digest: str
    tenants: int
    foretold: bool
    together: bool
    grouped: bool
    gpus: bool
    spread: bool


def facts_of(blocks: Iterable[RequestBlock]) -> TraceFacts:
    """Go over a trace once. Raises what reading it raises."""
    digest = hashlib.sha256()
    requests = endless = last = 0
    tenants: set[str] = set()
    foretold = together = grouped = gpus = spread = False
    for block in blocks:
        for column in (block.arrival_ms, block.lifetime_ms, block.expected_ms, block.flavour):
            digest.update(np.ascontiguousarray(column, "<i8").tobytes())
        digest.update(repr((block.flavours, block.tenants, block.groups)).encode())
        together = together or bool((np.diff(block.arrival_ms, prepend=last if requests else -1) == 0).any())
        last = int(block.arrival_ms[-1]) if len(block) else last
        requests += len(block)
        endless += int((block.lifetime_ms == ENDLESS).sum())
        foretold = foretold or bool((block.expected_ms != ENDLESS).any())
        tenants.update(block.tenants)
        grouped = grouped or bool(block.groups)
        gpus = gpus or any(f.gpus for f in block.flavours)
        spread = spread or any(f.numa_nodes > 1 for f in block.flavours)
    return TraceFacts(
        requests, last, endless, digest.hexdigest(), len(tenants), foretold, together, grouped, gpus, spread
    )


def missing(needs: Iterable[str], facts: TraceFacts, pods: int) -> str:
    """What a policy that needs those looks at and does not find here; empty where it finds all."""
    there = {
        "tenants": (facts.tenants > 1, "the trace does not say whose instances they are"),
        "lifetimes": (facts.foretold, "the trace foretells no lifetimes (lifetime_error: 0 tells the true ones)"),
        "batches": (facts.together, "no two requests arrive at the same instant"),
        "pods": (pods > 1, "the cluster has one pod"),
    }
    return "; ".join(text for need in needs for found, text in (there[need],) if not found)
