"""Synthetic loads: arrivals, lifetimes, sizes and tenants from distributions, drawn from the run's seed.

Each of them has a branch of randomness of its own, so that another lifetime does not change who arrives when.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from msgspec import Meta

from cloudsim.experiment.blocks import BLOCK, ENDLESS, RequestBlock
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.arrivals import batches, modulated, poisson
from cloudsim.experiment.traces.coding import FlavourCodes, numbered
from cloudsim.experiment.traces.flavours import WeightedFlavour, read_flavours
from cloudsim.experiment.traces.lifetimes import Lifetime
from cloudsim.experiment.traces.rows import LARGEST
from cloudsim.experiment.traces.source import Count, NotNegative, Positive, Trace
from cloudsim.experiment.traces.streams import Choice, Floats, Stream
from cloudsim.randomness import Randomness


class GeneratedTrace(Trace, frozen=True, kw_only=True):
    """`requests_in_all`, of which `warm_start` arrive at once, and the others as the format says.

    `flavours` is a list of sizes, or the path of a CSV file of them (see `traces.flavours`). With `tenants`, so many ask for
    instances, called t1, t2 and so on, the kth in proportion to k^-`tenant_skew` (Zipf's law; 0: all alike). With exponential
    lifetimes and warm_start = requests per hour * mean / 3600, the load is stationary from the beginning.
    """

    paths: ClassVar[tuple[str, ...]] = ("flavours",)

    requests_in_all: Count
    lifetime: Lifetime
    flavours: Annotated[tuple[WeightedFlavour, ...], Meta(min_length=1)] | str
    warm_start: NotNegative = 0
    tenants: Count | None = None
    tenant_skew: Annotated[float, Meta(ge=0)] = 1.0

    def arrivals(self, generator: np.random.Generator) -> Iterator[Floats]:
        """The times in seconds at which others than the first `warm_start` arrive, in chunks without an end."""
        raise NotImplementedError

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        return numbered(self.columns(folder, randomness))

    def columns(self, folder: Path, randomness: Randomness) -> Iterator[RequestBlock]:
        branch = randomness.branch("workload")
        lifetimes = branch.branch("lifetimes").generator
        wanted = read_flavours(folder / self.flavours) if isinstance(self.flavours, str) else self.flavours
        codes = FlavourCodes()
        numbers = np.array([codes.number(each.flavour) for each in wanted], np.int64)
        sizes = Choice(np.array([each.weight for each in wanted], float), branch.branch("flavours").generator)
        arrivals = Stream(self.arrivals(branch.branch("arrivals").generator))
        names = [f"t{number}" for number in range(1, (self.tenants or 0) + 1)]
        shares = np.arange(1, len(names) + 1, dtype=np.float64) ** -self.tenant_skew
        askers = Choice(shares, branch.branch("tenants").generator) if names else None
        for first in range(0, self.requests_in_all, BLOCK):
            size = min(BLOCK, self.requests_in_all - first)
            warm = min(size, max(0, self.warm_start - first))
            times = np.concatenate((np.zeros(warm), arrivals.take(size - warm)))
            tenants = askers.take(size).tolist() if askers is not None else []
            yield RequestBlock(
                first,
                _ms(times),
                np.maximum(1, _ms(self.lifetime.draw(lifetimes, size))),
                np.full(size, ENDLESS, np.int64),
                numbers[sizes.take(size)],
                codes.flavours,
                tuple(names[number] for number in tenants),
            )


def _ms(seconds: Floats) -> np.ndarray:
    """Milliseconds, to the nearest; what a heavy tail makes longer than any number in a trace is cut there."""
    return np.rint(np.minimum(1000 * seconds, float(LARGEST))).astype(np.int64)


class PoissonTrace(GeneratedTrace, frozen=True, kw_only=True, tag="poisson"):
    """Poisson arrivals, `per_hour` on average.

    `daily_swing` s makes the rate follow the time of day, per_hour * (1 - s cos(2 pi t / day)): the lowest at the
    beginning. See `arrivals.poisson`.
    """

    title: ClassVar[str] = "Generated: Poisson arrivals, also with the swing of a day"

    per_hour: Positive
    daily_swing: Annotated[float, Meta(ge=0, le=1)] = 0.0

    def arrivals(self, generator: np.random.Generator) -> Iterator[Floats]:
        return poisson(generator, self.per_hour, self.daily_swing)


class BurstyTrace(GeneratedTrace, frozen=True, kw_only=True, tag="bursty"):
    """Arrivals in bursts: a two-state Markov-modulated Poisson process, see `arrivals.modulated`.

    `calm_per_hour` arrive for exponential times of `calm_s` seconds on average, then `burst_per_hour` for `burst_s`,
    and so on: (calm_per_hour calm_s + burst_per_hour burst_s) / (calm_s + burst_s) an hour on average.
    """

    title: ClassVar[str] = "Generated: arrivals in bursts (a two-state MMPP)"

    calm_per_hour: Annotated[float, Meta(ge=0)]
    burst_per_hour: Positive
    calm_s: Positive
    burst_s: Positive

    def arrivals(self, generator: np.random.Generator) -> Iterator[Floats]:
        return modulated(generator, (self.calm_per_hour, self.burst_per_hour), (self.calm_s, self.burst_s))


class BatchTrace(GeneratedTrace, frozen=True, kw_only=True, tag="batch"):
    """Arrivals in batches, which are a Poisson process, see `arrivals.batches`.

    `per_hour` requests on average, in batches of `batch_mean` on average: a geometric number of them, or with
    `batch_sizes: fixed` exactly so many, which has to be a whole number then.
    """

    title: ClassVar[str] = "Generated: arrivals in batches"

    per_hour: Positive
    batch_mean: Annotated[float, Meta(ge=1, le=65_536)]
    batch_sizes: Literal["geometric", "fixed"] = "geometric"

    def __post_init__(self) -> None:
        if self.batch_sizes == "fixed" and not float(self.batch_mean).is_integer():
            raise ValueError(f"expected a whole number as `batch_mean` of fixed batches, got {self.batch_mean}")

    def arrivals(self, generator: np.random.Generator) -> Iterator[Floats]:
        return batches(generator, self.per_hour, self.batch_mean, self.batch_sizes == "fixed")
