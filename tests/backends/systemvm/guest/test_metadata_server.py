"""The metadata server as guests ask it: every address of 127.0.0.0/8 is a guest of its own here."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backends.libvirt.metadata_files import write_metadata
from backends.systemvm.guest import metadata_server
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import NicSpec, VmSpec

HERE = "127.0.0.1"
ASK = "DomU_Request: send_my_password\r\n"
SET = "DomU_Request: saved_password\r\n"


class Server:
    """The process, and the folder that it answers from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.guests: list[tuple[VmSpec, NicSpec]] = []
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(metadata_server.__file__)), f"--folder={folder}",
             f"--listen={HERE}:0", f"--passwords={HERE}:0"],
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.port, self.passwords = (int(self.process.stdout.readline().split(":")[1]) for _ in range(2))

    def has(self, address: str, secondary: tuple[str, ...] = (), **values: Any) -> None:
        """One more instance, known by that address."""
        nic = NicSpec(f"nic-{address}", "02:00:00:00:00:01", "net", ip=address, secondary_ips=secondary)
        defaults: dict[str, Any] = {"name": f"i-{address}", "id": f"id-{address}", "nics": (nic,)}
        vm = VmSpec(**(defaults | {"cpus": 1, "cpu_mhz": 1000, "memory_mib": 128} | values))
        self.guests = [guest for guest in self.guests if guest[1].ip != address] + [(vm, nic)]
        write_metadata(self.folder, self.guests, "host-1")

    def raw(self, request: bytes, guest: str = "127.0.0.10", port: int = 0) -> bytes:
        with socket.create_connection((HERE, port or self.port), 5, (guest, 0)) as connection:
            connection.sendall(request)
            answer = b""
            while part := connection.recv(65536):
                answer += part
        return answer

    def get(self, path: str, guest: str = "127.0.0.10") -> tuple[int, bytes]:
        return _parsed(self.raw(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode(), guest))

    def password(self, header: str, guest: str = "127.0.0.10") -> tuple[int, bytes]:
        return _parsed(self.raw(f"GET / HTTP/1.0\r\n{header}\r\n".encode(), guest, self.passwords))


def _parsed(answer: bytes) -> tuple[int, bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "metadata")
    yield made
    made.process.kill()
    made.process.wait()


def test_it_answers_by_the_address_that_asks(server: Server) -> None:
    server.has("127.0.0.10", hostname="web-1", user_data=base64.b64encode(b"\x1f\x8b binary").decode())
    server.has("127.0.0.11", hostname="web-2", metadata={"availability-zone": "zone-1"})
    assert server.get("/latest/user-data") == (200, b"\x1f\x8b binary")
    assert server.get("/latest/meta-data/local-hostname") == (200, b"web-1")
    assert server.get("/latest/local-hostname", "127.0.0.11") == (200, b"web-2")
    assert server.get("/latest/meta-data/availability-zone", "127.0.0.11") == (200, b"zone-1")
    assert server.get("/latest/meta-data/hypervisor-host-name") == (200, b"host-1")
    assert server.get("/latest/user-data", "127.0.0.11")[0] == 404
    assert server.get("/latest/meta-data/", "127.0.0.12")[0] == 404


def test_the_items_are_those_of_cloudstacks_router(server: Server) -> None:
    server.has("127.0.0.10", public_keys=("ssh-rsa A", "ssh-rsa B"))
    status, names = server.get("/latest/meta-data/")
    assert (status, names.decode().split("\n")) == (
        200,
        ["availability-zone", "cloud-identifier", "hypervisor-host-name", "instance-id", "local-hostname", "local-ipv4",
         "public-hostname", "public-ipv4", "public-keys", "service-offering", "vm-id"],
    )  # fmt: skip
    assert server.get("/latest/meta-data")[1] == names
    assert server.get("/latest/meta-data/public-keys") == (200, b"ssh-rsa A\nssh-rsa B")
    assert server.get("/latest/meta-data/vm-id") == (200, b"id-127.0.0.10")
    assert server.get("/latest/meta-data/instance-id") == (200, b"i-127.0.0.10")


def test_a_second_address_is_the_same_instance(server: Server) -> None:
    server.has("127.0.0.10", ("127.0.0.20",))
    assert server.get("/latest/meta-data/local-ipv4", "127.0.0.20") == (200, b"127.0.0.10")
    server.has("127.0.0.10")
    assert server.get("/latest/meta-data/local-ipv4", "127.0.0.20")[0] == 404


