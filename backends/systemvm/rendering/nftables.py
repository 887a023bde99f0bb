"""A router's packet filter and address translation as one nft script: what `cloudsim.systemvm.passage` says, for the kernel.

The table is replaced whole, in one transaction. Connections outlive it: what was let in once stays. What differs from
address to address is in maps and sets, so that a packet passes few rules however many there are. Lists run once for
each connection, since what belongs to one passes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from backends.systemvm.plan import interface_name
from backends.systemvm.rendering.matches import address_set, cidrs, matches
from backends.systemvm.rendering.nftables6 import has_ipv6, rules6
from backends.systemvm.rendering.verdicts import by_list, with_verdict
from cloudsim.protocol.router import (
    Balancer,
    Forward,
    GuestNetworkConfiguration,
    PrivateLeg,
    RouterConfiguration,
)
from cloudsim.systemvm.packets import inside
from cloudsim.systemvm.passage import cidr_of
from cloudsim.systemvm.security_groups import METADATA_ADDRESS

TABLE = "table ip router"
CHOSEN = 0x40
SPREAD = 0x100
"""Set in the mark of connections that a UDP load balancer spreads; the bits below it tell the way out (`exits`)."""
_EVERYBODY = "255.255.255.255"


def rules(configuration: RouterConfiguration) -> str:
    """The script."""
    text = _Rules(configuration).text()
    return text + rules6(configuration) if has_ipv6(configuration) else text


def exits(configuration: RouterConfiguration) -> dict[str, int]:
    """Where there are several ways out: the number (from 1) of each public address's, by the address; else none.

    A connection that came in from outside has the number of its way in the mark of its packets that go back. One of an
    instance with static NAT has that of its public address, plus `CHOSEN`.
    """
    ways = list(dict.fromkeys((address.mac, address.gateway) for address in configuration.public))
    if len(ways) < 2 and not configuration.routes:
        return {}
    return {address.ip: ways.index((address.mac, address.gateway)) + 1 for address in configuration.public}


class _Rules:
    def __init__(self, configuration: RouterConfiguration) -> None:
        self.it = configuration
        self.publics = list(dict.fromkeys(_name(address.mac) for address in configuration.public))
        self.tiers = [guest for guest in configuration.guests if guest.acl is not None]
        self.source_nat = next((address for address in configuration.public if address.source_nat), None)
        self.seen_as = {nat.guest_ip: nat.ip for nat in configuration.static_nats}
        self.chains: list[str] = []
        self.maps: list[str] = []

        self._peers = cidrs(cidr for site in configuration.sites for cidr in site.peer_cidrs)
        self._dialled = [dial_in.ip for dial_in in configuration.dial_in]

    def text(self) -> str:
        self._marking()
        self._entering()
        self._translating()
        self._forwarding()
        self._arriving()
        self._leaving()
        body = "\n".join([*self.maps, *self.chains])
        return f"{TABLE}\ndelete {TABLE}\n{TABLE} {{\n{body}\n}}\n"

    def _chain(self, name: str, lines: Iterable[str], hook: str = "") -> str:
        """A chain, if it has any lines or a hook; its name."""
        body = "".join(f"\t\t{line}\n" for line in ([hook] if hook else []) + list(lines))
        self.chains.append(f"\tchain {name} {{\n{body}\t}}")
        return name

    def _keys(self, ips: Sequence[str]) -> list[str]:
        """What is let in at addresses that have VPNs: the exchange of keys, ESP, and L2TP out of a tunnel alone."""
        if not ips:
            return []
        at = f"ip daddr {address_set(dict.fromkeys(ips))}"
        lines = [f"{at} udp dport {{ 500, 4500 }} accept", f"{at} ip protocol esp accept"]
        if self._dialled:
            at = f"ip daddr {address_set(self._dialled)}"
            lines += [
                f"{at} udp dport 1701 meta ipsec exists accept",
                f'{at} iifname "ipsec*" udp dport 1701 accept',
            ]
        return lines

    def _map(self, name: str, kind: str, elements: Sequence[str], intervals: bool = False) -> str:
        listed = ",\n\t\t\t".join(elements)
        flags = "\t\tflags interval\n" if intervals else ""
        filled = f"\t\telements = {{\n\t\t\t{listed}\n\t\t}}\n" if elements else ""
        what = "map" if ":" in kind else "set"
        self.maps.append(f"\t{what} {name} {{\n\t\ttype {kind}\n{flags}{filled}\t}}")
        return f"@{name}"

    # as packets come in, before their destination is translated

    def _marking(self) -> None:
        """Where there are several ways out, a connection keeps to the one that it came by or is to take."""
        marks = exits(self.it)
        if not marks:
            return
        came_in = [f"{ip} : {mark}" for ip, mark in marks.items()]
        seen_as = [f"{guest} : {marks[ip] + CHOSEN}" for guest, ip in self.seen_as.items() if ip in marks]
        back = "meta mark set ct mark and 0xff"
        outside, lines = _names(self.publics), []
        if seen_as:
            ways = self._map("ways_by_guest", "ipv4_addr : mark", seen_as)
            lines.append(f"ct state new iifname != {outside} ct mark set ip saddr map {ways}")
        ways = self._map("ways_by_address", "ipv4_addr : mark", came_in)
        lines.append(f"ct state new iifname {outside} ct mark set ip daddr map {ways}")
        lines.append(f"iifname != {outside} {back}")
        self._chain("marking", lines, "type filter hook prerouting priority mangle - 5; policy accept;")
        self._chain("answering", [back], "type route hook output priority mangle; policy accept;")

    def _entering(self) -> None:
        lines = ["ct state { established, related } accept"]
        leads = []
        for guest in self.tiers:
            assert guest.acl is not None
            verdicts = by_list(guest.acl, False, "return")
            if verdicts:
                exempt = address_set((guest.router_ip, METADATA_ADDRESS, _EVERYBODY))
                name = self._chain(f"from_{_name(guest.mac)}", [f"ip daddr {exempt} return", *verdicts])
                leads.append(f'"{_name(guest.mac)}" : jump {name}')
        if leads:
            lines.append(f"iifname vmap {{ {', '.join(leads)} }}")
        lines += self._keys(self._dialled)  # what opens a tunnel is let in by itself
        if self.it.firewalled and self.it.public:
            by_ip: dict[str, list[str]] = {address.ip: [] for address in self.it.public}
            for ip, given in groupby(sorted(self.it.ingress, key=lambda r: r.ip), key=lambda r: r.ip):
                if ip in by_ip:
                    by_ip[ip] = [with_verdict(match, "accept") for match in matches(r.traffic for r in given)]
            leads = []
            for ip, allowed in by_ip.items():
                if allowed:
                    name = self._chain(f"firewall_{ip.replace('.', '_')}", [*allowed, "drop"])
                    leads.append(f"{ip} : goto {name}")
                else:
                    leads.append(f"{ip} : drop")
            lines.append(f"ip daddr vmap {self._map('firewalls', 'ipv4_addr : verdict', leads)}")
        self._chain("entering", lines, "type filter hook prerouting priority mangle; policy accept;")

    def _translating(self) -> None:
        lines = []
        same = [f for f in self.it.forwards if f.first == f.guest_first]
        moved = [f for f in self.it.forwards if f.first != f.guest_first]
        key = "ip daddr . meta l4proto . th dport map"
        if same:
            elements = [f"{f.ip} . {f.protocol} . {_ports(f)} : {f.guest_ip}" for f in same]
            kind = "ipv4_addr . inet_proto . inet_service : ipv4_addr"
            lines.append(f"dnat ip to {key} {self._map('forwards', kind, elements, intervals=True)}")
        if moved:
            elements = [
                f"{f.ip} . {f.protocol} . {port} : {f.guest_ip} . {f.guest_first + port - f.first}"
                for f in moved
                for port in range(f.first, f.last + 1)
            ]
            kind = "ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service"
            lines.append(f"dnat ip addr . port to {key} {self._map('moved_forwards', kind, elements)}")
        for at, balancer in enumerate(b for b in self.it.balancers if b.protocol == "udp" and b.members):
            lines.append(self._spread(at, balancer))
        if self.it.static_nats:
            elements = [f"{ip} : {guest}" for ip, guest in self._static().items()]
            lines.append(
                f"dnat ip to ip daddr map {self._map('static_nats', 'ipv4_addr : ipv4_addr', elements)}"
            )
        self._chain("translating", lines, "type nat hook prerouting priority dstnat; policy accept;")

    def _static(self) -> dict[str, str]:
        return {nat.ip: nat.guest_ip for nat in self.it.static_nats}

    def _spread(self, at: int, balancer: Balancer) -> str:
        """A UDP load balancer is done here: haproxy knows TCP only."""
        count = len(balancer.members)
        sticky = balancer.stickiness is not None and balancer.stickiness.method == "SourceBased"
        by_source = balancer.algorithm == "source" or sticky
        choice = f"jhash ip saddr mod {count} seed 0x{at + 1:x}" if by_source else f"numgen inc mod {count}"
        members = ", ".join(f"{i} : {m.ip} . {m.port}" for i, m in enumerate(balancer.members))
        return (
            f"ip daddr {balancer.ip} udp dport {balancer.port} {_sources(balancer)}"
            f"ct mark set ct mark or 0x{SPREAD:x} dnat ip addr . port to {choice} map {{ {members} }}"
        )

    # as they pass through

    def _forwarding(self) -> None:
        lines = [
            "ct state vmap { established : accept, related : accept, invalid : drop }",
            "ip daddr 169.254.0.0/16 drop",
        ]
        for leg in self.it.private:
            if leg.acl is not None:
                name = self._chain(f"from_{_name(leg.mac)}", by_list(leg.acl, True, "return"))
                lines.append(f'iifname "{_name(leg.mac)}" jump {name}')
        if self.it.sites and self.tiers:
            self._chain("to_peers", [f"iifname {_names(_name(guest.mac) for guest in self.tiers)} accept"])
            lines.append('oifname "ipsec*" goto to_peers')
        if self.it.dial_in and self.it.guests:
            self._chain(
                "to_dialled", [f"iifname {_names(_name(guest.mac) for guest in self.it.guests)} accept"]
            )
            lines.append('oifname "ppp*" goto to_dialled')
        if self.publics and self.tiers:  # into other networks nothing comes untranslated anyway
            tunnelled = ["meta ipsec exists return"] if self.it.sites else []
            self._chain("from_outside", ["ct status dnat return", *tunnelled, "drop"])
            lines.append(f"iifname {_names(self.publics)} jump from_outside")
        leads = []
        for guest in self.it.guests:
            leads.append(f'"{_name(guest.mac)}" : goto {self._into(guest)}')
        for leg in self.it.private:
            leads.append(f'"{_name(leg.mac)}" : goto {self._through(leg)}')
        if self.publics:
            outward = self._outward()
            leads += [f'"{name}" : goto {outward}' for name in self.publics]
        if leads:
            lines.append(f"oifname vmap {{ {', '.join(leads)} }}")
        self._chain("forwarding", lines, "type filter hook forward priority filter; policy drop;")

    def _into(self, guest: GuestNetworkConfiguration) -> str:
        name = f"into_{_name(guest.mac)}"
        if guest.acl is None:
            dialled = ['iifname "ppp*" accept'] if self.it.dial_in else []
            return self._chain(name, ["ct status dnat accept", *dialled])
        members = [m.ip for b in self.it.balancers if b.protocol == "udp" for m in b.members]
        spread = any(inside(ip, cidr_of(guest)) for ip in members)
        lines = [f"ct mark and 0x{SPREAD:x} == 0x{SPREAD:x} accept"] if spread else []
        return self._chain(name, [*lines, *by_list(guest.acl, True, "accept")])

    def _through(self, leg: PrivateLeg) -> str:
        name = f"into_{_name(leg.mac)}"
        if not self.tiers:
            return self._chain(name, ["drop"])
        lines = [f"iifname != {_names(_name(guest.mac) for guest in self.tiers)} drop"]
        return self._chain(
            name, [*lines, *(["accept"] if leg.acl is None else by_list(leg.acl, False, "accept"))]
        )

    def _outward(self) -> str:
        lines = []
        if self._peers and self.tiers:
            tiers = _names(_name(guest.mac) for guest in self.tiers)
            lines.append(f"ip daddr {address_set(self._peers)} rt ipsec missing drop")  # never in the clear
            lines.append(f"ip daddr {address_set(self._peers)} iifname {tiers} accept")
        if self.source_nat is None:
            seen = address_set(self.seen_as)
            lines.append(f"ip saddr != {seen} drop" if self.seen_as else "drop")
        leads = []
        for guest in self.it.guests:
            if guest.gateway != guest.router_ip:
                continue
            name = _name(guest.mac)
            if guest.acl is not None:
                leads.append(f'"{name}" : accept')
            else:
                leads.append(f'"{name}" : goto {self._egress(guest)}')
        if leads:
            lines.append(f"iifname vmap {{ {', '.join(leads)} }}")
        if self.it.dial_in:
            lines.append('iifname "ppp*" accept')
        return self._chain("outward", lines)

    def _egress(self, guest: GuestNetworkConfiguration) -> str:
        matched = "drop" if guest.egress_allowed else "accept"
        lines = [with_verdict(match, matched) for match in matches(guest.egress)]
        return self._chain(
            f"egress_{_name(guest.mac)}", [*lines, *(["accept"] if guest.egress_allowed else [])]
        )

    # for the router itself

    def _arriving(self) -> None:
        lines = [
            "ct state vmap { established : accept, related : accept, invalid : drop }",
            'iifname "lo" accept',
        ]
        if self.publics:
            own = address_set(address.ip for address in self.it.public)
            lines.append(f"iifname {_names(self.publics)} ip daddr != {own} drop")
        lines.append("icmp type echo-request accept")
        lines += self._keys([*self._dialled, *(site.ip for site in self.it.sites)])
        dns = [guest.router_ip for guest in self.it.guests if "Dns" in guest.services]
        if self.it.dial_in and dns:
            lines.append(
                f'iifname "ppp*" ip daddr {address_set(dns)} meta l4proto {{ tcp, udp }} th dport 53 accept'
            )
        balancers = [b for b in self.it.balancers if b.protocol != "udp"]
        leads = [f"{b.ip} . {b.port} : accept" for b in balancers if not cidrs(b.sources)]
        limited = [b for b in balancers if cidrs(b.sources)]
        for at, balancer in enumerate(limited):
            name = self._chain(f"balancer_{at}", [f"{_sources(balancer)}accept"])
            leads.append(f"{balancer.ip} . {balancer.port} : jump {name}")
        if leads:
            kind = "ipv4_addr . inet_service : verdict"
            lines.append(f"ip daddr . tcp dport vmap {self._map('balancers', kind, leads)}")
        for guest in self.it.guests:
            services = _services(guest)
            if services:
                name = self._chain(f"services_{_name(guest.mac)}", services)
                lines.append(f'iifname "{_name(guest.mac)}" jump {name}')
        self._chain("arriving", lines, "type filter hook input priority filter; policy drop;")

    # as they go out

    def _leaving(self) -> None:
        lines = []
        nets = [cidr_of(guest) for guest in self.it.guests]
        nets += [f"{each.first}-{each.last}" for each in self.it.dial_in]
        if self._peers:
            lines.append(f"ip daddr {address_set(self._peers)} rt ipsec exists accept")
        if self.publics:
            out = f"oifname {_names(self.publics)}"
            if self.seen_as:
                elements = [f"{guest} : {ip}" for guest, ip in self.seen_as.items()]
                seen_as = self._map("seen_as", "ipv4_addr : ipv4_addr", elements)
                lines.append(f"{out} snat ip to ip saddr map {seen_as}")
            if self.source_nat is not None and nets:
                lines.append(f"{out} ip saddr {address_set(nets)} snat ip to {self.source_nat.ip}")
        for guest in self.it.guests:
            net = cidr_of(guest)
            lines.append(f"ip saddr {net} ip daddr {net} ct status dnat snat ip to {guest.router_ip}")
        for leg in self.it.private:
            if leg.source_nat:
                lines.append(f'oifname "{_name(leg.mac)}" snat ip to {leg.ip}')
        self._chain("leaving", lines, "type nat hook postrouting priority srcnat; policy accept;")


def _services(guest: GuestNetworkConfiguration) -> list[str]:
    lines = []
    if "Dhcp" in guest.services:
        lines.append(f"ip daddr {{ {guest.router_ip}, {_EVERYBODY} }} udp dport 67 accept")
    if "Dns" in guest.services:
        lines.append(f"ip daddr {guest.router_ip} udp dport 53 accept")
        lines.append(f"ip daddr {guest.router_ip} tcp dport 53 accept")
    if "UserData" in guest.services:
        lines.append(f"ip daddr {{ {guest.router_ip}, {METADATA_ADDRESS} }} tcp dport {{ 80, 8080 }} accept")
    return lines


def _sources(balancer: Balancer) -> str:
    sources = cidrs(balancer.sources)
    return f"ip saddr {address_set(sources)} " if sources else ""


def _ports(forward: Forward) -> str:
    return str(forward.first) if forward.first == forward.last else f"{forward.first}-{forward.last}"


def _name(mac: str) -> str:
    return interface_name(mac)


def _names(names: Iterable[str]) -> str:
    return address_set(f'"{name}"' for name in names)
