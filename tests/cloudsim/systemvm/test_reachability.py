"""Who reaches whom, and why."""

from __future__ import annotations

import pytest

from cloudsim.protocol.router import (
    Balancer,
    BalancerMember,
    Forward,
    IngressRule,
    PrivateLeg,
    PublicAddress,
    Route,
    RouterConfiguration,
    StaticNat,
    Traffic,
)
from cloudsim.systemvm.reachability import End, Picture, RouterInForce
from tests.cloudsim.systemvm.zone import (
    ANYWHERE,
    MASK,
    allow,
    card,
    deny,
    instance,
    let_in,
    let_out,
    network,
    public,
    router,
)

WEB, DB = instance("web", card("10.1.1.7")), instance("db", card("10.1.1.8"))
TCP_22 = IngressRule("203.0.113.5", Traffic("tcp", 22, 22))


def isolated(**fields: object) -> RouterConfiguration:
    known = {"public": (public("203.0.113.5", True), public("203.0.113.6")), **fields}
    net = network("10.1.1", ("web", "10.1.1.7"), ("db", "10.1.1.8"), **known.pop("net", {}))  # type: ignore[arg-type]
    return router("r-1-VM", net, **known)


def of(*configurations: RouterConfiguration, instances: object = (WEB, DB)) -> Picture:
    return Picture(instances, [RouterInForce(each) for each in configurations])  # type: ignore[arg-type]


def test_on_one_network_instances_reach_each_other_whatever_the_router_does() -> None:
    for picture in (of(), of(isolated())):
        assert picture.can_reach("web", "db", "tcp", 3306).ends == (End("db", "10.1.1.8", 3306, "10.1.1.7"),)
        assert picture.can_reach("web", "10.1.1.8", "icmp")
    assert not of().can_reach("web", "10.1.1.9", "icmp"), "nobody has that address"


def test_without_its_router_a_network_has_no_way_out_and_nobody_gets_a_lease() -> None:
    picture = of()
    assert picture.can_reach("web", ANYWHERE, "tcp", 80).reason == (
        "nobody is at the gateway 10.1.1.1: its router does not run"
    )
    assert picture.lease(card("10.1.1.7").mac) is None
    assert picture.resolve("db", "web") is None and picture.metadata("latest/vm-id", "web") is None


@pytest.mark.parametrize("by_default", [False, True])
def test_egress_rules_are_exceptions_from_the_default(by_default: bool) -> None:
    rule = Traffic("tcp", 80, 80, ("10.1.1.7/32",), ("198.51.100.0/24",))
    picture = of(isolated(net={"egress_allowed": by_default, "egress": (rule,)}))
    assert bool(picture.can_reach("web", ANYWHERE, "tcp", 80)) is not by_default
    assert bool(picture.can_reach("web", ANYWHERE, "tcp", 81)) is by_default
    assert bool(picture.can_reach("web", "8.8.8.8", "tcp", 80)) is by_default
    assert bool(picture.can_reach("db", ANYWHERE, "tcp", 80)) is by_default


def test_outside_an_instance_is_seen_as_the_source_nat_address_or_its_static_one() -> None:
    open_net = {"egress_allowed": True}
    picture = of(isolated(net=open_net, static_nats=(StaticNat("203.0.113.6", "10.1.1.8"),)))
    assert picture.can_reach("web", ANYWHERE, "udp", 53).ends[0].seen_as == "203.0.113.5"
    assert picture.can_reach("db", ANYWHERE, "udp", 53).ends[0].seen_as == "203.0.113.6"
    nameless = of(isolated(net=open_net, public=(public("203.0.113.6"),)))
    assert nameless.can_reach("web", ANYWHERE, "udp", 53).reason == (
        "r-1-VM has no public address for 10.1.1.7 to be seen as: dropped"
    )
    assert not picture.can_reach("web", "192.168.7.7", "icmp"), "private addresses are nobody's outside"
    assert Picture([WEB], [RouterInForce(isolated(net=open_net))], outside=("192.168.0.0/16",)).can_reach(
        "web", "192.168.7.7", "icmp"
    ), "unless the outside is such a network"


