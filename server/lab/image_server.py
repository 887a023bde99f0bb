"""Serves one file by HTTP for as long as somebody needs it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

READ_WITHIN = 30.0


@contextmanager
def served(file: Path, address: str) -> Iterator[str]:
    """Within this, the file is at the URL that it gives. Raises OSError when the address is not this machine's."""
    path = f"/{file.name}"

    class Handler(BaseHTTPRequestHandler):
        timeout = READ_WITHIN

        def do_HEAD(self) -> None:
            self._begin()

        def do_GET(self) -> None:
            if self._begin():
                with file.open("rb") as source:
                    shutil.copyfileobj(source, self.wfile)

        def _begin(self) -> bool:
            if self.path != path:
                self.send_error(404)
                return False
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(file.stat().st_size))
            self.end_headers()
            return True

        def log_message(self, format: str, *arguments: object) -> None:
            """The lab's logs tell enough."""

    server = ThreadingHTTPServer((address, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="image server", daemon=True)
    thread.start()
    try:
        yield f"http://{address}:{server.server_port}{path}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
