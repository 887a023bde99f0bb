"""The scenarios that come with cloudsim, by name: those whose files are there."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from cloudsim.experiment.errors import ExperimentError
from cloudsim.experiment.reading import load
from cloudsim.experiment.scenario import LoadedScenario

FOLDER = Path(__file__).resolve().parents[2] / "examples"
"""Where they are in a checkout; an installed package has none."""


@cache
def examples() -> dict[str, LoadedScenario]:
    """The scenarios by their names, in the order of these."""
    found: dict[str, LoadedScenario] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        try:
            loaded = load(path)
        except ExperimentError:
            continue  # another kind of file
        if all(file.exists() for file in files_of(loaded)):
            found[loaded.scenario.name] = loaded
    return found


def files_of(loaded: LoadedScenario) -> list[Path]:
    """All files that a scenario names."""
    scenario, folder = loaded.scenario, loaded.folder
    found = list(scenario.workload.files(folder))
    source = scenario.datacenter
    if source.file is not None:
        found.append(folder / source.file)
    if source.openb_nodes is not None:
        found.append(folder / source.openb_nodes.path)
    if isinstance(scenario.latency, str) and Path(scenario.latency).suffix in (".yaml", ".yml"):
        found.append(folder / scenario.latency)
    return found
