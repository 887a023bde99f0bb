"""Hosts and guests made of namespaces: what the tests of guest networks run on.

A host is a process in network, mount and process namespaces of its own, which runs `GuestNetworks` on orders from
its standard input; when it ends, everything on it does. A guest is a network namespace on a host, behind a veth
pair that stands for its tap. The test itself speaks as a guest, through sockets that are made in its namespace.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from backends.libvirt.networks import GuestNetworks
from backends.libvirt.settings import HostSettings
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import NicSpec, VmSpec

NEEDED = ("ip", "bridge", "nft", "tc", "dnsmasq", "busybox", "unshare", "nsenter", "flock")
ROOT = Path(__file__).parents[3]
SOON = 1.5  # seconds within which a connection that passes has long been made; its first packet may be lost
PATIENCE = 30.0  # seconds within which who is connected answers

_LOOK = ("ip -j -d link show", "ls /run/netns", "nft list ruleset", "ps -e -ww -o pid=,args=")
_BOOT = """
mount -t tmpfs none /run && mkdir /run/netns && mount -t sysfs none /sys && ip link set lo up || exit
"$@"
exit $?
"""
_LEASE_SCRIPT = """#!/bin/sh
[ "$1" = bound ] || exit 0
ip address replace $ip/$mask dev $interface
[ -z "$router" ] || ip route replace default via $router
[ -z "$mtu" ] || ip link set $interface mtu $mtu
for name in ip mask router dns domain hostname mtu lease; do eval "echo $name=\\$$name"; done >"$LEASE"
"""


def what_is_missing() -> str | None:
    """Why these tests cannot be run here; None if they can."""
    if os.geteuid() != 0:
        return "needs root"
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        return f"needs {', '.join(missing)}"
    done = subprocess.run(
        [
            "unshare",
            "--net",
            "--mount",
            "sh",
            "-c",
            "ip link add name br7 type bridge && ip link add name vx7 type vxlan id 7 dstport 4789",
        ],
        capture_output=True,
        text=True,
    )
    return (
        None
        if done.returncode == 0
        else f"needs network namespaces, bridges and VXLAN: {done.stderr.strip()}"
    )


class Fabric:
    """A switch, and the hosts on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hosts: list[Host] = []
        self._switch = subprocess.Popen(["unshare", "--net", "--kill-child", "sleep", "infinity"])
        _until(lambda: _namespace(self._switch.pid) != _namespace(os.getpid()), "the switch")
        self.run("ip", "link", "add", "switch", "type", "bridge", "forward_delay", "0")
        self.run("ip", "link", "set", "switch", "up")

    def run(self, *command: str) -> str:
        return _run("nsenter", "--target", str(self._switch.pid), "--net", *command)

    def host(self) -> Host:
        number = len(self.hosts) + 1
        made = Host(number, self.folder / f"host{number}")
        self.hosts.append(made)
        _run("ip", "link", "add", f"nl{os.getpid()}", "netns", str(self._switch.pid), "type", "veth",
             "peer", "name", "eth0", "netns", str(made.pid))  # fmt: skip
        self.run("ip", "link", "set", f"nl{os.getpid()}", "name", f"port{number}", "master", "switch", "up")
        made.run("ip", "link", "add", "cloudbr0", "type", "bridge", "forward_delay", "0")
        made.run("ip", "link", "set", "eth0", "master", "cloudbr0", "up")
        made.run("ip", "link", "set", "cloudbr0", "up")
        made.run("ip", "address", "add", f"10.99.0.{10 + number}/24", "dev", "cloudbr0")
        return made

    def close(self) -> None:
        for host in self.hosts:
            host.close()
        self._switch.kill()
        self._switch.wait()


