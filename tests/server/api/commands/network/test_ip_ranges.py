"""IP ranges, VLAN ids and service providers through the API, as clients' bootstraps use them."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.management.network.providers import PROVIDED
from cloudsim.model import (
    GuestVlanRange,
    IpRange,
    NetworkServiceProvider,
    PhysicalNetwork,
    StorageIpRange,
)
from tests.server.api.api_harness import Api, refused

ROUTERS = ("VirtualRouter", "VpcVirtualRouter")


class Wired:
    """An enabled zone with a physical network, disabled still, and a pod."""

    def __init__(self, api: Api) -> None:
        self.api, self.admin, self.store = api, api.admin, api.store
        zone = {"networktype": "Advanced", "dns1": "8.8.8.8", "internaldns1": "8.8.8.8"}
        self.zone = api.admin("createZone", name="z", allocationstate="Enabled", **zone)["zone"]["id"]
        self.wire = api.admin("createPhysicalNetwork", zoneid=self.zone, name="w", isolationmethods="VLAN")[
            "physicalnetwork"
        ]["id"]
        for traffic in ("Guest", "Management", "Public", "Storage"):
            api.admin("addTrafficType", physicalnetworkid=self.wire, traffictype=traffic)
        self.pod = api.admin(
            "createPod",
            zoneid=self.zone,
            name="p",
            gateway="172.16.15.1",
            netmask="255.255.255.0",
            startip="172.16.15.2",
            endip="172.16.15.200",
        )["pod"]["id"]

    def enable(self) -> None:
        """The physical network and all its service providers."""
        self.api.manager.physical_networks.providers.enable_all(self.store.table(PhysicalNetwork)[self.wire])
        self.admin("updatePhysicalNetwork", id=self.wire, state="Enabled", vlan="100-103")

    def range(self, **more: Any) -> dict[str, Any]:
        asked = {
            "zoneid": self.zone,
            "startip": "192.168.2.2",
            "endip": "192.168.2.200",
            "gateway": "192.168.2.1",
            "netmask": "255.255.255.0",
            "vlan": "50",
            "forvirtualnetwork": True,
        }
        made: dict[str, Any] = self.admin("createVlanIpRange", **{**asked, **more})["vlan"]
        return made

    def shared(self, **more: Any) -> dict[str, Any]:
        self.enable()
        offering = self.admin("listNetworkOfferings", name="DefaultSharedNetworkOffering")["networkoffering"][
            0
        ]
        asked = {
            "name": "shared",
            "displaytext": "shared",
            "zoneid": self.zone,
            "networkofferingid": offering["id"],
            "vlan": "98",
            "gateway": "10.9.9.1",
            "netmask": "255.255.255.0",
            "startip": "10.9.9.10",
            "endip": "10.9.9.19",
        }
        made: dict[str, Any] = self.admin("createNetwork", **{**asked, **more})["network"]
        return made


@pytest.fixture
def wired(api: Api) -> Wired:
    return Wired(api)


# public ranges


def test_a_public_range_as_a_bootstrap_makes_it(wired: Wired) -> None:
    made = wired.range()
    (row,) = wired.admin("listVlanIpRanges", id=made["id"])["vlaniprange"]
    assert row == made
    assert (row["vlan"], row["startip"], row["endip"], row["cidr"]) == (
        "vlan://50",
        "192.168.2.2",
        "192.168.2.200",
        "192.168.2.0/24",
    )
    assert (row["forvirtualnetwork"], row["forsystemvms"], row["zoneid"]) == (True, False, wired.zone)
    assert row["physicalnetworkid"] == wired.wire
    assert (row["account"], row["domainpath"]) == ("system", "ROOT")
    assert wired.admin("deleteVlanIpRange", id=made["id"]) == {"success": True}
    assert wired.admin("listVlanIpRanges") == {}


def test_filters_of_ranges(wired: Wired) -> None:
    one = wired.range()["id"]
    two = wired.range(startip="192.168.3.2", endip="192.168.3.9", gateway="192.168.3.1", vlan="untagged")[
        "id"
    ]
    network = wired.shared()
    own = wired.admin("listVlanIpRanges", networkid=network["id"])["vlaniprange"]
    assert [(row["startip"], row["endip"], row["vlan"]) for row in own] == [
        ("10.9.9.10", "10.9.9.19", "vlan://98")
    ]

    def ids(**by: Any) -> set[str]:
        return {row["id"] for row in wired.admin("listVlanIpRanges", **by).get("vlaniprange", ())}

    assert ids(forvirtualnetwork=True) == {one, two} == ids(zoneid=wired.zone) - {own[0]["id"]}
    assert ids(forvirtualnetwork=False) == {own[0]["id"]}
    assert ids(vlan="50") == ids(vlan="vlan://50") == {one} and ids(vlan="untagged") == {two}
    assert ids(keyword="192.168.3") == {two}


def test_a_range_is_dedicated_and_released(wired: Wired) -> None:
    made, ann = wired.api.account("ann")
    row = wired.range()
    domain = made["domainid"]
    changed = wired.admin("dedicatePublicIpRange", id=row["id"], account="ann", domainid=domain)["vlan"]
    assert (changed["account"], changed["domainid"]) == ("ann", domain)
    found = wired.admin("listVlanIpRanges", account="ann", domainid=domain)["vlaniprange"]
    assert [each["id"] for each in found] == [row["id"]]
    assert wired.admin("releasePublicIpRange", id=row["id"]) == {"success": True}
    (released,) = wired.admin("listVlanIpRanges", id=row["id"])["vlaniprange"]
    assert released["account"] == "system"
    refused(431, wired.admin, "releasePublicIpRange", id=row["id"])
    refused(401, ann, "listVlanIpRanges")
    other = wired.range(startip="192.168.2.210", endip="192.168.2.211", account="ann", domainid=domain)
    assert other["account"] == "ann"
    refused(431, wired.admin, "createVlanIpRange", zoneid=wired.zone, account="ann", startip="192.168.2.220")


def test_a_range_is_changed(wired: Wired) -> None:
    row = wired.range()
    changed = wired.admin("updateVlanIpRange", id=row["id"], endip="192.168.2.100", forsystemvms=True)["vlan"]
    assert (changed["startip"], changed["endip"], changed["forsystemvms"]) == (
        "192.168.2.2",
        "192.168.2.100",
        True,
    )


def test_a_shared_networks_ranges(wired: Wired) -> None:
    network = wired.shared()
    asked = {"networkid": network["id"], "startip": "10.9.9.30", "endip": "10.9.9.39"}
    more = wired.admin("createVlanIpRange", vlan="vlan://98", **asked)["vlan"]
    assert (more["networkid"], more["forvirtualnetwork"], more["gateway"]) == (
        network["id"],
        False,
        "10.9.9.1",
    )
    assert wired.admin("listVlanIpRanges", networkid=network["id"])["count"] == 2
    refused(431, wired.admin, "createVlanIpRange", **asked)
    wired.admin("deleteNetwork", id=network["id"])
    assert len(wired.store.table(IpRange)) == 0


# VLAN ids


def test_vlan_ids_of_guest_networks(wired: Wired) -> None:
    made, _ = wired.api.account("ann")
    wired.enable()
    ann = {"account": "ann", "domainid": made["domainid"]}
    kept = wired.admin("dedicateGuestVlanRange", physicalnetworkid=wired.wire, vlanrange="102-103", **ann)[
        "dedicatedguestvlanrange"
    ]
    assert (kept["guestvlanrange"], kept["account"]) == ("102-103", "ann")
    listed = wired.admin("listDedicatedGuestVlanRanges", zoneid=wired.zone, **ann)["dedicatedguestvlanrange"]
    assert listed == [kept]
    vlans = wired.admin("listGuestVlans", physicalnetworkid=wired.wire)["guestvlan"]
    assert [(v["vlan"], v["isdedicated"], v["allocationstate"]) for v in vlans] == [
        ("100", False, "Free"),
        ("101", False, "Free"),
        ("102", True, "Free"),
        ("103", True, "Free"),
    ]
    page = wired.admin("listGuestVlans", page=2, pagesize=3)
    assert page["count"] == 4 and [v["vlan"] for v in page["guestvlan"]] == ["103"]
    assert [v["id"] for v in wired.admin("listGuestVlans", vnet="101")["guestvlan"]] == [101]
    for none in ({"allocatedonly": True}, {"id": 99}, {"vnet": "x"}, {"id": 100, "vnet": "101"}):
        assert wired.admin("listGuestVlans", **none) == {}
    assert wired.admin("releaseDedicatedGuestVlanRange", id=kept["id"]) == {"success": True}
    assert wired.admin("listDedicatedGuestVlanRanges") == {}
    refused(431, wired.admin, "dedicateGuestVlanRange", physicalnetworkid=wired.wire, vlanrange="100-101")


def test_a_deleted_accounts_vlan_ids_are_for_everyone(wired: Wired) -> None:
    made, _ = wired.api.account("ann")
    wired.enable()
    where = {"account": "ann", "domainid": made["domainid"]}
    wired.admin("dedicateGuestVlanRange", physicalnetworkid=wired.wire, vlanrange="102", **where)
    wired.admin("deleteAccount", id=made["id"])
    assert len(wired.store.table(GuestVlanRange)) == 0


# ranges of pods


def test_a_pods_management_ranges(wired: Wired) -> None:
    admin, pod = wired.admin, wired.pod
    subnet = {"gateway": "172.16.15.1", "netmask": "255.255.255.0"}
    asked = {"podid": pod, "startip": "172.16.15.210", "endip": "172.16.15.219", **subnet}
    row = admin("createManagementNetworkIpRange", **asked)["pod"]
    assert (row["startip"], row["endip"]) == (
        ["172.16.15.2", "172.16.15.210"],
        ["172.16.15.200", "172.16.15.219"],
    )
    assert [each["cidr"] for each in row["ipranges"]] == ["172.16.15.0/24"] * 2
    now = {"podid": pod, "currentstartip": "172.16.15.210", "currentendip": "172.16.15.219"}
    admin("updatePodManagementNetworkIpRange", newendip="172.16.15.215", **now)
    assert admin("listPods", id=pod)["pod"][0]["endip"] == ["172.16.15.200", "172.16.15.215"]
    gone = {"podid": pod, "startip": "172.16.15.210", "endip": "172.16.15.215", "vlan": "untagged"}
    assert admin("deleteManagementNetworkIpRange", **gone) == {"success": True}
    refused(431, admin, "deleteManagementNetworkIpRange", **gone)
    refused(431, admin, "updatePodManagementNetworkIpRange", **now)


def test_a_management_address_on_demand(wired: Wired) -> None:
    taken = wired.admin("acquirePodIpAddress", zoneid=wired.zone)["podipaddress"]
    assert (taken["ipaddress"], taken["gateway"], taken["cidr"]) == (
        "172.16.15.2",
        "172.16.15.1",
        "172.16.15.0/24",
    )
    (private,) = wired.admin("listCapacity", type=5)["capacity"]
    assert (private["capacityused"], private["capacitytotal"]) == (1, 199)
    assert wired.admin("releasePodIpAddress", id=taken["id"]) == {"success": True}
    refused(431, wired.admin, "releasePodIpAddress", id=taken["id"])


def test_storage_ranges(wired: Wired) -> None:
    admin = wired.admin
    asked = {"podid": wired.pod, "startip": "10.5.0.10", "gateway": "10.5.0.1", "netmask": "255.255.255.0"}
    row = admin("createStorageNetworkIpRange", endip="10.5.0.20", vlan=7, **asked)["storagenetworkiprange"]
    assert (row["vlan"], row["zoneid"], row["endip"]) == (7, wired.zone, "10.5.0.20")
    changed = admin("updateStorageNetworkIpRange", id=row["id"], endip="10.5.0.30")["storagenetworkiprange"]
    assert changed["endip"] == "10.5.0.30"
    (found,) = admin("listStorageNetworkIpRange", podid=wired.pod)["storagenetworkiprange"]
    assert found["id"] == row["id"]
    assert admin("deleteStorageNetworkIpRange", id=row["id"]) == {"success": True}
    assert len(wired.store.table(StorageIpRange)) == 0


# capacity


def test_public_and_shared_addresses_count_as_capacity(wired: Wired) -> None:
    wired.range()
    network = wired.shared()
    wired.admin("createVlanIpRange", networkid=network["id"], startip="10.9.9.30", endip="10.9.9.34")
    free = wired.admin("listPublicIpAddresses", allocatedonly=False, pagesize=1, page=1)["publicipaddress"][0]
    wired.admin("reserveIpAddress", id=free["id"])
    told = {row["name"]: row for row in wired.admin("listCapacity", zoneid=wired.zone)["capacity"]}
    public, direct = told["VIRTUAL_NETWORK_PUBLIC_IP"], told["DIRECT_ATTACHED_PUBLIC_IP"]
    assert (public["type"], public["capacityused"], public["capacitytotal"]) == (4, 1, 199)
    assert (direct["capacityused"], direct["capacitytotal"]) == (0, 15)


# service providers


def test_providers_are_enabled_as_a_bootstrap_does(wired: Wired) -> None:
    admin = wired.admin
    for name in ROUTERS:
        (provider,) = admin(
            "listNetworkServiceProviders", name=name, physicalnetworkid=wired.wire, state="Disabled"
        )["networkserviceprovider"]
        refused(530, admin, "updateNetworkServiceProvider", id=provider["id"], state="Enabled")
        (element,) = admin("listVirtualRouterElements", nspid=provider["id"])["virtualrouterelement"]
        done = admin("configureVirtualRouterElement", id=element["id"], enabled=True)["virtualrouterelement"]
        assert (done["enabled"], done["nspid"], done["account"]) == (True, provider["id"], "system")
        done = admin("updateNetworkServiceProvider", id=provider["id"], state="Enabled")[
            "networkserviceprovider"
        ]
        assert (done["state"], done["id"], done["canenableindividualservice"]) == (
            "Enabled",
            provider["id"],
            True,
        )
    (provider,) = admin("listNetworkServiceProviders", name="InternalLbVm")["networkserviceprovider"]
    (element,) = admin("listInternalLoadBalancerElements", nspid=provider["id"])[
        "internalloadbalancerelement"
    ]
    refused(431, admin, "configureVirtualRouterElement", id=element["id"], enabled=True)
    admin("configureInternalLoadBalancerElement", id=element["id"], enabled=True)
    admin("updateNetworkServiceProvider", id=provider["id"], state="Enabled")
    states = admin("listNetworkServiceProviders", physicalnetworkid=wired.wire)["networkserviceprovider"]
    assert {row["name"] for row in states if row["state"] == "Enabled"} == {*ROUTERS, "InternalLbVm"}


def test_a_network_is_made_when_the_providers_of_its_services_are_enabled(wired: Wired) -> None:
    wired.admin("updatePhysicalNetwork", id=wired.wire, state="Enabled", vlan="100-103")
    (offering,) = wired.admin("listNetworkOfferings", name="DefaultSharedNetworkOffering")["networkoffering"]
    asked = {"zoneid": wired.zone, "networkofferingid": offering["id"], "vlan": "98", "gateway": "10.9.9.1"}
    said = refused(431, wired.admin, "createNetwork", name="n", displaytext="n", **asked).text
    assert "Provider VirtualRouter is either not enabled or doesn't support service" in said
    assert wired.shared()["state"] == "Setup"
    (row,) = (row for row in wired.store.table(NetworkServiceProvider) if row.name == "ConfigDrive")
    wired.admin("updateNetworkServiceProvider", id=row.id, state="Disabled")
    (drive,) = wired.admin("listNetworkOfferings", name="DefaultL2NetworkOfferingConfigDrive")[
        "networkoffering"
    ]
    asked = {"zoneid": wired.zone, "networkofferingid": drive["id"]}
    refused(431, wired.admin, "createNetwork", name="l2", displaytext="l2", **asked)
    wired.admin("updateNetworkServiceProvider", id=row.id, state="Enabled")
    wired.admin("createNetwork", name="l2", displaytext="l2", **asked)


def test_a_provider_goes_and_comes(wired: Wired) -> None:
    admin = wired.admin
    (provider,) = admin("listNetworkServiceProviders", name="InternalLbVm")["networkserviceprovider"]
    assert admin("deleteNetworkServiceProvider", id=provider["id"]) == {"success": True}
    assert admin("listNetworkServiceProviders", name="InternalLbVm") == {}
    made = admin("addNetworkServiceProvider", physicalnetworkid=wired.wire, name="InternalLbVm")
    assert made["networkserviceprovider"]["servicelist"] == ["Lb"]
    nspid = made["networkserviceprovider"]["id"]
    refused(431, admin, "createInternalLoadBalancerElement", nspid=nspid)
    refused(431, admin, "createVirtualRouterElement", nspid=nspid, providertype="VPCVirtualRouter")
    assert len(wired.store.table(NetworkServiceProvider)) == len(PROVIDED)


def test_what_there_is_to_choose_from(wired: Wired) -> None:
    admin = wired.admin
    services = {row["name"]: row for row in admin("listSupportedNetworkServices")["networkservice"]}
    assert [p["name"] for p in services["NetworkACL"]["provider"]] == ["VpcVirtualRouter"]
    names = {
        row["name"]
        for row in admin("listSupportedNetworkServices", provider="InternalLbVm")["networkservice"]
    }
    assert names == {"Lb"}
    methods = {row["name"] for row in admin("listNetworkIsolationMethods")["isolationmethod"]}
    assert {"VLAN", "VXLAN"} <= methods
    (guest,) = admin("listTrafficTypeImplementors", traffictype="guest")["traffictypeimplementorresponse"]
    assert guest["traffictype"] == "Guest"


def test_an_empty_text_takes_a_physical_networks_tags_away(wired: Wired) -> None:
    tagged = wired.admin("updatePhysicalNetwork", id=wired.wire, tags="overlay")["physicalnetwork"]
    assert tagged["tags"] == "overlay"
    assert "tags" in wired.admin("updatePhysicalNetwork", id=wired.wire, vlan="100-103")["physicalnetwork"]
    assert "tags" not in wired.admin("updatePhysicalNetwork", id=wired.wire, tags="")["physicalnetwork"]


# zones with security groups


def test_an_advanced_zones_network_with_security_groups_takes_its_default_ones_place(api: Api) -> None:
    admin = api.admin
    asked = {"networktype": "Advanced", "dns1": "8.8.8.8", "internaldns1": "8.8.8.8", "securitygroupenabled": True}
    zone = admin("createZone", name="sg", **asked)["zone"]["id"]
    wire = admin("createPhysicalNetwork", zoneid=zone, name="w", isolationmethods="VLAN")["physicalnetwork"]["id"]
    admin("addTrafficType", physicalnetworkid=wire, traffictype="Guest")
    admin("updatePhysicalNetwork", id=wire, state="Enabled")
    api.manager.physical_networks.providers.enable_all(api.store.table(PhysicalNetwork)[wire])
    (guarded,) = admin("listNetworkOfferings", name="DefaultSharedNetworkOfferingWithSGService")["networkoffering"]

    def made(number: int) -> dict[str, Any]:
        subnet = {"gateway": f"10.147.{number}.1", "netmask": "255.255.255.0", "vlan": str(number)}
        span = {"startip": f"10.147.{number}.150", "endip": f"10.147.{number}.159"}
        names = {"name": "guarded", "displaytext": "guarded", "networkofferingid": guarded["id"], "zoneid": zone}
        answer: dict[str, Any] = admin("createNetwork", **names, **subnet, **span)
        return dict(answer["network"])

    first, second = made(31), made(32)
    admin("updateZone", id=zone, allocationstate="Enabled")
    rows = {row["id"]: row["isdefault"] for row in admin("listNetworks", zoneid=zone)["network"]}
    assert rows == {first["id"]: True, second["id"]: False}
    assert (first["vlan"], first["cidr"]) == ("31", "10.147.31.0/24")


# Basic zones


def test_a_basic_zones_guest_network_gets_its_subnet_from_its_first_range(api: Api) -> None:
    admin = api.admin
    asked = {"networktype": "Basic", "dns1": "8.8.8.8", "internaldns1": "8.8.8.8"}
    zone = admin("createZone", name="b", **asked)["zone"]["id"]
    wire = admin("createPhysicalNetwork", zoneid=zone, name="w", isolationmethods="L3")["physicalnetwork"][
        "id"
    ]
    admin("addTrafficType", physicalnetworkid=wire, traffictype="Guest")
    admin("updatePhysicalNetwork", id=wire, state="Enabled")
    api.manager.physical_networks.providers.enable_all(api.store.table(PhysicalNetwork)[wire])
    (offering,) = admin("listNetworkOfferings", name="DefaultSharedNetworkOfferingWithSGService")[
        "networkoffering"
    ]
    asked = {"zoneid": zone, "name": "guests", "displaytext": "guests", "networkofferingid": offering["id"]}
    network = admin("createNetwork", **asked)["network"]
    assert "cidr" not in network and network["isdefault"] is True
    more = {"networkid": network["id"], "forvirtualnetwork": False, "vlan": "untagged"}
    refused(431, admin, "createVlanIpRange", startip="60.147.41.2", **more)
    subnet = {"gateway": "60.147.41.1", "netmask": "255.255.255.0"}
    made = admin("createVlanIpRange", startip="60.147.41.2", endip="60.147.41.9", **subnet, **more)["vlan"]
    admin("updateZone", id=zone, allocationstate="Enabled")
    (row,) = admin("listNetworks", zoneid=zone)["network"]
    assert (row["id"], row["cidr"], row["gateway"]) == (network["id"], "60.147.41.0/24", "60.147.41.1")
    said = refused(431, admin, "createNetwork", **asked).text
    assert "Basic zone b has its guest network already: guests" in said
    admin("deleteVlanIpRange", id=made["id"])
    (row,) = admin("listNetworks", zoneid=zone)["network"]
    assert "cidr" not in row
    admin("deletePhysicalNetwork", id=wire)
    assert admin("deleteZone", id=zone) == {"success": True}
