"""`cloudsim commands`: what a command log holds, and how two of them differ."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from cloudsim.management.infrastructure.command_log import CommandRecord, read
from cloudsim.management.infrastructure.command_order import causal_order, differences

_LOG = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("commands")
def commands_command() -> None:
    """Look at command logs: what the management server asked of hosts, and what they answered."""


@commands_command.command("show")
@click.argument("log", type=_LOG)
@click.option("--trace", help="Only what this cause had done: an API call's trace id, or an experiment's words.")
def show_command(log: Path, trace: str | None) -> None:
    """Print a LOG, a line for each command."""
    table = Table(show_edge=False)
    for heading in ("sent", "took s", "host", "command", "about", "cause", "error"):
        table.add_column(heading, justify="right" if heading in ("sent", "took s") else "left")
    records = sorted(_records(log), key=lambda record: record.number)
    first = records[0].sent if records else 0.0
    for record in records:
        if trace is not None and record.trace_id != trace:
            continue
        took = "unanswered" if record.seconds is None else f"{record.seconds:.3f}"
        error = (record.answer or {}).get("error") or ""
        table.add_row(
            f"+{record.sent - first:.3f}", took, record.host, record.kind, _about(record), record.trace_id, error
        )
    Console().print(table)


@commands_command.command("compare")
@click.argument("first", type=_LOG)
@click.argument("second", type=_LOG)
def compare_command(first: Path, second: Path) -> None:
    """Say whether two logs have the same commands in the same causal order; the exit code is 1 if not."""
    found = differences(causal_order(_records(first)), causal_order(_records(second)))
    for line in found:
        click.echo(line)
    if found:
        raise SystemExit(1)
    click.echo("The same commands in the same causal order.")


def _records(path: Path) -> list[CommandRecord]:
    try:
        with path.open("rb") as lines:
            return list(read(lines))
    except ValueError as error:
        raise click.ClickException(f"{path}: {error}") from error


def _about(record: CommandRecord) -> str:
    vm = record.command.get("vm")
    if isinstance(vm, dict):
        return str(vm["name"])
    for key in ("vm", "volume_id", "template_id", "pool_id"):
        if record.command.get(key):
            return str(record.command[key])
    return ""
