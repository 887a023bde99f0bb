"""The HTTP server: waitress on threads of its own, with an end that lets running requests finish and ends streams."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

from cloudsim.errors import ServerStopping
from server.api.door import LARGEST_BODY, STREAMS

THREADS = 16
"""Requests that wait for the loop at one time; more are queued. Each stream has a thread beside them."""
_REFUSAL = (
    b'{"errorresponse":{"uuidList":[],"errorcode":503,"cserrorcode":9999,'
    b'"errortext":"The management server is shutting down"}}'
)

WsgiApp = Callable[[Any, Any], Iterable[bytes]]


def bind(host: str, port: int) -> socket.socket:
    """A socket at that address. Raises OSError, with the reason in `strerror`, when it is taken or not ours."""
    family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, number)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def reached_at(bound: socket.socket) -> tuple[str, int]:
    """Host and port at which a client on this machine, if the address is any, reaches the socket."""
    host, port = bound.getsockname()[:2]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port


class _Streams:
    """The answers that go on. `resize(n)` makes the threads that n of them need beside those of requests."""

    def __init__(self, resize: Callable[[int], None]) -> None:
        self._resize = resize
        self._lock = threading.Lock()
        self._ends: dict[object, Callable[[], None]] = {}
        self._closed = False

    def enter(self, end: Callable[[], None]) -> Callable[[], None]:
        """Begin one that `end()` ends soon; returns what is to be called when it has. Raises ServerStopping."""
        token = object()
        with self._lock:
            if self._closed:
                raise ServerStopping("The management server is shutting down")
            self._ends[token] = end
            self._resize(len(self._ends))

        def leave() -> None:
            with self._lock:
                if self._ends.pop(token, None) is not None:
                    self._resize(len(self._ends))

        return leave

    def close(self) -> None:
        """End all, and let none begin."""
        with self._lock:
            self._closed = True
            ends = list(self._ends.values())
        for end in ends:
            end()


class _Gate:
    """Lets requests through and counts them, until it is closed."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app
        self.streams: _Streams | None = None
        self._lock = threading.Lock()
        self.inside = 0
        self.closed = False

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        with self._lock:
            if self.closed:
                headers = [
                    ("Content-Type", "application/json; charset=UTF-8"),
                    ("Content-Length", str(len(_REFUSAL))),
                ]
                start_response("503 Service Unavailable", headers)
                return [_REFUSAL]
            self.inside += 1
        if self.streams is not None:
            environ[STREAMS] = self.streams.enter
        try:
            return self._app(environ, start_response)
        finally:
            with self._lock:
                self.inside -= 1

    def close(self) -> None:
        with self._lock:
            self.closed = True


class HttpServer:
    """Serves `app` on a socket that `bind` made. Its threads die with the process."""

    def __init__(
        self, app: WsgiApp, bound: socket.socket, *, threads: int = THREADS, largest: int = LARGEST_BODY
    ) -> None:
        """`largest`: bytes of the largest body that a request may have."""
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a queue is no news: clients wait their turn
        self._gate = _Gate(app)
        self._server: Any = create_server(
            self._gate,
            sockets=[bound],
            threads=threads,
            ident="cloudsim",
            asyncore_use_poll=True,
            connection_limit=1000,
            max_request_body_size=largest,
            clear_untrusted_proxy_headers=True,
            channel_request_lookahead=1,  # so that it is noticed when a stream's client has left
        )
        self._gate.streams = _Streams(lambda n: self._server.task_dispatcher.set_thread_count(threads + n))
        self._thread = threading.Thread(target=self._server.run, name="http", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, within: float) -> bool:
        """Accept nothing more and wait for what runs, at most `within` seconds; whether all of it ended."""
        self._gate.close()
        if self._gate.streams is not None:
            self._gate.streams.close()
        # The socket belongs to waitress's own thread, which may just be waiting for it.
        self._server.trigger.pull_trigger(lambda: wasyncore.dispatcher.close(self._server))
        end = time.monotonic() + within
        while self._busy():
            if time.monotonic() >= end:
                return False
            time.sleep(0.01)
        return True

    def _busy(self) -> bool:
        channels = list(self._server.active_channels.values())
        return self._gate.inside > 0 or any(c.requests or c.total_outbufs_len for c in channels)
