"""Arrival processes: endless times in seconds, not decreasing, in chunks of some thousands."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cloudsim.experiment.traces.streams import Floats

DAY = 86_400.0
HOUR = 3600.0
_CHUNK = 4096
_BATCHED = 65_536


def poisson(generator: np.random.Generator, per_hour: float, daily_swing: float = 0.0) -> Iterator[Floats]:
    """A Poisson process; with a swing s in [0, 1] of the rate per_hour * (1 - s cos(2 pi t / day)).

    The varying rate thins a faster process: P. A. W. Lewis and G. S. Shedler, "Simulation of nonhomogeneous Poisson
    processes by thinning", Naval Research Logistics Quarterly 26(3), 1979.
    """
    highest = 1 + daily_swing
    mean_gap = HOUR / (per_hour * highest)
    clock = 0.0
    while True:
        times = _running_sum(clock, generator.exponential(mean_gap, _CHUNK))
        clock = float(times[-1])
        if daily_swing:
            chances = generator.random(_CHUNK) * highest
            times = times[chances <= 1 - daily_swing * np.cos(2 * np.pi * times / DAY)]
        yield times


def modulated(
    generator: np.random.Generator, per_hour: tuple[float, float], stays: tuple[float, float]
) -> Iterator[Floats]:
    """A Poisson process whose rate alternates between two values: a Markov-modulated Poisson process of two states.

    The rate is `per_hour[i]` while in state i, for an exponential time of mean `stays[i]` seconds; it begins in a
    state as often as it is there in the long run. W. Fischer and K. Meier-Hellstern, "The Markov-modulated Poisson
    process (MMPP) cookbook", Performance Evaluation 18(2), 1993. At least one rate must be positive.

    Made by a change of time: where the integral of the rate passes the points of a unit Poisson process.
    """
    state = int(generator.random() >= stays[0] / (stays[0] + stays[1]))
    begin = done = last_point = 0.0
    points = np.empty(0)
    while True:
        states = (state + np.arange(_CHUNK)) % 2
        ends = _running_sum(begin, generator.exponential(np.take(stays, states)))
        rates = np.take(per_hour, states) / HOUR
        begins = np.concatenate(([begin], ends[:-1]))
        work = _running_sum(done, (ends - begins) * rates)
        work_before = np.concatenate(([done], work[:-1]))
        while True:
            if not points.size:
                points = _running_sum(last_point, generator.exponential(1.0, _CHUNK))
                last_point = float(points[-1])
            now, points = np.split(points, [np.searchsorted(points, work[-1], side="right")])
            stay = np.searchsorted(work, now)
            yield np.minimum(begins[stay] + (now - work_before[stay]) / rates[stay], ends[stay])
            if points.size:
                break
        state = (state + _CHUNK) % 2
        begin, done = float(ends[-1]), float(work[-1])


def batches(generator: np.random.Generator, per_hour: float, mean: float, fixed: bool) -> Iterator[Floats]:
    """Batches that arrive as a Poisson process, `per_hour` requests on average: a compound Poisson process.

    A batch has `mean` requests on average: exactly so many where `fixed` (a whole number then), else a geometric
    number from 1 on. W. Feller, "An Introduction to Probability Theory and Its Applications", vol. 1, 1968, XII.2.
    """
    count = max(1, min(_CHUNK, int(_BATCHED / mean)))
    clock = 0.0
    while True:
        times = _running_sum(clock, generator.exponential(HOUR * mean / per_hour, count))
        clock = float(times[-1])
        sizes = np.full(count, round(mean)) if fixed else generator.geometric(1 / mean, count)
        yield np.repeat(times, sizes)


def _running_sum(before: float, gaps: Floats) -> Floats:
    # One by one from what was before, so that the roundings do not depend on where chunks end.
    return np.cumsum(np.concatenate(([before], gaps)))[1:]
