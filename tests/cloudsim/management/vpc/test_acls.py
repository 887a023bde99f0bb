"""Access control lists: their rules and the order of them, who has which, and when that is in force."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.errors import InvalidParameterValue, ResourceInUse, ResourceUnavailable
from cloudsim.management.vpc.acl_rules import AclRuleRequest
from cloudsim.management.vpc.acls import consistency_hash, renumbered
from cloudsim.management.vpc.private_gateways import PrivateGatewayRequest
from cloudsim.model import Network, NetworkAcl, NetworkAclList
from tests.cloudsim.management.vpc.vpc_bench import VpcBench

TCP = AclRuleRequest(protocol="tcp", start_port=22)


def numbers(bench: VpcBench, acl: NetworkAclList) -> list[int]:
    return [rule.number for rule in bench.acls.rules_of(acl.id)]


# lists


def test_a_fresh_cloud_has_a_list_that_allows_all_and_one_that_denies_all(bench: VpcBench) -> None:
    for name, action in (("default_allow", "Allow"), ("default_deny", "Deny")):
        acl = bench.default(name)
        assert acl.vpc_id is None
        assert [(r.traffic_type, r.protocol, r.action) for r in bench.acls.rules_of(acl.id)] == [
            ("Ingress", "all", action),
            ("Egress", "all", action),
        ]


def test_the_default_lists_are_not_to_be_changed(bench: VpcBench) -> None:
    acl = bench.default("default_allow")
    rule = bench.acls.rules_of(acl.id)[0]
    for refused in (
        lambda: bench.acls.create_rule(acl, None, TCP),
        lambda: bench.acls.check_update_list(acl, name="mine"),
        lambda: bench.acls.check_update_rule(rule, TCP),
        lambda: bench.acls.check_move(rule, None, bench.acls.rules_of(acl.id)[1]),
    ):
        with pytest.raises(InvalidParameterValue, match="Default ACL cannot be modified"):
            refused()
    with pytest.raises(InvalidParameterValue, match="cannot be removed"):
        bench.acls.check_deletable(acl)
    with pytest.raises(InvalidParameterValue, match="cannot be deleted"):
        bench.acls.check_rule_deletable(rule)


def test_a_list_has_a_name_and_a_global_one_not_a_default_lists(bench: VpcBench) -> None:
    vpc = bench.vpc()
    for of in (vpc, None):
        with pytest.raises(InvalidParameterValue, match="needs a name"):
            bench.acls.create_list(of, name=" ")
    with pytest.raises(InvalidParameterValue, match="name: default_deny is a default ACL"):
        bench.acls.create_list(None, name="default_deny")
    everybodys = bench.acls.create_list(None, name="list")
    with pytest.raises(InvalidParameterValue, match="name: default_allow is a default ACL"):
        bench.acls.check_update_list(everybodys, name="default_allow")
    bench.acls.create_list(vpc, name="default_deny")


def test_a_global_list_is_for_tiers_and_gateways_of_any_vpc_and_goes_when_none_has_it(bench: VpcBench) -> None:
    one, two = bench.vpc(), bench.vpc("other", "10.30.0.0/16")
    acl = bench.acls.create_list(None, name="everybody's")
    tier = bench.tier(one)
    bench.acls.check_replace(acl, tier, None)
    bench.do(bench.acls.replace(acl.id, tier))
    gateway = PrivateGatewayRequest(
        ip="10.99.0.2", gateway="10.99.0.1", netmask="255.255.255.0", vlan="400", acl=acl
    )
    made = bench.gateways.create(two, gateway)
    bench.routers.told.clear()
    rule = bench.rule(acl)
    assert sorted(bench.routers.told) == sorted([("sync", one.id), ("sync", two.id)])
    assert rule.state == "Active"
    with pytest.raises(ResourceInUse, match="associated with 1 tiers"):
        bench.acls.delete_list(acl.id)
    bench.do(bench.acls.replace(bench.default("default_deny").id, tier))
    with pytest.raises(ResourceInUse, match="private gateway"):
        bench.acls.delete_list(acl.id)
    bench.do(bench.acls.replace(bench.default("default_deny").id, bench.now(made)))
    bench.acls.delete_list(acl.id)
    assert bench.now(acl) is None and bench.now(rule) is None


def test_a_router_that_does_not_take_a_global_lists_rule_undoes_it_at_those_that_have(
    bench: VpcBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sorted((bench.vpc(), bench.vpc("other", "10.30.0.0/16")), key=lambda vpc: vpc.id)
    acl = bench.acls.create_list(None, name="everybody's")
    for vpc in (first, second):
        tier = bench.tier(vpc, vpc.cidr.replace("0.0/16", "1.1"))
        bench.do(bench.acls.replace(acl.id, tier))
    told: list[tuple[str, int]] = []

    async def sync(vpc_id: str) -> None:
        if vpc_id == second.id:
            raise ResourceUnavailable("the router does not answer")
        told.append((vpc_id, len(bench.acls.rules_of(acl.id))))

    monkeypatch.setattr(bench.routers, "sync_vpc", sync)
    made = bench.acls.create_rule(acl, None, TCP)
    bench.refused(bench.acls.apply(made.id))
    assert bench.acls.rules_of(acl.id) == []
    assert told == [(first.id, 1), (first.id, 0)]


def test_a_list_is_renamed_and_deleted_with_its_rules(bench: VpcBench) -> None:
    acl = bench.acl(bench.vpc())
    bench.rule(acl)
    changes = bench.acls.check_update_list(acl, name="other", description="more")
    assert bench.acls.update_list(acl.id, changes).name == "other"
    bench.acls.delete_list(acl.id)
    assert bench.now(acl) is None
    assert len(bench.rows(NetworkAcl)) == 4


def test_a_list_that_a_tier_or_a_gateway_has_is_not_deleted(bench: VpcBench) -> None:
    vpc = bench.vpc()
    acl, other = bench.acl(vpc), bench.acl(vpc, "other")
    tier = bench.tier(vpc, acl=acl)
    with pytest.raises(ResourceInUse, match="associated with 1 tiers, such as tier"):
        bench.acls.delete_list(acl.id)
    request = PrivateGatewayRequest(
        ip="10.99.0.2", gateway="10.99.0.1", netmask="255.255.255.0", vlan="400", acl=other
    )
    bench.gateways.create(vpc, request)
    with pytest.raises(ResourceInUse, match="private gateway"):
        bench.acls.delete_list(other.id)
    bench.do(bench.acls.replace(bench.default("default_deny").id, tier))
    bench.acls.delete_list(acl.id)


# rules


def test_a_rule_comes_after_the_last_unless_it_has_a_number(bench: VpcBench) -> None:
    acl = bench.acl(bench.vpc())
    assert [bench.rule(acl, number).number for number in (None, 10, None, 3)] == [1, 10, 11, 3]
    assert numbers(bench, acl) == [1, 3, 10, 11]
    with pytest.raises(InvalidParameterValue, match="number 10 already exists"):
        bench.rule(acl, 10)


def test_a_rule_is_active_once_the_router_has_it(bench: VpcBench) -> None:
    vpc = bench.vpc()
    acl = bench.acl(vpc)
    bench.tier(vpc, acl=acl)
    made = bench.acls.create_rule(acl, None, TCP)
    assert made.state == "Add"
    assert bench.do(bench.acls.apply(made.id)).state == "Active"
    assert bench.routers.told == [("sync", vpc.id)]


def test_a_list_that_nobody_has_is_no_matter_of_the_routers(bench: VpcBench) -> None:
    acl = bench.acl(bench.vpc())
    bench.routers.broken = True
    rule = bench.rule(acl)
    bench.do(bench.acls.delete_rule(rule.id))
    assert bench.now(rule) is None


def test_what_the_router_does_not_take_is_as_it_was(bench: VpcBench) -> None:
    vpc = bench.vpc()
    acl = bench.acl(vpc)
    tier = bench.tier(vpc, acl=acl)
    first, second = bench.rule(acl, start_port=1), bench.rule(acl, start_port=2)
    bench.routers.broken = True
    made = bench.acls.create_rule(acl, None, TCP)
    bench.refused(bench.acls.apply(made.id))
    changes = bench.acls.check_update_rule(first, AclRuleRequest(start_port=99, number=7))
    bench.refused(bench.acls.update_rule(first.id, changes))
    bench.refused(bench.acls.move(second.id, None, first.id))
    bench.refused(bench.acls.replace(bench.default("default_allow").id, tier))
    assert bench.acls.rules_of(acl.id) == [first, second]
    assert bench.now(tier).acl_id == acl.id
    bench.refused(bench.acls.delete_rule(first.id))
    assert bench.now(first).state == "Revoke"
    bench.routers.broken = False
    bench.do(bench.acls.delete_rule(first.id))
    assert bench.acls.rules_of(acl.id) == [second]


def test_the_first_rule_for_a_tier_without_list_makes_one(bench: VpcBench) -> None:
    vpc = bench.vpc()
    tier = bench.tier(vpc)
    rule = bench.acls.create_rule(None, tier, TCP)
    own = bench.store.table(NetworkAclList)[rule.list_id]
    assert own.name == f"VPC_vpc_Tier_tier_ACL_{tier.id}"
    assert (bench.now(tier).acl_id, rule.number) == (own.id, 1)
    second = bench.acls.create_rule(None, bench.now(tier), TCP)
    assert (second.list_id, second.number) == (own.id, 2)


@pytest.mark.parametrize("name", ["default_allow", "default_deny"])
def test_a_tier_with_a_default_list_does_not_lose_it_by_a_rule(bench: VpcBench, name: str) -> None:
    vpc = bench.vpc()
    tier = bench.tier(vpc, acl=bench.default(name))
    with pytest.raises(InvalidParameterValue, match="Default ACL cannot be modified"):
        bench.acls.create_rule(None, tier, TCP)
    assert bench.now(tier) == tier


def test_a_rule_needs_a_list_or_a_tier(bench: VpcBench) -> None:
    with pytest.raises(InvalidParameterValue, match="ACL Id or network Id is required"):
        bench.acls.create_rule(None, None, TCP)
    with bench.store.transaction():
        plain: Network = bench.add(
            Network(
                id="plain",
                name="plain",
                display_text="",
                zone_id="zone",
                network_offering_id="",
                account_id="ann",
                domain_id="root",
            )
        )
    with pytest.raises(InvalidParameterValue, match="does not belong to VPC"):
        bench.acls.create_rule(None, plain, TCP)
    with pytest.raises(InvalidParameterValue, match="not part of a VPC"):
        bench.acls.check_replace(bench.default("default_deny"), plain, None)


def test_a_change_leaves_what_it_does_not_name_or_all_of_it_goes(bench: VpcBench) -> None:
    acl = bench.acl(bench.vpc())
    rule = bench.rule(acl, start_port=22, cidrs=["10.0.0.0/8"], action="Deny", reason="because")
    changes = bench.acls.check_update_rule(rule, AclRuleRequest(number=5))
    part = bench.do(bench.acls.update_rule(rule.id, changes))
    assert (part.number, part.start_port, part.cidrs, part.action, part.reason) == (
        5,
        22,
        ("10.0.0.0/8",),
        "Deny",
        "because",
    )
    changes = bench.acls.check_update_rule(part, AclRuleRequest(protocol="udp"), partial=False)
    whole = bench.do(bench.acls.update_rule(rule.id, changes))
    assert (whole.number, whole.protocol, whole.start_port, whole.cidrs, whole.action, whole.reason) == (
        5,
        "udp",
        None,
        ("0.0.0.0/0",),
        "Allow",
        None,
    )


def test_a_rule_cannot_take_the_number_of_another(bench: VpcBench) -> None:
    acl = bench.acl(bench.vpc())
    first = bench.rule(acl)
    bench.rule(acl)
    with pytest.raises(InvalidParameterValue, match="number 2 already exists"):
        bench.acls.check_update_rule(first, AclRuleRequest(number=2))


# who has which


def test_a_list_is_for_the_tiers_and_gateways_of_its_vpc(bench: VpcBench) -> None:
    vpc, other = bench.vpc(), bench.vpc("other", "10.30.0.0/16")
    tier = bench.tier(vpc)
    acl = bench.acl(other)
    with pytest.raises(InvalidParameterValue, match="do not belong to the same VPC"):
        bench.acls.check_replace(acl, tier, None)
    with pytest.raises(InvalidParameterValue, match="and not both"):
        bench.acls.check_replace(acl, None, None)
    mine = bench.acl(vpc)
    bench.acls.check_replace(mine, tier, None)
    bench.do(bench.acls.replace(mine.id, tier))
    assert bench.now(tier).acl_id == mine.id
    assert bench.routers.told == [("sync", vpc.id)]


# order


def rules(*numbers: int) -> list[NetworkAcl]:
    return [NetworkAcl(id=f"rule {n}", list_id="list", number=n, protocol="all") for n in numbers]


@pytest.mark.parametrize(
    ("moving", "previous", "following", "expected"),
    [
        (30, 10, 20, {10: 10, 30: 11, 20: 20, 40: 40}),
        (10, 40, None, {20: 20, 30: 30, 40: 40, 10: 41}),
        (40, None, 10, {40: 1, 10: 10, 20: 20, 30: 30}),
    ],
)
def test_a_moved_rule_takes_a_number_in_between(
    moving: int, previous: int | None, following: int | None, expected: dict[int, int]
) -> None:
    found = renumbered(
        rules(10, 20, 30, 40),
        f"rule {moving}",
        previous and f"rule {previous}",
        following and f"rule {following}",
    )
    assert found == {f"rule {rule}": number for rule, number in expected.items()}


def test_where_there_is_no_number_in_between_those_behind_make_room() -> None:
    found = renumbered(rules(1, 2, 3, 9), "rule 9", "rule 1", "rule 2")
    assert found == {"rule 1": 1, "rule 9": 2, "rule 2": 3, "rule 3": 4}


@given(st.sets(st.integers(1, 40), min_size=2, max_size=12), st.data())
def test_after_any_move_numbers_are_unique_and_only_the_moved_rule_is_elsewhere(
    chosen: set[int], data: st.DataObject
) -> None:
    ordered = rules(*sorted(chosen))
    moving = data.draw(st.sampled_from(ordered))
    rest = [rule for rule in ordered if rule is not moving]
    place = data.draw(st.integers(0, len(rest)))
    previous = rest[place - 1].id if place else None
    following = rest[place].id if place < len(rest) else None
    found = renumbered(ordered, moving.id, previous, following)
    assert len(set(found.values())) == len(ordered)
    assert min(found.values()) >= 1
    wanted = [rule.id for rule in rest]
    wanted.insert(place, moving.id)
    assert sorted(found, key=lambda rule_id: found[rule_id]) == wanted
    before = [rule for rule in rest[:place]]
    assert all(found[rule.id] == rule.number for rule in before)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8))
def test_a_list_keeps_its_rules_through_any_moves(moves: list[tuple[int, int]]) -> None:
    bench = VpcBench()
    acl = bench.acl(bench.vpc())
    for number in (1, 2, 3, 7, 8):
        bench.rule(acl, number, start_port=number)
    expected = [rule.start_port for rule in bench.acls.rules_of(acl.id)]
    for which, where in moves:
        ordered = bench.acls.rules_of(acl.id)
        moving = ordered[which % len(ordered)]
        rest = [rule for rule in ordered if rule.id != moving.id]
        place = where % (len(rest) + 1)
        previous = rest[place - 1] if place else None
        following = rest[place] if place < len(rest) else None
        bench.acls.check_move(moving, previous, following, consistency_hash(ordered))
        bench.do(bench.acls.move(moving.id, previous and previous.id, following and following.id))
        expected.remove(moving.start_port)
        expected.insert(place, moving.start_port)
        after = bench.acls.rules_of(acl.id)
        assert [rule.start_port for rule in after] == expected
        assert [rule.number for rule in after] == sorted({rule.number for rule in after})


def test_moves_that_make_no_sense(bench: VpcBench) -> None:
    vpc = bench.vpc()
    acl = bench.acl(vpc)
    first, second, third = (bench.rule(acl) for _ in range(3))
    elsewhere = bench.rule(bench.acl(vpc, "other"))
    for previous, following, text in (
        (None, None, "cannot be empty"),
        (elsewhere, None, "same ACL list"),
        (first, None, "before or after itself"),
        (third, second, "right after previousaclruleid"),
    ):
        with pytest.raises(InvalidParameterValue, match=text):
            bench.acls.check_move(first, previous, following)


def test_a_move_may_depend_on_the_order_that_the_caller_has_seen(bench: VpcBench) -> None:
    acl = bench.acl(bench.vpc())
    first, second = bench.rule(acl), bench.rule(acl)
    seen = hashlib.md5(f"{first.id}{second.id}".encode()).hexdigest()
    bench.acls.check_move(second, None, first, seen)
    bench.rule(acl)
    with pytest.raises(InvalidParameterValue, match="changed meanwhile"):
        bench.acls.check_move(second, None, first, seen)
