"""What one router does with a packet: the meaning of a `RouterConfiguration`, step by step, as its rules have it.

In this order, for the first packet of a connection (answers pass, and are translated back):

1.  A tier's access control list decides whether the packet may leave the tier, unless it is for the router's own address
    there. It sees the address that the instance wrote.
2.  A firewalled public address lets in only what its rules allow, whoever sends it, by its public port.
3.  A port forwarding, a UDP load balancer or a static NAT translates the destination, in this order of precedence.
4.  For an address of the router itself: a load balancer, a service for the network that asks, an echo; else it is dropped.
5.  The route: a connected network, a static route (the longest prefix wins), or the way out.
6.  Into a network without access control list comes only what was translated; into a tier what its list allows (the source
    as the sender's network shows it, the destination and port after translation), from the outside only what was translated.
    To or from a private leg its list decides; None is none. Out goes what the egress rules of the network allow, or
    what left a tier.
7.  Out to the public the source becomes the instance's static NAT address, else the source NAT address; without either it
    does not get out. Back into the network it came from, it becomes the router's address there (hairpin).
"""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Literal

import msgspec

from cloudsim.protocol.router import (
    Balancer,
    Forward,
    GuestNetworkConfiguration,
    PrivateLeg,
    RouterConfiguration,
)
from cloudsim.systemvm.packets import ECHO_REQUEST, Packet, decide, first_match, inside, number, span
from cloudsim.systemvm.security_groups import METADATA_ADDRESS


class Interface(msgspec.Struct, frozen=True):
    """An interface of a router: on a guest network, on the outside, or on a private leg."""

    kind: Literal["guest", "public", "leg"]
    mac: str
    guest: GuestNetworkConfiguration | None = None
    leg: PrivateLeg | None = None


class Hop(msgspec.Struct, frozen=True):
    """A packet as it leaves the router, on which interface, and to whom there (itself, or a gateway)."""

    packet: Packet
    interface: Interface
    next_hop: str


class Passage(msgspec.Struct, frozen=True):
    """`hops`: the ways the packet may go on, one of them. `answered`: the router itself takes it. Neither: dropped.

    `balanced`: the hops are new connections of the router's own, to the members of a load balancer.
    """

    steps: tuple[str, ...]
    hops: tuple[Hop, ...] = ()
    answered: bool = False
    balanced: bool = False


