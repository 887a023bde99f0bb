"""What an instance asks of a host."""

from __future__ import annotations

from typing import Literal, NamedTuple

Dedication = Literal["own", "none", "only", "any"]
"""Which hosts: anybody's and one's own, anybody's alone, one's own alone, or all, whomever they are dedicated to."""

Failover = Literal["no", "only", "any"]
"""Whether it goes to hosts that are kept free for failover, where some are: no, only there, or to any host."""


class PlacementRequest(NamedTuple):
    """`cpu` is the MHz reserved in all, `cpus` and `speed` what each core must offer; `memory` MiB.

    Each of `gpus` GPUs must have `gpu_milli` thousandths free, on a host whose model is among
    `gpu_models` where that is not empty. It is asked for at `time` (ms) and expected to run until `expected_end` (ms; None:
    nobody knows). On hosts whose NUMA nodes are known it takes an equal part of each of `numa_nodes` of them.
    `domain_ids` are the domain of its account and those above it, for hosts that are dedicated to one.
    """

    cpu: int
    memory: int
    cpus: int = 1
    speed: int = 0
    gpus: int = 0
    gpu_milli: int = 1000
    gpu_models: tuple[str, ...] = ()
    account_id: str = ""
    tags: tuple[str, ...] = ()
    time: int = 0
    expected_end: int | None = None
    numa_nodes: int = 1
    domain_ids: tuple[str, ...] = ()
    dedication: Dedication = "own"
    failover: Failover = "no"
