"""A trace by its file's path: the format as asked for, or told from the file, and options as text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from cloudsim.experiment.errors import ScenarioError, TraceError
from cloudsim.experiment.reading import Source, located
from cloudsim.experiment.traces import FORMATS, Trace, Workload
from cloudsim.experiment.traces.sample import sample


def open_trace(path: Path, format: str | None = None, options: Mapping[str, str] | None = None) -> Trace:
    """The trace in the file (or folder) `path`; its own paths are relative to where `path` is: read it with `Path()`.

    A .yaml file describes one as a scenario's `workload` does, or is a scenario, whose workload is taken.
    Other files are data of the `format`, which is told from their name and content where that is None. `options` are the
    format's, in the text that a command line has: a number, a word, or YAML in brackets or braces. They go before those
    of a .yaml file. Raises TraceError for what cannot be, naming the file, option and expectation.
    """
    options = options or {}
    if not path.exists():
        raise TraceError(f"{path}: there is no such file or folder")
    if path.suffix in (".yaml", ".yml") and path.is_file():
        return _described(path, format, options)
    name = guess(path) if format is None else format
    kind = FORMATS.get(name)
    if kind is None:
        raise TraceError(f"{path}: format: expected one of {', '.join(sorted(FORMATS))}, got {name!r}")
    if "path" not in kind.__struct_fields__:
        raise TraceError(f"{path}: format: {name} reads no file; describe it in a .yaml file")
    values = {"path": str(path)} | {key: _value(path, key, text) for key, text in options.items()}
    try:
        return msgspec.convert({"format": name, **values}, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _wrong_option(path, name, error) from error


def guess(path: Path) -> str:
    """The name of the only format that takes the file for one of its own. Raises TraceError if there is not just one."""
    try:
        beginning = sample(path)
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror or error}") from error
    found = [name for name, kind in FORMATS.items() if kind.recognises(beginning)]
    if len(found) == 1:
        return found[0]
    told = f"it may be {' or '.join(found)}" if found else "it is like none of those that are known"
    raise TraceError(f"{path}: expected a format to be named: {told} ({', '.join(sorted(FORMATS))})")


def _described(path: Path, format: str | None, options: Mapping[str, str]) -> Trace:
    try:
        source = Source(path.read_text(encoding="utf-8"), str(path))
        data = source.data
        if not isinstance(data, dict):
            raise TraceError(f"{path}:1: expected a mapping with `format` and its options, or a scenario")
        keys: list[str | int] = []
        if isinstance(data.get("workload"), dict):
            keys, data = ["workload"], data["workload"]
        if format is not None and data.get("format") != format:
            raise source.wrong([*keys, "format"], f"expected {format}, which was asked for")
        given = {key: _value(path, key, text) for key, text in options.items()}
        try:
            trace: Trace = msgspec.convert(data | given, Workload, strict=not given)
        except msgspec.ValidationError as error:
            raise located(source, str(error), keys) from error
    except ScenarioError as error:
        raise TraceError(str(error)) from error
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TraceError(f"{path}: expected text in UTF-8") from error
    values = {name: getattr(trace, name, None) for name in trace.paths}
    moved = {name: str(path.parent / value) for name, value in values.items() if isinstance(value, str)}
    return msgspec.structs.replace(trace, **moved)


def _value(path: Path, key: str, text: str) -> Any:
    """An option's value: text stays as it is, unless it is a list or a mapping."""
    if not text.lstrip().startswith(("[", "{")):
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise TraceError(f"{path}: option {key}: not YAML: {text}") from error


def _wrong_option(path: Path, format: str, error: msgspec.ValidationError) -> TraceError:
    text, _, place = str(error).partition(" - at `$")
    unknown = re.search(r"unknown field `([^`]+)`", text)
    if unknown:
        known = [n for n in FORMATS[format].__struct_fields__ if n != "path"]
        return TraceError(f"{path}: option {unknown[1]}: expected an option of {format}: {', '.join(known)}")
    missing = re.search(r"missing required field `([^`]+)`", text)
    if missing:
        return TraceError(f"{path}: {format}: expected the option {missing[1]}, which is missing")
    where = place.strip("`").lstrip(".")
    return TraceError(f"{path}: option {where}: {text[:1].lower()}{text[1:]}")
