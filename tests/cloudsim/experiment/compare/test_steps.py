"""Levels that change at instants: integrals, states and peaks as counted one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsim.experiment.compare.steps import Steps, busy_periods

Interval = tuple[int, int, int]
intervals = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 30), st.integers(0, 3)), max_size=30
)


def test_an_integral_by_hand() -> None:
    # 2 from 10 on, 5 from 20 on, nothing from 30 on; between 5 and 25: 10 * 2 + 5 * 5.
    steps = Steps.of_changes(np.array([10.0, 20.0, 30.0]), np.array([[2.0], [3.0], [-5.0]]))
    assert steps.integrals(np.array([5.0, 25.0, 100.0])).ravel().tolist() == [45.0, 25.0]
    assert steps.at(np.array([9.9, 10.0, 29.0, 30.0])).ravel().tolist() == [0.0, 2.0, 5.0, 0.0]
    assert steps.peaks(np.array([0.0, 15.0, 25.0, 40.0])).tolist() == [2.0, 5.0, 5.0]


def test_nothing_happens_where_nothing_changes() -> None:
    steps = Steps.of_changes(np.zeros(0), np.zeros((0, 2)))
    assert steps.integrals(np.array([0.0, 1.0])).tolist() == [[0.0, 0.0]]
    assert steps.at(np.array([3.0])).tolist() == [[0.0, 0.0]]
    assert steps.peaks(np.array([0.0, 1.0]), 1).tolist() == [0.0]


@given(intervals)
def test_levels_are_as_many_as_there_are_intervals_at_a_time(found: list[Interval]) -> None:
    begins = np.array([float(b) for b, _, _ in found])
    ends = np.array([float(b + length) for b, length, _ in found])
    ones = np.ones((len(found), 1))
    steps = Steps.of_changes(np.concatenate((begins, ends)), np.concatenate((ones, -ones)))
    edges = np.array([0.0, 7.0, 33.0, 90.0])
    # Times are whole, so that counting at every instant is exact.
    count = [sum(b <= t < e for b, e in zip(begins, ends, strict=True)) for t in range(90)]
    parts = [count[0:7], count[7:33], count[33:90]]
    assert steps.integrals(edges).ravel() == pytest.approx([sum(part) for part in parts])
    assert steps.peaks(edges).tolist() == [max(part) for part in parts]
    assert steps.at(np.arange(90.0)).ravel().tolist() == count


@given(intervals)
def test_a_host_is_busy_while_any_of_its_instances_runs(found: list[Interval]) -> None:
    host = np.array([h for _, _, h in found], np.int64)
    start = np.array([float(b) for b, _, _ in found])
    end = np.array([float(b + length) for b, length, _ in found])
    busy = busy_periods(host, start, end)
    for each in range(4):
        wanted = {t for b, length, h in found if h == each for t in range(b, b + length)}
        got = [t for h, b, e in zip(*busy, strict=True) if h == each for t in range(int(b), int(e))]
        assert len(got) == len(set(got)) and set(got) == wanted
