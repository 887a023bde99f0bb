"""One end of a connection between a real agent and the manager: messages as JSON in text frames of a WebSocket."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from websockets.asyncio.connection import Connection
from websockets.exceptions import ConnectionClosed

from cloudsim.protocol.codec import MalformedMessage, decode, encode
from cloudsim.protocol.messages import Message

log = logging.getLogger(__name__)

LARGEST_MESSAGE = 16 * 2**20
"""Bytes. An inventory of ten thousand instances takes one."""
MOST_WAITING = 64 * 2**20
"""Bytes that may wait to be sent. The connection to a peer that reads slower than that is given up."""
SEND_WITHIN = 30.0
"""Seconds that a peer may take to read on: its machine may answer for a process that hangs."""
CLOSE_WITHIN = 5.0
"""Seconds for what was sent before `close`, and for the other end to agree."""
SETTINGS: dict[str, Any] = {
    "compression": None,
    "ping_interval": 10.0,
    "ping_timeout": 20.0,
    "close_timeout": CLOSE_WITHIN,
    "max_size": LARGEST_MESSAGE,
}
"""For both ends' connections. With the pings a cut network is noticed within 30 seconds."""

_NORMAL, _UNSUPPORTED, _INVALID, _POLICY = 1000, 1003, 1007, 1008


def _ignore(*_: object) -> None:
    pass


class WebSocketLink:
    """Implements `cloudsim.protocol.link.Link` over a connection that is open.

    Made on the connection's event loop; set `on_message` and `on_close` before it runs on. `guard`, where given, sees
    each message first; the text that it returns ends the connection.
    """

    def __init__(self, connection: Connection, guard: Callable[[Message], str | None] | None = None) -> None:
        self.on_message: Callable[[Message], None] = _ignore
        self.on_close: Callable[[], None] = _ignore
        self._connection = connection
        self._guard = guard
        self._loop = asyncio.get_running_loop()
        self._peer = _address(connection)
        self._open = True
        self._told = False
        self._ending: tuple[int, str] | None = None
        self._outgoing: deque[bytes] = deque()
        self._waiting = 0
        self._wake = asyncio.Event()
        self._last_resort: asyncio.TimerHandle | None = None
        self._writer = self._loop.create_task(self._write())
        self._reader = self._loop.create_task(self._read())

    @property
    def closed(self) -> bool:
        """Whether nothing is sent or delivered any more."""
        return not self._open

    def send(self, message: Message) -> None:
        """Hand over a message; returns at once. On a closed link it is lost."""
        if not self._open:
            return
        data = encode(message)
        self._outgoing.append(data)
        self._waiting += len(data)
        self._wake.set()
        if self._waiting > MOST_WAITING:
            log.warning("%s does not read what it is sent, its connection is given up", self._peer)
            self._lose()
            self._connection.transport.abort()

    def close(self) -> None:
        """End the connection, after what was sent before; this end's `on_close` is not called."""
        self._told = True
        if self._open:
            self._open = False
            self._end(_NORMAL, "")

    def fail(self, reason: str, code: int = _POLICY) -> None:
        """End the connection because of its peer, which is told why; both ends' `on_close` are called."""
        if self._open:
            log.warning("the connection of %s is closed: %s", self._peer, reason)
            self._lose()
            self._end(code, reason)

    async def wait_closed(self) -> None:
        """Return once the connection is gone."""
        await asyncio.wait({self._reader})

    def _lose(self) -> None:
        """Nothing more is sent or delivered; the owner hears of it soon, not from within its own call."""
        self._open = False
        self._outgoing.clear()
        self._loop.call_soon(self._tell)

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            self._call(self.on_close)

    def _end(self, code: int, reason: str) -> None:
        self._ending = (code, _shortened(reason))
        self._wake.set()
        self._last_resort = self._loop.call_later(CLOSE_WITHIN, self._connection.transport.abort)

    async def _write(self) -> None:
        try:
            while True:
                while self._outgoing:
                    data = self._outgoing.popleft()
                    async with asyncio.timeout(SEND_WITHIN):
                        await self._connection.send(data, text=True)
                    self._waiting -= len(data)
                if self._ending is not None:
                    await self._connection.close(*self._ending)
                    return
                self._wake.clear()
                await self._wake.wait()
        except ConnectionClosed:
            pass  # the reader knows
        except TimeoutError:
            log.warning("%s has not read for %g s, its connection is given up", self._peer, SEND_WITHIN)
            self._connection.transport.abort()

    async def _read(self) -> None:
        try:
            while True:
                frame = await self._connection.recv()
                if self._open:
                    self._deliver(frame)
        except ConnectionClosed as error:
            if self._open and error.rcvd is not None and error.rcvd.code not in (_NORMAL, 1001):
                log.warning("%s has closed the connection: %s", self._peer, error.rcvd.reason)
        self._open = False
        self._writer.cancel()
        if self._last_resort is not None:
            self._last_resort.cancel()
        self._tell()

    def _deliver(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            self.fail("a binary frame, where messages are text", _UNSUPPORTED)
            return
        try:
            message = decode(frame.encode())
        except MalformedMessage as error:
            self.fail(f"a malformed message: {error}", _INVALID)
            return
        wrong = None if self._guard is None else self._guard(message)
        if wrong is not None:
            self.fail(wrong)
        else:
            self._call(self.on_message, message)

    def _call(self, what: Callable[..., None], *arguments: object) -> None:
        try:
            what(*arguments)
        except Exception:  # the owner's fault, and no reason to lose what comes next
            log.exception("what %s sent could not be dealt with", self._peer)


def _address(connection: Connection) -> str:
    address = connection.remote_address
    return f"{address[0]} port {address[1]}" if isinstance(address, tuple) else "a peer that is gone"


def _shortened(reason: str) -> str:
    """What fits into a closing frame: 123 bytes."""
    return reason.encode()[:120].decode(errors="ignore")
