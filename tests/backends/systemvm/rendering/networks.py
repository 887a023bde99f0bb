"""Random configurations of a router, the instances behind it, and probes: for comparing rules with the oracle."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from backends.systemvm.rendering.interfaces import SYSCTLS, interfaces, policies, routes
from backends.systemvm.rendering.nftables import rules
from cloudsim.protocol.router import (
    AclEntry,
    Balancer,
    BalancerMember,
    Forward,
    GuestNetworkConfiguration,
    IngressRule,
    PrivateLeg,
    PublicAddress,
    Route,
    RouterConfiguration,
    RouterGuest,
    StaticNat,
    Traffic,
)
from cloudsim.protocol.specs import NicSpec, VmSpec
from cloudsim.systemvm.packets import Packet, inside
from cloudsim.systemvm.passage import Router
from cloudsim.systemvm.reachability import Picture, RouterInForce
from tests.backends.systemvm.rendering.probing import Arrival, Crossing, Outcome, Probe, Wire

NETMASK = "255.255.255.0"
PUBLIC, OTHER_PUBLIC, LEG = "02:00:00:00:01:01", "02:00:00:00:01:02", "02:00:00:00:01:03"
POOL = ("203.0.113.2", "203.0.113.3", "203.0.113.4")
OTHER_POOL = ("192.0.2.2", "192.0.2.3")
OUTSIDE = ("198.51.100.7", "198.51.100.200", "8.8.4.4")
BEHIND = ("172.30.0.5", "172.29.0.5")
NETWORKS = 3
GUESTS = (10, 11, 12)


def guest_mac(network: int) -> str:
    return f"02:00:00:00:00:0{network}"


def gateway(network: int) -> str:
    return f"10.1.{network}.1"


def address(network: int, host: int) -> str:
    return f"10.1.{network}.{host}"


ALL_GUESTS = tuple(address(network, host) for network in range(NETWORKS) for host in GUESTS)
WIRES = {
    "public": Wire(PUBLIC, ("203.0.113.1/24",), "203.0.113.2", OUTSIDE),
    "other": Wire(OTHER_PUBLIC, ("192.0.2.1/24",), "192.0.2.2", (*OUTSIDE, "203.0.113.1")),
    "behind": Wire(LEG, ("172.31.0.1/24",), "172.31.0.2", (*BEHIND, "8.8.4.4")),
    **{
        f"net{n}": Wire(guest_mac(n), tuple(f"{address(n, h)}/24" for h in GUESTS), gateway(n))
        for n in range(NETWORKS)
    },
}
MAY_BE_THERE: dict[str, Sequence[str]] = {
    "public": POOL,
    "other": OTHER_POOL,
    "behind": ("172.31.0.2",),
    **{f"net{n}": (gateway(n),) for n in range(NETWORKS)},
}
CIDRS = (
    "0.0.0.0/0", "198.51.100.0/24", "198.51.100.7/32", "8.0.0.0/7", "10.1.0.0/16", "10.1.0.0/24", "10.1.1.10/31",
    "203.0.113.0/24", "172.16.0.0/12", "172.30.0.5/32", "10.1.0.10/32",
)  # fmt: skip
PORTS = (22, 53, 80, 81, 443, 2222, 8080)
TRIED = (*PORTS, 67, 9001)
_PORTLESS = "99"
_cidrs = st.lists(st.sampled_from(CIDRS), max_size=2, unique=True).map(tuple)


@st.composite
def traffics(draw: st.DrawFn, sources: bool = True, destinations: bool = False) -> Traffic:
    protocol = draw(st.sampled_from(["tcp", "tcp", "udp", "icmp", "all", "99"]))
    first, last = -1, -1
    if protocol in ("tcp", "udp"):
        first, last = sorted((draw(st.sampled_from(PORTS)), draw(st.sampled_from(PORTS))))
        first, last = draw(st.sampled_from([(first, last), (first, first), (-1, -1)]))
    elif protocol == "icmp":
        first, last = draw(st.sampled_from([(-1, -1), (8, -1), (8, 0), (0, 0), (8, 1)]))
    return Traffic(
        protocol, first, last, draw(_cidrs) if sources else (), draw(_cidrs) if destinations else ()
    )


@st.composite
def acls(draw: st.DrawFn) -> tuple[AclEntry, ...]:
    entries = []
    for _ in range(draw(st.integers(0, 5))):
        ingress = draw(st.booleans())
        traffic = draw(traffics(sources=ingress, destinations=not ingress))
        entries.append(AclEntry(ingress, draw(st.booleans()), traffic))
    return tuple(entries)


@st.composite
def configurations(draw: st.DrawFn) -> RouterConfiguration:
    """Of an isolated network, of a VPC, or of a network whose gateway is another machine.

    No two rules claim the same port of an address, as the manager sees to.
    """
    if draw(st.integers(0, 9)) == 0:
        return draw(serving_only())
    vpc = draw(st.booleans())
    networks = range(draw(st.integers(1, NETWORKS)) if vpc else 1)
    others = draw(st.booleans())
    public = [PublicAddress(ip, NETMASK, "203.0.113.1", PUBLIC, ip == POOL[0]) for ip in POOL]
    public += [PublicAddress(ip, NETMASK, "192.0.2.1", OTHER_PUBLIC) for ip in OTHER_POOL if others]
    if draw(st.integers(0, 9)) == 0:
        public = [address for address in public if not address.source_nat]
    guests = [address(n, h) for n in networks for h in GUESTS]
    served: dict[str, str] = {
        a.ip: draw(st.sampled_from(["ports", "ports", "static", "nothing"])) for a in public
    }
    forwards, balancers, static = [], [], []
    for ip, use in served.items():
        if use == "static":
            guest_ip = draw(st.sampled_from(guests))
            if all(nat.guest_ip != guest_ip for nat in static):
                static.append(StaticNat(ip, guest_ip))
        elif use == "ports":
            made = draw(port_rules(ip, guests))
            forwards += [each for each in made if isinstance(each, Forward)]
            balancers += [each for each in made if isinstance(each, Balancer)]
    tiers = [draw(acls()) if vpc else None for _ in networks]
    legs = vpc and draw(st.booleans())
    return RouterConfiguration(
        name="r-1-VM",
        vpc_cidr="10.1.0.0/16" if vpc else None,
        firewalled=not vpc,
        public=tuple(public),
        guests=tuple(
            GuestNetworkConfiguration(
                f"net{n}",
                guest_mac(n),
                gateway(n),
                gateway(n),
                NETMASK,
                services=tuple(draw(st.sets(st.sampled_from(["Dhcp", "Dns", "UserData"])))),
                guests=tuple(
                    RouterGuest(f"0a:0{n}:00:00:00:{h}", address(n, h), f"vm-{n}-{h}") for h in GUESTS
                ),
                egress_allowed=draw(st.booleans()),
                egress=tuple(draw(st.lists(traffics(destinations=True), max_size=4))) if not vpc else (),
                acl=tiers[n],
            )
            for n in networks
        ),
        ingress=tuple(
            IngressRule(draw(st.sampled_from([*POOL, *OTHER_POOL])), draw(traffics()))
            for _ in range(0 if vpc else draw(st.integers(0, 12)))
        ),
        forwards=tuple(forwards),
        static_nats=tuple(static),
        balancers=tuple(balancers),
        private=(
            PrivateLeg(
                LEG, "172.31.0.2", NETMASK, "172.31.0.1", draw(st.booleans()), draw(st.none() | acls())
            ),
        )
        if legs
        else (),
        routes=tuple(
            Route(cidr, "172.31.0.1")
            for cidr in (
                draw(st.sets(st.sampled_from(["172.30.0.0/16", "172.29.0.0/24", "8.8.4.4/32"])))
                if legs
                else ()
            )
        ),
    )


@st.composite
def serving_only(draw: st.DrawFn) -> RouterConfiguration:
    """A shared network's router, or an internal load balancer: it has the address that the guests here send all to."""
    guests = [address(0, h) for h in GUESTS]
    network = GuestNetworkConfiguration(
        "net0",
        guest_mac(0),
        gateway(0),
        address(0, 254),
        NETMASK,
        services=tuple(draw(st.sets(st.sampled_from(["Dhcp", "Dns", "UserData"])))),
        guests=tuple(RouterGuest(f"0a:00:00:00:00:{h}", address(0, h), f"vm-0-{h}") for h in GUESTS),
        egress_allowed=True,
    )
    made = draw(port_rules(gateway(0), guests))
    balancers = tuple(each for each in made if isinstance(each, Balancer) and each.protocol != "udp")
    return RouterConfiguration(
        name="r-1-VM", firewalled=draw(st.booleans()), guests=(network,), balancers=balancers
    )


