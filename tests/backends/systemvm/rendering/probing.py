"""A router in a network namespace between other namespaces, and packets sent through it: what a kernel makes of its rules.

Every network is a namespace that has all of its addresses. A probe is a single packet with a number in it. Where it
turns up is seen by a packet socket in each namespace; the kernel there answers it (a reset, an echo, an ICMP error), and
the answer is looked for where the probe was sent. So hundreds of probes go out at once and nobody has to listen.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple, TypeVar

from backends.systemvm.plan import Interface, PlannedRoute, PlannedRule, interface_name

T = TypeVar("T")
_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)
NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17}
QUIET = 0.02  # seconds without a packet after which no more is expected


def what_is_missing() -> str | None:
    """Why this machine cannot do it; None: it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    lacking = [tool for tool in ("ip", "nft", "nsenter") if shutil.which(tool) is None]
    return f"there is no {' and no '.join(lacking)}" if lacking else None


class Probe(NamedTuple):
    """A packet to be sent from a namespace. `port` of tcp and udp."""

    wire: str
    source: str
    destination: str
    protocol: str
    port: int = -1


class Arrival(NamedTuple):
    """Where a probe turned up, as what."""

    wire: str
    source: str
    destination: str
    port: int


class Outcome(NamedTuple):
    """What became of a probe."""

    arrivals: frozenset[Arrival]
    answered: bool


