"""VPCs and their tiers through the API, with routers in a simulated cloud."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.model import PublicIp, SystemVm, VirtualMachine
from tests.server.api.api_harness import refused
from tests.server.api.commands.vpc.vpc_api import OUTSIDE, TIER, VpcApi


def test_a_vpcs_life(api: VpcApi) -> None:
    vpc = api.vpc()
    row = api.one("listVPCs", "vpc", id=vpc["id"])
    assert (row["state"], row["cidr"], row["vpcofferingname"], row["redundantvpcrouter"]) == (
        "Enabled",
        "10.20.0.0/16",
        "Default VPC offering",
        False,
    )
    router = api.one("listRouters", "router", vpcid=vpc["id"], listall=True)
    assert (router["state"], router["vpcname"]) == ("Running", "shop")
    (address,) = api.store.table(PublicIp).where("vpc_id", vpc["id"])
    assert (address.source_nat, address.ip) == (True, router["publicip"])
    changed = api.admin("updateVPC", id=vpc["id"], name="mall", displaytext="Mall")["vpc"]
    assert (changed["name"], changed["displaytext"]) == ("mall", "Mall")
    assert api.admin("deleteVPC", id=vpc["id"]) == {"success": True}
    assert api.admin("listVPCs", id=vpc["id"]) == {}
    assert not api.store.table(SystemVm).where("vpc_id", vpc["id"])
    assert address.id not in api.store.table(PublicIp)


def test_the_answer_to_a_new_vpc_has_its_id_at_once(api: VpcApi) -> None:
    asked = {"name": "v", "cidr": "10.20.0.0/16", "vpcofferingid": api.offering(), "zoneid": api.zone}
    body = api.admin.reply("createVPC", **asked, start=False).body
    assert set(body) == {"jobid", "id"}
    api.admin.job(body["jobid"])
    assert api.one("listVPCs", "vpc", id=body["id"])["name"] == "v"
    assert not api.store.table(SystemVm).where("vpc_id", body["id"])


def test_a_vpc_that_was_not_started_gets_its_router_with_its_first_instance(api: VpcApi) -> None:
    vpc = api.vpc(start=False)
    tier = api.tier(vpc)
    assert not api.store.table(SystemVm).where("vpc_id", vpc["id"])
    vm = api.deploy("web", tier)
    assert api.store.table(VirtualMachine)[api.router(vpc).id].state == "Running"
    (guests,) = api.configuration(vpc).guests
    assert [(guest.hostname, guest.ip) for guest in guests.guests] == [("web", vm["nic"][0]["ipaddress"])]


def test_all_tiers_are_behind_one_router(api: VpcApi) -> None:
    vpc = api.vpc()
    first, second = api.tier(vpc, 1), api.tier(vpc, 2)
    api.deploy("web", first)
    vm = api.deploy("db", second)
    guests = {each.network_id: each for each in api.configuration(vpc).guests}
    assert {network: each.router_ip for network, each in guests.items()} == {
        first["id"]: "10.20.1.1",
        second["id"]: "10.20.2.1",
    }
    assert {nic["ipaddress"] for nic in api.one("listRouters", "router", vpcid=vpc["id"], listall=True)["nic"]} >= {
        "10.20.1.1",
        "10.20.2.1",
    }
    assert vm["nic"][0]["vpcname"] == "shop"


def test_tiers_are_listed_with_their_vpc(api: VpcApi) -> None:
    vpc = api.vpc(start=False)
    tier, plain = api.tier(vpc), api.network("plain")
    shown = api.one("listNetworks", "network", vpcid=vpc["id"])
    assert (shown["id"], shown["vpcname"]) == (tier["id"], "shop")
    assert not {"aclid", "aclname"} & set(shown)
    assert [n["id"] for n in api.listed("listNetworks", "network", forvpc=True)] == [tier["id"]]
    assert plain["id"] in [n["id"] for n in api.listed("listNetworks", "network", forvpc=False)]
    assert [n["id"] for n in api.one("listVPCs", "vpc", id=vpc["id"])["network"]] == [tier["id"]]
    refused(431, api.admin, "deleteVPC", id=vpc["id"])
    api.admin("deleteNetwork", id=tier["id"])
    api.admin("deleteVPC", id=vpc["id"])


def test_instances_are_listed_by_their_vpc(api: VpcApi) -> None:
    vpc = api.vpc()
    vm = api.deploy("web", api.tier(vpc))
    assert [each["id"] for each in api.listed("listVirtualMachines", "virtualmachine", vpcid=vpc["id"])] == [vm["id"]]


def test_a_tiers_instances_reach_out_unless_their_list_denies_it(api: VpcApi) -> None:
    vpc = api.vpc()
    tier = api.tier(vpc, 1, TIER)
    vm = api.deploy("web", tier)
    assert api.reaches(vm["instancename"], OUTSIDE, 443)
    for name, passes in (("default_deny", False), ("default_allow", True)):
        api.admin("replaceNetworkACLList", aclid=api.default_list(name), networkid=tier["id"])
        assert api.reaches(vm["instancename"], OUTSIDE, 443) is passes


def leases(api: VpcApi, vpc: dict[str, Any]) -> list[tuple[str, ...]]:
    """The public addresses of the VPC's router, and whom it gives which address."""
    does = api.configuration(vpc)
    guests = [(guest.mac, guest.ip, guest.hostname) for tier in does.guests for guest in tier.guests]
    return [(each.ip,) for each in does.public] + guests