def test_a_port_is_forwarded_once_the_firewall_allows_it() -> None:
    forwards = (Forward("203.0.113.5", "tcp", 2222, 2223, "10.1.1.7", 22),)
    shut = of(isolated(forwards=forwards))
    assert shut.can_reach(ANYWHERE, "203.0.113.5", "tcp", 2222).steps == (
        f"firewall of 203.0.113.5 has no rule for tcp 2222 from {ANYWHERE}: dropped",
    )
    rule = IngressRule("203.0.113.5", Traffic("tcp", 2222, 2223, ("198.51.100.0/24",)))
    picture = of(isolated(forwards=forwards, ingress=(rule,)))
    reach = picture.can_reach(ANYWHERE, "203.0.113.5", "tcp", 2223)
    assert reach.ends == (End("web", "10.1.1.7", 23, ANYWHERE),)
    assert reach.steps == (
        "firewall of 203.0.113.5 allows tcp 2223 from 198.51.100.0/24",
        "tcp 203.0.113.5:2223 is forwarded to 10.1.1.7:23",
        f"web gets tcp 10.1.1.7:23 from {ANYWHERE}",
    )
    assert not picture.can_reach("8.8.8.8", "203.0.113.5", "tcp", 2222)
    assert not picture.can_reach(ANYWHERE, "203.0.113.5", "udp", 2222)
    assert not picture.can_reach(ANYWHERE, "10.1.1.7", "tcp", 22), "private addresses have no way in"


def test_a_forward_to_an_instance_that_does_not_run_leads_to_nobody() -> None:
    it = isolated(forwards=(Forward("203.0.113.5", "tcp", 22, 22, "10.1.1.7", 22),), ingress=(TCP_22,))
    assert of(it).can_reach(ANYWHERE, "203.0.113.5", "tcp", 22)
    gone = of(it, instances=[DB])
    assert (
        gone.can_reach(ANYWHERE, "203.0.113.5", "tcp", 22).reason
        == "nobody has the address 10.1.1.7 on its network"
    )


def test_static_nat_takes_all_of_an_address() -> None:
    rules = (IngressRule("203.0.113.6", Traffic("all")),)
    picture = of(isolated(static_nats=(StaticNat("203.0.113.6", "10.1.1.8"),), ingress=rules))
    for protocol, port in (("tcp", 1), ("udp", 65_535), ("icmp", None), ("47", None)):
        assert picture.can_reach(ANYWHERE, "203.0.113.6", protocol, port).ends[0].name == "db"


def test_from_inside_an_instance_reaches_its_own_network_by_its_public_address() -> None:
    it = isolated(forwards=(Forward("203.0.113.5", "tcp", 22, 22, "10.1.1.7", 22),), ingress=(TCP_22,))
    for name in ("db", "web"):
        assert of(it).can_reach(name, "203.0.113.5", "tcp", 22).ends == (
            End("web", "10.1.1.7", 22, "10.1.1.1"),
        )


def test_the_router_answers_echoes_and_serves_its_own_networks_alone() -> None:
    ping = IngressRule("203.0.113.5", Traffic("icmp", 8, 0))
    picture = of(isolated(ingress=(ping, TCP_22)))
    assert picture.can_reach(ANYWHERE, "203.0.113.5", "icmp").ends[0].name == "r-1-VM"
    assert not picture.can_reach(ANYWHERE, "203.0.113.6", "icmp")
    assert not picture.can_reach(ANYWHERE, "203.0.113.5", "tcp", 22), (
        "nothing of the router's own is open outside"
    )
    for address, protocol, port in (
        ("10.1.1.1", "udp", 67), ("10.1.1.1", "tcp", 53), ("10.1.1.1", "tcp", 80), ("169.254.169.254", "tcp", 80),
        ("169.254.169.254", "icmp", None),
    ):  # fmt: skip
        assert picture.can_reach("web", address, protocol, port), (address, protocol, port)
    assert not picture.can_reach("web", "169.254.169.254", "udp", 53)
    assert not picture.can_reach("web", "10.1.1.1", "tcp", 22)
    without = of(isolated(net={"services": ("Dhcp",)}))
    assert not without.can_reach("web", "10.1.1.1", "udp", 53)
    assert not without.can_reach("web", "169.254.169.254", "tcp", 80)


