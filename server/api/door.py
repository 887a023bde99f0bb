"""The HTTP door: a Flask app that hands each request to the loop and sends what comes back.

Worker threads parse and serialize; everything that touches the Store runs on the loop's thread.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import gzip
import logging
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import flask
from werkzeug.exceptions import HTTPException

from cloudsim.errors import CloudError, ServerStopping
from server.api.command import COMMANDS
from server.api.dispatch import Dispatcher
from server.api.envelope import Reply, error_reply
from server.api.metrics import Metrics, counts_of
from server.api.request import Request
from server.changes.stream import Stream, StreamReply
from server.ui_door import DIST, add_ui

log = logging.getLogger(__name__)
T = TypeVar("T")

LARGEST_BODY = 8 << 20
_LONG = 64 << 10
"""Bytes of an answer from which on compressing it is worth the time: the list of all commands, a page of 500 rows."""
EVENT_STREAM = "text/event-stream; charset=utf-8"
STREAMS = "cloudsim.streams"
"""In a WSGI environment: enters an answer that goes on, by what ends it, and returns what is to be called at its end."""


class Door:
    """Hands requests from worker threads to `dispatcher` on `loop`, and waits at most `timeout` real seconds."""

    def __init__(self, dispatcher: Dispatcher, loop: asyncio.AbstractEventLoop, timeout: float) -> None:
        self.dispatcher = dispatcher
        self.metrics = Metrics()
        self._loop = loop
        self._timeout = timeout

    def on_loop(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop's thread and return what it returns."""
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:
            work.close()
            raise ServerStopping("The management server is shutting down") from None
        try:
            return future.result(self._timeout)
        except (TimeoutError, concurrent.futures.TimeoutError):
            # what was begun goes on to its end: cut off in the middle it would leave half a change
            raise CloudError(f"The management server did not answer within {self._timeout:g} seconds") from None
        except (concurrent.futures.CancelledError, asyncio.CancelledError):
            raise ServerStopping("The management server is shutting down") from None

    def answer(self, incoming: flask.Request, *, trusted: bool = False) -> flask.Response:
        """The HTTP response to an API request. The integration port's (`trusted`) reads the query string only."""
        began = time.perf_counter()
        pairs = list(incoming.args.items(multi=True))
        if not trusted:
            pairs += list(incoming.form.items(multi=True))
        request = Request.of(
            pairs,
            remote=incoming.remote_addr or "",
            session_id=incoming.cookies.get("JSESSIONID"),
            session_key=incoming.cookies.get("sessionkey"),
            last_event_id=incoming.headers.get("Last-Event-ID"),
        )
        try:
            reply = self.on_loop(self.dispatcher.answer(request, trusted=trusted))
        except CloudError as error:
            reply = error_reply("errorresponse", error, json=request.wants_json)
        if isinstance(reply, StreamReply):
            reply, response = self._stream(reply, incoming)
        else:
            response = respond(reply, secure=incoming.is_secure, gzipped=incoming.accept_encodings.quality("gzip") > 0)
        command = COMMANDS.get(request.command.lower())
        name = command.name if command is not None else "unknown"
        self.metrics.observe(name, reply.status, time.perf_counter() - began)
        return response


    def _stream(self, reply: StreamReply, incoming: flask.Request) -> tuple[Reply, flask.Response]:
        """The answer that goes on, or the refusal where the server ends."""
        stream: Stream = reply.stream
        if incoming.method == "HEAD":  # nobody would take from it
            stream.close()
            return reply, flask.Response(content_type=EVENT_STREAM)
        enter: Callable[[Callable[[], None]], Callable[[], None]] | None = incoming.environ.get(STREAMS)
        if enter is not None:
            try:
                stream.on_close = enter(lambda: stream.end("the management server is shutting down"))
            except ServerStopping as error:
                stream.close()
                refusal = error_reply(reply.name, error, json=reply.json)
                return refusal, respond(refusal)
        gone = incoming.environ.get("waitress.client_disconnected", lambda: False)
        response = flask.Response(stream.sent(gone), content_type=EVENT_STREAM)
        response.call_on_close(stream.close)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Accel-Buffering"] = "no"
        return reply, response


