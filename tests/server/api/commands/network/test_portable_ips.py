"""Portable addresses through the API: their ranges, where they go, how they move on, and who reaches what by them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backends.systemvm.rendering.interfaces import routes
from cloudsim.model import IpRange, Network, PublicIp, VpcOffering
from cloudsim.protocol.systemvm import Done
from tests.server.api.api_harness import Client, refused
from tests.server.api.commands.network.routed_api import RoutedApi

RANGE = {
    "regionid": 1,
    "startip": "198.18.0.10",
    "endip": "198.18.0.13",
    "gateway": "198.18.0.1",
    "netmask": "255.255.255.0",
    "vlan": "50",
}


@pytest.fixture
def routed() -> Iterator[RoutedApi]:
    made = RoutedApi()
    yield made
    made.cloud.close()


def made(routed: RoutedApi, **changed: Any) -> dict[str, Any]:
    row: dict[str, Any] = routed.admin("createPortableIpRange", **(RANGE | changed))["portableiprange"]
    return row


def ranges(call: Client, **parameters: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = call("listPortableIpRanges", **parameters).get("portableiprange", [])
    return rows


def shown(routed: RoutedApi, ip: dict[str, Any]) -> dict[str, Any]:
    (row,) = routed.admin("listPublicIpAddresses", id=ip["id"], listall=True)["publicipaddress"]
    return dict(row)


def events(routed: RoutedApi, kind: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = routed.admin("listEvents", type=kind, listall=True).get("event", [])
    return rows


def let_in(routed: RoutedApi, ip: dict[str, Any], call: Client | None = None) -> None:
    (call or routed.admin)(
        "createFirewallRule", ipaddressid=ip["id"], protocol="tcp", startport=22, endport=22
    )


def appliance_of(routed: RoutedApi, network: dict[str, Any]) -> Any:
    """What runs inside the network's router."""
    return routed.cloud.appliance(routed.cloud.router_of(routed.store.table(Network)[network["id"]]))


def configuration(routed: RoutedApi, network: dict[str, Any]) -> Any:
    """What the network's router does now."""
    return appliance_of(routed, network).configuration


def served(routed: RoutedApi, network: dict[str, Any]) -> set[str]:
    """The public addresses that the network's router answers to."""
    return {each.ip for each in configuration(routed, network).public}


def vpc_of(routed: RoutedApi) -> tuple[dict[str, Any], dict[str, Any]]:
    """A VPC and a tier of it."""
    offering = routed.store.table(VpcOffering).find("name", "Default VPC offering")
    assert offering is not None
    asked = {"name": "shop", "displaytext": "shop", "cidr": "10.20.0.0/16", "zoneid": routed.zone}
    vpc = routed.admin("createVPC", vpcofferingid=offering.id, **asked)["vpc"]
    tiers = routed.cloud.network_offering("DefaultIsolatedNetworkOfferingForVpcNetworksNoLB")
    place = {"gateway": "10.20.1.1", "netmask": "255.255.255.0", "vpcid": vpc["id"]}
    return vpc, routed.network("tier", networkofferingid=tiers.id, **place)


# ranges


def test_a_range_is_listed_with_every_address_and_where_it_is(routed: RoutedApi) -> None:
    assert routed.admin("listRegions")["region"][0]["portableipserviceenabled"] is False
    row = made(routed)
    addresses = row.pop("portableipaddress")
    assert {name: row[name] for name in RANGE} == RANGE | {"vlan": "vlan://50"}
    assert [each["ipaddress"] for each in addresses] == [f"198.18.0.{n}" for n in range(10, 14)]
    assert {each["state"] for each in addresses} == {"Free"}
    assert routed.admin("listRegions")["region"][0]["portableipserviceenabled"] is True
    routed.acquire(networkid=routed.front["id"], isportable=True, ipaddress="198.18.0.12")
    (listed,) = ranges(routed.admin, regionid=1, id=row["id"])
    taken = [each for each in listed["portableipaddress"] if each["state"] != "Free"]
    assert [each["ipaddress"] for each in taken] == ["198.18.0.12"]
    assert (taken[0]["networkid"], taken[0]["zoneid"]) == (routed.front["id"], routed.zone)
    assert taken[0]["accountid"] and taken[0]["domainid"] and taken[0]["allocated"]
    assert ranges(routed.admin, keyword="198.19") == []
    assert len(events(routed, "PORTABLE.IP.RANGE.CREATE")) >= 1