@st.composite
def port_rules(draw: st.DrawFn, ip: str, guests: Sequence[str]) -> list[Forward | Balancer]:
    """Rules on different ports of an address."""
    made: list[Forward | Balancer] = []
    for first, last in draw(
        st.sets(st.sampled_from([(22, 22), (53, 53), (80, 81), (443, 443), (2222, 8080)]))
    ):
        protocol = draw(st.sampled_from(["tcp", "udp"]))
        kind = draw(st.sampled_from(["same", "moved", "balanced"]))
        if kind == "balanced":
            members = draw(st.lists(st.sampled_from(guests), min_size=1, max_size=3, unique=True))
            port = draw(st.sampled_from(PORTS))
            made.append(
                Balancer(
                    f"lb-{ip}-{first}",
                    ip,
                    first,
                    "udp" if protocol == "udp" else "tcp",
                    draw(st.sampled_from(["roundrobin", "source", "leastconn"])),
                    tuple(BalancerMember(f"m{i}", member, port) for i, member in enumerate(members)),
                    draw(_cidrs),
                )
            )
        else:
            to = first if kind == "same" else draw(st.sampled_from([9000, 22, 80]))
            made.append(Forward(ip, protocol, first, last, draw(st.sampled_from(guests)), to))
    return made


def picture(configuration: RouterConfiguration) -> Picture:
    """The router, and an instance for each of the guests' addresses."""
    instances = [
        VmSpec(
            guest.hostname,
            guest.hostname,
            1,
            1000,
            512,
            nics=(
                NicSpec(
                    guest.mac, guest.mac, network.network_id, 0, guest.ip, network.netmask, network.gateway
                ),
            ),
        )
        for network in configuration.guests
        for guest in network.guests
    ]
    return Picture(instances, [RouterInForce(configuration)])