class Host:
    """One host with an agent's `GuestNetworks` on it."""

    def __init__(self, number: int, data: Path) -> None:
        self.name, self.data = f"host{number}", data
        data.mkdir(mode=0o700)
        self.guests: list[Guest] = []
        self._taps = 0
        self._process = subprocess.Popen(
            ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child",
             "bash", "-c", _BOOT, "bash", sys.executable, "-m", "tests.backends.libvirt.network_lab", str(data), self.name],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None and self._process.stdout.readline() == "ready\n"
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        self.pid = int(children.read_text().split()[0])

    def run(self, *command: str, check: bool = True) -> str:
        return _run("nsenter", "--target", str(self.pid), "--net", "--mount", "--pid", *command, check=check)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.terminate()
        self._process.wait()

    # what the agent does

    def call(self, method: str, *arguments: Any) -> Any:
        """One method of GuestNetworks. Raises HypervisorError as it does."""
        assert self._process.stdin is not None and self._process.stdout is not None
        order = msgspec.json.encode([method, arguments]).decode()
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if answer["error"] is not None:
            raise HypervisorError(answer["error"])
        return answer["result"]

    def start(self, vm: VmSpec, guard: bool = True) -> list[Guest]:
        """What an agent does to start an instance; one Guest for each of its cards."""
        bridges = self.call("prepare", vm)
        guests = [Guest(self, nic, bridges[nic.id]) for nic in vm.nics]
        if guard:
            self.guard(vm, guests)
        return guests

    def guard(self, vm: VmSpec, guests: list[Guest]) -> None:
        self.call("guard", vm, {guest.nic.mac: guest.tap for guest in guests})

    def stop(self, vm: VmSpec, guests: list[Guest]) -> None:
        for guest in guests:
            guest.close()
        self.call("forget", vm)

    def clear(self) -> None:
        """No guests are left, and an agent that starts finds none."""
        for guest in list(self.guests):
            guest.close()
        self.call("restore", [])

    def reuse_tap(self, tap: str) -> None:
        """The next guest gets this one, as it may happen to it with libvirt."""
        self._taps = int(tap.removeprefix("vnet")) - 1

    def next_tap(self) -> str:
        self._taps += 1
        return f"vnet{self._taps}"

    # what is on it

    def state(self) -> dict[str, Any]:
        """Everything that guest networks may change, but for the guests themselves."""
        looked = self.run("sh", "-c", "; echo =====; ".join(_LOOK)).split("=====\n")
        links, namespaces, rules, processes = looked
        kept = ("ifname", "master", "mtu", "address", "link")
        return {
            "links": sorted(
                [str(each.get(key)) for key in kept]
                for each in json.loads(links)
                if not each["ifname"].startswith("vnet")
            ),
            "namespaces": sorted(name for name in namespaces.split() if not name.startswith("vnet")),
            "rules": rules,
            "processes": _daemons(processes),
            "files": sorted(str(path.relative_to(self.data)) for path in self.data.glob("networks/*/*")),
        }


class Guest:
    """An instance's network card and what is behind it."""

    def __init__(self, host: Host, nic: NicSpec, bridge: str) -> None:
        self.host, self.nic, self.tap = host, nic, host.next_tap()
        self.lease: dict[str, str] = {}
        self._card: socket.socket | None = None
        self._listening: list[socket.socket] = []
        tap, own = self.tap, "fe" + nic.mac[2:]
        host.guests.append(self)
        host.run("sh", "-ec", f"""
            ip netns add {tap}
            ip link add {tap} address {own} type veth peer name eth0 address {nic.mac} netns {tap}
            ip link set {tap} master {bridge} up
            ip -n {tap} link set lo up
            ip -n {tap} link set eth0 up""")  # fmt: skip
        state = Path(f"/proc/{host.pid}/root/sys/class/net/{tap}/brport/state")
        _until(lambda: state.read_text() == "3\n", f"{tap} of {host.name}")

    def close(self) -> None:
        self.host.guests.remove(self)
        for listening in self._listening:
            listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        if self._card is not None:
            self._card.close()
        self.host.run("sh", "-ec", f"ip link delete {self.tap}; ip netns delete {self.tap}")

    def run(self, *command: str, check: bool = True) -> str:
        return self.host.run("ip", "netns", "exec", self.tap, *command, check=check)

    def dhcp(self, tries: int = 5) -> dict[str, str]:
        """Ask for an address; empty if there was no answer."""
        script, lease = self.host.data / "lease-script", self.host.data / f"lease-{self.tap}"
        if not script.exists():
            script.write_text(_LEASE_SCRIPT)
            script.chmod(0o755)
        lease.unlink(missing_ok=True)
        self.run("env", f"LEASE={lease}", "busybox", "udhcpc", "-i", "eth0", "-f", "-n", "-q", "-t", str(tries), "-T", "2",
                 "-A", "1", "-O", "mtu", "-s", str(script), check=False)  # fmt: skip
        if not lease.exists():
            return {}
        self.lease = dict(line.split("=", 1) for line in lease.read_text().splitlines())
        return self.lease

    def configure(self) -> None:
        """Take the address without asking."""
        route = "" if self.nic.gateway is None else f"ip route replace default via {self.nic.gateway}"
        self.run("sh", "-ec", f"ip address replace {self.nic.ip}/24 dev eth0; {route}")

    def open_socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        return _socket_in(f"/proc/{self.host.pid}/root/run/netns/{self.tap}", family, kind, protocol)

    def frames(self) -> socket.socket:
        """All that comes to the card and goes from it, from now on. It stays open: closing one waits for the kernel."""
        if self._card is None:
            self._card = self.open_socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self._card.bind(("eth0", 3))
        self._card.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                self._card.recv(2048)
        return self._card

    def connect(self, address: str, port: int, source: str | None = None) -> socket.socket | None:
        """A TCP connection; None if it is not answered soon."""
        made = self.open_socket(socket.AF_INET, socket.SOCK_STREAM)
        made.settimeout(SOON)
        try:
            if source is not None:
                made.bind((source, 0))
            made.connect((address, port))
        except OSError:
            made.close()
            return None
        return made

    def get(self, url: str, headers: str = "", source: str | None = None) -> tuple[int, str]:
        """Status and body of http://ADDRESS[:PORT]/PATH; 0 if nobody answers."""
        address, _, path = url.removeprefix("http://").partition("/")
        name, _, port = address.partition(":")
        connection = self.connect(name, int(port or 80), source)
        if connection is None:
            return 0, ""
        with connection:
            connection.settimeout(PATIENCE)
            connection.sendall(f"GET /{path} HTTP/1.0\r\n{headers}\r\n".encode())
            data = b""
            while part := connection.recv(65536):
                data += part
        head, _, body = data.partition(b"\r\n\r\n")
        return int(head.split()[1]), body.decode()

    def listen(self, port: int) -> None:
        """Answer every TCP connection with the card's MAC address, until the guest is closed."""
        listening = self.open_socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("0.0.0.0", port))
        listening.listen()
        self._listening.append(listening)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    accepted, _ = listening.accept()
                    with accepted:
                        accepted.sendall(self.nic.mac.encode())

        threading.Thread(target=serve, daemon=True).start()

    def reaches(self, other: Guest, port: int, address: str | None = None) -> bool:
        """Whether a TCP connection comes to that very guest (which listens there)."""
        connection = self.connect(address or other.nic.ip or "", port)
        if connection is None:
            return False
        with connection:
            connection.settimeout(PATIENCE)
            try:
                return connection.recv(64).decode() == other.nic.mac
            except OSError:
                return False

    def pings(self, address: str) -> bool:
        return "1 received" in self.run("ping", "-c1", "-W2", address, check=False)


