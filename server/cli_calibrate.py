"""`cloudsim calibrate`: make the simulator as fast, and as slow, as real hosts were; and say how well it predicts them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pyarrow.parquet as pq
import yaml
from rich.console import Console
from rich.table import Table

from backends.simulated.calibration import NothingToFit, fit, profile_data
from cloudsim.experiment.errors import ExperimentError
from cloudsim.experiment.reading import load
from cloudsim.experiment.run import run
from cloudsim.experiment.writing import COMMANDS
from cloudsim.management.infrastructure.command_log import CommandRecord, read


class Comparison(NamedTuple):
    """Deployment times of one run in seconds, by request: measured on hosts and predicted by the simulator."""

    name: str
    measured: np.ndarray
    predicted: np.ndarray

    @property
    def error(self) -> float:
        """How far the predicted median is from the measured one, as a fraction of that."""
        return float(abs(np.median(self.predicted) - np.median(self.measured)) / np.median(self.measured))


@click.command("calibrate")
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("lab-profile.yaml"),
    show_default=True,
    help="Where to write the profile.",
)
@click.option(
    "--check",
    "checks",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A run that the fit does not see: simulate its scenario with the profile and compare deployment times. Repeatable.",
)
def calibrate_command(runs: tuple[Path, ...], out: Path, checks: tuple[Path, ...]) -> None:
    """Fit a latency profile to RUNS: folders that `cloudsim run --on lab --commands --out` wrote, or command logs.

    `cloudsim run --latency` and `cloudsim serve --latency` accept the profile.
    """
    console = Console()
    seen = {path.resolve() for path in runs}
    if mixed := [str(path) for path in checks if path.resolve() in seen]:
        raise click.UsageError(f"{', '.join(mixed)}: a run that the fit has seen is no check of it")
    try:
        fits = fit([record for path in runs for record in _records(path)])
    except NothingToFit as error:
        raise click.ClickException(f"{', '.join(map(str, runs))}: {error}") from error
    names = ", ".join(path.name for path in runs)
    text = f"# Fitted by `cloudsim calibrate` to the runs {names}.\n{yaml.safe_dump(profile_data(fits), sort_keys=False)}"
    out.write_text(text, encoding="utf-8")
    table = Table(title=f"Fitted to {names}", title_justify="left")
    for heading in ("parameter", "values", "median s", "sigma of ln"):
        table.add_column(heading, justify="left" if heading == "parameter" else "right")
    for each in fits:
        table.add_row(each.parameter, str(each.values), f"{each.median:.4g}", f"{each.sigma:.3f}")
    console.print(table)
    console.print(f"Profile: {out}", highlight=False, soft_wrap=True)
    if checks:
        console.print(_comparison_table([compare(path, out) for path in checks]))


def _records(path: Path) -> list[CommandRecord]:
    file = path / COMMANDS if path.is_dir() else path
    try:
        with file.open("rb") as lines:
            return list(read(lines))
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise click.ClickException(f"{file}: {error}") from error


def compare(folder: Path, profile: Path) -> Comparison:
    """Simulate the scenario of a measured run with the profile; the deployments that succeeded in both worlds."""
    try:
        table = pq.read_table(folder / "vms.parquet", columns=["arrival_s", "running_s"])
        result = run(load(folder / "scenario.yaml"), latency=profile)
    except (ExperimentError, OSError) as error:
        raise click.ClickException(f"{folder}: {error}") from error
    measured, predicted = [], []
    outcomes = result.outcomes
    rows = zip(table["arrival_s"].to_pylist(), table["running_s"].to_pylist(), strict=True)
    for index, (arrival, running) in enumerate(rows):
        simulated = outcomes.running_at[index] if index < len(outcomes) else None
        if running is not None and simulated is not None:
            measured.append(running - arrival)
            predicted.append(simulated - outcomes.arrival[index])
    if not measured:
        raise click.ClickException(f"{folder}: no deployment succeeded both there and in the simulation")
    return Comparison(folder.name, np.array(measured), np.array(predicted))


def _comparison_table(found: list[Comparison]) -> Table:
    table = Table(title="Deployment times in seconds, measured and predicted", title_justify="left")
    for heading in ("run", "deployments", "mean", "p50", "p95", "error of the median"):
        table.add_column(heading, justify="left" if heading == "run" else "right")
    for each in found:
        pairs = [
            f"{function(each.measured):.2f} / {function(each.predicted):.2f}"
            for function in (np.mean, np.median, lambda values: np.percentile(values, 95))
        ]
        table.add_row(each.name, str(len(each.measured)), *pairs, f"{each.error:.1%}")
    return table
