"""What there is to say of a policy: its text, its options with what they take, and what it needs to be of use."""

from __future__ import annotations

import inspect
import typing
from importlib import import_module
from typing import Any, Literal, NamedTuple

import msgspec

from cloudsim.placement.naming import policies, policy_class
from cloudsim.placement.policy import Need, Policy, option_types


class OptionInfo(NamedTuple):
    """An option of a policy: its name, its default as one would write it, and what it takes, in words."""

    name: str
    default: str
    takes: str


class PolicyInfo(NamedTuple):
    """A policy: its `summary` is the first line of its `text`; `where` is module:Class."""

    name: str
    where: str
    summary: str
    text: str
    options: tuple[OptionInfo, ...]
    needs: tuple[Need, ...]


def installed() -> list[PolicyInfo]:
    """The installed policies, by name."""
    return [describe(name) for name in sorted(policies())]


def describe(name: str) -> PolicyInfo:
    """The policy of that name, or at module:Class. Raises InvalidParameterValue."""
    kind = policy_class(name)
    text = inspect.cleandoc(kind.__dict__.get("__doc__") or import_module(kind.__module__).__doc__ or "")
    summary = text.partition("\n")[0]
    where = f"{kind.__module__}:{kind.__qualname__}"
    options = tuple(_option(kind, option, hint) for option, hint in option_types(kind).items())
    return PolicyInfo(kind.name, where, summary, text, options, kind.needs)


def _option(kind: type[Policy], name: str, hint: Any) -> OptionInfo:
    default = getattr(kind, name)
    shown = "+".join(map(_shown, default)) if isinstance(default, tuple) else _shown(default)
    return OptionInfo(name, shown, _takes(hint))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _takes(hint: Any) -> str:
    bounds = ""
    if typing.get_origin(hint) is typing.Annotated:
        hint, *more = typing.get_args(hint)
        bounds = "".join(_bounds(each) for each in more if isinstance(each, msgspec.Meta))
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        return f"{_takes(arguments[0])}, by +"
    if typing.get_origin(hint) is Literal:
        return " | ".join(map(str, arguments))
    words = {float: "number", int: "whole number", bool: "true | false", str: "text"}
    return words.get(hint, str(hint)) + bounds


def _bounds(meta: msgspec.Meta) -> str:
    limits = (("at least", meta.ge), ("above", meta.gt), ("at most", meta.le), ("below", meta.lt))
    return "".join(f", {word} {limit:,}" for word, limit in limits if limit is not None)
