"""The service as a program: it answers at its socket, and goes on after it was killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backends.systemvm.secstorage.conftest import HERE, STORE, qcow2, until
from tests.backends.systemvm.secstorage.image_server import MIB, ImageServer


class Program:
    """`python -m backends.systemvm.secstorage`, as a system VM runs it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "store").mkdir()
        (folder / "stores.json").write_text(json.dumps({STORE: str(folder / "store")}))
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "backends.systemvm.secstorage", "--host", "127.0.0.1", "--port", "0"]
        command += ["--control", str(self._folder / "control"), "--stores", str(self._folder / "stores.json")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().rpartition(" ")[2])
        until(lambda: (self._folder / "control").exists(), bool)

    def ask(self, kind: str, **more: Any) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(60)
            connection.connect(str(self._folder / "control"))
            request = {"type": kind, "id": 7, "transfer_id": "t", **more}
            connection.sendall(b"\n" + json.dumps(request).encode() + b"\n")
            answer: dict[str, Any] = json.loads(connection.makefile("rb").readline())
        assert answer.pop("id") == 7
        return answer

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        self.process.terminate()
        assert self.process.wait(10) == 0


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path)
    yield made
    made.end()


def test_a_download_goes_on_after_the_service_was_killed(program: Program, tmp_path: Path) -> None:
    images = ImageServer()
    content = images.files["/a.qcow2"] = qcow2(160 * MIB)
    images.pace = 160 * MIB
    asked = {
        "url": images.url("/a.qcow2"),
        "store_url": STORE,
        "path": "templates/t.qcow2",
        "format": "QCOW2",
        "allowed_networks": HERE,
    }
    program.ask("StartDownload", **asked)
    until(lambda: program.ask("TransferStatus"), lambda found: found["done"] > 80 * MIB)
    program.kill()
    program.start()
    assert program.ask("TransferStatus") == {"type": "TransferResult", "state": "Unknown"}
    images.pace = None
    program.ask("StartDownload", **asked)
    done = until(lambda: program.ask("TransferStatus"), lambda found: found["state"] != "Running")
    assert (done["state"], done["size"]) == ("Done", 160 * MIB)
    assert images.seen == ["", f"bytes={64 * MIB}-"]
    assert (tmp_path / "store" / "templates" / "t.qcow2").read_bytes() == content
    images.shutdown()


def test_files_are_served_and_nonsense_is_answered(program: Program, tmp_path: Path) -> None:
    (tmp_path / "store" / "a.iso").write_bytes(b"hello")
    expires = int(time.time() + 60)
    key_hash = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"  # of "key"
    program.ask("PublishFile", store_url=STORE, path="a.iso", name="a.iso", key_hash=key_hash, expires=expires)
    url = f"http://127.0.0.1:{program.port}/userdata/t.iso?expires={expires}&signature=key"
    with urllib.request.urlopen(url, timeout=60) as answer:
        assert answer.read() == b"hello"
    assert "it is no request" in program.ask("Reticulate")["error"]
    assert "it is no request" in program.ask("StartDownload")["error"]
