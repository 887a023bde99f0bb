"""What one router does with an IPv6 packet. Nothing is translated: who has an address is reached at it, or is not.

In this order, for the first packet of a connection (answers pass):

1.  For an address of the router itself: a name server for the network that asks, an echo; else it is dropped.
2.  The route: a guest network's subnet, the public subnet, else the way out, to the public gateway.
3.  From a guest network comes only what has an address of its subnet as its source; a tier's list decides whether it leaves.
4.  Into an isolated network comes what its ingress rules allow, into a tier what its list allows. Out goes what the egress
    rules of an isolated network allow, or what left a tier.
"""

from __future__ import annotations

from ipaddress import IPv6Network

from cloudsim.protocol.router import GuestNetworkConfiguration, RouterConfiguration
from cloudsim.systemvm.packets import ECHO_REQUEST_6, Packet, decide, first_match, inside
from cloudsim.systemvm.passage import Hop, Interface, Passage, by_list

LINK_LOCAL = "fe80::/10"


class Router6:
    """The IPv6 side of a router that has this configuration. `guests`, `publics`: its interfaces, by MAC."""

    def __init__(
        self, configuration: RouterConfiguration, guests: dict[str, Interface], publics: dict[str, Interface]
    ) -> None:
        self.name = configuration.name
        self.public = configuration.public6
        self.guests = {mac: each for mac, each in guests.items() if each.guest is not None and each.guest.ip6}
        self._outside = publics.get(self.public.mac) if self.public is not None else None
        self.own = {each.guest.ip6 for each in self.guests.values() if each.guest is not None}
        if self.public is not None:
            self.own.add(self.public.ip)

    def receive(self, packet: Packet, interface: Interface) -> Passage:
        """What becomes of a packet that comes in there."""
        steps: list[str] = []
        if packet.destination in self.own:
            return self._arrive(packet, interface, steps)
        if inside(packet.destination, LINK_LOCAL) or inside(packet.source, LINK_LOCAL):
            steps.append(f"{packet.destination} is of another link: {self.name} sends nothing on")
            return Passage(tuple(steps))
        way = self.route(packet.destination)
        if way is None:
            steps.append(f"{self.name} has no route to {packet.destination}")
            return Passage(tuple(steps))
        out, next_hop = way
        allowed = self._may_leave(packet, interface, steps) and (
            self._may_enter(out.guest, packet, steps)
            if out.guest is not None
            else self._may_go_out(packet, interface, steps)
        )
        return Passage(tuple(steps), (Hop(packet, out, next_hop),) if allowed else ())

    def route(self, destination: str) -> tuple[Interface, str] | None:
        """The interface and the next hop."""
        for interface in self.guests.values():
            assert interface.guest is not None
            if inside(destination, subnet_of(interface.guest)):
                return interface, destination
        if self.public is None or self._outside is None:
            return None
        on_link = inside(destination, _subnet(self.public.ip))
        return self._outside, destination if on_link else self.public.gateway

    def send(self, destination: str) -> tuple[Interface, str, str] | None:
        """How the router itself reaches an address: interface, next hop, and its own address there."""
        way = self.route(destination)
        if way is None:
            return None
        interface, next_hop = way
        if interface.guest is not None:
            return interface, next_hop, interface.guest.ip6
        assert self.public is not None
        return interface, next_hop, self.public.ip

    def answers_through(self, destination: str, interface: Interface) -> bool:
        """Whether what is sent back to that address leaves on the interface from which it was heard."""
        way = self.route(destination)
        return way is not None and way[0].mac == interface.mac

    def _arrive(self, packet: Packet, interface: Interface, steps: list[str]) -> Passage:
        guest = interface.guest
        name_server = guest is not None and "Dns" in guest.services and packet.destination == guest.ip6
        if guest is not None and not inside(packet.source, subnet_of(guest)):
            steps.append(f"{packet.source} is no address of {subnet_of(guest)}: dropped")
        elif packet.protocol == "icmp" and packet.icmp_type == ECHO_REQUEST_6:
            steps.append(f"{self.name} answers the echo")
            return Passage(tuple(steps), answered=True)
        elif name_server and packet.port == 53:
            steps.append(f"{self.name} takes it: DNS")
            return Passage(tuple(steps), answered=True)
        else:
            steps.append(f"{self.name} serves nothing at {packet.to}: dropped")
        return Passage(tuple(steps))

    def _may_leave(self, packet: Packet, interface: Interface, steps: list[str]) -> bool:
        guest = interface.guest
        if guest is None:
            return True
        subnet = subnet_of(guest)
        if not guest.ip6 or not inside(packet.source, subnet):
            steps.append(f"{packet.source} is no address of {subnet or 'the network'}: dropped")
            return False
        if guest.acl is None:
            return True
        allowed, place = decide(guest.acl, False, packet)
        steps.append(by_list(f"tier {subnet}", "egress", packet.destination, packet, allowed, place))
        return allowed

    def _may_enter(self, guest: GuestNetworkConfiguration, packet: Packet, steps: list[str]) -> bool:
        subnet = subnet_of(guest)
        if guest.acl is not None:
            allowed, place = decide(guest.acl, True, packet)
            steps.append(by_list(f"tier {subnet}", "ingress", packet.source, packet, allowed, place))
            return allowed
        rule = first_match(guest.ingress6, packet)
        if rule is None:
            steps.append(
                f"IPv6 firewall of {subnet} has no rule for {packet.what} from {packet.source} to "
                f"{packet.destination}: dropped"
            )
            return False
        steps.append(f"IPv6 firewall of {subnet} allows {packet.what} from {', '.join(rule.sources) or '::/0'}")
        return True

    def _may_go_out(self, packet: Packet, interface: Interface, steps: list[str]) -> bool:
        guest = interface.guest
        if guest is None:
            steps.append(f"{packet.destination} is in none of the networks of {self.name}: dropped")
            return False
        if guest.acl is not None:
            return True
        rule = first_match(guest.egress6, packet)
        allowed = guest.egress_allowed is (rule is None)
        kind = "an egress rule" if rule is not None else "by default, egress"
        steps.append(
            f"network {subnet_of(guest)}: {kind} {'allows' if allowed else 'denies'} {packet.what} to {packet.destination}"
        )
        return allowed


def subnet_of(guest: GuestNetworkConfiguration) -> str:
    """Such as 2001:db8::/64; "" for a network without."""
    return _subnet(guest.ip6) if guest.ip6 else ""


def _subnet(ip: str) -> str:
    return str(IPv6Network(f"{ip}/64", strict=False))