def test_a_restart_with_clean_up_is_a_new_router_that_does_the_same(api: VpcApi) -> None:
    vpc = api.vpc()
    api.deploy("web", api.tier(vpc))
    before = api.router(vpc)
    did = leases(api, vpc)
    assert api.admin("restartVPC", id=vpc["id"]) == {"success": True}
    assert api.router(vpc).id == before.id
    assert api.admin("restartVPC", id=vpc["id"], cleanup=True) == {"success": True}
    assert api.router(vpc).id != before.id
    assert leases(api, vpc) == did
    error = refused(431, api.admin, "restartVPC", id=vpc["id"], makeredundant=True)
    assert "one router serves each VPC" in error.text


def test_a_vpc_is_seen_as_the_address_that_it_is_given(api: VpcApi) -> None:
    vpc = api.vpc(sourcenatipaddress="203.0.113.40")
    tier = api.tier(vpc, aclid=api.default_list("default_allow"))
    vm = api.deploy("web", tier)

    def seen_as() -> set[str]:
        found = api.cloud.world.reachability().can_reach(vm["instancename"], "198.51.100.7", "tcp", 443)
        return {end.seen_as for end in found.ends}

    assert seen_as() == {"203.0.113.40"}
    api.admin("updateVPC", id=vpc["id"], sourcenatipaddress="203.0.113.41", name="mall")
    assert seen_as() == {"203.0.113.41"}
    assert api.one("listRouters", "router", vpcid=vpc["id"], listall=True)["publicip"] == "203.0.113.41"
    assert api.one("listVPCs", "vpc", id=vpc["id"])["name"] == "mall"


def test_who_sees_and_changes_whose_vpcs(api: VpcApi) -> None:
    ann, bob = api.account("ann"), api.account("bob")
    vpc = api.vpc(ann, start=False)
    assert [each["id"] for each in ann("listVPCs")["vpc"]] == [vpc["id"]]
    assert bob("listVPCs") == {}
    assert api.admin("listVPCs") == {}
    assert [each["id"] for each in api.admin("listVPCs", listall=True)["vpc"]] == [vpc["id"]]
    for command in ("updateVPC", "deleteVPC", "restartVPC"):
        refused(531, bob, command, id=vpc["id"])
    refused(531, bob, "createNetworkACLList", name="list", vpcid=vpc["id"])
    assert ann("listVPCs")["vpc"][0]["account"] == "ann"


def test_an_account_goes_with_its_vpcs(api: VpcApi) -> None:
    ann = api.account("ann")
    vpc = api.vpc(ann)
    account = api.one("listAccounts", "account", name="ann", listall=True)
    api.admin("deleteAccount", id=account["id"])
    assert api.admin("listVPCs", id=vpc["id"]) == {}
    assert not api.store.table(SystemVm).where("vpc_id", vpc["id"])


