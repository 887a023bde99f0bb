"""`cloudsim trace`: whether a trace is right, what is in it, turning it into a table, and getting public ones."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from cloudsim.experiment.errors import ExperimentError
from cloudsim.experiment.page import duration
from cloudsim.experiment.traces import FORMATS, Trace
from cloudsim.experiment.traces.checking import check
from cloudsim.experiment.traces.describing import TraceInfo, describe
from cloudsim.experiment.traces.known import KNOWN, KnownTrace
from cloudsim.experiment.traces.opening import open_trace
from cloudsim.experiment.traces.table_writing import write_table
from cloudsim.randomness import Randomness
from server.trace_fetching import FetchError, fetch

_FILE = click.Path(path_type=Path)
_Command = TypeVar("_Command", bound=Callable[..., Any])
_GIB = 1 << 30


@click.group("trace")
def trace_command() -> None:
    """Look at traces: check them, describe them, convert them, fetch public ones."""


def trace_file(command: _Command) -> _Command:
    """Adds FILE and what says how it is to be read."""
    for parameter in (
        click.option(
            "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of generated loads."
        ),
        click.option(
            "--option",
            "-o",
            "options",
            multiple=True,
            metavar="NAME=VALUE",
            callback=parse_options,
            help="An option of the format, such as limit=1000; see `cloudsim trace formats`. Can be repeated.",
        ),
        click.option("--format", help="The trace's format, where the file does not tell."),
        click.argument("file", type=_FILE),
    ):
        command = parameter(command)
    return command


def parse_options(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """NAME=VALUE texts as a mapping."""
    found: dict[str, str] = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"expected NAME=VALUE, got {value!r}")
        found[name] = text
    return found


def _opened(file: Path, format: str | None, options: dict[str, str]) -> Trace:
    try:
        return open_trace(file, format, options)
    except ExperimentError as error:
        raise click.ClickException(str(error)) from error


@trace_command.command("check")
@trace_file
@click.option("--errors", type=click.IntRange(min=1), default=10, show_default=True, help="Stop after so many.")
def check_command(file: Path, format: str | None, options: dict[str, str], seed: int, errors: int) -> None:
    """Read all of FILE and say what is wrong with it, and where; the exit code is 1 if anything is."""
    trace = _opened(file, format, options)
    found = check(trace, Path(), Randomness(seed), errors)
    for error in found.errors:
        click.echo(error, err=True)
    for note in found.notes:
        click.echo(f"note: {note}")
    if found.errors:
        more = " at least" if len(found.errors) >= errors else ""
        click.echo(f"{file}: {_format(trace)}:{more} {len(found.errors)} errors", err=True)
        sys.exit(1)
    click.echo(f"{file}: {_format(trace)}: {found.requests:,} requests, no errors")


@trace_command.command("info")
@trace_file
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def info_command(file: Path, format: str | None, options: dict[str, str], seed: int, as_json: bool) -> None:
    """Say what is in FILE: requests, sizes, lifetimes, and how much of it is there at once."""
    trace = _opened(file, format, options)
    try:
        info = describe(trace.blocks(Path(), Randomness(seed)))
    except ExperimentError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(_as_builtins(info) | {"format": _format(trace)})).decode())
        return
    Console().print(_table(file, trace, info), highlight=False)


def _as_builtins(info: TraceInfo) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(info)
    found["most_wanted"] = [flavour._asdict() | {"requests": count} for flavour, count in info.most_wanted]
    return found


def _table(file: Path, trace: Trace, info: TraceInfo) -> Table:
    table = Table(title=f"{file} ({_format(trace)})", show_header=False, title_justify="left")
    table.add_column(style="dim")
    table.add_column()
    table.add_row("Requests", f"{info.requests:,}")
    table.add_row("From first arrival to last", duration(info.span_s))
    table.add_row(
        "Between arrivals",
        f"{duration(info.gap_mean_s)} on average, coefficient of variation {info.gap_variation:.2f}",
    )
    table.add_row("Instances that run on", f"{info.endless:,}")
    if info.lifetimes.count:
        table.add_row("Lifetimes, mean", duration(info.lifetimes.mean))
        points = (f"{percent} %: {duration(value)}" for percent, value in info.lifetimes.percentiles.items())
        table.add_row("Lifetimes, percentiles", ", ".join(points))
    if info.predicted:
        table.add_row("With a predicted lifetime", f"{info.predicted:,}")
    if info.tenants:
        table.add_row("Tenants", f"{info.tenants:,}")
    if info.in_affinity_groups or info.in_anti_affinity_groups:
        text = f"{info.in_affinity_groups:,} in affinity, {info.in_anti_affinity_groups:,} in anti-affinity"
        table.add_row("In groups", text)
    table.add_section()
    for name, label in (
        ("instances", "Instances at once"),
        ("cores", "Cores"),
        ("cpu_ghz", "CPU, GHz"),
        ("memory_gib", "Memory, GiB"),
        ("gpus", "GPUs"),
    ):
        demand = getattr(info, name)
        if demand.peak:
            table.add_row(f"{label}, peak / mean", f"{demand.peak:,.6g} / {demand.mean:,.6g}")
    table.add_section()
    for flavour, count in info.most_wanted:
        gpus = f", {flavour.gpus} x {flavour.gpu_milli / 1000:g} GPU" if flavour.gpus else ""
        nodes = f", {flavour.numa_nodes} NUMA nodes" if flavour.numa_nodes > 1 else ""
        size = f"{flavour.cpus} x {flavour.cpu_mhz} MHz, {flavour.memory_mib:,} MiB{gpus}{nodes}"
        table.add_row(size, f"{count:,} ({count / info.requests:.1%})")
    if info.flavours > len(info.most_wanted):
        table.add_row("Other sizes", f"{info.flavours - len(info.most_wanted):,}")
    table.add_section()
    table.add_row("Format", trace.title)
    table.add_row("Units", trace.units)
    if trace.source:
        table.add_row("Source", trace.source)
    return table


@trace_command.command("convert")
@trace_file
@click.argument("out", type=_FILE)
def convert_command(file: Path, format: str | None, options: dict[str, str], seed: int, out: Path) -> None:
    """Write FILE as a table in cloudsim's own columns: OUT is a .parquet or .csv file."""
    trace = _opened(file, format, options)
    said = "".join(f", {name}={value}" for name, value in options.items())
    comment = f"Converted by cloudsim from {file.name} (format {_format(trace)}{said})."
    try:
        count = write_table(out, trace.requests(Path(), Randomness(seed)), comment)
    except ExperimentError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{out}: {count:,} requests")


