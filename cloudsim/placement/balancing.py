"""Which instances to move within a cluster so that its hosts are balanced, or condensed.

The imbalance of a cluster is the standard deviation of its hosts' metric over their mean, as in CloudStack's DRS.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Algorithm = Literal["balanced", "condensed"]
Floats = NDArray[np.float64]
_LEAST = 1e-9
"""What a move must improve the imbalance by, so that rounding is no reason to move."""


class Move(NamedTuple):
    """Instance and host by their positions."""

    instance: int
    host: int


class Instances(NamedTuple):
    """Instances that may move: `host[i]` is where i is, `cpu` and `memory` what it takes, `allowed[i, h]` whether h will do."""

    host: NDArray[np.int64]
    cpu: Floats
    memory: Floats
    allowed: NDArray[np.bool_]


class Hosts(NamedTuple):
    """`used` and `total` of CPU and memory, for each host."""

    cpu_used: Floats
    cpu_total: Floats
    memory_used: Floats
    memory_total: Floats


def imbalance(shares: Floats) -> float:
    """Standard deviation over mean (population); 0 for an empty cluster."""
    mean = float(shares.mean()) if len(shares) else 0.0
    return float(shares.std()) / mean if mean > 0 else 0.0


def wants_moves(algorithm: Algorithm, threshold: float, value: float) -> bool:
    """Whether a cluster of that imbalance is to be changed. `threshold` is the setting drs.imbalance."""
    return value > 1.0 - threshold if algorithm == "balanced" else value < threshold


def plan(
    hosts: Hosts,
    instances: Instances,
    *,
    algorithm: Algorithm,
    metric: Literal["cpu", "memory"],
    threshold: float,
    most: int,
) -> list[Move]:
    """At most `most` moves, each the best there is after those before it; no instance moves twice.

    Every move fits where it goes to. O(moves x instances x hosts), in arrays.
    """
    cpu_used, memory_used = hosts.cpu_used.copy(), hosts.memory_used.copy()
    totals = {"cpu": hosts.cpu_total, "memory": hosts.memory_total}[metric]
    sizes = {"cpu": instances.cpu, "memory": instances.memory}[metric]
    where, movable = instances.host.copy(), np.ones(len(instances.host), np.bool_)
    sign = -1.0 if algorithm == "balanced" else 1.0
    moves: list[Move] = []
    while len(moves) < most and len(where):
        shares = (cpu_used if metric == "cpu" else memory_used) / totals
        now = imbalance(shares)
        if not wants_moves(algorithm, threshold, now):
            break
        after = _after(shares, totals, sizes, where)
        fits = (
            instances.allowed
            & (cpu_used + instances.cpu[:, None] <= hosts.cpu_total)
            & (memory_used + instances.memory[:, None] <= hosts.memory_total)
        )
        fits[np.arange(len(where)), where] = False
        fits[~movable] = False
        gain = np.where(fits, sign * (after - now), -np.inf)
        best = int(gain.argmax())
        if gain.flat[best] <= _LEAST:
            break
        instance, host = divmod(best, len(totals))
        for used, size in ((cpu_used, instances.cpu), (memory_used, instances.memory)):
            used[where[instance]] -= size[instance]
            used[host] += size[instance]
        where[instance], movable[instance] = host, False
        moves.append(Move(instance, host))
    return moves


def _after(shares: Floats, totals: Floats, sizes: Floats, where: NDArray[np.int64]) -> Floats:
    """The imbalance after each single move, instances by hosts: from the sums of shares and of their squares."""
    n = len(shares)
    source = shares[where]
    left = source - sizes / totals[where]
    joined = shares + sizes[:, None] / totals
    total = shares.sum() + (left - source)[:, None] + (joined - shares)
    squares = (shares**2).sum() + (left**2 - source**2)[:, None] + (joined**2 - shares**2)
    mean = total / n
    variance = np.maximum(squares / n - mean**2, 0.0)
    return np.divide(np.sqrt(variance), mean, out=np.zeros_like(mean), where=mean > 0)