class Router:
    """A router that has this configuration."""

    def __init__(self, configuration: RouterConfiguration) -> None:
        self.configuration = configuration
        self.guests = {g.mac: Interface("guest", g.mac, guest=g) for g in configuration.guests}
        self.legs = {p.mac: Interface("leg", p.mac, leg=p) for p in configuration.private}
        self.publics = {p.mac: Interface("public", p.mac) for p in configuration.public}
        self.public = {p.ip: p for p in configuration.public}
        self.source_nat = next((p for p in configuration.public if p.source_nat), None)
        self._forwards: dict[tuple[str, str], list[Forward]] = {}
        for forward in configuration.forwards:
            self._forwards.setdefault((forward.ip, forward.protocol), []).append(forward)
        self._static = {s.ip: s.guest_ip for s in configuration.static_nats}
        self._seen_as = {s.guest_ip: s.ip for s in configuration.static_nats}
        self._balancers = {
            (b.ip, "udp" if b.protocol == "udp" else "tcp", b.port): b for b in configuration.balancers
        }
        self.own = {
            *self.public,
            *(g.router_ip for g in configuration.guests),
            *(p.ip for p in configuration.private),
            *(b.ip for b in configuration.balancers),
        }
        if any("UserData" in g.services for g in configuration.guests):
            self.own.add(METADATA_ADDRESS)
        self._routes = sorted(self._connected_and_static(), key=lambda route: route[0], reverse=True)

    def receive(self, packet: Packet, interface: Interface) -> Passage:
        """What becomes of a packet that comes in there."""
        steps: list[str] = []
        hops: list[Hop] = []
        if self._may_leave_tier(packet, interface, steps) and self._passes_firewall(packet, steps):
            translations, spread = self._translate(packet, steps)
            if not translations and packet.destination in self.own:
                return self._arrive(packet, interface, steps)
            for translated in translations or [packet]:
                hop = self._forward(packet, translated, spread, interface, steps)
                if hop is not None:
                    hops.append(hop)
        return Passage(tuple(steps), tuple(hops))

    def send(self, destination: str) -> tuple[Interface, str, str] | None:
        """How the router itself reaches an address: interface, next hop, and its own address there."""
        way = self._route("", destination)
        if way is None:
            return None
        interface, next_hop = way
        if interface.guest is not None:
            return interface, next_hop, interface.guest.router_ip
        if interface.leg is not None:
            return interface, next_hop, interface.leg.ip
        own = [p for p in self.configuration.public if p.mac == interface.mac]
        return interface, next_hop, next((p.ip for p in own if p.source_nat), own[0].ip)

    # 1 to 3

    def _may_leave_tier(self, packet: Packet, interface: Interface, steps: list[str]) -> bool:
        guest = interface.guest
        if guest is None or guest.acl is None or packet.destination in (guest.router_ip, METADATA_ADDRESS):
            return True
        allowed, place = decide(guest.acl, False, packet)
        steps.append(by_list(f"tier {cidr_of(guest)}", "egress", packet.destination, packet, allowed, place))
        return allowed

    def _passes_firewall(self, packet: Packet, steps: list[str]) -> bool:
        if packet.destination not in self.public or not self.configuration.firewalled:
            return True
        own = (rule.traffic for rule in self.configuration.ingress if rule.ip == packet.destination)
        rule = first_match(own, packet)
        firewall = f"firewall of {packet.destination}"
        if rule is None:
            steps.append(f"{firewall} has no rule for {packet.what} from {packet.source}: dropped")
            return False
        steps.append(f"{firewall} allows {packet.what} from {', '.join(rule.sources) or '0.0.0.0/0'}")
        return True

    def _translate(self, packet: Packet, steps: list[str]) -> tuple[list[Packet], bool]:
        """What the packet may become, one of these; and whether a load balancer chooses among them."""
        for forward in self._forwards.get((packet.destination, packet.protocol), ()):
            if forward.first <= packet.port <= forward.last:
                to = _redirected(packet, forward.guest_ip, forward.guest_first + packet.port - forward.first)
                steps.append(f"{packet.to} is forwarded to {to.destination}:{to.port}")
                return [to], False
        balancer = self._balancers.get((packet.destination, packet.protocol, packet.port))
        if (
            balancer is not None
            and balancer.protocol == "udp"
            and balancer.members
            and _may(balancer, packet)
        ):
            steps.append(f"{packet.to} is spread over {len(balancer.members)} members")
            return [_redirected(packet, member.ip, member.port) for member in balancer.members], True
        guest_ip = self._static.get(packet.destination)
        if guest_ip is not None:
            steps.append(f"{packet.destination} is {guest_ip} by static NAT")
            return [_redirected(packet, guest_ip, packet.port)], False
        return [], False

    # 4

    def _arrive(self, packet: Packet, interface: Interface, steps: list[str]) -> Passage:
        """It is for the router itself."""
        name = self.configuration.name
        balancer = self._balancers.get((packet.destination, packet.protocol, packet.port))
        if interface.kind == "public" and packet.destination not in self.public:
            steps.append(f"{packet.destination} is no public address of {name}: dropped")
        elif balancer is not None and balancer.protocol != "udp" and _may(balancer, packet):
            steps.append(
                f"{packet.to} is load balanced ({balancer.algorithm}) over {len(balancer.members)} members"
            )
            hops = []
            for member in balancer.members:
                way = self.send(member.ip)
                if way is not None:
                    to = Packet(way[2], member.ip, "tcp", member.port)
                    hops.append(Hop(to, way[0], way[1]))
            return Passage(tuple(steps), tuple(hops), balanced=True)
        elif packet.protocol == "icmp" and packet.icmp_type == ECHO_REQUEST:
            steps.append(f"{name} answers the echo")
            return Passage(tuple(steps), answered=True)
        elif interface.guest is not None and (service := _service(interface.guest, packet)):
            steps.append(f"{name} takes it: {service}")
            return Passage(tuple(steps), answered=True)
        else:
            steps.append(f"{name} serves nothing at {packet.to}: dropped")
        return Passage(tuple(steps))

    # 5

    def _connected_and_static(self) -> list[tuple[int, tuple[int, int], Interface, str]]:
        """Prefix length, span, interface and next hop (none: the destination itself). Connected ones come first."""
        found: list[tuple[int, tuple[int, int], Interface, str]] = []

        def connect(interface: Interface, ip: str, netmask: str) -> None:
            cidr = f"{ip}/{netmask}"
            found.append((_length(cidr), span(cidr), interface, ""))

        for interface in self.guests.values():
            assert interface.guest is not None
            connect(interface, interface.guest.router_ip, interface.guest.netmask)
        for interface in self.legs.values():
            assert interface.leg is not None
            connect(interface, interface.leg.ip, interface.leg.netmask)
        for address in self.configuration.public:
            connect(self.publics[address.mac], address.ip, address.netmask)
        for route in self.configuration.routes:
            towards = next((f for f in found if _within(route.next_hop, f[1])), None)
            if towards is not None:
                found.append((_length(route.cidr), span(route.cidr), towards[2], route.next_hop))
        return found

    def _route(self, source: str, destination: str) -> tuple[Interface, str] | None:
        """The interface and the next hop. An instance with static NAT goes out where its public address is."""
        static = self.public.get(self._seen_as.get(source, ""))
        for prefix, net, interface, next_hop in self._routes:
            elsewhere = prefix == 0 or (
                interface.kind == "public" and static is not None and interface.mac != static.mac
            )
            if _within(destination, net) and not (static is not None and elsewhere):
                return interface, next_hop or destination
        out = static or self.source_nat or next(iter(self.configuration.public), None)
        if out is not None:
            return self.publics[out.mac], out.gateway
        for interface in self.guests.values():
            if interface.guest is not None and interface.guest.gateway not in ("", interface.guest.router_ip):
                return interface, interface.guest.gateway
        return None

    def answers_through(self, destination: str, interface: Interface) -> bool:
        """Whether what is sent back to that address leaves on the interface from which it was heard."""
        if interface.kind == "public":
            return True
        way = self._route("", destination)
        return way is not None and way[0].mac == interface.mac

    # 6 and 7

    def _forward(
        self, packet: Packet, translated: Packet, spread: bool, interface: Interface, steps: list[str]
    ) -> Hop | None:
        name, was_translated = self.configuration.name, translated is not packet
        way = self._route(packet.source, translated.destination)
        if way is None or _within(translated.destination, _LINK_LOCAL):
            steps.append(f"{name} has no route to {translated.destination}")
            return None
        out, next_hop = way
        if interface.leg is not None and interface.leg.acl is not None:
            allowed, place = decide(interface.leg.acl, True, translated)
            leg = f"private gateway {interface.leg.gateway}"
            steps.append(by_list(leg, "ingress", translated.source, translated, allowed, place))
            if not allowed:
                return None
        if interface.kind == "public" and not was_translated:
            steps.append(
                f"{name} lets nothing in to {translated.destination} that it did not translate: dropped"
            )
            return None
        if out.guest is not None:
            return self._into(out, Hop(translated, out, next_hop), spread, was_translated, interface, steps)
        if out.leg is not None:
            return self._through_leg(out.leg, Hop(translated, out, next_hop), interface, steps)
        return self._outward(Hop(translated, out, next_hop), interface, steps)

    def _into(
        self, out: Interface, hop: Hop, spread: bool, translated: bool, came: Interface, steps: list[str]
    ) -> Hop | None:
        guest, packet = out.guest, hop.packet
        assert guest is not None
        if guest.acl is None:
            if not translated:
                steps.append(f"network {cidr_of(guest)} is isolated: {packet.to} dropped")
                return None
        elif not spread:
            allowed, place = decide(guest.acl, True, packet)
            steps.append(by_list(f"tier {cidr_of(guest)}", "ingress", packet.source, packet, allowed, place))
            if not allowed:
                return None
        if translated and came.mac == out.mac:
            steps.append(f"hairpin: {packet.source} is seen as {guest.router_ip}")
            hop = msgspec.structs.replace(hop, packet=msgspec.structs.replace(packet, source=guest.router_ip))
        return hop

    def _through_leg(self, leg: PrivateLeg, hop: Hop, came: Interface, steps: list[str]) -> Hop | None:
        packet = hop.packet
        if came.guest is None or came.guest.acl is None:
            steps.append(f"private gateway {leg.gateway} takes packets of the VPC's tiers only: dropped")
            return None
        if leg.acl is not None:
            allowed, place = decide(leg.acl, False, packet)
            steps.append(
                by_list(
                    f"private gateway {leg.gateway}", "egress", packet.destination, packet, allowed, place
                )
            )
            if not allowed:
                return None
        return self._seen(hop, leg.ip, steps) if leg.source_nat else hop

    def _outward(self, hop: Hop, came: Interface, steps: list[str]) -> Hop | None:
        packet, guest, name = hop.packet, came.guest, self.configuration.name
        if guest is None or guest.gateway != guest.router_ip:
            steps.append(f"{name} is not the way out for {packet.source}: dropped")
            return None
        if guest.acl is None:
            rule = first_match(guest.egress, packet)
            allowed = guest.egress_allowed is (rule is None)
            kind = "an egress rule" if rule is not None else "by default, egress"
            steps.append(
                f"network {cidr_of(guest)}: {kind} {'allows' if allowed else 'denies'} {packet.what} "
                f"to {packet.destination}"
            )
            if not allowed:
                return None
        seen = self._seen_as.get(packet.source) or (
            self.source_nat.ip if self.source_nat is not None else None
        )
        if seen is None:
            steps.append(f"{name} has no public address for {packet.source} to be seen as: dropped")
            return None
        return self._seen(hop, seen, steps)

    def _seen(self, hop: Hop, ip: str, steps: list[str]) -> Hop:
        steps.append(f"{hop.packet.source} is seen as {ip}")
        return msgspec.structs.replace(hop, packet=msgspec.structs.replace(hop.packet, source=ip))


