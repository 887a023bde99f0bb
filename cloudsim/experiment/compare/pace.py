"""How long a comparison will still take, from how long its runs have taken so far."""

from __future__ import annotations

from collections.abc import Iterable

from cloudsim.experiment.compare.units import Unit


class Pace:
    """Adds up seconds of runs. A run takes about what others of its policy, trace and cluster took; else of its policy;
    else what runs take on average."""

    def __init__(self, jobs: int) -> None:
        self._jobs = max(1, jobs)
        self._seconds: dict[tuple[str, ...], list[float]] = {}

    def add(self, unit: Unit, seconds: float) -> None:
        """A run is done, and took that many seconds of its process."""
        for kind in _kinds(unit):
            self._seconds.setdefault(kind, []).append(seconds)

    def left(self, units: Iterable[Unit]) -> float | None:
        """Seconds until those are done, side by side; None before the first run is."""
        if not self._seconds:
            return None
        return sum(self._expected(unit) for unit in units) / self._jobs

    def _expected(self, unit: Unit) -> float:
        known = next(self._seconds[kind] for kind in _kinds(unit) if kind in self._seconds)
        return sum(known) / len(known)


def _kinds(unit: Unit) -> tuple[tuple[str, ...], ...]:
    return (unit.policy, unit.trace_name, unit.cluster.name), (unit.policy,), ()
