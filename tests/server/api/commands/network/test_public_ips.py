"""Public addresses through the API: acquired, used, listed, reserved, released."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloudsim.model import PhysicalNetwork, PublicIp
from tests.server.api.api_harness import Api, Client, refused
from tests.server.api.commands.network.routed_api import RoutedApi

KEY = "publicipaddress"


@pytest.fixture
def routed() -> Iterator[RoutedApi]:
    made = RoutedApi()
    yield made
    made.cloud.close()


def listed(call: Client, **parameters: Any) -> list[dict[str, Any]]:
    answer = call("listPublicIpAddresses", **parameters)
    rows: list[dict[str, Any]] = answer.get(KEY, [])
    assert answer.get("count", 0) >= len(rows)
    return rows


def test_an_addresss_life(routed: RoutedApi) -> None:
    admin, front = routed.admin, routed.front
    ip = routed.acquire(networkid=front["id"], ipaddress="203.0.113.50")
    (row,) = listed(admin, id=ip["id"])
    assert (row["ipaddress"], row["state"], row["associatednetworkid"], row["associatednetworkname"]) == (
        "203.0.113.50",
        "Allocated",
        front["id"],
        "front",
    )
    assert (row["issourcenat"], row["isstaticnat"], row["issystem"], row["hasrules"]) == (False,) * 4
    assert (row["forvirtualnetwork"], row["isportable"], row["account"], row["tags"]) == (
        True,
        False,
        "admin",
        [],
    )
    assert row["vlanname"] == "vlan://50" and row["zonename"] == routed.cloud.zone.name
    changed = admin("updateIpAddress", id=ip["id"], fordisplay=False)["ipaddress"]
    assert changed["fordisplay"] is False
    assert [r["id"] for r in listed(admin, fordisplay=False)] == [ip["id"]]
    assert admin("disassociateIpAddress", id=ip["id"]) == {"success": True}
    assert listed(admin, id=ip["id"]) == []
    assert routed.acquire(networkid=front["id"], ipaddress="203.0.113.50")["id"] == ip["id"]
    assert admin("disassociateIpAddress", ipaddress="203.0.113.50") == {"success": True}
    assert "203.0.113.50" not in {row.ip for row in routed.store.table(PublicIp)}


def test_a_networks_source_nat_address_is_listed_and_not_released(routed: RoutedApi) -> None:
    rows = listed(routed.admin, associatednetworkid=routed.front["id"])
    assert {row["id"]: row["issourcenat"] for row in rows}[routed.ip["id"]] is False
    (nat,) = listed(routed.admin, associatednetworkid=routed.front["id"], issourcenat=True)
    said = refused(431, routed.admin, "disassociateIpAddress", id=nat["id"]).text
    assert "used for source nat purposes" in said
    assert listed(routed.admin, id=nat["id"]) == [nat]


def test_releasing_an_address_ends_what_was_reached_through_it(routed: RoutedApi) -> None:
    admin, ip = routed.admin, routed.ip
    admin(
        "createPortForwardingRule",
        ipaddressid=ip["id"],
        protocol="tcp",
        publicport=2222,
        privateport=22,
        virtualmachineid=routed.web["id"],
    )
    assert routed.reach(ip["ipaddress"], 2222)
    assert listed(admin, id=ip["id"])[0]["hasrules"] is True
    admin("createTags", resourceids=ip["id"], resourcetype="PublicIpAddress", tags={"use": "ssh"})
    (tagged,) = listed(admin, tags={"use": "ssh"})
    assert (tagged["id"], tagged["tags"]) == (ip["id"], [{"key": "use", "value": "ssh"}])
    admin("disassociateIpAddress", id=ip["id"])
    assert not routed.reach(ip["ipaddress"], 2222)
    assert admin("listPortForwardingRules") == {} and admin("listTags", listall=True) == {}


def test_an_address_with_static_nat_says_whose_it_is(routed: RoutedApi) -> None:
    admin, ip, web = routed.admin, routed.ip, routed.web
    admin("enableStaticNat", ipaddressid=ip["id"], virtualmachineid=web["id"])
    (row,) = listed(admin, isstaticnat=True)
    assert (row["virtualmachineid"], row["virtualmachinename"], row["vmipaddress"], row["id"]) == (
        web["id"],
        "web",
        web["nic"][0]["ipaddress"],
        ip["id"],
    )
    assert ip["id"] not in {row["id"] for row in listed(admin, isstaticnat=False)}
    assert ip["id"] not in {row["id"] for row in listed(admin, forloadbalancing=True)}


def test_an_address_is_the_network_owners_unless_said_otherwise(routed: RoutedApi) -> None:
    ann, bob = routed.account("ann"), routed.account("bob")
    network = routed.network("anns", ann)
    routed.deploy("vm", network["id"], ann)
    ip = routed.acquire(networkid=network["id"])
    assert ip["account"] == "ann"
    assert ip["id"] in {row["id"] for row in listed(ann)}
    assert listed(bob) == [] and listed(bob, listall=True) == []
    assert ip["id"] not in {row["id"] for row in listed(routed.admin)}
    assert ip["id"] in {row["id"] for row in listed(routed.admin, listall=True)}
    refused(531, bob, "disassociateIpAddress", id=ip["id"])
    refused(431, bob, "disassociateIpAddress", ipaddress=ip["ipaddress"])
    refused(531, bob, "associateIpAddress", networkid=network["id"])
    assert "vlanid" not in listed(ann, id=ip["id"])[0]
    mine = ann("associateIpAddress", zoneid=routed.zone)["ipaddress"]
    assert mine["associatednetworkid"] == network["id"]


def test_system_vms_addresses_are_shown_on_demand(routed: RoutedApi) -> None:
    routed.cloud.call(routed.manager.public_ips.take_for_system, routed.cloud.zone)
    assert not any(row["issystem"] for row in listed(routed.admin, listall=True))
    shown = listed(routed.admin, listall=True, forsystemvms=True)
    system = [row for row in shown if row["issystem"]]
    assert system and all(row["account"] == "system" for row in system)
    refused(431, routed.admin, "disassociateIpAddress", id=system[0]["id"])


# without hosts


class Addresses:
    """A zone with the public addresses .10 to .14, and no hosts."""

    def __init__(self, api: Api) -> None:
        self.api, self.admin = api, api.admin
        self.zone = api.admin(
            "createZone",
            name="z",
            networktype="Advanced",
            dns1="8.8.8.8",
            internaldns1="8.8.8.8",
            allocationstate="Enabled",
        )["zone"]["id"]
        wire = api.admin("createPhysicalNetwork", zoneid=self.zone, name="w", vlan="100-110")[
            "physicalnetwork"
        ]
        self.wire = wire["id"]
        for traffic in ("Guest", "Public"):
            api.admin("addTrafficType", physicalnetworkid=self.wire, traffictype=traffic)
        providers = api.manager.physical_networks.providers
        providers.enable_all(api.store.table(PhysicalNetwork)[self.wire])
        api.admin("updatePhysicalNetwork", id=self.wire, state="Enabled")
        self.range = self.add("192.0.2.10", "192.0.2.14")["id"]

    def add(self, start: str, end: str, **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.admin(
            "createVlanIpRange",
            zoneid=self.zone,
            startip=start,
            endip=end,
            gateway="192.0.2.1",
            netmask="255.255.255.0",
            vlan="50",
            **more,
        )["vlan"]
        return made

    def free(self, call: Client | None = None, **more: Any) -> list[str]:
        return [
            row["ipaddress"] for row in listed(call or self.admin, allocatedonly=False, state="Free", **more)
        ]


@pytest.fixture
def addresses(api: Api) -> Addresses:
    return Addresses(api)


def test_free_addresses_are_listed_by_the_page_after_those_in_use(addresses: Addresses) -> None:
    admin = addresses.admin
    every = [f"192.0.2.{n}" for n in range(10, 15)]
    assert listed(admin) == [] and addresses.free() == every
    ids = {row["ipaddress"]: row["id"] for row in listed(admin, allocatedonly=False)}
    reserved = admin("reserveIpAddress", id=ids["192.0.2.12"])["ipaddress"]
    assert (reserved["state"], reserved["ipaddress"], reserved["id"]) == (
        "Reserved",
        "192.0.2.12",
        ids["192.0.2.12"],
    )
    order = ["192.0.2.12", "192.0.2.10", "192.0.2.11", "192.0.2.13", "192.0.2.14"]
    for size in (1, 2, 3, 5):
        got: list[str] = []
        for page in range(1, 7):
            answer = admin("listPublicIpAddresses", allocatedonly=False, page=page, pagesize=size)
            assert answer.get("count", 5) == 5
            got += [row["ipaddress"] for row in answer.get(KEY, [])]
        assert got == order
    assert addresses.free(ipaddress="192.0.2.13") == ["192.0.2.13"]
    assert addresses.free(ipaddress="192.0.2.12") == []
    assert addresses.free(keyword=".14") == ["192.0.2.14"]
    assert listed(admin, id=ids["192.0.2.13"]) == []
    (row,) = listed(admin, id=ids["192.0.2.13"], allocatedonly=False)
    assert (row["state"], row["ipaddress"]) == ("Free", "192.0.2.13")
    for narrowed in ({"issourcenat": True}, {"isstaticnat": True}, {"tags": {"a": "b"}}):
        assert listed(admin, allocatedonly=False, **narrowed) == []
    assert listed(admin, allocatedonly=False, forvirtualnetwork=False) == []


def test_reserving_and_releasing(addresses: Addresses) -> None:
    admin = addresses.admin
    ids = {row["ipaddress"]: row["id"] for row in listed(admin, allocatedonly=False)}
    _, ann = addresses.api.account("ann")
    assert ann("reserveIpAddress", id=ids["192.0.2.10"])["ipaddress"]["account"] == "ann"
    refused(431, admin, "reserveIpAddress", id=ids["192.0.2.10"])
    _, bob = addresses.api.account("bob")
    refused(531, bob, "releaseIpAddress", id=ids["192.0.2.10"])
    assert ann("releaseIpAddress", id=ids["192.0.2.10"]) == {"success": True}
    assert listed(ann) == []
    for wrong in ("192.0.2.10", addresses.range, "00000000-0000-0000-0000-000000000000"):
        refused(431, admin, "reserveIpAddress", id=wrong)
        refused(431, admin, "listPublicIpAddresses", id=wrong)


def test_users_are_shown_free_addresses_that_they_could_have(addresses: Addresses) -> None:
    made, ann = addresses.api.account("ann")
    _, bob = addresses.api.account("bob")
    addresses.add("192.0.2.20", "192.0.2.20", account="ann", domainid=made["domainid"])
    addresses.add("192.0.2.30", "192.0.2.30", forsystemvms=True)
    assert "192.0.2.20" in addresses.free(ann) and "192.0.2.20" not in addresses.free(bob)
    assert "192.0.2.30" not in addresses.free() and "192.0.2.30" in addresses.free(forsystemvms=True)


def test_filters_of_free_addresses(addresses: Addresses) -> None:
    other = addresses.add("192.0.2.20", "192.0.2.21")["id"]
    assert addresses.free(vlanid=other) == ["192.0.2.20", "192.0.2.21"]
    assert (
        len(addresses.free(zoneid=addresses.zone))
        == len(addresses.free(physicalnetworkid=addresses.wire))
        == 7
    )


def test_an_account_that_is_deleted_leaves_its_addresses(addresses: Addresses) -> None:
    made, ann = addresses.api.account("ann")
    ann("reserveIpAddress", id=listed(addresses.admin, allocatedonly=False)[0]["id"])
    assert addresses.admin("deleteAccount", id=made["id"]) == {"success": True}
    assert len(addresses.free()) == 5


def test_without_a_router_that_could_have_it_an_address_is_not_kept(addresses: Addresses) -> None:
    offerings = addresses.admin(
        "listNetworkOfferings", name="DefaultIsolatedNetworkOfferingWithSourceNatService"
    )
    network = addresses.admin(
        "createNetwork",
        name="n",
        displaytext="n",
        zoneid=addresses.zone,
        networkofferingid=offerings["networkoffering"][0]["id"],
    )["network"]
    refused(533, addresses.admin, "associateIpAddress", networkid=network["id"])
    assert not any(row["state"] == "Allocating" for row in listed(addresses.admin))
    assert len(addresses.free()) >= 4  # the network may keep the one that its router was to have


@pytest.mark.parametrize(
    "wrong",
    [
        {"isportable": True},
        {},
        {"networkid": "00000000-0000-0000-0000-000000000000"},
        {"zoneid": "zone"},
    ],
)
def test_what_cannot_be_associated(addresses: Addresses, wrong: dict[str, Any]) -> None:
    if wrong.get("zoneid"):
        wrong = {"zoneid": addresses.zone}
    refused(431, addresses.admin, "associateIpAddress", **wrong)
    assert listed(addresses.admin) == []
