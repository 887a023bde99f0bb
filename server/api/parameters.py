"""The parameters of an API command: read off its annotations, and read from a request's text.

A parameter's annotation says what it takes on the wire:

    str  int  Long  float  bool  Date       a value; Long is an int that `listApis` calls long, Date Unix seconds
    Literal["a", "b"]                       one of the words, in any case
    Zone (any Row type)                     a UUID, resolved to the row
    Zone | Literal["-1"]                    the same, or that word
    Sequence[X]                             comma separated, X as above
    Mapping[str, str]                       a map: `details[0].k=v`, or `x[0].key=k&x[0].value=v`
    Sequence[Mapping[str, str]]             a list of maps: `x[0].a=..&x[0].b=..&x[1].a=..`

`X | None` and a default make it optional. `Annotated[X, Param(...)]` adds length, description, first version, wire
name, or another rule for who may name the row.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from cloudsim.errors import InvalidParameterValue
from cloudsim.store import Row

DEFAULT_LENGTH = 255
Access = Literal["operate", "use", "any"]
"""Who may name a row: `operate` its owner and admins above, `use` those it is offered to, `any` everyone."""


@dataclass(frozen=True)
class Param:
    """What an annotation adds to a parameter's type. `access` by default: operate for `id`, else use."""

    description: str = ""
    length: int = DEFAULT_LENGTH
    since: str | None = None
    name: str | None = None
    access: Access | None = None
    type: str | None = None
    values: tuple[str, ...] = ()
    """The only values that a text may have, where not the annotation but the service behind the command knows them."""
    entity: RowType | None = None
    """What a text names that the command itself looks up."""


def one_of(*values: str, since: str | None = None) -> Param:
    """The Param of a text that is one of some words, where not the annotation but the service behind the command checks it."""
    *some, last = values
    return Param(f"{', '.join(some)} or {last}", since=since, values=values)


Long = Annotated[int, Param(type="long")]
Date = Annotated[float, Param(type="date")]

RowType = type[Row]
Resolve = Callable[[RowType, str, Access], Row | None]
"""Finds the row of an id; None when there is none; raises PermissionDenied when it is not the caller's."""
Reader = Callable[[str, Resolve], Any]


class Unreadable(Exception):
    """A text that is no value of the parameter's type; `entity` when it names nothing that exists."""

    def __init__(self, why: str = "", *, entity: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.entity = entity


@dataclass(frozen=True)
class Parameter:
    """One wire parameter of a command."""

    name: str
    keyword: str
    type: str
    required: bool
    read: Reader | None
    default: Any = None
    entity: RowType | None = None
    description: str = ""
    length: int = DEFAULT_LENGTH
    since: str | None = None
    many_maps: bool = False
    of: str | None = None
    values: tuple[str, ...] = ()
    """The only texts that it takes, or that an item of a list is; empty where there is no such set."""

    def value(self, command: str, text: str, resolve: Resolve) -> Any:
        """What `text` means. Raises InvalidParameterValue in CloudStack's words."""
        if len(text) > self.length and "string" in (self.type, self.of):
            self._check_length(command, text)
        assert self.read is not None
        try:
            return self.read(text, resolve)
        except Unreadable as error:
            shown = text if len(text) <= 200 else text[:200] + "..."
            if error.entity:
                raise InvalidParameterValue(
                    f"Unable to execute API command {command.lower()} due to invalid value. Invalid parameter "
                    f"{self.name} value={shown} due to incorrect long value format, or entity does not exist or "
                    "due to incorrect parameter annotation for the field in api cmd class."
                ) from None
            raise InvalidParameterValue(
                f"Unable to execute API command {command.lower()} due to invalid value {shown!r} for parameter "
                f"{self.name}{': ' + error.why if error.why else ''}"
            ) from None

    def _check_length(self, command: str, text: str) -> None:
        parts = [text] if self.type == "string" else text.split(",")
        if any(len(part) > self.length for part in parts):
            raise InvalidParameterValue(
                f"Unable to execute API command {command.lower()} due to invalid value. Value of parameter "
                f"{self.name} is longer than {self.length} characters"
            )

    def maps(self, entries: Mapping[int, Mapping[str, str]]) -> Any:
        """The value of a map parameter from its indexed entries."""
        ordered = [dict(entries[index]) for index in sorted(entries)]
        if self.many_maps:
            return ordered
        merged: dict[str, str] = {}
        for entry in ordered:
            if "key" in entry and entry.keys() <= {"key", "value"}:
                merged[entry["key"]] = entry.get("value", "")
            else:
                merged.update(entry)
        return merged


def _text(text: str, _: Resolve) -> str:
    return text


def _boolean(text: str, _: Resolve) -> bool:
    return text.strip().lower() == "true"


def _whole(bits: int) -> Reader:
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1

    def read(text: str, _: Resolve) -> int:
        text = text.strip()
        if not re.fullmatch(r"[+-]?[0-9]{1,20}", text, re.ASCII):
            raise Unreadable("it is not a whole number")
        value = int(text)
        if not low <= value <= high:
            raise Unreadable(f"it is not between {low} and {high}")
        return value

    return read


def _number(text: str, _: Resolve) -> float:
    try:
        value = float(text)
    except ValueError:
        raise Unreadable("it is not a number") from None
    if value != value or value in (float("inf"), float("-inf")):
        raise Unreadable("it is not a finite number")
    return value


_DATE = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII
)


