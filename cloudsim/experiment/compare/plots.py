"""Plots of a comparison: of each case, and of all cases at a glance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib
import matplotlib.colors
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from cloudsim.experiment.compare.analysis import CaseResult, Row
from cloudsim.experiment.compare.metrics import METRICS, series, shown
from cloudsim.experiment.compare.spec import CELLS
from cloudsim.experiment.compare.statistics import estimate
from cloudsim.experiment.figures import (
    BLUE,
    CYCLE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    STYLE,
    blank,
    legend,
)

PANELS = 4
"""Panels side by side."""
DRAWN = 6
"""Lines over time that have a colour of their own."""
POINTS = 120
"""Of a line over time: each the mean over some cells."""
BLACK = "#222222"
_UNITS = ((96.0, 24.0, "days"), (2.0, 1.0, "hours"), (0.05, 1 / 60, "minutes"), (0.0, 1 / 3600, "seconds"))
"""From so many hours on, time is counted in units of so many hours."""


def draw(result: CaseResult, confidence: float) -> dict[str, Figure]:
    """Every plot that the case has data for, by name."""
    makers: dict[str, Callable[[CaseResult, float], Figure | None]] = {
        "metrics": metrics,
        "differences": differences,
        "hosts": hosts,
        "rejections": rejections,
        "packing": packing,
        "convergence": convergence,
    }
    with matplotlib.rc_context(STYLE):
        figures = {name: make(result, confidence) for name, make in makers.items()}
    return {name: figure for name, figure in figures.items() if figure is not None}


def draw_all(results: Sequence[CaseResult]) -> dict[str, Figure]:
    """Plots over all cases, where there are several."""
    if len(results) < 2:
        return {}
    names = dict.fromkeys(result.metrics[0] for result in results if result.metrics)
    if any("rejected_share" in result.metrics for result in results):
        names["rejected_share"] = None
    with matplotlib.rc_context(STYLE):
        figures = {name: glance(results, name) for name in names}
    return {f"glance-{name}": figure for name, figure in figures.items() if figure is not None}


def _panels(number: int, policies: Sequence[str], title: str) -> tuple[Figure, list[Any]]:
    """Panels with a line for each policy, the first on top; the leftmost ones have the policies' names."""
    across = min(PANELS, number)
    down = -(-number // across)
    width = 0.4 + 0.08 * max(len(policy) for policy in policies) + 2.45 * across
    height = 0.5 + down * (0.85 + 0.235 * max(3, len(policies)))
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(down, across, sharey=True, squeeze=False).ravel().tolist()
    for unused in axes[number:]:
        unused.set_visible(False)
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=12)
    return figure, axes[:number]


def _dress(axes: Any, name: str, policies: Sequence[str], baseline: str) -> None:
    axes.set_ylim(len(policies) - 0.4, -0.6)
    axes.set_yticks(range(len(policies)), [f"{policy}*" if policy == baseline else policy for policy in policies])
    axes.tick_params(axis="y", length=0, labelsize=9)
    unit = {"kWh": " (kWh)", "seconds": " (s)"}.get(METRICS[name].show, "")
    axes.set_title(f"{METRICS[name].label}{unit}", fontsize=9, pad=6)
    axes.tick_params(axis="x", labelsize=8)


def _value_axis(axes: Any, name: str, signed: bool = False) -> None:
    """Ticks with units, few enough not to touch."""
    kind = METRICS[name].show
    axes.xaxis.set_major_locator(MaxNLocator(4 if kind != "kWh" else 3, min_n_ticks=2, prune="upper"))
    if kind == "share":
        unit = " pp" if signed else " %"
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{_short(100 * v, signed)}{unit}"))
    else:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: _short(v, signed)))


def _short(value: float, signed: bool) -> str:
    value = 0.0 if abs(value) < 1e-12 else value
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"+{text}" if signed and value > 0 else text.replace("-", "−")


