"""Everything leaves when it is to leave: no instance is lost, late or early, however long lifetimes are.

The replay keeps departures in a calendar of days. On one large host there is nothing to be placed badly: what is
measured is when instances come and go.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.experiment.blocks import ENDLESS
from cloudsim.experiment.replay import HostGroup, ReplayResult, replay
from cloudsim.experiment.replay.kernels import DAYS, LATEST
from cloudsim.experiment.replay.state import FIRST_DAY_BITS
from tests.cloudsim.experiment.replay.workloads import HOUR, YEAR, host, played, single_cores, slots, vm


def peak(arrivals: np.ndarray, lifetimes: np.ndarray) -> int:
    """The most that run at a time, for lifetimes that are not 0. At an instant instances leave before others come."""
    ends = np.sort((arrivals + lifetimes)[lifetimes >= 0])
    gone = np.searchsorted(ends, arrivals, side="right")
    return int((np.arange(1, len(arrivals) + 1) - gone).max())


def full(arrivals: np.ndarray, lifetimes: np.ndarray, until: str = "last-departure") -> ReplayResult:
    """On a host that has just enough cores: one departure too late and a request is refused."""
    most = peak(arrivals, lifetimes)
    group = [HostGroup(1, most, 1, 1)]
    result = replay(lambda: iter(single_cores(arrivals, lifetimes)), group, "first-fit", samples=False, until=until)  # type: ignore[arg-type]
    assert result.totals.placed == len(arrivals) and result.totals.live_peak == most
    return result


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    number=st.sampled_from((5, 300, 5000, 20_000)),
    gap=st.sampled_from((0, 1, 50, 1000, HOUR)),
    longest=st.sampled_from((2, 1000, HOUR, 20 * HOUR, YEAR, 5 * YEAR)),
    endless=st.sampled_from((0.0, 0.0, 0.1)),
    drain=st.booleans(),
)
def test_the_time_that_instances_run_adds_up_to_their_lifetimes(
    seed: int, number: int, gap: int, longest: int, endless: float, drain: bool
) -> None:
    draws = np.random.default_rng(seed)
    arrivals = np.cumsum(np.rint(draws.exponential(gap, number)).astype(np.int64)) if gap else np.zeros(number, np.int64)
    lifetimes = np.exp(draws.uniform(0, np.log(longest), number)).astype(np.int64)
    lifetimes[draws.random(number) < endless] = ENDLESS
    ends = np.where(lifetimes < 0, np.int64(1) << 60, arrivals + lifetimes)
    last = int(arrivals[-1])
    if drain and (lifetimes >= 0).any():
        last = max(last, int(ends[lifetimes >= 0].max()))
    totals = full(arrivals, lifetimes, "last-departure" if drain else "last-arrival").totals
    assert totals.end_ms == last
    assert totals.live == pytest.approx(float((np.minimum(ends, last) - arrivals).sum()), rel=1e-9, abs=1e-6 * number)


def test_days_become_shorter_where_very_many_leave_on_one() -> None:
    # More than 32 for each of the calendar's days, within the half of them after which it is looked at.
    number, half = 2_800_000, DAYS // 2 << FIRST_DAY_BITS
    arrivals = np.arange(number, dtype=np.int64) * (half // 2_600_000)
    lifetimes = 1000 + arrivals * 7919 % 1_000_003
    assert ((arrivals + lifetimes) < half).sum() > 32 * DAYS and arrivals[-1] > half
    totals = full(arrivals, lifetimes).totals
    assert totals.live == pytest.approx(float(lifetimes.sum()), rel=1e-12)


@pytest.mark.parametrize("begin", [10, 11])
def test_what_leaves_on_a_day_that_has_begun_when_days_become_longer(begin: int) -> None:
    # An empty cloud goes on from any day, so that a longer day may have begun with a shorter one that is over.
    day = 1 << FIRST_DAY_BITS
    begun = (begin + DAYS // 2) * day  # half a calendar later it is looked at, and few have left
    trace = [
        vm(0, 1),
        vm(begin * day, 4 * DAYS * day),
        vm(begun - day, 2 * day - 1),
        *(vm(begun + offset, 3) for offset in range(0, day, 16)),
        *(vm(begun + day + offset, 3) for offset in range(0, day, 16)),
    ]
    assert slots(played(trace, [host(3, 8)], samples=False)) == [0] * len(trace)


def test_an_instance_has_left_at_the_millisecond_of_its_end() -> None:
    one = [host(1, 1)]
    assert slots(played([vm(0, 5), vm(4), vm(5)], one)) == [0, -1, 0]
    assert slots(played([vm(0, 5), vm(4), vm(5)], one, engine="general")) == [0, -1, 0]


def test_one_without_any_lifetime_has_left_when_the_next_one_comes() -> None:
    for engine in ("indexed", "general"):
        result = played([vm(3, 0), vm(3, 0), vm(3, 2)], [host(1, 1)], engine=engine, until="last-departure")
        assert slots(result) == [0, 0, 0]
        assert (result.totals.live, result.totals.live_peak, result.totals.end_ms) == (2, 1, 5)


def test_a_cloud_that_was_empty_for_years_goes_on() -> None:
    trace = [vm(0, 3), vm(3 * YEAR, HOUR), vm(3 * YEAR + 1, HOUR), vm(3 * YEAR + HOUR), vm(6 * YEAR, 1), vm(6 * YEAR + 1)]
    assert slots(played(trace, [host(1, 1, 2)])) == [0, 0, 1, 0, 1, 1]


def test_calendars_fill_up_and_thin_out_again() -> None:
    # Short lives, then long ones far beyond the calendar's end, then short ones among them.
    draws = np.random.default_rng(8)
    gaps = np.repeat((10, 5 * 60_000, 10), 30_000)
    lifetimes = np.concatenate([draws.integers(1, most, 30_000) for most in (5000, YEAR, 60_000)])
    totals = full(np.cumsum(gaps), lifetimes).totals
    assert totals.live == pytest.approx(float(lifetimes.sum()), rel=1e-12)


def test_the_latest_end_that_can_be_counted_to() -> None:
    assert slots(played([vm(0, LATEST - 1), vm(LATEST - 2), vm(LATEST - 1)], [host(1, 1)])) == [0, -1, 0]