def test_a_load_balancer_may_choose_members_that_run() -> None:
    members = tuple(BalancerMember(ip, ip, 8080) for ip in ("10.1.1.7", "10.1.1.8", "10.1.1.9"))
    balancer = Balancer("lb", "203.0.113.5", 80, members=members, sources=("198.51.100.0/24", "10.0.0.0/8"))
    rule = IngressRule("203.0.113.5", Traffic("tcp", 80, 80))
    picture = of(isolated(balancers=(balancer,), ingress=(rule,)))
    for source in (ANYWHERE, "web"):
        ends = picture.can_reach(source, "203.0.113.5", "tcp", 80).ends
        assert ends == (End("web", "10.1.1.7", 8080, "10.1.1.1"), End("db", "10.1.1.8", 8080, "10.1.1.1"))
    assert not picture.can_reach("8.8.8.8", "203.0.113.5", "tcp", 80)
    nobody = of(isolated(balancers=(balancer,), ingress=(rule,)), instances=[])
    assert not nobody.can_reach(ANYWHERE, "203.0.113.5", "tcp", 80)


def test_two_networks_reach_each_other_by_public_addresses_through_both_firewalls() -> None:
    mail = instance("mail", card("10.2.1.7"))
    other = router(
        "r-2-VM",
        network("10.2.1", ("mail", "10.2.1.7")),
        public=(public("203.0.113.9", True),),
        forwards=(Forward("203.0.113.9", "tcp", 25, 25, "10.2.1.7", 25),),
        ingress=(IngressRule("203.0.113.9", Traffic("tcp", 25, 25, ("203.0.113.5/32",))),),
    )
    it = isolated(net={"egress_allowed": True}, static_nats=(StaticNat("203.0.113.6", "10.1.1.8"),))
    picture = of(it, other, instances=(WEB, DB, mail))
    assert picture.can_reach("web", "203.0.113.9", "tcp", 25).ends == (
        End("mail", "10.2.1.7", 25, "203.0.113.5"),
    )
    assert picture.can_reach("db", "203.0.113.9", "tcp", 25).reason.startswith(
        "firewall of 203.0.113.9 has no rule"
    )
    assert not picture.can_reach("web", "mail", "tcp", 25), "its private address is nobody's outside"
    alone = of(it, instances=(WEB, DB, mail))
    assert alone.can_reach("web", "203.0.113.9", "tcp", 25).reason == (
        "nobody has the public address 203.0.113.9: no router in force"
    )


def vpc(*, front: tuple = (), back: tuple = (), **fields: object) -> Picture:
    nets = network("10.1.1", ("web", "10.1.1.7"), acl=front), network("10.1.2", ("db", "10.1.2.8"), acl=back)
    known: dict = {"public": (public("203.0.113.5", True),), **fields}
    it = router("r-3-VM", *nets, vpc_cidr="10.1.0.0/16", firewalled=False, **known)
    return of(it, instances=(WEB, instance("db", card("10.1.2.8"))))


def test_a_tiers_list_decides_by_its_first_entry_that_matches() -> None:
    picture = vpc(
        back=(deny(True, "tcp", 3306, "10.1.1.7/32"), allow(True, "tcp", 3306), allow(True, "icmp"))
    )
    assert picture.can_reach("web", "db", "tcp", 3306).reason == (
        "access list of tier 10.1.2.0/24, ingress: entry 1 matches tcp 3306 from 10.1.1.7: denies it"
    )
    assert picture.can_reach("web", "db", "icmp")
    assert not picture.can_reach("web", "db", "tcp", 22), "what no entry matches may not come in"
    assert vpc().can_reach("db", ANYWHERE, "tcp", 80), "and may go out"
    closed = vpc(back=(allow(False, "udp", 53),))
    assert closed.can_reach("db", ANYWHERE, "udp", 53)
    assert not closed.can_reach("db", ANYWHERE, "tcp", 80), "unless the list has an entry about going out"
    assert closed.can_reach("db", "10.1.2.1", "tcp", 53), "the router's own address in the tier is not out"


def test_a_vpcs_public_addresses_are_open_and_the_tiers_lists_decide() -> None:
    static = {"static_nats": (StaticNat("203.0.113.5", "10.1.2.8"),)}
    assert not vpc(**static).can_reach(ANYWHERE, "203.0.113.5", "tcp", 22)  # type: ignore[arg-type]
    opened = vpc(back=(allow(True, "tcp", 22, "198.51.100.0/24"),), **static)  # type: ignore[arg-type]
    assert opened.can_reach(ANYWHERE, "203.0.113.5", "tcp", 22).ends == (End("db", "10.1.2.8", 22, ANYWHERE),)