def metrics(result: CaseResult, confidence: float) -> Figure | None:
    """The mean of each metric by policy, with its interval; a line where the baseline is."""
    if not result.metrics:
        return None
    ranked = result.ranked
    policies = [row.policy for row in ranked]
    figure, panels = _panels(len(result.metrics), policies, f"{result.case.name}: means (* baseline)")
    for axes, name in zip(panels, result.metrics, strict=True):
        for place, row in enumerate(ranked):
            found = row.estimates.get(name)
            if found is None:
                continue
            colour = ORANGE if row.policy == result.baseline else BLUE
            axes.errorbar(found.mean, place, xerr=found.half, fmt="o", color=colour, markersize=4.5, capsize=2.5, lw=1.4)
            if row.policy == result.baseline:
                axes.axvline(found.mean, color=ORANGE, linewidth=0.9, linestyle=":", zorder=0)
        _dress(axes, name, policies, result.baseline)
        _value_axis(axes, name)
        axes.margins(x=0.12)
    return figure


def differences(result: CaseResult, confidence: float) -> Figure | None:
    """Paired differences from the baseline, with their intervals; hollow where Holm's p-value does not tell them from nothing."""
    ranked = [row for row in result.ranked if row.policy != result.baseline]
    names = [name for name in result.metrics if any(name in row.against for row in ranked)]
    if not names or not ranked:
        return None
    policies = [row.policy for row in ranked]
    title = f"{result.case.name}: differences from {result.baseline}"
    figure, panels = _panels(len(names), policies, title)
    for axes, name in zip(panels, names, strict=True):
        axes.axvline(0.0, color=ORANGE, linewidth=1.2, zorder=0)
        for place, row in enumerate(ranked):
            found = row.against.get(name)
            if found is None:
                continue
            mean = found.difference.estimate
            told = found.holm_t is not None and found.holm_t < 1 - confidence
            colour = _colour(METRICS[name].less, mean.mean) if told or found.holm_t is None else GREY
            face = "white" if found.holm_t is not None and not told else colour
            axes.errorbar(
                mean.mean, place, xerr=mean.half, fmt="o", color=colour, mfc=face, markersize=4.5, capsize=2.5, lw=1.4
            )
        _dress(axes, name, policies, result.baseline)
        _value_axis(axes, name, signed=True)
        axes.margins(x=0.12)
        if not any(name in row.against and row.against[name].difference.estimate.mean for row in ranked):
            axes.set_xlim(-1, 1)
            axes.set_xticks([0])
    return figure


def _colour(less: bool | None, difference: float) -> str:
    """Blue for better, red for worse."""
    if less is None or not difference:
        return GREY
    return BLUE if (difference < 0) == less else RED


