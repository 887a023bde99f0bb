"""What a caller may choose of a network's router and addresses, and what follows for those who use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backends.systemvm.rendering.interfaces import interfaces
from cloudsim.hypervisor import HypervisorError
from cloudsim.management.usage import types
from cloudsim.model import Network, PublicIp
from cloudsim.systemvm.leases_and_names import lease
from server.api.views import date
from tests.server.api.api_harness import Client, refused
from tests.server.api.commands.network.dual_stack import denied
from tests.server.api.commands.network.routed_api import OUTSIDE, RoutedApi
from tests.server.api.commands.vpc.vpc_api import VpcApi


@pytest.fixture
def api() -> Iterator[RoutedApi]:
    made = RoutedApi()
    yield made
    made.cloud.close()


@pytest.fixture
def vpcs() -> Iterator[VpcApi]:
    made = VpcApi()
    yield made
    made.cloud.close()


def configuration(api: RoutedApi, network: dict[str, Any]) -> Any:
    """What the network's router does, as the machine itself knows it."""
    row = api.cloud.router_of(api.store.table(Network)[network["id"]])
    return api.cloud.appliance(row).configuration


def seen_as(api: RoutedApi, vm: dict[str, Any]) -> set[str]:
    found = api.cloud.world.reachability().can_reach(vm["instancename"], OUTSIDE, "tcp", 443)
    return {end.seen_as for end in found.ends}


def opened(api: RoutedApi, network: dict[str, Any]) -> None:
    api.admin("createEgressFirewallRule", networkid=network["id"], protocol="all")


# the source NAT address


def test_a_network_is_seen_as_the_address_that_it_is_given_and_then_as_another(api: RoutedApi) -> None:
    network = api.network("chosen", sourcenatipaddress="203.0.113.40")
    vm = api.deploy("vm", network["id"])
    opened(api, network)
    assert seen_as(api, vm) == {"203.0.113.40"}
    api.admin("updateNetwork", id=network["id"], sourcenatipaddress="203.0.113.41")
    assert seen_as(api, vm) == {"203.0.113.41"}
    (router,) = api.listed("listRouters", "router", networkid=network["id"])
    assert router["publicip"] == "203.0.113.41"
    rows = api.listed("listPublicIpAddresses", "publicipaddress", associatednetworkid=network["id"])
    assert {row["ipaddress"]: row["issourcenat"] for row in rows} == {"203.0.113.40": False, "203.0.113.41": True}
    api.admin("updateNetwork", id=network["id"], sourcenatipaddress="203.0.113.40")
    assert seen_as(api, vm) == {"203.0.113.40"}


def test_an_address_that_a_network_cannot_be_seen_as_changes_nothing(api: RoutedApi) -> None:
    offering = api.cloud.network_offering().id
    new = {"name": "n", "displaytext": "n", "zoneid": api.zone, "networkofferingid": offering}
    before, addresses = len(api.store.table(Network)), len(api.store.table(PublicIp))
    for wanted in (api.ip["ipaddress"], "198.18.0.1", "front"):
        for command, asked in (("createNetwork", new), ("updateNetwork", {"id": api.front["id"]})):
            if (wanted, command) == (api.ip["ipaddress"], "updateNetwork"):
                continue  # it is that network's own
            assert "sourcenatipaddress" in refused(431, api.admin, command, **asked, sourcenatipaddress=wanted).text
    assert (len(api.store.table(Network)), len(api.store.table(PublicIp))) == (before, addresses)
    l2 = next(o["id"] for o in api.listed("listNetworkOfferings", "networkoffering", guestiptype="L2"))
    asked = {**new, "networkofferingid": l2, "sourcenatipaddress": "203.0.113.50"}
    assert "source NAT" in refused(431, api.admin, "createNetwork", **asked).text
    other = api.network("other")
    own = api.acquire(networkid=other["id"])["ipaddress"]
    text = refused(431, api.admin, "updateNetwork", id=api.front["id"], sourcenatipaddress=own).text
    assert "not free in network front" in text
    both = {"networkofferingid": offering, "sourcenatipaddress": own}
    assert "exclude" in refused(431, api.admin, "updateNetwork", id=other["id"], **both).text


