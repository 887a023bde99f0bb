"""Configuration keys of the usage server."""

from __future__ import annotations

import re

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.operations.configuration_key import ConfigurationKey as key
from cloudsim.management.operations.schedule_times import zone_of

DAY_MINUTES = 1440


def check_time_of_day(value: str) -> None:
    """Raise InvalidParameterValue unless it is hours and minutes, such as 00:15."""
    if re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", value) is None:
        raise InvalidParameterValue(f"a time of day is HH:mm, not {value!r}")


def check_timezone(value: str) -> None:
    """Raise InvalidParameterValue unless it names a time zone."""
    zone_of(value)


OF_USAGE: tuple[key, ...] = (
    key(
        "enable.usage.server", "false", "boolean", "Whether it is counted what accounts use", category="Usage"
    ),
    key(
        "usage.stats.job.aggregation.range",
        str(DAY_MINUTES),
        "integer",
        "Minutes of usage that a record tells of, counted from midnight on: 1440 for a day, 60 for an hour",
        category="Usage",
        minimum=1,
        maximum=DAY_MINUTES,
    ),
    key(
        "usage.stats.job.exec.time",
        "00:15",
        "string",
        "Time of day (HH:mm) at which records of usage are made; for ranges below a day again after each",
        category="Usage",
        checked_by=check_time_of_day,
    ),
    key(
        "usage.execution.timezone",
        "UTC",
        "string",
        "Time zone of usage.stats.job.exec.time",
        category="Usage",
        checked_by=check_timezone,
    ),
    key(
        "usage.aggregation.timezone",
        "UTC",
        "string",
        "Time zone in whose days usage is told",
        category="Usage",
        checked_by=check_timezone,
    ),
)
