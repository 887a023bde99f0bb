"""What is sent back: JSON and XML envelopes, error bodies, HTTP status and headers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

import msgspec

from cloudsim.errors import CloudError
from server.api.command import Command, Listed, Success
from server.api.views import View

VERSION = "4.22.0.0"
"""The CloudStack release whose API this is."""
JSON_TYPE = "application/json; charset=UTF-8"
XML_TYPE = "text/xml; charset=UTF-8"

_encoder = msgspec.json.Encoder()


@dataclass
class Reply:
    """An answer before it is text: `name` is the outer member, `body` what is in it."""

    name: str
    body: Any
    json: bool
    status: int = 200
    description: str = ""
    cookies: dict[str, str | None] = field(default_factory=dict)

    def text(self) -> bytes:
        if self.json:
            return _encoder.encode({self.name: self.body})
        return xml(self.name, self.body)

    @property
    def content_type(self) -> str:
        return JSON_TYPE if self.json else XML_TYPE


def success_body(command: Command, answer: Any, views: Sequence[View]) -> Any:
    """What goes into the envelope of a command that returned `answer`, whose rows look like `views`."""
    if command.many:
        total = answer.total if isinstance(answer, Listed) else len(views)
        body: dict[str, Any] = {"count": total} if total else {}
        if views:
            body[(answer.key if isinstance(answer, Listed) else None) or command.key] = views
        return body
    if answer is None:
        return {"success": True}
    if isinstance(answer, Success):
        return {"success": answer.success} | ({"displaytext": answer.text} if answer.text else {})
    return {command.key: views[0]} if command.key else views[0]


def error_body(error: CloudError) -> dict[str, Any]:
    return {
        "uuidList": list(error.uuids),
        "errorcode": error.errorcode,
        "cserrorcode": error.cserrorcode,
        "errortext": error.text,
    }


def error_reply(name: str, error: CloudError, *, json: bool) -> Reply:
    return Reply(name, error_body(error), json, error.errorcode, error.text)


def result_text(body: Any) -> str:
    """A job's result as the JSON text that its row keeps."""
    return _encoder.encode(body).decode()


def xml(name: str, body: Any) -> bytes:
    """The body as CloudStack's XML: a member is an element, a list repeats its element."""
    inside: list[str] = []
    for member, value in _members(body):
        _element(inside, member, value)
    opening = f'<{name} cloud-stack-version="{VERSION}">'
    return f'<?xml version="1.0" encoding="UTF-8"?>{opening}{"".join(inside)}</{name}>'.encode()


def _members(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    found = []
    for each, encoded in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True):
        member = getattr(value, each)
        if member is not None:
            found.append((encoded, member))
    return found


def _element(out: list[str], name: str, value: Any) -> None:
    if isinstance(value, list | tuple):
        for each in value:
            _element(out, name, each)
        return
    tag = name if name.replace("_", "").replace("-", "").replace(".", "").isalnum() and not name[0].isdigit() else ""
    opening, closing = (tag, tag) if tag else (f'entry key="{escape(name, {chr(34): "&quot;"})}"', "entry")
    if isinstance(value, msgspec.Raw):
        value = msgspec.json.decode(value)
        if isinstance(value, list | tuple):
            return _element(out, name, value)
    out.append(f"<{opening}>")
    if isinstance(value, bool):
        out.append("true" if value else "false")
    elif isinstance(value, Mapping | msgspec.Struct):
        for member, inner in _members(value):
            _element(out, member, inner)
    elif value is not None:
        out.append(escape(_printable(str(value))))
    out.append(f"</{closing}>")


def _printable(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(c for c in text if c >= " " or c in "\t\n\r") if any(c < " " for c in text) else text
