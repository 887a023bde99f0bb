"""How policies are named."""

from __future__ import annotations

import sys
import types

import pytest
from numba import njit

from cloudsim.consolidation import Baseline, Consolidation, Detection, policy
from cloudsim.consolidation.detection import LocalRegression, MedianAbsoluteDeviation, StaticThreshold
from cloudsim.consolidation.placement import BestFitDecreasing, PowerAwareBestFitDecreasing
from cloudsim.consolidation.selection import MaximumCorrelation, MinimumMigrationTime
from cloudsim.errors import InvalidParameterValue


def _consolidation(text: str) -> Consolidation:
    found = policy(text)
    assert isinstance(found, Consolidation)
    return found


def test_a_name_is_a_detection_and_a_selection() -> None:
    found = _consolidation("mad-mmt")
    assert found.detection == MedianAbsoluteDeviation(safety=2.5)
    assert found.selection == MinimumMigrationTime()
    assert found.placement == PowerAwareBestFitDecreasing()
    assert found.name == "mad-mmt"


def test_a_number_is_the_first_option_of_the_detection() -> None:
    assert _consolidation("thr-mmt-0.7").detection == StaticThreshold(threshold=0.7)


def test_options_go_to_the_part_that_has_them() -> None:
    found = _consolidation("lr-mc,safety=1.4,weights=none,placement=bfd,below=0.3")
    assert found.detection == LocalRegression(safety=1.4, weights="none")
    assert found.selection == MaximumCorrelation()
    assert found.placement == BestFitDecreasing()
    assert found.underload.options().tolist() == [0.3]


def test_baselines_have_names() -> None:
    assert policy("npa") == Baseline(name="npa", full_power=True)
    assert policy("dvfs") == Baseline(name="dvfs", full_power=False)


def test_a_detection_of_ones_own_is_found_in_its_module() -> None:
    @njit
    def rising(history, demand, horizon, options):  # type: ignore[no-untyped-def]
        return demand + history[-1] - history[0] > options[0]

    class Rising(Detection, frozen=True, kw_only=True):
        rule = staticmethod(rising)
        limit: float = 0.9

    sys.modules["own"] = types.ModuleType("own")
    sys.modules["own"].Rising = Rising  # type: ignore[attr-defined]
    try:
        found = _consolidation("own:Rising-mmt,limit=0.5").detection
    finally:
        del sys.modules["own"]
    assert found.overloaded([0.1, 0.2], 0.45) and not found.overloaded([0.1, 0.2], 0.35)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("best", "no consolidation policy 'best': expected npa or dvfs, or a detection .thr, mad"),
        ("foo-mmt", "no detection 'foo'; there are thr, mad, iqr, lr, lrr, or module:Class"),
        ("mad-foo", "no selection 'foo'; there are mmt, mc, rs, mu, or module:Class"),
        ("mad-mmt,placement=foo", "no placement 'foo'; there are pabfd, bfd"),
        ("mad-mmt,threshold=1", "no option 'threshold': it has safety, fallback, below, placement"),
        ("mad-mmt,safety", "expected option=value, got 'safety'"),
        ("mad-mmt,safety=1,safety=2", "option safety is given twice"),
        ("mad-mmt-1,safety=2", "expected no number after mmt, got 1"),
        ("mad-mmt,safety=-1", "Expected `float` >= 0.0"),
        ("thr-mmt-much", "Expected `float`, got `str`"),
        ("npa,safety=1", "npa has no options"),
        ("nowhere:This-mmt", "detection 'nowhere:This' cannot be loaded"),
        ("collections:OrderedDict-mmt", "is not a cloudsim.consolidation.Detection"),
    ],
)
def test_a_wrong_name_says_what_there_is(text: str, error: str) -> None:
    with pytest.raises(InvalidParameterValue, match=error):
        policy(text)