def probes(configuration: RouterConfiguration, seed: int, count: int) -> list[Probe]:
    """Some of all packets between the places that there are, through the router."""
    chance = random.Random(seed)
    every = [probe for probe in _every_probe(configuration) if probe.protocol != _PORTLESS]
    # One without ports only: nothing tells two connections of it between the same two apart.
    portless = chance.choice([probe for probe in _every_probe(configuration) if probe.protocol == _PORTLESS])
    return [portless, *chance.sample(every, min(count, len(every)))]


def thorough(configuration: RouterConfiguration) -> list[Probe]:
    """All packets that are answered, and some that are not."""
    every = list(_every_probe(configuration))
    expected = expectations(configuration, every)
    found, met = [], set[str]()
    for probe, want in zip(every, expected, strict=True):
        hosts = {probe.source, probe.destination, *(a.destination for a in want.arrivals)}
        if want.answered and (probe.protocol != _PORTLESS or not hosts & met):
            found.append(probe)
            met |= hosts if probe.protocol == _PORTLESS else set()
    others = [probe for probe in every if probe.protocol != _PORTLESS]
    return [*found, *random.Random(1).sample(others, min(2500, len(others)))]


def _every_probe(configuration: RouterConfiguration) -> Iterator[Probe]:
    guests = {n.network_id: [g.ip for g in n.guests] for n in configuration.guests}
    sources = [(wire, ip) for wire, ips in guests.items() for ip in ips]
    macs = {a.mac for a in configuration.public}
    sources += [(wire, ip) for wire in ("public", "other") for ip in OUTSIDE if WIRES[wire].mac in macs]
    if configuration.private:
        sources += [("behind", ip) for ip in _behind(configuration)]
    targets = [a.ip for a in configuration.public]
    targets += [*OUTSIDE, "203.0.113.1", *(ip for ips in guests.values() for ip in ips)]
    targets += [*(n.router_ip for n in configuration.guests), "169.254.169.254", "169.254.7.7"]
    targets += [*BEHIND, "172.30.0.77", *_behind(configuration)] if configuration.private else []
    ports = (
        [("tcp", port) for port in TRIED]
        + [("udp", port) for port in TRIED]
        + [("icmp", -1), (_PORTLESS, -1)]
    )
    for wire, source in sources:
        for destination in dict.fromkeys(targets):
            if not _is_not_for_the_router(wire, source, destination, configuration):
                for protocol, port in ports:
                    yield Probe(wire, source, destination, protocol, port)


