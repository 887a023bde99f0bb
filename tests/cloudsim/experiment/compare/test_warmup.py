"""MSER-5: what is left out of a series at its beginning."""

from __future__ import annotations

import numpy as np
import pytest

from cloudsim.experiment.compare.warmup import mser


def test_by_hand() -> None:
    # Batches of one: 10, 0, 1, 0, 1, 0, 1. Leaving out none, one, two, three: 77.7 / 49, 1.5 / 36, 1.2 / 25, 0.75 / 16 is
    # least for one.
    assert mser([10, 0, 1, 0, 1, 0, 1], batch=1) == 1


def test_a_transient_is_left_out_and_steady_noise_is_kept() -> None:
    generator = np.random.default_rng(4)
    noise = generator.normal(size=500)
    noise[:100] += np.linspace(30, 0, 100)
    assert 80 <= (mser(noise) or 0) <= 110
    kept = [mser(generator.normal(size=500)) or 0 for _ in range(20)]
    assert np.mean(kept) < 60


def test_whole_batches_are_left_out() -> None:
    series = np.concatenate((np.full(7, 9.0), np.zeros(93)))
    assert mser(series) == 10


def test_a_series_that_never_settles_is_too_short() -> None:
    assert mser(np.arange(100.0)) is None
    assert mser([1.0, 2.0, 3.0]) is None


def test_a_constant_series_has_no_transient() -> None:
    assert mser(np.full(100, 0.3)) == 0


@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_the_level_of_a_series_does_not_matter(offset: float) -> None:
    series = np.concatenate((np.linspace(5, 0, 50), np.tile([0.0, 1.0], 100)))
    assert mser(series + offset) == mser(series)
