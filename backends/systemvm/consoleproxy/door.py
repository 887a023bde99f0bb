"""The proxy's HTTP server: pages for everyone, and behind a token the WebSocket that a console's bytes go through."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from backends.systemvm.consoleproxy.grants import secret_of
from backends.systemvm.consoleproxy.pages import Pages
from backends.systemvm.consoleproxy.rfb import welcome
from backends.systemvm.consoleproxy.streams import ConsoleError, Stream

log = logging.getLogger(__name__)

SOCKET_PATH = "/websockify"
ENDED, CUT, IDLE, UNREACHABLE, LEAVING = 1000, 4001, 4002, 4003, 1001
"""Why a console's WebSocket closes: it ended, it was taken away, nothing passed, it could not be had, the proxy goes."""
_LARGEST_MESSAGE = 1 << 20
_HANDSHAKE_WITHIN = 15.0
_POLICY = (
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)


class Console(Protocol):
    """A console that was let to a client."""

    @property
    def kind(self) -> str:
        """vnc, serial or text."""

    @property
    def title(self) -> str:
        """What it is of."""

    @property
    def idle(self) -> float:
        """Seconds in which nothing passes after which it is cut; 0: never."""

    async def connect(self) -> Stream:
        """Its bytes; of a vnc one those after the login. Raises ConsoleError."""

    def on_cut(self, cut: Callable[[], object]) -> None:
        """Call this, in whatever thread, when it is taken from the client."""

    def end(self) -> None:
        """The client has gone, or what it watched has."""


class Consoles(Protocol):
    """Who opens which console."""

    async def open(self, secret: str, client: str) -> Console | None:
        """Use up what `secret_of` gives for a token. None for one that opens nothing, whatever the reason."""


