"""One listener of the change feed: what it has not been sent yet, as server-sent events, until something ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from server.api.envelope import Reply
from server.changes.audience import Audience
from server.changes.round import ChangeView

HEARTBEAT = 15.0
"""Seconds without a message after which a comment is sent."""
LARGEST = 2_000
"""Things that wait for one listener to be sent, or are sent in one message; a listener with more is told to read anew."""
_LOOK = 1.0
"""Seconds between looks at whether the session still holds and somebody is there."""
_AGAIN = 3_000
"""Milliseconds after which a browser asks for the stream again when it breaks."""

_encoder = msgspec.json.Encoder()


@dataclass
class Message:
    """What one audience is told of a round at `time` (Unix seconds of the cloud). Encoded once for all its listeners."""

    mark: str
    time: float
    changes: list[ChangeView]

    @cached_property
    def text(self) -> bytes:
        data = _encoder.encode({"time": round(self.time, 3), "changes": self.changes})
        return _event("changes", data, self.mark)


def _event(name: str, data: bytes, mark: str) -> bytes:
    return b"event: %s\nid: %s\ndata: %s\n\n" % (name.encode(), mark.encode(), data)


class Stream:
    """What is told to one listener. The loop's thread puts messages in; a worker thread takes them out and sends them.

    `is_over()` says whether its session has ended; `leave(stream)` is called once when nobody takes from it any more.
    """

    def __init__(
        self,
        audience: Audience,
        *,
        mark: str,
        missed: bool,
        is_over: Callable[[], bool],
        leave: Callable[[Stream], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.audience = audience
        self.opened = clock()
        self.taken = False
        self._mark = mark
        self._is_over = is_over
        self._leave = leave
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: list[Message] = []
        self._overflow: float | None = 0.0 if missed else None
        self._end: str | None = None
        self._left = False
        self.on_close: Callable[[], None] = lambda: None

    def put(self, message: Message) -> None:
        """To be sent next. A listener that is too slow, or concerned by too much, is told to read anew instead."""
        with self._changed:
            self._mark = message.mark
            if self._overflow is None:
                self._waiting.append(message)
                if sum(len(m.changes) for m in self._waiting) > LARGEST:
                    self._overflow_at(message.time)
            self._changed.notify()

    def overflow(self, mark: str, time: float) -> None:
        """More has changed than is told one by one."""
        with self._changed:
            self._mark = mark
            self._overflow_at(time)
            self._changed.notify()

    def _overflow_at(self, time: float) -> None:
        self._waiting.clear()
        self._overflow = time

    def reached(self, mark: str) -> None:
        """Up to there nothing concerned this listener but what it has been given."""
        with self._changed:
            self._mark = mark

    def end(self, reason: str) -> None:
        """Tell the listener why, and send nothing more."""
        with self._changed:
            self._end = self._end or reason
            self._changed.notify()

    def close(self) -> None:
        """Nobody takes from it any more."""
        with self._changed:
            if self._left:
                return
            self._left = True
            self._end = self._end or "closed"
            self._changed.notify()
        self._leave(self)
        self.on_close()

    def sent(self, gone: Callable[[], bool] = lambda: False) -> Iterator[bytes]:
        """What goes over the wire. Ends when the stream does, or when `gone()` says that the client has left."""
        try:
            self.taken = True
            yield b"retry: %d\nid: %s\n: from now on\n\n" % (_AGAIN, self._mark.encode())
            quiet = self._clock()
            while True:
                text, over = self._next()
                if text:
                    quiet = self._clock()
                    yield text
                elif self._clock() - quiet >= HEARTBEAT:
                    quiet = self._clock()
                    yield b": alive\nid: %s\n\n" % self._mark.encode()
                if over or gone():
                    return
        finally:
            self.close()

    def _next(self) -> tuple[bytes, bool]:
        """What there is to send by now, waiting a moment for it, and whether it is the last."""
        with self._changed:
            if not self._waiting and self._overflow is None and self._end is None:
                self._changed.wait(_LOOK)
            if self._end is None and self._is_over():
                self._end = "the session is over"
            if self._end is not None:
                return _event("end", _encoder.encode({"reason": self._end}), self._mark), True
            if self._overflow is not None:
                time, self._overflow = self._overflow, None
                return _event("overflow", _encoder.encode({"time": time} if time else {}), self._mark), False
            waiting, self._waiting = self._waiting, []
        if not waiting:
            return b"", False
        return (waiting[0] if len(waiting) == 1 else merged(waiting)).text, False


def merged(messages: list[Message]) -> Message:
    """The same as one message, with each thing once."""
    last: dict[tuple[str | None, str | None], ChangeView] = {}
    for message in messages:
        for change in message.changes:
            thing = (change.type, change.id)
            known = last.pop(thing, None)
            told = change if known is None else _after(known, change)
            if told is not None:
                last[thing] = told
    return Message(messages[-1].mark, messages[-1].time, list(last.values()))


def _after(first: ChangeView, second: ChangeView) -> ChangeView | None:
    """Two changes of a thing, told as one; None when it came and went unseen."""
    if first.change == "created":
        return None if second.change == "removed" else msgspec.structs.replace(second, change="created")
    if first.change == "removed" and second.change == "created":
        return msgspec.structs.replace(second, change="updated")
    return second


@dataclass
class StreamReply(Reply):
    """An answer that goes on: the door sends what `stream` has instead of a body."""

    stream: Any = None
