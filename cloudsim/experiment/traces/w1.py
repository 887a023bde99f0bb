"""W1, the placement benchmark "churn": a stationary Poisson load whose every request is a fixed function of its number.

Request i of M = P + N draws four numbers u0..u3 in [0, 1) from splitmix64 (Steele, Lea and Flood, "Fast
Splittable Pseudorandom Number Generators", OOPSLA 2014) at counters 4i+1..4i+4. The first
P = round(fill * 64 * H / 3.3) arrive at once, which is the stationary number for exponential lifetimes of
a day, the N others as a Poisson process of rate P a day. Sizes: 1, 2, 4, 8 or 16 vCPUs (mean 3.3) with 2, 4 or 8
GiB each (mean 4), for H hosts of 64 vCPUs and 256 GiB.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from cloudsim.experiment.blocks import BLOCK, ENDLESS, Flavour, Ints, RequestBlock
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.coding import numbered
from cloudsim.experiment.traces.source import Count, NotNegative, Trace
from cloudsim.randomness import Randomness

HOST_CPUS, HOST_GIB = 64, 256
MEAN_LIFETIME = 86_400.0
CPU_MHZ = 1000
_BLOCK = BLOCK
_CPU_EDGES, _CPUS = np.array([0.40, 0.65, 0.85, 0.95]), (1, 2, 4, 8, 16)
_RATIO_EDGES, _RATIOS = np.array([0.30, 0.85]), (2, 4, 8)
FLAVOURS = tuple(Flavour(cpus, CPU_MHZ, 1024 * cpus * ratio) for cpus in _CPUS for ratio in _RATIOS)


def warm_requests(hosts: int, fill: float = 0.8) -> int:
    """P: how many requests arrive at the beginning."""
    return round(fill * HOST_CPUS * hosts / 3.3)


def uniform_draws(first: int, count: int, seed: int) -> NDArray[np.float64]:
    """splitmix64 of counters first..first+count-1 as doubles in [0, 1)."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(first, first + count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def flavours(cpus: NDArray[np.float64], ratios: NDArray[np.float64]) -> Ints:
    """Indices into FLAVOURS by two draws in [0, 1) for each request."""
    numbers: Ints = len(_RATIOS) * np.searchsorted(_CPU_EDGES, cpus, side="right")
    return numbers + np.searchsorted(_RATIO_EDGES, ratios, side="right")


def blocks(hosts: int, requests: int, seed: int = 42, fill: float = 0.8) -> Iterator[RequestBlock]:
    """All P + `requests` requests, some at a time. The arrivals' sum runs on from block to block."""
    warm = warm_requests(hosts, fill)
    total = warm + requests
    rate = warm / MEAN_LIFETIME
    possible = list(FLAVOURS)
    clock = 0.0
    for first in range(0, total, _BLOCK):
        size = min(_BLOCK, total - first)
        u = uniform_draws(4 * first + 1, 4 * size, seed).reshape(size, 4).T.copy()
        gaps = -np.log1p(-u[0]) / rate
        gaps[: max(0, warm - first)] = 0
        # Summed from the last time on, one by one, as a cumulative sum of the whole is: the same roundings.
        times = np.cumsum(np.concatenate(([clock], gaps)))[1:]
        clock = float(times[-1])
        lifetimes = np.floor(-np.log1p(-u[1]) * MEAN_LIFETIME * 1000 + 0.5).astype(np.int64)
        yield RequestBlock(
            first,
            np.floor(times * 1000 + 0.5).astype(np.int64),
            np.maximum(1, lifetimes),
            np.full(size, ENDLESS, np.int64),
            flavours(u[2], u[3]),
            possible,
        )


class W1Trace(Trace, frozen=True, kw_only=True, tag="w1"):
    """W1 for `hosts` hosts: the warm start and `requests` more. `seed` is W1's own, not the scenario's."""

    title: ClassVar[str] = 'Generated: W1, the placement benchmark "churn"'

    hosts: Count
    requests_after_warm_start: NotNegative
    seed: NotNegative = 42
    fill: Annotated[float, Meta(gt=0)] = 0.8

    def columns(self, folder: Path, randomness: Randomness) -> Iterator[RequestBlock]:
        return blocks(self.hosts, self.requests_after_warm_start, self.seed, self.fill)

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        return numbered(self.columns(folder, randomness))
