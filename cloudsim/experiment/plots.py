"""Plots of a run, units on every axis."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib
import matplotlib.patches
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from cloudsim.experiment.figures import (
    BLUE,
    CYCLE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    SKY,
    STYLE,
    blank,
    legend,
)
from cloudsim.experiment.result import RunResult
from cloudsim.experiment.sampling import SAMPLE_COLUMNS

_UNITS = (
    (2 * 86400.0, 86400.0, "days"),
    (2 * 3600.0, 3600.0, "hours"),
    (180.0, 60.0, "minutes"),
    (0.0, 1.0, "seconds"),
)


class Series:
    """The samples of a run as columns, with time in a unit that suits its length."""

    def __init__(self, result: RunResult) -> None:
        rows = np.array(result.sampler.rows, dtype=float).reshape(-1, len(SAMPLE_COLUMNS))
        self._columns = {name: rows[:, index] for index, name in enumerate(SAMPLE_COLUMNS)}
        self.scale, self.unit = next((s, u) for least, s, u in _UNITS if result.simulated >= least)
        self.time = self["time_s"] / self.scale
        self.label = f"Time since the beginning ({self.unit})"

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return self._columns[name]


def draw(result: RunResult) -> dict[str, Figure]:
    """Every plot that the run has data for, by name."""
    with matplotlib.rc_context(STYLE):
        series = Series(result)
        makers: dict[str, Callable[[RunResult, Series], Figure | None]] = {
            "allocation": allocation,
            "instances": instances,
            "rejections": rejections,
            "deploy-time": deploy_time,
            "host-fill": host_fill,
            "host-histogram": host_histogram,
            "messages": messages,
        }
        figures = {name: make(result, series) for name, make in makers.items()}
    return {name: figure for name, figure in figures.items() if figure is not None}


def allocation(result: RunResult, series: Series) -> Figure:
    """What instances reserve of what hosts that are up have, by dimension."""
    figure, axes = blank("Allocation of capacity", series.label, "Reserved share of capacity")
    dimensions = (
        ("cpu_mhz", "CPU", BLUE, "-"),
        ("memory_mib", "Memory", ORANGE, "--"),
        ("gpu_milli", "GPU", GREEN, "-."),
    )
    means = result.recorder.levels.average()
    top = 1.0
    for name, label, colour, style in dimensions:
        capacity = series[f"{name}_capacity"]
        if not capacity.any():
            continue
        share = np.divide(series[name], capacity, out=np.zeros_like(capacity), where=capacity > 0)
        mean = means[name] / means[f"{name}_capacity"] if means[f"{name}_capacity"] else 0.0
        axes.step(
            series.time,
            share,
            where="post",
            color=colour,
            linestyle=style,
            label=f"{label} (mean {mean:.1%})",
        )
        top = max(top, float(share.max()))
    axes.axhline(1.0, color=GREY, linewidth=1.0, linestyle=":", label="Capacity of hosts that are up")
    axes.set_ylim(0, 1.05 * top)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.margins(x=0)
    legend(axes)
    return figure


def instances(result: RunResult, series: Series) -> Figure:
    """Instances that have a host, and hosts with and without any."""
    figure, axes = blank("Instances and hosts", series.label, "Number")
    axes.step(series.time, series["instances"], where="post", color=BLUE, label="Instances")
    axes.step(series.time, series["hosts_up"], where="post", color=GREY, linestyle=":", label="Hosts up")
    used = series["hosts_up"] - series["hosts_empty"]
    axes.step(series.time, used, where="post", color=ORANGE, linestyle="--", label="Hosts with instances")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(x=0)
    legend(axes)
    return figure


def rejections(result: RunResult, series: Series) -> Figure | None:
    """Requests that were not served, adding up over time, by cause."""
    outcomes = result.outcomes
    if not outcomes.causes:
        return None
    figure, axes = blank("Requests not served, by cause", series.label, "Requests, cumulative")
    ranked = [cause for cause, _ in sorted(outcomes.causes.items(), key=lambda item: (-item[1], item[0]))]
    shown = ranked[:7]
    arrival = np.array(outcomes.arrival)
    cause = np.array(outcomes.cause)
    stack, labels = [], []
    for name in [*shown, *(["other"] if len(ranked) > 7 else [])]:
        chosen = (cause == name) if name != "other" else (~np.isin(cause, shown) & (cause != ""))
        stack.append(np.searchsorted(np.sort(arrival[chosen]), series["time_s"], side="right"))
        labels.append(f"{name} ({int(chosen.sum()):,})")
    axes.stackplot(series.time, *stack, colors=CYCLE, labels=labels, alpha=0.9, step="post")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(x=0)
    legend(axes)
    return figure


def deploy_time(result: RunResult, series: Series) -> Figure | None:
    """The distribution of the time from arrival until the instance runs."""
    outcomes = result.outcomes
    times = np.sort(
        [r - a for a, r in zip(outcomes.arrival, outcomes.running_at, strict=True) if r is not None]
    )
    if not len(times) or not times[-1]:
        return None
    factor, unit, short = (1e3, "milliseconds", "ms") if times[-1] < 1 else (1.0, "seconds", "s")
    times *= factor
    figure, axes = blank(
        "Time from request to running instance", f"Deployment time ({unit})", "Share of placed requests"
    )
    share = np.arange(1, len(times) + 1) / len(times)
    axes.step(times, share, where="post", color=BLUE, label=f"{len(times):,} placed requests")
    for percent, colour, style in ((50, GREY, ":"), (95, ORANGE, "--"), (99, RED, "-.")):
        value = float(np.percentile(times, percent))
        label = f"{percent}th percentile: {value:.3g} {short}"
        axes.axvline(value, color=colour, linestyle=style, linewidth=1.2, label=label)
    low, high = float(times[0]), float(times[-1])
    if low > 0 and high > 30 * low:
        axes.set_xscale("log")
    elif high - low < 0.01:
        axes.set_xlim(0, 2 * high)
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    legend(axes)
    return figure


def _fills(result: RunResult) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The reserved share of each host's CPU: a row for each sample time, and the times (s)."""
    samples = result.sampler.hosts
    size = {host.name: host.cpu_mhz for host in result.hosts}
    capacity = np.array([max(1, size.get(name, 1)) for name in samples.names], float)
    last = len(samples.names)
    whole = [(t, row) for t, row in zip(samples.times, samples.cpu_mhz, strict=True) if len(row) == last]
    times = np.array([t for t, _ in whole])
    return np.array([row for _, row in whole]) / capacity, times


