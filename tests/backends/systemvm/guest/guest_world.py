"""A system VM's guest in namespaces of its own, and clients around it: what the guest's tests run on.

The guest is the real agent with the real programs, in network, mount, host name and process namespaces, as a router on a
host is. A client is a network namespace behind a veth pair. All of it ends with the processes that hold it.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from backends.systemvm.plan import Plan, interface_name

REPOSITORY = Path(__file__).parents[4]
NEEDED = ("ip", "nft", "unshare", "nsenter", "dnsmasq", "haproxy", "busybox")
_T = TypeVar("_T")
_IN_OWN = ("unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")
_LEASE = """#!/bin/sh
[ "$1" = bound ] || exit 0
ip address replace $ip/$mask dev $interface
[ -z "$router" ] || ip route replace default via $router
for name in ip router dns domain hostname mtu; do eval "echo $name=\\$$name"; done >"$LEASE"
"""


def what_is_missing() -> str | None:
    """Why these tests cannot be run here; None if they can."""
    if os.geteuid() != 0:
        return "needs root"
    missing = [name for name in NEEDED if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
    return f"needs {', '.join(missing)}" if missing else None


class Space:
    """A network namespace, held by a process."""

    def __init__(self) -> None:
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "600"])
        own = os.readlink("/proc/self/ns/net")
        eventually(lambda: os.readlink(f"/proc/{self.pid}/ns/net") != own)
        self.run("ip", "link", "set", "dev", "lo", "up")

    @property
    def pid(self) -> int:
        return self.holder.pid

    def run(self, *command: str, check: bool = True, **options: Any) -> str:
        done = subprocess.run(
            ["nsenter", f"--net=/proc/{self.pid}/ns/net", *command], capture_output=True, text=True, **options
        )
        assert not check or done.returncode == 0, f"{command}: {done.stderr or done.stdout}"
        return done.stdout

    def inside(self, doing: Callable[[], _T]) -> _T:
        """What `doing` returns when it is called in the namespace."""
        result: list[_T] = []
        failure: list[BaseException] = []

        def enter() -> None:
            try:
                with open(f"/proc/{self.pid}/ns/net") as namespace:
                    assert ctypes.CDLL(None).setns(namespace.fileno(), 0x40000000) == 0
                result.append(doing())
            except BaseException as error:
                failure.append(error)

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if failure:
            raise failure[0]
        return result[0]

    def connect(self, address: str, port: int, timeout: float = 20.0) -> socket.socket:
        return self.inside(lambda: socket.create_connection((address, port), timeout))

    def serve(self, port: int, said: bytes) -> None:
        """Answer every line on that port with these bytes."""
        listening = self.inside(lambda: socket.create_server(("0.0.0.0", port)))

        def talk(connection: socket.socket) -> None:
            with connection:
                while connection.recv(1024):
                    connection.sendall(said)

        def accept() -> None:
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()

    def get(self, url: str, headers: Iterable[tuple[str, str]] = ()) -> tuple[int, str]:
        """Status and body; curl does the asking."""
        said = [part for name, value in headers for part in ("-H", f"{name}: {value}")]
        output = self.run("curl", "-s", "-m", "5", "-w", "\n%{http_code}", *said, url)
        body, _, status = output.rpartition("\n")
        return int(status), body

    def close(self) -> None:
        self.holder.kill()
        self.holder.wait()


class Guest(Space):
    """The agent of a system VM. `supervised`: a machine's, which is started again if it ends, and not a namespace's."""

    def __init__(self, folder: Path, supervised: bool = False) -> None:
        self.socket = folder / "agent.sock"
        self.output = (folder / "agent.log").open("ab")
        agent = f"{sys.executable} -m backends.systemvm.guest --version test --socket {self.socket}"
        agent = f"while :; do {agent}; done" if supervised else f"exec {agent} --first"
        start = f"mkdir -p /run/systemvm && mount -t tmpfs tmpfs /run/systemvm && mount -t sysfs sysfs /sys && {agent}"
        self.holder = subprocess.Popen(
            [*_IN_OWN, "sh", "-c", start], cwd=REPOSITORY, stdout=self.output, stderr=self.output
        )
        eventually(lambda: self.ask("Ping"))

    @property
    def pid(self) -> int:
        children = Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text().split()
        return int(children[0])

    def ask(self, kind: str, **values: Any) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(30)
            connection.connect(str(self.socket))
            connection.sendall(json.dumps({"type": kind, "id": "1", **values}).encode() + b"\n")
            with connection.makefile() as lines:
                return next(json.loads(line) for line in lines if line.strip())

    def apply(self, plan: Plan) -> str | None:
        """What it says is wrong; None: it is in force."""
        import msgspec

        error = self.ask("ApplyPlan", plan=msgspec.to_builtins(plan)).get("error")
        assert error is None or isinstance(error, str)
        return error

    def plugged(self, mac: str, other: Space, device: str, address: str | None = None) -> None:
        """Put a card with this MAC into the guest, and its other end into `other`."""
        subprocess.run(
            ["ip", "link", "add", "name", device, "netns", str(other.pid), "type", "veth",
             "peer", "name", "x" + interface_name(mac)[-8:], "address", mac, "netns", str(self.pid)],
            check=True,
        )  # fmt: skip
        other.run("ethtool", "-K", device, "tx", "off", check=False)
        other.run("ip", "link", "set", "dev", device, "up")
        if address is not None:
            other.run("ip", "address", "add", address, "dev", device)

    def close(self) -> None:
        super().close()
        self.output.close()


class Client(Space):
    """A machine behind one of the guest's cards, or behind one of a bridge's."""

    def lease(self, device: str, folder: Path) -> dict[str, str]:
        """What the DHCP server gives; empty if it gives nothing."""
        script, lease = folder / "lease", folder / f"lease.{self.pid}"
        script.write_text(_LEASE)
        script.chmod(0o755)
        lease.unlink(missing_ok=True)
        self.run(
            "busybox", "udhcpc", "-f", "-q", "-n", "-t", "4", "-T", "1", "-O", "mtu", "-i", device, "-s", str(script),
            check=False, env=os.environ | {"LEASE": str(lease)},
        )  # fmt: skip
        if not lease.exists():
            return {}
        return dict(line.split("=", 1) for line in lease.read_text().splitlines())


def eventually(true: Callable[[], Any], limit: float = 90.0) -> None:
    end = time.monotonic() + limit
    while True:
        try:
            if true():
                return
        except OSError:
            pass
        assert time.monotonic() < end, "it did not become so"
        time.sleep(0.02)
