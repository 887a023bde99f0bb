"""Tables of a comparison: Parquet for further work, and text for papers and pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from cloudsim.experiment.compare.analysis import Against, CaseResult, Row
from cloudsim.experiment.compare.metrics import METRICS, series, shown
from cloudsim.experiment.compare.plan import Plan
from cloudsim.experiment.compare.spec import CELLS


class Grid(NamedTuple):
    """A table as text: one cell for each head in each row; `best` has the (row, column) of cells to be marked."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    best: frozenset[tuple[int, int]] = frozenset()


def overview(result: CaseResult, plus_minus: str = "±") -> Grid:
    """A row for each policy, the best by the leading metric first: the metrics, and the difference from the baseline."""
    rows = []
    ranked = result.ranked
    for row in ranked:
        n = max((row.estimates[name].n for name in result.metrics if name in row.estimates), default=1)
        cells = [row.policy + (" (baseline)" if row.policy == result.baseline else ""), f"{n}"]
        for name in result.metrics:
            found = row.estimates.get(name)
            cells.append("–" if found is None else shown(name, found.mean, found.half, plus_minus))
        cells.append(_difference(row.against.get(result.metrics[0])) if result.metrics else "")
        rows.append(tuple(cells))
    head = ("Policy", "n", *(METRICS[name].label for name in result.metrics), "First metric against baseline")
    return Grid(head, tuple(rows), frozenset(_best(result, ranked)))


def _best(result: CaseResult, ranked: Sequence[Row]) -> Iterator[tuple[int, int]]:
    """Where the best mean of each metric is, unless all are the same."""
    for column, name in enumerate(result.metrics, 2):
        less = METRICS[name].less
        means = [row.estimates[name].mean if name in row.estimates else None for row in ranked]
        known = [mean for mean in means if mean is not None]
        if less is None or len(set(known)) < 2:
            continue
        best = min(known) if less else max(known)
        yield from ((index, column) for index, mean in enumerate(means) if mean == best)


def _difference(against: Against | None) -> str:
    if against is None:
        return ""
    estimate = against.difference.estimate
    if not estimate.mean:
        return "0" if not estimate.half else f"0 [{estimate.low:+.3g}, {estimate.high:+.3g}]"
    if against.relative is None:
        return f"{estimate.mean:+.4g}"
    unit = 100 * against.relative / estimate.mean
    text = f"{unit * estimate.mean:+.2f} %"
    if estimate.low is None or estimate.high is None:
        return text
    low, high = sorted((unit * estimate.low, unit * estimate.high))
    return f"{text} [{low:+.2f}, {high:+.2f}]"


def comparisons(result: CaseResult) -> Grid:
    """A row for each metric and policy: the paired difference, its intervals, and adjusted p-values."""
    rows = []
    for name in result.metrics:
        for row in result.ranked:
            found = row.against.get(name)
            if found is None:
                continue
            difference = found.difference
            estimate = difference.estimate
            rows.append(
                (
                    METRICS[name].label,
                    row.policy,
                    f"{estimate.n}",
                    f"{estimate.mean:+.4g}",
                    _interval(estimate.low, estimate.high),
                    _interval(difference.bootstrap_low, difference.bootstrap_high),
                    _p(found.holm_t),
                    _p(found.holm_signed_rank),
                )
            )
    head = ("Metric", "Policy", "Pairs", "Difference", "t interval", "Bootstrap interval", "p, t", "p, signed rank")
    return Grid(head, tuple(rows))


def _interval(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"[{low:+.3g}, {high:+.3g}]"


def _p(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2g}" if value >= 1e-4 else "< 0.0001"


def markdown(grid: Grid) -> str:
    """The table as GitHub's Markdown has them."""

    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    marked = [
        [f"**{cell}**" if (r, c) in grid.best else cell for c, cell in enumerate(row)]
        for r, row in enumerate(grid.rows)
    ]
    rule = "|" + "|".join([" --- ", *(" ---: " for _ in grid.head[1:])]) + "|"
    return "\n".join([line(grid.head), rule, *(line(row) for row in marked)]) + "\n"


_TEX = {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}", "–": "--", "~": r"\textasciitilde{}"}


def latex(grid: Grid, caption: str, label: str) -> str:
    r"""The table for LaTeX with booktabs (\usepackage{booktabs}), as wide as it is."""

    def escaped(cell: str) -> str:
        text = cell.replace("\\", r"\textbackslash ")
        text = "".join(_TEX.get(character, character) for character in text)
        return text.replace("±", r"$\pm$").replace("−", "$-$").replace(" \\%", r"\,\%")

    def line(row: int, cells: Sequence[str]) -> str:
        marked = [
            rf"\textbf{{{escaped(cell)}}}" if (row, c) in grid.best else escaped(cell) for c, cell in enumerate(cells)
        ]
        return "  " + " & ".join(marked) + r" \\"

    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{escaped(caption)}}}",
            rf"  \label{{{label}}}",
            rf"  \begin{{tabular}}{{l{'r' * (len(grid.head) - 1)}}}",
            r"  \toprule",
            line(-1, grid.head),
            r"  \midrule",
            *(line(index, row) for index, row in enumerate(grid.rows)),
            r"  \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


