"""One end of a connection between the management server and an agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from cloudsim.protocol.messages import Message


class Link(Protocol):
    """Carries messages in order, but may lose, delay or repeat them, and may close at any time.

    The owner of an end sets `on_message` and `on_close` before anything can arrive. Both are called on
    the event loop, never from within `send`.
    """

    on_message: Callable[[Message], None]
    on_close: Callable[[], None]

    def send(self, message: Message) -> None:
        """Hand over a message; returns at once. On a closed link it is lost."""

    def close(self) -> None:
        """End the connection; the other end's `on_close` is called, this one's is not."""


class Connector(Protocol):
    """How an agent reaches its manager."""

    async def connect(self) -> Link:
        """Open a link. Raises ConnectionError when the manager cannot be reached."""