def test_vpc_offerings_life(api: VpcApi) -> None:
    made = api.admin(
        "createVPCOffering",
        name="gold",
        displaytext="Gold",
        supportedservices="SourceNat,Dhcp,Dns,Lb",
        **{"serviceproviderlist[0].service": "Lb", "serviceproviderlist[0].provider": "InternalLbVm"},
    )["vpcoffering"]
    assert (made["state"], made["isdefault"]) == ("Disabled", False)
    services = {each["name"]: [p["name"] for p in each["provider"]] for each in made["service"]}
    assert services["Lb"] == ["InternalLbVm"]
    assert services["Gateway"] == ["VpcVirtualRouter"]
    refused(431, api.admin, "createVPC", name="v", cidr="10.0.0.0/16", vpcofferingid=made["id"], zoneid=api.zone)
    changed = api.admin("updateVPCOffering", id=made["id"], state="Enabled", name="silver")["vpcoffering"]
    assert (changed["state"], changed["name"]) == ("Enabled", "silver")
    assert api.one("listVPCOfferings", "vpcoffering", name="silver")["id"] == made["id"]
    api.admin("deleteVPCOffering", id=made["id"])
    assert api.admin("listVPCOfferings", id=made["id"]) == {}
    refused(431, api.admin, "deleteVPCOffering", id=api.offering())
    refused(401, api.account("ann"), "createVPCOffering", name="mine", supportedservices="Dns")


@pytest.mark.parametrize(
    ("filter", "names"),
    [
        ({"isdefault": True, "state": "Enabled"}, {"Default VPC offering", "Redundant VPC offering"}),
        ({"state": "disabled"}, {"Default VPC  offering with Netscaler"}),
        ({"supportedservices": "Lb,Vpn", "keyword": "Redundant"}, {"Redundant VPC offering"}),
        ({"supportedservices": "Connectivity"}, set()),
    ],
)
def test_vpc_offerings_are_listed_by_what_they_are(
    api: VpcApi, filter: dict[str, object], names: set[str]
) -> None:
    assert {each["name"] for each in api.admin("listVPCOfferings", **filter).get("vpcoffering", [])} == names


def test_an_offering_of_a_zone_or_domain_is_for_them_alone(api: VpcApi) -> None:
    domain = api.admin("createDomain", name="sales")["domain"]["id"]
    made = api.admin(
        "createVPCOffering", name="sales", supportedservices="Dns", domainid=domain, zoneid=api.zone, enable=True
    )["vpcoffering"]
    assert (made["domain"], made["zoneid"]) == ("ROOT/sales", api.zone)
    ann = api.account("ann")
    assert "sales" not in {each["name"] for each in ann("listVPCOfferings")["vpcoffering"]}
    refused(531, ann, "createVPC", name="v", cidr="10.0.0.0/16", vpcofferingid=made["id"], zoneid=api.zone)
    api.admin("updateVPCOffering", id=made["id"], domainid="public", zoneid="all")
    assert "sales" in {each["name"] for each in ann("listVPCOfferings")["vpcoffering"]}


def test_a_vpc_is_not_made_from_an_offering_for_another_domain(api: VpcApi) -> None:
    admin = api.admin
    theirs = admin("createDomain", name="theirs")["domain"]["id"]
    below = admin("createDomain", name="below", parentdomainid=theirs)["domain"]["id"]
    services = "Dhcp,Dns,SourceNat"
    asked = {"name": "for them", "displaytext": "for them", "supportedservices": services, "enable": True}
    offering = admin("createVPCOffering", **asked, domainid=f"{below},{theirs}")["vpcoffering"]
    assert offering["domainid"] == theirs
    api.account("bea", domainid=below)
    refused(531, admin, "createVPC", name="mine", cidr="10.20.0.0/16", vpcofferingid=offering["id"], zoneid=api.zone)
    made = api.vpc(vpcofferingid=offering["id"], account="bea", domainid=below, start=False)
    assert made["account"] == "bea"
