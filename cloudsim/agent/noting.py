"""Taking down the steps in which a command is done, where its sender asked for them (`Request.traced`).

Whoever does a thing worth showing says so with `noted`, or with `StepNotes.note` where the end says more than the
beginning; where nobody asked, that costs a look at a context variable. Secrets are masked here, before anything is kept.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Literal

import msgspec

from cloudsim.protocol.masking import masked, masked_text, masked_xml
from cloudsim.protocol.messages import Step, Work

LONGEST = 16 * 1024
"""Characters of a payload that are kept."""
MOST_STEPS = 100
MOST_IN_ALL = 8 * LONGEST
"""Characters of payload of all of a command's steps: beyond it steps have none."""

_encoder = msgspec.json.Encoder(enc_hook=str)


class StepNotes:
    """The steps of one command, begun at the loop's time `began`."""

    __slots__ = ("_room", "began", "left_out", "steps")

    def __init__(self, began: float) -> None:
        self.began = began
        self.steps: list[Step] = []
        self.left_out = 0
        self._room = MOST_IN_ALL

    def note(self, name: str, began: float, ended: float, payload: Any = "", error: str = "") -> None:
        """A step from `began` to `ended` (the loop's time). `payload`: a text, XML, or data that becomes JSON.

        One like the last, and like it without payload and error, is told as one with it: such as asking how far it is.
        """
        if self.steps and not (payload or error) and self._again(name, began, ended):
            return
        if len(self.steps) >= MOST_STEPS:
            self.left_out += 1
            return
        text, format = readable(payload)
        kept = text[: min(LONGEST, self._room)]
        self._room -= len(kept)
        self.steps.append(
            Step(
                masked_text(name),
                round(began - self.began, 6),
                round(ended - began, 6),
                kept,
                format,
                len(text),
                masked_text(error),
            )
        )

    def _again(self, name: str, began: float, ended: float) -> bool:
        last = self.steps[-1]
        if last.name != masked_text(name) or last.payload or last.error:
            return False
        start = min(last.start, began - self.began)
        until = max(last.start + last.seconds, ended - self.began)
        self.steps[-1] = Step(last.name, round(start, 6), round(until - start, 6))
        return True

    def work(self, arrived: float, ended: float) -> Work:
        """What is told of it: the request came at `arrived`, it is done now."""
        return Work(
            round(self.began - arrived, 6), round(ended - self.began, 6), tuple(self.steps), self.left_out
        )


NOTES: ContextVar[StepNotes | None] = ContextVar("notes", default=None)
"""Where the steps of the command that is being done are taken down; None where nobody wants to know."""


class noted:
    """`with noted(name, payload):` takes down what is done inside as a step, and the error that ends it."""

    __slots__ = ("_began", "_name", "_notes", "_payload")

    def __init__(self, name: str, payload: Any = "") -> None:
        self._name = name
        self._payload = payload
        self._notes: StepNotes | None = None

    def __enter__(self) -> None:
        self._notes = NOTES.get()
        if self._notes is not None:
            self._began = asyncio.get_running_loop().time()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._notes is not None:
            ended = asyncio.get_running_loop().time()
            text = "" if kind is None else str(error) or kind.__name__
            self._notes.note(self._name, self._began, ended, self._payload, text)


def readable(payload: Any) -> tuple[str, Literal["json", "xml", "text"]]:
    """A payload as text with its secrets masked, and what kind of text that is."""
    if isinstance(payload, str):
        if payload.lstrip().startswith("<"):
            return masked_xml(payload), "xml"
        return masked_text(payload), "text"
    return _encoder.encode(masked(msgspec.to_builtins(payload))).decode(), "json"
