"""The table of a study: a line for each load and policy, and over all loads, with intervals where there are several runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cloudsim.experiment.compare.statistics import Estimate, estimate
from cloudsim.experiment.consolidation.study import Row

ALL = "all loads"


class Column(NamedTuple):
    """A figure as tables show it: times `factor`, with so many `digits` behind the point; `short` is its head where there is
    little room, and none if it is left out there."""

    name: str
    head: str
    short: str
    factor: float
    digits: int

    def text(self, found: Estimate, interval: bool = True) -> str:
        """The mean, and half of the 95 % interval where there is one and it is asked for."""
        mean = f"{self.factor * found.mean:,.{self.digits}f}"
        return f"{mean} ± {self.factor * found.half:,.{self.digits}f}" if found.half and interval else mean


COLUMNS = (
    Column("energy_kwh", "Energy (kWh)", "kWh", 1, 2),
    Column("migrations", "Migrations", "Moves", 1, 0),
    Column("pdm", "PDM (%)", "PDM\n%", 100, 3),
    Column("slatah", "SLATAH (%)", "SLATAH\n%", 100, 2),
    Column("slav", "SLAV (1e-6)", "", 1e6, 2),
    Column("esv", "ESV (1e-3)", "", 1e3, 3),
    Column("sla_violation", "Overall SLA (%)", "SLA\n%", 100, 3),
    Column("shutdowns", "Shutdowns", "Shut\ndown", 1, 0),
    Column("mean_hosts_on", "Hosts on", "Hosts\non", 1, 1),
    Column("cpu_s", "CPU (s)", "CPU\ns", 1, 2),
)


class Line(NamedTuple):
    """What `runs` runs of a policy on a load gave, by figure."""

    load: str
    policy: str
    runs: int
    figures: dict[str, Estimate]

    def texts(self, short: bool = False) -> list[str]:
        """The figures as COLUMNS show them; `short`: those that have a short head, and means alone."""
        return [
            column.text(self.figures[column.name], interval=not short)
            for column in COLUMNS
            if column.short or not short
        ]


def lines(rows: Sequence[Row]) -> list[Line]:
    """Line by line, loads and policies as they come first; those over all loads at the end, where there are several."""
    found = [_line(load, policy, rows) for load, policy in dict.fromkeys((row.load, row.policy) for row in rows)]
    if len({row.load for row in rows}) > 1:
        found += [_line(ALL, policy, rows) for policy in dict.fromkeys(row.policy for row in rows)]
    return found


def _line(load: str, policy: str, rows: Sequence[Row]) -> Line:
    chosen = [row.figures() for row in rows if row.policy == policy and load in (ALL, row.load)]
    return Line(
        load,
        policy,
        len(chosen),
        {column.name: estimate([figures[column.name] for figures in chosen]) for column in COLUMNS},
    )
