"""The Unix socket at which the service takes requests: lines of JSON, each answered by one with the same `id`."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from pathlib import Path
from typing import Any, cast

from backends.systemvm.secstorage.service import StorageService

LONGEST_LINE = 1 << 20


class Control(socketserver.ThreadingUnixStreamServer):
    """Takes connections at `path`, in place of whoever did so before."""

    daemon_threads = True

    def __init__(self, path: Path, service: StorageService) -> None:
        self.service = service
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        super().__init__(str(path), _Connection)
        path.chmod(0o600)

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, daemon=True, name="control").start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked went away."""


class _Connection(socketserver.StreamRequestHandler):
    connection: socket.socket

    def handle(self) -> None:
        while line := self.rfile.readline(LONGEST_LINE):
            if line.strip():
                answer = _reply(cast(Control, self.server).service, line)
                self.wfile.write(json.dumps(answer, separators=(",", ":")).encode() + b"\n")


def _reply(service: StorageService, line: bytes) -> dict[str, Any]:
    number = None
    try:
        request = json.loads(line)
        number = request.get("id")
        answer = service.reply(request)
    except (LookupError, ValueError, AttributeError, TypeError) as error:
        answer = {"type": "Done", "error": f"it is no request: {error}"}
    return {**answer, "id": number}
