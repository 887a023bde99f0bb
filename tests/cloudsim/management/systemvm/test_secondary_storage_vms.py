"""How many secondary storage VMs a zone has, and that they see its stores."""

from __future__ import annotations

import pytest

from cloudsim.model import SystemVm, VirtualMachine, Zone
from tests.cloudsim.management.systemvm.storage_vm_cloud import StorageVmCloud


def storage_vms(cloud: StorageVmCloud) -> list[SystemVm]:
    return [row for row in cloud.table(SystemVm) if row.kind == "SecondaryStorageVm"]


def test_more_come_when_transfers_need_them_and_go_when_they_are_idle(storage_cloud: StorageVmCloud) -> None:
    settings = storage_cloud.manager.settings
    settings.set("secstorage.session.max", "3")
    settings.set("secstorage.capacity.standby", "1")
    templates = [
        storage_cloud.register(f"http://images.example/{n}.qcow2?size=40g", f"template {n}") for n in range(5)
    ]
    storage_cloud.wait(100)
    assert len(storage_cloud.up()) == 2
    carried = {each.vm_id for each in storage_cloud.transfers() if each.state == "Running"}
    assert carried == {each.id for each in storage_cloud.up()}
    for template in templates:
        storage_cloud.until("Ready", template, 1200)
    storage_cloud.wait(600)
    assert len(storage_cloud.up()) == len(storage_vms(storage_cloud)) == 1


def test_its_cards_say_how_its_host_is_to_connect_them_and_who_resolves_names(storage_cloud: StorageVmCloud) -> None:
    (vm,) = storage_cloud.up()
    zone = storage_cloud.zone
    nics = {nic.traffic: nic for nic in storage_cloud.appliance(vm).guest.spec.nics}
    assert set(nics) == {"Public", "Management"} and nics["Public"].ip == vm.public_ip
    assert nics["Public"].dns == (zone.dns1,) and nics["Management"].dns == (zone.internal_dns1,)
    assert nics["Management"].ip == vm.private_ip and nics["Management"].gateway is not None


def test_one_carries_no_more_than_it_may(storage_cloud: StorageVmCloud) -> None:
    storage_cloud.manager.settings.set("secstorage.session.max", "2")
    storage_cloud.manager.settings.set("secstorage.capacity.standby", "0")
    for n in range(4):
        storage_cloud.register(f"http://images.example/{n}.qcow2?size=10g", f"template {n}")
    storage_cloud.wait(10)
    assert sorted(each.state for each in storage_cloud.transfers()) == ["Running", "Running", "Waiting", "Waiting"]
    storage_cloud.wait(600)
    assert {each.state for each in storage_cloud.transfers()} == {"Done"}


@pytest.mark.parametrize("scope", [("Global", ""), ("Zone", "zone")])
def test_none_come_where_the_operator_wants_none(scope: tuple[str, str]) -> None:
    cloud = StorageVmCloud()
    zone = cloud.zone.id if scope[0] == "Zone" else ""
    cloud.manager.settings.set("secondary.storage.vm", "false", scope[0], zone)
    with pytest.raises(AssertionError, match="no secondary storage VM came up"):
        cloud.found()
    assert storage_vms(cloud) == []
    cloud.close()


def test_one_that_an_operator_stopped_stays_stopped(storage_cloud: StorageVmCloud) -> None:
    (vm,) = storage_cloud.up()
    system = storage_cloud.manager.system_vms
    storage_cloud.do(system.in_turn(vm.id, "stopSystemVm", lambda: system.stopped(vm.id)))
    storage_cloud.wait(900)
    assert [each.id for each in storage_vms(storage_cloud)] == [vm.id] and storage_cloud.up() == []
    template = storage_cloud.register("http://images.example/a.qcow2?size=1g")
    storage_cloud.until("Ready", template, 120)  # by a host
    assert storage_cloud.transfers() == []


def test_a_store_that_is_added_is_shared_with_those_that_run(storage_cloud: StorageVmCloud) -> None:
    (vm,) = storage_cloud.up()

    def stores() -> tuple[str, ...]:
        spec = storage_cloud.appliance(vm).guest.spec.system
        return tuple(spec.stores)

    before = stores()
    storage_cloud.wait(60)
    storage_cloud.call(
        storage_cloud.manager.image_stores.add, url="nfs://sim/second", provider="NFS", zone=storage_cloud.zone
    )
    storage_cloud.wait(60)
    assert stores() == (*before, "nfs://sim/second")
    started = storage_cloud.table(VirtualMachine)[vm.id].updated
    storage_cloud.wait(300)
    assert storage_cloud.table(VirtualMachine)[vm.id].updated == started, "once is enough"


def test_an_edge_zone_gets_no_system_vms_of_its_own(storage_cloud: StorageVmCloud) -> None:
    def make_edge(edge: bool) -> None:
        with storage_cloud.store.transaction():
            storage_cloud.table(Zone).update(storage_cloud.zone.id, is_edge=edge)

    storage_cloud.call(lambda: make_edge(True))
    for row in list(storage_cloud.table(SystemVm)):
        storage_cloud.do(storage_cloud.manager.system_vms.destroyed(row.id))
    storage_cloud.wait(600)
    assert not storage_cloud.table(SystemVm)
    storage_cloud.call(lambda: make_edge(False))
    storage_cloud.wait(600)
    assert {row.kind for row in storage_cloud.table(SystemVm)} == {"ConsoleProxy", "SecondaryStorageVm"}
