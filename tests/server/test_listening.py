"""The HTTP server with streams of changes: they do not keep requests waiting, and end with it, at once."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import pytest

from server.api.authentication import canonical, sign
from server.api.door import create_app
from server.listening import THREADS, HttpServer, bind
from tests.server.api.api_harness import Api

PATIENCE = 20.0


class Served:
    """A cloud without hosts behind a real port."""

    def __init__(self) -> None:
        self.api = Api()
        self.thread = threading.Thread(target=self.api.loop.run_forever)
        self.thread.start()
        bound = bind("127.0.0.1", 0)
        self.port: int = bound.getsockname()[1]
        self.server = HttpServer(
            create_app(self.api.manager, self.api.loop, timeout=5, dispatcher=self.api.dispatcher), bound
        )
        self.server.start()
        self.sockets: list[socket.socket] = []

    def ask(self, command: str, **parameters: str) -> socket.socket:
        """A connection on which that has been asked for, as the admin."""
        user = self.api.user("admin")
        assert user.api_key and user.secret_key
        pairs = {"command": command, "response": "json", "apiKey": user.api_key} | parameters
        pairs["signature"] = sign(canonical(pairs), user.secret_key)
        connection = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        self.sockets.append(connection)
        head = f"GET /client/api?{urlencode(pairs)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        return connection

    def answer(self, command: str, **parameters: str) -> bytes:
        return until(self.ask(command, **parameters), b"")

    def stop(self) -> None:
        for each in self.sockets:
            each.close()
        self.server.stop(5.0)
        self.api.loop.call_soon_threadsafe(self.api.loop.stop)
        self.thread.join()
        self.api.close()


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    yield made
    made.stop()


def until(connection: socket.socket, word: bytes) -> bytes:
    """What is received, up to that word; all of it for an empty one."""
    text = b""
    while not word or word not in text:
        more = connection.recv(65536)
        if not more:
            assert not word, f"{word!r} did not come, but {text!r}"
            break
        text += more
    return text


def eventually(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_change_reaches_a_client_that_follows_without_being_asked_for(served: Served) -> None:
    stream = served.ask("followChanges", resourcetypes="domain")
    head = until(stream, b": from now on").decode()
    assert "200 OK" in head and "Content-Type: text/event-stream" in head and "Cache-Control: no-store" in head
    served.answer("createDomain", name="lab")
    text = until(stream, b"\n\n\r\n")
    data = json.loads(text.split(b"data: ")[1].split(b"\n")[0])
    assert [(c["type"], c["change"], c["name"]) for c in data["changes"]] == [("domain", "created", "lab")]


def test_more_streams_than_there_are_threads_for_requests_keep_no_request_waiting(served: Served) -> None:
    streams = [served.ask("followChanges") for _ in range(THREADS + 4)]
    for stream in streams:
        until(stream, b": from now on")
    assert b"listdomainsresponse" in served.answer("listDomains")


def test_a_client_that_has_left_makes_room_for_another(served: Served) -> None:
    served.answer("updateConfiguration", name="changes.streams.max", value="1")
    first = served.ask("followChanges")
    until(first, b": from now on")
    refusal = served.answer("followChanges")
    assert b" 503 " in refusal.split(b"\r\n")[0] and b"changes.streams.max allows 1" in refusal
    first.close()
    eventually(lambda: len(served.api.dispatcher.changes) == 0)
    until(served.ask("followChanges"), b": from now on")


def test_streams_end_when_the_server_stops(served: Served) -> None:
    stream = served.ask("followChanges")
    until(stream, b": from now on")
    assert served.server.stop(PATIENCE)
    assert b'event: end' in (text := until(stream, b"")) and b"shutting down" in text