def test_packets_for_a_static_route_leave_by_the_private_gateway_under_its_list() -> None:
    leg = PrivateLeg("02:ee:00:00:00:01", "172.16.0.2", MASK, "172.16.0.1", acl=(allow(False, "tcp", 443),))
    fields = {"private": (leg,), "routes": (Route("172.20.0.0/16", "172.16.0.1"),)}
    picture = vpc(back=(allow(True, "all", -1, "172.20.0.0/16"),), **fields)  # type: ignore[arg-type]
    assert picture.can_reach("web", "172.20.1.1", "tcp", 443).ends[0].seen_as == "10.1.1.7"
    assert not picture.can_reach("web", "172.20.1.1", "tcp", 80)
    assert picture.can_reach("172.20.1.1", "db", "tcp", 1).reason == (
        "access list of private gateway 172.16.0.1, ingress: no entry matches tcp 1 from 172.20.1.1: denies it"
    )
    open_leg = PrivateLeg("02:ee:00:00:00:01", "172.16.0.2", MASK, "172.16.0.1", True)
    picture = vpc(back=(allow(True, "all", -1, "172.20.0.0/16"),), **{**fields, "private": (open_leg,)})  # type: ignore[arg-type]
    assert picture.can_reach("web", "172.20.1.1", "icmp").ends[0].seen_as == "172.16.0.2"
    assert picture.can_reach("172.20.1.1", "db", "tcp", 1).ends[0].name == "db"


def test_two_vpcs_meet_on_the_wire_of_their_private_gateways_if_both_know_the_way_back() -> None:
    def side(name: str, net: str, own: str, other: str, far: str, mac: str) -> RouterConfiguration:
        leg = PrivateLeg(mac, own, MASK, other)
        open_to_all = (allow(True, "all"),)
        return router(
            name, network(net, acl=open_to_all), firewalled=False, private=(leg,), routes=(Route(far, other),)
        )

    one = side("r-1-VM", "10.1.1", "172.16.0.1", "172.16.0.2", "10.2.0.0/16", "02:ee:00:00:00:01")
    two = side("r-2-VM", "10.2.1", "172.16.0.2", "172.16.0.1", "10.1.0.0/16", "02:ee:00:00:00:02")
    far = instance("far", card("10.2.1.7"))

    def meeting(*given: RouterConfiguration, wires: tuple[str, str] = ("101", "101")) -> Picture:
        macs = ("02:ee:00:00:00:01", "02:ee:00:00:00:02")
        in_force = [RouterInForce(c, {mac: wire}) for c, mac, wire in zip(given, macs, wires, strict=True)]
        return Picture([WEB, far], in_force)

    assert meeting(one, two).can_reach("web", "far", "tcp", 80).ends[0].name == "far"
    elsewhere = meeting(one, two, wires=("101", "102")).can_reach("web", "far", "tcp", 80)
    assert [end.name for end in elsewhere.ends] == ["outside"], (
        "on another wire somebody else has that address"
    )
    forgetful = RouterConfiguration(name="r-2-VM", guests=two.guests, firewalled=False, private=two.private)
    assert (
        meeting(one, forgetful)
        .can_reach("web", "far", "tcp", 80)
        .reason.endswith("has no way back to 10.1.1.7 there")
    )


def test_security_groups_hold_at_both_ends_and_answers_pass() -> None:
    open_out = instance("a", card("10.1.1.20", rules=()))
    narrow = instance("b", card("10.1.1.21", rules=(let_in("tcp", 80, "10.1.1.20/32"), let_out("udp", 53))))
    picture = of(isolated(), instances=(open_out, narrow, WEB))
    assert picture.can_reach("a", "b", "tcp", 80)
    assert picture.can_reach("web", "b", "tcp", 80).reason == (
        "b: no ingress rule of its security groups allows tcp 80 from 10.1.1.7: dropped"
    )
    assert not picture.can_reach("b", "web", "tcp", 80), (
        "a group with egress rules lets out what they say alone"
    )
    assert picture.can_reach("b", "web", "udp", 53)
    assert not picture.can_reach("web", "a", "icmp") and picture.can_reach("a", "web", "icmp")
    assert picture.can_reach("b", "10.1.1.1", "tcp", 80), "the gateway is never kept away"


