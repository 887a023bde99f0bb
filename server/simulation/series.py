"""A time series of bounded length: when it is full, every second point goes, and the next ones come half as often."""

from __future__ import annotations

from collections.abc import Sequence

POINTS = 600
"""How many points there are at most."""


class Series:
    """Rows of `columns`, of which the first is the time in seconds, at least `interval` seconds apart."""

    def __init__(self, columns: Sequence[str], interval: float, points: int = POINTS) -> None:
        self.columns = tuple(columns)
        self.interval = interval
        self.rows: list[tuple[float | None, ...]] = []
        self._points = points

    def add(self, *row: float | None) -> None:
        """Another point, the latest; the time of its predecessor is not looked at."""
        assert len(row) == len(self.columns)
        if len(self.rows) >= self._points:
            del self.rows[1::2]
            self.interval *= 2
        self.rows.append(row)

    def as_columns(self) -> dict[str, list[float | None]]:
        """Every column by its name."""
        if not self.rows:
            return {name: [] for name in self.columns}
        return {name: list(values) for name, values in zip(self.columns, zip(*self.rows, strict=True), strict=True)}
