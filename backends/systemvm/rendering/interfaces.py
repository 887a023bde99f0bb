"""A router's interfaces, routes and kernel settings."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv4Network

from backends.systemvm.plan import (
    FIRST_PRIORITY,
    MAIN_TABLE,
    CountedAddress,
    Interface,
    PlannedRoute,
    PlannedRule,
)
from backends.systemvm.rendering.nftables import CHOSEN, exits
from backends.systemvm.rendering.nftables6 import has_ipv6
from cloudsim.protocol.router import DEFAULT_MTU, GuestNetworkConfiguration, RouterConfiguration
from cloudsim.systemvm.packets import inside
from cloudsim.systemvm.security_groups import METADATA_ADDRESS

DEFAULT, DEFAULT_6 = "0.0.0.0/0", "::/0"
_TABLES = 100
"""Connections with mark n look in the routing table that is this plus n."""
SYSCTLS = {
    "net.ipv4.ip_forward": "1",
    "net.ipv4.conf.all.rp_filter": "0",  # answers may leave elsewhere than their main route says
    "net.ipv4.conf.default.rp_filter": "0",
    "net.ipv4.conf.all.send_redirects": "0",  # to hairpinned guests
    "net.ipv4.conf.default.send_redirects": "0",
    "net.ipv4.conf.all.accept_redirects": "0",
    "net.ipv6.conf.all.disable_ipv6": "1",
    "net.ipv6.conf.default.disable_ipv6": "1",
}
SYSCTLS_6 = {
    **SYSCTLS,
    "net.ipv6.conf.all.disable_ipv6": "0",
    "net.ipv6.conf.default.disable_ipv6": "0",
    "net.ipv6.conf.all.forwarding": "1",
    "net.ipv6.conf.all.accept_ra": "0",  # a router is told its ways by the manager alone
    "net.ipv6.conf.default.accept_ra": "0",
    "net.ipv6.conf.all.accept_redirects": "0",
}
"""Of a router that has IPv6 to do."""


def sysctls(configuration: RouterConfiguration) -> dict[str, str]:
    """The router's kernel settings."""
    return SYSCTLS_6 if has_ipv6(configuration) else SYSCTLS


def interfaces(configuration: RouterConfiguration) -> tuple[Interface, ...]:
    """With the addresses on each; that of the source NAT first, so that the router itself speaks as it."""
    found: dict[str, list[str]] = {}
    for address in sorted(configuration.public, key=lambda public: not public.source_nat):
        found.setdefault(address.mac, []).append(_with_prefix(address.ip, address.netmask))
    for guest in configuration.guests:
        found[guest.mac] = [_with_prefix(guest.router_ip, guest.netmask), *_further(guest, configuration)]
        if guest.ip6:
            found[guest.mac].append(f"{guest.ip6}/64")
    if configuration.public6 is not None:
        found.setdefault(configuration.public6.mac, []).append(f"{configuration.public6.ip}/64")
    for leg in configuration.private:
        found[leg.mac] = [_with_prefix(leg.ip, leg.netmask)]
    mtus = {address.mac: configuration.public_mtu for address in configuration.public}
    if configuration.public6 is not None:
        mtus[configuration.public6.mac] = configuration.public_mtu
    mtus |= {guest.mac: guest.mtu for guest in configuration.guests}
    return tuple(
        Interface(mac, tuple(dict.fromkeys(addresses)), mtus.get(mac, DEFAULT_MTU))
        for mac, addresses in found.items()
    )


def _further(guest: GuestNetworkConfiguration, configuration: RouterConfiguration) -> Iterator[str]:
    net, public = (
        _with_prefix(guest.router_ip, guest.netmask),
        {address.ip for address in configuration.public},
    )
    for balancer in configuration.balancers:
        if balancer.ip not in public and balancer.ip != guest.router_ip and inside(balancer.ip, net):
            yield _with_prefix(balancer.ip, guest.netmask)
    if "UserData" in guest.services:
        yield f"{METADATA_ADDRESS}/32"


def routes(configuration: RouterConfiguration) -> tuple[PlannedRoute, ...]:
    """Static ones, the way out, and where there are several ways out, tables for each."""
    static = [PlannedRoute(_net(route.cidr), route.next_hop) for route in configuration.routes]
    found = list(static)
    if not any(route.destination == DEFAULT for route in static):
        found += _way_out(configuration)
    by_ip = {address.ip: address for address in configuration.public}
    done = set()
    for ip, mark in exits(configuration).items():
        if mark in done:
            continue
        done.add(mark)
        out, back, chosen = by_ip[ip], _TABLES + mark, _TABLES + CHOSEN + mark
        for table in (back, chosen):
            found.append(PlannedRoute(DEFAULT, out.gateway, out.mac, table))
            found.append(PlannedRoute(_net(f"{out.ip}/{out.netmask}"), "", out.mac, table))
        found += [PlannedRoute(net, "", mac, chosen) for net, mac in _inside(configuration)]
        found += [
            PlannedRoute(route.destination, route.gateway, route.mac, chosen)
            for route in static
            if route.destination != DEFAULT
        ]
    if configuration.public6 is not None:
        found.append(PlannedRoute(DEFAULT_6, configuration.public6.gateway, configuration.public6.mac))
    return tuple(found)


def _way_out(configuration: RouterConfiguration) -> Iterator[PlannedRoute]:
    public = sorted(configuration.public, key=lambda address: not address.source_nat)
    if public:
        yield PlannedRoute(DEFAULT, public[0].gateway, public[0].mac, MAIN_TABLE)
        return
    for guest in configuration.guests:
        if guest.gateway not in ("", guest.router_ip):
            yield PlannedRoute(DEFAULT, guest.gateway, guest.mac, MAIN_TABLE)
            return


def _inside(configuration: RouterConfiguration) -> list[tuple[str, str]]:
    """The networks of guests and private legs, and the MACs of the interfaces on them."""
    nets = {(_net(f"{guest.router_ip}/{guest.netmask}"), guest.mac) for guest in configuration.guests}
    return sorted(nets | {(_net(f"{leg.ip}/{leg.netmask}"), leg.mac) for leg in configuration.private})


def policies(configuration: RouterConfiguration) -> tuple[PlannedRule, ...]:
    """Which marks look in which table."""
    ways = sorted(set(exits(configuration).values()))
    marks = [*ways, *(CHOSEN + way for way in ways)]
    return tuple(PlannedRule(FIRST_PRIORITY + mark, _TABLES + mark, mark=mark) for mark in marks)


def counted(configuration: RouterConfiguration) -> tuple[CountedAddress, ...]:
    """The addresses whose traffic is counted."""
    return tuple(CountedAddress(address.ip, address.mac) for address in configuration.public)


def _with_prefix(ip: str, netmask: str) -> str:
    return str(IPv4Interface(f"{ip}/{netmask}"))


def _net(cidr: str) -> str:
    return str(IPv4Network(cidr, strict=False))