class Namespace:
    """A network namespace without a name; it is gone when it is closed."""

    def __init__(self) -> None:
        self.fd = _in_thread(_unshared)
        self.path = f"/proc/{os.getpid()}/fd/{self.fd}"

    def close(self) -> None:
        os.close(self.fd)

    def run(self, *command: str, given: str = "") -> None:
        done = subprocess.run(
            ["nsenter", f"--net={self.path}", *command], input=given, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}\n{given}"

    def call(self, function: Callable[[], T]) -> T:
        def inside() -> T:
            if _LIBC.setns(self.fd, _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            return function()

        return _in_thread(inside)


class Wire(NamedTuple):
    """A network beside the router: the router's MAC on it, what addresses (with prefix) are there, their default gateway.

    `elsewhere`: addresses behind it, which its namespace has too.
    """

    mac: str
    addresses: tuple[str, ...]
    gateway: str
    elsewhere: tuple[str, ...] = ()


class Prober:
    """Sends packets from namespaces whose card is called eth0, and sees what comes to them."""

    def __init__(self, spaces: dict[str, Namespace]) -> None:
        self.spaces = spaces
        self._number = 0
        self._ears = {name: space.call(_ear) for name, space in spaces.items()}
        self._mouths = {name: space.call(_mouth) for name, space in spaces.items()}

    def close(self) -> None:
        for each in (*self._ears.values(), *self._mouths.values()):
            each.close()
        for space in self.spaces.values():
            space.close()

    def send(self, probes: Sequence[Probe], patience: float = QUIET) -> list[Outcome]:
        """What becomes of each."""
        for ear in self._ears.values():
            _drain(ear)
        first = self._number + 1
        for probe in probes:
            self._number += 1
            packet = _packet(probe, self._number)
            try:
                self._mouths[probe.wire].sendto(packet, (probe.destination, 0))
            except OSError as error:
                raise AssertionError(f"{probe}: {error}") from error
        arrivals: dict[int, set[Arrival]] = {}
        answers: set[tuple[int, str]] = set()
        sockets = {ear.fileno(): (name, ear) for name, ear in self._ears.items()}
        poll = select.poll()
        for descriptor in sockets:
            poll.register(descriptor, select.POLLIN)
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < patience:
            for descriptor, _ in poll.poll(patience * 1000):
                quiet_since = time.monotonic()
                name, ear = sockets[descriptor]
                for data, direction in _received(ear):
                    if direction == socket.PACKET_OUTGOING:
                        continue
                    number, arrival = _read(name, data)
                    if arrival is not None:
                        arrivals.setdefault(number, set()).add(arrival)
                    elif number:
                        answers.add((number, name))
        return [
            Outcome(frozenset(arrivals.get(number, ())), (number, probe.wire) in answers)
            for number, probe in enumerate(probes, first)
        ]


class Crossing(Prober):
    """The namespaces. `may_be_there`: addresses that the router may get, by wire, so that nobody has to ask for them."""

    def __init__(self, wires: dict[str, Wire], may_be_there: dict[str, Sequence[str]]) -> None:
        self.wires = wires
        self.router = Namespace()
        self._rules: list[str] = []
        spaces = {name: Namespace() for name in wires}
        self._build(spaces, may_be_there)
        super().__init__(spaces)

    def close(self) -> None:
        super().close()
        self.router.close()

    def _build(self, spaces: dict[str, Namespace], may_be_there: dict[str, Sequence[str]]) -> None:
        router = ["link set lo up"]
        for name, wire in self.wires.items():
            device, space = interface_name(wire.mac), spaces[name]
            theirs = "06" + wire.mac[2:]
            self.router.run("ip", "link", "add", device, "address", wire.mac, "type", "veth", "peer", "name", "eth0",
                            "address", theirs, "netns", space.path)  # fmt: skip
            lines = ["link set lo up", "link set eth0 up"]
            lines += [f"address add {address} dev eth0" for address in wire.addresses]
            lines += [f"address add {address}/32 dev lo" for address in wire.elsewhere]
            lines += [
                f"neighbour replace {ip} lladdr {wire.mac} dev eth0" for ip in may_be_there.get(name, ())
            ]
            lines.append(f"route add default via {wire.gateway} dev eth0 onlink")
            space.run("ip", "-batch", "-", given="\n".join(lines) + "\n")
            at_once(space)
            router.append(f"link set {device} up")
            router += [
                f"neighbour replace {a.split('/')[0]} lladdr {theirs} dev {device}" for a in wire.addresses
            ]
        self.router.run("ip", "-batch", "-", given="\n".join(router) + "\n")
        at_once(self.router)

    def configure(
        self,
        interfaces: Iterable[Interface],
        routes: Iterable[PlannedRoute],
        rules: Iterable[PlannedRule],
        sysctls: dict[str, str],
        nft: str,
    ) -> None:
        """Make the router this."""
        lines = [f"address flush dev {interface_name(wire.mac)}" for wire in self.wires.values()]
        lines += [f"rule del {rule}" for rule in self._rules]
        for interface in interfaces:
            lines += [f"address add {a} dev {interface_name(interface.mac)}" for a in interface.addresses]
        for route in routes:
            via = f" via {route.gateway}" if route.gateway else ""
            device = f" dev {interface_name(route.mac)}" if route.mac else ""
            lines.append(f"route replace {route.destination}{via}{device} table {route.table}")
        self._rules = [
            f"pref {r.priority} from {r.source or 'all'}"
            + (f" fwmark {r.mark}" if r.mark else "")
            + f" lookup {r.table}"
            for r in rules
        ]
        lines += [f"rule add {rule}" for rule in self._rules]
        self.router.run("ip", "-batch", "-", given="\n".join(lines) + "\n")
        self.router.call(lambda: [_write(name.replace(".", "/"), value) for name, value in sysctls.items()])
        self.load(nft)

    def load(self, nft: str) -> None:
        """Put these rules in force, for new connections and for those that there were."""
        self.router.run("nft", "-f", "-", given=nft)
        self.router.call(forget_connections)


def _in_thread(function: Callable[[], T]) -> T:
    """A thread may go into another namespace, and ends there."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _unshared() -> int:
    if _LIBC.unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    return os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)


def _write(name: str, value: str) -> None:
    with open(f"/proc/sys/{name}", "w") as file:
        file.write(value)


def at_once(space: Namespace) -> None:
    """Errors are told at once, however many, and no source is thought strange."""

    def write() -> None:
        for name, value in (
            ("icmp_ratelimit", "0"),
            ("icmp_msgs_per_sec", "1000000"),
            ("icmp_msgs_burst", "1000000"),
        ):
            with suppress(OSError):  # of the whole machine on older kernels, where it cannot be set from here
                _write(f"net/ipv4/{name}", value)
        for device in os.listdir("/proc/sys/net/ipv4/conf"):
            _write(f"net/ipv4/conf/{device}/rp_filter", "0")

    space.call(write)


def forget_connections() -> None:
    """Empty the connection tracking table: ctnetlink's delete request that names none (linux/nfnetlink_conntrack.h)."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as netlink:
        netlink.send(struct.pack("=IHHIIBBH", 20, (1 << 8) | 2, 1 | 4, 1, 0, socket.AF_INET, 0, 0))
        error = struct.unpack("=i", netlink.recv(4096)[16:20])[0]
        assert error == 0, os.strerror(-error)


def _ear() -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    made.bind(("eth0", 0x0800))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    made.setblocking(False)
    return made


def _mouth() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


def _received(ear: socket.socket) -> Iterable[tuple[bytes, int]]:
    while True:
        try:
            data, where = ear.recvfrom(2048)
        except BlockingIOError:
            return
        yield data, where[2]


def _drain(ear: socket.socket) -> None:
    for _ in _received(ear):
        pass


def _packet(probe: Probe, number: int) -> bytes:
    source, destination = socket.inet_aton(probe.source), socket.inet_aton(probe.destination)
    protocol = NUMBERS.get(probe.protocol) or int(probe.protocol)
    own_port = 20_000 + number % 40_000
    if probe.protocol == "tcp":
        segment = struct.pack("!HHIIBBHHH", own_port, probe.port, number, 0, 0x50, 0x02, 1024, 0, 0)
        pseudo = source + destination + struct.pack("!HH", 6, len(segment))
        body = segment[:16] + struct.pack("!H", _checksum(pseudo + segment)) + segment[18:]
    elif probe.protocol == "udp":
        body = struct.pack("!HHHHI", own_port, probe.port, 12, 0, number)
    elif probe.protocol == "icmp":
        echo = struct.pack("!BBHHHI", 8, 0, 0, own_port, 1, number)
        body = echo[:2] + struct.pack("!H", _checksum(echo)) + echo[4:]
    else:
        body = struct.pack("!II", number, 0)
    return (
        struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, protocol, 0) + source + destination + body
    )


