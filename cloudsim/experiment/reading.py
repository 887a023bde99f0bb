"""Reading a scenario from YAML, and saying where it is wrong: file, line, key, what was expected."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from cloudsim.errors import InvalidParameterValue
from cloudsim.experiment.errors import ScenarioError
from cloudsim.experiment.scenario import LoadedScenario, Scenario
from cloudsim.management.operations.configuration_keys import KEYS

Keys = list[str | int]
Kind = TypeVar("Kind")


class Source:
    """A YAML text with the places of its keys, to point at them in errors."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        try:
            self.root = yaml.compose(text, Loader=yaml.SafeLoader)
            self.data: Any = yaml.safe_load(text)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ScenarioError(f"{name}:{line}: not YAML: {error.problem}") from error
        except yaml.YAMLError as error:
            raise ScenarioError(f"{name}: not YAML: {error}") from error
        if self.root is not None:
            self._no_key_twice(self.root)

    def _no_key_twice(self, node: yaml.Node) -> None:
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if key.value in seen:
                    line = key.start_mark.line + 1
                    raise ScenarioError(f"{self.name}:{line}: {key.value}: expected this key only once")
                seen.add(key.value)
                self._no_key_twice(value)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                self._no_key_twice(value)

    def line(self, keys: Keys) -> int:
        """The line, from 1, of the value at `keys`, or of the deepest key on the way that there is."""
        node, line = self.root, 0
        for key in keys:
            if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
                node = node.value[key]
                line = node.start_mark.line
            elif isinstance(node, yaml.MappingNode):
                pair = next((p for p in node.value if p[0].value == str(key)), None)
                if pair is None:
                    break
                line, node = pair[0].start_mark.line, pair[1]
            else:
                break
        return line + 1

    def wrong(self, keys: Keys, text: str) -> ScenarioError:
        """The error that says that the value at `keys` is wrong."""
        shown = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")
        return ScenarioError(f"{self.name}:{self.line(keys)}: {shown or 'the scenario'}: {text}")


def read_text(path: Path) -> str:
    """The text of a file. Raises ScenarioError."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: expected text in UTF-8") from error


def converted(source: Source, kind: type[Kind], keys: str) -> Kind:
    """The text as such a Struct, which has at least those `keys`. Raises ScenarioError with the line that is wrong."""
    if not isinstance(source.data, dict):
        raise ScenarioError(f"{source.name}:1: expected a mapping with {keys}")
    try:
        return msgspec.convert(source.data, kind)
    except msgspec.ValidationError as error:
        raise located(source, str(error)) from error


def load(path: Path) -> LoadedScenario:
    """Read a scenario's file. Raises ScenarioError."""
    return parse(read_text(path), str(path), path.parent)


def parse(text: str, name: str = "scenario", folder: Path = Path()) -> LoadedScenario:
    """Read a scenario from YAML text; `name` is what errors call it. Raises ScenarioError."""
    source = Source(text, name)
    scenario = converted(source, Scenario, "name, datacenter and workload")
    for key, value in scenario.settings.items():
        _check_setting(source, key, value)
    return LoadedScenario(scenario=scenario, text=text, where=name, folder=folder)


def setting_text(value: str | int | float | bool) -> str:
    """A setting's value as configuration keys have it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_setting(source: Source, key: str, value: str | int | float | bool) -> None:
    known = KEYS.get(key)
    if known is None:
        raise source.wrong(["settings", key], "expected a configuration key of the management server")
    if key == "vm.allocation.algorithm":
        raise source.wrong(["settings", key], "expected the placement policy in `policy`, not here")
    try:
        known.check(setting_text(value))
    except InvalidParameterValue as error:
        raise source.wrong(["settings", key], error.text) from error


def located(source: Source, message: str, under: Keys | None = None) -> ScenarioError:
    """msgspec's message with its path `$.a.b[1]`, which begins at the keys `under`, turned into a line of the file."""
    text, _, path = message.partition(" - at `$")
    keys: Keys = [*(under or [])]
    keys += [
        int(t[1:-1]) if t.startswith("[") and t[1:-1].isdigit() else t
        for t in re.findall(r"\[\d+\]|[^.\[\]`]+", path)
    ]
    unknown = re.search(r"unknown field `([^`]+)`", text)
    if unknown:
        return source.wrong([*keys, unknown[1]], "expected a key that is known here; this one is not")
    missing = re.search(r"missing required field `([^`]+)`", text)
    if missing:
        return source.wrong(keys, f"expected the key `{missing[1]}`, which is missing")
    return source.wrong(keys, text[:1].lower() + text[1:])
