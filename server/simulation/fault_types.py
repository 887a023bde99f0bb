"""The faults that an operator can choose from: `cloudsim.faults`, described from its own declarations."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import msgspec

from cloudsim.faults import Fault, FaultError, ManagerRestart

TargetKind = Literal["host", "link", "pool"]
_TIMES = ("at", "every", "duration")
_TARGETS: tuple[TargetKind, ...] = get_args(TargetKind)


class FaultOption(NamedTuple):
    """A number that a kind of fault takes; `default` None: it has to be given. Bounds None: there is none."""

    name: str
    default: float | None
    minimum: float | None
    above: float | None
    maximum: float | None


class FaultType(NamedTuple):
    """A kind of fault. `target` is what it strikes, `usual` what it does where nothing is said."""

    name: str
    description: str
    kind: type[Fault]
    target: TargetKind
    usual: str
    options: tuple[FaultOption, ...]


def _described(kind: type[Any]) -> FaultType:
    fields = {field.name: field for field in msgspec.structs.fields(kind) if field.name not in _TIMES}
    target = next(name for name in _TARGETS if name in fields)
    hints = get_type_hints(kind, include_extras=True)
    options = tuple(_option(field, hints[name]) for name, field in fields.items() if name != target)
    text = " ".join((inspect.getdoc(kind) or "").split())
    return FaultType(kind.__name__, text, kind, target, str(fields[target].default), options)


def _option(field: Any, annotation: Any) -> FaultOption:
    bounds: dict[str, Any] = {}
    if get_origin(annotation) is Annotated:
        for meta in get_args(annotation)[1:]:
            bounds |= {name: getattr(meta, name) for name in ("ge", "gt", "le") if getattr(meta, name) is not None}
    default = None if field.default is msgspec.NODEFAULT else field.default
    return FaultOption(field.name, default, bounds.get("ge"), bounds.get("gt"), bounds.get("le"))


FAULT_TYPES: dict[str, FaultType] = {
    kind.__name__.lower(): _described(kind) for kind in get_args(Fault) if kind is not ManagerRestart
}
"""By lower-cased name. A served cloud's manager is not restarted from inside: that is what `kill` is for."""


def fault_type(name: str) -> FaultType:
    """The kind of fault of that name, in any case. Raises FaultError, naming those there are."""
    found = FAULT_TYPES.get(name.strip().lower())
    if found is None:
        known = ", ".join(each.name for each in FAULT_TYPES.values())
        raise FaultError(f"Parameter type: expected one of {known}, got {name[:40]!r}")
    return found


def fault_of(
    name: str,
    target: str | None,
    *,
    delay: float,
    duration: float | None,
    every: float | None,
    options: Mapping[str, str],
) -> Fault:
    """The fault that these values of parameters say. Raises FaultError, whose text names the parameter."""
    found = fault_type(name)
    known_options = {option.name for option in found.options}
    data: dict[str, Any] = {"at": delay, "duration": duration, "every": every}
    data |= {found.target: target} if target is not None else {}
    for key, text in options.items():
        if key not in known_options:
            takes = ", ".join(sorted(known_options)) or "none"
            raise FaultError(f"Parameter options: {found.name} has no option {key[:40]!r}; it has {takes}")
        try:
            data[key] = float(text)
        except ValueError:
            raise FaultError(f"Parameter options: {key}: expected a number, got {text[:40]!r}") from None
    try:
        return msgspec.convert(data | {"fault": found.name}, found.kind)
    except msgspec.ValidationError as error:
        raise FaultError(_named(str(error), found)) from None


def _named(text: str, found: FaultType) -> str:
    """msgspec's message, which ends with a path such as `$.rate`, with the parameter that is meant first."""
    what, _, path = text.partition(" - at `$.")
    key = path.rstrip("`")
    missing = re.search(r"missing required field `(\w+)`", what)
    if missing:
        return f"Parameter options: expected {missing[1]}, which {found.name} needs"
    parameter = {found.target: "target", "at": "delay"}.get(key, key if key in _TIMES else f"options: {key}")
    return f"Parameter {parameter}: {what[:1].lower()}{what[1:]}"