def test_a_range_is_deleted_once_nobody_has_an_address_of_it(routed: RoutedApi) -> None:
    row = made(routed)
    ip = routed.acquire(networkid=routed.front["id"], isportable=True)
    refused(431, routed.admin, "deletePortableIpRange", id=row["id"])
    routed.admin("disassociateIpAddress", id=ip["id"])
    assert routed.admin("deletePortableIpRange", id=row["id"]) == {"success": True}
    assert ranges(routed.admin) == []
    assert len(events(routed, "PORTABLE.IP.RANGE.DELETE")) >= 1


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"regionid": 7}, "7"),
        ({"startip": "198.18.0.300"}, "startip"),
        ({"endip": "198.18.0.9"}, "198.18.0.9"),
        ({"gateway": "198.18.0.11"}, "gateway"),
        ({"netmask": "255.0.255.0"}, "netmask"),
        ({"vlan": "4095"}, "vlan"),
        (
            {"startip": "203.0.113.50", "endip": "203.0.113.51", "gateway": "203.0.113.1"},
            "203.0.113.10-203.0.113.99",
        ),
        (
            {"startip": "203.0.113.150", "endip": "203.0.113.151", "gateway": "203.0.113.2"},
            "VLAN 50 and gateway",
        ),
        (
            {"startip": "10.0.0.2", "endip": "10.15.0.2", "gateway": "10.0.0.1", "netmask": "255.0.0.0"},
            "65536",
        ),
    ],
)
def test_what_cannot_be_a_range(routed: RoutedApi, wrong: dict[str, Any], named: str) -> None:
    assert named in refused(431, routed.admin, "createPortableIpRange", **(RANGE | wrong)).text
    assert ranges(routed.admin) == []


def test_no_other_range_takes_a_portable_ranges_addresses(routed: RoutedApi) -> None:
    made(routed)
    refused(
        431,
        routed.admin,
        "createPortableIpRange",
        **(RANGE | {"startip": "198.18.0.13", "endip": "198.18.0.14"}),
    )
    before = routed.store.table(IpRange).count("zone_id", routed.zone)
    public = {name: value for name, value in RANGE.items() if name != "regionid"}
    refused(431, routed.admin, "createVlanIpRange", zoneid=routed.zone, forvirtualnetwork=True, **public)
    assert routed.store.table(IpRange).count("zone_id", routed.zone) == before


def test_ranges_are_for_root_admins(routed: RoutedApi) -> None:
    ann = routed.account("ann")
    for name, parameters in (("createPortableIpRange", RANGE), ("listPortableIpRanges", {})):
        refused(401, ann, name, **parameters)
    assert ranges(routed.admin) == []


# addresses


