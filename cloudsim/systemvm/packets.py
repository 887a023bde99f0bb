"""The first packet of a connection, and which descriptions of traffic it matches."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address, ip_network

import msgspec

from cloudsim.protocol.router import AclEntry, Traffic

ECHO_REQUEST, ECHO_REQUEST_6 = 8, 128
"""Types of ICMP and ICMPv6 messages (RFC 792, RFC 4443)."""
_ABOVE = 1 << 128
"""Numbers of IPv6 addresses are counted from here on, so that no range of one kind has an address of the other."""
_NUMBERS = {"1": "icmp", "6": "tcp", "17": "udp"}


class Packet(msgspec.Struct, frozen=True):
    """What opens a connection: a TCP SYN, a first datagram, an ICMP message. `port` is the destination port of tcp and udp.

    `protocol`: tcp, udp, icmp (of IPv6 ICMPv6) or an IP protocol number as text.
    """

    source: str
    destination: str
    protocol: str
    port: int = -1
    icmp_type: int = ECHO_REQUEST
    icmp_code: int = 0

    @property
    def what(self) -> str:
        """Such as "tcp 22" or "icmp"."""
        return f"{self.protocol} {self.port}" if self.protocol in ("tcp", "udp") else self.protocol

    @property
    def to(self) -> str:
        """Such as "tcp 203.0.113.5:22"."""
        port = f":{self.port}" if self.protocol in ("tcp", "udp") else ""
        return f"{self.protocol} {self.destination}{port}"


def opening(source: str, destination: str, protocol: str, port: int = -1) -> Packet:
    """What opens a connection of that protocol; of icmp an echo request."""
    echo = ECHO_REQUEST_6 if is_ipv6(destination) else ECHO_REQUEST
    return Packet(source, destination, protocol, port, echo)


def is_ipv6(text: str) -> bool:
    """Whether the address or CIDR is of IPv6."""
    return ":" in text


@lru_cache(16_384)
def span(cidr: str) -> tuple[int, int]:
    """First and last address of a CIDR (or address) as numbers. Bits behind the prefix do not matter."""
    network = ip_network(cidr, strict=False)
    above = _ABOVE if network.version == 6 else 0
    return above + int(network.network_address), above + int(network.broadcast_address)


@lru_cache(16_384)
def number(ip: str) -> int:
    """The address as a number: those of IPv6 are 2**128 and more."""
    return int(ip_address(ip)) + (_ABOVE if is_ipv6(ip) else 0)


def inside(ip: str, cidr: str) -> bool:
    first, last = span(cidr)
    return first <= number(ip) <= last


def named(protocol: str) -> str:
    """tcp, udp and icmp by name, however they were written."""
    protocol = protocol.lower()
    return _NUMBERS.get(protocol, protocol)


def named_for(protocol: str, ipv6: bool) -> str:
    """As `named`; among IPv6 packets icmp is what has the number 58."""
    return "icmp" if ipv6 and protocol == "58" else named(protocol)


def same_kind(packet: Packet, protocol: str, first: int, last: int) -> bool:
    """Whether it is of the protocol, and of these ports, or ICMP type and code. -1 leaves an end of a range open."""
    protocol = named_for(protocol, is_ipv6(packet.destination))
    if protocol == "all":
        return True
    if named(packet.protocol) != protocol:
        return False
    if protocol in ("tcp", "udp"):
        return max(first, 0) <= packet.port <= (last if last >= 0 else 65_535)
    if protocol == "icmp":
        return first in (-1, packet.icmp_type) and last in (-1, packet.icmp_code)
    return True


def matches(traffic: Traffic, packet: Packet) -> bool:
    """Whether the packet is of that traffic."""
    return (
        same_kind(packet, traffic.protocol, traffic.first, traffic.last)
        and (not traffic.sources or any(inside(packet.source, cidr) for cidr in traffic.sources))
        and (
            not traffic.destinations or any(inside(packet.destination, cidr) for cidr in traffic.destinations)
        )
    )


def first_match(rules: Iterable[Traffic], packet: Packet) -> Traffic | None:
    return next((rule for rule in rules if matches(rule, packet)), None)


def decide(acl: tuple[AclEntry, ...], ingress: bool, packet: Packet) -> tuple[bool, int | None]:
    """What an access control list says of a packet: allowed or not, and the place (from 1) of the entry that decided."""
    for place, entry in enumerate(acl, 1):
        if entry.ingress == ingress and matches(entry.traffic, packet):
            return entry.allow, place
    return not ingress and not any(not entry.ingress for entry in acl), None
