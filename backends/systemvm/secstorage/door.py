"""Where clients come to: GET /userdata/ID.SUFFIX of a published file, POST /upload/ID of an expected one.

Who has the signed URL of a file (its `expires` and `signature`), or sends the signature of an upload (the header
X-signature, or a parameter of that name), is let in. A browser may come from any page.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import socket
import ssl
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qs, quote, urlsplit

from backends.systemvm.secstorage.bodies import Body
from backends.systemvm.secstorage.errors import BrokeOff, TransferError
from backends.systemvm.secstorage.service import StorageService

MOST_CONNECTIONS = 256
SILENCE = 60.0
"""Seconds that a client may keep silent."""
HEARD_OUT, HEARD_OUT_WITHIN = 64 << 20, 5.0
"""Bytes, and seconds of silence, after which a client that was refused and still sends is cut off."""
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_BLOCK = 1 << 20
_CROSS_ORIGIN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "x-signature, x-metadata, x-expires, content-type, range",
    "Access-Control-Expose-Headers": "content-length, content-range, content-disposition",
}


class Refused(Exception):
    """With an HTTP status."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers


class Door(ThreadingHTTPServer):
    """Listens at an address; `certificate` and `key` (files): over TLS."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        service: StorageService,
        host: str = "0.0.0.0",
        port: int = 80,
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:
        self.service = service
        self._room = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate, key)
        super().__init__((host, port), _Client)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, daemon=True, name="door").start()

    def server_bind(self) -> None:  # without looking up its own name, which may take long
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "", self.server_address[1]

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """On a thread of its own."""
        if not self._room.acquire(timeout=SILENCE):
            self.shutdown_request(request)
            return
        try:
            request.settimeout(SILENCE)
            if self._tls is not None:
                request = self._tls.wrap_socket(request, server_side=True)
            super().process_request_thread(request, client_address)
        except OSError:
            self.shutdown_request(request)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is nothing to tell of."""


class _Client(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "cloudsim"
    sys_version = ""
    timeout = SILENCE

    @property
    def service(self) -> StorageService:
        return cast(Door, self.server).service

    def log_message(self, format: str, *arguments: Any) -> None:
        """Says nothing: URLs hold keys."""

    def do_GET(self) -> None:
        self._answer(lambda: self._serve(body=True))

    def do_HEAD(self) -> None:
        self._answer(lambda: self._serve(body=False))

    def do_POST(self) -> None:
        self.close_connection = True  # what a refused client goes on to send is no request
        self._answer(self._take)
        self._hear_out()

    def do_OPTIONS(self) -> None:
        self.send_response(204)
        for name, value in _CROSS_ORIGIN.items():
            self.send_header(name, value)
        self.send_header("Access-Control-Max-Age", "3600")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, work: Any) -> None:
        try:
            work()
        except Refused as refused:
            self._say(refused.status, str(refused), refused.headers)

    def _say(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        body = json.dumps({"status": status, "text": text}).encode() + b"\n"
        self.send_response(status)
        for name, value in {**_CROSS_ORIGIN, **(headers or {})}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _hear_out(self) -> None:
        """A client that is still sending sees the answer only once it is done, or finds the connection cut."""
        with suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(HEARD_OUT_WITHIN)
            left = HEARD_OUT
            while left > 0 and (block := self.connection.recv(_BLOCK)):
                left -= len(block)

    # files

    def _serve(self, *, body: bool) -> None:
        parts = urlsplit(self.path)
        folder, _, name = parts.path.lstrip("/").partition("/")
        found = self.service.published(name.partition(".")[0]) if folder == "userdata" else None
        if found is None:
            raise Refused(404, "There is no such file here")
        request, path = found
        query = parse_qs(parts.query)
        _check(request, query.get("signature", [""])[-1], query.get("expires", [""])[-1])
        try:
            file = path.open("rb")
        except OSError:
            raise Refused(404, "The file is gone") from None
        with file:
            self._send(file, str(request["name"]), body)

    def _send(self, file: BinaryIO, name: str, body: bool) -> None:
        about = os.fstat(file.fileno())
        size, tag = about.st_size, f'"{about.st_mtime_ns:x}-{about.st_size:x}"'
        wanted = self._wanted(size, tag)
        first, last = wanted or (0, size - 1)
        self.send_response(200 if wanted is None else 206)
        for header, value in _CROSS_ORIGIN.items():
            self.send_header(header, value)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(last - first + 1))
        if wanted is not None:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", tag)
        self.send_header("Last-Modified", self.date_time_string(about.st_mtime))
        self.send_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(name)}")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if body:
            self._copy(file, first, last - first + 1)

    def _copy(self, file: BinaryIO, first: int, count: int) -> None:
        self.wfile.flush()
        if not isinstance(self.connection, ssl.SSLSocket):
            self.connection.sendfile(file, first, count)
            return
        file.seek(first)
        while count and (block := file.read(min(_BLOCK, count))):
            self.wfile.write(block)
            count -= len(block)

    def _wanted(self, size: int, tag: str) -> tuple[int, int] | None:
        """The first and the last byte that the client wants (RFC 9110, section 14); None: all."""
        asked = _RANGE.fullmatch(self.headers.get("Range", "").strip())
        if asked is None or self.headers.get("If-Range", tag) != tag:
            return None
        first, last = asked[1], asked[2]
        if first:
            begin, end = int(first), min(int(last), size - 1) if last else size - 1
        else:
            begin, end = max(0, size - int(last or 0)), size - 1
        if begin > end or begin >= size:
            raise Refused(416, "There are no such bytes", Content_Range=f"bytes */{size}")
        return begin, end

    # uploads

    def _take(self) -> None:
        parts = urlsplit(self.path)
        folder, _, name = parts.path.strip("/").partition("/")
        upload = self.service.upload(name) if folder == "upload" else None
        if upload is None:
            raise Refused(404, "No such upload is expected here")
        sent = parse_qs(parts.query).get("signature", [""])[-1]
        _check(dict(upload.request), self.headers.get("X-signature", sent), None)
        try:
            body = Body(cast(BinaryIO, self.rfile), self.headers)
        except TransferError as error:
            raise Refused(411, str(error)) from error
        if not upload.begin():
            raise Refused(409, "It is being sent, or was, already")
        try:
            upload.take(body.file(), body.size if body.boundary is None else None)
        except BrokeOff as error:
            raise Refused(503, f"It may be sent again: {error}") from error
        except TransferError as error:
            raise Refused(400, str(error)) from error
        self._say(200, "It is there")


def _check(request: dict[str, Any], signature: str, expires: str | None) -> None:
    """Raise Refused unless the signature is the right one, and it is not too late."""
    given = hashlib.sha256(signature.encode()).hexdigest()
    right = hmac.compare_digest(given, str(request["key_hash"]))
    if not right or (expires is not None and expires != str(int(request["expires"]))):
        raise Refused(403, "The signature is wrong")
    if time.time() > float(request["expires"]):
        raise Refused(410, "The URL has expired")
