"""The oracle: who reaches whom in a zone, and why.

Asked of a `Picture`, which is what is in force: the instances that run, with their cards, and the routers that run, with
their configurations. The answers are those of the real things (a host's security group rules, a router's nftables
rules), computed: `can_reach` follows the first packet of a connection, and sees whether its answer finds back.

    >>> from cloudsim.protocol.router import GuestNetworkConfiguration, PublicAddress, RouterConfiguration
    >>> from cloudsim.protocol.specs import NicSpec, VmSpec
    >>> card = NicSpec("n1", "02:00:00:00:00:01", "net", ip="10.1.1.7", netmask="255.255.255.0", gateway="10.1.1.1")
    >>> web = VmSpec("i-2-7-VM", "7", 1, 1000, 512, nics=(card,))
    >>> network = GuestNetworkConfiguration("net", "02:00:00:00:00:02", "10.1.1.1", "10.1.1.1", "255.255.255.0")
    >>> public = PublicAddress("203.0.113.5", "255.255.255.0", "203.0.113.1", "02:00:00:00:00:03", source_nat=True)
    >>> router = RouterConfiguration(name="r-1-VM", public=(public,), guests=(network,))
    >>> reach = Picture([web], [RouterInForce(router)]).can_reach("i-2-7-VM", "198.51.100.9", "tcp", 443)
    >>> bool(reach), reach.reason
    (False, 'network 10.1.1.0/24: by default, egress denies tcp 443 to 198.51.100.9')
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address

import msgspec

from cloudsim.protocol.router import GuestNetworkConfiguration, RouterConfiguration
from cloudsim.protocol.specs import NicSpec, VmSpec
from cloudsim.systemvm.leases_and_names import Lease, lease, metadata, resolve
from cloudsim.systemvm.packets import Packet, inside, is_ipv6, named, number, opening
from cloudsim.systemvm.passage import Hop, Interface, Router
from cloudsim.systemvm.passage6 import Router6
from cloudsim.systemvm.security_groups import addresses, refuses_to_receive, refuses_to_send

UNROUTED = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/3",
    "::/8",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
)
"""Addresses that nobody on the Internet has (RFC 1918, RFC 6890, RFC 4193)."""
_HOPS = 16


class RouterInForce(msgspec.Struct, frozen=True):
    """A router that runs, and the configuration it has. `wires`: the network of each private leg, by the leg's MAC."""

    configuration: RouterConfiguration
    wires: dict[str, str] = {}


class End(msgspec.Struct, frozen=True):
    """Where a packet arrives. `name` is an instance's, a router's, or "outside"; `seen_as` the source that is seen there."""

    name: str
    ip: str
    port: int
    seen_as: str


class Reach(msgspec.Struct, frozen=True):
    """Whether it is reached (so is its truth); `steps` are what was decided, in order, `ends` where it may arrive."""

    steps: tuple[str, ...]
    ends: tuple[End, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ends)

    @property
    def reason(self) -> str:
        """The last of the steps, which decided."""
        return self.steps[-1]


class _Card:
    """A card of an instance."""

    __slots__ = ("nic", "vm")

    def __init__(self, vm: VmSpec, nic: NicSpec) -> None:
        self.vm = vm
        self.nic = nic


class _Routing:
    """A router of the picture."""

    __slots__ = ("name", "router", "router6", "wires")

    def __init__(self, given: RouterInForce) -> None:
        self.router = Router(given.configuration)
        self.router6 = Router6(given.configuration, self.router.guests, self.router.publics)
        self.name = given.configuration.name
        self.wires = given.wires


class _From:
    """From where a packet comes to a segment: an instance's card, a router, or the gateway outside of the cloud."""

    __slots__ = ("card", "routing")

    def __init__(self, card: _Card | None = None, routing: _Routing | None = None) -> None:
        self.card = card
        self.routing = routing


