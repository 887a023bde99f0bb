"""Rules of public addresses come into force, keep out of each other's way, and go."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.errors import (
    InvalidParameterValue,
    ResourceInUse,
    ResourceUnavailable,
    RuleConflict,
)
from cloudsim.model import (
    FirewallRule,
    IpForwardingRule,
    LoadBalancerMember,
    LoadBalancerRule,
    Network,
    PortForwardingRule,
    PublicIp,
    RemoteAccessVpn,
    ResourceTag,
    StickinessPolicy,
    VirtualMachine,
)
from tests.cloudsim.management.network.rule_bench import RuleBench


@pytest.fixture
def bench() -> RuleBench:
    return RuleBench()


# coming and going


def test_a_rule_is_in_the_rows_while_its_router_is_told_and_active_afterwards(bench: RuleBench) -> None:
    states = []
    bench.routers.looks.append(lambda: states.append([r.state for r in bench.rows(PortForwardingRule)]))
    rule = bench.forward(2222)
    assert states == [["Add"]]
    assert bench.now(rule).state == "Active"
    assert bench.routers.told == [bench.front.id]
    bench.do(bench.rules.port_forwarding.revoke(rule))
    assert states == [["Add"], ["Revoke"]]
    assert bench.rows(PortForwardingRule) == bench.rows(FirewallRule) == []


def test_a_rule_that_its_router_does_not_take_is_gone_again_with_its_firewall_rule(bench: RuleBench) -> None:
    bench.routers.broken = True
    with pytest.raises(ResourceUnavailable):
        bench.forward(2222)
    assert bench.rows(PortForwardingRule) == bench.rows(FirewallRule) == []


def test_a_rule_that_could_not_be_revoked_is_there_to_be_revoked_again_and_claims_nothing(
    bench: RuleBench,
) -> None:
    rule = bench.forward(2222)
    bench.routers.broken = True
    with pytest.raises(ResourceUnavailable):
        bench.do(bench.rules.port_forwarding.revoke(rule))
    assert bench.now(rule).state == "Revoke"
    bench.routers.broken = False
    again = bench.forward(2222, vm=bench.db)
    bench.do(bench.rules.port_forwarding.revoke(rule))
    assert bench.rows(PortForwardingRule) == [again]
    assert [r.related_id for r in bench.rows(FirewallRule)] == [again.id]


def test_what_could_not_be_revoked_is_revoked_once_its_router_answers(bench: RuleBench) -> None:
    rule, kept = bench.forward(2222), bench.balance(80)
    bench.routers.broken = True
    with pytest.raises(ResourceUnavailable):
        bench.do(bench.rules.port_forwarding.revoke(rule))
    assert bench.do(bench.rules.retry_revoked()) == 0
    bench.routers.broken = False
    bench.busy.add(rule.id)
    assert bench.do(bench.rules.retry_revoked()) == 0
    bench.busy.clear()
    assert bench.do(bench.rules.retry_revoked()) == 1
    assert bench.rows(PortForwardingRule) == []
    assert [r.related_id for r in bench.rows(FirewallRule)] == [kept.id]


def test_after_a_restart_what_was_coming_or_going_is_gone(bench: RuleBench) -> None:
    kept = bench.forward(22)
    going, coming = bench.balance(80), bench.forward(2222, bench.vpc_ip, bench.tiered, network=bench.tier)
    with bench.store.transaction():
        bench.store.table(LoadBalancerRule).update(going.id, state="Revoke")
        bench.store.table(PortForwardingRule).update(coming.id, state="Add")
    assert bench.rules.settle_after_restart() == {bench.front.id, bench.tier.id}
    assert [r.id for r in bench.rows(PortForwardingRule)] == [kept.id]
    assert bench.rows(LoadBalancerRule) == []
    assert bench.now(bench.vpc_ip).network_id is None


def test_a_rules_tags_and_policies_go_with_it(bench: RuleBench) -> None:
    rule = bench.balance(80)
    policies = bench.rules.policies
    bench.do(policies.put(policies.sticky(rule, name="sticky", method="SourceBased", parameters={})))
    bench.do(policies.put(policies.health_check(rule)))
    bench.do(bench.rules.members.assign(rule, bench.rules.members.check_assign(rule, [bench.web], {})))
    with bench.store.transaction():
        bench.add(
            ResourceTag(
                id="tag",
                resource_type="LoadBalancer",
                resource_id=rule.id,
                key="k",
                value="v",
                account_id="ann",
                domain_id="root",
            )
        )
    bench.do(bench.rules.load_balancers.revoke(rule))
    for kind in (ResourceTag, StickinessPolicy, LoadBalancerMember, FirewallRule, LoadBalancerRule):
        assert bench.rows(kind) == []


# the firewall


def test_forwarding_opens_the_firewall_for_its_ports_unless_told_not_to(bench: RuleBench) -> None:
    bench.forward(2000, public_end_port=2009, private_port=3000, cidrs=["198.51.100.0/24"])
    bench.forward(2010, open_firewall=False)
    (opened,) = bench.rows(FirewallRule)
    assert (opened.start_port, opened.end_port, opened.cidrs) == (2000, 2009, ("198.51.100.0/24",))
    assert opened.state == "Active"


def test_forwarding_what_the_firewall_lets_in_already_opens_nothing_more(bench: RuleBench) -> None:
    opened = bench.open(bench.ip, protocol="tcp", start_port=1, end_port=1024)
    rule = bench.forward(22)
    assert [r.id for r in bench.rows(FirewallRule)] == [opened.id]
    bench.do(bench.rules.port_forwarding.revoke(rule))
    assert [r.id for r in bench.rows(FirewallRule)] == [opened.id]


def test_forwarding_does_not_widen_a_firewall_rule_for_just_its_ports(bench: RuleBench) -> None:
    opened = bench.open(bench.ip, protocol="tcp", start_port=22, cidrs=["198.51.100.0/24"])
    bench.open(bench.ip, protocol="tcp", start_port=20, end_port=21, cidrs=["198.51.100.0/24"])
    bench.forward(22)
    assert [r.cidrs for r in bench.rows(FirewallRule)] == [opened.cidrs] * 2
    bench.forward(21, vm=bench.db)
    assert bench.rows(FirewallRule)[-1].cidrs == ("0.0.0.0/0",)


def test_a_list_of_sources_needs_a_firewall_to_hold_it(bench: RuleBench) -> None:
    for more in (
        {"open_firewall": False},
        {"address": bench.vpc_ip, "vm": bench.tiered, "network": bench.tier},
    ):
        with pytest.raises(InvalidParameterValue, match="cidrlist"):
            bench.forward(22, cidrs=["198.51.100.0/24"], **more)


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        ({"protocol": "tcp", "start_port": 80, "end_port": 90}, {"protocol": "tcp", "start_port": 90}, True),
        ({"protocol": "tcp", "start_port": 80, "end_port": 90}, {"protocol": "tcp", "start_port": 91}, False),
        ({"protocol": "tcp", "start_port": 80}, {"protocol": "udp", "start_port": 80}, False),
        (
            {"protocol": "tcp", "start_port": 80, "cidrs": ["10.0.0.0/8"]},
            {"protocol": "tcp", "start_port": 80, "cidrs": ["192.168.0.0/16"]},
            False,
        ),
        (
            {"protocol": "tcp", "start_port": 80, "cidrs": ["172.16.0.0/12", "192.168.0.0/16"]},
            {"protocol": "tcp", "start_port": 80, "cidrs": ["192.168.7.0/24"]},
            True,
        ),
        (
            {"protocol": "tcp", "start_port": 80, "cidrs": ["10.0.0.0/8"]},
            {"protocol": "tcp", "start_port": 80},
            True,
        ),
        ({"protocol": "tcp"}, {"protocol": "tcp"}, True),
        ({"protocol": "icmp"}, {"protocol": "icmp", "icmp_type": -1, "icmp_code": -1}, True),
        ({"protocol": "icmp", "icmp_type": 8, "icmp_code": 0}, {"protocol": "icmp", "icmp_type": 0}, False),
    ],
)
def test_firewall_rules_that_say_the_same_of_some_traffic_conflict(
    bench: RuleBench, first: dict[str, Any], second: dict[str, Any], refused: bool
) -> None:
    bench.open(bench.ip, **first)
    bench.open(bench.other_ip, **second)
    if refused:
        with pytest.raises(RuleConflict):
            bench.open(bench.ip, **second)
    else:
        bench.open(bench.ip, **second)


@pytest.mark.parametrize(
    ("traffic", "named"),
    [
        ({"protocol": "sctp"}, "protocol"),
        ({"protocol": "all"}, "protocol"),
        ({"protocol": "tcp", "start_port": 0}, "publicPort"),
        ({"protocol": "tcp", "start_port": 65536}, "publicPort"),
        ({"protocol": "tcp", "start_port": 10, "end_port": 9}, "bigger"),
        ({"protocol": "tcp", "end_port": 9}, "startport"),
        ({"protocol": "icmp", "start_port": 10}, "port"),
        ({"protocol": "tcp", "icmp_type": 8}, "ICMP protocol only"),
        ({"protocol": "icmp", "icmp_type": 256}, "icmptype"),
        ({"protocol": "icmp", "icmp_type": -1, "icmp_code": 3}, "icmpcode"),
        ({"protocol": "tcp", "cidrs": ["10.0.0.1"]}, "cidrlist"),
        ({"protocol": "tcp", "cidrs": ["10.0.0.0/33"]}, "cidrlist"),
        ({"protocol": "tcp", "cidrs": ["10.0.0.256/8"]}, "cidrlist"),
    ],
)
def test_traffic_that_makes_no_sense_is_refused_by_the_parameters_name(
    bench: RuleBench, traffic: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidParameterValue, match=named):
        bench.open(bench.ip, **traffic)
    assert bench.rows(FirewallRule) == []


def test_protocols_may_be_given_by_number(bench: RuleBench) -> None:
    assert bench.open(bench.ip, protocol="6", start_port=80).protocol == "tcp"
    assert bench.open(bench.ip, protocol="ICMP").protocol == "icmp"


def test_egress_rules_are_about_addresses_of_their_network(bench: RuleBench) -> None:
    whole = bench.let_out(bench.front, protocol="all")
    assert (whole.cidrs, whole.start_port, whole.account_id) == (("10.1.1.0/24",), None, "ann")
    part = bench.let_out(
        bench.front,
        protocol="tcp",
        start_port=80,
        cidrs=["10.1.1.64/26"],
        destination_cidrs=["198.51.100.0/24"],
    )
    assert part.destination_cidrs == ("198.51.100.0/24",)
    other_way = {"start_port": 80, "cidrs": ["10.1.1.64/26"], "destination_cidrs": ["192.0.2.0/24"]}
    bench.let_out(bench.front, protocol="tcp", **other_way)
    with pytest.raises(RuleConflict):
        bench.let_out(bench.front, protocol="tcp", **other_way)
    with pytest.raises(InvalidParameterValue, match="not within the guest cidr"):
        bench.let_out(bench.front, protocol="tcp", cidrs=["10.1.2.0/24"])
    with pytest.raises(InvalidParameterValue, match="Service Firewall"):
        bench.let_out(bench.tier, protocol="tcp")
    with bench.store.transaction():
        shared = bench.network("shared", "10.9.0.0/24", "DefaultSharedNetworkOffering", guest_type="Shared")
    with pytest.raises(InvalidParameterValue, match="Shared"):
        bench.let_out(shared, protocol="tcp")


# which address, which instance


def test_an_address_must_be_for_a_network_that_has_the_service(bench: RuleBench) -> None:
    with bench.store.transaction():
        plain = bench.network("plain", "10.8.0.0/24", "DefaultIsolatedNetworkOffering")
        without = bench.address("203.0.113.30", plain)
        idle = bench.address("203.0.113.31")
        releasing = bench.address("203.0.113.32", bench.front, state="Releasing")
        system = bench.address("203.0.113.33", bench.front, system=True)
    for address, text in (
        (without, "Service PortForwarding is not supported"),
        (idle, "not associated with any network"),
        (releasing, "not allocated"),
        (system, "not allocated"),
    ):
        with pytest.raises(InvalidParameterValue, match=text):
            bench.forward(22, address)
    with pytest.raises(InvalidParameterValue, match="is associated with network front"):
        bench.forward(22, network=bench.back)


def test_rules_lead_to_instances_in_the_same_network_whoever_has_them(bench: RuleBench) -> None:
    with bench.store.transaction():
        theirs = bench.instance("theirs", bench.front, "10.1.1.12", account="bob")
        gone = bench.instance("gone", bench.front, "10.1.1.13")
        bench.store.table(VirtualMachine).update("gone", state="Destroyed")
    gone = bench.now(gone)
    assert bench.forward(25, vm=theirs).guest_ip == "10.1.1.12"
    for vm, text in ((gone, "Invalid user vm"), (bench.far, "doesn't belong to network front")):
        with pytest.raises(InvalidParameterValue, match=text):
            bench.forward(22, vm=vm)
    assert bench.forward(22).guest_ip == "10.1.1.10"
    assert bench.forward(23, guest_ip="10.1.1.110").guest_ip == "10.1.1.110"
    with pytest.raises(InvalidParameterValue, match="vmguestip"):
        bench.forward(24, guest_ip="10.1.1.11")


def test_a_vpcs_address_is_a_tiers_as_long_as_it_has_rules(bench: RuleBench) -> None:
    with pytest.raises(InvalidParameterValue, match="networkid"):
        bench.forward(22, bench.vpc_ip, bench.tiered)
    with pytest.raises(InvalidParameterValue, match="not a tier"):
        bench.forward(22, bench.vpc_ip, bench.web, network=bench.front)
    rule = bench.forward(22, bench.vpc_ip, bench.tiered, network=bench.tier)
    second = bench.forward(23, bench.vpc_ip, bench.tiered)
    assert bench.now(bench.vpc_ip).network_id == bench.tier.id
    assert bench.rows(FirewallRule) == []
    with pytest.raises(InvalidParameterValue, match="openfirewall"):
        bench.forward(24, bench.vpc_ip, bench.tiered, open_firewall=True)
    with pytest.raises(InvalidParameterValue, match="is associated with network tier"):
        bench.forward(24, bench.vpc_ip, bench.tiered2, network=bench.tier2)
    bench.do(bench.rules.port_forwarding.revoke(rule))
    assert bench.now(bench.vpc_ip).network_id == bench.tier.id
    bench.do(bench.rules.port_forwarding.revoke(second))
    assert bench.now(bench.vpc_ip).network_id is None
    bench.enable(bench.vpc_ip, bench.tiered2, network=bench.tier2)
    assert bench.now(bench.vpc_ip).network_id == bench.tier2.id
    bench.do(bench.rules.static_nats.disable(bench.vpc_ip.id))
    assert bench.now(bench.vpc_ip).network_id is None


def test_a_vpcs_address_is_no_tiers_when_its_first_rule_fails(bench: RuleBench) -> None:
    bench.routers.broken = True
    for begin in (
        lambda: bench.forward(22, bench.vpc_ip, bench.tiered, network=bench.tier),
        lambda: bench.balance(80, bench.vpc_ip, network=bench.tier),
        lambda: bench.enable(bench.vpc_ip, bench.tiered, network=bench.tier),
    ):
        with pytest.raises(ResourceUnavailable):
            begin()
        assert bench.now(bench.vpc_ip) == bench.vpc_ip


# sharing an address


def test_services_share_an_address_by_port_where_the_offering_has_conserve_mode(bench: RuleBench) -> None:
    bench.forward(22)
    bench.balance(80)
    with pytest.raises(RuleConflict):
        bench.balance(22)
    with pytest.raises(RuleConflict):
        bench.forward(79, public_end_port=81, private_port=79)
    bench.forward(80, protocol="udp")
    bench.balance(22, protocol="udp")


def test_without_conserve_mode_an_address_is_for_one_service(bench: RuleBench) -> None:
    bench.forward(22, bench.vpc_ip, bench.tiered, network=bench.tier)
    with pytest.raises(RuleConflict, match="conserve mode"):
        bench.balance(80, bench.vpc_ip)
    with pytest.raises(RuleConflict):
        bench.enable(bench.vpc_ip, bench.tiered)
    with bench.store.transaction():
        source_nat = bench.address("203.0.113.40", vpc_id="vpc", source_nat=True)
    with pytest.raises(RuleConflict, match="SourceNat"):
        bench.forward(22, source_nat, bench.tiered, network=bench.tier)


def test_a_source_nat_address_forwards_and_balances_but_is_nobodys_alone(bench: RuleBench) -> None:
    with bench.store.transaction():
        source_nat = bench.address("203.0.113.41", bench.front, source_nat=True)
    bench.forward(22, source_nat)
    assert bench.rules.load_balancers.source_nat_of(bench.front) == source_nat
    bench.balance(80, source_nat)
    with pytest.raises(InvalidParameterValue, match="sourceNat"):
        bench.enable(source_nat, bench.web)
    with pytest.raises(InvalidParameterValue, match="publicipid"):
        bench.rules.load_balancers.source_nat_of(bench.back)


def test_the_ports_of_a_vpn_are_taken(bench: RuleBench) -> None:
    with bench.store.transaction():
        bench.add(
            RemoteAccessVpn(
                id="vpn",
                public_ip_id=bench.ip.id,
                account_id="ann",
                domain_id="root",
                preshared_key="secret",
                ip_range="10.1.3.1-10.1.3.8",
                network_id=bench.front.id,
            )
        )
    with pytest.raises(RuleConflict):
        bench.forward(4500, protocol="udp")
    with pytest.raises(RuleConflict, match="Vpn"):
        bench.enable(bench.ip, bench.web)
    bench.forward(4500)


# static NAT


def test_a_static_nat_address_is_an_instances_alone(bench: RuleBench) -> None:
    bench.enable(bench.ip, bench.web)
    bench.enable(bench.ip, bench.web)  # is no change
    row = bench.now(bench.ip)
    assert (row.static_nat_vm_id, row.static_nat_ip) == ("web", "10.1.1.10")
    assert bench.routers.told == [bench.front.id]
    for begin in (lambda: bench.forward(22), lambda: bench.balance(80)):
        with pytest.raises(InvalidParameterValue, match="static nat enabled"):
            begin()
    with pytest.raises(RuleConflict, match="already assigned"):
        bench.enable(bench.ip, bench.db)
    with pytest.raises(RuleConflict, match="already associated"):
        bench.enable(bench.other_ip, bench.web)
    bench.enable(bench.other_ip, bench.web, guest_ip="10.1.1.110")


def test_an_address_with_rules_is_not_for_static_nat(bench: RuleBench) -> None:
    bench.forward(22)
    with pytest.raises(RuleConflict, match="PortForwarding"):
        bench.enable(bench.ip, bench.web)
    bench.balance(80, bench.other_ip)
    with pytest.raises(RuleConflict, match="Lb"):
        bench.enable(bench.other_ip, bench.web)


def test_ports_of_a_static_nat_address_are_let_in_by_the_firewall(bench: RuleBench) -> None:
    with pytest.raises(InvalidParameterValue, match="static nat is not enabled"):
        bench.let_in(bench.ip, 80)
    bench.enable(bench.ip, bench.web)
    rule = bench.let_in(bench.ip, 8080, end_port=8081)
    (opened,) = bench.rows(FirewallRule)
    assert (opened.protocol, opened.start_port, opened.end_port) == ("tcp", 8080, 8081)
    with pytest.raises(RuleConflict):
        bench.let_in(bench.ip, 8081)
    bench.let_in(bench.ip, 8081, protocol="udp", open_firewall=False)
    bench.do(bench.rules.static_nats.revoke(rule))
    assert bench.rows(FirewallRule) == []


def test_disabling_static_nat_closes_the_address(bench: RuleBench) -> None:
    with pytest.raises(InvalidParameterValue, match="not enabled"):
        bench.do(bench.rules.static_nats.disable(bench.ip.id))
    bench.enable(bench.ip, bench.web)
    bench.let_in(bench.ip, 80)
    bench.open(bench.ip, protocol="icmp")
    before = (bench.now(bench.ip), bench.rows(FirewallRule), bench.rows(IpForwardingRule))
    bench.routers.broken = True
    with pytest.raises(ResourceUnavailable):
        bench.do(bench.rules.static_nats.disable(bench.ip.id))
    assert (bench.now(bench.ip), bench.rows(FirewallRule), bench.rows(IpForwardingRule)) == before
    bench.routers.broken = False
    bench.do(bench.rules.static_nats.disable(bench.ip.id))
    assert bench.now(bench.ip) == bench.ip
    assert bench.rows(FirewallRule) == bench.rows(IpForwardingRule) == []


# changing


def test_where_a_forwarding_rule_leads_to_may_change(bench: RuleBench) -> None:
    forwarding = bench.rules.port_forwarding
    rule = bench.forward(2000, public_end_port=2009, private_port=3000)
    wanted = forwarding.changed(rule, private_port=4000, vm=bench.db, cidrs=["198.51.100.0/24"])
    changed = bench.do(forwarding.update(wanted))
    assert (changed.private_start, changed.private_end, changed.vm_id, changed.guest_ip) == (
        4000,
        4009,
        "db",
        "10.1.1.11",
    )
    assert bench.rows(FirewallRule)[0].cidrs == ("198.51.100.0/24",)
    with pytest.raises(InvalidParameterValue, match="equal sizes"):
        forwarding.changed(changed, private_end_port=4001)
    bench.routers.broken = True
    before = (bench.rows(PortForwardingRule), bench.rows(FirewallRule))
    with pytest.raises(ResourceUnavailable):
        bench.do(forwarding.update(forwarding.changed(changed, private_port=5000, cidrs=[])))
    assert (bench.rows(PortForwardingRule), bench.rows(FirewallRule)) == before


# what becomes of rules when what they are about goes


def _all_about_web(bench: RuleBench) -> None:
    """Forwarding, balancing and static NAT of `web`, and the same of others."""
    bench.forward(22)
    bench.forward(23, vm=bench.db)
    rule = bench.balance(80)
    members = bench.rules.members
    bench.do(members.assign(rule, members.check_assign(rule, [bench.web, bench.db], {})))
    bench.enable(bench.other_ip, bench.web, guest_ip="10.1.1.110")
    bench.let_in(bench.other_ip, 443)
    bench.forward(24, bench.vpc_ip, bench.tiered, network=bench.tier)


def test_an_instance_that_goes_takes_what_leads_to_it_along(bench: RuleBench) -> None:
    _all_about_web(bench)
    bench.routers.told.clear()
    bench.do(bench.rules.removal.forget_vm(bench.web))
    assert {r.vm_id for r in bench.rows(PortForwardingRule)} == {"db", "tiered"}
    assert [m.vm_id for m in bench.rows(LoadBalancerMember)] == ["db"]
    assert bench.now(bench.other_ip) == bench.other_ip
    assert bench.rows(IpForwardingRule) == []
    assert sorted(r.start_port for r in bench.rows(FirewallRule)) == [23, 80]
    assert bench.routers.told == [bench.front.id]
    bench.do(bench.rules.removal.forget_vm(bench.far))
    assert bench.routers.told == [bench.front.id]


def test_an_instance_can_go_while_its_router_does_not_answer(bench: RuleBench) -> None:
    _all_about_web(bench)
    bench.routers.broken = True
    bench.do(bench.rules.removal.forget_vm(bench.web))
    assert "web" not in {r.vm_id for r in bench.rows(PortForwardingRule)}


def test_an_instance_that_leaves_a_network_keeps_what_leads_to_it_elsewhere(bench: RuleBench) -> None:
    _all_about_web(bench)
    with bench.store.transaction():
        bench.store.table(Network).update(bench.back.id, account_id="ann")
        nic = bench.nic(bench.far)
    before = bench.rows(PortForwardingRule)
    bench.do(bench.rules.removal.forget_nic(bench.web, nic))
    assert bench.rows(PortForwardingRule) == before
    bench.do(bench.rules.removal.forget_nic(bench.web, bench.nic(bench.web)))
    assert "web" not in {r.vm_id for r in bench.rows(PortForwardingRule)}


def test_an_address_that_rules_lead_to_is_not_taken_from_its_nic(bench: RuleBench) -> None:
    nic = bench.nic(bench.web)
    bench.rules.removal.check_unused(bench.web, nic, "10.1.1.110")
    bench.enable(bench.other_ip, bench.web, guest_ip="10.1.1.110")
    with pytest.raises(ResourceInUse, match=r"10\.1\.1\.110"):
        bench.rules.removal.check_unused(bench.web, nic, "10.1.1.110")


def test_rules_follow_the_first_address_of_a_nic(bench: RuleBench) -> None:
    _all_about_web(bench)
    with bench.store.transaction():
        bench.rules.removal.move(bench.web, bench.nic(bench.web), "10.1.1.50")
    assert {r.guest_ip for r in bench.rows(PortForwardingRule) if r.vm_id == "web"} == {"10.1.1.50"}
    assert {m.ip for m in bench.rows(LoadBalancerMember) if m.vm_id == "web"} == {"10.1.1.50"}
    assert bench.now(bench.other_ip).static_nat_ip == "10.1.1.110"


def test_a_network_that_goes_takes_its_rules_along(bench: RuleBench) -> None:
    _all_about_web(bench)
    bench.let_out(bench.front, protocol="all")
    with bench.store.transaction():
        bench.rules.removal.of_network(bench.front)
    assert [r.network_id for r in bench.rows(PortForwardingRule)] == [bench.tier.id]
    assert bench.rows(FirewallRule) == bench.rows(LoadBalancerRule) == bench.rows(IpForwardingRule) == []
    assert all(ip.static_nat_vm_id is None for ip in bench.rows(PublicIp))


def test_an_address_that_goes_takes_its_rules_along(bench: RuleBench) -> None:
    _all_about_web(bench)
    with bench.store.transaction():
        bench.rules.removal.of_address(bench.ip.id)
        bench.rules.removal.of_address(bench.vpc_ip.id)
    assert bench.rows(PortForwardingRule) == bench.rows(LoadBalancerRule) == []
    assert bench.now(bench.vpc_ip).network_id is None
    assert len(bench.rows(IpForwardingRule)) == 1
