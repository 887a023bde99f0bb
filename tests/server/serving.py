"""A real `cloudsim serve` in a process of its own, and a client that signs its calls."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from server.api.authentication import canonical, sign

START_WITHIN = 180.0
ONE_RACK = "zones: [{pods: [{racks: [{hosts: 4}]}]}]\n"


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


class Connection:
    """Calls the API as the admin over one HTTP connection. A server that dies raises OSError or HTTPException."""

    def __init__(self, served: ServerProcess) -> None:
        self._served = served
        parts = urlsplit(served.url)
        assert parts.hostname is not None
        self._http = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)

    def __call__(self, command: str, **parameters: Any) -> Any:
        """What is in the answer's envelope. Raises Refused for an error."""
        admin = self._served.admin
        pairs = {"command": command, "response": "json", "apiKey": admin["apikey"]}
        pairs |= {name: str(value) for name, value in parameters.items()}
        pairs["signature"] = sign(canonical(pairs), admin["secretkey"])
        self._http.request("GET", f"/client/api?{urlencode(pairs)}")
        answer = self._http.getresponse()
        body = json.loads(answer.read())
        if answer.status != 200:
            raise Refused(answer.status, body)
        return next(iter(body.values()))

    def job(self, job_id: str, within: float = 120.0) -> Any:
        """The result of a job, once it has ended."""
        end = time.monotonic() + within
        while (found := self("queryAsyncJobResult", jobid=job_id))["jobstatus"] == 0:
            assert time.monotonic() < end, f"job {job_id} did not end"
            time.sleep(0.02)
        assert found["jobstatus"] == 1, found
        return found["jobresult"]

    def close(self) -> None:
        self._http.close()


class ServerProcess:
    """`cloudsim serve` on a free port and the data directory `data`; ready when it has been made."""

    def __init__(
        self,
        data: Path,
        *options: str,
        environment: dict[str, str] | None = None,
        within: float = START_WITHIN,
    ) -> None:
        self.data = data
        self.process = self.launch(data, *options, environment=environment)
        self.lines: list[str] = []
        self.url = ""
        self._greeted = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._greeted.wait(within):
            self.kill()
        if not self.url:
            self.process.wait(10)
            self._reader.join(10)
            raise AssertionError("the server did not start:\n" + self.output)
        self.admin: dict[str, Any] = json.loads((data / "admin.json").read_bytes())

    @staticmethod
    def launch(data: Path, *options: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """The bare process, which may not be ready yet."""
        command = [sys.executable, "-m", "server.cli", "serve", "--data", str(data), *options]
        if "--port" not in options:
            command += ["--port", "0"]
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("CLOUDSIM_")}
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=inherited | {"PYTHONUNBUFFERED": "1"} | (environment or {}),
        )

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            words = line.split()
            if words[:3] == ["Browser", "and", "API"]:
                self.url = words[3]
            if words[:1] == ["Stop"]:
                self._greeted.set()
        self._greeted.set()

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def connect(self) -> Connection:
        return Connection(self)

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of a plain GET."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and return the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(120)
        self._reader.join(10)
        return code

    def kill(self) -> None:
        """kill -9, if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(self, *problem: object) -> None:
        self.kill()
