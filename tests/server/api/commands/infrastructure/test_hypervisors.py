"""Hypervisors of the cloud, and what an operator lets each do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.api.api_harness import Client, refused
from tests.server.api.cloud_harness import TwoRacks

UPDATE = "updateHypervisorCapabilities"


@pytest.fixture
def cloud() -> Iterator[TwoRacks]:
    made = TwoRacks()
    yield made
    made.cloud.close()


def simulator(admin: Client) -> dict[str, Any]:
    (row,) = admin("listHypervisorCapabilities", hypervisor="simulator")["hypervisorCapabilities"]
    return dict(row)


def test_the_hypervisors_of_the_cloud_and_what_they_can_do(admin: Client) -> None:
    admin("updateConfiguration", name="hypervisor.list", value="Simulator")
    assert admin("listHypervisors")["hypervisor"] == [{"name": "Simulator"}]
    row = simulator(admin)
    assert (row["maxguestslimit"], row["maxdatavolumeslimit"], row["vmsnapshotenabled"]) == (50, 6, True)
    assert row["hypervisorversion"] == "default"


def test_a_limit_of_data_disks_holds_for_disks_that_are_attached_and_deployed_from_then_on(cloud: TwoRacks) -> None:
    admin, id = cloud.admin, simulator(cloud.admin)["id"]
    changed = admin(UPDATE, id=id, maxdatavolumeslimit=1)["hypervisorCapabilities"]
    assert changed == simulator(admin) and changed["maxdatavolumeslimit"] == 1 and changed["vmsnapshotenabled"] is True
    vm, first, second = cloud.deploy(), cloud.volume("first"), cloud.volume("second")
    admin("attachVolume", id=first["id"], virtualmachineid=vm["id"])
    attach = {"id": second["id"], "virtualmachineid": vm["id"]}
    assert "maximum number of data disks (1)" in refused(431, admin, "attachVolume", **attach).text
    disk = {f"datadisksdetails[{n}].diskofferingid": cloud.cloud.custom.id for n in range(2)}
    sizes = {f"datadisksdetails[{n}].size": 1 for n in range(2)}
    text = refused(431, admin, "deployVirtualMachine", **cloud.wanted(), **disk, **sizes).text
    assert "at most 1 data disks" in text
    admin(UPDATE, id=id, maxdatavolumeslimit=32)
    assert admin("attachVolume", **attach)["volume"]["virtualmachineid"] == vm["id"]


def test_snapshots_of_instances_can_be_forbidden_and_allowed_again(cloud: TwoRacks) -> None:
    admin, vm = cloud.admin, cloud.deploy()
    named = {"hypervisor": "Simulator", "hypervisorversion": "default"}
    admin(UPDATE, **named, vmsnapshotenabled=False)
    text = refused(431, admin, "createVMSnapshot", virtualmachineid=vm["id"]).text
    assert text == "VM snapshot is not enabled for hypervisor type: Simulator"
    assert admin("listVMSnapshot") == {}
    admin(UPDATE, **named, vmsnapshotenabled=True)
    assert admin("createVMSnapshot", virtualmachineid=vm["id"])["vmsnapshot"]["state"] == "Ready"


def test_disks_stay_where_they_are_while_storage_motion_is_forbidden(cloud: TwoRacks) -> None:
    admin, vm = cloud.admin, cloud.deploy()
    admin(UPDATE, id=simulator(admin)["id"], storagemotionenabled=False)
    far = next(h for h in cloud.store.tables["Host"] if h.cluster_id != cloud.host(vm["hostname"]).cluster_id)
    move = {"virtualmachineid": vm["id"], "hostid": far.id}
    text = refused(431, admin, "migrateVirtualMachineWithVolume", **move).text
    assert "isn't supported on hypervisor Simulator" in text and cloud.vm(vm["id"])["hostname"] == vm["hostname"]
    admin(UPDATE, id=simulator(admin)["id"], storagemotionenabled=True)
    moved = admin("migrateVirtualMachineWithVolume", **move)["virtualmachine"]
    assert (moved["state"], moved["hostname"]) == ("Running", far.name)


def test_what_cannot_be_set_is_refused_and_changes_nothing(admin: Client) -> None:
    before = simulator(admin)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "either id, or hypervisor and hypervisorversion"),
        ({"hypervisor": "Simulator"}, "either id, or hypervisor and hypervisorversion"),
        ({"hypervisor": "Simulator", "hypervisorversion": "9"}, "nothing is known of hypervisor Simulator in version 9"),
        ({"id": "00000000-0000-0000-0000-000000000000"}, "unable to find the hypervisor capabilities"),
        ({"id": before["id"], "maxdatavolumeslimit": 0}, "maxdatavolumeslimit must be from 1 to 64, not 0"),
        ({"id": before["id"], "maxdatavolumeslimit": 65}, "maxdatavolumeslimit must be from 1 to 64, not 65"),
        ({"id": before["id"], "maxguestslimit": 9}, "parameter maxguestslimit is not supported"),
    ]
    for parameters, text in wrong:
        assert text in refused(431, admin, UPDATE, **parameters).text
    assert simulator(admin) == before
