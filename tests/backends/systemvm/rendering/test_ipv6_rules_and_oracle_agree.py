"""The IPv6 rules that a router gets and the oracle say the same: loaded in a namespace, with others asking through it."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.systemvm.rendering.interfaces import interfaces, routes, sysctls
from backends.systemvm.rendering.nftables import rules
from backends.systemvm.rendering.nftables6 import rules6
from cloudsim.protocol.router import (
    AclEntry,
    GuestNetworkConfiguration,
    PublicAddress,
    PublicAddress6,
    RouterConfiguration,
    Traffic,
)
from cloudsim.protocol.specs import NicSpec, VmSpec
from cloudsim.systemvm.reachability import Picture, Reach, RouterInForce
from tests.backends.systemvm.rendering.agreeing import examples
from tests.backends.systemvm.rendering.crossing6 import Crossing6, Question, Wire6
from tests.backends.systemvm.rendering.probing import what_is_missing

PUBLIC = "02:00:00:00:01:01"
MACS = ("02:00:00:00:00:00", "02:00:00:00:00:01")
NETS = ("2001:db8:1:10::", "2001:db8:1:11::")
OUTSIDE = ("2001:db8:ffff::7", "2001:db8:eeee::9")
OWN, UPSTREAM = "2001:db8:0:1::2", "2001:db8:0:1::1"
STRANGER = "2001:db8:99::5"
"""An address that a guest on the first network has taken, of another network."""
GUESTS = ("a", "b")
WIRES = {
    "public": Wire6(PUBLIC, (UPSTREAM,), OWN, OUTSIDE),
    "net0": Wire6(MACS[0], tuple(NETS[0] + guest for guest in GUESTS), NETS[0] + "1", (STRANGER,)),
    "net1": Wire6(MACS[1], tuple(NETS[1] + guest for guest in GUESTS), NETS[1] + "1"),
}
PORTS = (22, 53, 80, 443)
CIDRS = ("::/0", "2001:db8:ffff::/48", "2001:db8:ffff::7/128", NETS[0] + "/64", NETS[1] + "/64", NETS[0] + "a/128", "10.0.0.0/8",
         "0.0.0.0/0")  # fmt: skip
_cidrs = st.lists(st.sampled_from(CIDRS), max_size=2, unique=True).map(tuple)


@st.composite
def traffics(draw: st.DrawFn, sources: bool = True, destinations: bool = True) -> Traffic:
    protocol = draw(st.sampled_from(["tcp", "tcp", "udp", "icmp", "58", "all", "99"]))
    first = last = -1
    if protocol in ("tcp", "udp"):
        first, last = draw(st.sampled_from([(22, 22), (53, 80), (80, 443), (-1, -1)]))
    elif protocol == "icmp":
        first, last = draw(st.sampled_from([(-1, -1), (128, -1), (128, 0), (8, 0), (129, 0)]))
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


def network(number: int, **fields: object) -> GuestNetworkConfiguration:
    v4 = f"10.1.{number}.1"
    return GuestNetworkConfiguration(
        f"net{number}",
        MACS[number],
        v4,
        v4,
        "255.255.255.0",
        ip6=NETS[number] + "1",
        **fields,  # type: ignore[arg-type]
    )


def router(*guests: GuestNetworkConfiguration, vpc: bool) -> RouterConfiguration:
    return RouterConfiguration(
        name="r-1-VM",
        vpc_cidr="10.1.0.0/16" if vpc else None,
        firewalled=not vpc,
        public=(PublicAddress("203.0.113.2", "255.255.255.0", "203.0.113.1", PUBLIC, True),),
        guests=guests,
        public6=PublicAddress6(OWN, UPSTREAM, PUBLIC),
    )


@st.composite
def configurations(draw: st.DrawFn) -> RouterConfiguration:
    services = tuple(draw(st.sets(st.sampled_from(["Dhcp", "Dns"]))))
    if draw(st.booleans()):
        return router(*(network(n, services=services, acl=draw(acls())) for n in range(2)), vpc=True)
    lists = [tuple(draw(st.lists(traffics(), max_size=4))) for _ in range(2)]
    allowed = draw(st.booleans())
    only = network(0, services=services, egress_allowed=allowed, ingress6=lists[0], egress6=lists[1])
    return router(only, vpc=False)


def _picture(configuration: RouterConfiguration) -> Picture:
    instances = [
        VmSpec(f"{net.network_id}-{guest}", guest, 1, 1000, 512, nics=(
            NicSpec(f"{net.network_id}{guest}", f"0a:{net.mac[3:]}", net.network_id, ip6=WIRES[net.network_id].addresses[at],
                    gateway6=net.ip6),
        ))
        for net in configuration.guests
        for at, guest in enumerate(GUESTS)
    ]  # fmt: skip
    return Picture(instances, [RouterInForce(configuration)])


def _questions(configuration: RouterConfiguration) -> list[Question]:
    nets = [net.network_id for net in configuration.guests]
    sources = [(wire, ip) for wire in nets for ip in WIRES[wire].addresses]
    sources += [("public", ip) for ip in (*OUTSIDE, UPSTREAM)]
    guests = [ip for wire in nets for ip in WIRES[wire].addresses]
    targets = [*guests, *OUTSIDE, OWN, *(net.ip6 for net in configuration.guests)]
    tried = [(protocol, port) for protocol in ("tcp", "udp") for port in (*PORTS, 9001)]
    found = []
    for wire, source in sources:
        for target in targets:
            if target not in (*WIRES[wire].addresses, *WIRES[wire].elsewhere):  # for the router alone
                found += [Question(wire, source, target, *each) for each in [*tried, ("icmp", -1)]]
    return found


def _expected(configuration: RouterConfiguration, asked: Sequence[Question]) -> dict[Question, Reach]:
    picture = _picture(configuration)
    return {
        each: picture.can_reach(
            each.source, each.destination, each.protocol, each.port if each.port > 0 else None
        )
        for each in asked
    }


def _disagreements(crossing: Crossing6, expected: dict[Question, Reach]) -> list[str]:
    """Where kernel and oracle do not say the same, in words. What looks so is asked again, with patience."""
    got = crossing.answered(list(expected))
    wrong = [each for each, want in expected.items() if bool(want) != (each in got)]
    again = crossing.answered(wrong, patience=1.5)
    return [
        f"{each}: {'answered' if each in again else 'not answered'}; the oracle: {expected[each].steps}"
        for each in wrong
        if bool(expected[each]) != (each in again)
    ]


def _configure(crossing: Crossing6, configuration: RouterConfiguration) -> None:
    parts = interfaces(configuration), routes(configuration), sysctls(configuration)
    crossing.configure(*parts, rules(configuration))


@pytest.fixture(scope="module")
def crossing() -> Iterator[Crossing6]:
    missing = what_is_missing()
    if missing:
        pytest.skip(missing)
    made = Crossing6(WIRES)
    yield made
    made.close()


def _agree(crossing: Crossing6, configuration: RouterConfiguration, seed: int) -> None:
    _configure(crossing, configuration)
    every = _questions(configuration)
    asked = random.Random(seed).sample(every, min(120, len(every)))
    assert _disagreements(crossing, _expected(configuration, asked)) == []


@examples(25)
@given(configuration=configurations(), seed=st.integers(0, 2**32))
def test_the_kernel_does_what_the_oracle_says(
    crossing: Crossing6, configuration: RouterConfiguration, seed: int
) -> None:
    _agree(crossing, configuration, seed)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@examples(600)
@given(configuration=configurations(), seed=st.integers(0, 2**32))
def test_the_kernel_does_what_the_oracle_says_hundreds_of_times(
    crossing: Crossing6, configuration: RouterConfiguration, seed: int
) -> None:
    _agree(crossing, configuration, seed)


ISOLATED = router(
    network(
        0,
        services=("Dns",),
        ingress6=(
            Traffic("tcp", 22, 22, ("2001:db8:ffff::/48",)),
            Traffic("udp", 53, 53, (), (NETS[0] + "a/128",)),
            Traffic("icmp", 128, 0),
        ),
        egress6=(Traffic("tcp", 443, 443), Traffic("icmp", destinations=("2001:db8:eeee::/48",))),
    ),
    vpc=False,
)
TIERS = router(
    network(
        0,
        services=("Dns",),
        acl=(
            AclEntry(True, False, Traffic("tcp", 22, 22, (OUTSIDE[1] + "/128",))),
            AclEntry(True, True, Traffic("tcp", 22, 22, ("::/0",))),
            AclEntry(False, False, Traffic("tcp", 80, 80, (), (NETS[1] + "/64",))),
            AclEntry(False, True, Traffic("all", destinations=("::/0",))),
        ),
    ),
    network(1, acl=(AclEntry(True, True, Traffic("tcp", 22, 80, (NETS[0] + "/64", OUTSIDE[1] + "/128"))),)),
    vpc=True,
)
_OUT_OF_SIGHT = (
    'iifname "lo" accept',
    "fe80::/10 drop",
    "ip6 saddr != ",
    "icmpv6 type nd-",
    "icmpv6 type { nd-",
)
"""What only packets with another's address, or guests that begin, would show."""