def test_a_tier_is_seen_as_the_address_of_its_vpc(vpcs: VpcApi) -> None:
    tier = vpcs.tier(vpcs.vpc())
    text = refused(431, vpcs.admin, "updateNetwork", id=tier["id"], sourcenatipaddress="203.0.113.60").text
    assert "sourcenatipaddress" in text and "VPC" in text


# where the router of a shared network is


def shared(api: RoutedApi, **more: Any) -> dict[str, Any]:
    (offering,) = api.listed("listNetworkOfferings", "networkoffering", name="DefaultSharedNetworkOffering")
    asked = {
        "networkofferingid": offering["id"],
        "vlan": "98",
        "gateway": "10.9.0.1",
        "netmask": "255.255.255.0",
        "startip": "10.9.0.10",
        "endip": "10.9.0.12",
    }
    return api.network("shared", **{**asked, **more})


def test_the_router_of_a_shared_network_is_where_it_was_asked_to_be_and_no_instance_gets_that(
    api: RoutedApi,
) -> None:
    network = shared(api, routerip="10.9.0.10")
    vms = [api.deploy(name, network["id"]) for name in ("one", "two")]
    assert {vm["nic"][0]["ipaddress"] for vm in vms} == {"10.9.0.11", "10.9.0.12"}
    (guests,) = configuration(api, network).guests
    assert guests.router_ip == "10.9.0.10"
    asked = {"virtualmachineid": api.web["id"], "networkid": network["id"], "ipaddress": "10.9.0.10"}
    assert "in use" in refused(431, api.admin, "addNicToVirtualMachine", **asked).text


@pytest.mark.parametrize("wanted", ["10.9.0.1", "10.9.0.255", "10.8.0.9", "router"])
def test_a_router_cannot_be_at(api: RoutedApi, wanted: str) -> None:
    assert "routerip" in denied(431, shared, api, routerip=wanted)


def test_the_router_of_an_isolated_network_is_its_gateway(api: RoutedApi) -> None:
    asked = {"displaytext": "n", "zoneid": api.zone, "networkofferingid": api.cloud.network_offering().id}
    assert "shared" in refused(431, api.admin, "createNetwork", name="n", **asked, routerip="10.1.1.9").text


# how long packets may be


def mtus(api: RoutedApi, network: dict[str, Any], found: Any = None) -> dict[str, int]:
    """By the addresses of the router's interfaces."""
    found = found or configuration(api, network)
    return {address: each.mtu for each in interfaces(found) for address in each.addresses}


def test_a_routers_interfaces_and_guests_have_the_mtus_of_the_network(api: RoutedApi) -> None:
    network = api.network("small", publicmtu=1400, privatemtu=1300)
    assert (network["publicmtu"], network["privatemtu"]) == (1400, 1300)
    vm = api.deploy("vm", network["id"])
    public = api.listed("listRouters", "router", networkid=network["id"])[0]["publicip"]

    def told() -> str:
        found = lease(configuration(api, network), vm["nic"][0]["macaddress"])
        assert found is not None
        return found.options["mtu"]

    shown = mtus(api, network)
    assert (shown[f"{public}/24"], shown["10.1.1.1/24"], told()) == (1400, 1300, "1300")
    api.admin("updateNetwork", id=network["id"], publicmtu=1420, privatemtu=1320)
    shown = mtus(api, network)
    assert (shown[f"{public}/24"], shown["10.1.1.1/24"], told()) == (1420, 1320, "1320")
    assert set(mtus(api, api.front).values()) == {1500}


def test_a_vpcs_router_has_the_mtus_of_the_vpc_and_of_its_tiers(vpcs: VpcApi) -> None:
    vpc = vpcs.vpc(publicmtu=1400)
    tier = vpcs.tier(vpc, privatemtu=1300)
    vpcs.deploy("web", tier)

    def shown() -> list[int]:
        return [each.mtu for each in interfaces(vpcs.configuration(vpc))]

    assert sorted(shown()) == [1300, 1400]
    vpcs.admin("updateVPC", id=vpc["id"], publicmtu=1410)
    vpcs.admin("updateNetwork", id=tier["id"], privatemtu=1310)
    assert sorted(shown()) == [1310, 1410]
    assert "VPC" in refused(431, vpcs.admin, "updateNetwork", id=tier["id"], publicmtu=1400).text