def test_a_portable_address_serves_a_network_as_any_other_does(routed: RoutedApi) -> None:
    made(routed)
    ip = routed.acquire(networkid=routed.front["id"], isportable=True, regionid=1)
    assert (ip["isportable"], ip["ipaddress"], ip["associatednetworkid"]) == (
        True,
        "198.18.0.10",
        routed.front["id"],
    )
    assert (ip["zoneid"], ip["vlanname"]) == (routed.zone, "vlan://50")
    assert ip["physicalnetworkid"] == shown(routed, routed.ip)["physicalnetworkid"]
    let_in(routed, ip)
    routed.admin(
        "createPortForwardingRule",
        ipaddressid=ip["id"],
        protocol="tcp",
        publicport=22,
        privateport=22,
        virtualmachineid=routed.web["id"],
    )
    assert routed.ends(ip["ipaddress"], 22) == {(routed.web["instancename"], 22)}
    public = configuration(routed, routed.front).public
    (address,) = [each for each in public if each.ip == ip["ipaddress"]]
    assert (address.gateway, address.netmask) == ("198.18.0.1", "255.255.255.0")
    ways = {(route.gateway, route.mac) for route in routes(configuration(routed, routed.front))}
    assert ("198.18.0.1", address.mac) in ways  # a real router answers through the gateway of the range
    assert [event["type"] for event in events(routed, "PORTABLE.IP.ASSIGN")][:1] == ["PORTABLE.IP.ASSIGN"]
    routed.admin("disassociateIpAddress", id=ip["id"])
    assert not routed.ends(ip["ipaddress"], 22) & {(routed.web["instancename"], 22)}
    assert ip["ipaddress"] not in served(routed, routed.front)
    assert events(routed, "PORTABLE.IP.RELEASE")
    assert {each["state"] for each in ranges(routed.admin)[0]["portableipaddress"]} == {"Free"}


def test_static_nat_takes_a_portable_address_along_to_another_network(routed: RoutedApi) -> None:
    made(routed)
    ip = routed.acquire(networkid=routed.front["id"], isportable=True)
    routed.admin("enableStaticNat", ipaddressid=ip["id"], virtualmachineid=routed.web["id"])
    let_in(routed, ip)
    assert routed.ends(ip["ipaddress"], 22) == {(routed.web["instancename"], 22)}
    back = routed.network("back")
    app = routed.deploy("app", back["id"])
    assert (
        "so can not be transferred"
        in refused(
            431, routed.admin, "enableStaticNat", ipaddressid=ip["id"], virtualmachineid=app["id"]
        ).text
    )
    assert shown(routed, ip)["virtualmachineid"] == routed.web["id"]

    routed.admin("disableStaticNat", ipaddressid=ip["id"])
    routed.admin("enableStaticNat", ipaddressid=ip["id"], virtualmachineid=app["id"])
    let_in(routed, ip)
    assert routed.ends(ip["ipaddress"], 22) == {(app["instancename"], 22)}
    row = shown(routed, ip)
    assert (row["associatednetworkid"], row["virtualmachineid"], row["isstaticnat"]) == (
        back["id"],
        app["id"],
        True,
    )
    assert ip["ipaddress"] not in served(routed, routed.front)
    assert ip["ipaddress"] in served(routed, back)
    routed.admin("disassociateIpAddress", id=ip["id"])
    assert ip["ipaddress"] not in served(routed, back)


def test_an_address_of_a_zone_does_not_move(routed: RoutedApi) -> None:
    app = routed.deploy("app", routed.network("back")["id"])
    refused(431, routed.admin, "enableStaticNat", ipaddressid=routed.ip["id"], virtualmachineid=app["id"])
    assert shown(routed, routed.ip)["associatednetworkid"] == routed.front["id"]


def test_a_portable_address_that_is_used_stays(routed: RoutedApi) -> None:
    made(routed)
    ip = routed.acquire(networkid=routed.front["id"], isportable=True)
    let_in(routed, ip)
    app = routed.deploy("app", routed.network("back")["id"])
    said = refused(
        431, routed.admin, "enableStaticNat", ipaddressid=ip["id"], virtualmachineid=app["id"]
    ).text
    assert "Firewall" in said
    assert shown(routed, ip)["associatednetworkid"] == routed.front["id"]


def test_a_portable_address_moves_to_no_other_account(routed: RoutedApi) -> None:
    made(routed)
    ann = routed.account("ann")
    theirs = routed.network("anns", ann)
    vm = routed.deploy("vm", theirs["id"], ann)
    ip = routed.acquire(networkid=routed.front["id"], isportable=True)
    refused(531, routed.admin, "enableStaticNat", ipaddressid=ip["id"], virtualmachineid=vm["id"])
    refused(531, ann, "enableStaticNat", ipaddressid=ip["id"], virtualmachineid=vm["id"])
    assert shown(routed, ip)["associatednetworkid"] == routed.front["id"]


