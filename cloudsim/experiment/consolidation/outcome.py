"""What a simulation has found, and the figures that studies compare. docs/consolidation.md defines them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cloudsim.experiment.consolidation.state import Floats, Ints


class Series(NamedTuple):
    """Decision by decision: its time (s); the mean number of hosts on, and the mean power (W), since the one before; hosts
    that are short of what is asked of them after it; migrations that it began; MHz that instances ask for, and that hosts that
    are on have.
    """

    time: Floats
    on: Floats
    watts: Floats
    short: Ints
    migrations: Ints
    asked: Floats
    capacity: Floats


class Outcome(NamedTuple):
    """Energy (W s), migrations, shutdowns; the seconds counted; host seconds on in all, and on and short by host; MHz s
    that each instance asked for, was given, and lost while migrating; and how it went. `assignment` is each instance's host
    at the end (-1: it has ended).
    """

    energy: float
    migrations: int
    shutdowns: int
    seconds: float
    hosts_on_s: float
    on_s: Floats
    short_s: Floats
    asked: Floats
    given: Floats
    lost: Floats
    series: Series
    assignment: Ints

    def figures(self) -> dict[str, Any]:
        """The figures by name: shares as numbers from 0 to 1; NaN where there is nothing to divide by."""
        asked = float(self.asked.sum())
        pdm = _over(float(self.lost.sum()), asked)
        slatah = _over(float(self.short_s.sum()), float(self.on_s.sum()))
        energy = self.energy / 3.6e6
        some, used = self.asked > 0, self.on_s > 0
        return {
            "energy_kwh": energy,
            "migrations": self.migrations,
            "pdm": pdm,
            "slatah": slatah,
            "slav": pdm * slatah,
            "esv": energy * pdm * slatah,
            "sla_violation": _over(asked - float(self.given.sum()), asked),
            "shutdowns": self.shutdowns,
            "mean_hosts_on": _over(self.hosts_on_s, self.seconds),
            "pdm_mean_of_instances": _mean(self.lost[some] / self.asked[some]),
            "slatah_mean_of_hosts": _mean(self.short_s[used] / self.on_s[used]),
        }


def _over(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _mean(values: Floats) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
