"""Plots of a study: what policies cost, energy against violations, hosts that are on, and migrations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, PercentFormatter
from numpy.typing import NDArray

from cloudsim.experiment.consolidation.study import Row
from cloudsim.experiment.consolidation.summary import lines
from cloudsim.experiment.figures import BLUE, CYCLE, GREY, ORANGE, STYLE, blank, legend

DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (7, 2)), (0, (3, 1)), (0, (1, 1)))
MARKS = "osD^vPX*"
SMOOTH = 12
"""Decisions that migrations over time are averaged over: an hour of those of five minutes."""


def draw(rows: Sequence[Row]) -> dict[str, Figure]:
    """Every plot that the study has data for, by name."""
    makers: dict[str, Callable[[Sequence[Row]], Figure | None]] = {
        "energy": energy,
        "tradeoff": tradeoff,
        "hosts": hosts,
        "migrations": migrations,
    }
    with matplotlib.rc_context(STYLE):
        figures = {name: make(rows) for name, make in makers.items()}
    return {name: figure for name, figure in figures.items() if figure is not None}


def energy(rows: Sequence[Row]) -> Figure:
    """Mean energy by policy over all loads and seeds; each run is a point where there are several."""
    policies = list(dict.fromkeys(row.policy for row in rows))
    values = [[row.figures()["energy_kwh"] for row in rows if row.policy == policy] for policy in policies]
    figure, axes = blank("Energy", "kWh", "", (8.0, 1.4 + 0.42 * len(policies)))
    means = [float(np.mean(each)) for each in values]
    axes.barh(policies, means, color=BLUE, height=0.62, zorder=2)
    for place, (mean, each) in enumerate(zip(means, values, strict=True)):
        if len(each) > 1:
            axes.plot(each, [place] * len(each), "o", color=ORANGE, markersize=3.5, alpha=0.8, zorder=3)
        top = max(each)
        axes.annotate(f"{mean:,.1f}", (top, place), (6, 0), textcoords="offset points", va="center", fontsize=9)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.12)
    axes.set_xlim(left=0)
    return figure


def tradeoff(rows: Sequence[Row]) -> Figure | None:
    """Energy against SLA violation of policies that migrate: towards the lower left is better."""
    styles = _styles(rows)
    moving = [row for row in rows if row.outcome.migrations]
    if not moving:
        return None
    figure, axes = blank("Energy and SLA violation", "Energy (kWh)", "SLAV = PDM × SLATAH", (8.0, 4.8))
    for policy in dict.fromkeys(row.policy for row in moving):
        found = [row.figures() for row in moving if row.policy == policy]
        colour, _, mark = styles[policy]
        axes.plot(
            [each["energy_kwh"] for each in found],
            [each["slav"] for each in found],
            mark,
            color=colour,
            markersize=8 if len(found) == 1 else 6,
            markeredgecolor="white",
            label=policy,
        )
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.margins(0.15)
    legend(axes)
    return figure


def hosts(rows: Sequence[Row]) -> Figure | None:
    """Hosts that are on, of the first load and seed."""
    first = _first(rows)
    if not first:
        return None
    figure, axes = blank(f"Hosts that are on: {first[0].load}", "Time (hours)", f"Hosts, mean of {SMOOTH} intervals", (8.6, 4.6))
    styles = _styles(rows)
    highest, lowest = 0.0, np.inf
    for row in first:
        colour, dash, _ = styles[row.policy]
        time, mean = _smooth(row.outcome.series.time / 3600), _smooth(row.outcome.series.on)
        axes.plot(time, mean, color=colour, linestyle=dash, label=row.policy)
        highest, lowest = max(highest, mean.max()), min(lowest, mean.min())
    if highest > 5 * lowest > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_ylabel(f"{axes.get_ylabel()} (logarithmic)")
    else:
        axes.set_ylim(bottom=0)
    axes.margins(x=0)
    legend(axes)
    return figure


def migrations(rows: Sequence[Row]) -> Figure | None:
    """Migrations begun at a decision, as a moving average, of the first load and seed."""
    first = [row for row in _first(rows) if row.outcome.migrations]
    if not first:
        return None
    figure, axes = blank(
        f"Migrations: {first[0].load}", "Time (hours)", f"Migrations begun, mean of {SMOOTH} decisions", (8.6, 4.6)
    )
    styles = _styles(rows)
    for row in first:
        series = row.outcome.series
        colour, dash, _ = styles[row.policy]
        time, mean = _smooth(series.time / 3600), _smooth(series.migrations.astype(float))
        axes.plot(time, mean, color=colour, linestyle=dash, label=row.policy)
    axes.set_ylim(bottom=0)
    axes.margins(x=0)
    legend(axes)
    return figure


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of SMOOTH values each, or of all where there are fewer."""
    size = min(SMOOTH, len(values))
    return np.convolve(values, np.full(size, 1 / size), "valid")


def _first(rows: Sequence[Row]) -> list[Row]:
    """The cases of the first load and seed that have decisions."""
    return [
        row
        for row in rows
        if (row.load, row.seed) == (rows[0].load, rows[0].seed) and len(row.outcome.series.time) and not _constant(row)
    ]


def _constant(row: Row) -> bool:
    """Whether all hosts are on at all times, so that a line over time would say nothing."""
    return row.outcome.hosts_on_s >= len(row.outcome.on_s) * row.outcome.seconds


def _styles(rows: Sequence[Row]) -> dict[str, tuple[str, Any, str]]:
    """A colour, a kind of line and a mark for each policy."""
    colours = [colour for colour in CYCLE if colour != GREY]
    found = {}
    for number, line in enumerate(lines(rows)):
        if line.policy not in found:
            found[line.policy] = (
                colours[number % len(colours)],
                DASHES[number % len(DASHES)],
                MARKS[number % len(MARKS)],
            )
    return found
