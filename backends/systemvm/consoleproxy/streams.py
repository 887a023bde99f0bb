"""The bytes of a console: where they come from and go to."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

LARGEST_READ = 65_536


class ConsoleError(Exception):
    """The console cannot be reached; the text says why, to the one who watches it."""


class Stream(Protocol):
    """A console's bytes in both directions."""

    async def read(self) -> bytes:
        """What it says next; empty at its end."""

    async def write(self, data: bytes) -> None:
        """Say something to it. Raises OSError when it is gone."""

    def close(self) -> None:
        """Let go of it; once more is no error."""


class TcpStream:
    """A console behind a TCP port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, host: str, port: int, within: float) -> TcpStream:
        """Raises ConsoleError when nobody answers there within so many seconds."""
        try:
            async with asyncio.timeout(within):
                return cls(*await asyncio.open_connection(host, port, limit=LARGEST_READ))
        except TimeoutError:
            raise ConsoleError("the instance's host does not answer") from None
        except OSError as error:
            raise ConsoleError(f"the instance's host does not answer: {error.strerror or error}") from None

    async def exactly(self, count: int) -> bytes:
        """The next `count` bytes. Raises ConsoleError at the end."""
        try:
            return await self.reader.readexactly(count)
        except (asyncio.IncompleteReadError, OSError):
            raise ConsoleError("the instance's console closed the connection") from None

    async def read(self) -> bytes:
        try:
            return await self.reader.read(LARGEST_READ)
        except OSError:
            return b""

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def close(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            self.writer.close()
