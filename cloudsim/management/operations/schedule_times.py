"""When a schedule is due, in a time zone: CloudStack's schedule strings, of an interval, and cron expressions.

hourly   MM        at minute MM of every hour
daily    MM:HH     at HH:MM
weekly   MM:HH:D   at HH:MM on day D of the week, 1 Sunday to 7 Saturday
monthly  MM:HH:D   at HH:MM on day D of the month, 1 to 28
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterError, croniter

from cloudsim.errors import InvalidParameterValue

HOURLY, DAILY, WEEKLY, MONTHLY = range(4)
INTERVALS = ("HOURLY", "DAILY", "WEEKLY", "MONTHLY")
_LIMITS = (
    (("minute", 0, 59),),
    (("minute", 0, 59), ("hour", 0, 23)),
    (("minute", 0, 59), ("hour", 0, 23), ("day of the week", 1, 7)),
    (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 28)),
)


def interval_of(text: str) -> int:
    """The number of an interval by its name in any case, or by its number. Raises InvalidParameterValue."""
    if text.upper() in INTERVALS:
        return INTERVALS.index(text.upper())
    if text.isascii() and text.isdigit() and int(text) < len(INTERVALS):
        return int(text)
    raise InvalidParameterValue(f"Unsupported interval type {text}")


def zone_of(text: str) -> tzinfo:
    """The time zone of a name such as UTC, Europe/Oslo or GMT+2. Raises InvalidParameterValue."""
    name = text.strip()
    if name.upper() in ("UTC", "GMT", "Z"):
        return UTC
    if name.upper().startswith(("GMT+", "GMT-", "UTC+", "UTC-")):
        hours, _, minutes = name[4:].partition(":")
        if (
            hours.isdigit()
            and int(hours) <= 14
            and (not minutes or (minutes.isdigit() and int(minutes) < 60))
        ):
            offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
            return timezone(offset if name[3] == "+" else -offset)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidParameterValue(f"Invalid timezone: {text}") from None


def fields_of(interval: int, schedule: str) -> tuple[int, ...]:
    """The numbers of a schedule string. Raises InvalidParameterValue."""
    limits = _LIMITS[interval]
    parts = schedule.strip().split(":")
    if len(parts) != len(limits) or not all(part.isascii() and part.isdigit() for part in parts):
        shape = ":".join(("MM", "HH", "D")[: len(limits)])
        raise InvalidParameterValue(
            f"Invalid schedule: {schedule} for interval type: {INTERVALS[interval]}, it must be like {shape}"
        )
    numbers = tuple(int(part) for part in parts)
    for number, (name, low, high) in zip(numbers, limits, strict=True):
        if not low <= number <= high:
            raise InvalidParameterValue(
                f"Invalid schedule: {schedule}, its {name} must be from {low} to {high} and is {number}"
            )
    return numbers


class IntervalSchedule(NamedTuple):
    """A schedule string of an interval, in a time zone; a `checked` one is all of that."""

    interval: int
    schedule: str
    timezone: str

    @classmethod
    def checked(cls, interval: str, schedule: str, timezone: str) -> IntervalSchedule:
        """As a caller gives it: the interval by its name or number. Raises InvalidParameterValue."""
        number = interval_of(interval)
        fields_of(number, schedule)
        zone_of(timezone)
        return cls(number, schedule, timezone)

    def fields(self, now: float) -> dict[str, Any]:
        """What a row with this schedule says of it: when it runs, and when next after `now`."""
        return {**self._asdict(), "next_run": next_run(*self, now)}


def next_run(interval: int, schedule: str, timezone_name: str, after: float) -> float:
    """The first time (Unix seconds) later than `after` at which the schedule is due.

    A local time that the clocks jump over is taken an hour later; one that they go through twice, the first time.
    """
    numbers = fields_of(interval, schedule)
    zone = zone_of(timezone_name)
    start = datetime.fromtimestamp(after, zone)
    if interval == HOURLY:
        hour = start.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        for step in range(3):
            moment = (hour + timedelta(hours=step, minutes=numbers[0])).timestamp()
            if moment > after:
                return moment
        raise AssertionError("an hour has 60 minutes")
    minute, clock = numbers[0], numbers[1]
    day = start.date()
    for _ in range(40):
        if _falls_on(interval, numbers, day.isoweekday() % 7 + 1, day.day):
            moment = datetime(day.year, day.month, day.day, clock, minute, tzinfo=zone).timestamp()
            if moment > after:
                return moment
        day += timedelta(days=1)
    raise AssertionError("a schedule is due within 40 days")


def _falls_on(interval: int, numbers: tuple[int, ...], weekday: int, day: int) -> bool:
    if interval == DAILY:
        return True
    return numbers[2] == (weekday if interval == WEEKLY else day)


def next_cron(schedule: str, timezone: str, after: float) -> float | None:
    """The first time (Unix seconds) after `after` that the cron expression names; None if there is none.

    Five fields: minute, hour, day of the month, month, day of the week. Raises InvalidParameterValue.
    """
    zone = zone_of(timezone)
    if len(schedule.split()) != 5 or not croniter.is_valid(schedule):
        raise InvalidParameterValue(
            f"Error parsing cron format: {schedule!r}; five fields are expected: minute, hour, day, month, weekday"
        )
    try:
        found: datetime = croniter(schedule, datetime.fromtimestamp(after, zone)).get_next(datetime)
    except CroniterError:
        return None
    return found.astimezone(UTC).timestamp()
