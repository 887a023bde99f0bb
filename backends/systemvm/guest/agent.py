"""The guest's agent: takes requests off the channel, each in a thread of its own, and replies.

A request is a `cloudsim.protocol.systemvm` one as JSON, with a member `id` that its reply repeats; or
{"type": "ApplyPlan", "plan": {...}}, which the host makes of ConfigureRouter.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from backends.systemvm.guest import diagnostics, health, statistics
from backends.systemvm.guest.channel import Message, Send, framed
from backends.systemvm.guest.errors import GuestError
from backends.systemvm.guest.machine import Machine

SERVICE_ANSWERS_WITHIN = 30.0
SERVICE_LISTENS_WITHIN = 15.0
_OF_SERVICES = {
    "GrantConsole": "consoleproxy",
    "RevokeConsole": "consoleproxy",
    "ConsoleSessions": "consoleproxy",
    "StartDownload": "secstorage",
    "TransferStatus": "secstorage",
    "CancelTransfer": "secstorage",
    "PublishFile": "secstorage",
    "ExpectUpload": "secstorage",
}
"""By request, the service that it is for."""
_LONGEST_REPLY = 16 << 20


class Agent:
    """Answers for one machine."""

    def __init__(self, machine: Machine, version: str) -> None:
        self._machine = machine
        self._version = version
        self._answers: dict[str, Callable[[Message], Message]] = {
            "Ping": self._ping,
            "ApplyPlan": self._apply,
            "RunDiagnostics": diagnostics.run_diagnostics,
            "RouterStatistics": lambda _: statistics.router_statistics(machine.root, machine.number),
            "CheckHealth": lambda _: health.health_report(machine),
        }

    def handle(self, request: Message, send: Send) -> None:
        """Reply some time later."""
        threading.Thread(target=lambda: send(self.reply(request)), daemon=True).start()

    def reply(self, request: Message) -> Message:
        kind = request.get("type")
        try:
            if kind in _OF_SERVICES:
                found = _passed_on(self._machine.root, _OF_SERVICES[kind], request)
            elif kind in self._answers:
                found = self._answers[kind](request)
            else:
                raise GuestError(f"{kind!r} is no request")
        except GuestError as error:
            found = {"type": "Done", "error": str(error)}
        except Exception as error:
            traceback.print_exc()
            found = {"type": "Done", "error": f"{kind}: {type(error).__name__}: {error}"}
        return {**found, "id": request.get("id")}

    def _ping(self, request: Message) -> Message:
        return {"type": "Pong", "version": self._version, "uptime": uptime(), "role": self._machine.role}

    def _apply(self, request: Message) -> Message:
        self._machine.apply(request["plan"])
        return {"type": "Done"}


def uptime() -> float:
    """Seconds since the first process of this machine, or namespace, was started."""
    now = float(Path("/proc/uptime").read_text().split()[0])
    began = int(Path("/proc/1/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return round(max(0.0, now - began), 2)


def _connect(connection: socket.socket, path: Path) -> None:
    """A service that is just starting listens in a moment."""
    until = time.monotonic() + SERVICE_LISTENS_WITHIN
    while True:
        try:
            connection.connect(str(path))
            return
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() >= until:
                raise
            time.sleep(0.2)


def _passed_on(root: Path, service: str, request: Message) -> Message:
    """What the service replies. Raises GuestError if it does not."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(SERVICE_ANSWERS_WITHIN)
        try:
            _connect(connection, root / "control" / service)
            connection.sendall(framed(request).lstrip())
            with connection.makefile("rb") as answers:
                for line in iter(lambda: answers.readline(_LONGEST_REPLY), b""):
                    if line.strip():
                        return dict(json.loads(line))
        except (OSError, ValueError) as error:
            raise GuestError(f"{service} does not answer: {error}") from None
    raise GuestError(f"{service} did not answer")