def test_a_password_is_given_until_it_is_set_and_never_again(server: Server) -> None:
    server.has("127.0.0.10", password="Secret7")
    assert server.password(ASK) == server.password(ASK) == (200, b"Secret7")
    assert server.password(SET) == (200, b"saved_password")
    assert server.password(ASK) == (200, b"saved_password")
    server.has("127.0.0.10", password="Secret7")
    assert server.password(ASK) == (200, b"saved_password")
    server.has("127.0.0.10", password="Another8")
    assert server.password(ASK) == (200, b"Another8")
    assert server.password("DomU_Request: what\r\n") == (400, b"bad_request")
    assert server.password("") == (400, b"bad_request")
    assert server.password(ASK, "127.0.0.11") == (200, b"saved_password")


def test_the_next_instance_with_the_address_learns_nothing_of_the_last(server: Server) -> None:
    server.has("127.0.0.10", password="Secret7", metadata={"more": "x"})
    server.password(SET)
    server.has("127.0.0.10", id="another", password="Secret7")
    assert server.password(ASK) == (200, b"Secret7")
    assert server.get("/latest/meta-data/more")[0] == 404


@pytest.mark.parametrize(
    "path",
    ["/latest/meta-data/../password", "/latest/meta-data/..", "/latest/password", "/latest/instance", "/", "/latest/x",
     "/latest/meta-data/%2e%2e/password", "//etc/passwd", "/latest/meta-data/.x", "/127.0.0.11/user-data"],
)  # fmt: skip
def test_nothing_else_is_found(server: Server, path: str) -> None:
    server.has("127.0.0.10", password="Secret7")
    server.has("127.0.0.11", user_data=base64.b64encode(b"private").decode())
    assert server.get(path) == (404, b"")


def test_nonsense_is_answered_and_does_no_harm(server: Server) -> None:
    server.has("127.0.0.10")
    assert _parsed(server.raw(b"\x00\xff nonsense\r\n\r\n"))[0] == 400
    assert _parsed(server.raw(b"GET\r\n\r\n"))[0] == 400
    assert _parsed(server.raw(b"POST /latest/user-data HTTP/1.0\r\n\r\n"))[0] == 405
    assert _parsed(server.raw(b"HEAD /latest/meta-data/vm-id HTTP/1.0\r\n\r\n")) == (200, b"")
    assert _parsed(server.raw(b"x" * 10_000))[0] == 400
    assert server.get("/latest/meta-data/vm-id")[0] == 200


def test_a_guest_that_dawdles_keeps_no_other_from_its_answer(server: Server) -> None:
    server.has("127.0.0.10")
    server.has("127.0.0.11")
    idle = [socket.create_connection((HERE, server.port), 5, ("127.0.0.10", 0)) for _ in range(40)]
    assert server.get("/latest/meta-data/vm-id", "127.0.0.11") == (200, b"id-127.0.0.11")
    assert sum(each.recv(1) == b"" for each in idle[metadata_server.CONNECTIONS :]) == 24
    for each in idle:
        each.close()
    assert server.get("/latest/meta-data/vm-id") == (200, b"id-127.0.0.10")


def test_all_files_are_private(server: Server) -> None:
    server.has("127.0.0.10", password="Secret7", user_data="")
    server.password(SET)
    modes = {path.stat().st_mode & 0o777 for path in server.folder.rglob("*") if path.is_file()}
    folders = {path.stat().st_mode & 0o777 for path in server.folder.rglob("*") if path.is_dir()}
    assert (modes, folders) == ({0o600}, {0o700})


def test_as_a_daemon_it_listens_when_its_starter_is_told_so(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-I",
        "-S",
        metadata_server.__file__,
        f"--folder={tmp_path}",
        f"--listen={HERE}:0",
    ]
    command += [f"--pid-file={tmp_path}/pid", f"--log={tmp_path}/log", "--daemon"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    port = int(done.stdout.split(":")[1])
    with socket.create_connection((HERE, port), 5):
        pass
    until = time.monotonic() + 60
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < until
        time.sleep(0.01)
    taken = subprocess.run(
        [*command[:-1], f"--passwords={HERE}:{port}"], capture_output=True, text=True, timeout=60
    )
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
    assert taken.returncode == 1
    assert taken.stderr == f"metadata server: cannot listen on {HERE}:{port}: Address already in use\n"


def test_user_data_that_is_not_base64_is_refused(tmp_path: Path) -> None:
    nic = NicSpec("n", "02:00:00:00:00:01", "net", ip="10.1.1.2")
    vm = VmSpec("i-2-7-VM", "id", 1, 1000, 128, nics=(nic,), user_data="no base64!")
    with pytest.raises(HypervisorError, match="instance i-2-7-VM: its user data is not base64"):
        write_metadata(tmp_path, [(vm, nic)], "")