def parse_date(text: str, *, end_of_day: bool = False) -> float:
    """Unix seconds of `yyyy-MM-dd`, with ` HH:mm:ss` or `THH:mm:ss`, and `Z` or `+0000`. ValueError for others."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise ValueError("a date is yyyy-MM-dd or yyyy-MM-dd'T'HH:mm:ss+0000")
    year, month, day, hour, minute, second, zone = match.groups()
    if hour is None:
        hour, minute, second = ("23", "59", "59") if end_of_day else ("0", "0", "0")
    fields = (int(year), int(month), int(day), int(hour), int(minute), int(second or 0))
    seconds = datetime(*fields, tzinfo=UTC).timestamp()
    if zone and zone != "Z":
        digits = zone[1:].replace(":", "")
        offset = int(digits[:2]) * 3600 + int(digits[2:]) * 60
        seconds -= offset if zone[0] == "+" else -offset
    return seconds


def _date(end_of_day: bool) -> Reader:
    def read(text: str, _: Resolve) -> float:
        try:
            return parse_date(text, end_of_day=end_of_day)
        except ValueError as error:
            raise Unreadable(str(error)) from None

    return read


def _word(words: tuple[str, ...]) -> Reader:
    spelled = {word.lower(): word for word in words}

    def read(text: str, _: Resolve) -> str:
        word = spelled.get(text.strip().lower())
        if word is None:
            raise Unreadable(f"it is none of {', '.join(words)}")
        return word

    return read


def _row(row_type: type[Row], access: Access, words: tuple[str, ...]) -> Reader:
    def read(text: str, resolve: Resolve) -> Any:
        text = text.strip()
        if text in words:
            return text
        row = resolve(row_type, text, access)
        if row is None:
            raise Unreadable(entity=True)
        return row

    return read


def _list(item: Reader) -> Reader:
    def read(text: str, resolve: Resolve) -> list[Any]:
        return [item(part.strip(), resolve) for part in text.split(",") if part.strip()]

    return read


@dataclass
class _Kind:
    """What an annotation means: listApis type, reader, entity, and for lists the type of an item."""

    type: str
    read: Reader | None
    entity: RowType | None = None
    of: str | None = None
    many_maps: bool = False
    values: tuple[str, ...] = ()
    params: list[Param] = field(default_factory=list)


def _is_row(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Row)


def _kind(annotation: Any, wire: str, access: Access) -> _Kind:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        params = [a for a in arguments[1:] if isinstance(a, Param)]
        for param in params:
            access = param.access or access
            if param.type == "date":
                return _Kind("date", _date(wire.startswith("end")), params=params)
        kind = _kind(arguments[0], wire, access)
        for param in params:
            if param.type == "long" and kind.type == "integer":
                kind.type, kind.read = "long", _whole(64)
            elif param.type is not None:
                kind.type = param.type
        kind.params += params
        return kind
    if origin in (Union, types.UnionType):
        return _union([a for a in arguments if a is not types.NoneType], wire, access)
    if origin is Literal:
        return _Kind("string", _word(arguments), values=arguments)
    if annotation is str:
        return _Kind("string", _text)
    if annotation is bool:
        return _Kind("boolean", _boolean)
    if annotation is int:
        return _Kind("integer", _whole(32))
    if annotation is float:
        return _Kind("double", _number)
    if _is_row(annotation):
        return _Kind("uuid", _row(annotation, access, ()), entity=annotation)
    if origin in (dict, Mapping):
        return _Kind("map", None)
    if origin in (list, tuple, Sequence):
        item = arguments[0]
        if get_origin(item) in (dict, Mapping):
            return _Kind("map", None, many_maps=True)
        inner = _kind(item, wire, access)
        if inner.read is None:
            raise TypeError(f"parameter {wire}: a list of {item}")
        return _Kind(
            "list", _list(inner.read), entity=inner.entity, of=inner.type, values=inner.values, params=inner.params
        )
    raise TypeError(f"parameter {wire}: an annotation of {annotation!r} has no meaning on the wire")


def _union(members: list[Any], wire: str, access: Access) -> _Kind:
    if len(members) == 1:
        return _kind(members[0], wire, access)
    rows = [m for m in members if _is_row(m)]
    words = [m for m in members if get_origin(m) is Literal]
    if len(rows) == 1 and len(rows) + len(words) == len(members):
        allowed = tuple(word for literal in words for word in get_args(literal))
        return _Kind("uuid", _row(rows[0], access, allowed), entity=rows[0])
    raise TypeError(f"parameter {wire}: a union of {members!r} has no meaning on the wire")


REQUIRED: Any = object()


def parameter(keyword: str, annotation: Any, default: Any = REQUIRED, *, access: Access | None = None) -> Parameter:
    """The wire parameter that a keyword parameter of a command function stands for."""
    name = keyword.rstrip("_").lower()
    if access is None:
        access = "operate" if name in ("id", "ids") else "use"
    kind = _kind(annotation, name, access)
    said = kind.params

    def first(attribute: str, empty: Any) -> Any:
        return next((v for p in said if (v := getattr(p, attribute)) != empty), empty)

    required = default is REQUIRED
    return Parameter(
        name=first("name", None) or name,
        keyword=keyword,
        type=kind.type,
        required=required,
        read=kind.read,
        default=None if required else default,
        entity=kind.entity or first("entity", None),
        description=first("description", ""),
        length=first("length", DEFAULT_LENGTH),
        since=first("since", None),
        many_maps=kind.many_maps,
        of=kind.of,
        values=kind.values or first("values", ()),
    )
