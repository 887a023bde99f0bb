"""What is in a trace: requests, sizes, lifetimes, and how much of it is there at once, in memory that does not grow.

That is, it grows only with the number of instances that are there at once, of flavours and of tenants.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np

from cloudsim.experiment.blocks import ENDLESS, Flavour, Ints, RequestBlock
from cloudsim.experiment.traces.rows import LARGEST
from cloudsim.experiment.traces.streams import Floats

PERCENTILES = (0, 10, 25, 50, 75, 90, 99, 100)
_BINS_PER_DOUBLING = 64


class Lifetimes(msgspec.Struct, frozen=True, kw_only=True):
    """Of the instances that end: how many, and their lifetimes in seconds; percentiles to within 1 %."""

    count: int
    mean: float
    percentiles: dict[int, float]


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """Of a quantity: the most that is there at once, and its average from the first arrival to the last."""

    peak: float
    mean: float


class TraceInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a pass over a trace tells. Times in seconds.

    `gap_variation` is the coefficient of variation of the times between arrivals: 1 for a Poisson process, more for bursts.
    Demand is as if every request were served at once: an instance is there from its arrival for its lifetime, and one
    that ends in the millisecond of an arrival has left. cpu_ghz counts a core as fast as was asked for.
    """

    requests: int
    span_s: float
    gap_mean_s: float
    gap_variation: float
    endless: int
    lifetimes: Lifetimes
    predicted: int
    tenants: int
    in_affinity_groups: int
    in_anti_affinity_groups: int
    flavours: int
    most_wanted: list[tuple[Flavour, int]]
    instances: Demand
    cores: Demand
    cpu_ghz: Demand
    memory_gib: Demand
    gpus: Demand


_QUANTITIES = {"instances": 1, "cores": 1, "cpu_ghz": 1000, "memory_gib": 1024, "gpus": 1000}
"""How many of the units that are counted, see `_sizes`, make one."""


def describe(blocks: Iterable[RequestBlock], most: int = 10) -> TraceInfo:
    """Go over all requests once; `most` flavours are named. A trace without any gives zeros."""
    first: int | None = None
    last = 0
    count = endless = predicted = near = far = 0
    squares = 0.0
    tenants: set[str] = set()
    wanted = np.zeros(0, np.int64)
    flavours: list[Flavour] = []
    lifetimes = _Histogram()
    live = _Live()
    for block in blocks:
        flavours = block.flavours
        arrivals = block.arrival_ms
        if first is None:
            first = last = int(arrivals[0])
        gaps = np.diff(arrivals, prepend=last).astype(float)
        squares += float((gaps * gaps).sum())
        last = int(arrivals[-1])
        count += len(block)
        ends = block.lifetime_ms != ENDLESS
        endless += len(block) - int(ends.sum())
        predicted += int((block.expected_ms != ENDLESS).sum())
        lifetimes.add(block.lifetime_ms[ends])
        tenants.update(block.tenants)
        near += sum(bool(group[0]) for group in block.groups)
        far += sum(bool(group[1]) for group in block.groups)
        seen = np.bincount(block.flavour, minlength=len(flavours))
        wanted = np.pad(wanted, (0, len(seen) - len(wanted))) + seen
        live.add(block)
    span = (last - (first or 0)) / 1000
    mean = span / max(1, count - 1)
    variance = squares / 1e6 / max(1, count - 1) - mean * mean
    order = np.argsort(-wanted, kind="stable")[:most]
    return TraceInfo(
        requests=count,
        span_s=span,
        gap_mean_s=mean,
        gap_variation=float(np.sqrt(max(0.0, variance)) / mean) if mean else 0.0,
        endless=endless,
        lifetimes=lifetimes.summary(),
        predicted=predicted,
        tenants=len(tenants - {""}),
        in_affinity_groups=near,
        in_anti_affinity_groups=far,
        flavours=int((wanted > 0).sum()),
        most_wanted=[(flavours[i], int(wanted[i])) for i in order.tolist() if wanted[i]],
        **live.demand(span),
    )


