"""`cloudsim replay`: a trace under a policy, without a cloud around it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from backends.simulated.datacenter import DatacenterError, load
from cloudsim.errors import CloudError
from cloudsim.experiment.blocks import Flavour, RequestBlock
from cloudsim.experiment.errors import ExperimentError, ScenarioError
from cloudsim.experiment.replay import HostGroup, ReplayResult, groups_of, replay
from cloudsim.experiment.traces.openb import host_groups
from cloudsim.experiment.traces.opening import open_trace
from cloudsim.randomness import Randomness
from server.cli_trace import parse_options
from server.memory import peak_mib

COMPILING = (HostGroup(1, 1, 1024),)


def compile_kernels(policy: str) -> None:
    """Place one request, so that what is compiled for the policy is compiled (or loaded) before anything is timed."""
    one = np.zeros(1, np.int64)
    block = RequestBlock(0, one, one + 1, one - 1, one, [Flavour(1, 1, 1)])
    replay(lambda: iter([block]), COMPILING, policy, samples=False)


def hosts_from(
    hosts: int | None,
    cores: int,
    memory_gib: float,
    mhz: int,
    datacenter: Path | None,
    overcommit: tuple[float, float],
) -> list[HostGroup]:
    """The hosts that the options describe. Raises ScenarioError or TraceError for a file that is not right."""
    if (hosts is None) == (datacenter is None):
        raise click.UsageError("expected either --hosts or --datacenter")
    if hosts is not None:
        found = [HostGroup(hosts, cores, round(1024 * memory_gib), mhz)]
    else:
        assert datacenter is not None
        found = groups_of(_description(datacenter))
    cpu, memory = overcommit
    return [group._replace(cpu_overcommit=cpu, memory_overcommit=memory) for group in found]


def _description(path: Path) -> dict[str, Any]:
    """A datacenter's description, or openb's node list as one rack."""
    if path.suffix == ".csv":
        return {"zones": [{"pods": [{"racks": [{"hosts": host_groups(path)}]}]}]}
    try:
        found: dict[str, Any] = msgspec.to_builtins(load(path))
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: expected text in UTF-8") from error
    except DatacenterError as error:
        raise ScenarioError(str(error)) from error
    return found


@click.command("replay")
@click.argument("trace", type=click.Path(exists=True, path_type=Path))
@click.option("--policy", default="first-fit", show_default=True, help="NAME or module:Class, with ,option=value")
@click.option("--hosts", type=click.IntRange(min=1), help="That many equal hosts.")
@click.option("--cores", default=64, show_default=True, type=click.IntRange(min=1))
@click.option("--memory-gib", default=256.0, show_default=True, type=click.FloatRange(min=0.03125))
@click.option("--mhz", default=1000, show_default=True, type=click.IntRange(min=1), help="Speed of each core.")
@click.option(
    "--datacenter",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Instead of --hosts: a datacenter's description (.yaml), or a node list of openb (.csv).",
)
@click.option("--cpu-overcommit", default=1.0, show_default=True, type=click.FloatRange(min=0, min_open=True))
@click.option("--memory-overcommit", default=1.0, show_default=True, type=click.FloatRange(min=0, min_open=True))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
@click.option("--warm-up", default=0.0, type=click.FloatRange(min=0), help="Seconds left out of time averages.")
@click.option(
    "--until",
    default="last-arrival",
    show_default=True,
    type=click.Choice(["last-arrival", "last-departure"]),
)
@click.option("--format", "format_", help="The trace's format, where it cannot be told from the file.")
@click.option("--option", "options", multiple=True, callback=parse_options, help="NAME=VALUE, an option of the format.")
@click.option("--engine", default="auto", type=click.Choice(["auto", "indexed", "general"]), show_default=True)
@click.option("--samples/--no-samples", default=True, help="Whether stranding, fragmentation and Gini are sampled.")
@click.option(
    "--assignments",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write each request's host here (Parquet: request, host).",
)
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
def replay_command(
    trace: Path,
    policy: str,
    hosts: int | None,
    cores: int,
    memory_gib: float,
    mhz: int,
    datacenter: Path | None,
    cpu_overcommit: float,
    memory_overcommit: float,
    seed: int,
    warm_up: float,
    until: Any,
    format_: str | None,
    options: dict[str, str],
    engine: Any,
    samples: bool,
    assignments: Path | None,
    as_json: bool,
) -> None:
    """Replay a TRACE under a policy: only requests, hosts, and what fits where.

    TRACE is a file of any known format (see `cloudsim trace formats`), or a .yaml file that describes one. The CPU
    seconds that are reported are those of placing; reading the trace and compiling come on top.
    """
    sys.path.insert(0, "")  # for a policy in a module of the working folder
    try:
        groups = hosts_from(hosts, cores, memory_gib, mhz, datacenter, (cpu_overcommit, memory_overcommit))
        source = open_trace(trace, format_, options)
        compile_kernels(policy)

        def blocks() -> Iterator[RequestBlock]:
            return source.blocks(Path(), Randomness(seed))

        began = time.process_time()
        result = replay(
            blocks,
            groups,
            policy,
            seed=seed,
            measure_from_ms=round(1000 * warm_up),
            until=until,
            samples=samples,
            keep_assignments=assignments is not None,
            engine=engine,
            clock=time.process_time,
        )
        total = time.process_time() - began
    except (ExperimentError, CloudError) as error:
        raise click.ClickException(getattr(error, "text", str(error))) from error
    if assignments is not None:
        _write_assignments(assignments, result)
    figures = {
        "policy": policy,
        "seed": seed,
        "engine": result.totals.engine,
        **result.metrics(),
        "cpu_seconds": result.cpu_seconds,
        "sampling_cpu_seconds": result.sampling_cpu_seconds,
        "total_cpu_seconds": total,
        "placements_per_cpu_s": result.totals.placed / max(result.cpu_seconds, 1e-9),
        "peak_rss_mb": peak_mib(),
    }
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(figures), indent=2).decode())
    else:
        Console().print(_table(trace, figures))


def _write_assignments(path: Path, result: ReplayResult) -> None:
    assert result.assignments is not None
    slots = result.assignments
    table = pa.table(
        {
            "request": pa.array(np.arange(len(slots)), pa.int64()),
            "host": pa.array(slots, pa.int32(), mask=slots < 0),
        }
    )
    pq.write_table(table, path, compression="zstd")


_SHARES = (
    ("empty_share", "Empty hosts, mean"),
    ("cpu_packing_density", "CPU reserved on non-empty hosts"),
    ("memory_packing_density", "Memory reserved on non-empty hosts"),
    ("cpu_allocated_share", "CPU reserved on all hosts"),
    ("memory_allocated_share", "Memory reserved on all hosts"),
    ("gpu_allocated_share", "GPUs reserved on all hosts"),
    ("stranded_cpu", "CPU stranded"),
    ("stranded_memory", "Memory stranded"),
    ("fragmentation", "CPU left that a request could not use"),
)


def _table(trace: Path, figures: dict[str, Any]) -> Table:
    table = Table(title=f"{trace.name}: {figures['policy']}", show_header=False, title_justify="left")
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_row("Hosts", f"{figures['hosts']:,}")
    table.add_row("Span", f"{figures['span_h']:,.1f} h")
    table.add_row("Requests", f"{figures['requests']:,}")
    table.add_row("Placed", f"{figures['placed']:,}")
    for name, value in figures.items():
        if name.startswith("rejected_") and not name.endswith("_share") and value:
            table.add_row(f"Rejected: {name.removeprefix('rejected_').replace('_', ' ')}", f"{value:,}")
    table.add_row("Instances, mean / peak", f"{figures['instances_average'] or 0:,.1f} / {figures['instances_peak']:,}")
    for name, label in _SHARES:
        if figures.get(name) is not None:
            table.add_row(label, f"{figures[name]:.2%}")
    if figures["host_hours_ratio"] is not None:
        table.add_row("Host-hours over the volume bound", f"{figures['host_hours_ratio']:.4f}")
    if figures["gini"] is not None:
        table.add_row("Gini coefficient of load", f"{figures['gini']:.3f}")
    table.add_section()
    table.add_row("Engine", figures["engine"])
    table.add_row("Placing", f"{figures['cpu_seconds']:.3f} s CPU ({figures['placements_per_cpu_s']:,.0f}/s)")
    table.add_row("With reading and sampling", f"{figures['total_cpu_seconds']:.3f} s CPU")
    table.add_row("Peak memory", f"{figures['peak_rss_mb']:,.0f} MB")
    table.add_row("Placement check", str(figures["check"]))
    return table
