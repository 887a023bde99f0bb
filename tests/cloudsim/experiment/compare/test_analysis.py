"""What runs say: pairs by seed, warm-up for all alike, and no more than can be said."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cloudsim.experiment.compare.statistics import holm
from cloudsim.experiment.errors import ScenarioError
from tests.cloudsim.experiment.compare.comparing import SPEC, compared


def test_differences_are_of_the_same_seeds() -> None:
    _, (result,) = compared(SPEC)
    name = "host_hours_ratio"
    ours, base = result.row("best-fit"), result.row("first-fit")
    each = [a[name] - b[name] for a, b in zip(ours.figures, base.figures, strict=True)]
    found = ours.against[name]
    assert found.difference.estimate.mean == pytest.approx(np.mean(each))
    half = 3.1824463 * np.std(each, ddof=1) / math.sqrt(4)
    assert found.difference.estimate.half == pytest.approx(half)
    assert found.relative == pytest.approx(np.mean(each) / base.estimates[name].mean)
    assert not base.against


def test_p_values_are_adjusted_for_all_that_are_compared() -> None:
    _, (result,) = compared(SPEC)
    name = "cpu_packing_density"
    others = [row for row in result.rows if row.policy != "first-fit"]
    plain = [row.against[name].difference.p_t or 0.0 for row in others]
    assert [row.against[name].holm_t for row in others] == pytest.approx(holm(plain))


def test_the_best_by_the_leading_metric_comes_first() -> None:
    _, (by_ratio,) = compared(SPEC)
    means = [row.estimates["host_hours_ratio"].mean for row in by_ratio.ranked]
    assert means == sorted(means)
    _, (by_empty,) = compared(SPEC.replace("power:", "metrics: [empty_share]\npower:"))
    means = [row.estimates["empty_share"].mean for row in by_empty.ranked]
    assert means == sorted(means, reverse=True)


def test_with_one_seed_no_interval_is_claimed() -> None:
    _, (result,) = compared(SPEC.replace("seeds: 4", "seeds: 1"))
    assert result.replication == "one run of each policy: no interval is claimed"
    for row in result.rows:
        assert all(found.low is None for found in row.estimates.values())
        assert all(found.holm_t is None and found.certain is None for found in row.against.values())


def test_chance_alone_is_not_taken_for_more() -> None:
    _, (result,) = compared(SPEC.replace('seed: "{seed}"', "seed: 7"))
    assert "intervals are about that chance alone" in result.replication
    assert result.row("best-fit").estimates["host_hours_ratio"].low is None
    assert result.row("best-fit").against["host_hours_ratio"].difference.estimate.low is None
    # Against the baseline, which has one value, whatever the seed.
    chance = result.row("random").against["host_hours_ratio"].difference.estimate
    assert chance.n == 4 and chance.low is not None


def test_a_fixed_warm_up_is_whole_cells() -> None:
    _, (result,) = compared(SPEC.replace("power:", "warm_up: 20000\npower:"))
    shortest = min(record.over_ms for row in result.rows for record in row.records)
    assert result.begin == math.ceil(2e7 / shortest * 480)
    assert "20,000 s rounded up to whole cells" in result.note
    hours = np.mean([record.over_ms for row in result.rows for record in row.records]) / 3.6e6
    assert result.measured_h == pytest.approx(hours * (1 - result.begin / 480))


def test_a_warm_up_that_leaves_nothing_is_wrong() -> None:
    with pytest.raises(ScenarioError, match=r"small.yaml:11: warm_up: expected less than the .* that churn on ten takes"):
        compared(SPEC.replace("power:", "warm_up: 1000000000\npower:"))


def test_mser_finds_one_beginning_for_all_policies() -> None:
    _, (result,) = compared(SPEC.replace("power:", "warm_up: mser-5\npower:").replace("start: 300", "start: 1500"))
    assert 0 <= result.begin <= 240 and result.begin % 5 == 0
    assert result.note.startswith("MSER-5 leaves out the first ")
