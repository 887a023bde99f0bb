"""A router's IPv6 side in a network namespace between others, asked by real sockets: who is answered, is reached."""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import count
from typing import NamedTuple

from backends.systemvm.plan import Interface, PlannedRoute, interface_name
from tests.backends.systemvm.rendering.probing import Namespace

QUIET = 0.05  # seconds without an answer after which no more is expected
_IDS = count(1)


class Wire6(NamedTuple):
    """A network beside the router: the router's MAC on it, the addresses there (of 64 bits), and their gateway.

    `elsewhere`: addresses behind it, which its namespace has too.
    """

    mac: str
    addresses: tuple[str, ...]
    gateway: str
    elsewhere: tuple[str, ...] = ()


class Question(NamedTuple):
    """A connection that is tried, or (icmp) an echo that is asked for."""

    wire: str
    source: str
    destination: str
    protocol: str
    port: int = -1


class Crossing6:
    """The namespaces; there is nobody at any port in them, and each of them says so."""

    def __init__(self, wires: dict[str, Wire6]) -> None:
        self.wires = wires
        self.router = Namespace()
        self.spaces = {name: Namespace() for name in wires}
        self.router.call(lambda: _write({"all/disable_ipv6": "0", "default/accept_dad": "0"}))
        self.router.run("ip", "link", "set", "lo", "up")
        for name, wire in wires.items():
            device, space = interface_name(wire.mac), self.spaces[name]
            space.call(lambda: _write({"all/disable_ipv6": "0", "default/accept_dad": "0"}))
            space.call(lambda: _write({"../icmp/ratelimit": "0"}))
            self.router.run("ip", "link", "add", device, "address", wire.mac, "type", "veth", "peer", "name", "eth0",
                            "netns", space.path)  # fmt: skip
            self.router.run("ip", "link", "set", device, "up")
            lines = ["link set lo up", "link set eth0 up"]
            lines += [f"address add {each}/64 dev eth0 nodad" for each in wire.addresses]
            lines += [f"address add {each}/128 dev lo nodad" for each in wire.elsewhere]
            lines.append(f"route add default via {wire.gateway} dev eth0 onlink")
            space.run("ip", "-batch", "-", given="\n".join(lines) + "\n")

    def close(self) -> None:
        for space in (self.router, *self.spaces.values()):
            space.close()

    def configure(
        self,
        interfaces: Iterable[Interface],
        routes: Iterable[PlannedRoute],
        sysctls: dict[str, str],
        nft: str,
    ) -> None:
        """Make the router this, as far as it is about IPv6."""
        self.router.call(
            lambda: _write(
                {
                    name.removeprefix("net.ipv6.conf.").replace(".", "/"): value
                    for name, value in sysctls.items()
                    if name.startswith("net.ipv6.")
                }
            )
        )
        lines = [
            f"-6 address flush dev {interface_name(wire.mac)} scope global" for wire in self.wires.values()
        ]
        for each in interfaces:
            given = [address for address in each.addresses if ":" in address]
            lines += [f"address add {address} dev {interface_name(each.mac)} nodad" for address in given]
        for route in routes:
            if ":" in route.destination:
                via = f"via {route.gateway} dev {interface_name(route.mac)} onlink"
                lines.append(f"-6 route replace {route.destination} {via}")
        for line in lines:
            self.router.run("ip", *line.split())
        self.load(nft)

    def load(self, nft: str) -> None:
        """Put these rules in force, for new connections and for those that there were."""
        self.router.run("nft", "-f", "-", given=nft)
        self.router.call(_forget_connections)

    def answered(self, asked: Sequence[Question], patience: float = QUIET) -> set[Question]:
        """Those that somebody answered."""
        found: set[Question] = set()
        for wire, space in self.spaces.items():
            mine = [each for each in asked if each.wire == wire]
            if mine:
                found |= space.call(lambda mine=mine: _ask(mine, patience))  # type: ignore[misc]
        return found


def _ask(asked: Sequence[Question], patience: float) -> set[Question]:
    waiting: dict[int, tuple[socket.socket, Question, int]] = {}
    poll, found = select.poll(), set()
    for question in asked:
        number = next(_IDS) & 0xFFFF
        made = _begun(question, number)
        poll.register(made.fileno(), select.POLLIN | select.POLLOUT * (question.protocol == "tcp"))
        waiting[made.fileno()] = made, question, number
    quiet_since = time.monotonic()
    while waiting and time.monotonic() - quiet_since < patience:
        for descriptor, _ in poll.poll(patience * 1000):
            if descriptor not in waiting:
                continue
            made, question, number = waiting[descriptor]
            answer = _answer(made, question, number)
            if answer is None:
                continue
            quiet_since = time.monotonic()
            if answer:
                found.add(question)
            poll.unregister(descriptor)
            waiting.pop(descriptor)
            made.close()
    for made, _, _ in waiting.values():
        made.close()
    return found


def _begun(question: Question, number: int) -> socket.socket:
    kinds = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM, "icmp": socket.SOCK_RAW}
    protocol = socket.IPPROTO_ICMPV6 if question.protocol == "icmp" else 0
    made = socket.socket(socket.AF_INET6, kinds[question.protocol], protocol)
    made.setblocking(False)
    made.bind((question.source, 0))
    with suppress(BlockingIOError):
        made.connect((question.destination, max(question.port, 0)))
    if question.protocol == "udp":
        made.send(b"hello")
    elif question.protocol == "icmp":
        made.send(struct.pack("!BBHHH", 128, 0, 0, number, 1))
    return made


def _answer(made: socket.socket, question: Question, number: int) -> bool | None:
    """Whether this is somebody's answer; None: not yet."""
    if question.protocol == "icmp":
        with suppress(BlockingIOError):
            kind, _, _, identifier = struct.unpack("!BBHH", made.recv(2048)[:6])
            return True if (kind, identifier) == (129, number) else None
        return None
    error = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return error in (0, errno.ECONNREFUSED)


def _write(values: dict[str, str]) -> None:
    for name, value in values.items():
        with open(f"/proc/sys/net/ipv6/conf/{name}", "w") as file:
            file.write(value)


def _forget_connections() -> None:
    """Empty the connection tracking table, as `probing.forget_connections`, of both kinds of addresses."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as netlink:
        netlink.send(struct.pack("=IHHIIBBH", 20, (1 << 8) | 2, 1 | 4, 1, 0, socket.AF_UNSPEC, 0, 0))
        error = struct.unpack("=i", netlink.recv(4096)[16:20])[0]
        assert error == 0, os.strerror(-error)