def _checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _read(wire: str, data: bytes) -> tuple[int, Arrival | None]:
    """The number of the probe that this is, and where it is to go; or that it answers, and None."""
    header = (data[0] & 15) * 4
    source, destination = socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])
    body, protocol = data[header:], data[9]
    if protocol == 6:
        port, sequence, acknowledged = struct.unpack("!xxHII", body[:12])
        if body[13] & 0x04:
            return acknowledged - 1, None
        return sequence, Arrival(wire, source, destination, port)
    if protocol == 17:
        port, number = struct.unpack("!xxHxxxxI", body[:12])
        return number, Arrival(wire, source, destination, port)
    if protocol == 1:
        if body[0] == 8:
            return struct.unpack("!I", body[8:12])[0], Arrival(wire, source, destination, -1)
        if body[0] == 0:
            return struct.unpack("!I", body[8:12])[0], None
        if body[0] == 3 and body[1] in (2, 3):  # protocol or port unreachable: somebody is there
            return _number_in(body[8:]), None
        return 0, None
    return struct.unpack("!I", body[:4])[0], Arrival(wire, source, destination, -1)


def _number_in(packet: bytes) -> int:
    """The number in a packet that comes back in an ICMP error."""
    body = packet[(packet[0] & 15) * 4 :]
    at = 8 if packet[9] == 17 else 0
    return struct.unpack("!I", body[at : at + 4])[0]
