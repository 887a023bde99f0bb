"""When a host is overloaded, against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.consolidation.detection import (
    DETECTIONS,
    InterquartileRange,
    LocalRegression,
    MedianAbsoluteDeviation,
    RobustLocalRegression,
    StaticThreshold,
)

TWELVE = [k / 20 for k in (7, 1, 12, 3, 5, 10, 2, 8, 4, 11, 6, 9)]
"""1/20 to 12/20 in some order: median 6.5/20, deviations 0.5/20 (twice) to 5.5/20, of which 3/20 is the median."""

shares = st.floats(0, 1, allow_subnormal=False)


def test_a_static_threshold_is_exceeded_only_by_more() -> None:
    detection = StaticThreshold(threshold=0.75)
    assert not detection.overloaded([], 0.75)
    assert detection.overloaded([], 0.7500001)


def test_mad_keeps_room_for_the_median_deviation_from_the_median() -> None:
    threshold = 1 - 2.5 * 3 / 20
    detection = MedianAbsoluteDeviation(safety=2.5)
    assert not detection.overloaded(TWELVE, threshold - 1e-9)
    assert detection.overloaded(TWELVE, threshold + 1e-9)


def test_iqr_keeps_room_for_the_middle_half() -> None:
    # Of 12 values, the quartiles are those of rank 13 / 4 and 3 * 13 / 4, rounded: the 3rd and the 10th.
    threshold = 1 - 1.5 * (10 - 3) / 20
    detection = InterquartileRange(safety=1.5)
    assert not detection.overloaded(TWELVE, threshold - 1e-9)
    assert detection.overloaded(TWELVE, threshold + 1e-9)


@pytest.mark.parametrize("name", ["mad", "iqr", "lr", "lrr"])
def test_a_short_history_falls_back_to_a_threshold(name: str) -> None:
    detection = DETECTIONS[name](fallback=0.6)  # type: ignore[call-arg]
    assert not detection.overloaded(TWELVE[:9], 0.6)
    assert detection.overloaded(TWELVE[:9], 0.61)


@pytest.mark.parametrize("kind", [LocalRegression, RobustLocalRegression])
@pytest.mark.parametrize("weights", ["tricube", "none"])
def test_a_straight_line_is_continued(kind: type[LocalRegression], weights: str) -> None:
    rising = [0.2, 0.9, 0.1] + [0.30 + 0.05 * k for k in range(10)]  # only the last ten count; the next is 0.80
    detection = kind(safety=1.2, weights=weights)  # type: ignore[arg-type]
    assert not detection.overloaded(rising, 0.75, horizon=1)  # 1.2 * 0.80 < 1
    assert detection.overloaded(rising, 0.75, horizon=2)  # 1.2 * 0.85 > 1


def test_tricube_weights_follow_what_is_new() -> None:
    turned = [0.4] * 6 + [0.5, 0.6, 0.7, 0.8]
    x, y = np.arange(1, 11), np.array(turned)
    weights = (1 - ((10 - x) / 9) ** 3) ** 3
    slope, intercept = np.polyfit(x, y, 1, w=np.sqrt(weights))
    plain = np.polyval(np.polyfit(x, y, 1), 11)
    predicted = intercept + slope * 11
    assert plain < 0.77 < 0.8 < predicted
    safety = 1 / (predicted - 1e-6)
    assert LocalRegression(safety=safety).overloaded(turned, 0.8)
    assert not LocalRegression(safety=1 / (predicted + 1e-6)).overloaded(turned, 0.8)
    assert not LocalRegression(safety=safety, weights="none").overloaded(turned, 0.8)


def test_robust_regression_does_not_follow_an_outlier() -> None:
    spike = [0.60, 0.61, 0.60, 0.59, 0.60, 0.61, 0.60, 0.59, 1.40, 0.60]
    assert LocalRegression(safety=1.2).overloaded(spike, 0.6)
    assert not RobustLocalRegression(safety=1.2).overloaded(spike, 0.6)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_robust_regression_fits_again_by_how_far_values_were_off(seed: int) -> None:
    y = np.random.default_rng(seed).random(10)
    x = np.arange(1, 11)
    weights = (1 - ((10 - x) / 9) ** 3) ** 3
    off = np.abs(y - np.polyval(np.polyfit(x, y, 1, w=np.sqrt(weights)), x))
    scaled = np.minimum(off / (6 * np.median(off)), 1)
    again = weights * (1 - scaled**2) ** 2
    predicted = np.polyval(np.polyfit(x, y, 1, w=np.sqrt(again)), 11)
    if abs(predicted - 1) > 1e-9:
        assert RobustLocalRegression(safety=1.0).overloaded(y.tolist(), 0.5) == (predicted >= 1)


@settings(deadline=None, max_examples=60)
@given(st.lists(shares, min_size=1, max_size=30), shares, shares, st.sampled_from(["thr", "mad", "iqr"]))
def test_a_threshold_is_exceeded_by_all_demands_above_one_that_does(
    history: list[float], one: float, other: float, name: str
) -> None:
    low, high = sorted((one, other))
    detection = DETECTIONS[name]()
    assert detection.overloaded(history, high) or not detection.overloaded(history, low)


@settings(deadline=None, max_examples=60)
@given(st.lists(shares, min_size=12, max_size=30), shares, st.sampled_from(["mad", "iqr"]), st.randoms())
def test_the_order_of_the_past_does_not_matter_to_a_deviation(
    history: list[float], demand: float, name: str, chance: object
) -> None:
    shuffled = history[:]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    detection = DETECTIONS[name]()
    assert detection.overloaded(history, demand) == detection.overloaded(shuffled, demand)


@settings(deadline=None, max_examples=60)
@given(st.lists(shares, min_size=10, max_size=30), st.integers(1, 3))
def test_local_regression_is_weighted_least_squares(history: list[float], horizon: int) -> None:
    x = np.arange(1, 11)
    weights = (1 - ((10 - x) / 9) ** 3) ** 3
    slope, intercept = np.polyfit(x, np.array(history[-10:]), 1, w=np.sqrt(weights))
    predicted = intercept + slope * (10 + horizon)
    detection = LocalRegression(safety=1.0)
    if abs(predicted - 1) > 1e-9:
        assert detection.overloaded(history, 0.5, horizon) == (predicted >= 1)
