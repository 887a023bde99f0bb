"""Descriptions of traffic as nft has them: few rules with sets instead of many rules, so that thousands stay fast."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from msgspec.structs import replace

from cloudsim.protocol.router import Traffic
from cloudsim.systemvm.packets import is_ipv6, named_for

Ports = tuple[tuple[int, int], ...]
_ALL = (0, 65_535)


def matches(traffic: Iterable[Traffic], ipv6: bool = False) -> list[str]:
    """Expressions that together match which IPv4 (or IPv6) packets any of `traffic` does.

    Their order does not matter; "" matches all.
    """
    ports: dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], list[tuple[int, int]]] = {}
    for whole in traffic:
        each = _of_kind(whole, ipv6)
        if each is None:
            continue
        protocol = named_for(each.protocol, ipv6)
        key = protocol, _icmp(protocol, each), cidrs(each.sources), cidrs(each.destinations)
        given = (max(each.first, 0), each.last if each.last >= 0 else _ALL[1])
        ports.setdefault(key, []).append(given if protocol in ("tcp", "udp") else _ALL)
    sources: dict[tuple[str, str, Ports, tuple[str, ...]], list[tuple[str, ...]]] = {}
    for (protocol, icmp, source, destination), ranges in ports.items():
        sources.setdefault((protocol, icmp, _merged(ranges), destination), []).append(source)
    found = []
    for (protocol, icmp, merged, destination), lists in sources.items():
        source = () if () in lists else cidrs(cidr for each in lists for cidr in each)
        found.append(_text(protocol, icmp, merged, source, destination, ipv6))
    return found


def _of_kind(traffic: Traffic, ipv6: bool) -> Traffic | None:
    """With the CIDRs of that kind alone; None where it has CIDRs, and all are of the other kind."""
    sources = tuple(cidr for cidr in traffic.sources if is_ipv6(cidr) == ipv6)
    destinations = tuple(cidr for cidr in traffic.destinations if is_ipv6(cidr) == ipv6)
    if (traffic.sources and not sources) or (traffic.destinations and not destinations):
        return None
    if (sources, destinations) == (traffic.sources, traffic.destinations):
        return traffic
    return replace(traffic, sources=sources, destinations=destinations)


def cidrs(given: Iterable[str]) -> tuple[str, ...]:
    """The networks, all of one kind, without overlaps and in order; none if they are all there is."""
    return _collapsed(tuple(given))


@lru_cache(65_536)
def _collapsed(given: tuple[str, ...]) -> tuple[str, ...]:
    collapsed: tuple[IPv4Network | IPv6Network, ...]
    if any(map(is_ipv6, given)):
        collapsed = tuple(collapse_addresses(IPv6Network(cidr, strict=False) for cidr in given))
    else:
        collapsed = tuple(collapse_addresses(IPv4Network(cidr, strict=False) for cidr in given))
    return () if any(net.prefixlen == 0 for net in collapsed) else tuple(map(_short, collapsed))


def address_set(given: Iterable[str]) -> str:
    """Such as `10.1.1.7` or `{ 10.1.1.7, 10.2.0.0/16 }`."""
    listed = list(given)
    return listed[0] if len(listed) == 1 else "{ " + ", ".join(listed) + " }"


def _short(net: IPv4Network | IPv6Network) -> str:
    return str(net.network_address) if net.prefixlen == net.max_prefixlen else str(net)


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
    protocol: str,
    icmp: str,
    ranges: Ports,
    sources: tuple[str, ...],
    destinations: tuple[str, ...],
    ipv6: bool,
) -> str:
    parts = []
    kind, is_of = ("ip6", "meta l4proto") if ipv6 else ("ip", "ip protocol")
    if protocol in ("tcp", "udp"):
        if ranges == (_ALL,):
            parts.append(f"{is_of} {protocol}")
        else:
            parts.append(f"{protocol} dport {address_set(map(_range, ranges))}")
    elif protocol == "icmp":
        whole = "meta l4proto ipv6-icmp" if ipv6 else "ip protocol icmp"
        parts.append(icmp.strip().replace("icmp ", "icmpv6 ") if ipv6 and icmp else icmp.strip() or whole)
    elif protocol != "all":
        parts.append(f"{is_of} {protocol}")
    if sources:
        parts.append(f"{kind} saddr {address_set(sources)}")
    if destinations:
        parts.append(f"{kind} daddr {address_set(destinations)}")
    return " ".join(parts)


def _range(ports: tuple[int, int]) -> str:
    return str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}-{ports[1]}"
