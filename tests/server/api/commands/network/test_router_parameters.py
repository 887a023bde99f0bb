"""Routers and system VMs by architecture, their volumes, and addresses counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cloudsim.model import Host, StoragePool, VirtualMachine
from tests.server.api.api_harness import Client, Refused
from tests.server.api.commands.network.routed_api import RoutedApi


@pytest.fixture
def routed() -> Iterator[RoutedApi]:
    made = RoutedApi()
    yield made
    made.cloud.close()


def test_routers_are_listed_by_the_architecture_of_their_host(routed: RoutedApi) -> None:
    (router,) = routed.listed("listRouters", "router", arch="x86_64")
    assert router["arch"] == "x86_64" and router["hostcontrolstate"] == "Enabled"
    assert routed.listed("listRouters", "router", arch="aarch64") == []
    assert routed.listed("listSystemVms", "systemvm", arch="aarch64") == []


def test_a_routers_volume_is_listed_where_it_is_asked_for(routed: RoutedApi) -> None:
    (router,) = routed.listed("listRouters", "router")
    mine = {row["id"] for row in routed.listed("listVolumes", "volume")}
    every = routed.listed("listVolumes", "volume", listsystemvms=True, listall=True)
    assert {row["virtualmachineid"] for row in every if row["id"] not in mine} >= {router["id"]}


def test_what_was_made_without_authentication_is_listed_apart_from_system_vms(routed: RoutedApi) -> None:
    system = Client(routed)  # type: ignore[arg-type]
    (router,) = routed.listed("listRouters", "router")
    (offering,) = routed.admin("listServiceOfferings", name="Small Instance")["serviceoffering"]
    wanted = {"templateid": routed.cloud.template.id, "serviceofferingid": offering["id"], "zoneid": routed.zone}
    made = system("deployVirtualMachine", **wanted)["virtualmachine"]
    assert made["account"] == "system" and router["id"] in routed.store.table(VirtualMachine)
    for asked in ({}, {"id": made["id"]}, {"ids": [made["id"], router["id"]]}):
        assert [vm["id"] for vm in system("listVirtualMachines", **asked)["virtualmachine"]] == [made["id"]], asked
    (disk,) = system("listVolumes")["volume"]
    assert disk["virtualmachineid"] == made["id"] and system("listVolumes", listsystemvms=True)["count"] > 1
    assert made["id"] not in {vm["id"] for vm in routed.listed("listVirtualMachines", "virtualmachine")}


def test_addresses_are_counted(routed: RoutedApi) -> None:
    every = routed.admin("listPublicIpAddresses", allocatedonly=False)["count"]
    assert routed.admin("listPublicIpAddresses", allocatedonly=False, retrieveonlyresourcecount=True) == {"count": every}
    used = routed.admin("listPublicIpAddresses")["count"]
    assert routed.admin("listPublicIpAddresses", retrieveonlyresourcecount=True) == {"count": used} != {"count": every}


def test_new_system_vms_are_on_local_storage_where_the_zone_says_so(routed: RoutedApi) -> None:
    pools = routed.store.table(StoragePool)
    (pool,) = pools
    with routed.store.transaction():
        pools.update(pool.id, scope="HOST", host_id=next(iter(routed.store.table(Host))).id)
    with pytest.raises(Refused, match="No storage pool"):
        routed.admin("restartNetwork", id=routed.front["id"], cleanup=True)
    routed.admin("updateConfiguration", name="system.vm.use.local.storage", value="true", zoneid=routed.zone)
    routed.admin("restartNetwork", id=routed.front["id"], cleanup=True)
    (router,) = routed.listed("listRouters", "router", state="Running")
    disks = routed.listed("listVolumes", "volume", virtualmachineid=router["id"], listsystemvms=True, listall=True)
    assert [(disk["storageid"], disk["state"]) for disk in disks] == [(pool.id, "Ready")]
    assert router["hostid"] == pools[pool.id].host_id


def test_a_router_shuts_down_before_it_starts_again_unless_the_plug_is_pulled(routed: RoutedApi) -> None:
    (router,) = routed.listed("listRouters", "router")
    routed.manager.traces.record()

    def steps(**how: bool) -> set[str]:
        assert routed.admin("rebootRouter", id=router["id"], **how)["router"]["state"] == "Running"
        (last,) = routed.admin("listTraces", page=1, pagesize=1)["trace"]
        trace = routed.admin("getTrace", id=last["id"])["trace"]
        return {entry["name"] for entry in trace["entry"] if entry["kind"] == "step"} & {"vm_shutdown", "forced_stop"}

    assert steps() == {"vm_shutdown"}
    assert steps(forced=True) == {"forced_stop"}
