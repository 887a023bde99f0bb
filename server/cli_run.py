"""`cloudsim run` and `cloudsim schema`: experiments from the command line."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from cloudsim.experiment.errors import ExperimentError
from cloudsim.experiment.page import duration
from cloudsim.experiment.reading import load
from cloudsim.experiment.run import Progress, run
from cloudsim.experiment.scenario import json_schema
from cloudsim.experiment.summary import summary
from server.garbage import look_seldom
from server.memory import peak_mib

_EVERY = 0.1  # wall seconds between two updates of the bar


class Stopwatch:
    """Wall and CPU seconds by phase of a run."""

    def __init__(self) -> None:
        self.phases: dict[str, dict[str, float]] = {}
        self._phase = "checking"
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def enter(self, phase: str) -> None:
        """A new phase begins; the one before has ended."""
        if phase == self._phase:
            return
        wall, cpu = time.perf_counter(), time.process_time()
        self.phases[self._phase] = {"wall_s": wall - self._wall, "cpu_s": cpu - self._cpu}
        self._phase, self._wall, self._cpu = phase, wall, cpu

    def report(self, found: dict[str, Any]) -> dict[str, Any]:
        """What timing.json holds: seconds by phase, rates per CPU second of the running phase, peak memory."""
        self.enter("")
        cpu = max(1e-9, self.phases.get("running", {}).get("cpu_s", 0.0))
        return {
            "phases": self.phases,
            "requests_per_cpu_s": found["requests"]["arrived"] / cpu,
            "placements_per_cpu_s": found["requests"]["placed"] / cpu,
            "jobs_per_cpu_s": found["jobs"]["total"] / cpu,
            "messages_per_cpu_s": found["messages"]["total"] / cpu,
            "simulated_s_per_cpu_s": found["simulated_s"] / cpu,
            "peak_memory_mib": peak_mib(),
        }


class _Left(ProgressColumn):
    """Wall time left, from how fast the requests have gone so far."""

    def render(self, task: Task) -> Text:
        rate, total = task.fields.get("rate", 0.0), task.total or 0
        if not rate or not total:
            return Text("")
        return Text(f"{duration((total - task.completed) / rate)} left", style="dim")


class _Display:
    """The progress bar. Called at every arrival, it draws only so often."""

    def __init__(self, console: Console, watch: Stopwatch) -> None:
        self.bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description:<10}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} requests"),
            TextColumn("{task.fields[speed]}", style="cyan"),
            TextColumn("{task.fields[clock]}", style="green"),
            _Left(),
            console=console,
            transient=True,
        )
        self._watch = watch
        self._task = self.bar.add_task("checking", total=None, visible=False, speed="", clock="", rate=0.0)
        self._next = self._began = 0.0
        self._phase = ""

    def __call__(self, progress: Progress) -> None:
        now = time.perf_counter()
        if progress.phase == self._phase and now < self._next:
            return
        self._next = now + _EVERY
        if progress.phase != self._phase:
            self._watch.enter(progress.phase)
            self._phase, self._began = progress.phase, now
        arrived = progress.arrived if progress.phase != "writing" else progress.requests
        spent = now - self._began
        rate = arrived / spent if spent > 1 and progress.phase == "running" else 0.0
        clock = f"{duration(progress.time)} of {duration(progress.horizon)}" if progress.time else ""
        self.bar.update(
            self._task,
            description=progress.phase,
            total=progress.requests,
            completed=arrived,
            visible=True,
            rate=rate,
            speed=f"{rate:,.0f}/s" if rate else "",
            clock=clock,
        )


@click.command("run")
@click.argument("scenario", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--seed", type=click.IntRange(min=0), help="Use this seed instead of the scenario's.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write summary, tables, plots and report into this folder.",
)
@click.option(
    "--on",
    default="simulated",
    show_default=True,
    help="The world to run in: simulated, or lab (real hosts on this machine, in real time; needs root).",
)
@click.option("--latency", help="A latency profile (a name or a file) instead of the scenario's.")
@click.option(
    "--commands", is_flag=True, help="With --out: also write every command and answer, commands.jsonl."
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
def run_command(
    scenario: Path,
    seed: int | None,
    out: Path | None,
    on: str,
    latency: str | None,
    commands: bool,
    quiet: bool,
) -> None:
    """Run a SCENARIO (YAML) and say how it went."""
    sys.path.insert(0, "")  # for a policy in a module of the working folder
    look_seldom()
    console = Console()
    watch = Stopwatch()
    display = _Display(Console(stderr=True, quiet=quiet), watch)
    try:
        with display.bar:
            result = run(load(scenario), seed, out, display, on=on, latency=latency, log_commands=commands)
    except ExperimentError as error:
        raise click.ClickException(str(error)) from error
    found = summary(result)
    timing = watch.report(found)
    if out is not None:
        text = msgspec.json.format(msgspec.json.encode(timing), indent=2)
        (out / "timing.json").write_bytes(text + b"\n")
    console.print(_table(found, timing))
    if out is not None:
        console.print(f"Report: {out / 'report.html'}", highlight=False, soft_wrap=True)


def _table(found: dict[str, Any], timing: dict[str, Any]) -> Table:
    scenario, requests, deploy = found["scenario"], found["requests"], found["deploy_s"]
    table = Table(title=f"{scenario['name']} (seed {found['seed']})", show_header=False, title_justify="left")
    table.add_column(style="dim")
    table.add_column(justify="right")
    arrived = max(1, requests["arrived"])
    table.add_row("Policy", scenario["policy"])
    table.add_row("Hosts", f"{found['datacenter']['hosts']:,}")
    table.add_row("Simulated", duration(found["simulated_s"]))
    table.add_row("Requests", f"{requests['arrived']:,}")
    table.add_row("Placed", f"{requests['placed']:,} ({requests['placed'] / arrived:.2%})")
    for cause, count in sorted(requests["by_cause"].items(), key=lambda item: -item[1]):
        table.add_row(f"Not served: {cause}", f"{count:,} ({count / arrived:.2%})")
    if requests["pending"]:
        table.add_row("Unanswered", f"{requests['pending']:,}")
    for name, label in (("cpu", "CPU"), ("memory", "Memory"), ("gpu", "GPU")):
        if name in found["allocation"]:
            share = found["allocation"][name]
            table.add_row(
                f"{label} reserved, mean / peak", f"{share['average_share']:.1%} / {share['peak_share']:.1%}"
            )
    if deploy["count"]:
        table.add_row(
            "Deployment, p50 / p95 / p99",
            f"{deploy['p50']:.3g} / {deploy['p95']:.3g} / {deploy['p99']:.3g} s",
        )
    if "work" in found:
        work = found["work"]
        table.add_row("Tasks finished", f"{work['finished']:,} of {work['tasks']:,}")
        if work["finished"]:
            table.add_row(
                "Tasks' mean finish / makespan", f"{work['mean_finish_s']:,.4f} / {work['makespan_s']:,.3f} s"
            )
            table.add_row("Tasks' mean slowdown", f"{work['mean_slowdown']:.4f}")
    table.add_row("Jobs", f"{found['jobs']['total']:,}")
    table.add_row("Messages", f"{found['messages']['total']:,}")
    table.add_section()
    seconds = timing["phases"].get("running", {"wall_s": 0.0, "cpu_s": 0.0})
    table.add_row("Ran for", f"{seconds['wall_s']:.1f} s ({seconds['cpu_s']:.1f} s CPU)")
    table.add_row("Requests per CPU second", f"{timing['requests_per_cpu_s']:,.0f}")
    table.add_row("Peak memory", f"{timing['peak_memory_mib']:,.0f} MiB")
    return table


@click.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of a scenario, for editors and checkers."""
    click.echo(msgspec.json.format(msgspec.json.encode(json_schema()), indent=2).decode())
