"""Reading a study from YAML, and saying where it is wrong: file, line, key, what was expected."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from cloudsim.errors import InvalidParameterValue
from cloudsim.experiment.consolidation.study import Study, policies_of
from cloudsim.experiment.reading import Source, converted, read_text


class LoadedStudy(NamedTuple):
    """A study with its text; its paths are relative to `folder`."""

    study: Study
    text: str
    folder: Path


def load(path: Path) -> LoadedStudy:
    """Read a study's file. Raises ScenarioError."""
    return parse(read_text(path), str(path), path.parent)


def parse(text: str, name: str = "study", folder: Path = Path()) -> LoadedStudy:
    """Read a study from YAML text; `name` is what errors call it. Raises ScenarioError."""
    source = Source(text, name)
    study = converted(source, Study, "name and utilisation")
    try:
        policies_of(study)
    except InvalidParameterValue as error:
        raise source.wrong(["policies"], error.text) from error
    return LoadedStudy(study, text, folder)
