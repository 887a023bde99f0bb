"""`cloudsim policies`: which placement policies there are, what each does, and what options it takes."""

from __future__ import annotations

import sys

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table

from cloudsim.errors import InvalidParameterValue
from cloudsim.placement.describing import PolicyInfo, describe, installed


@click.command("policies")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def policies_command(name: str | None, as_json: bool) -> None:
    """List the placement policies, or describe the one called NAME (or at module:Class)."""
    sys.path.insert(0, "")  # for a policy in a module of the working folder
    try:
        found = installed() if name is None else [describe(name)]
    except InvalidParameterValue as error:
        raise click.ClickException(error.text) from error
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode([_data(each) for each in found]), indent=2).decode())
    elif name is None:
        Console().print(_table(found))
    else:
        _describe(found[0])


def _data(info: PolicyInfo) -> dict[str, object]:
    return {**info._asdict(), "options": [option._asdict() for option in info.options]}


def _table(found: list[PolicyInfo]) -> Table:
    table = Table(Column("Policy", no_wrap=True), "What it does", "Options", box=None, pad_edge=False)
    for info in found:
        options = ", ".join(option.name for option in info.options)
        table.add_row(info.name, info.summary.partition(": ")[2] or info.summary, options)
    return table


def _describe(info: PolicyInfo) -> None:
    click.echo(f"{info.name} ({info.where})\n\n{info.text}")
    if info.needs:
        click.echo(f"\nIt decides by {', '.join(info.needs)}: without them a simpler policy does as well.")
    if info.options:
        table = Table("Option", "Default", "Takes", box=None, pad_edge=False)
        for option in info.options:
            table.add_row(*option)
        click.echo()
        Console().print(table)
