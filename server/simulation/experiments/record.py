"""An experiment and its runs as they are kept: in memory while they go on, and in a file of the experiment's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from cloudsim.experiment.run import Progress
from server.simulation.series import Series

FILE = "experiment.json"
State = Literal["Queued", "Running", "Finished", "Failed", "Cancelled", "Interrupted"]
"""Cancelled by somebody; Interrupted by the server's end."""
UNFINISHED = ("Queued", "Running")
COLUMNS = ("time_s", "requested", "placed", "rejected", "failed", "instances", "cpu", "memory")
"""Of what a run tells while it goes on."""


class KeptRun(msgspec.Struct, kw_only=True):
    """A run as the file has it. Its results are in the folder called as its number."""

    number: int
    policy: str
    seed: int
    state: State = "Queued"
    error: str = ""


class KeptExperiment(msgspec.Struct, kw_only=True):
    """An experiment as the file has it. `created` in Unix seconds, real ones."""

    id: str
    name: str
    created: float
    scenario: str
    """The scenario's name."""
    requests: int
    runs: list[KeptRun]


class Run:
    """A run of an experiment, and how far it is."""

    def __init__(self, kept: KeptRun, horizon: float) -> None:
        self.kept = kept
        self.progress = Progress("setting up")
        self.samples = Series(COLUMNS, horizon / 400)

    def heard(self, progress: Progress) -> None:
        """What its process tells."""
        if progress.phase == "writing":
            self.progress = msgspec.structs.replace(self.progress, phase="writing")
            return
        self.progress = progress
        if progress.phase != "running" or (self.samples.rows and self.samples.rows[-1][0] == progress.time):
            return
        self.samples.add(
            round(progress.time, 3),
            progress.arrived,
            progress.placed,
            progress.rejected,
            progress.failed,
            progress.running,
            round(progress.cpu, 6),
            round(progress.memory, 6),
        )

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1: of the simulated time, but all only at its end."""
        if self.kept.state == "Finished":
            return 1.0
        if self.progress.phase == "writing":
            return 0.99
        horizon = self.progress.horizon
        return min(0.99, self.progress.time / horizon) if horizon else 0.0


class Experiment:
    """An experiment in `folder`, which is its own."""

    def __init__(self, kept: KeptExperiment, folder: Path, text: str, horizon: float) -> None:
        self.kept = kept
        self.folder = folder
        self.text = text
        self.runs = [Run(each, horizon) for each in kept.runs]

    @property
    def id(self) -> str:
        return self.kept.id

    @property
    def name(self) -> str:
        return self.kept.name

    @property
    def state(self) -> State:
        states = {run.state for run in self.kept.runs}
        if "Running" in states or ("Queued" in states and states != {"Queued"}):
            return "Running"
        for state in ("Queued", "Interrupted", "Cancelled", "Failed"):
            if state in states:
                return state
        return "Finished"

    def save(self) -> None:
        """Write the file anew: it is there whole, or as it was."""
        partial = self.folder / f"{FILE}.new"
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(self.kept), indent=2) + b"\n")
        partial.replace(self.folder / FILE)

    def out(self, run: KeptRun) -> Path:
        """Where the run's results are."""
        return self.folder / str(run.number)


def kept_in(folder: Path) -> Experiment | None:
    """The experiment of a folder, as an earlier server left it; None where there is none."""
    try:
        kept = msgspec.json.decode((folder / FILE).read_bytes(), type=KeptExperiment)
        text = (folder / "scenario.yaml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, msgspec.DecodeError):
        return None
    for run in kept.runs:
        if run.state in UNFINISHED:
            run.state, run.error = "Interrupted", "the server was stopped"
    return Experiment(kept, folder, text, 0.0)
