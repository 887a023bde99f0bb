"""What the commands' answers really hold: each field's type is compared with CloudStack's facts, and remembered.

`tests/server/conftest.py` lets a `Recorder` see every answer, those of jobs included, that any server in the tests'
process gives. A test in which a field came with a wrong type fails; of what was filled `tests.server.api.coverage`
reports.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from server.api import dispatch
from server.api.command import Command
from tests.server.api.facts import FACTS, OWN_FIELDS, family

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}")

_IS: dict[str, Callable[[Any], bool]] = {
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "long": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "date": lambda value: isinstance(value, str) and _DATE.fullmatch(value) is not None,
    "string": lambda value: isinstance(value, str),
    "list": lambda value: isinstance(value, list | tuple),
    "map": lambda value: isinstance(value, Mapping),
    "object": lambda value: isinstance(value, Mapping | msgspec.Struct),
}
"""Whether a value is of that family on the wire."""

Paths = dict[str, set[str]]
"""Fields that were filled, by command: `state`, and `nic.ipaddress` of what is nested."""


class _Field(NamedTuple):
    family: str
    nested: Mapping[str, Any] | None


class Recorder:
    """Sees answers. `wrong` are the fields that came with a type that is not CloudStack's."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = facts
        self._fields: dict[int, dict[str, _Field]] = {}
        self.wrong: list[str] = []
        self.filled: Paths = {}

    def see(self, command: Command, body: Any) -> None:
        """The body of an answer, or of a job's result, as it goes into the envelope."""
        facts = self._facts.get(command.name)
        if facts is None:
            return
        filled = self.filled.setdefault(command.name, set())
        view = command.view.__name__ if command.view is not None else ""
        rows = body
        if isinstance(body, Mapping):
            rows = [value for name, value in body.items() if name not in ("count", "success", "displaytext")]
            filled.update(name for name in body if name in ("success", "displaytext"))
            if command.many or command.key:
                rows = rows[0] if rows and isinstance(rows[0], list | tuple) else rows
            else:
                rows = [body]
        for row in rows if isinstance(rows, list | tuple) else [rows]:
            self._members(command.name, view, "", facts["response"], row, filled)

    def _members(
        self, command: str, view: str, prefix: str, facts: Mapping[str, Any], row: Any, filled: set[str]
    ) -> None:
        known = self._known(facts)
        for name, value in _members(row):
            field = known.get(name)
            path = prefix + name
            if field is None or (view, path) in OWN_FIELDS:
                continue
            filled.add(path)
            if isinstance(value, msgspec.Raw):
                value = msgspec.json.decode(value)
            fits = _IS.get(field.family)
            if fits is not None and not fits(value):
                self.wrong.append(f"{command}: {path} is {value!r}, in CloudStack a {field.family}")
            elif field.nested is not None:
                for each in value if isinstance(value, list | tuple) else [value]:
                    self._members(command, view, path + ".", field.nested, each, filled)

    def _known(self, facts: Mapping[str, Any]) -> dict[str, _Field]:
        known = self._fields.get(id(facts))
        if known is None:
            known = self._fields[id(facts)] = {name: _field(fact) for name, fact in facts.items()}
        return known


def _members(row: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(row, msgspec.Struct):
        for attribute, name in zip(row.__struct_fields__, row.__struct_encode_fields__, strict=True):
            value = getattr(row, attribute)
            if value is not None:
                yield name, value
    elif isinstance(row, Mapping):
        yield from row.items()


def _field(fact: Any) -> _Field:
    """A fact that says nothing (`any`) fits everything."""
    nested = fact[0] if isinstance(fact, list) and fact and isinstance(fact[0], dict) else None
    nested = fact if isinstance(fact, dict) else nested
    return _Field("anything" if fact == "any" else family(fact), nested)


@contextmanager
def recording() -> Iterator[Recorder]:
    """Sees every answer that is made in this process from here on."""
    recorder = Recorder(json.loads(FACTS.read_text()))
    really = dispatch.success_body

    def seen(command: Command, answer: Any, views: Any) -> Any:
        body = really(command, answer, views)
        recorder.see(command, body)
        return body

    dispatch.success_body = seen
    try:
        yield recorder
    finally:
        dispatch.success_body = really


def remembered(folder: Path) -> Paths:
    """What all recordings in the folder filled together."""
    return together(*(json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))))


def together(*recordings: Mapping[str, Iterable[str]]) -> Paths:
    """The fields that any of them filled."""
    merged: Paths = {}
    for filled in recordings:
        for command, paths in filled.items():
            merged.setdefault(command, set()).update(paths)
    return merged


def remember(filled: Paths, folder: Path, name: str) -> None:
    """Add to the folder's recording of that name, which another process may read just then."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    merged = together(filled, json.loads(file.read_text()) if file.exists() else {})
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps({command: sorted(paths) for command, paths in sorted(merged.items())}))
    fresh.replace(file)