_LINK_LOCAL = span("169.254.0.0/16")


def cidr_of(guest: GuestNetworkConfiguration) -> str:
    """Such as 10.1.1.0/24."""
    return str(IPv4Network(f"{guest.router_ip}/{guest.netmask}", strict=False))


def _service(guest: GuestNetworkConfiguration, packet: Packet) -> str | None:
    """Which of the services for its network the router gives at the packet's address and port."""
    own, what = packet.destination == guest.router_ip, (packet.protocol, packet.port)
    if "Dhcp" in guest.services and own and what == ("udp", 67):
        return "DHCP"
    if "Dns" in guest.services and own and what in (("udp", 53), ("tcp", 53)):
        return "DNS"
    at_metadata = own or packet.destination == METADATA_ADDRESS
    if "UserData" in guest.services and at_metadata and what in (("tcp", 80), ("tcp", 8080)):
        return "user data" if packet.port == 80 else "passwords"
    return None


def _may(balancer: Balancer, packet: Packet) -> bool:
    return not balancer.sources or any(inside(packet.source, cidr) for cidr in balancer.sources)


def _redirected(packet: Packet, ip: str, port: int) -> Packet:
    return msgspec.structs.replace(packet, destination=ip, port=port)


def _within(ip: str, net: tuple[int, int]) -> bool:
    return net[0] <= number(ip) <= net[1]


def _length(cidr: str) -> int:
    return IPv4Network(cidr, strict=False).prefixlen


def by_list(where: str, direction: str, far: str, packet: Packet, allowed: bool, place: int | None) -> str:
    """What an access control list decided, in words."""
    by = f"entry {place}" if place is not None else "no entry"
    way = f"{'from' if direction == 'ingress' else 'to'} {far}"
    verdict = "allows" if allowed else "denies"
    return f"access list of {where}, {direction}: {by} matches {packet.what} {way}: {verdict} it"
