"""Reading a comparison from YAML, and saying where it is wrong: file, line, key, what was expected."""

from __future__ import annotations

from pathlib import Path

import msgspec

from cloudsim.experiment.compare.spec import Comparison, LoadedComparison
from cloudsim.experiment.errors import ScenarioError
from cloudsim.experiment.reading import Source, located


def load(path: Path) -> LoadedComparison:
    """Read a comparison's file. Raises ScenarioError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: expected text in UTF-8") from error
    return parse(text, str(path), path.parent)


def parse(text: str, name: str = "comparison", folder: Path = Path()) -> LoadedComparison:
    """Read a comparison from YAML text; `name` is what errors call it. Raises ScenarioError."""
    source = Source(text, name)
    if not isinstance(source.data, dict):
        raise ScenarioError(f"{name}:1: expected a mapping with name, policies, traces and clusters")
    try:
        spec = msgspec.convert(source.data, Comparison)
    except msgspec.ValidationError as error:
        raise located(source, str(error)) from error
    return LoadedComparison(spec=spec, source=source, text=text, folder=folder.absolute())