def _behind(configuration: RouterConfiguration) -> list[str]:
    """The hosts that the router knows to be behind its private leg."""
    routed = [
        ip for ip in (*BEHIND, *OUTSIDE) if any(inside(ip, route.cidr) for route in configuration.routes)
    ]
    return [*routed, "172.31.0.1"]


def _is_not_for_the_router(
    wire: str, source: str, destination: str, configuration: RouterConfiguration
) -> bool:
    """Whether nobody who is there would send it to the router."""
    if wire in ("public", "other"):
        own = destination in {a.ip for a in configuration.public if a.mac == WIRES[wire].mac}
        return not own and (not destination.startswith("10.1.") or source in _behind(configuration))
    if wire == "behind":
        return not destination.startswith("10.1.") and destination not in ("172.31.0.2", "172.30.0.77")
    own = destination.startswith(f"10.1.{wire[-1]}.") and destination != gateway(int(wire[-1]))
    elsewhere = any(n.network_id == wire and n.gateway != n.router_ip for n in configuration.guests)
    return own or destination == "172.30.0.77" or (elsewhere and destination == "169.254.169.254")


def configure(crossing: Crossing, configuration: RouterConfiguration) -> str:
    """Have the router be this; returns its rules."""
    text = rules(configuration)
    parts = interfaces(configuration), routes(configuration), policies(configuration)
    crossing.configure(*parts, SYSCTLS, text)
    return text


class Expectation(NamedTuple):
    """What the oracle says of a probe. `arrivals`: it is to come to one of these (none: to nobody)."""

    answered: bool
    arrivals: frozenset[Arrival]
    steps: tuple[str, ...]

    def met_by(self, outcome: Outcome) -> bool:
        if outcome.answered != self.answered:
            return False
        if not self.answered:
            into_the_void = "nobody" in self.steps[-1]
            return not outcome.arrivals or (
                into_the_void and {a.wire for a in outcome.arrivals} <= {"public", "other"}
            )
        return len(outcome.arrivals) == min(1, len(self.arrivals)) and outcome.arrivals <= self.arrivals


def expectations(configuration: RouterConfiguration, asked: Iterable[Probe]) -> list[Expectation]:
    """What the oracle says of each."""
    world, router = picture(configuration), Router(configuration)
    by_mac = {**router.guests, **router.publics, **router.legs}
    found = []
    for probe in asked:
        port = probe.port if probe.protocol in ("tcp", "udp") else None
        reach = world.can_reach(probe.source, probe.destination, probe.protocol, port)
        packet = Packet(probe.source, probe.destination, probe.protocol, probe.port)
        balanced = router.receive(packet, by_mac[WIRES[probe.wire].mac]).balanced
        ends = [] if balanced else [end for end in reach.ends if end.name != configuration.name]
        arrivals = (Arrival(_wire(end.ip, end.seen_as), end.seen_as, end.ip, end.port) for end in ends)
        # Of TCP load balancers this sees that the router takes the connection: nobody plays haproxy, so it refuses it.
        found.append(Expectation(bool(reach) or balanced, frozenset(arrivals), reach.steps))
    return found


def disagreements(crossing: Crossing, asked: Sequence[Probe], expected: Sequence[Expectation]) -> list[str]:
    """Where kernel and oracle do not say the same of a probe, in words. What looks so is asked again, with patience."""
    outcomes = crossing.send(asked)
    wrong = [
        (probe, want)
        for probe, want, got in zip(asked, expected, outcomes, strict=True)
        if not want.met_by(got)
    ]
    if not wrong:
        return []
    found = []
    for (probe, want), got in zip(
        wrong, crossing.send([probe for probe, _ in wrong], patience=1.5), strict=True
    ):
        if not want.met_by(got):
            found.append(f"{probe}: the kernel {_words(got)}; the oracle: {want}")
    return found


def _wire(ip: str, seen_as: str) -> str:
    if ip in BEHIND or ip.startswith("172.31."):
        return "behind"
    if ip.startswith("10.1."):
        return f"net{ip.split('.')[2]}"
    if not seen_as.startswith(("192.0.2.", "203.0.113.")):
        return "behind"  # by a static route
    return "other" if seen_as.startswith("192.0.2.") else "public"


def _words(outcome: Outcome) -> str:
    return f"{'answered' if outcome.answered else 'did not answer'}, it arrived at {set(outcome.arrivals) or 'nobody'}"