class Picture:
    """What runs in a zone. `outside`: CIDRs that are outside although they look private, such as a campus network's.

    Instances and routers that do not run are simply not in it.
    """

    def __init__(
        self,
        instances: Iterable[VmSpec] = (),
        routers: Iterable[RouterInForce] = (),
        outside: tuple[str, ...] = (),
    ) -> None:
        self.outside = outside
        self.instances = {vm.name: vm for vm in instances}
        self.routers = [_Routing(given) for given in routers]
        self._cards: dict[tuple[str, str], _Card] = {}
        self._by_ip: dict[str, list[_Card]] = {}
        self._exposed: dict[str, _Card] = {}
        for vm in self.instances.values():
            for nic in vm.nics:
                for ip in (*addresses(nic), *((nic.ip6,) if nic.ip6 is not None else ())):
                    card = self._cards[nic.network_id, ip] = _Card(vm, nic)
                    self._by_ip.setdefault(ip, []).append(card)
                    if nic.traffic == "Public" or (nic.traffic == "Guest" and nic.routed):
                        self._exposed[ip] = card
        self._on_segment: dict[tuple[str, str], tuple[_Routing, Interface]] = {}
        self._public: dict[str, tuple[_Routing, Interface]] = {}
        self._routed6: dict[int, tuple[_Routing, Interface]] = {}
        """Where what is for a subnet of 64 bits, by its number, is sent from outside: to the router of its network."""
        for routing in self.routers:
            router = routing.router
            for interface in router.guests.values():
                guest = interface.guest
                assert guest is not None
                for ip in (guest.router_ip, *(b.ip for b in router.configuration.balancers)):
                    if ip == guest.router_ip or (
                        ip not in router.public and inside(ip, _cidr(guest.router_ip, guest.netmask))
                    ):
                        self._on_segment[guest.network_id, ip] = routing, interface
            for address in router.configuration.public:
                self._public[address.ip] = routing, router.publics[address.mac]
            self._add_ipv6(routing)

    def _add_ipv6(self, routing: _Routing) -> None:
        router = routing.router6
        outside = None if router.public is None else routing.router.publics.get(router.public.mac)
        if router.public is not None and outside is not None:
            self._public[router.public.ip] = routing, outside
        for interface in router.guests.values():
            assert interface.guest is not None
            self._on_segment[interface.guest.network_id, interface.guest.ip6] = routing, interface
            if outside is not None:
                self._routed6[number(interface.guest.ip6) >> 64] = routing, outside

    def can_reach(
        self, source: str, destination: str, protocol: str = "tcp", port: int | None = None
    ) -> Reach:
        """Whether a new connection (`icmp`: an echo request) from `source` gets to `destination` and is answered.

        Both are an instance's name (its address in the network that both are in, else that of its default card) or an
        address; the source may be a router's name, too. Raises LookupError for a name that does not run here, or an
        address that several instances have.
        """
        protocol = named(protocol)
        if protocol in ("tcp", "udp") and (port is None or not 0 <= port <= 65_535):
            raise ValueError(f"{protocol} needs a port between 0 and 65535, not {port}")
        target_port = port if port is not None and protocol in ("tcp", "udp") else -1
        steps: list[str] = []
        routing = next((each for each in self.routers if each.name == source), None)
        if routing is not None:
            target = self._address_of(destination, None)
            return Reach(tuple(steps), tuple(self._from_router(routing, target, protocol, target_port, steps)))
        sender = self._sender(source)
        target = self._address_of(destination, sender)
        if sender is None:
            if is_ipv6(source) != is_ipv6(target):
                raise LookupError(f"{source} and {target} are not addresses of one kind")
            ends = self._from_outside(opening(source, target, protocol, target_port), steps)
        else:
            ip = source if source in addresses(sender.nic) else None
            ends = self._from_instance(sender.vm, ip, target, protocol, target_port, steps)
        return Reach(tuple(steps), tuple(ends))

    # what instances are told

    def lease(self, mac: str) -> Lease | None:
        """What a router answers to the card with that MAC address when it asks for a lease; None: nothing."""
        found = (lease(routing.router.configuration, mac) for routing in self.routers)
        return next((each for each in found if each is not None), None)

    def resolve(self, name: str, asked_by: str) -> tuple[str, ...] | None:
        """What the instance `asked_by` learns of its router, the name server of its default card, of a name.

        (): there is no such name. None: the router asks outside, or there is none that answers. See
        `cloudsim.systemvm.leases_and_names.resolve`.
        """
        for routing, network in self._serving(asked_by, "Dns"):
            return resolve(routing.router.configuration, network, name)
        return None

    def metadata(self, path: str, asked_by: str) -> bytes | None:
        """What the instance is answered to http://data-server/`path`; None: there is no such, or nobody answers."""
        for routing, network in self._serving(asked_by, "UserData"):
            own = (nic for nic in self.instances[asked_by].nics if nic.network_id == network.network_id)
            return metadata(routing.router.configuration, next(own).ip or "", path)
        return None

    def _serving(self, asked_by: str, service: str) -> Iterator[tuple[_Routing, GuestNetworkConfiguration]]:
        """The router that gives the service to the instance's default card, and the network."""
        card = self._sender(asked_by)
        if card is None or asked_by not in self.instances:
            raise LookupError(f"{asked_by} is no instance that runs")
        for routing in self.routers:
            for network in routing.router.configuration.guests:
                if network.network_id == card.nic.network_id and service in network.services:
                    yield routing, network

    # who is meant

    def _sender(self, source: str) -> _Card | None:
        """None: it is outside."""
        vm = self.instances.get(source)
        if vm is not None:
            card = next((n for n in vm.nics if n.default), vm.nics[0] if vm.nics else None)
            if card is None:
                raise LookupError(f"{source} has no network card")
            return _Card(vm, card)
        found = self._by_ip.get(_as_address(source), [])
        if len(found) > 1:
            raise LookupError(f"{source} is an address of {len(found)} instances: name the one that is meant")
        return found[0] if found else None

    def _address_of(self, destination: str, sender: _Card | None) -> str:
        vm = self.instances.get(destination)
        if vm is None:
            return _as_address(destination)
        senders = {nic.network_id for nic in sender.vm.nics} if sender is not None else set()
        cards = [nic for nic in vm.nics if nic.ip is not None]
        shared = [nic for nic in cards if nic.network_id in senders]
        for nic in [*shared, *(nic for nic in cards if nic.default), *cards]:
            assert nic.ip is not None
            return nic.ip
        raise LookupError(f"{destination} has no address")

    # on the way

    def _from_instance(
        self, vm: VmSpec, ip: str | None, destination: str, protocol: str, port: int, steps: list[str]
    ) -> list[End]:
        nic = _way_out(vm, destination)
        own = None if nic is None else _address(nic, destination)
        if nic is None or own is None:
            steps.append(f"{vm.name} has no way to {destination}: no card with a default route")
            return []
        if ip is None or is_ipv6(ip) != is_ipv6(destination):
            ip = own
        packet = opening(ip, destination, protocol, port)
        refusal = refuses_to_send(nic, packet)
        if refusal is not None:
            steps.append(f"{vm.name}: {refusal}")
            return []
        came = _From(card=_Card(vm, nic))
        if _on_link(nic, destination):
            return self._on_wire(nic.network_id, packet, came, steps, _HOPS)
        return self._to_gateway(nic, packet, came, steps, _HOPS)

    def _from_router(
        self, routing: _Routing, destination: str, protocol: str, port: int, steps: list[str]
    ) -> list[End]:
        router = routing.router6 if is_ipv6(destination) else routing.router
        if destination in router.own:
            steps.append(f"{destination} is an address of {routing.name} itself")
            return [End(routing.name, destination, port, destination)]
        way = router.send(destination)
        if way is None:
            steps.append(f"{routing.name} has no way to {destination}")
            return []
        interface, next_hop, own = way
        packet = opening(own, destination, protocol, port)
        return self._follow(routing, Hop(packet, interface, next_hop), steps, _HOPS)

    def neighbour(self, router: str, ip: str) -> str | None:
        """The MAC address of the card that answers to that address on a network of the router's guests; None: nobody's."""
        for routing in self.routers:
            if routing.name == router:
                for network in routing.router.configuration.guests:
                    card = self._cards.get((network.network_id, ip))
                    if card is not None:
                        return card.nic.mac
        return None

    def _to_gateway(
        self, nic: NicSpec, packet: Packet, came: _From, steps: list[str], hops: int
    ) -> list[End]:
        gateway = _gateway(nic, packet.destination)
        if gateway is None:
            steps.append(f"network {nic.network_id} has no gateway: no way to {packet.destination}")
            return []
        found = self._on_segment.get((nic.network_id, gateway))
        if found is not None:
            return self._at_router(found[0], packet, found[1], steps, hops)
        if nic.routed or nic.traffic != "Guest":
            steps.append(f"gateway {gateway} takes {packet.to} outside")
            return self._outside(packet, steps, hops)
        steps.append(f"nobody is at the gateway {gateway}: its router does not run")
        return []

    def _on_wire(self, network: str, packet: Packet, came: _From, steps: list[str], hops: int) -> list[End]:
        """Somebody on that network sends it to an address on it."""
        card = self._cards.get((network, packet.destination))
        if card is not None:
            return self._arrive(card, packet, came, steps)
        found = self._on_segment.get((network, packet.destination))
        if found is not None:
            return self._at_router(found[0], packet, found[1], steps, hops)
        sender = came.card.nic if came.card is not None else None
        if sender is not None and sender.routed and packet.destination in (sender.gateway, sender.gateway6):
            return [_outside(packet, steps)]
        steps.append(f"nobody has the address {packet.destination} on its network")
        return []

    def _arrive(self, card: _Card, packet: Packet, came: _From, steps: list[str]) -> list[End]:
        """An instance gets it, if its card lets it in; and answers, if that finds back."""
        vm, nic = card.vm, card.nic
        refusal = refuses_to_receive(nic, packet)
        if refusal is not None:
            steps.append(f"{vm.name}: {refusal}")
            return []
        back = _way_out(vm, packet.source)
        if (
            back is None
            or back.network_id != nic.network_id
            or not self._finds_back(back, packet.source, came)
        ):
            steps.append(
                f"{vm.name} gets {packet.to}, but its answer to {packet.source} goes another way and is lost"
            )
            return []
        steps.append(f"{vm.name} gets {packet.to} from {packet.source}")
        return [End(vm.name, packet.destination, packet.port, packet.source)]

    def _finds_back(self, nic: NicSpec, source: str, came: _From) -> bool:
        if _on_link(nic, source):
            return True
        at_gateway = self._on_segment.get((nic.network_id, _gateway(nic, source) or ""))
        if at_gateway is not None:
            return at_gateway[0] is came.routing
        return nic.routed and came.routing is None

    def _at_router(
        self, routing: _Routing, packet: Packet, interface: Interface, steps: list[str], hops: int
    ) -> list[End]:
        router = routing.router6 if is_ipv6(packet.destination) else routing.router
        passage = router.receive(packet, interface)
        steps += passage.steps
        if passage.answered:
            return [End(routing.name, packet.destination, packet.port, packet.source)]
        if hops == 0:
            steps.append(f"{packet.to} goes round in circles")
            return []
        if passage.hops and not router.answers_through(packet.source, interface):
            steps.append(f"{routing.name} has no way back to {packet.source} there")
            return []
        ends: list[End] = []
        for hop in passage.hops:
            ends += self._follow(routing, hop, steps, hops - 1)
        if passage.balanced and not passage.hops:
            steps.append("no member of the load balancer can be reached")
        return ends

    def _follow(self, routing: _Routing, hop: Hop, steps: list[str], hops: int) -> list[End]:
        """A packet that a router has sent."""
        guest, leg, packet = hop.interface.guest, hop.interface.leg, hop.packet
        if guest is not None:
            if hop.next_hop == packet.destination:
                return self._on_wire(guest.network_id, packet, _From(routing=routing), steps, hops)
            found = self._on_segment.get((guest.network_id, hop.next_hop))
            if found is not None:
                return self._at_router(found[0], packet, found[1], steps, hops)
            if (guest.network_id, hop.next_hop) in self._cards:
                steps.append(f"{hop.next_hop} is an instance: it forwards nothing")
                return []
            return self._outside(packet, steps, hops)
        if leg is None:
            return self._outside(packet, steps, hops)
        for other in self.routers:
            for mac, interface in other.router.legs.items():
                same = other is not routing and other.wires.get(mac, "") == routing.wires.get(leg.mac, "")
                if same and interface.leg is not None and interface.leg.ip == hop.next_hop:
                    return self._at_router(other, packet, interface, steps, hops)
        return [_outside(packet, steps)]

    # outside

    def _from_outside(self, packet: Packet, steps: list[str]) -> list[End]:
        """A host outside sends it; one behind private gateways, if the destination is behind the same."""
        for routing in self.routers if not is_ipv6(packet.destination) else ():
            router = routing.router
            way, back = router.send(packet.destination), router.send(packet.source)
            if way is not None and back is not None and back[0].kind == "leg" and way[0].kind == "guest":
                return self._at_router(routing, packet, back[0], steps, _HOPS)
        return self._outside(packet, steps, _HOPS)

    def _outside(self, packet: Packet, steps: list[str], hops: int) -> list[End]:
        """It is outside of the cloud's networks: who has the address there?"""
        destination = packet.destination
        found = self._public.get(destination)
        if found is None and is_ipv6(destination):
            found = self._routed6.get(number(destination) >> 64)
        if found is not None:
            return self._at_router(found[0], packet, found[1], steps, hops)
        card = self._exposed.get(destination)
        if card is not None and card.nic.traffic == "Guest":
            return self._arrive(card, packet, _From(), steps)
        if card is not None:
            steps.append(f"{card.vm.name} gets {packet.to} from {packet.source}")
            return [End(card.vm.name, destination, packet.port, packet.source)]
        for address, (routing, _) in self._public.items():
            if is_ipv6(address):
                continue
            given = routing.router.public[address]
            if inside(destination, _cidr(given.ip, given.netmask)) and destination != given.gateway:
                steps.append(f"nobody has the public address {destination}: no router in force")
                return []
        if not any(inside(destination, cidr) for cidr in self.outside) and any(
            inside(destination, cidr) for cidr in UNROUTED
        ):
            steps.append(f"{destination} is a private address: nobody routes it outside")
            return []
        return [_outside(packet, steps)]


