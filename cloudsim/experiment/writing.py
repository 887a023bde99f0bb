"""Writes a run's results into a folder: summary.json, Parquet tables, plots, and a report that holds all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from cloudsim.experiment.figures import png, svg
from cloudsim.experiment.plots import draw
from cloudsim.experiment.report import report
from cloudsim.experiment.result import RunResult
from cloudsim.experiment.summary import summary
from cloudsim.experiment.tables import write_tables

COMMANDS = "commands.jsonl"
"""Every command and its answer, a line of JSON each: `cloudsim.management.infrastructure.command_log` reads it."""


def write(result: RunResult, out: Path) -> dict[str, Any]:
    """Write everything (see docs) into `out`, made if there is none; returns the summary.

    Files of an earlier run that have the same names are replaced; nothing else is touched.
    """
    out.mkdir(parents=True, exist_ok=True)
    figures = out / "plots"
    figures.mkdir(exist_ok=True)
    found = summary(result)
    (out / "summary.json").write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    (out / "scenario.yaml").write_text(result.checked.loaded.text, encoding="utf-8")
    write_tables(result, out)
    if result.commands:
        lines = (msgspec.json.encode(record) + b"\n" for record in result.commands)
        (out / COMMANDS).write_bytes(b"".join(lines))
    drawn: dict[str, bytes] = {}
    for name, figure in draw(result).items():
        drawn[name] = svg(figure)
        (figures / f"{name}.svg").write_bytes(drawn[name])
        (figures / f"{name}.png").write_bytes(png(figure))
    (out / "report.html").write_text(report(result, found, drawn), encoding="utf-8")
    return found
