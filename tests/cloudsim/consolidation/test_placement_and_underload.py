"""Where instances go, and which host is emptied."""

from __future__ import annotations

from cloudsim.consolidation.placement import BestFitDecreasing, PowerAwareBestFitDecreasing
from cloudsim.consolidation.underload import LeastUtilised


def test_pabfd_costs_what_power_grows() -> None:
    assert PowerAwareBestFitDecreasing().cost(before=100.0, after=112.5, used=0.9) == 12.5


def test_best_fit_costs_less_where_hosts_are_fuller() -> None:
    assert BestFitDecreasing().cost(0, 0, used=0.9) < BestFitDecreasing().cost(0, 0, used=0.5)


def test_the_least_utilised_host_is_emptied_first() -> None:
    assert LeastUtilised().next([0.5, 0.2, 0.1, 0.2], [True, True, False, True]) == 1


def test_hosts_at_the_lower_threshold_or_above_stay() -> None:
    assert LeastUtilised(below=0.2).next([0.5, 0.2, 0.3], [True] * 3) == -1
    assert LeastUtilised().next([1.0, 0.2], [True, False]) == -1
