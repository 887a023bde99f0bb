"""Instances and volumes that get another owner."""

from __future__ import annotations

from typing import Any

from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks


def _root(cloud: TwoRacks) -> str:
    return str(cloud.admin("listDomains")["domain"][0]["id"])


def _to(cloud: TwoRacks, vm: dict[str, Any], name: str) -> dict[str, Any]:
    return {"virtualmachineid": vm["id"], "account": name, "domainid": _root(cloud)}


def test_a_stopped_instance_goes_to_another_account_with_its_disks(cloud: TwoRacks) -> None:
    ann, bob = cloud.domain_account("ann"), cloud.domain_account("bob")
    vm = cloud.deploy("box", ann, group="web")
    ann("createTags", resourcetype="UserVm", resourceids=vm["id"], tags={"who": "ann"})
    ann("stopVirtualMachine", id=vm["id"])
    given = cloud.admin("assignVirtualMachine", **_to(cloud, vm, "bob"))["virtualmachine"]
    assert given["account"] == "bob" and "group" not in given
    assert ann("listVirtualMachines") == {} == ann("listVolumes")
    (mine,) = bob("listVirtualMachines")["virtualmachine"]
    (disk,) = bob("listVolumes")["volume"]
    assert disk["virtualmachineid"] == mine["id"] and mine["tags"][0]["account"] == "bob"
    bob("startVirtualMachine", id=vm["id"])
    assert cloud.vm(vm["id"])["instancename"] in cloud.running()
    assert "VM.MOVE" in cloud.events(vm["id"])


def test_what_stands_against_it_is_said_and_nothing_changes(cloud: TwoRacks) -> None:
    ann, bob = cloud.domain_account("ann"), cloud.domain_account("bob")
    vm = cloud.deploy("box", ann)
    assert "Stopped" in refused(431, cloud.admin, "assignVirtualMachine", **_to(cloud, vm, "bob")).text
    ann("stopVirtualMachine", id=vm["id"])
    assert "already" in refused(431, cloud.admin, "assignVirtualMachine", **_to(cloud, vm, "ann")).text
    refused(431, cloud.admin, "assignVirtualMachine", virtualmachineid=vm["id"])
    cloud.admin("updateResourceLimit", account="bob", domainid=_root(cloud), resourcetype=0, max=0)
    refused(535, cloud.admin, "assignVirtualMachine", **_to(cloud, vm, "bob"))
    refused(401, bob, "assignVirtualMachine", **_to(cloud, vm, "bob"))
    assert [row["id"] for row in ann("listVirtualMachines")["virtualmachine"]] == [vm["id"]]


def test_a_volume_with_snapshots_stays_until_they_are_gone(cloud: TwoRacks) -> None:
    ann, bob = cloud.domain_account("ann"), cloud.domain_account("bob")
    vm = cloud.deploy("box", ann)
    root = ann("listVolumes", virtualmachineid=vm["id"])["volume"][0]
    snapshot = ann("createSnapshot", volumeid=root["id"])["snapshot"]
    ann("stopVirtualMachine", id=vm["id"])
    assert "Snapshots exist" in refused(431, cloud.admin, "assignVirtualMachine", **_to(cloud, vm, "bob")).text
    ann("deleteSnapshot", id=snapshot["id"])
    cloud.admin("assignVirtualMachine", **_to(cloud, vm, "bob"))
    assert bob("listVirtualMachines")["count"] == 1


def test_a_volume_that_is_attached_to_nothing_is_given_away(cloud: TwoRacks) -> None:
    ann, bob = cloud.domain_account("ann"), cloud.domain_account("bob")
    vm, volume = cloud.deploy("box", ann), cloud.volume(call=ann)
    account = cloud.admin("listAccounts", name="bob", listall=True)["account"][0]["id"]
    ann("attachVolume", id=volume["id"], virtualmachineid=vm["id"])
    refused(431, cloud.admin, "assignVolume", volumeid=volume["id"], accountid=account)
    ann("detachVolume", id=volume["id"])
    given = cloud.admin("assignVolume", volumeid=volume["id"], accountid=account)["volume"]
    assert given["account"] == "bob" and bob("listVolumes")["count"] == 1


def test_the_pools_that_a_volume_could_move_to(cloud: TwoRacks) -> None:
    vm = cloud.deploy("box")
    root = cloud.admin("listVolumes", virtualmachineid=vm["id"])["volume"][0]
    found = cloud.admin("findStoragePoolsForMigration", id=root["id"])["storagepool"]
    assert found and root["storageid"] not in [pool["id"] for pool in found]
    assert {pool["suitableformigration"] for pool in found} == {False}  # it runs
    cloud.admin("stopVirtualMachine", id=vm["id"])
    suitable = [p for p in cloud.admin("findStoragePoolsForMigration", id=root["id"])["storagepool"] if p["suitableformigration"]]
    moved = cloud.admin("migrateVolume", volumeid=root["id"], storageid=suitable[0]["id"])["volume"]
    assert moved["storageid"] == suitable[0]["id"]