def host_fill(result: RunResult, series: Series) -> Figure | None:
    """A heat map: hosts by time, coloured by the reserved share of their CPU."""
    fills, times = _fills(result)
    if len(times) < 3:
        return None
    rows = _shrunk(fills.T, 400)
    figure, axes = blank("How full each host is", series.label, "Host, in the order of the datacenter")
    image = axes.imshow(
        rows,
        aspect="auto",
        origin="lower",
        interpolation="nearest",
        cmap="cividis",
        vmin=0.0,
        vmax=max(1.0, float(fills.max())),
        extent=(0.0, float(times[-1]) / series.scale, 0.5, fills.shape[1] + 0.5),
    )
    axes.grid(False)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    bar = figure.colorbar(image, ax=axes, format=PercentFormatter(1.0), pad=0.02)
    bar.set_label("Reserved share of the host's CPU")
    bar.outline.set_visible(False)
    return figure


def _shrunk(rows: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Neighbouring rows averaged, so that there are at most `most`."""
    if len(rows) <= most:
        return rows
    edges = np.linspace(0, len(rows), most + 1).astype(int)
    return np.add.reduceat(rows, edges[:-1]) / np.diff(edges)[:, None]


def host_histogram(result: RunResult, series: Series) -> Figure | None:
    """How many hosts are how full, on average over the samples."""
    fills, times = _fills(result)
    if not len(times):
        return None
    figure, axes = blank(
        "Hosts by how full they are", "Reserved share of the host's CPU", "Hosts, mean over time"
    )
    edges = np.linspace(0, max(1.0, float(fills.max())), 21)
    counts = np.histogram(fills, edges)[0] / len(times)
    empty = float((fills == 0).sum()) / len(times)
    counts[0] -= empty
    width = edges[1] - edges[0]
    axes.bar(edges[:-1], counts, width, align="edge", color=BLUE, edgecolor="white", label="With instances")
    axes.bar(
        edges[0],
        empty,
        width,
        bottom=counts[0],
        align="edge",
        color=ORANGE,
        edgecolor="white",
        hatch="//",
        label="Empty",
    )
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.margins(x=0.01)
    legend(axes)
    return figure


def messages(result: RunResult, series: Series) -> Figure | None:
    """Messages between manager and agents by kind."""
    kinds = result.sampler.messages
    if not kinds:
        return None
    ranked = sorted(kinds.items(), key=lambda item: (item[1], item[0]))[-14:]
    figure, axes = blank(
        "Messages between manager and agents", "Messages", "", (8.0, 1.6 + 0.28 * len(ranked))
    )
    names = [name for name, _ in ranked]
    counts = [count for _, count in ranked]
    axes.barh(names, counts, color=[_kind_colour(name) for name in names], height=0.7)
    for place, count in enumerate(counts):
        axes.annotate(
            f"{count:,}", (count, place), (4, 0), textcoords="offset points", va="center", fontsize=9
        )
    axes.set_xscale("log")
    axes.set_xlim(left=0.8, right=4 * max(counts))
    axes.grid(axis="y", visible=False)
    handles = [
        matplotlib.patches.Patch(color=colour, label=label)
        for colour, label in ((BLUE, "Commands"), (SKY, "Answers"), (GREY, "Connection"))
    ]
    axes.legend(handles=handles, loc="lower right")
    return figure


def _kind_colour(name: str) -> str:
    if name.endswith("Command"):
        return BLUE
    return SKY if name.endswith("Answer") else GREY