class _Histogram:
    """Lifetimes by their logarithm, 64 bins for each doubling: half a per cent to either side."""

    def __init__(self) -> None:
        self._bins = np.zeros(_BINS_PER_DOUBLING * (LARGEST.bit_length() + 1), np.int64)
        self._sum = 0.0
        self._least = self._greatest = 0

    def add(self, lifetimes_ms: Ints) -> None:
        if not lifetimes_ms.size:
            return
        least, greatest = int(lifetimes_ms.min()), int(lifetimes_ms.max())
        self._least = min(self._least, least) if self._bins.any() else least
        self._greatest = max(self._greatest, greatest)
        places = (np.log2(lifetimes_ms) * _BINS_PER_DOUBLING).astype(np.int64)
        self._bins += np.bincount(places, minlength=len(self._bins))
        self._sum += float(lifetimes_ms.sum(dtype=float))

    def summary(self) -> Lifetimes:
        count = int(self._bins.sum())
        if not count:
            return Lifetimes(count=0, mean=0.0, percentiles={})
        sums = self._bins.cumsum()
        found: dict[int, float] = {}
        for percent in PERCENTILES:
            place = int(np.searchsorted(sums, max(1, percent / 100 * count)))
            middle = 2 ** ((place + 0.5) / _BINS_PER_DOUBLING)
            found[percent] = float(np.clip(middle, self._least, self._greatest)) / 1000
        found |= {0: self._least / 1000, 100: self._greatest / 1000}
        return Lifetimes(count=count, mean=self._sum / count / 1000, percentiles=found)


class _Live:
    """What is there at once. Departures that are still to come are kept, sorted by time."""

    def __init__(self) -> None:
        self._ends: Ints = np.zeros(0, np.int64)
        self._leaving: Floats = np.zeros((0, len(_QUANTITIES)))
        self._now = np.zeros(len(_QUANTITIES))
        self._peak = np.zeros(len(_QUANTITIES))
        self._area = np.zeros(len(_QUANTITIES))
        self._clock: int | None = None

    def add(self, block: RequestBlock) -> None:
        sizes = np.array([_sizes(flavour) for flavour in block.flavours])[block.flavour]
        finite = block.lifetime_ms != ENDLESS
        ends = block.arrival_ms[finite] + block.lifetime_ms[finite]
        order = np.argsort(ends, kind="stable")
        # Two sorted runs: a stable sort merges them.
        ends = np.concatenate((self._ends, ends[order]))
        leaving = np.concatenate((self._leaving, sizes[finite][order]))
        order = np.argsort(ends, kind="stable")
        ends, leaving = ends[order], leaving[order]
        gone = int(np.searchsorted(ends, block.arrival_ms[-1], side="right"))
        # Departures come first, so that they go before the arrivals of their millisecond.
        times = np.concatenate((ends[:gone], block.arrival_ms))
        changes = np.concatenate((-leaving[:gone], sizes))
        order = np.argsort(times, kind="stable")
        times = times[order]
        there = self._now + changes[order].cumsum(axis=0)
        before = np.concatenate((self._now[None], there[:-1]))
        self._area += (before * np.diff(times, prepend=self._start(times))[:, None]).sum(axis=0)
        self._peak = np.maximum(self._peak, there.max(axis=0))
        self._now, self._clock = there[-1], int(times[-1])
        self._ends, self._leaving = ends[gone:], leaving[gone:]

    def _start(self, times: Ints) -> int:
        return int(times[0]) if self._clock is None else self._clock

    def demand(self, span_s: float) -> dict[str, Any]:
        means = self._area / 1000 / span_s if span_s else self._now
        return {
            name: Demand(peak=float(self._peak[i] / unit), mean=float(means[i] / unit))
            for i, (name, unit) in enumerate(_QUANTITIES.items())
        }


def _sizes(flavour: Flavour) -> tuple[float, ...]:
    """Instances, cores, MHz, MiB and thousandths of GPUs: whole numbers, so that sums are exact and what came goes."""
    mhz = flavour.cpus * flavour.cpu_mhz
    return 1.0, flavour.cpus, mhz, flavour.memory_mib, flavour.gpus * flavour.gpu_milli