def test_an_instance_speaks_as_its_own_addresses_only() -> None:
    two = instance("two", card("10.1.1.30", secondary_ips=("10.1.1.31",)), card("10.9.9.30", default=False))
    picture = of(isolated(net={"egress_allowed": True}), instances=(two, WEB))
    assert picture.can_reach("10.1.1.31", "web", "icmp").ends[0].seen_as == "10.1.1.31"
    assert picture.can_reach("web", "10.1.1.31", "icmp")
    strange = picture.can_reach("10.9.9.30", "web", "icmp")
    assert strange.reason == f"two: 10.9.9.30 is no address of card {card('10.1.1.30').mac}: dropped"


def test_an_answer_that_would_leave_by_another_gateway_is_lost() -> None:
    two = instance("two", card("10.1.1.30"), card("10.2.1.30", default=False))
    other = router(
        "r-2-VM",
        network("10.2.1"),
        public=(public("203.0.113.9", True),),
        static_nats=(StaticNat("203.0.113.9", "10.2.1.30"),),
        ingress=(IngressRule("203.0.113.9", Traffic("all")),),
    )
    picture = of(isolated(net={"egress_allowed": True}), other, instances=(two,))
    assert picture.can_reach(ANYWHERE, "203.0.113.9", "tcp", 80).reason.endswith(
        "goes another way and is lost"
    )
    assert picture.can_reach("two", ANYWHERE, "tcp", 80).ends[0].seen_as == "203.0.113.5"


def test_on_a_shared_network_the_gateway_is_outside_and_the_router_only_serves() -> None:
    a = instance("a", card("192.0.2.7", routed=True))
    b = instance("b", card("192.0.2.8", routed=True, rules=(let_in("tcp", 22),)))
    it = router("r-4-VM", network("192.0.2", router_ip="192.0.2.50"))
    picture = of(it, instances=(a, b))
    assert picture.can_reach("a", ANYWHERE, "tcp", 80).ends[0].seen_as == "192.0.2.7"
    assert picture.can_reach(ANYWHERE, "192.0.2.7", "tcp", 80).ends[0].name == "a"
    assert picture.can_reach(ANYWHERE, "b", "tcp", 22) and not picture.can_reach(ANYWHERE, "b", "tcp", 80)
    assert picture.can_reach("a", "192.0.2.50", "udp", 53) and not picture.can_reach(
        "a", "192.0.2.50", "udp", 54
    )
    assert of(instances=(a, b)).can_reach("a", ANYWHERE, "tcp", 80), "and the way out does not depend on it"


def test_an_internal_load_balancer_passes_on_in_its_tier() -> None:
    balancer = router(
        "b-5-VM",
        network("10.1.1", router_ip="10.1.1.99", services=("Lb",)),
        firewalled=False,
        balancers=(Balancer("lb", "10.1.1.99", 80, members=(BalancerMember("m", "10.1.1.8", 8080),)),),
    )
    picture = of(isolated(), balancer)
    assert picture.can_reach("web", "10.1.1.99", "tcp", 80).ends == (
        End("db", "10.1.1.8", 8080, "10.1.1.99"),
    )
    assert not picture.can_reach("web", "10.1.1.99", "tcp", 81)


def test_it_says_what_is_wrong_with_a_question() -> None:
    twin = instance("twin", card("10.1.1.7", "another"))
    picture = of(instances=(WEB, twin))
    with pytest.raises(LookupError, match="nobody is neither an address nor an instance that runs"):
        picture.can_reach("web", "nobody", "icmp")
    with pytest.raises(LookupError, match=r"10.1.1.7 is an address of 2 instances"):
        picture.can_reach("10.1.1.7", ANYWHERE, "icmp")
    with pytest.raises(ValueError, match="tcp needs a port between 0 and 65535, not None"):
        picture.can_reach("web", ANYWHERE)


def test_several_ways_out_are_chosen_by_the_address_that_an_instance_is_seen_as() -> None:
    other = PublicAddress("192.0.2.5", MASK, "192.0.2.1", "02:ff:00:00:01:05")
    it = isolated(
        public=(public("203.0.113.5", True), other),
        static_nats=(StaticNat("192.0.2.5", "10.1.1.8"),),
        net={"egress_allowed": True},
    )
    assert of(it).can_reach("db", ANYWHERE, "icmp").ends[0].seen_as == "192.0.2.5"
    assert of(it).can_reach("web", ANYWHERE, "icmp").ends[0].seen_as == "203.0.113.5"
