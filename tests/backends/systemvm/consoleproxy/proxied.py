"""A console proxy, a VNC server and a terminal behind it, and a client: what the tests of the proxy run."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from backends.systemvm.consoleproxy.service import ConsoleProxy

PASSWORD = "s3cret!x"


def expected_response(challenge: bytes, password: str) -> bytes:
    """VNC authentication, with another implementation of DES than the proxy's."""
    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in password.encode()[:8].ljust(8, b"\0"))
    cipher = Cipher(TripleDES(key * 3), modes.ECB()).encryptor()
    return cipher.update(challenge)


class VncServer:
    """Speaks RFB 3.3, 3.7 or 3.8 with VNC authentication, and then says back whatever it is told, bytewise inverted."""

    def __init__(self, version: bytes = b"RFB 003.008\n", password: str = PASSWORD) -> None:
        self.version, self.password = version, password
        self.logins = 0
        self.open = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._talk(reader, writer)
        finally:
            self.open -= 1
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.version)
        version = await reader.readexactly(12)
        if version == b"RFB 003.003\n":
            writer.write(struct.pack(">I", 2))
        else:
            writer.write(bytes((2, 19, 2)))
            assert await reader.readexactly(1) == b"\x02"
        challenge = secrets.token_bytes(16)
        writer.write(challenge)
        if await reader.readexactly(16) != expected_response(challenge, self.password):
            reason = b"Authentication failed"
            writer.write(struct.pack(">I", 1))
            if version == b"RFB 003.008\n":
                writer.write(struct.pack(">I", len(reason)) + reason)
            return
        writer.write(struct.pack(">I", 0))
        self.logins += 1
        await self._after_login(reader, writer)

    async def _after_login(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(bytes(255 - byte for byte in data))
            await writer.drain()


class Terminal:
    """Takes a password line, and then says back whatever it is told, after a greeting."""

    def __init__(self, password: str = "") -> None:
        self.password = password

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            if not self.password or await reader.readline() == self.password.encode() + b"\n":
                writer.write(b"web-1 login: ")
                while data := await reader.read(65536):
                    writer.write(data)
                    await writer.drain()
        writer.close()


class Clock:
    """Unix seconds that pass when told to."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


class Proxied:
    """A running proxy and a clock for its tokens."""

    def __init__(self, pages: Path) -> None:
        self.clock = Clock()
        self.proxy = ConsoleProxy(pages, self.clock)

    @property
    def url(self) -> str:
        return f"127.0.0.1:{self.proxy.port}"

    def grant(
        self, port: int, *, kind: str = "vnc", password: str = PASSWORD, idle: float = 0.0, name: str | None = None
    ) -> tuple[str, str]:
        """A new session's id, and its token."""
        session_id, token = name or secrets.token_hex(8), secrets.token_urlsafe(32)
        grant = {
            "session_id": session_id,
            "token_hash": hashlib.sha256(token.encode()).hexdigest(),
            "kind": kind,
            "host": "127.0.0.1",
            "port": port,
            "password": password,
            "expires": self.clock() + 60,
            "title": "web-1",
            "idle": idle,
        }
        assert self.proxy.reply({"type": "GrantConsole", "grant": grant}) == {"type": "Done"}
        return session_id, token

    def sessions(self) -> dict[str, bool]:
        """Session id -> whether it is open: what the proxy reports."""
        reply = self.proxy.reply({"type": "ConsoleSessions"})
        return {each["session_id"]: each["open"] for each in reply["sessions"]}

    def connect(self, token: str) -> connect:
        return connect(f"ws://{self.url}/websockify?token={token}", subprotocols=None, proxy=None)

    async def refusal(self, query: str) -> tuple[int, bytes]:
        """Status and body of a WebSocket that is not let in."""
        try:
            async with connect(f"ws://{self.url}/websockify{query}", proxy=None):
                raise AssertionError("the proxy let it in")
        except InvalidStatus as refused:
            return refused.response.status_code, bytes(refused.response.body or b"")

    async def login(self, socket: ClientConnection) -> None:
        """Be a VNC client up to the end of the security handshake, which must be RFB 3.8 with security None."""
        buffer = b""

        async def exactly(count: int) -> bytes:
            nonlocal buffer
            while len(buffer) < count:
                message = await socket.recv()
                assert isinstance(message, bytes)
                buffer += message
            found, buffer = buffer[:count], buffer[count:]
            return found

        assert await exactly(12) == b"RFB 003.008\n"
        await socket.send(b"RFB 003.008\n")
        assert await exactly(2) == b"\x01\x01"
        await socket.send(b"\x01")
        assert await exactly(4) == b"\0\0\0\0"
        assert buffer == b""


@contextlib.asynccontextmanager
async def proxied(folder: Path, **more: Callable[[], object]) -> AsyncIterator[Proxied]:
    made = Proxied(folder)
    await made.proxy.start("127.0.0.1", 0)
    try:
        yield made
    finally:
        await made.proxy.stop()


@contextlib.asynccontextmanager
async def started(server: VncServer | Terminal) -> AsyncIterator[int]:
    """Its port."""
    await server.start()
    try:
        yield server.port
    finally:
        await server.stop()


async def eventually(condition: Callable[[], bool], within: float = 60.0) -> None:
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