# Parquet


def runs_table(plan: Plan, results: Sequence[CaseResult]) -> pa.Table:
    """One row a run: what it was, what it was made with, what became of its requests, and all metrics."""
    rows = []
    for result in results:
        for row in result.rows:
            for record, figures in zip(row.records, row.figures, strict=True):
                causes = {f"rejected_{cause.replace(' ', '_')}": n for cause, n in sorted(record.rejected.items())}
                rows.append(
                    {
                        "trace": record.trace,
                        "cluster": record.cluster,
                        "policy": record.policy,
                        "seed": record.seed,
                        "engine": record.engine,
                        "hosts": record.hosts,
                        "requests": record.requests,
                        "placed": record.placed,
                        "check": record.check,
                        "span_h": record.over_ms / 3.6e6,
                        "measured_h": (1 - result.begin / CELLS) * record.over_ms / 3.6e6,
                        "cpu_seconds": record.cpu_seconds,
                        "trace_sha256": record.trace_digest,
                        "digest": record.key,
                        **{f"version_{name}": text for name, text in plan.versions.items()},
                        **figures,
                        **causes,
                    }
                )
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: _column(name, [row.get(name) for row in rows]) for name in names})


def _column(name: str, values: list[Any]) -> pa.Array:
    if name == "check":
        return pa.array(values, pa.uint64())
    if name in METRICS:
        return pa.array(values, pa.float64())
    if name.startswith("rejected_"):
        return pa.array([value or 0 for value in values], pa.int64())
    return pa.array(values)


def statistics_table(results: Sequence[CaseResult]) -> pa.Table:
    """One row a case, policy and metric: the estimate, and the difference from the baseline."""
    rows = []
    for result in results:
        for row in result.rows:
            for name in result.metrics:
                if name not in row.estimates:
                    continue
                mean = row.estimates[name]
                found = row.against.get(name)
                difference = found.difference if found else None
                rows.append(
                    {
                        "trace": result.case.trace,
                        "cluster": result.case.cluster.name,
                        "policy": row.policy,
                        "metric": name,
                        "n": mean.n,
                        "mean": mean.mean,
                        "deviation": mean.deviation,
                        "low": mean.low,
                        "high": mean.high,
                        "baseline": result.baseline,
                        "difference": difference.estimate.mean if difference else None,
                        "relative_difference": found.relative if found else None,
                        "difference_low": difference.estimate.low if difference else None,
                        "difference_high": difference.estimate.high if difference else None,
                        "bootstrap_low": difference.bootstrap_low if difference else None,
                        "bootstrap_high": difference.bootstrap_high if difference else None,
                        "p_t": difference.p_t if difference else None,
                        "p_t_holm": found.holm_t if found else None,
                        "p_signed_rank": difference.p_signed_rank if difference else None,
                        "p_signed_rank_holm": found.holm_signed_rank if found else None,
                    }
                )
    words = ("trace", "cluster", "policy", "metric", "baseline")
    return pa.table(
        {
            name: pa.array(
                [row[name] for row in rows],
                pa.string() if name in words else pa.int64() if name == "n" else pa.float64(),
            )
            for name in (rows[0] if rows else words)
        }
    )


_SERIES = ("instances", "not_empty", "bound", "cpu", "memory", "gpu")


def series_table(results: Sequence[CaseResult]) -> pa.Table:
    """One row a case, policy and cell of time: time averages over the cell, means over runs (units as in cells.INTEGRALS)."""
    columns: dict[str, list[Any]] = {name: [] for name in ("trace", "cluster", "policy", "begin_h", *_SERIES)}
    for result in results:
        for row in result.rows:
            hours = np.mean([record.over_ms for record in row.records]) / 3.6e6
            columns["trace"] += [result.case.trace] * CELLS
            columns["cluster"] += [result.case.cluster.name] * CELLS
            columns["policy"] += [row.policy] * CELLS
            columns["begin_h"].append(np.arange(CELLS) / CELLS * hours)
            for name in _SERIES:
                columns[name].append(series(row.records, name))
    words = ("trace", "cluster", "policy")
    return pa.table(
        {
            name: pa.array(values).dictionary_encode() if name in words else pa.array(np.concatenate(values))
            for name, values in columns.items()
        }
    )