def hosts(result: CaseResult, confidence: float) -> Figure | None:
    """Hosts with instances over time, of some policies, the volume bound below them, and the other policies in grey."""
    ranked = result.ranked
    hours = float(np.mean([record.over_ms for row in ranked for record in row.records])) / 3.6e6
    if not hours:
        return None
    size, unit = next((size, unit) for least, size, unit in _UNITS if hours >= least)
    time = (np.arange(POINTS) + 0.5) / POINTS * hours / size

    def line(row: Row, column: str = "not_empty") -> np.ndarray:
        means: np.ndarray = series(row.records, column).reshape(POINTS, -1).mean(axis=1)
        return means

    figure, axes = blank(
        f"{result.case.name}: hosts with instances", f"Time ({unit})", "Hosts, mean over runs", (8.6, 4.6)
    )
    chosen = _some(ranked, result.baseline)
    for row in ranked:
        if row not in chosen:
            axes.plot(time, line(row), color="#D8D8D8", linewidth=0.8, zorder=1)
    styles: tuple[Any, ...] = ("-", "--", "-.", (0, (4, 1, 1, 1, 1, 1)), (0, (6, 2)), (0, (1, 1)))
    colours = (BLUE, GREEN, PURPLE, SKY, RED, BLACK)
    number = 0
    for row in chosen:
        if row.policy == result.baseline:
            colour, style = ORANGE, "-"
        else:
            colour, style = colours[number], styles[number]
            number += 1
        axes.plot(time, line(row), color=colour, linestyle=style, label=row.policy, zorder=2)
    bound = line(ranked[0], "bound")
    axes.plot(time, bound, color=BLACK, linewidth=1.0, linestyle=":", label="volume bound", zorder=2)
    if len(chosen) < len(ranked):
        axes.plot([], [], color="#D8D8D8", linewidth=0.8, label="other policies")
    if result.begin:
        axes.axvspan(0, result.begin / CELLS * hours / size, color="#F0F0F0", zorder=0, label="left out")
    axes.margins(x=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    legend(axes)
    return figure


def _some(ranked: Sequence[Row], baseline: str) -> list[Row]:
    """The baseline, the two best, the worst and some between them: DRAWN at most, in their order."""
    if len(ranked) <= DRAWN:
        return list(ranked)
    wanted = {0, 1, len(ranked) - 1, next(i for i, row in enumerate(ranked) if row.policy == baseline)}
    for place in np.linspace(0, len(ranked) - 1, DRAWN).round().astype(int).tolist():
        if len(wanted) < DRAWN:
            wanted.add(place)
    return [ranked[index] for index in sorted(wanted)]


def rejections(result: CaseResult, confidence: float) -> Figure | None:
    """The share of requests that were rejected, by cause; whole runs, means over them."""
    ranked = result.ranked
    causes = sorted({cause for row in ranked for record in row.records for cause in record.rejected})
    shares = np.array(
        [[np.mean([r.rejected.get(cause, 0) / r.requests for r in row.records]) for cause in causes] for row in ranked]
    )
    if not shares.any():
        return None
    figure, axes = blank(
        f"{result.case.name}: rejected requests by cause", "Share of all requests", "", (8.2, 1.7 + 0.25 * len(ranked))
    )
    places = np.arange(len(ranked))
    before = np.zeros(len(ranked))
    hatches = ("", "//", "..", "xx", "\\\\", "oo", "--", "++")
    for index, cause in enumerate(causes):
        axes.barh(
            places,
            shares[:, index],
            left=before,
            color=CYCLE[index % len(CYCLE)],
            hatch=hatches[index % len(hatches)],
            edgecolor="white",
            linewidth=0.4,
            height=0.72,
            label=cause,
        )
        before += shares[:, index]
    for place, total in enumerate(before.tolist()):
        axes.annotate(f"{100 * total:.2f} %", (total, place), (4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(places, [row.policy for row in ranked], fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(ranked) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, 1.12 * float(before.max()))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.4g} %"))
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(8, len(labels)), fontsize=9)
    return figure


def packing(result: CaseResult, confidence: float) -> Figure | None:
    """How full the hosts are that have instances, in both dimensions; policies by number, those in one place together."""
    both = ("cpu_packing_density", "memory_packing_density")
    ranked = [row for row in result.ranked if all(name in row.estimates for name in both)]
    if not ranked:
        return None
    figure, axes = blank(
        f"{result.case.name}: packing density",
        "CPU reserved on hosts with instances",
        "Memory reserved on hosts with instances",
        (8.6, 4.8),
    )
    x, y = (np.array([row.estimates[name].mean for row in ranked]) for name in both)
    for index, row in enumerate(ranked):
        first = row.policy == result.baseline
        colour = ORANGE if first else BLUE
        a, b = (row.estimates[name] for name in both)
        axes.errorbar(a.mean, b.mean, xerr=a.half, yerr=b.half, fmt="none", ecolor=colour, elinewidth=0.7, alpha=0.4)
        axes.plot(
            a.mean, b.mean, "o", color=colour, markersize=5, zorder=4 if first else 3, label=f"{index + 1}  {row.policy}"
        )
    axes.margins(0.12)
    if np.ptp(x) < 1e-6:
        axes.set_xlim(x[0] - 0.01, x[0] + 0.01)
    if np.ptp(y) < 1e-6:
        axes.set_ylim(y[0] - 0.01, y[0] + 0.01)
    for members in _together(x / max(np.ptp(x), 0.02), y / max(np.ptp(y), 0.02)):
        text = _numbers([index + 1 for index in members])
        # To the lower right: policies lie along the diagonal.
        corner = (max(x[index] for index in members), min(y[index] for index in members))
        axes.annotate(text, corner, (5, -10), textcoords="offset points", fontsize=8.5, color=BLACK, zorder=5)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5))
        axis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.4g} %"))
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", fontsize=8.5, handlelength=1.2)
    return figure


def _together(x: np.ndarray, y: np.ndarray) -> list[list[int]]:
    """Points that are too near to one another to be labelled each, as lists of their indices."""
    groups: list[list[int]] = []
    for index in range(len(x)):
        near = next((g for g in groups if abs(x[g[0]] - x[index]) < 0.05 and abs(y[g[0]] - y[index]) < 0.05), None)
        if near is None:
            groups.append([index])
        else:
            near.append(index)
    return groups


