"""Whether an answer has the fields and types that CloudStack's API documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from cloudsim.invariants import Violation
from server.api.command import Command
from server.api.views import ResponseField, SuccessView, response_fields
from tests.server.api.test_conformance import told

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}")
_KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "long": int,
    "float": (float, int),
    "boolean": bool,
    "date": str,
    "list": list,
    "map": dict,
    "object": (dict, list, str, int, float, bool),
}


@cache
def _declared(command: Command) -> dict[str, ResponseField]:
    return {field.name: field for field in response_fields(command.view or SuccessView)}


def wrong(command: Command, body: Any) -> Iterator[Violation]:
    """What of a successful answer, or a job's result, is not as declared: test_conformance holds the declarations."""
    for row in _rows(command, body):
        yield from _compare(command.name, row, _declared(command))


def _rows(command: Command, body: Any) -> list[dict[str, Any]]:
    if not isinstance(body, dict):
        return []
    if command.many:
        return [row for rows in body.values() if isinstance(rows, list) for row in rows]
    if command.view is not None and command.key:
        row = body.get(command.key)
        return [row] if isinstance(row, dict) else row or []
    return [body] if command.view is not None else []


def _compare(where: str, row: dict[str, Any], declared: dict[str, ResponseField]) -> Iterator[Violation]:
    for name, value in row.items():
        field = declared.get(name)
        if field is None:
            yield Violation("answers are as documented", f"{where} answers {name}, which is not declared")
            continue
        kind = told(field)
        expected = _KINDS[kind]
        good = isinstance(value, expected) and (kind in ("boolean", "object") or not isinstance(value, bool))
        if not good or (kind == "date" and not _DATE.fullmatch(value)):
            yield Violation("answers are as documented", f"{where}: {name} is {value!r}, not of type {kind}")
        elif field.fields and isinstance(value, list | dict):
            inner = {each.name: each for each in field.fields}
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict):
                    yield from _compare(f"{where}.{name}", each, inner)
