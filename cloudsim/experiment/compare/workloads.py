"""The traces of a comparison: "{seed}" and "{hosts}" filled in, and opened as a scenario's workload or by their path."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from cloudsim.experiment.compare.spec import LoadedComparison, TraceSpec
from cloudsim.experiment.compare.versions import file_digest
from cloudsim.experiment.errors import ScenarioError, TraceError
from cloudsim.experiment.reading import Keys, located
from cloudsim.experiment.traces import Trace, Workload
from cloudsim.experiment.traces.opening import open_trace


class Opened(NamedTuple):
    """A trace, and the folder that its paths are relative to."""

    trace: Trace
    folder: Path


def filled(value: Any, known: Mapping[str, int]) -> Any:
    """The value with each "{name}" replaced: by the number where it is all of a text, within a text by its digits."""
    if isinstance(value, dict):
        return {key: filled(each, known) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, known) for each in value]
    if isinstance(value, str):
        for name, number in known.items():
            if value == f"{{{name}}}":
                return number
            value = value.replace(f"{{{name}}}", str(number))
    return value


def opened(loaded: LoadedComparison, index: int, seed: int, hosts: int) -> Opened:
    """The trace of that index for a seed, on that many hosts. Raises ScenarioError, naming the line of what is wrong."""
    spec: TraceSpec = loaded.spec.traces[index]
    keys: Keys = ["traces", index]
    known = {"seed": seed, "hosts": hosts}
    if spec.path is not None:
        options = {name: str(filled(value, known)) for name, value in spec.options.items()}
        try:
            trace = open_trace(loaded.folder / filled(spec.path, known), spec.format, options)
        except TraceError as error:
            raise loaded.source.wrong([*keys, "path"], str(error)) from error
        return Opened(trace, Path())
    try:
        found: Trace = msgspec.convert(filled(spec.workload, known), Workload)
    except msgspec.ValidationError as error:
        raise located(loaded.source, str(error), [*keys, "workload"]) from error
    return Opened(found, loaded.folder)


def identity(opened: Opened, digests: dict[Path, str]) -> dict[str, Any]:
    """The trace as plain data, with the digests of its files for their paths. `digests` are those that are known, and grows."""
    found: dict[str, Any] = msgspec.to_builtins(opened.trace)
    for name in opened.trace.paths:
        value = getattr(opened.trace, name, None)
        if isinstance(value, str):
            path = opened.folder / value
            if path not in digests:
                if not path.exists():
                    raise ScenarioError(f"{path}: there is no such file")
                digests[path] = file_digest(path)
            found[name] = digests[path]
    return found
