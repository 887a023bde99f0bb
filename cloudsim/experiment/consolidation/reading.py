"""Reading a study from YAML, and saying where it is wrong: file, line, key, what was expected."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec

from cloudsim.errors import InvalidParameterValue
from cloudsim.experiment.consolidation.study import Study, policies_of
from cloudsim.experiment.errors import ScenarioError
from cloudsim.experiment.reading import Source, located


class LoadedStudy(NamedTuple):
    """A study with its text; its paths are relative to `folder`."""

    study: Study
    text: str
    folder: Path


def load(path: Path) -> LoadedStudy:
    """Read a study's file. Raises ScenarioError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: expected text in UTF-8") from error
    return parse(text, str(path), path.parent)


def parse(text: str, name: str = "study", folder: Path = Path()) -> LoadedStudy:
    """Read a study from YAML text; `name` is what errors call it. Raises ScenarioError."""
    source = Source(text, name)
    if not isinstance(source.data, dict):
        raise ScenarioError(f"{name}:1: expected a mapping with name and utilisation")
    try:
        study = msgspec.convert(source.data, Study)
    except msgspec.ValidationError as error:
        raise located(source, str(error)) from error
    try:
        policies_of(study)
    except InvalidParameterValue as error:
        raise source.wrong(["policies"], error.text) from error
    return LoadedStudy(study, text, folder)
