"""How long generated instances run: distributions, all given by their mean."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from cloudsim.experiment.traces.source import Positive
from cloudsim.experiment.traces.streams import Floats


class Lifetime(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long instances run, in seconds: a `distribution` with the `mean` m.

    | distribution | P(lifetime > t) | |
    |---|---|---|
    | exponential | exp(-t / m) | forgets its age: the load that begins with a warm start is stationary |
    | lognormal | 1 - Phi((ln t - mu) / `sigma`), mu = ln m - sigma^2 / 2 | sigma 2 is heavy-tailed |
    | pareto | (x / t)^`alpha` from x = m (alpha - 1) / alpha on | the fewer alpha > 1, the heavier the tail |
    | bimodal | a `short` one as often as `short_share`, else a `long` one | no mean of its own |
    | constant | 1 until m | |

    See D. G. Feitelson, "Workload Modeling for Computer Systems Performance Evaluation", Cambridge 2015, chapters 3
    and 5, and for why a mixture is a model of virtual machines, E. Cortez et al., "Resource Central", SOSP 2017: most are
    short, and a few that are long take most of the core-hours.
    """

    mean: Positive | None = None
    distribution: Literal["exponential", "lognormal", "pareto", "bimodal", "constant"] = "exponential"
    sigma: Positive = 1.0
    alpha: Annotated[float, Meta(gt=1)] = 2.0
    short: Lifetime | None = None
    long: Lifetime | None = None
    short_share: Annotated[float, Meta(ge=0, le=1)] = 0.5

    def __post_init__(self) -> None:
        if self.distribution == "bimodal":
            if self.short is None or self.long is None or self.mean is not None:
                raise ValueError("bimodal: expected `short` and `long`, which have means, and no `mean`")
        elif self.mean is None or self.short is not None or self.long is not None:
            raise ValueError(f"{self.distribution}: expected a `mean`, and neither `short` nor `long`")

    @property
    def average(self) -> float:
        """The mean, in seconds, also of a bimodal one."""
        if self.short is not None and self.long is not None:
            return self.short_share * self.short.average + (1 - self.short_share) * self.long.average
        assert self.mean is not None
        return self.mean

    def draw(self, generator: np.random.Generator, size: int) -> Floats:
        """`size` lifetimes."""
        if self.short is not None and self.long is not None:
            brief = generator.random(size) < self.short_share
            return np.where(brief, self.short.draw(generator, size), self.long.draw(generator, size))
        mean = self.average
        if self.distribution == "exponential":
            return generator.exponential(mean, size)
        if self.distribution == "lognormal":
            return generator.lognormal(math.log(mean) - self.sigma**2 / 2, self.sigma, size)
        if self.distribution == "pareto":
            return mean * (self.alpha - 1) / self.alpha * (1 + generator.pareto(self.alpha, size))
        return np.full(size, mean)
