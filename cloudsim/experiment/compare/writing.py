"""Writes a comparison's results into a folder: tables, plots, and a report that holds all."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from matplotlib.figure import Figure

from cloudsim.experiment.compare.analysis import CaseResult
from cloudsim.experiment.compare.plan import Plan
from cloudsim.experiment.compare.plots import draw, draw_all
from cloudsim.experiment.compare.report import report
from cloudsim.experiment.compare.tables import (
    latex,
    markdown,
    overview,
    runs_table,
    series_table,
    statistics_table,
)
from cloudsim.experiment.figures import pdf, png, svg

RUNS = "runs"
"""The folder of finished runs: see `record`."""


def write(
    plan: Plan,
    results: Sequence[CaseResult],
    out: Path,
    progress: Callable[[str], None] = lambda name: None,
) -> None:
    """Write everything into `out`, made if there is none. `progress` hears of each file before it is made.

    spec.yaml, runs.parquet (a row a run), statistics.parquet, series.parquet, tables.md, tables.tex, plots/ (SVG, PNG and
    PDF) and report.html. Files of before that have the same names are replaced.
    """
    folder = out / "plots"
    folder.mkdir(parents=True, exist_ok=True)
    (out / "spec.yaml").write_text(plan.loaded.text, encoding="utf-8")
    for name, table in (
        ("runs", runs_table(plan, results)),
        ("statistics", statistics_table(results)),
        ("series", series_table(results)),
    ):
        progress(f"{name}.parquet")
        _parquet(table, out / f"{name}.parquet")
    (out / "tables.md").write_text(_markdown(results), encoding="utf-8")
    (out / "tables.tex").write_text(_latex(results), encoding="utf-8")
    figures: dict[str, bytes] = {}
    for number, result in enumerate(results, 1):
        for name, figure in draw(result, plan.loaded.spec.confidence).items():
            file = f"{slug(result.case.name)}-{name}"
            progress(f"plots/{file}")
            figures[f"{number}-{name}"] = _plot(folder / file, figure)
    everything: dict[str, bytes] = {}
    for name, figure in draw_all(results).items():
        progress(f"plots/{name}")
        everything[name] = _plot(folder / name, figure)
    (out / "report.html").write_text(report(plan, results, figures, everything), encoding="utf-8")


def slug(text: str) -> str:
    """The text as part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _plot(path: Path, figure: Figure) -> bytes:
    """Write the figure in all formats; returns it as SVG."""
    drawn = svg(figure)
    figure.set_layout_engine("none")  # all has found its place, which takes longer than to draw it
    for kind, data in (("svg", drawn), ("png", png(figure)), ("pdf", pdf(figure))):
        path.with_name(f"{path.name}.{kind}").write_bytes(data)
    return drawn


def _parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd", store_schema=False)


def _markdown(results: Sequence[CaseResult]) -> str:
    return "\n".join(
        f"## {result.case.name}\n\nReplication: {result.replication}. {result.note}\n\n{markdown(overview(result))}"
        for result in results
    )


def _latex(results: Sequence[CaseResult]) -> str:
    return "\n".join(
        latex(
            overview(result),
            f"{result.case.name}. Replication: {result.replication}.",
            f"tab:{slug(result.case.name)}",
        )
        for result in results
    )
