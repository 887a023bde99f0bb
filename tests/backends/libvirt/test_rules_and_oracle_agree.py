"""Random security rules on a real card's tap, and what the simulator says of the same packets."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudsim.protocol.specs import NicSpec, SecurityRule, VmSpec
from cloudsim.systemvm.packets import Packet
from cloudsim.systemvm.security_groups import refuses_to_receive, refuses_to_send
from tests.backends.libvirt.network_lab import Fabric, Guest, Host, passes, what_is_missing
from tests.backends.libvirt.test_networks import ethernet, instance, ipv4, nic, udp

MISSING = what_is_missing()
pytestmark = [pytest.mark.lab, pytest.mark.skipif(MISSING is not None, reason=MISSING or "")]

GUARDED, FRIEND = nic(10), nic(11)
FRESH = count(20_000)
"""Source ports and ICMP ids: what was answered once passes from then on."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, Guest, Guest]]:
    fabric = Fabric(Path(tmp_path_factory.mktemp("fabric")))
    try:
        host = fabric.host()
        [guarded], [friend] = host.start(instance(GUARDED)), host.start(instance(FRIEND))
        yield host, guarded, friend
    finally:
        fabric.close()


LOAD = bytes(32)
"""Frames without it would be padded, and the padding does not arrive."""
PORTS = st.integers(78, 82)
CIDRS = st.sampled_from(["0.0.0.0/0", "10.1.1.11/32", "10.1.1.10/31", "10.1.1.12/30", "10.1.0.0/16", "0.0.0.0/32"])
RULES = st.one_of(
    st.builds(SecurityRule, st.booleans(), st.just("all"), CIDRS),
    st.tuples(st.booleans(), st.sampled_from(["tcp", "udp"]), CIDRS, PORTS, PORTS).map(
        lambda r: SecurityRule(r[0], r[1], r[2], min(r[3:]), max(r[3:]))  # type: ignore[arg-type]
    ),
    st.builds(
        SecurityRule, st.booleans(), st.just("icmp"), CIDRS, st.sampled_from([-1, 8, 13]), st.sampled_from([-1, 0])
    ),
)
KINDS: st.SearchStrategy[tuple[Any, int]] = st.one_of(
    st.tuples(st.sampled_from(["tcp", "udp"]), PORTS), st.tuples(st.just("icmp"), st.sampled_from([8, 13]))
)


def frame(sender: NicSpec, receiver: NicSpec, kind: tuple[str, int]) -> tuple[bytes, Packet]:
    """A packet that opens a connection, as bytes and as the simulator has it."""
    protocol, what = kind
    assert sender.ip is not None and receiver.ip is not None
    fresh = next(FRESH)
    if protocol == "icmp":
        head = struct.pack("!BBHHH", what, 0, 0, fresh, 1) + LOAD
        words = sum(struct.unpack(f"!{len(head) // 2}H", head))
        words = (words & 0xFFFF) + (words >> 16)
        content = head[:2] + struct.pack("!H", ~words & 0xFFFF) + head[4:]
        number, packet = 1, Packet(sender.ip, receiver.ip, "icmp", icmp_type=what)
    elif protocol == "udp":
        number, content, packet = 17, udp(fresh, what, LOAD), Packet(sender.ip, receiver.ip, "udp", what)
    else:
        content = struct.pack("!HHIIBBHHH", fresh, what, 1, 0, 0x50, 2, 1024, 0, 0) + LOAD
        number, packet = 6, Packet(sender.ip, receiver.ip, "tcp", what)
    return ethernet(sender.mac, receiver.mac, 0x0800, ipv4(sender.ip, receiver.ip, number, content)), packet


def guard(host: Host, guest: Guest, rules: tuple[SecurityRule, ...] | None) -> NicSpec:
    card = NicSpec(**{f: getattr(GUARDED, f) for f in GUARDED.__struct_fields__} | {"rules": rules})
    vm: VmSpec = instance(card)
    host.guard(vm, [guest])
    return card


def crosses(
    sender: Guest, receiver: Guest, source: NicSpec, target: NicSpec, kind: tuple[str, int], expected: bool
) -> bool:
    """Whether such a packet passes. One that should is sent again: on a machine with other work it may be late."""
    return any(passes(sender, receiver, frame(source, target, kind)[0]) for _ in range(3 if expected else 1))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rules=st.none() | st.lists(RULES, max_size=6).map(tuple),
    coming=st.lists(KINDS, min_size=3, max_size=6),
    going=st.lists(KINDS, min_size=3, max_size=6),
)
def test_a_card_lets_through_what_the_simulator_says(
    pair: tuple[Host, Guest, Guest],
    rules: tuple[SecurityRule, ...] | None,
    coming: list[tuple[str, int]],
    going: list[tuple[str, int]],
) -> None:
    host, guarded, friend = pair
    card = guard(host, guarded, rules)
    for kind in coming:
        packet = frame(FRIEND, card, kind)[1]
        right = refuses_to_receive(card, packet) is None
        assert crosses(friend, guarded, FRIEND, card, kind, right) == right, (rules, packet)
    for kind in going:
        packet = frame(card, FRIEND, kind)[1]
        right = refuses_to_send(card, packet) is None
        assert crosses(guarded, friend, card, FRIEND, kind, right) == right, (rules, packet)