class ConsoleDoor:
    """Serves on a port: `await start(...)`, then `port` is the one it got; `await stop()` cuts all consoles."""

    def __init__(self, consoles: Consoles, pages: Pages) -> None:
        self._consoles = consoles
        self._pages = pages
        self._server: Server | None = None
        self._let_in: dict[ServerConnection, Console] = {}
        self.port = 0

    async def start(self, host: str = "0.0.0.0", port: int = 0, **listening: Any) -> None:
        """Raises OSError when it cannot listen there. `listening` are `websockets.serve`'s: `sock`, `ssl`, ..."""
        where: dict[str, Any] = listening if "sock" in listening else {"host": host, "port": port, **listening}
        self._server = await serve(
            self._carry,
            process_request=self._answer,
            process_response=self._accepted,
            server_header="cloudsim",
            compression=None,
            max_size=_LARGEST_MESSAGE,
            ping_interval=20,
            ping_timeout=40,
            close_timeout=2,
            logger=logging.getLogger(f"{__name__}.websocket"),
            **where,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close(code=LEAVING, reason="the console proxy stops")
            await self._server.wait_closed()
            self._server = None

    # HTTP

    async def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        if parts.path != SOCKET_PATH:
            return self._page(parts.path)
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return _text(HTTPStatus.UPGRADE_REQUIRED, "Here is a WebSocket", Upgrade="websocket")
        fields = parse_qs(parts.query)
        token, extra = (fields.get(name, [""])[0] for name in ("token", "extra"))
        console = await self._consoles.open(secret_of(token, extra), _client(connection)) if token else None
        if console is None:
            return _text(HTTPStatus.FORBIDDEN, "No console")
        self._let_in[connection] = console
        return None

    def _accepted(self, connection: ServerConnection, request: Request, response: Response) -> None:
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            console = self._let_in.pop(connection, None)
            if console is not None:
                console.end()

    def _page(self, path: str) -> Response:
        found = self._pages.find(path)
        if found is None:
            return _text(HTTPStatus.NOT_FOUND, "Not found")
        media, content = found
        headers = Headers(
            {
                "Content-Type": media,
                "Content-Length": str(len(content)),
                "Cache-Control": "no-store" if media.startswith("text/html") else "max-age=600",
                "Content-Security-Policy": _POLICY,
                "Referrer-Policy": "no-referrer",  # addresses of pages hold tokens
                "X-Content-Type-Options": "nosniff",
                "Connection": "close",
            }
        )
        return Response(HTTPStatus.OK, "OK", headers, content)

    # consoles

    async def _carry(self, connection: ServerConnection) -> None:
        console = self._let_in.pop(connection)
        carrying = asyncio.ensure_future(self._session(connection, console))
        loop, cut = asyncio.get_running_loop(), False

        def on_cut() -> None:
            nonlocal cut
            cut = True
            carrying.cancel()

        console.on_cut(lambda: loop.call_soon_threadsafe(on_cut))
        try:
            code, reason = await carrying
        except asyncio.CancelledError:
            if not cut:
                carrying.cancel()
                raise
            code, reason = CUT, "the console was taken away"
        finally:
            console.end()
        with contextlib.suppress(ConnectionClosed):
            await connection.close(code, reason)

    async def _session(self, connection: ServerConnection, console: Console) -> tuple[int, str]:
        """Carry bytes until one side ends; returns why, as a WebSocket is closed with."""
        incoming = _Messages(connection)
        try:
            async with asyncio.timeout(_HANDSHAKE_WITHIN):
                stream = await console.connect()
                try:
                    if console.kind == "vnc":
                        await welcome(connection.send, incoming.exactly)
                except BaseException:
                    stream.close()
                    raise
        except TimeoutError:
            return UNREACHABLE, "the console did not open in time"
        except ConsoleError as error:
            return UNREACHABLE, _short(str(error))
        except ConnectionClosed:
            return ENDED, ""
        try:
            return await _pipe(connection, incoming, stream, console.idle)
        finally:
            stream.close()


class _Messages:
    """What a client sends, as one stream of bytes."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._rest = b""

    async def exactly(self, count: int) -> bytes:
        while len(self._rest) < count:
            self._rest += _bytes(await self._connection.recv())
        found, self._rest = self._rest[:count], self._rest[count:]
        return found

    async def all(self) -> AsyncIterator[bytes]:
        if self._rest:
            yield self._rest
        async for message in self._connection:
            yield _bytes(message)


async def _pipe(
    connection: ServerConnection, incoming: _Messages, stream: Stream, idle: float
) -> tuple[int, str]:
    loop = asyncio.get_running_loop()
    passed = loop.time()

    async def out() -> tuple[int, str]:
        nonlocal passed
        while data := await stream.read():
            passed = loop.time()
            await connection.send(data)
        return ENDED, "the instance's console has ended"

    async def into() -> tuple[int, str]:
        nonlocal passed
        async for data in incoming.all():
            passed = loop.time()
            await stream.write(data)
        return ENDED, ""

    async def watch() -> tuple[int, str]:
        while (left := passed + idle - loop.time()) > 0:  # noqa: ASYNC110 (what passes sets no event: it is much)
            await asyncio.sleep(left)
        return IDLE, "nothing passed for too long"

    tasks = [asyncio.ensure_future(work()) for work in ((out, into, watch) if idle > 0 else (out, into))]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        first = done.pop()
        return first.result()
    except ConnectionClosed:
        return ENDED, ""
    except OSError:
        return ENDED, "the instance's console has ended"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _bytes(message: str | bytes) -> bytes:
    return message.encode() if isinstance(message, str) else message


def _short(reason: str) -> str:
    """At most 123 bytes: a WebSocket's close frame takes no more."""
    return reason.encode()[:120].decode(errors="ignore")


def _client(connection: ServerConnection) -> str:
    address = connection.remote_address
    return str(address[0]) if address else ""


def _text(status: HTTPStatus, text: str, **headers: str) -> Response:
    body = text.encode()
    all_headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "Connection": "close",
        **headers,
    }
    return Response(status, status.phrase, Headers(all_headers), body)