def respond(reply: Reply, *, secure: bool = False, gzipped: bool = False) -> flask.Response:
    """The reply as HTTP; a long one compressed, where the client takes that."""
    text = reply.text()
    compress = gzipped and len(text) >= _LONG
    response = flask.Response(
        gzip.compress(text, 1) if compress else text, status=reply.status, content_type=reply.content_type
    )
    if compress:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = "no-store"
    if reply.description:
        response.headers["X-Description"] = _header(reply.description)
    for name, value in reply.cookies.items():
        if value is None:
            response.delete_cookie(name, path="/client")
        else:
            response.set_cookie(name, value, path="/client", httponly=True, samesite="Lax", secure=secure)
    return response


def _header(text: str) -> str:
    """The text as a header can hold it: one line of Latin-1."""
    return " ".join(text.split()).encode("latin-1", "replace").decode("latin-1")[:1000]


def create_app(
    manager: Any,
    loop: asyncio.AbstractEventLoop,
    *,
    timeout: float = 60.0,
    dispatcher: Dispatcher | None = None,
    ui: Path = DIST,
) -> flask.Flask:
    """The app of the public port, for a manager that runs on `loop` in another thread.

    `timeout` is how many real seconds a request may wait for the loop, `ui` where the web UI has been built.
    """
    door = Door(dispatcher or Dispatcher(manager), loop, timeout)
    app = _bare_app("cloudsim.api", door, trusted=False)
    add_ui(app, ui)

    @app.get("/")
    def index() -> Any:
        return flask.redirect("/client/")

    @app.get("/health")
    def health() -> Any:
        """200 while the loop answers and the state can be made durable, else 503."""

        async def check() -> int:
            await manager.foundation.store.durable()
            return int(manager.foundation.store.sequence)

        try:
            return {"status": "up", "sequence": door.on_loop(check())}
        except Exception as error:
            log.warning("unhealthy: %s", error)
            return flask.Response('{"status":"down"}', status=503, content_type="application/json")

    @app.get("/metrics")
    def metrics() -> Any:
        async def count() -> dict[str, dict[str, int]]:
            return counts_of(manager.foundation.store)

        text = door.metrics.text(door.on_loop(count()))
        return flask.Response(text, content_type="text/plain; version=0.0.4; charset=utf-8")

    return app


def create_integration_app(
    manager: Any, loop: asyncio.AbstractEventLoop, *, timeout: float = 60.0, dispatcher: Dispatcher | None = None
) -> flask.Flask:
    """The app of the integration port: whoever reaches it is the system user. Off unless asked for."""
    return _bare_app("cloudsim.integration", Door(dispatcher or Dispatcher(manager), loop, timeout), trusted=True)


def _bare_app(name: str, door: Door, *, trusted: bool) -> flask.Flask:
    """An app that answers the API, and every failure in the API's form."""
    app = flask.Flask(name, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_BODY
    app.extensions["door"] = door

    @app.route("/client/api", methods=["GET", "POST"])
    @app.route("/client/api/", methods=["GET", "POST"])
    def api() -> flask.Response:
        return door.answer(flask.request, trusted=trusted)

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Any:
        """What Flask itself refuses keeps its status; anything else is an internal error. Never HTML in the API."""
        if isinstance(error, HTTPException) and not flask.request.path.startswith("/client/api"):
            return error
        if isinstance(error, HTTPException):
            refused = CloudError(error.description or error.name)
            reply = error_reply("errorresponse", refused, json=True)
            reply.status = error.code or 530
            reply.body["errorcode"] = reply.status
            return respond(reply)
        log.exception("the door failed", exc_info=error)
        known = error if isinstance(error, CloudError) else CloudError("Internal error, see the server's log")
        return respond(error_reply("errorresponse", known, json=True))

    return app
