"""A router's packet filter for IPv6 as one nft script: what `cloudsim.systemvm.passage6` says, for the kernel."""

from __future__ import annotations

from collections.abc import Iterable

from backends.systemvm.plan import interface_name
from backends.systemvm.rendering.matches import address_set, matches
from backends.systemvm.rendering.verdicts import by_list, with_verdict
from cloudsim.protocol.router import GuestNetworkConfiguration, RouterConfiguration
from cloudsim.systemvm.passage6 import LINK_LOCAL, subnet_of

TABLE = "table ip6 router"
_OF_CONNECTIONS = "ct state vmap { established : accept, related : accept, invalid : drop }"
_NEIGHBOURS = "nd-neighbor-solicit, nd-neighbor-advert"


def has_ipv6(configuration: RouterConfiguration) -> bool:
    """Whether the router has anything to do with IPv6."""
    return configuration.public6 is not None or any(guest.ip6 for guest in configuration.guests)


def rules6(configuration: RouterConfiguration) -> str:
    """The script."""
    chains: list[str] = []
    guests = [guest for guest in configuration.guests if guest.ip6]
    outside = interface_name(configuration.public6.mac) if configuration.public6 is not None else None
    _forwarding(chains, guests, outside)
    _arriving(chains, guests)
    body = "\n".join(chains)
    return f"{TABLE}\ndelete {TABLE}\n{TABLE} {{\n{body}\n}}\n"


def _chain(chains: list[str], name: str, lines: Iterable[str], hook: str = "") -> str:
    body = "".join(f"\t\t{line}\n" for line in ([hook] if hook else []) + list(lines))
    chains.append(f"\tchain {name} {{\n{body}\t}}")
    return name


def _forwarding(chains: list[str], guests: list[GuestNetworkConfiguration], outside: str | None) -> None:
    leave, enter, out = [], [], []
    for guest in guests:
        name = interface_name(guest.mac)
        from_tier = [] if guest.acl is None else by_list(guest.acl, False, "return", ipv6=True)
        own = f"ip6 saddr != {subnet_of(guest)} drop"
        leave.append(f'"{name}" : jump {_chain(chains, f"from_{name}", [own, *from_tier])}')
        enter.append(f'"{name}" : goto {_chain(chains, f"into_{name}", _into(guest))}')
        egress = ["accept"] if guest.acl is not None else _egress(guest)
        out.append(f'"{name}" : goto {_chain(chains, f"out_of_{name}", egress)}')
    if outside is not None:
        enter.append(f'"{outside}" : goto {_chain(chains, "outward", [_by_interface("iifname", out)] if out else [])}')
    lines = [_OF_CONNECTIONS, f"ip6 saddr {LINK_LOCAL} drop"]
    lines += [_by_interface("iifname", leave)] if leave else []
    lines += [_by_interface("oifname", enter)] if enter else []
    _chain(chains, "forwarding", lines, "type filter hook forward priority filter; policy drop;")


def _into(guest: GuestNetworkConfiguration) -> list[str]:
    if guest.acl is not None:
        return by_list(guest.acl, True, "accept", ipv6=True)
    return [with_verdict(match, "accept") for match in matches(guest.ingress6, ipv6=True)]


def _egress(guest: GuestNetworkConfiguration) -> list[str]:
    matched = "drop" if guest.egress_allowed else "accept"
    lines = [with_verdict(match, matched) for match in matches(guest.egress6, ipv6=True)]
    return [*lines, "accept"] if guest.egress_allowed else lines


def _arriving(chains: list[str], guests: list[GuestNetworkConfiguration]) -> None:
    """For the router itself: what neighbours need of each other, echoes, and names."""
    lines = [_OF_CONNECTIONS, 'iifname "lo" accept', f"icmpv6 type {{ {_NEIGHBOURS} }} accept"]
    for guest in guests:
        name = f'iifname "{interface_name(guest.mac)}"'
        lines.append(f"{name} icmpv6 type nd-router-solicit accept")
        lines.append(f"{name} ip6 saddr != {address_set((subnet_of(guest), LINK_LOCAL))} drop")
        if "Dns" in guest.services:
            lines.append(f"{name} ip6 daddr {guest.ip6} meta l4proto {{ tcp, udp }} th dport 53 accept")
    lines.append("icmpv6 type echo-request accept")
    _chain(chains, "arriving", lines, "type filter hook input priority filter; policy drop;")


def _by_interface(key: str, leads: list[str]) -> str:
    return f"{key} vmap {{ {', '.join(leads)} }}"