@trace_command.command("formats")
@click.argument("name", required=False)
def formats_command(name: str | None) -> None:
    """List the formats, or say of the one called NAME what its columns become and which options it has."""
    if name is None:
        width = max(map(len, FORMATS))
        for each in sorted(FORMATS):
            click.echo(f"{each:<{width}}  {FORMATS[each].title}")
        click.echo("\nOptions of all: " + ", ".join(_option(Trace, field) for field in Trace.__struct_fields__))
        click.echo("`cloudsim trace formats NAME` says the units, and a format's own options.")
        return
    kind = FORMATS.get(name)
    if kind is None:
        raise click.ClickException(f"expected one of {', '.join(sorted(FORMATS))}, got {name!r}")
    click.echo(f"{name}: {kind.title}\nUnits: {kind.units}\n")
    for base in (each for each in kind.__mro__ if issubclass(each, Trace) and each is not Trace):
        click.echo(f"{inspect.cleandoc(base.__doc__ or '')}\n")
    own = [field for field in kind.__struct_fields__ if field not in Trace.__struct_fields__]
    click.echo("Options: " + ", ".join(_option(kind, field) for field in own))
    click.echo("Options of all formats:\n\n" + (inspect.getdoc(Trace) or ""))
    if kind.source:
        click.echo(f"\n{kind.source}")


@trace_command.command("fetch")
@click.argument("name", required=False)
@click.option("--to", "folder", type=_FILE, help="The folder to write into.  [default: traces/NAME]")
@click.option("--limit", type=click.FloatRange(min=0, min_open=True), default=4.0, show_default=True, help="GiB.")
@click.option("--dry-run", is_flag=True, help="Only say what it is, and what would be downloaded.")
def fetch_command(name: str | None, folder: Path | None, limit: float, dry_run: bool) -> None:
    """Say where the public trace NAME comes from and under which terms, and download it; without NAME, list them."""
    if name is None:
        width = max(map(len, KNOWN))
        for each in sorted(KNOWN):
            how = "" if KNOWN[each].downloads else " (by hand)"
            click.echo(f"{each:<{width}}  {KNOWN[each].title}{how}")
        return
    known = KNOWN.get(name)
    if known is None:
        raise click.ClickException(f"expected one of {', '.join(sorted(KNOWN))}, got {name!r}")
    _introduce(known)
    if dry_run:
        for download in known.downloads:
            click.echo(f"  {download.urls[0]}")
        return
    if not known.downloads:
        raise click.ClickException("there is nothing to download: see above what to do by hand")
    failures = _fetched(known, folder or Path("traces") / name, round(limit * _GIB))
    if failures:
        by_hand = f"\n{known.manual}" if known.manual else f"\nDownload it by hand, from {known.page}"
        raise click.ClickException("\n".join(failures) + by_hand)


def _introduce(known: KnownTrace) -> None:
    click.echo(known.title)
    click.echo(f"  Source:  {known.page}")
    click.echo(f"  Licence: {known.licence}")
    click.echo(f"  Cite:    {known.cite}")
    click.echo(f"  Format:  {known.format}")
    if known.shipped:
        click.echo(f"  Shipped: a copy is in {known.shipped}")
    if known.manual and not known.downloads:
        click.echo(f"  By hand: {known.manual}")


def _fetched(known: KnownTrace, folder: Path, limit: int) -> list[str]:
    """Download all files; returns what went wrong."""
    failures: list[str] = []
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        for download in known.downloads:
            task = bar.add_task(download.name, total=None)

            def progress(came: int, size: int | None, task: Any = task) -> None:
                bar.update(task, completed=came, total=size)

            try:
                written, digest = fetch(download, folder, limit, progress)
            except FetchError as error:
                failures.append(f"{download.name} was not downloaded:\n{error}")
                continue
            checked = "as expected" if download.sha256 else "no checksum is known to compare it with"
            shown = written[0] if len(written) == 1 else f"{len(written):,} files in {folder}"
            bar.console.print(f"{shown}: SHA-256 of the download {digest}, {checked}", soft_wrap=True)
    return failures


def _format(trace: Trace) -> str:
    return str(type(trace).__struct_config__.tag)


def _option(kind: type[Trace], name: str) -> str:
    field = next(each for each in msgspec.structs.fields(kind) if each.name == name)
    if field.default is msgspec.NODEFAULT:
        return f"{name} (needed)"
    return f"{name}={'' if field.default is None else field.default}"
