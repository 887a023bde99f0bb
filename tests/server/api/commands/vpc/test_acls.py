"""Access control lists through the API, and what they let through by the oracle of the simulated datacenter."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.api.api_harness import refused
from tests.server.api.commands.vpc.vpc_api import VpcApi


class Shop:
    """`web` in the first tier, `db` in the second, and the lists `front` and `back` of the tiers, empty."""

    def __init__(self, api: VpcApi) -> None:
        self.api = api
        self.vpc = api.vpc()
        self.front, self.back = self.list("front"), self.list("back")
        self.tier1 = api.tier(self.vpc, 1, aclid=self.front["id"])
        self.tier2 = api.tier(self.vpc, 2, aclid=self.back["id"])
        self.web, self.db = api.deploy("web", self.tier1), api.deploy("db", self.tier2)

    def list(self, name: str) -> dict[str, Any]:
        made: dict[str, Any] = self.api.admin(
            "createNetworkACLList", name=name, vpcid=self.vpc["id"], description=name
        )["networkacllist"]
        return made

    def rule(self, acl: dict[str, Any], **asked: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.api.admin("createNetworkACL", aclid=acl["id"], **asked)["networkacl"]
        return made

    def asks(self, port: int, protocol: str = "tcp") -> bool:
        """Whether `web` gets to that port of `db`."""
        target = self.db["nic"][0]["ipaddress"]
        return self.api.reaches(self.web["instancename"], target, port, protocol)


@pytest.fixture
def shop(api: VpcApi) -> Shop:
    return Shop(api)


def test_between_tiers_only_what_a_rule_lets_in_gets_through(shop: Shop) -> None:
    assert not shop.asks(3306)
    rule = shop.rule(shop.back, protocol="TCP", startport=3306, cidrlist="10.20.1.0/24", number=10)
    assert (rule["state"], rule["protocol"], rule["startport"], rule["endport"]) == (
        "Active",
        "tcp",
        "3306",
        "3306",
    )
    assert (shop.asks(3306), shop.asks(3307), shop.asks(3306, "udp")) == (True, False, False)
    shop.api.admin("deleteNetworkACL", id=rule["id"])
    assert not shop.asks(3306)


def test_the_first_rule_that_matches_decides_and_its_place_can_change(shop: Shop) -> None:
    allow = shop.rule(shop.back, protocol="tcp", number=20)
    deny = shop.rule(shop.back, protocol="tcp", startport=80, action="Deny", number=10)
    assert (shop.asks(80), shop.asks(81)) == (False, True)
    moved = shop.api.admin("moveNetworkAclItem", id=deny["id"], previousaclruleid=allow["id"])["networkacl"]
    assert moved["number"] == 21
    assert shop.asks(80)
    shop.api.admin("moveNetworkAclItem", id=deny["id"], nextaclruleid=allow["id"])
    assert not shop.asks(80)
    shop.api.admin("updateNetworkACLItem", id=deny["id"], action="Allow")
    assert shop.asks(80)
    listed = shop.api.admin("listNetworkACLs", aclid=shop.back["id"])["networkacl"]
    assert [each["id"] for each in listed] == [deny["id"], allow["id"]]


def test_what_may_leave_a_tier(shop: Shop) -> None:
    shop.rule(shop.back, protocol="all")
    assert shop.asks(80)
    rule = shop.rule(shop.front, protocol="tcp", startport=443, traffictype="Egress")
    assert (shop.asks(80), shop.asks(443)) == (False, True)
    shop.api.admin("updateNetworkACLItem", id=rule["id"], startport=80, endport=443)
    assert (shop.asks(80), shop.asks(443)) == (True, True)


def test_a_tier_changes_its_list(shop: Shop) -> None:
    api = shop.api
    for name, passes in (("default_allow", True), ("default_deny", False)):
        api.admin("replaceNetworkACLList", aclid=api.default_list(name), networkid=shop.tier2["id"])
        assert shop.asks(22) is passes
        assert api.one("listNetworks", "network", id=shop.tier2["id"])["aclname"] == name
        assert api.one("listNetworkACLLists", "networkacllist", networkid=shop.tier2["id"])["name"] == name
    api.admin("deleteNetworkACLList", id=shop.back["id"])
    refused(536, api.admin, "deleteNetworkACLList", id=shop.front["id"])


def test_a_tiers_first_rule_makes_it_a_list(shop: Shop) -> None:
    api = shop.api
    bare = api.tier(shop.vpc, 3)
    vm = api.deploy("cache", bare)
    ways = (shop.web["instancename"], vm["nic"][0]["ipaddress"], 6379)
    assert not api.reaches(*ways)
    assert api.admin("listNetworkACLs", networkid=bare["id"]) == {}
    rule = api.admin("createNetworkACL", networkid=bare["id"], protocol="tcp", startport=6379)["networkacl"]
    assert rule["aclname"] == f"VPC_shop_Tier_tier3_ACL_{bare['id']}"
    assert api.reaches(*ways)
    assert api.one("listNetworkACLs", "networkacl", networkid=bare["id"])["id"] == rule["id"]


def test_the_default_lists_are_everybodys_and_nobodys(api: VpcApi) -> None:
    ann = api.account("ann")
    assert [each["name"] for each in ann("listNetworkACLLists")["networkacllist"]] == [
        "default_allow",
        "default_deny",
    ]
    acl = api.default_list("default_allow")
    for call in (ann, api.admin):
        refused(431, call, "createNetworkACL", aclid=acl, protocol="tcp")
        refused(431, call, "updateNetworkACLList", id=acl, name="mine")
        refused(431, call, "deleteNetworkACLList", id=acl)


def test_a_global_list_is_the_root_admins_to_change_and_everybodys_to_give_to_a_tier(api: VpcApi) -> None:
    ann = api.account("ann")
    text = refused(531, ann, "createNetworkACLList", name="everybody's").text
    assert "Only Root Admin can create global ACLs." in text
    acl = api.admin("createNetworkACLList", name="everybody's")["networkacllist"]
    assert "vpcid" not in acl
    rule = {"protocol": "all", "traffictype": "ingress", "aclid": acl["id"]}
    text = refused(531, ann, "createNetworkACL", **rule).text
    assert "Only Root Admins can create rules for a global ACL." in text
    made = api.admin("createNetworkACL", **rule)["networkacl"]
    text = refused(531, ann, "deleteNetworkACL", id=made["id"]).text
    assert "Only Root Admin can delete global ACL rules." in text
    for command, asked in (
        ("updateNetworkACLItem", {"id": made["id"], "action": "Deny"}),
        ("moveNetworkAclItem", {"id": made["id"], "nextaclruleid": made["id"]}),
        ("updateNetworkACLList", {"id": acl["id"], "name": "mine"}),
    ):
        assert "Only Root Admin" in refused(531, ann, command, **asked).text
    text = refused(531, ann, "deleteNetworkACLList", id=acl["id"]).text
    assert "Only Root Admin can delete global ACLs." in text
    vpc = api.vpc(ann, start=False)
    tier = api.tier(vpc, aclid=acl["id"], account="ann", domainid=vpc["domainid"])
    ann("replaceNetworkACLList", aclid=api.default_list("default_deny"), networkid=tier["id"])
    ann("replaceNetworkACLList", aclid=acl["id"], networkid=tier["id"])
    assert api.one("listNetworks", "network", id=tier["id"])["aclname"] == "everybody's"
    refused(531, ann, "createNetworkACL", networkid=tier["id"], protocol="all")
    assert [each["id"] for each in ann("listNetworkACLs", networkid=tier["id"])["networkacl"]] == [made["id"]]


def test_lists_and_rules_are_their_vpcs_owners(api: VpcApi) -> None:
    ann, bob = api.account("ann"), api.account("bob")
    vpc = api.vpc(ann, start=False)
    acl = ann("createNetworkACLList", name="mine", vpcid=vpc["id"])["networkacllist"]
    rule = ann("createNetworkACL", aclid=acl["id"], protocol="icmp", icmptype=8, icmpcode=0)["networkacl"]
    assert (rule["icmptype"], rule["icmpcode"], rule["number"]) == (8, 0, 1)
    assert [each["id"] for each in ann("listNetworkACLLists", vpcid=vpc["id"])["networkacllist"]] == [acl["id"]]
    assert acl["id"] not in [each["id"] for each in bob("listNetworkACLLists", listall=True)["networkacllist"]]
    assert rule["id"] not in [each["id"] for each in bob("listNetworkACLs")["networkacl"]]
    assert rule["id"] in [each["id"] for each in ann("listNetworkACLs")["networkacl"]]
    refused(531, bob, "listNetworkACLs", aclid=acl["id"])
    refused(531, bob, "deleteNetworkACL", id=rule["id"])
    refused(531, bob, "moveNetworkAclItem", id=rule["id"], nextaclruleid=rule["id"])
    refused(531, bob, "deleteNetworkACLList", id=acl["id"])
    ann("updateNetworkACLList", id=acl["id"], description="more")
    assert ann("listNetworkACLLists", id=acl["id"])["networkacllist"][0]["description"] == "more"


def test_rules_are_listed_by_what_they_say(api: VpcApi) -> None:
    vpc = api.vpc(start=False)
    acl = api.admin("createNetworkACLList", name="list", vpcid=vpc["id"])["networkacllist"]["id"]
    for asked in (
        {"protocol": "tcp", "startport": 1},
        {"protocol": "udp", "traffictype": "Egress"},
        {"protocol": "tcp", "action": "Deny"},
    ):
        api.admin("createNetworkACL", aclid=acl, **asked)

    def found(**filter: Any) -> list[int]:
        return [each["number"] for each in api.listed("listNetworkACLs", "networkacl", aclid=acl, **filter)]

    assert (found(), found(protocol="TCP"), found(traffictype="egress"), found(action="deny")) == (
        [1, 2, 3],
        [1, 3],
        [2],
        [3],
    )
    assert found(pagesize=2, page=2) == [3]