def passes(sender: Guest, receiver: Guest, frame: bytes) -> bool:
    """Whether the frame, sent by the one guest, comes to the other: at the latest with an ARP probe sent after it."""
    mac = bytes.fromhex(sender.nic.mac.replace(":", ""))
    probe = b"\xc0\x00\x02" + os.urandom(1)
    marker = b"\xff" * 6 + mac + bytes.fromhex("08060001080006040001") + mac + bytes(4) + bytes(6) + probe
    ear, mouth = receiver.frames(), sender.frames()
    ear.settimeout(2)
    mouth.send(frame)
    mouth.send(marker.ljust(60, b"\0"))
    while True:
        try:
            data, where = ear.recvfrom(2048)
        except TimeoutError:
            return False
        if where[2] == socket.PACKET_OUTGOING:
            continue
        if data[: len(frame)][14:] == frame[14:]:
            return True
        if data[: len(marker)] == marker:
            ear.settimeout(0.02)  # frames may pass one another


def _socket_in(namespace: str, family: int, kind: int, protocol: int) -> socket.socket:
    """A thread goes into the namespace, and ends there; the socket stays in it."""
    made: list[socket.socket | OSError] = []
    libc = ctypes.CDLL(None, use_errno=True)

    def make() -> None:
        descriptor = os.open(namespace, os.O_RDONLY)
        try:
            if libc.setns(descriptor, 0x40000000):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), namespace)
            made.append(socket.socket(family, kind, protocol))
        except OSError as error:
            made.append(error)
        finally:
            os.close(descriptor)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]


def _daemons(listed: str) -> dict[str, str]:
    """pid (on the host) and command."""
    found = {}
    for line in listed.splitlines():
        pid, command = line.split(maxsplit=1)
        if "--conf-file=" in command or "metadata_server" in command:
            found[pid] = command
    return found


def _run(*command: str, check: bool = True) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def _namespace(pid: int) -> str:
    return os.readlink(f"/proc/{pid}/ns/net")


def _until(true: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until, f"{what} did not come up"
        time.sleep(0.01)


def _serve(data: Path, name: str) -> None:
    """The agent's side: a line with a method and its arguments, a line with the outcome."""
    settings = HostSettings(name=name, guid=name, data=data, private_ip="", guest_device="cloudbr0")
    networks = GuestNetworks(settings)
    kinds: dict[str, tuple[Any, ...]] = {
        "prepare": (VmSpec,),
        "guard": (VmSpec, dict),
        "forget": (VmSpec,),
        "plug": (VmSpec, NicSpec),
        "unplug": (VmSpec, NicSpec),
        "restore": (list[VmSpec],),
        "awaited": (NicSpec, float, float),
    }
    print("ready", flush=True)
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            method, raw = json.loads(line)
            answer: dict[str, Any] = {"result": None, "error": None}
            if method == "restart":
                networks = GuestNetworks(settings)
            else:
                given = [msgspec.convert(value, kind) for value, kind in zip(raw, kinds[method], strict=True)]
                try:
                    answer["result"] = runner.run(getattr(networks, method)(*given))
                except HypervisorError as error:
                    answer["error"] = str(error)
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), sys.argv[2])
