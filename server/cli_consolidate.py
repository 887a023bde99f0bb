"""`cloudsim consolidate`: studies of consolidation policies from the command line."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

import click
import msgspec
import yaml
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from cloudsim.errors import InvalidParameterValue
from cloudsim.experiment.consolidation.compiled import compile_all
from cloudsim.experiment.consolidation.conventions import Conventions
from cloudsim.experiment.consolidation.inputs import PlanetLabLoad
from cloudsim.experiment.consolidation.reading import LoadedStudy, load, parse
from cloudsim.experiment.consolidation.study import Row, cases, policies_of
from cloudsim.experiment.consolidation.summary import COLUMNS, lines
from cloudsim.experiment.consolidation.writing import write
from cloudsim.experiment.errors import ExperimentError

ORDERS = ("name", "upper-case", "listed", "shuffled")


@click.command("consolidate")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--policy", "policies", multiple=True, help="Such as npa, dvfs, mad-mmt, lr-mmt-1.2; as often as you like.")
@click.option("--day", "days", type=click.Path(), multiple=True, help="A day of PlanetLab's data instead of the study's.")
@click.option("--hosts", type=click.IntRange(min=1), help="How many hosts there are.")
@click.option("--seed", "seeds", type=click.IntRange(min=0), multiple=True, help="As often as you like.")
@click.option("--order", type=click.Choice(ORDERS), help="In which order VMs are taken: it decides how large each is.")
@click.option("--as-cloudsim", is_flag=True, help="Keep CloudSim's conventions, to compare with its figures.")
@click.option(
    "--flip",
    type=click.Choice(Conventions.__struct_fields__),
    multiple=True,
    help="Turn one convention the other way, to see what it is worth.",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write tables, plots and report there.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures of every run as JSON.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def consolidate_command(
    paths: tuple[Path, ...],
    policies: tuple[str, ...],
    days: tuple[str, ...],
    hosts: int | None,
    seeds: tuple[int, ...],
    order: str | None,
    as_cloudsim: bool,
    flip: tuple[str, ...],
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run a study of consolidation, and say what energy, migrations and SLA violations there were.

    PATHS is a study (.yaml), or one or more days of PlanetLab's data (folders or .tar.gz), for the hosts and instances
    of the published study. Options go before what a study says.
    """
    sys.path.insert(0, "")  # for a policy in a module of the working folder
    console, shown = Console(), Console(stderr=True, quiet=quiet or as_json)
    try:
        loaded = _study(paths)
        study = loaded.study
        if policies:
            study = msgspec.structs.replace(study, policies=policies)
        if seeds:
            study = msgspec.structs.replace(study, seeds=seeds)
        if hosts:
            study = msgspec.structs.replace(study, hosts=msgspec.structs.replace(study.hosts, count=hosts))
        changes = ({"days": days} if days else {}) | ({"order": order} if order else {})
        if changes:
            if not isinstance(study.utilisation, PlanetLabLoad):
                raise click.UsageError(f"--{next(iter(changes))} is for PlanetLab's data")
            used = msgspec.structs.replace(study.utilisation, **changes)
            study = msgspec.structs.replace(study, utilisation=used)
        if days:
            loaded = loaded._replace(folder=Path())
        if as_cloudsim:
            study = msgspec.structs.replace(study, conventions="cloudsim")
        if flip:
            books = study.books()
            other = {name: not getattr(books, name) for name in flip}
            study = msgspec.structs.replace(study, conventions=msgspec.structs.replace(books, **other))
        if study != loaded.study:
            text = yaml.safe_dump(msgspec.to_builtins(study), sort_keys=False)
            loaded = loaded._replace(study=study, text=text)
        rows = _run(loaded, shown)
    except (ExperimentError, InvalidParameterValue) as error:
        raise click.ClickException(str(error)) from error
    if out is not None:
        write(loaded, rows, out, shlex.join(["cloudsim", *sys.argv[1:]]))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode([row.figures() for row in rows]), indent=2).decode())
        return
    console.print(_table(loaded, rows))
    if out is not None:
        console.print(f"Report: {out / 'report.html'}", highlight=False, soft_wrap=True)


def _study(paths: tuple[Path, ...]) -> LoadedStudy:
    """The study in a file, or the published one on those days."""
    if paths[0].suffix in (".yaml", ".yml"):
        if len(paths) > 1:
            raise click.UsageError("expected one study, or days of PlanetLab's data")
        return load(paths[0])
    study = {
        "name": "consolidation",
        "utilisation": {"format": "planetlab", "days": [str(path) for path in paths]},
    }
    return parse(yaml.safe_dump(study, sort_keys=False), "command line")


def _run(loaded: LoadedStudy, shown: Console) -> list[Row]:
    """Every case, with what it took."""
    number = len(policies_of(loaded.study))
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<40}"),
        BarColumn(),
        TextColumn("{task.completed:,} runs"),
        console=shown,
        transient=True,
    )
    rows: list[Row] = []
    with bar:
        task = bar.add_task("compiling", total=None)
        compile_all()
        for case in cases(loaded.study, loaded.folder):
            bar.update(task, description=f"{case.load.name}: {case.policy.name}", completed=len(rows))
            if len(rows) < number:
                case.prepare()
            began = time.process_time()
            outcome = case.run()
            rows.append(Row(case.load.name, case.policy.name, case.seed, time.process_time() - began, outcome))
    return rows


def _table(loaded: LoadedStudy, rows: list[Row]) -> Table:
    """Means by load and policy. Loads have lines of their own, so that the table fits 80 columns."""
    found = lines(rows)
    table = Table(
        title=loaded.study.name, title_justify="left", pad_edge=False, box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    table.add_column("Policy", overflow="fold")
    if any(line.runs > 1 for line in found):
        table.add_column("Runs", justify="right")
    for column in COLUMNS:
        if column.short:
            table.add_column(column.short, justify="right", no_wrap=True)
    loads = list(dict.fromkeys(line.load for line in found))
    for name in loads:
        if len(loads) > 1:
            table.add_section()
            table.add_row(f"[bold]{name}")
        for line in found:
            if line.load == name:
                runs = [str(line.runs)] if any(each.runs > 1 for each in found) else []
                table.add_row(line.policy, *runs, *line.texts(short=True))
    return table
