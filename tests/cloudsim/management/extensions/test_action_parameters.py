"""What may be said for the parameters of custom actions."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.extensions.action_parameters import declared, values


def said(value: str, **entry: str) -> Any:
    """What a program gets for a parameter of that declaration."""
    return values(declared([{"name": "it", **entry}]), {"it": value})["it"]


@pytest.mark.parametrize(
    ("entry", "text", "value"),
    [
        ({}, "any text", "any text"),
        ({"type": "number"}, "12", 12),
        ({"type": "NUMBER", "validationformat": "DECIMAL"}, "1.5", 1.5),
        ({"type": "BOOLEAN"}, "True", True),
        ({"type": "DATE"}, "2026-05-01T12:00:00+0000", "2026-05-01T12:00:00+0000"),
        ({"validationformat": "uuid"}, "3f9d2c3e-54a1-4b8b-941d-61a1adcc7fa2", "3f9d2c3e-54a1-4b8b-941d-61a1adcc7fa2"),
        ({"validationformat": "EMAIL"}, "who@example.org", "who@example.org"),
        ({"validationformat": "URL"}, "https://example.org/x", "https://example.org/x"),
        ({"validationformat": "PASSWORD"}, "s3cret", "s3cret"),
        ({"valueoptions": "small, large"}, "large", "large"),
        ({"type": "NUMBER", "valueoptions": "1,2"}, "2", 2),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_good_value_reaches_the_program_as_what_it_is(entry: dict[str, str], text: str, value: Any) -> None:
    assert said(text, **entry) == value


@pytest.mark.parametrize(
    ("entry", "text", "told"),
    [
        ({"type": "NUMBER"}, "12.5", "whole number"),
        ({"type": "NUMBER"}, "much", "is a number"),
        ({"type": "NUMBER", "validationformat": "DECIMAL"}, "NaN", "is a number"),
        ({"type": "BOOLEAN"}, "yes", "true or false"),
        ({"type": "DATE"}, "tomorrow", "is a date"),
        ({"validationformat": "UUID"}, "12", "is a UUID"),
        ({"validationformat": "EMAIL"}, "who@nowhere", "e-mail"),
        ({"validationformat": "URL"}, "file:///etc/passwd", "is a URL"),
        ({"validationformat": "PASSWORD"}, " ", "not blank"),
        ({"valueoptions": "small,large"}, "huge", "one of small, large"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_value_of_another_kind_is_refused_by_the_parameters_name(
    entry: dict[str, str], text: str, told: str
) -> None:
    with pytest.raises(InvalidParameterValue, match=rf"parameters: it .*{told}"):
        said(text, **entry)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({}, "is no name"),
        ({"name": "a b"}, "is no name"),
        ({"name": "a", "type": "FLOAT"}, "type FLOAT of a"),
        ({"name": "a", "type": "BOOLEAN", "validationformat": "EMAIL"}, "validationformat EMAIL of a, a BOOLEAN"),
        ({"name": "a", "type": "NUMBER", "validationformat": "URL"}, "NONE, DECIMAL"),
        ({"name": "a", "type": "DATE", "valueoptions": "x"}, "valueoptions are for"),
        ({"name": "a", "type": "NUMBER", "valueoptions": "1,x"}, "is a number"),
        ({"name": "a", "required": "maybe"}, "required of a"),
        ({"name": "a", "default": "x"}, "default is none of"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_declaration_that_makes_no_sense_is_refused(entry: dict[str, str], told: str) -> None:
    with pytest.raises(InvalidParameterValue, match=told):
        declared([entry])


def test_a_parameter_is_declared_once() -> None:
    with pytest.raises(InvalidParameterValue, match="a is declared twice"):
        declared([{"name": "a"}, {"name": "a"}])


def test_what_is_required_must_be_said_and_what_is_unknown_must_not() -> None:
    parameters = declared([{"name": "size", "required": "true"}, {"name": "note"}])
    assert values(parameters, {"size": "x"}) == {"size": "x"}
    with pytest.raises(InvalidParameterValue, match="size is missing"):
        values(parameters, {"note": "x", "size": ""})
    with pytest.raises(InvalidParameterValue, match="the action has no colour, but size, note"):
        values(parameters, {"size": "x", "colour": "red"})
