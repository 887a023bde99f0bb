"""`cloudsim compare`: policies side by side, from a specification to a report."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from cloudsim.experiment.compare import CaseResult, Done, Plan, Records, analyse, check, load, run_all
from cloudsim.experiment.compare.pace import Pace
from cloudsim.experiment.compare.tables import overview
from cloudsim.experiment.errors import ExperimentError
from cloudsim.experiment.page import duration


@click.command("compare")
@click.argument("spec", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write finished runs, tables, plots and report into this folder; without it only the tables are printed.",
)
@click.option("--jobs", type=click.IntRange(min=1), help="Runs side by side; as many as there are CPUs where left out.")
@click.option(
    "--backend",
    type=click.Choice(["processes", "ray", "dask"]),
    default="processes",
    show_default=True,
    help="Where they run: processes of this machine, or a Ray or Dask cluster.",
)
@click.option("--address", help="Of the Ray or Dask cluster; without it one is started on this machine.")
@click.option("--resume", is_flag=True, help="Do not run again what is finished in --out.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def compare_command(
    spec: Path,
    out: Path | None,
    jobs: int | None,
    backend: str,
    address: str | None,
    resume: bool,
    quiet: bool,
) -> None:
    """Compare policies as a SPEC (YAML) says: every policy on every trace and cluster, for every seed.

    Everything is checked before anything runs. Each finished run is kept at once, so that a comparison that was
    stopped goes on with --resume.
    """
    if resume and out is None:
        raise click.UsageError("--resume needs the --out of before")
    if address is not None and backend == "processes":
        raise click.UsageError("--address is for --backend ray or dask")
    sys.path.insert(0, "")  # for a policy in a module of the working folder
    number = jobs or os.cpu_count() or 1
    shown = Console(stderr=True, quiet=quiet)
    console = Console()
    try:
        plan = check(load(spec))
        records = _Nowhere() if out is None else Records(out / "runs")
        display = _Display(shown, plan, number)
        try:
            with _connected(backend, number, address), display.bar:
                found = run_all(
                    plan,
                    records,
                    jobs=number,
                    backend=backend,
                    resume=resume,
                    clock=time.process_time,
                    progress=display,
                )
        except KeyboardInterrupt:
            kept = "" if out is None else "; they are kept, go on with --resume"
            raise click.ClickException(f"stopped after {display.done:,} of {len(plan.units):,} runs{kept}") from None
        results = analyse(plan, found)
    except ExperimentError as error:
        raise click.ClickException(str(error)) from error
    for result in results:
        for table in _tables(result, console.width):
            console.print(table)
        console.print(f"[dim]Replication: {result.replication}. {result.note}[/dim]", highlight=False)
        for policy, why in sorted(result.case.left_out.items()):
            console.print(f"[dim]without {policy}: {why}[/dim]", highlight=False)
    if out is not None:
        _write(plan, results, out, shown)
        console.print(f"Report: {out / 'report.html'}", highlight=False, soft_wrap=True)


class _Nowhere(Records):
    """Keeps nothing."""

    def __init__(self) -> None:
        super().__init__(Path())

    def put(self, record: Any) -> None:
        pass


class _Display:
    """The progress bar: runs done, and the time left."""

    def __init__(self, console: Console, plan: Plan, jobs: int) -> None:
        self.bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} runs"),
            BarColumn(),
            TextColumn("{task.fields[left]}", style="cyan"),
            TextColumn("{task.fields[last]}", style="dim"),
            console=console,
            transient=True,
        )
        self.done = 0
        self._pace = Pace(jobs)
        self._waiting = list(plan.units)
        self._task = self.bar.add_task("runs", total=len(plan.units), left="", last="")

    def __call__(self, done: Done) -> None:
        self.done += 1
        self._waiting.remove(done.unit)
        if done.seconds is not None:
            self._pace.add(done.unit, done.seconds)
        seconds = self._pace.left(self._waiting)
        self.bar.update(
            self._task,
            completed=self.done,
            left="" if seconds is None else f"{duration(seconds)} left",
            last=f"{done.unit.policy} on {done.unit.trace_name}",
        )


@contextmanager
def _connected(backend: str, jobs: int, address: str | None) -> Iterator[None]:
    """A client of the cluster, where there is one to be used."""
    if backend == "dask":
        try:
            from distributed import Client
        except ImportError as error:
            raise click.ClickException("Dask is missing: pip install cloudsim[dask]") from error
        connect: Any = Client
        local: dict[str, Any] = {"n_workers": jobs, "threads_per_worker": 1, "dashboard_address": None}
        with connect(address) if address else connect(**local):
            yield
    elif backend == "ray":
        try:
            import ray
            from ray.util.joblib import register_ray
        except ImportError as error:
            raise click.ClickException("Ray is missing: pip install cloudsim[ray]") from error
        local = {} if address else {"num_cpus": jobs, "include_dashboard": False}
        ray.init(address=address, log_to_driver=False, **local)
        register_ray()
        try:
            yield
        finally:
            ray.shutdown()
    else:
        yield


def _tables(result: CaseResult, width: int) -> Iterator[Table]:
    """The overview as tables that are no wider than the console, each with the policies."""
    grid = overview(result)
    across = [max(*(len(row[c]) for row in grid.rows), _longest_word(head)) for c, head in enumerate(grid.head)]
    parts: list[list[int]] = [[]]
    left = width
    for column in range(1, len(grid.head)):
        needed = across[column] + 3
        if parts[-1] and needed > left:
            parts.append([])
        if not parts[-1]:
            left = width - across[0] - 4
        parts[-1].append(column)
        left -= needed
    for part in parts:
        title = result.case.name if part is parts[0] else None
        table = Table(title=title, title_justify="left")
        for column in (0, *part):
            justify: Any = "right" if column else "left"
            table.add_column(Text(grid.head[column]), justify=justify, width=across[column])
        for number, row in enumerate(grid.rows):
            table.add_row(
                *(
                    Text(row[column], "bold" if (number, column) in grid.best else "", no_wrap=True)
                    for column in (0, *part)
                )
            )
        yield table


def _longest_word(text: str) -> int:
    return max(len(word) for word in text.split())


def _write(plan: Plan, results: list[CaseResult], out: Path, console: Console) -> None:
    from cloudsim.experiment.compare.writing import write  # plotting takes a second to import

    with console.status("writing") as status:
        write(plan, results, out, lambda name: status.update(f"writing {name}"))
