"""Lifetimes that placement is told: as wrong as asked for, and the same however a trace is read."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.experiment.blocks import ENDLESS
from cloudsim.experiment.traces.inline import InlineRequest, InlineTrace
from cloudsim.experiment.traces.prediction import Prediction
from cloudsim.experiment.traces.w1 import W1Trace
from cloudsim.randomness import Randomness
from tests.cloudsim.experiment.traces.reading import assert_columns_are_the_rows, read

TWO = InlineTrace(list=(InlineRequest(at=0, lifetime=5, memory_mib=64), InlineRequest(at=1, memory_mib=64)))


def told(trace: InlineTrace | W1Trace, **changes: object) -> list[int | None]:
    changed = type(trace)(**{name: getattr(trace, name) for name in trace.__struct_fields__} | changes)
    return [request.expected_ms for request in read(changed, Path())]


def test_without_an_error_nothing_is_told() -> None:
    assert told(TWO) == [None, None]


def test_an_error_of_zero_tells_the_truth() -> None:
    assert told(TWO, lifetime_error=0) == [5000, None]


def test_of_an_instance_that_runs_on_nothing_is_told() -> None:
    assert told(TWO, lifetime_error=1, lifetimes="endless") == [None, None]


def test_the_logarithm_of_the_factor_is_normal_with_that_deviation() -> None:
    n = 20_000
    lifetimes = np.full(n, 10**9)
    z = np.log(Prediction(0.7, Randomness(3)).all(lifetimes) / lifetimes) / 0.7
    ordered = np.sort(z)
    below = 0.5 * (1 + np.array([math.erf(x / math.sqrt(2)) for x in ordered]))
    assert np.abs(np.arange(1, n + 1) / n - below).max() < 1.95 / math.sqrt(n)  # rejects one in a thousand
    assert np.mean(np.abs(z) < math.log(2) / 0.7) == pytest.approx(0.678, abs=4 * math.sqrt(0.22 / n))


def test_a_prediction_is_at_least_a_millisecond_and_never_absurd() -> None:
    predictions = Prediction(500, Randomness(1)).all(np.full(1000, 60_000))
    assert {int(predictions.min()), int(predictions.max())} == {1, 2**53}


@given(st.lists(st.one_of(st.just(ENDLESS), st.integers(1, 2**53)), max_size=20), st.lists(st.integers(1, 5)))
def test_one_by_one_and_many_at_once_are_the_same(lifetimes: list[int], cuts: list[int]) -> None:
    single = Prediction(0.5, Randomness(1))
    one_by_one = [single.of(None if ms == ENDLESS else ms) for ms in lifetimes]
    many = Prediction(0.5, Randomness(1))
    at_once: list[int | None] = []
    left = lifetimes
    for cut in [*cuts, len(lifetimes)]:
        part, left = left[:cut], left[cut:]
        at_once += [None if ms == ENDLESS else ms for ms in many.all(np.array(part, np.int64)).tolist()]
    assert one_by_one == at_once


@settings(deadline=None)
@given(
    st.integers(0, 40),
    st.one_of(st.none(), st.integers(1, 50)),
    st.sampled_from(["recorded", "endless"]),
    st.sampled_from([1.0, 0.25, 3.3]),
    st.one_of(st.none(), st.integers(1, 500)),
    st.one_of(st.none(), st.just(0.0), st.floats(0.05, 3)),
)
def test_w1_as_columns_is_w1_as_rows(
    start: int, limit: int | None, lifetimes: str, interarrival: float, every: int | None, error: float | None
) -> None:
    trace = W1Trace(
        hosts=2,
        requests_after_warm_start=40,
        start=start,
        limit=limit,
        lifetimes=lifetimes,
        interarrival=interarrival,
        every_ms=every,
        lifetime_error=error,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cloudsim.experiment.traces.w1._BLOCK", 16)
        assert_columns_are_the_rows(trace, Path())


def test_what_is_told_does_not_change_what_is_asked() -> None:
    trace = W1Trace(hosts=2, requests_after_warm_start=40)
    wrong = W1Trace(hosts=2, requests_after_warm_start=40, lifetime_error=1)
    assert [(r.arrival_ms, r.lifetime_ms) for r in read(trace, Path())] == [
        (r.arrival_ms, r.lifetime_ms) for r in read(wrong, Path())
    ]
