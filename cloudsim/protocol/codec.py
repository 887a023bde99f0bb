"""Messages as JSON: each typed value under its name, as in {"Request": {"sequence": 7, "command": {"StopCommand": {...}}}}."""

from __future__ import annotations

from typing import Any

import msgspec

from cloudsim.protocol import messages
from cloudsim.protocol.commands import ANSWERS, COMMANDS
from cloudsim.protocol.messages import Message, Request, Response, Work

_KINDS: dict[str, type] = {
    t.__name__: t
    for t in (
        messages.Startup,
        messages.Connected,
        messages.Refused,
        messages.Ping,
    )
}
_encoder = msgspec.json.Encoder()
_outer = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    sequence: int
    trace_id: str = ""
    answered: int = 0
    traced: bool = False
    work: Work | None = None
    command: dict[str, msgspec.Raw] | None = None
    answer: dict[str, msgspec.Raw] | None = None


_body = msgspec.json.Decoder(_Body)
_decoders: dict[type, msgspec.json.Decoder[Any]] = {
    t: msgspec.json.Decoder(t) for t in (*_KINDS.values(), *COMMANDS.values(), *ANSWERS.values())
}


class MalformedMessage(ValueError):
    """Bytes that are not a message of this protocol; the text says where they stop being one."""


def encode(message: Message) -> bytes:
    """The message as one JSON object in UTF-8."""
    if isinstance(message, Request):
        body: dict[str, Any] = {
            "sequence": message.sequence,
            "trace_id": message.trace_id,
            "answered": message.answered,
            "command": {type(message.command).__name__: message.command},
        }
        if message.traced:
            body["traced"] = True
        return _encoder.encode({"Request": body})
    if isinstance(message, Response):
        body = {
            "sequence": message.sequence,
            "trace_id": message.trace_id,
            "answer": {type(message.answer).__name__: message.answer},
        }
        if message.work is not None:
            body["work"] = message.work
        return _encoder.encode({"Response": body})
    return _encoder.encode({type(message).__name__: message})


def decode(data: bytes) -> Message:
    """The message that `encode` wrote. Raises MalformedMessage for anything else."""
    try:
        name, raw = _single(_outer.decode(data))
        if name == "Request":
            body = _body.decode(raw)
            kind, command = _single(body.command or {})
            asked = _typed(COMMANDS, kind, command)
            return Request(body.sequence, asked, body.trace_id, body.answered, body.traced)
        if name == "Response":
            body = _body.decode(raw)
            kind, answer = _single(body.answer or {})
            return Response(body.sequence, _typed(ANSWERS, kind, answer), body.trace_id, body.work)
        message: Message = _typed(_KINDS, name, raw)
        return message
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedMessage(str(error)) from error


def _single(pairs: dict[str, msgspec.Raw]) -> tuple[str, msgspec.Raw]:
    if len(pairs) != 1:
        raise MalformedMessage(f"expected one named value, found {sorted(pairs) or 'none'}")
    return next(iter(pairs.items()))


def _typed(kinds: dict[str, Any], name: str, raw: msgspec.Raw) -> Any:
    kind = kinds.get(name)
    if kind is None:
        raise MalformedMessage(f"unknown name {name!r}")
    return _decoders[kind].decode(raw)
