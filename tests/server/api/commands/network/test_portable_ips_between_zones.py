"""Portable addresses that go on from a network in one zone to one in another, through the API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from backends.simulated.datacenter import Datacenter, Hosts, Pod, PublicRange, Rack, Zone
from backends.simulated.world import SimulatedWorld
from cloudsim.invariants import ALWAYS
from cloudsim.invariants.scene import Scene, check
from cloudsim.management import first_state
from cloudsim.management.building import build_zone
from cloudsim.management.server import ManagementServer
from cloudsim.model import ROW_TYPES, NetworkOffering, PublicIp, ServiceOffering, Template
from cloudsim.randomness import Randomness
from cloudsim.store import Store
from server.api.dispatch import Dispatcher
from tests.server.api.api_harness import refused
from tests.server.api.commands.cloud_api import CloudApi
from tests.server.api.commands.network.routed_api import OUTSIDE

OFFERING = "DefaultIsolatedNetworkOfferingWithSourceNatService"


def _zone(name: str, prefix: str, vlan: str) -> Zone:
    public = PublicRange(
        start_ip=f"{prefix}.10",
        end_ip=f"{prefix}.49",
        gateway=f"{prefix}.1",
        netmask="255.255.255.0",
        vlan=vlan,
    )
    rack = Rack(hosts=(Hosts(count=1, memory_gib=16),))
    return Zone(name=name, public=public, pods=(Pod(racks=(rack,)),))


class ThreeZones(CloudApi):
    """Zones `east` and `west` with public addresses on VLAN 50, and `far` with such on VLAN 60; portable ones on 50."""

    def __init__(self) -> None:
        zones = (
            _zone("east", "203.0.113", "50"),
            _zone("west", "192.0.2", "50"),
            _zone("far", "198.51.101", "60"),
        )
        self.world = SimulatedWorld(Datacenter(name="three", zones=zones), seed=3)
        self.store = Store(ROW_TYPES)
        manager: Any = ManagementServer(self.store, self.world, Randomness(5))
        self.manager = manager
        manager.identity.users.passwords.log_cost = 4
        first_state.seed(
            manager.foundation, manager.identity, manager.offerings, manager.guest_os, settings={}
        )
        self.run(self._set_up())
        self.dispatcher = Dispatcher(manager)
        self.admin = self.client("admin")
        portable = {"startip": "198.18.0.10", "endip": "198.18.0.13", "gateway": "198.18.0.1"}
        self.admin("createPortableIpRange", regionid=1, netmask="255.255.255.0", vlan="50", **portable)

    async def _set_up(self) -> None:
        self.manager.start()
        plans = self.world.layout.zones
        self.zones = {plan.name: await build_zone(self.manager, plan) for plan in plans}

    def run(self, work: Any) -> Any:
        return self.world.loop.run_until_complete(work)

    def until(self, true: Callable[[], bool]) -> None:
        for _ in range(600):
            if true():
                return
            self.run(asyncio.sleep(1))
        raise AssertionError("not within ten simulated minutes")

    def place(self, zone: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """A network in the zone, and an instance that runs in it."""
        row = self.zones[zone]
        offering = self.store.table(NetworkOffering).find("name", OFFERING)
        assert offering is not None
        asked = {"name": zone, "displaytext": zone, "zoneid": row.id, "networkofferingid": offering.id}
        network: dict[str, Any] = self.admin("createNetwork", **asked)["network"]
        template = next(t for t in self.store.table(Template) if t.name == first_state.BUILTIN_TEMPLATE)
        self.until(lambda: self._is_ready(template.id, row.id))
        vm: dict[str, Any] = self.admin(
            "deployVirtualMachine",
            name=f"vm-{zone}",
            zoneid=row.id,
            templateid=template.id,
            serviceofferingid=next(iter(self.store.table(ServiceOffering))).id,
            networkids=network["id"],
        )["virtualmachine"]
        return network, vm

    def _is_ready(self, template_id: str, zone_id: str) -> bool:
        rows = self.listed("listTemplates", "template", templatefilter="all", id=template_id, zoneid=zone_id)
        return any(row["isready"] for row in rows)

    def ends(self, ip: str) -> set[str]:
        """The instances, by their names on the hosts, that port 22 of the address leads to."""
        found = self.world.reachability().can_reach(OUTSIDE, ip, "tcp", 22)
        return {end.name for end in found.ends}

    def shown(self, ip: dict[str, Any]) -> dict[str, Any]:
        (row,) = self.listed("listPublicIpAddresses", "publicipaddress", id=ip["id"])
        return row


@pytest.fixture
def cloud() -> Iterator[ThreeZones]:
    made = ThreeZones()
    yield made
    made.run(made.manager.stop())


def test_static_nat_takes_a_portable_address_along_to_another_zone_and_back(cloud: ThreeZones) -> None:
    east, there = cloud.place("east")
    _, here = cloud.place("west")
    ip = cloud.admin("associateIpAddress", networkid=east["id"], isportable=True)["ipaddress"]
    for vm, zone in ((there, "east"), (here, "west"), (there, "east")):
        cloud.admin("enableStaticNat", ipaddressid=ip["id"], virtualmachineid=vm["id"])
        cloud.admin("createFirewallRule", ipaddressid=ip["id"], protocol="tcp", startport=22, endport=22)
        assert cloud.ends(ip["ipaddress"]) == {vm["instancename"]}
        row = cloud.shown(ip)
        assert (row["zonename"], row["virtualmachineid"], row["id"]) == (zone, vm["id"], ip["id"])
        assert check(Scene(cloud.store, cloud.manager), ALWAYS) == []
        cloud.admin("disableStaticNat", ipaddressid=ip["id"])
    cloud.admin("disassociateIpAddress", id=ip["id"])
    (portable,) = cloud.listed("listPortableIpRanges", "portableiprange")
    assert {each["state"] for each in portable["portableipaddress"]} == {"Free"}


def test_an_address_that_is_in_another_zone_than_its_network_is_found(cloud: ThreeZones) -> None:
    east, _ = cloud.place("east")
    ip = cloud.admin("associateIpAddress", networkid=east["id"], isportable=True)["ipaddress"]
    with cloud.store.transaction():
        cloud.store.table(PublicIp).update(ip["id"], zone_id=cloud.zones["west"].id)
    found = check(Scene(cloud.store, cloud.manager), ALWAYS)
    assert [violation.invariant for violation in found] == ["public addresses are where their networks are"]


def test_where_its_vlan_carries_no_public_addresses_a_portable_address_does_not_go(cloud: ThreeZones) -> None:
    east, _ = cloud.place("east")
    far, vm = cloud.place("far")
    ip = cloud.admin("associateIpAddress", networkid=east["id"], isportable=True)["ipaddress"]
    said = refused(431, cloud.admin, "enableStaticNat", ipaddressid=ip["id"], virtualmachineid=vm["id"]).text
    assert "VLAN 50" in said and "VLAN 60" in said
    assert cloud.shown(ip)["associatednetworkid"] == east["id"]
    refused(533, cloud.admin, "associateIpAddress", networkid=far["id"], isportable=True)
    assert not any(row.portable and row.network_id == far["id"] for row in cloud.store.table(PublicIp))


def test_a_zone_whose_addresses_a_portable_range_has_is_not_given_them(cloud: ThreeZones) -> None:
    zone = cloud.zones["far"]
    wanted = {"startip": "198.18.0.12", "endip": "198.18.0.20", "gateway": "198.18.0.1", "vlan": "60"}
    more = {"netmask": "255.255.255.0", "forvirtualnetwork": True, "zoneid": zone.id}
    assert "198.18.0.10-198.18.0.13" in refused(431, cloud.admin, "createVlanIpRange", **wanted, **more).text