def _numbers(values: Sequence[int]) -> str:
    """Numbers in ascending order, runs of three and more as 3–7."""
    parts: list[list[int]] = []
    for value in values:
        if parts and value == parts[-1][-1] + 1:
            parts[-1].append(value)
        else:
            parts.append([value])
    return ", ".join(f"{p[0]}–{p[-1]}" if len(p) > 2 else ", ".join(map(str, p)) for p in parts)


def convergence(result: CaseResult, confidence: float) -> Figure | None:
    """How the interval of the leading metric's difference from the baseline narrows with every further seed."""
    if result.case.slices is not None or not result.metrics:
        return None
    name = result.metrics[0]
    base = result.row(result.baseline).values.get(name, [])
    rows = [row for row in result.ranked if row.policy != result.baseline and len(row.values.get(name, ())) == len(base)]
    if len(base) < 4 or not rows:
        return None
    kept = [rows[index] for index in sorted({0, 1, len(rows) // 2} & set(range(len(rows))))]
    figure, axes = blank(
        f"{result.case.name}: difference from {result.baseline}, seed by seed",
        "Seeds",
        f"{METRICS[name].label}: difference",
        (8.0, 4.2),
    )
    counts = np.arange(2, len(base) + 1)
    axes.axhline(0.0, color=ORANGE, linewidth=1.2, label=result.baseline)
    for row, colour, style in zip(kept, (BLUE, GREEN, PURPLE), ("-", "--", "-."), strict=False):
        found = [
            estimate([a - b for a, b in zip(row.values[name][:n], base[:n], strict=True)], confidence) for n in counts
        ]
        middle = [each.mean for each in found]
        axes.plot(counts, middle, color=colour, linestyle=style, marker="o", markersize=3.5, label=row.policy)
        axes.fill_between(
            counts, [each.low or 0.0 for each in found], [each.high or 0.0 for each in found], color=colour, alpha=0.15, lw=0
        )
    # The first intervals are so wide that the later ones could not be seen.
    last = [estimate([a - b for a, b in zip(row.values[name], base, strict=True)], confidence) for row in kept]
    reach = 6 * max((each.half or 0.0) for each in last)
    low, high = min(0.0, *(each.mean for each in last)), max(0.0, *(each.mean for each in last))
    if reach:
        axes.set_ylim(low - reach, high + reach)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(x=0.02)
    if METRICS[name].show == "share":
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{_short(100 * v, True)} pp"))
    legend(axes)
    return figure


def glance(results: Sequence[CaseResult], name: str) -> Figure | None:
    """A metric by policy and case: the means as text, coloured by how much better or worse than the baseline they are."""
    results = [result for result in results if name in result.metrics]
    policies = list(dict.fromkeys(row.policy for result in results for row in result.rows))
    if not results or not any(
        row.estimates[name].mean for result in results for row in result.rows if name in row.estimates
    ):
        return None
    means = np.full((len(policies), len(results)), np.nan)
    colours = np.full_like(means, np.nan)
    for column, result in enumerate(results):
        for row in result.rows:
            if name in row.estimates:
                means[policies.index(row.policy), column] = row.estimates[name].mean
        base = means[policies.index(result.baseline), column]
        worse = (means[:, column] - base) * (1 if METRICS[name].less else -1)
        widest = np.nanmax(np.abs(worse))
        colours[:, column] = worse / widest if widest else worse
    order = np.argsort(np.nanmean(colours, axis=1), kind="stable")
    size = (max(7.2, 2.6 + 1.25 * len(results)), 1.9 + 0.27 * len(policies))
    figure, axes = blank(f"{METRICS[name].label} by policy and case", "", "", size)
    scale = matplotlib.colors.LinearSegmentedColormap.from_list("", [BLUE, "#FFFFFF", ORANGE])
    axes.imshow(np.ma.masked_invalid(colours[order]), aspect="auto", cmap=scale, vmin=-1.4, vmax=1.4)
    for place, index in enumerate(order.tolist()):
        for column in range(len(results)):
            text = shown(name, float(means[index, column]))
            axes.text(column, place, text, ha="center", va="center", fontsize=8.5, color=BLACK)
    axes.set_yticks(range(len(policies)), [policies[index] for index in order], fontsize=9)
    axes.set_xticks(range(len(results)), [result.case.name.replace(" on ", "\non ") for result in results], fontsize=8)
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("Blue is better than the baseline, orange is worse; each case on a scale of its own", fontsize=8.5)
    return figure
