"""The parameters of custom actions: how they are declared, and what may be said for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import get_args
from urllib.parse import urlsplit
from uuid import UUID

from cloudsim.errors import InvalidParameterValue
from cloudsim.model.extensions import ActionParameter, ParameterType, ValidationFormat

TYPES: tuple[ParameterType, ...] = get_args(ParameterType)
FORMATS: Mapping[ParameterType, tuple[ValidationFormat, ...]] = {
    "STRING": ("NONE", "UUID", "EMAIL", "PASSWORD", "URL"),
    "NUMBER": ("NONE", "DECIMAL"),
    "BOOLEAN": ("NONE",),
    "DATE": ("NONE",),
}
"""How a value of each type may be further bound."""
_KEYS = frozenset({"name", "type", "required", "validationformat", "valueoptions"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def declared(entries: Sequence[Mapping[str, str]]) -> tuple[ActionParameter, ...]:
    """The parameters that an operator describes. Raises InvalidParameterValue."""
    found: dict[str, ActionParameter] = {}
    for entry in entries:
        parameter = _declared(entry)
        if parameter.name in found:
            raise InvalidParameterValue(f"parameters: {parameter.name} is declared twice")
        found[parameter.name] = parameter
    return tuple(found.values())


def _declared(entry: Mapping[str, str]) -> ActionParameter:
    unknown = sorted(set(entry) - _KEYS)
    if unknown:
        raise InvalidParameterValue(f"parameters: {unknown[0]} is none of {', '.join(sorted(_KEYS))}")
    name = entry.get("name", "").strip()
    if not _NAME.fullmatch(name):
        raise InvalidParameterValue(f"parameters: {name!r} is no name: expected letters, digits, '_', '.' and '-'")
    wanted = entry.get("type", "STRING").upper()
    kind = next((each for each in TYPES if each == wanted), None)
    if kind is None:
        raise InvalidParameterValue(f"parameters: type {wanted} of {name} is none of {', '.join(TYPES)}")
    text = entry.get("validationformat", "NONE").upper()
    format = next((each for each in FORMATS[kind] if each == text), None)
    if format is None:
        raise InvalidParameterValue(
            f"parameters: validationformat {text} of {name}, a {kind}, is none of {', '.join(FORMATS[kind])}"
        )
    required = entry.get("required", "false").lower()
    if required not in ("true", "false"):
        raise InvalidParameterValue(f"parameters: required of {name} is true or false, not {required!r}")
    options = tuple(filter(None, (each.strip() for each in entry.get("valueoptions", "").split(","))))
    if options and kind not in ("STRING", "NUMBER"):
        raise InvalidParameterValue(f"parameters: valueoptions are for STRING and NUMBER, and {name} is a {kind}")
    parameter = ActionParameter(name, kind, format, required == "true")
    for option in options:
        _value(parameter, option)
    return ActionParameter(name, kind, format, required == "true", options)


def values(parameters: Sequence[ActionParameter], given: Mapping[str, str]) -> dict[str, str | int | float | bool]:
    """What is said for each parameter, as the program is to get it. Raises InvalidParameterValue."""
    known = {each.name: each for each in parameters}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise InvalidParameterValue(
            f"parameters: the action has no {unknown[0]}, but {', '.join(known) or 'no parameters'}"
        )
    found: dict[str, str | int | float | bool] = {}
    for name, parameter in known.items():
        text = given.get(name, "")
        if text:
            found[name] = _value(parameter, text)
        elif parameter.required:
            raise InvalidParameterValue(f"parameters: {name} is missing, and required")
    return found


def _value(parameter: ActionParameter, text: str) -> str | int | float | bool:
    name = parameter.name
    if parameter.options and text not in parameter.options:
        shown = "another value" if parameter.format == "PASSWORD" else repr(text)
        raise InvalidParameterValue(f"parameters: {name} is one of {', '.join(parameter.options)}, not {shown}")
    if parameter.type == "BOOLEAN":
        if text.lower() not in ("true", "false"):
            raise InvalidParameterValue(f"parameters: {name} is true or false, not {text!r}")
        return text.lower() == "true"
    if parameter.type == "NUMBER":
        return _number(parameter, text)
    if parameter.type == "DATE":
        try:
            datetime.fromisoformat(text)
        except ValueError:
            raise InvalidParameterValue(
                f"parameters: {name} is a date such as 2026-05-01T12:00:00+0000, not {text!r}"
            ) from None
        return text
    _check_text(parameter, text)
    return text


def _number(parameter: ActionParameter, text: str) -> int | float:
    try:
        number = Decimal(text)
        if not number.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        raise InvalidParameterValue(f"parameters: {parameter.name} is a number, not {text!r}") from None
    if parameter.format == "DECIMAL":
        return float(number)
    if number != number.to_integral_value():
        raise InvalidParameterValue(f"parameters: {parameter.name} is a whole number, not {text!r}")
    return int(number)


def _check_text(parameter: ActionParameter, text: str) -> None:
    name, format = parameter.name, parameter.format
    if format == "UUID":
        try:
            UUID(text)
        except ValueError:
            raise InvalidParameterValue(f"parameters: {name} is a UUID, not {text!r}") from None
    elif format == "EMAIL" and not _EMAIL.fullmatch(text):
        raise InvalidParameterValue(f"parameters: {name} is an e-mail address, not {text!r}")
    elif format == "PASSWORD" and not text.strip():
        raise InvalidParameterValue(f"parameters: {name} is a password, and not blank")
    elif format == "URL":
        try:
            parts = urlsplit(text)
            good = bool(parts.scheme in ("http", "https", "ftp") and parts.hostname)
        except ValueError:
            good = False
        if not good:
            raise InvalidParameterValue(f"parameters: {name} is a URL, not {text!r}")