@pytest.mark.parametrize("configuration", [ISOLATED, TIERS], ids=["isolated", "vpc"])
def test_any_rule_that_is_missing_is_noticed(crossing: Crossing6, configuration: RouterConfiguration) -> None:
    _configure(crossing, configuration)
    expected = _expected(configuration, _questions(configuration))
    assert _disagreements(crossing, expected) == []
    lines = rules6(configuration).splitlines(keepends=True)
    unnoticed, tried = [], 0
    own = lines.index("\tchain arriving {\n")
    for at, line in enumerate(lines):
        if (
            not line.startswith("\t\t")
            or line.startswith("\t\ttype")
            or any(each in line for each in _OUT_OF_SIGHT)
        ):
            continue
        begun_by_the_router = at > own and "ct state" in line
        for_spoofers = ": jump from_" in line and configuration is ISOLATED
        if begun_by_the_router or for_spoofers:
            continue
        tried += 1
        crossing.load("".join(lines[:at] + lines[at + 1 :]))
        if crossing.answered(list(expected)) == {each for each, want in expected.items() if want}:
            unnoticed.append(line.strip())
    assert tried > 8
    assert unnoticed == []


def _listener() -> socket.socket:
    made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    made.bind((OUTSIDE[0], 4000))
    return made


def test_a_guest_that_speaks_as_another_network_is_not_let_out(crossing: Crossing6) -> None:
    open_to_all = router(network(0, egress_allowed=True, ingress6=(Traffic("all"),)), vpc=False)
    _configure(crossing, open_to_all)
    ear = crossing.spaces["public"].call(_listener)
    with ear:
        own, stranger = WIRES["net0"].addresses[0], STRANGER
        crossing.answered([Question("net0", stranger, OUTSIDE[0], "udp", 4000)], patience=0.1)
        crossing.answered([Question("net0", own, OUTSIDE[0], "udp", 4000)], patience=0.1)
        ear.settimeout(30)
        assert ear.recvfrom(100)[1][0] == own
        ear.settimeout(0.1)
        with pytest.raises(TimeoutError):
            ear.recvfrom(100)
