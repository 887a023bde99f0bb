"""Statistics: as computed by hand, and as often right as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cloudsim.experiment.compare.statistics import bootstrap, estimate, holm, paired, runs_needed


def test_a_mean_has_students_interval() -> None:
    # Of 1, 2, 3, 4: mean 2.5, s = sqrt(5 / 3), t(0.975, 3) = 3.1824463.
    found = estimate([1, 2, 3, 4])
    half = 3.1824463052842 * math.sqrt(5 / 3) / 2
    assert (found.n, found.mean) == (4, 2.5)
    assert found.deviation == pytest.approx(math.sqrt(5 / 3))
    assert (found.low, found.high) == pytest.approx((2.5 - half, 2.5 + half))
    assert found.half == pytest.approx(half)


def test_a_wider_confidence_has_a_wider_interval() -> None:
    # t(0.995, 3) = 5.8409093.
    assert estimate([1, 2, 3, 4], 0.99).half == pytest.approx(5.8409093097 * math.sqrt(5 / 3) / 2)


def test_nothing_is_claimed_from_one_run() -> None:
    assert estimate([7.0]) == (1, 7.0, None, None, None)
    found = paired([3.0], [1.0])
    assert found.estimate.mean == 2.0
    assert (found.estimate.low, found.bootstrap_low, found.p_t, found.p_signed_rank) == (None, None, None, None)


def test_pairs_take_out_what_both_sides_have_in_common() -> None:
    common = [10.0, 20.0, 30.0, 40.0, 50.0]
    found = paired([x + y for x, y in zip(common, (1.0, 1.1, 0.9, 1.0, 1.2), strict=True)], common)
    # Differences of mean 1.04 and s = 0.1140175; t(0.975, 4) = 2.7764451; t = 1.04 / (s / sqrt(5)) = 20.396.
    assert found.estimate.mean == pytest.approx(1.04)
    assert found.estimate.half == pytest.approx(2.7764451052 * 0.11401754 / math.sqrt(5))
    assert found.p_t == pytest.approx(3.4e-5, rel=0.02)
    # All five ranks are on one side: 2 of 2^5 signs are as far out.
    assert found.p_signed_rank == pytest.approx(2 / 32)
    assert found.bootstrap_low is not None and found.bootstrap_high is not None
    assert 0.9 <= found.bootstrap_low < 1.04 < found.bootstrap_high <= 1.2


def test_sides_that_are_the_same_do_not_differ() -> None:
    found = paired([0.5, 0.25, 0.125], [0.5, 0.25, 0.125])
    assert (found.estimate.low, found.estimate.high) == (0, 0)
    assert (found.p_t, found.p_signed_rank) == (1.0, 1.0)
    assert (found.bootstrap_low, found.bootstrap_high) == (0, 0)


def test_a_difference_that_is_always_the_same_is_certain() -> None:
    found = paired([2.0, 3.0, 4.0], [1.0, 2.0, 3.0])
    assert (found.estimate.low, found.estimate.high, found.p_t) == (1.0, 1.0, 0.0)


def test_holm_by_hand() -> None:
    # In order 0.005 * 4, 0.01 * 3, 0.03 * 2, and 0.04 * 1, which may not be less than the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holms_p_values_keep_their_order_between_the_plain_ones_and_bonferronis(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    for p, a in zip(p_values, adjusted, strict=True):
        assert p <= a <= min(1.0, len(p_values) * p) or a == min(1.0, max(adjusted))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()


def test_how_many_runs_would_do() -> None:
    # Half an interval of 386 runs of deviation 1 is t(0.975, 385) / sqrt(386) = 0.10007, of 387 runs 0.09994.
    assert runs_needed(1.0, 0.1) == 387
    assert runs_needed(0.0, 0.1) == 2
    assert runs_needed(1.0, 0.0) is None
    assert runs_needed(1.0, 1e-9) is None


@given(st.floats(0.1, 10), st.floats(0.05, 10))
def test_one_run_fewer_would_not_do(deviation: float, half: float) -> None:
    n = runs_needed(deviation, half)
    assert n is not None

    def width(runs: int) -> float:
        return float(stats.t.ppf(0.975, runs - 1)) * deviation / math.sqrt(runs)

    assert width(n) <= half
    assert n == 2 or width(n - 1) > half


@pytest.mark.parametrize("draw", ["normal", "exponential"])
def test_intervals_hold_the_true_mean_as_often_as_they_say(draw: str) -> None:
    generator = np.random.default_rng(1)
    rounds, n = 2000, 10
    values = generator.normal(5, 2, (rounds, n)) if draw == "normal" else generator.exponential(5, (rounds, n))
    held = sum((e.low or 0.0) <= 5 <= (e.high or 0.0) for e in map(estimate, values.tolist()))
    # 0.95 and its binomial error for normal values; for skew ones of which there are ten, less, as is known.
    assert (0.935 < held / rounds < 0.965) if draw == "normal" else (0.87 < held / rounds < 0.95)


def test_bootstrap_intervals_hold_the_true_mean_about_as_often_as_they_say() -> None:
    generator = np.random.default_rng(2)
    rounds = 150
    held = 0
    for _ in range(rounds):
        low, high = bootstrap(generator.normal(5, 2, 20))
        held += low <= 5 <= high
    assert 0.86 < held / rounds <= 1.0


def test_the_chance_of_any_false_finding_stays_where_it_should_with_holm() -> None:
    generator = np.random.default_rng(3)
    rounds = 2000
    p_values = stats.ttest_1samp(generator.normal(size=(rounds, 6, 5)), 0.0, axis=2).pvalue
    false = sum(min(holm(row)) < 0.05 for row in p_values.tolist())
    plain = sum(min(row) < 0.05 for row in p_values.tolist())
    assert false / rounds < 0.06 < 0.2 < plain / rounds
