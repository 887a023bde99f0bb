"""The spans of time that records of usage tell of: from midnight on, in the time zone that usage is told in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cloudsim.management.operations.schedule_times import zone_of
from cloudsim.management.operations.settings import Settings

MINUTE = 60.0


class Windows:
    """The windows, and the times at which their records are due, as the settings have them now."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def seconds(self) -> float:
        """The length of a window; the last one of a day may be shorter."""
        return MINUTE * self._settings.number("usage.stats.job.aggregation.range")

    def start(self, at: float) -> float:
        """When the window of that time (Unix seconds) began."""
        midnight = self._midnight(at, "usage.aggregation.timezone")
        return midnight + (at - midnight) // self.seconds * self.seconds

    def end(self, at: float) -> float:
        """When the window of that time ends."""
        midnight = self._midnight(at, "usage.aggregation.timezone", days=1)
        return min(self.start(at) + self.seconds, midnight)

    def due(self, after: float) -> float:
        """The next time at which records are to be made."""
        hours, _, minutes = self._settings.get("usage.stats.job.exec.time").partition(":")
        since_midnight = 60 * MINUTE * int(hours) + MINUTE * int(minutes)
        found = self._midnight(after, "usage.execution.timezone") + since_midnight - 86_400
        return found + ((after - found) // self.seconds + 1) * self.seconds

    def _midnight(self, at: float, key: str, days: int = 0) -> float:
        zone = zone_of(self._settings.get(key))
        day = datetime.fromtimestamp(at, zone).date() + timedelta(days=days)
        return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).timestamp()
