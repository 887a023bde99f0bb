"""Whatever rules are asked for, in whatever order: no two ever have the same port of an address."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.errors import CloudError, ResourceUnavailable
from cloudsim.management.network.address_use import carried_by
from cloudsim.model import (
    FirewallRule,
    IpForwardingRule,
    LoadBalancerRule,
    PortForwardingRule,
    PublicIp,
)
from tests.cloudsim.management.network.rule_bench import RuleBench

PORTS = st.integers(1, 12)
ADDRESSES = st.sampled_from(["203.0.113.10", "203.0.113.11", "203.0.113.20"])
PROTOCOLS = st.sampled_from(["tcp", "udp"])
FORWARD = st.tuples(st.just("forward"), ADDRESSES, PORTS, st.integers(0, 3), PROTOCOLS, st.booleans())
BALANCE = st.tuples(
    st.just("balance"), ADDRESSES, PORTS, st.sampled_from(["tcp", "udp", "tcp-proxy", "ssl"]), st.booleans()
)
ENABLE = st.tuples(st.just("enable"), ADDRESSES)
LET_IN = st.tuples(st.just("let_in"), ADDRESSES, PORTS, st.integers(0, 3), PROTOCOLS)
STEPS = st.one_of(
    FORWARD,
    FORWARD,
    BALANCE,
    ENABLE,
    LET_IN,
    LET_IN,
    st.tuples(st.just("disable"), ADDRESSES),
    st.tuples(st.just("revoke"), st.integers(0, 50)),
    st.tuples(st.just("forget"), st.sampled_from(["web", "db", "tiered", "tiered2"])),
)
BROKEN = st.sampled_from([False] * 9 + [True])
"""Whether the router does not answer this time."""


def _do(bench: RuleBench, step: tuple[Any, ...]) -> None:
    name, *what = step
    address = bench.store.table(PublicIp).get(what[0]) if isinstance(what[0], str) else None
    vpc = address is not None and address.vpc_id is not None
    if name == "forward":
        second, length = what[4], what[2]
        vm = (bench.tiered2 if second else bench.tiered) if vpc else (bench.db if second else bench.web)
        network = (bench.tier2 if second else bench.tier) if vpc else None
        bench.forward(
            what[1],
            address,
            vm,
            network=network,
            public_end_port=what[1] + length,
            private_port=22,
            protocol=what[3],
        )
    elif name == "balance":
        network = (bench.tier2 if what[3] else bench.tier) if vpc else None
        bench.balance(what[1], address, protocol=what[2], network=network)
    elif name == "enable":
        assert address is not None
        bench.enable(address, bench.tiered if vpc else bench.web, network=bench.tier if vpc else None)
    elif name == "let_in":
        assert address is not None
        bench.let_in(address, what[1], end_port=what[1] + what[2], protocol=what[3])
    elif name == "disable":
        bench.do(bench.rules.static_nats.disable(what[0]))
    elif name == "revoke":
        rules = [
            r for kind in (PortForwardingRule, LoadBalancerRule, IpForwardingRule) for r in bench.rows(kind)
        ]
        if rules:
            bench.do(bench.rules.changes.revoke(rules[what[0] % len(rules)]))
    else:
        bench.do(bench.rules.removal.forget_vm(getattr(bench, what[0])))


def _claims(bench: RuleBench) -> list[tuple[str, str, int]]:
    """(address, tcp or udp, port), once for each rule that has it; made of the rows alone."""
    found = []
    for f in bench.rows(PortForwardingRule):
        if f.state != "Revoke":
            found += [(f.public_ip_id, f.protocol, port) for port in range(f.public_start, f.public_end + 1)]
    for b in bench.rows(LoadBalancerRule):
        if b.state != "Revoke":
            found.append((b.public_ip_id, carried_by(b.protocol), b.public_port))
    for s in bench.rows(IpForwardingRule):
        if s.state != "Revoke":
            found += [(s.public_ip_id, s.protocol, port) for port in range(s.start_port, s.end_port + 1)]
    return found


def _check(bench: RuleBench) -> None:
    claims = _claims(bench)
    assert len(claims) == len(set(claims))
    kinds = (PortForwardingRule, LoadBalancerRule, IpForwardingRule)
    rules = [rule for kind in kinds for rule in bench.rows(kind)]
    live = [rule for rule in rules if rule.state != "Revoke"]
    assert all(rule.state == "Active" for rule in live)
    ids = {rule.id for rule in rules}
    assert all(opened.related_id in ids for opened in bench.rows(FirewallRule))
    for address in bench.rows(PublicIp):
        mine = [rule for rule in live if rule.public_ip_id == address.id]
        assert {rule.network_id for rule in mine} <= {address.network_id}
        if address.static_nat_vm_id is not None:
            assert all(isinstance(rule, IpForwardingRule) for rule in mine)
        else:
            assert not any(isinstance(rule, IpForwardingRule) for rule in mine)
        if address.vpc_id is not None:
            assert len({type(rule) for rule in mine}) <= 1  # tiers have no conserve mode
            used = (
                any(rule.public_ip_id == address.id for rule in rules) or address.static_nat_vm_id is not None
            )
            assert (address.network_id is not None) == used


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(STEPS, BROKEN), min_size=15, max_size=40))
def test_no_two_rules_ever_have_the_same_port_of_an_address(
    steps: list[tuple[tuple[Any, ...], bool]],
) -> None:
    bench = RuleBench()
    for step, bench.routers.broken in steps:
        before = {name: list(table) for name, table in bench.store.tables.items()}
        try:
            _do(bench, step)
        except ResourceUnavailable:
            pass
        except CloudError:  # what was refused changed nothing
            assert {name: list(table) for name, table in bench.store.tables.items()} == before
        _check(bench)
