"""The service as a system VM runs it: a process that knows the standard library and websockets only, and its control socket."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import connect

import backends
from tests.backends.systemvm.consoleproxy.proxied import Terminal, started


class Service:
    """The process. Its modules are copied to where nothing else of ours can be found."""

    def __init__(self, folder: Path) -> None:
        source, home = Path(backends.__file__).parent, folder / "home"
        for name in ("__init__.py", "systemvm/__init__.py", "systemvm/consoleproxy"):
            target = home / "backends" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (source / name).is_dir() else shutil.copy)(source / name, target)
        shutil.copytree(Path(websockets.__file__).parent, home / "websockets")
        (folder / "pages").mkdir()
        self.control = folder / "control" / "consoleproxy"
        self.control.parent.mkdir()
        self.control.touch()  # left by one that was killed
        command = ("-S", "-m", "backends.systemvm.consoleproxy", "--control", str(self.control))
        self.process = subprocess.Popen(
            [sys.executable, *command, "--pages", str(folder / "pages"), "--host", "127.0.0.1", "--port", "0"],
            cwd=home,
            env={},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().split()[-1])

    def ask(self, *lines: Any) -> list[dict[str, Any]]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(60)
            connection.connect(str(self.control))
            answers = connection.makefile("rb")
            found = []
            for line in lines:
                connection.sendall((line if isinstance(line, str) else json.dumps(line)).encode() + b"\n")
                found.append(json.loads(answers.readline()))
            return found


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    running = Service(tmp_path)
    yield running
    running.process.kill()
    running.process.wait()


def test_it_serves_what_it_is_told_at_its_control_socket_and_ends_in_good_order(service: Service) -> None:
    async def scenario() -> None:
        async with started(Terminal()) as port:
            grant = {
                "session_id": "s1",
                "token_hash": hashlib.sha256(b"token").hexdigest(),
                "kind": "serial",
                "host": "127.0.0.1",
                "port": port,
                "expires": 9e9,
            }
            request = {"type": "GrantConsole", "grant": grant, "id": 7}
            assert await asyncio.to_thread(service.ask, request) == [{"type": "Done", "id": 7}]
            async with connect(f"ws://127.0.0.1:{service.port}/websockify?token=token", proxy=None) as ws:
                assert await ws.recv() == b"web-1 login: "
                (told,) = await asyncio.to_thread(service.ask, {"type": "ConsoleSessions", "id": 8})
                assert [(each["session_id"], each["open"]) for each in told["sessions"]] == [("s1", True)]
                service.process.send_signal(signal.SIGTERM)
                await ws.wait_closed()
        assert await asyncio.to_thread(service.process.wait, 10) == 0

    asyncio.run(asyncio.wait_for(scenario(), 30))


def test_what_is_no_request_is_answered_with_the_reason_and_the_next_one_is_done(service: Service) -> None:
    broken, unknown, good = service.ask("{", {"type": "StartDownload", "id": 1}, {"type": "ConsoleSessions", "id": 2})
    assert broken["error"] and broken["id"] is None
    assert unknown == {
        "type": "Done",
        "error": "a console proxy does not know the request StartDownload",
        "id": 1,
    }
    assert good == {"type": "ConsoleSessionsResult", "sessions": [], "id": 2}