def test_mtus_are_bounded_in_each_zone_and_are_for_admins_unless_a_zone_lets_users(api: RoutedApi) -> None:
    def made(call: Client = api.admin, **asked: Any) -> dict[str, Any]:
        return api.network("n", call, **asked)

    def configure(name: str, value: str) -> None:
        api.admin("updateConfiguration", name=name, value=value, zoneid=api.zone)

    for name, most in (("publicmtu", "vr.public.interface.max.mtu"), ("privatemtu", "vr.private.interface.max.mtu")):
        assert name in denied(431, made, **{name: 575}) and most in denied(431, made, **{name: 1501})
        configure(most, "9000")
        assert made(**{name: 9000})[name] == 9000
    zone = api.admin("listZones", id=api.zone)["zone"][0]
    keys = ("routerpublicinterfacemaxmtu", "routerprivateinterfacemaxmtu", "allowuserspecifyvrmtu")
    assert [zone[key] for key in keys] == [9000, 9000, False]
    ann = api.account("ann")
    assert "admins" in denied(531, made, ann, privatemtu=1400)
    configure("allow.end.users.to.specify.vr.mtu", "true")
    assert made(ann, privatemtu=1400)["privatemtu"] == 1400
    l2 = next(o["id"] for o in api.listed("listNetworkOfferings", "networkoffering", guestiptype="L2"))
    assert "virtual router" in denied(431, made, networkofferingid=l2, privatemtu=1400)
    assert "public interface" in denied(431, shared, api, publicmtu=1400)
    assert shared(api, privatemtu=1400)["privatemtu"] == 1400


# which VLAN


def test_a_vlan_is_shared_with_other_networks_where_that_is_allowed(api: RoutedApi) -> None:
    front = str(api.store.table(Network)[api.front["id"]].vlan)
    with_vlan = api.admin(
        "createNetworkOffering", name="L2 VLAN", guestiptype="L2", traffictype="Guest", specifyvlan=True, enable=True
    )["networkoffering"]["id"]

    def beside(vlan: str, **more: Any) -> dict[str, Any]:
        return api.network("beside", networkofferingid=with_vlan, vlan=vlan, **more)

    assert "dynamic" in denied(431, beside, front)
    assert beside(front, bypassvlanoverlapcheck=True)["vlan"] == front
    shared(api)
    assert "already exists" in denied(431, beside, "98")
    assert beside("98", bypassvlanoverlapcheck=True)["vlan"] == "98"
    assert "overlaps" in denied(431, shared, api, bypassvlanoverlapcheck=True)
    assert "bypassvlanoverlapcheck" in denied(431, api.network, "isolated", bypassvlanoverlapcheck=True)


# what others call it, and what is counted


def test_a_network_has_the_id_that_another_system_gave_it(api: RoutedApi) -> None:
    made = api.network("n", externalid="cmdb-17")
    assert made["externalid"] == "cmdb-17"
    assert "externalid" not in api.front
    assert api.admin("listNetworks", id=made["id"])["network"][0]["externalid"] == "cmdb-17"


def test_the_use_of_a_networks_addresses_is_not_told_while_it_is_hidden(api: RoutedApi) -> None:
    api.admin("updateConfiguration", name="enable.usage.server", value=True)
    hidden = api.network("hidden", hideipaddressusage=True)
    ips = [api.acquire(networkid=network["id"])["ipaddress"] for network in (api.front, hidden)]

    def told() -> dict[str, float]:
        api.cloud.wait(3600)
        api.admin("generateUsageRecords")
        now = api.manager.foundation.now()
        dates = {"startdate": str(date(now - 86_400))[:10], "enddate": str(date(now))[:10]}
        hours = dict.fromkeys(ips, 0.0)
        for row in api.listed("listUsageRecords", "usagerecord", **dates, type=types.IP_ADDRESS):
            ip = next((ip for ip in ips if ip in row["description"]), None)
            if ip is not None:
                hours[ip] += float(row["rawusage"])
        return hours

    first = told()
    assert first[ips[0]] > 0.9 and first[ips[1]] == 0
    api.admin("updateNetwork", id=hidden["id"], hideipaddressusage=False)
    api.admin("updateNetwork", id=api.front["id"], hideipaddressusage=True)
    second = told()
    assert second[ips[1]] > 0.9 and second[ips[0]] - first[ips[0]] < 0.1