def _outside(packet: Packet, steps: list[str]) -> End:
    steps.append(f"{packet.to} goes outside, from {packet.source}")
    return End("outside", packet.destination, packet.port, packet.source)


def _way_out(vm: VmSpec, destination: str) -> NicSpec | None:
    """The card that a guest sends on: the one in whose subnet the destination is, else its default one."""
    cards = [nic for nic in vm.nics if _address(nic, destination) is not None]
    for nic in cards:
        if _on_link(nic, destination):
            return nic
    return next((nic for nic in cards if nic.default and _gateway(nic, destination) is not None), None)


def _address(nic: NicSpec, other: str) -> str | None:
    """The card's address of the kind that the other one is of."""
    return nic.ip6 if is_ipv6(other) else nic.ip


def _gateway(nic: NicSpec, other: str) -> str | None:
    """The gateway that takes what is for addresses of the other's kind."""
    return nic.gateway6 if is_ipv6(other) else nic.gateway


def _on_link(nic: NicSpec, ip: str) -> bool:
    if is_ipv6(ip):
        return nic.ip6 is not None and inside(ip, f"{nic.ip6}/64")
    return nic.ip is not None and nic.netmask is not None and inside(ip, _cidr(nic.ip, nic.netmask))


def _cidr(ip: str, netmask: str) -> str:
    return f"{ip}/{netmask}"


def _as_address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise LookupError(f"{text} is neither an address nor an instance that runs") from None
