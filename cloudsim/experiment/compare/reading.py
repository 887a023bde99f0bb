"""Reading a comparison from YAML, and saying where it is wrong: file, line, key, what was expected."""

from __future__ import annotations

from pathlib import Path

from cloudsim.experiment.compare.spec import Comparison, LoadedComparison
from cloudsim.experiment.reading import Source, converted, read_text


def load(path: Path) -> LoadedComparison:
    """Read a comparison's file. Raises ScenarioError."""
    return parse(read_text(path), str(path), path.parent)


def parse(text: str, name: str = "comparison", folder: Path = Path()) -> LoadedComparison:
    """Read a comparison from YAML text; `name` is what errors call it. Raises ScenarioError."""
    source = Source(text, name)
    spec = converted(source, Comparison, "name, policies, traces and clusters")
    return LoadedComparison(spec=spec, source=source, text=text, folder=folder.absolute())
