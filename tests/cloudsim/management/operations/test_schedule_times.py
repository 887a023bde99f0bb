"""When schedules are due."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.operations.schedule_times import (
    DAILY,
    HOURLY,
    MONTHLY,
    WEEKLY,
    fields_of,
    interval_of,
    next_run,
)


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("interval", "schedule", "zone", "after", "due"),
    [
        (HOURLY, "15", "UTC", "2026-03-01T10:14:59", "2026-03-01T10:15:00"),
        (HOURLY, "15", "UTC", "2026-03-01T10:15:00", "2026-03-01T11:15:00"),
        (HOURLY, "15", "Asia/Kolkata", "2026-03-01T10:00:00", "2026-03-01T10:15:00"),
        (DAILY, "30:2", "UTC", "2026-03-01T02:30:00", "2026-03-02T02:30:00"),
        (DAILY, "30:2", "Europe/Berlin", "2026-03-01T00:00:00", "2026-03-01T02:30:00"),
        (WEEKLY, "0:4:1", "UTC", "2026-03-02T00:00:00", "2026-03-08T04:00:00"),  # 8 March 2026 is a Sunday
        (WEEKLY, "0:4:7", "UTC", "2026-03-02T00:00:00", "2026-03-07T04:00:00"),
        (MONTHLY, "0:4:28", "UTC", "2026-02-28T04:00:00", "2026-03-28T04:00:00"),
        (MONTHLY, "5:0:1", "America/New_York", "2026-12-15T00:00:00", "2027-01-01T00:05:00"),
    ],
)
def test_the_next_run(interval: int, schedule: str, zone: str, after: str, due: str) -> None:
    assert next_run(interval, schedule, zone, at(after, zone)) == at(due, zone)


def test_a_day_whose_clocks_jump_over_the_time_still_has_a_run() -> None:
    due = next_run(DAILY, "30:2", "Europe/Berlin", at("2026-03-29T00:00:00", "Europe/Berlin"))
    assert due == at("2026-03-29T01:30:00", "UTC")  # 02:30 does not exist; an hour later it is 03:30 CEST


def test_offsets_from_greenwich() -> None:
    assert next_run(DAILY, "0:0", "GMT+2", at("2026-01-01T00:00:00")) == at("2026-01-01T22:00:00")


@given(
    st.sampled_from([(HOURLY, "7"), (DAILY, "7:3"), (WEEKLY, "7:3:5"), (MONTHLY, "7:3:28")]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Chatham"]),
    st.floats(min_value=0, max_value=4e9),
)
def test_a_run_is_always_later_and_never_skips_one(plan: tuple[int, str], zone: str, after: float) -> None:
    interval, schedule = plan
    due = next_run(interval, schedule, zone, after)
    longest = (3600, 26 * 3600, 8 * 86_400, 32 * 86_400)[interval]
    assert after < due <= after + longest
    assert next_run(interval, schedule, zone, due - 0.5) <= due


@pytest.mark.parametrize(
    ("interval", "schedule"),
    [
        (HOURLY, "60"),
        (HOURLY, "1:2"),
        (DAILY, "5"),
        (DAILY, "0:24"),
        (WEEKLY, "0:0:8"),
        (MONTHLY, "0:0:29"),
        (DAILY, "a:b"),
    ],
)
def test_schedules_that_are_none(interval: int, schedule: str) -> None:
    with pytest.raises(InvalidParameterValue, match="Invalid schedule"):
        fields_of(interval, schedule)


def test_names_of_intervals_and_zones() -> None:
    assert [interval_of(text) for text in ("hourly", "DAILY", "2", "Monthly")] == [0, 1, 2, 3]
    with pytest.raises(InvalidParameterValue, match="interval type"):
        interval_of("yearly")
    with pytest.raises(InvalidParameterValue, match="timezone"):
        next_run(DAILY, "0:0", "Mars/Olympus", 0)
