"""A synthetic load: Poisson arrivals, a few flavours, lifetimes from a distribution; drawn from the run's seed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.source import Count, NotNegative, Positive, Trace
from cloudsim.randomness import Randomness

DAY = 86_400.0
_BLOCK = 4096


class Flavour(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A size of instance, wanted `weight` times as often as one of weight 1."""

    vcpu: Count
    memory_mib: Count
    cpu_mhz: Count = 1000
    gpus: NotNegative = 0
    gpu_milli: Annotated[int, Meta(ge=1, le=1000)] = 1000
    gpu_models: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    weight: Positive = 1.0


class Lifetime(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long instances run, in seconds on average. `sigma` is the log-normal's shape: 2 is heavy-tailed."""

    mean: Positive
    distribution: Literal["exponential", "lognormal", "constant"] = "exponential"
    sigma: Positive = 1.0

    def draw(self, generator: np.random.Generator, size: int) -> NDArray[np.float64]:
        if self.distribution == "exponential":
            return generator.exponential(self.mean, size)
        if self.distribution == "lognormal":
            return generator.lognormal(math.log(self.mean) - self.sigma**2 / 2, self.sigma, size)
        return np.full(size, self.mean)


class PoissonTrace(Trace, frozen=True, kw_only=True, tag="poisson"):
    """`requests` in all. `warm_start` of them arrive at once, the others at `per_hour` on average.

    `daily_swing` s makes the rate follow the time of day, per_hour * (1 - s cos(2 pi t / day)): the lowest at the
    beginning. For exponential lifetimes, warm_start = per_hour * mean / 3600 begins with the stationary load.
    """

    requests_in_all: Count
    per_hour: Positive
    lifetime: Lifetime
    flavours: Annotated[tuple[Flavour, ...], Meta(min_length=1)]
    warm_start: NotNegative = 0
    daily_swing: Annotated[float, Meta(ge=0, le=1)] = 0.0

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        branch = randomness.branch("workload")
        lifetimes, choices = branch.branch("lifetimes").generator, branch.branch("flavours").generator
        weights = np.array([flavour.weight for flavour in self.flavours], float)
        weights /= weights.sum()
        arrivals = self._arrivals(branch.branch("arrivals").generator)
        for first in range(0, self.requests_in_all, _BLOCK):
            size = min(_BLOCK, self.requests_in_all - first)
            seconds = self.lifetime.draw(lifetimes, size).tolist()
            picks = choices.choice(len(weights), size, p=weights).tolist()
            for offset in range(size):
                flavour = self.flavours[picks[offset]]
                yield VmRequest(
                    str(first + offset),
                    round(1000 * next(arrivals)),
                    max(1, round(1000 * seconds[offset])),
                    flavour.vcpu,
                    flavour.cpu_mhz,
                    flavour.memory_mib,
                    flavour.gpus,
                    flavour.gpu_milli,
                    flavour.gpu_models,
                    flavour.tags,
                )

    def _arrivals(self, generator: np.random.Generator) -> Iterator[float]:
        """Arrival times in seconds. A varying rate thins a faster process (Lewis and Shedler, 1979)."""
        for _ in range(self.warm_start):
            yield 0.0
        swing = self.daily_swing
        mean_gap = 3600.0 / (self.per_hour * (1 + swing))
        clock = 0.0
        while True:
            gaps = generator.exponential(mean_gap, _BLOCK).tolist()
            chances = generator.random(_BLOCK).tolist() if swing else [0.0] * _BLOCK
            for gap, chance in zip(gaps, chances, strict=True):
                clock += gap
                if chance * (1 + swing) <= 1 - swing * math.cos(2 * math.pi * clock / DAY):
                    yield clock
