"""A connection between an agent and the management server in one process: messages go as they are, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cloudsim.protocol.link import Link
from cloudsim.protocol.messages import Message


def _ignore(*_: object) -> None:
    pass


class LocalLink:
    """Implements `cloudsim.protocol.link.Link`; `pair` makes both ends."""

    def __init__(self) -> None:
        self.on_message: Callable[[Message], None] = _ignore
        self.on_close: Callable[[], None] = _ignore
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._peer: LocalLink

    @classmethod
    def pair(cls) -> tuple[LocalLink, LocalLink]:
        """Both ends of a new connection, on the running loop."""
        one, other = cls(), cls()
        one._peer, other._peer = other, one
        return one, other

    def send(self, message: Message) -> None:
        if self._open:
            self._loop.call_soon(self._peer._arrived, message)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._loop.call_soon(self._peer._left)

    def _arrived(self, message: Message) -> None:
        if self._open:
            self.on_message(message)

    def _left(self) -> None:
        if self._open:
            self._open = False
            self.on_close()


class LocalConnector:
    """Implements `cloudsim.protocol.link.Connector`: the manager's end goes to `accept`."""

    def __init__(self, accept: Callable[[Link], None]) -> None:
        self._accept = accept

    async def connect(self) -> Link:
        mine, managers = LocalLink.pair()
        self._accept(managers)
        return mine
