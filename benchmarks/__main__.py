"""Runs the benchmarks: `python -m benchmarks [NAME ...]`, all of them or those named (`store` is bench_store.py).

Every `benchmarks/bench_*.py` with a function `figures()` takes part. Prints one table and writes benchmarks/results.json:
figure name -> {"value", "unit"}. Figures of benchmarks that were not run this time are kept from the last time.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results.json"

Figures = dict[str, dict[str, Any]]


def names() -> list[str]:
    """What can be run, in alphabetical order."""
    return sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))


def measure(name: str) -> Figures:
    """The figures of one benchmark; none if it has no `figures()`."""
    module = import_module(f"benchmarks.bench_{name}")
    figures = getattr(module, "figures", None)
    found: Figures = {} if figures is None else figures()
    return found


def table(figures: Figures) -> Table:
    shown = Table("figure", "value", "unit")
    shown.columns[0].overflow = "fold"
    shown.columns[1].justify = "right"
    for name, figure in figures.items():
        value = figure["value"]
        shown.add_row(name, f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}", figure["unit"])
    return shown


def main(wanted: list[str]) -> None:
    known = names()
    unknown = [name for name in wanted if name not in known]
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}; there are {', '.join(known)}")
    console = Console()
    figures: Figures = {}
    for name in wanted or known:
        began = time.perf_counter()
        figures |= measure(name)
        console.print(f"{name}: {time.perf_counter() - began:.0f} s", style="dim", highlight=False)
    earlier: Figures = json.loads(RESULTS.read_text()) if wanted and RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(dict(sorted((earlier | figures).items())), indent=2) + "\n")
    console.print(table(figures))
    console.print(f"written to {RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS}")


if __name__ == "__main__":
    main(sys.argv[1:])
