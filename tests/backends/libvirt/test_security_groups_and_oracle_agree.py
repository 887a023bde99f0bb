"""A host's security group rules and the oracle say the same: cards on a bridge, and packets between them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.libvirt import card_rules
from cloudsim.protocol.specs import NicSpec, SecurityRule, VmSpec
from cloudsim.systemvm.reachability import Picture
from tests.backends.systemvm.rendering.agreeing import examples
from tests.backends.systemvm.rendering.probing import (
    Arrival,
    Namespace,
    Outcome,
    Probe,
    Prober,
    at_once,
    forget_connections,
    what_is_missing,
)

GATEWAY, MASK, BRIDGE = "10.1.1.1", "255.255.255.0", "br0"
OUTSIDE = ("198.51.100.7", "8.8.4.4")
GUESTS = {name: f"10.1.1.{number}" for name, number in (("a", 10), ("b", 11), ("c", 12))}
PORTS = (22, 53, 80, 443)
TRIED = (*(("tcp", port) for port in PORTS), *(("udp", port) for port in PORTS), ("icmp", -1))
CIDRS = ("0.0.0.0/0", "10.1.1.0/24", "10.1.1.10/31", "10.1.1.12/32", "198.51.100.0/24", "::/0")


def mac(name: str) -> str:
    return f"06:00:00:00:00:{ord(name):02x}"


class Segment(Prober):
    """A host with a bridge; behind each of its ports an instance, and behind one the gateway and the Internet."""

    def __init__(self) -> None:
        self.host = Namespace()
        spaces = {name: Namespace() for name in (*GUESTS, "gateway")}
        self.host.run("ip", "link", "add", BRIDGE, "up", "type", "bridge")
        for name, space in spaces.items():
            ip = GUESTS.get(name, GATEWAY)
            self.host.run("ip", "link", "add", f"t-{name}", "type", "veth", "peer", "name", "eth0", "address",
                          mac(name[0]), "netns", space.path)  # fmt: skip
            self.host.run("ip", "link", "set", f"t-{name}", "up", "master", BRIDGE)
            lines = ["link set lo up", "link set eth0 up", f"address add {ip}/24 dev eth0"]
            if name in GUESTS:
                lines.append(f"route add default via {GATEWAY}")
            else:
                lines += [f"address add {outside}/32 dev lo" for outside in OUTSIDE]
            space.run("ip", "-batch", "-", given="\n".join(lines) + "\n")
            at_once(space)
        super().__init__(spaces)

    def close(self) -> None:
        super().close()
        self.host.close()

    def guard(self, instances: list[VmSpec]) -> None:
        def put() -> None:
            for vm in instances:
                asyncio.run(card_rules.put(vm, vm.nics[0], f"t-{vm.name}", BRIDGE, 7))
            forget_connections()

        self.host.call(put)


@pytest.fixture(scope="module")
def segment() -> Iterator[Segment]:
    missing = what_is_missing()
    if missing is None and not Path("/proc/sys/net/bridge/bridge-nf-call-iptables").exists():
        missing = "the kernel module br_netfilter is not there"
    if missing:
        pytest.skip(missing)
    made = Segment()
    yield made
    made.close()


@st.composite
def rules(draw: st.DrawFn) -> SecurityRule:
    protocol = draw(st.sampled_from(["tcp", "tcp", "udp", "icmp", "all"]))
    first, last = -1, -1
    if protocol in ("tcp", "udp"):
        first, last = draw(st.sampled_from([(22, 22), (53, 80), (80, 443), (-1, 80), (80, -1), (-1, -1)]))
    elif protocol == "icmp":
        first, last = draw(st.sampled_from([(-1, -1), (8, -1), (8, 0), (0, -1), (8, 1), (-1, 0)]))
    return SecurityRule(draw(st.booleans()), protocol, draw(st.sampled_from(CIDRS)), first, last)  # type: ignore[arg-type]


groups = st.none() | st.lists(rules(), max_size=5).map(tuple)


def instance(name: str, of: tuple[SecurityRule, ...] | None) -> VmSpec:
    nic = NicSpec(name, mac(name), "net", 0, GUESTS[name], MASK, GATEWAY, rules=of, routed=True)
    return VmSpec(name, f"id-{name}", 1, 1000, 512, nics=(nic,))


def every_probe() -> list[Probe]:
    sources = [*GUESTS.items(), *(("gateway", ip) for ip in OUTSIDE)]
    targets = (*GUESTS.values(), *OUTSIDE)
    return [
        Probe(wire, source, target, protocol, port)
        for wire, source in sources
        for target in targets
        for protocol, port in TRIED
        if source != target and not (wire == "gateway" and target in OUTSIDE)
    ]


def disagreement(picture: Picture, probe: Probe, outcome: Outcome) -> str:
    port = probe.port if probe.port >= 0 else None
    reach = picture.can_reach(probe.source, probe.destination, probe.protocol, port)
    wire = next((name for name, ip in GUESTS.items() if ip == probe.destination), "gateway")
    want = {Arrival(wire, probe.source, probe.destination, probe.port)} if reach else set()
    if outcome.answered == bool(reach) and outcome.arrivals == want:
        return ""
    return f"{probe}: {outcome}, but the oracle: {reach.steps}"


def disagreements(segment: Segment, picture: Picture) -> list[str]:
    """Where host and oracle do not say the same, in words. What looks so is asked again, with patience."""
    asked = every_probe()
    outcomes = segment.send(asked)
    again = [probe for probe, got in zip(asked, outcomes, strict=True) if disagreement(picture, probe, got)]
    outcomes = segment.send(again, 1.5) if again else []
    found = [disagreement(picture, probe, got) for probe, got in zip(again, outcomes, strict=True)]
    return [each for each in found if each]


@examples(15)
@given(given_rules=st.tuples(groups, groups, groups))
def test_the_host_does_what_the_oracle_says(
    segment: Segment, given_rules: tuple[tuple[SecurityRule, ...] | None, ...]
) -> None:
    instances = [instance(name, of) for name, of in zip(GUESTS, given_rules, strict=True)]
    segment.guard(instances)
    assert disagreements(segment, Picture(instances)) == []


def test_a_rule_that_is_missing_is_noticed(segment: Segment) -> None:
    rules = (
        SecurityRule(True, "tcp", "10.1.1.12/32", 22, 80),
        SecurityRule(True, "icmp", "0.0.0.0/0", 8, 0),
        SecurityRule(True, "udp", "198.51.100.0/24"),
        SecurityRule(False, "udp", "0.0.0.0/0", 53, 53),
        SecurityRule(False, "all", "10.1.1.11/32"),
    )
    others = [instance("b", None), instance("c", ())]
    picture = Picture([instance("a", rules), *others])
    for missing in (None, *rules):
        segment.guard([instance("a", tuple(rule for rule in rules if rule != missing)), *others])
        assert bool(disagreements(segment, picture)) is (missing is not None), missing
