"""Serial consoles of instances over TCP, for console proxies.

QEMU has a serial port as a pseudoterminal of the host. Who connects here says a password first, in a line of its own; it
was made for one instance and opens its terminal once. Several who watch the same one see the same and type on the same
line, as with a real serial port.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import os
import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

from cloudsim.hypervisor import HypervisorError

log = logging.getLogger(__name__)

LASTS = 900.0
"""Seconds that a password may be used: longer than a console proxy keeps a grant."""
PASSWORD_WITHIN = 10.0
MOST_WAITING = 256
"""Passwords that wait to be used; the oldest goes first."""
_READ = 65_536
_LARGEST_BACKLOG = 1 << 20
"""Bytes that a watcher may be behind before it is let go."""


class _Expected(NamedTuple):
    password: str
    terminal: str
    until: float


class Terminals:
    """One listener for a host, opened when first needed. `address` is where it listens."""

    def __init__(self, address: str, now: Callable[[], float] = time.monotonic) -> None:
        self._address = address
        self._now = now
        self._server: asyncio.Server | None = None
        self._opening = asyncio.Lock()
        self._expected: list[_Expected] = []
        self._lines: dict[str, _Line] = {}
        self._watchers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def let(self, terminal: str) -> tuple[int, str]:
        """Port and password that open the pseudoterminal at that path once. Raises HypervisorError."""
        async with self._opening:
            if self._server is None:
                try:
                    self._server = await asyncio.start_server(self._serve, self._address, 0, limit=1024)
                except OSError as error:
                    raise HypervisorError(f"cannot listen for terminals: {error.strerror or error}") from error
                self.port = self._server.sockets[0].getsockname()[1]
        now = self._now()
        self._expected = [each for each in self._expected if each.until > now][-MOST_WAITING + 1 :]
        password = secrets.token_urlsafe(24)
        self._expected.append(_Expected(password, terminal, now + LASTS))
        return self.port, password

    async def close(self) -> None:
        """Let all watchers go."""
        self._expected.clear()
        for line in list(self._lines.values()):
            line.close()
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._watchers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._watchers.add(writer)
        try:
            terminal = await self._admitted(reader)
            if terminal is not None:
                await self._watch(terminal, reader, writer)
        except OSError as error:
            log.info("a serial console ends: %s", error)
        finally:
            self._watchers.discard(writer)
            with contextlib.suppress(OSError):
                writer.close()

    async def _admitted(self, reader: asyncio.StreamReader) -> str | None:
        try:
            async with asyncio.timeout(PASSWORD_WITHIN):
                said = (await reader.readuntil(b"\n")).strip()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return None
        found = None
        for each in self._expected:  # all of them, so that the time it takes says nothing of any
            if hmac.compare_digest(each.password.encode(), said) and each.until > self._now():
                found = each
        if found is None:
            return None
        self._expected.remove(found)
        return found.terminal

    async def _watch(
        self, terminal: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        line = self._lines.get(terminal)
        if line is None:
            line = self._lines[terminal] = _Line(terminal)
        line.watchers.add(writer)
        try:
            while data := await reader.read(_READ):
                await line.write(data)
        finally:
            line.watchers.discard(writer)
            if not line.watchers:
                line.close()
            if line.closed and self._lines.get(terminal) is line:
                del self._lines[terminal]


class _Line:
    """An open pseudoterminal: what the guest says goes to all watchers. Raises OSError where it cannot be opened."""

    def __init__(self, path: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._loop.add_reader(self._fd, self._readable)
        self._writing = asyncio.Lock()
        self._ready = asyncio.Event()
        self.watchers: set[asyncio.StreamWriter] = set()

    @property
    def closed(self) -> bool:
        return self._fd < 0

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _READ)
        except BlockingIOError:
            return
        except OSError:  # QEMU has gone
            data = b""
        if not data:
            self.close()
            return
        for writer in list(self.watchers):
            if writer.transport.get_write_buffer_size() > _LARGEST_BACKLOG:
                writer.transport.abort()
            else:
                writer.write(data)

    async def write(self, data: bytes) -> None:
        """Type it. Raises OSError when the line is closed."""
        async with self._writing:
            while data:
                if self.closed:
                    raise OSError("the instance has gone")
                try:
                    data = data[os.write(self._fd, data) :]
                except BlockingIOError:
                    await self._writable()

    async def _writable(self) -> None:
        self._ready.clear()
        self._loop.add_writer(self._fd, self._ready.set)
        try:
            await self._ready.wait()
        finally:
            if not self.closed:
                self._loop.remove_writer(self._fd)

    def close(self) -> None:
        """Hang up; the watchers' connections end once they have what was said."""
        if self.closed:
            return
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        fd, self._fd = self._fd, -1
        os.close(fd)
        self._ready.set()
        for writer in self.watchers:
            writer.close()
