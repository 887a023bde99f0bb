"""A guest in plain QEMU, emulated, with QEMU's own network: what tests of images boot."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from tests.ports import free_port


def require_qemu() -> None:
    """Skip the test where a guest cannot be booted."""
    for program in ("qemu-system-x86_64", "qemu-img", "xorriso"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


def overlay(image: Path, folder: Path, *size: str) -> Path:
    """A disk that starts as the image is."""
    path = folder / "disk.qcow2"
    command = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2", path, *size]
    subprocess.run(command, check=True)
    return path


def config_drive(folder: Path, hostname: str, user_data: str, password: str = "") -> Path:
    """An ISO as OpenStack's config drive."""
    latest = folder / "drive/openstack/latest"
    latest.mkdir(parents=True)
    about = {"uuid": f"id-of-{hostname}", "hostname": hostname, "admin_pass": password}
    (latest / "meta_data.json").write_text(json.dumps(about))
    (latest / "user_data").write_text(user_data)
    path = folder / "drive.iso"
    command = [
        "xorriso",
        "-as",
        "mkisofs",
        "-quiet",
        "-J",
        "-r",
        "-V",
        "config-2",
        "-o",
        path,
        folder / "drive",
    ]
    subprocess.run(command, check=True, capture_output=True)
    return path


class Guest:
    """A running guest. Its serial console can be read and typed on; it ends with the `with` block."""

    def __init__(self, folder: Path, disk: Path, drive: Path, memory: int = 128) -> None:
        self.port = free_port()
        self._shown, self._seen = "", 0
        serial, control = folder / "serial", folder / "qmp"
        command: list[str | Path] = ["qemu-system-x86_64", "-accel", "tcg", "-machine", "pc", "-cpu", "max"]
        command += [
            "-smp",
            "1,maxcpus=2",
            "-m",
            str(memory),
            "-display",
            "none",
            "-nodefaults",
            "-vga",
            "std",
        ]
        command += ["-chardev", f"socket,id=serial,path={serial},server=on,wait=off"]
        command += ["-serial", "chardev:serial", "-qmp", f"unix:{control},server=on,wait=off"]
        command += [
            "-drive",
            f"file={disk},if=virtio",
            "-drive",
            f"file={drive},if=ide,media=cdrom,readonly=on",
        ]
        # restrict: the guest reaches nobody, and the one port of this machine reaches the guest.
        network = f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{self.port}-:80"
        command += ["-netdev", network, "-device", "virtio-net-pci,netdev=net"]
        self._process = subprocess.Popen(command)
        self._serial = self._connect(serial)
        self._control = self._connect(control)
        self._answers = self._control.makefile("r")
        json.loads(self._answers.readline())
        self.control("qmp_capabilities")

    def __enter__(self) -> Guest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for closing in (self._answers, self._control, self._serial):
            closing.close()

    def _connect(self, path: Path) -> socket.socket:
        found = socket.socket(socket.AF_UNIX)
        found.settimeout(60)
        for _ in range(600):
            try:
                found.connect(str(path))
                return found
            except OSError:
                time.sleep(0.05)
        self._process.kill()
        raise TimeoutError(f"QEMU does not listen on {path}")

    def control(self, command: str, **arguments: Any) -> Any:
        """A command of QEMU's control protocol; its answer."""
        request = {"execute": command, "arguments": arguments}
        self._control.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = json.loads(self._answers.readline())
            if "return" in answer:
                return answer["return"]
            assert "error" not in answer, answer

    def power_button(self) -> None:
        self.control("system_powerdown")

    def console(self) -> str:
        """All that the serial console has shown. It must be read while one waits: unread, it stalls."""
        self._serial.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while data := self._serial.recv(65536):
                self._shown += data.decode(errors="replace")
        self._serial.setblocking(True)
        return self._shown

    def wait_for(self, pattern: str, limit: float = 240.0) -> re.Match[str]:
        """Wait until the console shows something that matches, behind what was waited for last."""
        end = time.monotonic() + limit
        while True:
            text = self.console()
            if match := re.compile(pattern).search(text, self._seen):
                self._seen = match.end()
                return match
            assert self._process.poll() is None, f"the guest ended; its console: {text[-2000:]}"
            assert time.monotonic() < end, f"no {pattern!r} within {limit} s; the console: {text[-2000:]}"
            time.sleep(0.1)

    def rewind(self) -> None:
        """Wait for things from the start of the console again."""
        self._seen = 0

    def type(self, line: str) -> None:
        self._serial.sendall(line.encode() + b"\n")

    def get(self, path: str) -> str:
        """What the guest's web server has there."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=90) as answer:
            content: bytes = answer.read()
            return content.decode()

    def wait_for_end(self, limit: float) -> None:
        """Wait until the guest has switched itself off."""
        end = time.monotonic() + limit
        while self._process.poll() is None:
            assert time.monotonic() < end, f"the guest runs on; its console: {self.console()[-2000:]}"
            time.sleep(0.1)
        assert self._process.returncode == 0
