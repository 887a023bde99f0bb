"""Descriptions of traffic as nft has them: few rules with sets instead of many rules, so that thousands stay fast."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, collapse_addresses

from cloudsim.protocol.router import Traffic
from cloudsim.systemvm.packets import named

Ports = tuple[tuple[int, int], ...]
_ALL = (0, 65_535)


def matches(traffic: Iterable[Traffic]) -> list[str]:
    """Expressions that together match what any of `traffic` does. Their order does not matter; "" matches all."""
    ports: dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], list[tuple[int, int]]] = {}
    for each in traffic:
        protocol = named(each.protocol)
        key = protocol, _icmp(protocol, each), cidrs(each.sources), cidrs(each.destinations)
        given = (max(each.first, 0), each.last if each.last >= 0 else _ALL[1])
        ports.setdefault(key, []).append(given if protocol in ("tcp", "udp") else _ALL)
    sources: dict[tuple[str, str, Ports, tuple[str, ...]], list[tuple[str, ...]]] = {}
    for (protocol, icmp, source, destination), ranges in ports.items():
        sources.setdefault((protocol, icmp, _merged(ranges), destination), []).append(source)
    found = []
    for (protocol, icmp, merged, destination), lists in sources.items():
        source = () if () in lists else cidrs(cidr for each in lists for cidr in each)
        found.append(_text(protocol, icmp, merged, source, destination))
    return found


def cidrs(given: Iterable[str]) -> tuple[str, ...]:
    """The networks, without overlaps and in order; none if they are all there is."""
    return _collapsed(tuple(given))


@lru_cache(65_536)
def _collapsed(given: tuple[str, ...]) -> tuple[str, ...]:
    collapsed = tuple(collapse_addresses(IPv4Network(cidr, strict=False) for cidr in given))
    return () if any(net.prefixlen == 0 for net in collapsed) else tuple(map(_short, collapsed))


def address_set(given: Iterable[str]) -> str:
    """Such as `10.1.1.7` or `{ 10.1.1.7, 10.2.0.0/16 }`."""
    listed = list(given)
    return listed[0] if len(listed) == 1 else "{ " + ", ".join(listed) + " }"


def _short(net: IPv4Network) -> str:
    return str(net.network_address) if net.prefixlen == 32 else str(net)


def _icmp(protocol: str, traffic: Traffic) -> str:
    """The part about type and code; the same text if and only if they mean the same."""
    if protocol != "icmp":
        return ""
    kind = f"icmp type {traffic.first} " if traffic.first >= 0 else ""
    return kind + (f"icmp code {traffic.last} " if traffic.last >= 0 else "")


def _merged(ranges: list[tuple[int, int]]) -> Ports:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(each for each in ranges if each[0] <= each[1]):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(last, merged[-1][1])
        else:
            merged.append((first, last))
    return tuple(merged)


def _text(
    protocol: str, icmp: str, ranges: Ports, sources: tuple[str, ...], destinations: tuple[str, ...]
) -> str:
    parts = []
    if protocol in ("tcp", "udp"):
        if ranges == (_ALL,):
            parts.append(f"ip protocol {protocol}")
        else:
            parts.append(f"{protocol} dport {address_set(map(_range, ranges))}")
    elif protocol == "icmp":
        parts.append(icmp.strip() or "ip protocol icmp")
    elif protocol != "all":
        parts.append(f"ip protocol {protocol}")
    if sources:
        parts.append(f"ip saddr {address_set(sources)}")
    if destinations:
        parts.append(f"ip daddr {address_set(destinations)}")
    return " ".join(parts)


def _range(ports: tuple[int, int]) -> str:
    return str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}-{ports[1]}"
