"""Lifetimes as a predictor would tell them: the true one times a log-normal factor.

A prediction is expected = true * exp(sigma z), with z standard normal: the error of ln(lifetime) is normal with
standard deviation `sigma`. An error of the logarithm suits lifetimes, which go over many orders of magnitude; its
normal shape is an assumption, not a fit to a published predictor. sigma = 0 is exact, at 0.7 two thirds of the
predictions are within a factor of 2, at 2.3 within one of 10.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cloudsim.experiment.blocks import ENDLESS, Ints
from cloudsim.experiment.traces.streams import Floats, Stream
from cloudsim.randomness import Randomness

LONGEST_MS = 2.0**53
"""No prediction is longer: 285,000 years."""

_CHUNK = 4096


class Prediction:
    """Predicts the lifetimes of requests in their order: one draw for each of them, also for those that run on.

    The numbers come from the branch "lifetime error"; they are the same for requests one by one and as columns.
    """

    def __init__(self, sigma: float, randomness: Randomness) -> None:
        self._sigma = sigma
        self._factors = Stream(_factors(sigma, randomness.branch("lifetime error").generator))

    def of(self, lifetime_ms: int | None) -> int | None:
        """The prediction for the next request; None for one that runs on."""
        factor = float(self._factors.take(1)[0])
        if lifetime_ms is None:
            return None
        return lifetime_ms if self._sigma == 0 else round(max(1.0, min(lifetime_ms * factor, LONGEST_MS)))

    def all(self, lifetimes_ms: Ints) -> Ints:
        """The predictions for the next requests, ENDLESS for those that run on."""
        factors = self._factors.take(len(lifetimes_ms))
        if self._sigma == 0:
            return lifetimes_ms
        told = np.rint(np.clip(lifetimes_ms * factors, 1.0, LONGEST_MS)).astype(np.int64)
        return np.where(lifetimes_ms == ENDLESS, ENDLESS, told)


def _factors(sigma: float, generator: np.random.Generator) -> Iterator[Floats]:
    # In chunks of one size, so that any use of them has the same roundings.
    while True:
        with np.errstate(over="ignore"):
            yield np.exp(sigma * generator.standard_normal(_CHUNK))
