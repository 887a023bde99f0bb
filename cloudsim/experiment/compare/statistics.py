"""What can be said from a few runs: means with intervals, paired differences, tests, and how many runs would say more.

Nothing is claimed from one run. Sources are with each function; docs/metrics.md says how they are used.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

RESAMPLES = 9999
"""Bootstrap resamples: one less than a round number, as is usual for percentiles."""
MOST_RUNS = 1_000_000


class Estimate(NamedTuple):
    """A mean over `n` runs with its standard deviation and confidence interval; None where there are too few for them."""

    n: int
    mean: float
    deviation: float | None
    low: float | None
    high: float | None

    @property
    def half(self) -> float | None:
        """Half the interval's width."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


class Difference(NamedTuple):
    """The mean of paired differences, with Student's t interval, a bootstrap interval, and the p-values of two tests.

    `p_t` is of the paired t test, `p_signed_rank` of Wilcoxon's; None with one pair.
    """

    estimate: Estimate
    bootstrap_low: float | None
    bootstrap_high: float | None
    p_t: float | None
    p_signed_rank: float | None


def estimate(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """The mean of independent values: mean -+ t(1 - alpha / 2, n - 1) * s / sqrt(n), s with n - 1 degrees of freedom."""
    array = np.asarray(values, float)
    n, mean = len(array), float(array.mean())
    if n < 2:
        return Estimate(n, mean, None, None, None)
    deviation = float(array.std(ddof=1))
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * deviation / math.sqrt(n)
    return Estimate(n, mean, deviation, mean - half, mean + half)


def paired(values: Sequence[float], baseline: Sequence[float], confidence: float = 0.95) -> Difference:
    """Differences of runs that had the same requests (common random numbers), value - baseline, pair by pair.

    The bootstrap is BCa (Efron, "Better bootstrap confidence intervals", JASA 82, 1987), always with the same resamples;
    the signed-rank test is Wilcoxon's, exact where there are no ties (Wilcoxon, Biometrics Bulletin 1, 1945).
    """
    differences = np.asarray(values, float) - np.asarray(baseline, float)
    found = estimate(differences.tolist(), confidence)
    if found.n < 2:
        return Difference(found, None, None, None, None)
    low, high = bootstrap(differences, confidence)
    return Difference(found, low, high, _p_t(differences), _p_signed_rank(differences))


def _same(values: np.ndarray) -> bool:
    """Whether values differ by no more than rounding."""
    return float(np.ptp(values)) <= 1e-12 * max(1e-300, float(np.abs(values).max()))


def bootstrap(values: np.ndarray, confidence: float = 0.95) -> tuple[float, float]:
    """The BCa interval of the mean."""
    if _same(values):
        return float(values.mean()), float(values.mean())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few values: the interval is then as wide as they reach
        found = stats.bootstrap(
            (values,),
            np.mean,
            n_resamples=RESAMPLES,
            confidence_level=confidence,
            method="BCa",
            rng=np.random.default_rng(0),
        ).confidence_interval
    low, high = float(found.low), float(found.high)
    return (low, high) if math.isfinite(low + high) else (float(values.min()), float(values.max()))


def _p_t(differences: np.ndarray) -> float:
    if _same(differences):
        return 0.0 if differences.any() else 1.0
    return float(stats.ttest_1samp(differences, 0.0).pvalue)


def _p_signed_rank(differences: np.ndarray) -> float:
    if not differences.any():
        return 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ties: it says that it takes the normal approximation
        return float(stats.wilcoxon(differences, method="auto").pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for their number, so that the chance of any false rejection is at most alpha.

    p~_(i) = max over j <= i of min(1, (m - j + 1) p_(j)), in ascending order (Holm, Scandinavian Journal of Statistics 6, 1979).
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def runs_needed(deviation: float, half: float, confidence: float = 0.95) -> int | None:
    """The least number of runs n >= 2 with t(1 - alpha / 2, n - 1) * s / sqrt(n) <= half, if s stays what it is.

    None for more than MOST_RUNS. Source: Law, "Simulation modeling and analysis" (5th ed., 2015), section 9.4.1.
    """
    if deviation == 0:
        return 2

    def enough(n: int) -> bool:
        return float(stats.t.ppf((1 + confidence) / 2, n - 1)) * deviation / math.sqrt(n) <= half

    if half <= 0 or not enough(MOST_RUNS):
        return None
    low, high = 1, 2
    while not enough(high):
        low, high = high, min(2 * high, MOST_RUNS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