def test_a_move_that_the_new_router_refuses_leaves_the_address_where_it_was(routed: RoutedApi) -> None:
    made(routed)
    ip = routed.acquire(networkid=routed.front["id"], isportable=True)
    back = routed.network("back")
    app = routed.deploy("app", back["id"])
    appliance_of(routed, back)._configure = lambda request: Done(error="no room for it")
    refused(530, routed.admin, "enableStaticNat", ipaddressid=ip["id"], virtualmachineid=app["id"])
    row = shown(routed, ip)
    assert (row["associatednetworkid"], row["isstaticnat"]) == (routed.front["id"], False)
    assert ip["ipaddress"] in served(routed, routed.front)


def test_a_vpc_has_portable_addresses_too_and_they_come_and_go(routed: RoutedApi) -> None:
    made(routed)
    vpc, tier = vpc_of(routed)
    ip = routed.acquire(vpcid=vpc["id"], isportable=True)
    assert ip["vpcid"] == vpc["id"] and "associatednetworkid" not in ip
    routed.admin("enableStaticNat", ipaddressid=ip["id"], virtualmachineid=routed.web["id"])
    row = shown(routed, ip)
    assert (row["associatednetworkid"], row.get("vpcid")) == (routed.front["id"], None)
    routed.admin("disableStaticNat", ipaddressid=ip["id"])
    vm = routed.deploy("inside", tier["id"])
    routed.admin("enableStaticNat", ipaddressid=ip["id"], virtualmachineid=vm["id"])
    row = shown(routed, ip)
    assert (row["associatednetworkid"], row["vpcid"]) == (tier["id"], vpc["id"])
    refused(431, routed.admin, "updateVPC", id=vpc["id"], sourcenatipaddress=ip["ipaddress"])


def test_portable_addresses_count_against_the_limit_of_their_owner(routed: RoutedApi) -> None:
    made(routed)
    ann = routed.account("ann")
    network = routed.network("anns", ann)
    routed.deploy("vm", network["id"], ann)
    account = routed.listed("listAccounts", "account", name="ann", listall=True)[0]
    routed.admin(
        "updateResourceLimit",
        account="ann",
        domainid=account["domainid"],
        resourcetype=1,
        max=2,
    )
    ip = ann("associateIpAddress", networkid=network["id"], isportable=True)["ipaddress"]
    assert ip["account"] == "ann" and "vlanid" not in ip
    refused(535, ann, "associateIpAddress", networkid=network["id"], isportable=True)
    assert routed.listed("listAccounts", "account", name="ann", listall=True)[0]["iptotal"] == 2
    assert ip["id"] not in {
        row["id"] for row in routed.account("bob")("listPublicIpAddresses").get("publicipaddress", [])
    }


@pytest.mark.parametrize(
    ("vlan", "wrong", "named"),
    [
        ("51", {}, "VLAN"),
        ("50", {"ipaddress": "203.0.113.90"}, "203.0.113.90"),
        ("50", {"regionid": 2}, "2"),
    ],
)
def test_what_portable_address_a_network_cannot_have(
    routed: RoutedApi, vlan: str, wrong: dict[str, Any], named: str
) -> None:
    made(routed, vlan=vlan)
    before = {row.id for row in routed.store.table(PublicIp)}
    asked = {"networkid": routed.front["id"], "isportable": True} | wrong
    assert named in refused(533 if vlan == "51" else 431, routed.admin, "associateIpAddress", **asked).text
    assert {row.id for row in routed.store.table(PublicIp)} == before


def test_no_address_is_portable_before_there_is_a_range(routed: RoutedApi) -> None:
    said = refused(
        431, routed.admin, "associateIpAddress", networkid=routed.front["id"], isportable=True
    ).text
    assert "portable IP range" in said