def test_guests_are_told_in_which_domains_to_look_for_short_names(api: RoutedApi) -> None:
    def told() -> str | None:
        found = lease(configuration(api, api.front), api.web["nic"][0]["macaddress"])
        assert found is not None
        return found.options.get("domain-search")

    def search(order: str) -> None:
        api.admin("updateZone", id=api.zone, dnssearchorder=order)
        api.admin("restartNetwork", id=api.front["id"])

    assert told() is None
    search("corp.example,example")
    assert told() == "corp.example,example"
    assert "dnssearchorder" in refused(431, api.admin, "updateZone", id=api.zone, dnssearchorder="a.example,-b").text
    search("example")
    assert told() == "example"


# deleting


def test_a_network_is_deleted_by_force_before_its_router_which_follows(
    api: RoutedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = api.account("ann")
    network = api.network("own", ann)
    vm = api.deploy("vm", network["id"], ann)
    ann("destroyVirtualMachine", id=vm["id"])
    api.admin("expungeVirtualMachine", id=vm["id"])
    (router,) = api.listed("listRouters", "router", networkid=network["id"], listall=True)
    host = api.cloud.world.host(router["hostname"]).hypervisor

    async def fails(self: Any, name: str, forced: bool) -> None:
        raise HypervisorError(f"{name} does not stop")

    with monkeypatch.context() as broken:
        kind = type("Broken", (type(host),), {"__slots__": (), "stop_vm": fails})
        broken.setattr(host, "__class__", kind)
        refused(530, ann, "deleteNetwork", id=network["id"])
        assert network["id"] in api.store.table(Network)
        assert "root admins" in refused(531, ann, "deleteNetwork", id=network["id"], forced=True).text
        api.admin("deleteNetwork", id=network["id"], forced=True)
        assert network["id"] not in api.store.table(Network)
        assert router["name"] in host.guests
    api.cloud.until(lambda: router["name"] not in host.guests)
    assert not [row for row in api.listed("listRouters", "router", listall=True) if row["id"] == router["id"]]


def test_a_tier_is_deleted_by_force_before_its_card_is_taken_from_the_router(
    vpcs: VpcApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    vpc = vpcs.vpc()
    tier, other = vpcs.tier(vpc), vpcs.tier(vpc, 2)
    for name, each in (("one", tier), ("two", other)):
        vpcs.deploy(name, each)
    one = vpcs.one("listVirtualMachines", "virtualmachine", name="one")
    vpcs.admin("destroyVirtualMachine", id=one["id"], expunge=True)
    host = vpcs.cloud.world.host(vpcs.one("listRouters", "router", vpcid=vpc["id"])["hostname"]).hypervisor

    async def fails(self: Any, name: str, nic: Any) -> None:
        raise HypervisorError(f"a card of {name} is stuck")

    with monkeypatch.context() as broken:
        broken.setattr(host, "__class__", type("Broken", (type(host),), {"__slots__": (), "unplug_nic": fails}))
        refused(530, vpcs.admin, "deleteNetwork", id=tier["id"])
        assert len(vpcs.configuration(vpc).guests) == 2
        vpcs.admin("deleteNetwork", id=tier["id"], forced=True)
    assert [row["name"] for row in vpcs.listed("listNetworks", "network", vpcid=vpc["id"])] == ["tier2"]
    vpcs.admin("restartVPC", id=vpc["id"])
    (left,) = vpcs.configuration(vpc).guests
    assert left.network_id == other["id"]
