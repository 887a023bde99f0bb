"""An HTTP server of images, on this machine, whose manners a test chooses."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MIB = 1 << 20


class ImageServer(ThreadingHTTPServer):
    """Serves `files` (path to bytes). `seen` are the Range headers that came, "" for none.

    `cut` breaks the next answers off after so many bytes each; `pace` is bytes in a second; `statuses` are answered
    first; `redirects` leads from a path to a URL.
    """

    daemon_threads = True

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.versions: dict[str, str] = {}
        self.seen: list[str] = []
        self.cut: list[int] = []
        self.pace: float | None = None
        self.statuses: list[int] = []
        self.redirects: dict[str, str] = {}
        self.ranges = True
        super().__init__(("127.0.0.1", 0), _Client)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _Client(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ImageServer

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def do_GET(self) -> None:
        server, path = self.server, self.path.partition("?")[0]
        self.close_connection = True
        server.seen.append(self.headers.get("Range", ""))
        if server.statuses:
            self._end(server.statuses.pop(0))
        elif path in server.redirects:
            self._end(302, Location=server.redirects[path])
        elif path not in server.files:
            self._end(404)
        else:
            self._send(path)

    def _end(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, path: str) -> None:
        server, content = self.server, self.server.files[path]
        version = server.versions.get(path, '"1"')
        wanted = self.headers.get("Range", "")
        first = 0
        if wanted and server.ranges and self.headers.get("If-Range") == version:
            first = int(wanted.removeprefix("bytes=").split("-")[0])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("ETag", version)
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        last = len(content)
        if server.cut:
            last = min(last, first + server.cut.pop(0))
        while first < last:
            step = last - first if server.pace is None else min(last - first, max(1, int(server.pace / 50)))
            self.wfile.write(content[first : first + step])
            first += step
            if server.pace is not None:
                time.sleep(step / server.pace)
