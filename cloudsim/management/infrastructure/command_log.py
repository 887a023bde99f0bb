"""What was asked of hosts and what they answered, in order: for a student who follows a command, for comparing two
worlds, and for fitting a simulation to measurements.

One counter numbers both what is sent and what comes back, so that of two commands it can be told whether the answer to
the one was there before the other was sent. A record is written when its answer is there, or its time over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from cloudsim.protocol.commands import Answer
from cloudsim.protocol.masking import MASKED as MASKED
from cloudsim.protocol.masking import masked
from cloudsim.protocol.messages import Request


class CommandRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A Command and its Answer. Times in Unix seconds; without an answer both `answered` and `answer` are None."""

    number: int
    """When it was sent, by the log's counter."""
    answered_number: int | None = None
    """When its answer came, by the same counter."""
    host: str
    sequence: int
    trace_id: str = ""
    kind: str
    """The command's name, such as StartCommand."""
    command: dict[str, Any]
    sent: float
    answered: float | None = None
    answer: dict[str, Any] | None = None

    @property
    def ok(self) -> bool:
        return self.answer is not None and self.answer.get("error") is None

    @property
    def seconds(self) -> float | None:
        """From sending to the answer."""
        return None if self.answered is None else self.answered - self.sent


class CommandLog:
    """Hands each record to `write`, once it is complete. `now` gives Unix seconds."""

    def __init__(self, now: Callable[[], float], write: Callable[[CommandRecord], object]) -> None:
        self._now = now
        self._write = write
        self._counter = 0
        self._open: dict[tuple[str, int], tuple[int, float, Request]] = {}

    def sent(self, host: str, request: Request) -> None:
        """A request leaves for the first time."""
        self._counter += 1
        self._open[host, request.sequence] = (self._counter, self._now(), request)

    def ended(self, host: str, sequence: int, answer: Answer | None) -> None:
        """Its answer has come; None: its time is over, or the manager forgot it."""
        found = self._open.pop((host, sequence), None)
        if found is None:
            return
        self._counter += 1
        number, sent, request = found
        self._write(
            CommandRecord(
                number=number,
                answered_number=None if answer is None else self._counter,
                host=host,
                sequence=sequence,
                trace_id=request.trace_id,
                kind=type(request.command).__name__,
                command=masked(msgspec.to_builtins(request.command)),
                sent=sent,
                answered=None if answer is None else self._now(),
                answer=None if answer is None else masked(msgspec.to_builtins(answer)),
            )
        )


def read(lines: Iterable[bytes]) -> Iterator[CommandRecord]:
    """The records of a log that was written as a line of JSON each. ValueError, with the line, for what is none."""
    decoder = msgspec.json.Decoder(CommandRecord)
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield decoder.decode(line)
            except msgspec.DecodeError as error:
                raise ValueError(f"line {number} is no record of a command: {error}") from error
