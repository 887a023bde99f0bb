"""Volumes and snapshots through the API."""

from __future__ import annotations

from tests.server.api.api_harness import refused
from tests.server.api.commands.cloud_api import CloudApi

GIB = 1 << 30


def test_a_volumes_life(cloud_api: CloudApi) -> None:
    admin, vm = cloud_api.admin, cloud_api.cloud.deploy()
    made = cloud_api.volume()
    (row,) = cloud_api.listed("listVolumes", "volume", id=made["id"])
    assert (row["type"], row["state"], row["size"]) == ("DATADISK", "Allocated", GIB)
    assert "virtualmachineid" not in row and "deviceid" not in row and row["tags"] == []
    attached = admin("attachVolume", id=made["id"], virtualmachineid=vm.id)["volume"]
    assert (attached["virtualmachineid"], attached["deviceid"], attached["state"]) == (vm.id, 1, "Ready")
    assert attached["vmname"] == "web" and attached["storage"] and attached["hypervisor"] == "Simulator"
    refused(431, admin, "deleteVolume", id=made["id"])
    assert admin("resizeVolume", id=made["id"], size=3)["volume"]["size"] == 3 * GIB
    assert "shrinkok" in refused(431, admin, "resizeVolume", id=made["id"], size=1).text
    assert {v["type"] for v in cloud_api.listed("listVolumes", "volume", virtualmachineid=vm.id)} == {
        "ROOT",
        "DATADISK",
    }
    detached = admin("detachVolume", virtualmachineid=vm.id, deviceid=1)["volume"]
    assert "virtualmachineid" not in detached and "deviceid" not in detached and detached["state"] == "Ready"
    assert admin("updateVolume", id=made["id"], name="renamed")["volume"]["name"] == "renamed"
    assert admin("deleteVolume", id=made["id"]) == {"success": True}
    assert admin("listVolumes", id=made["id"]) == {}


def test_destroy_and_recover(cloud_api: CloudApi) -> None:
    admin, made = cloud_api.admin, cloud_api.volume()
    assert admin("destroyVolume", id=made["id"])["volume"]["state"] == "Destroy"
    assert admin("recoverVolume", id=made["id"])["volume"]["state"] == "Allocated"
    assert admin("destroyVolume", id=made["id"], expunge=True)["volume"]["id"] == made["id"]
    assert admin("listVolumes", listall=True) == {}


def test_creating_refuses_at_once_what_cannot_be(cloud_api: CloudApi) -> None:
    admin, offering = cloud_api.admin, cloud_api.cloud.custom.id
    refused(431, admin, "createVolume", name="v", zoneid=cloud_api.zone)
    refused(431, admin, "createVolume", name="v", zoneid=cloud_api.zone, diskofferingid=offering)
    refused(431, admin, "createVolume", name="v", diskofferingid=offering, size=1)
    refused(431, admin, "detachVolume")


def test_a_root_admin_may_choose_a_volumes_id_that_no_other_has(cloud_api: CloudApi) -> None:
    wanted = "11111111-2222-3333-4444-555555555555"
    asked = {"name": "data", "zoneid": cloud_api.zone, "diskofferingid": cloud_api.cloud.custom.id, "size": 1}
    ann = cloud_api.account("ann")
    assert "customid" in refused(531, ann, "createVolume", **asked, customid=wanted).text
    assert "customid" in refused(431, cloud_api.admin, "createVolume", **asked, customid="mine").text
    assert cloud_api.admin("createVolume", **asked, customid=wanted)["volume"]["id"] == wanted
    assert "customid" in refused(431, cloud_api.admin, "createVolume", **asked, customid=wanted.upper()).text
    assert [row["id"] for row in cloud_api.listed("listVolumes", "volume")] == [wanted]


def test_users_see_and_touch_only_their_own(cloud_api: CloudApi) -> None:
    ann = cloud_api.account("ann")
    mine, theirs = cloud_api.volume("mine", call=ann), cloud_api.volume("theirs")
    assert [v["name"] for v in ann("listVolumes", listall=True)["volume"]] == ["mine"]
    assert [v["name"] for v in cloud_api.listed("listVolumes", "volume")] == ["theirs"]
    assert {v["name"] for v in cloud_api.listed("listVolumes", "volume", listall=True)} == {"mine", "theirs"}
    both = {"ids": [mine["id"], theirs["id"]]}
    assert [v["name"] for v in cloud_api.listed("listVolumes", "volume", **both)] == ["theirs"]
    assert len(cloud_api.listed("listVolumes", "volume", **both, listall=True)) == 2
    refused(531, ann, "deleteVolume", id=theirs["id"])
    assert "storage" not in ann("listVolumes", id=mine["id"])["volume"][0]


def test_the_volume_limit(cloud_api: CloudApi) -> None:
    ann = cloud_api.account("ann")
    domain = cloud_api.cloud.owner.domain_id
    cloud_api.admin("updateResourceLimit", resourcetype=2, max=0, account="ann", domainid=domain)
    asked = {"name": "v", "zoneid": cloud_api.zone, "diskofferingid": cloud_api.cloud.custom.id, "size": 1}
    refused(535, ann, "createVolume", **asked)


def test_filters(cloud_api: CloudApi) -> None:
    vm, pool = cloud_api.cloud.deploy(), None
    cloud_api.volume("a")
    root = cloud_api.listed("listVolumes", "volume", type="ROOT")[0]
    pool = root["storageid"]
    for wanted in (
        {"storageid": pool},
        {"hostid": vm.host_id},
        {"state": "ready"},
        {"clusterid": root["clusterid"]},
        {"podid": root["podid"]},
        {"virtualmachineid": vm.id},
        {"ids": [root["id"]]},
        {"keyword": "root-"},
    ):
        assert [v["id"] for v in cloud_api.listed("listVolumes", "volume", **wanted)] == [root["id"]], wanted
    assert cloud_api.admin("listVolumes", page=2, pagesize=1)["count"] == 2


# snapshots


def test_a_snapshots_life(cloud_api: CloudApi) -> None:
    admin, vm = cloud_api.admin, cloud_api.cloud.deploy()
    root = cloud_api.cloud.root(vm)
    made = admin("createSnapshot", volumeid=root.id, name="snap", **{"tags": {"a": "1"}})["snapshot"]
    (row,) = cloud_api.listed("listSnapshots", "snapshot", id=made["id"])
    assert (row["state"], row["volumeid"], row["snapshottype"], row["locationtype"]) == (
        "BackedUp",
        root.id,
        "MANUAL",
        "SECONDARY",
    )
    assert [tag["value"] for tag in row["tags"]] == ["1"] and row["revertable"] is True
    volume = admin("createVolume", name="copy", snapshotid=made["id"], zoneid=cloud_api.zone)["volume"]
    assert (volume["size"], volume["state"], volume["snapshotid"]) == (root.size, "Ready", made["id"])
    refused(431, admin, "revertSnapshot", id=made["id"])
    cloud_api.cloud.stop(vm)
    assert admin("revertSnapshot", id=made["id"])["snapshot"]["id"] == made["id"]
    assert admin("deleteSnapshot", id=made["id"]) == {"success": True}
    assert admin("listSnapshots", volumeid=root.id) == {}


def test_snapshot_policies(cloud_api: CloudApi) -> None:
    admin, root = cloud_api.admin, cloud_api.cloud.root(cloud_api.cloud.deploy())
    asked = {
        "volumeid": root.id,
        "intervaltype": "daily",
        "schedule": "30:2",
        "timezone": "UTC",
        "maxsnaps": 2,
    }
    made = admin("createSnapshotPolicy", **asked)["snapshotpolicy"]
    (row,) = cloud_api.listed("listSnapshotPolicies", "snapshotpolicy", volumeid=root.id)
    assert (row["id"], row["maxsnaps"], row["intervaltype"], row["schedule"]) == (made["id"], 2, 1, "30:2")
    assert (
        admin("updateSnapshotPolicy", id=made["id"], fordisplay=False)["snapshotpolicy"]["fordisplay"]
        is False
    )
    refused(431, admin, "createSnapshotPolicy", **{**asked, "schedule": "30"})
    assert admin("deleteSnapshotPolicies", id=made["id"]) == {"success": True}
    assert admin("listSnapshotPolicies", volumeid=root.id) == {}
    refused(431, admin, "deleteSnapshotPolicies")


def test_vm_snapshots(cloud_api: CloudApi) -> None:
    admin, vm = cloud_api.admin, cloud_api.cloud.deploy()
    made = admin("createVMSnapshot", virtualmachineid=vm.id, name="s", snapshotmemory=True)["vmsnapshot"]
    (row,) = cloud_api.listed("listVMSnapshot", "vmSnapshot", virtualmachineid=vm.id)
    assert (row["id"], row["state"], row["type"], row["current"]) == (
        made["id"],
        "Ready",
        "DiskAndMemory",
        True,
    )
    assert admin("revertToVMSnapshot", vmsnapshotid=made["id"])["virtualmachine"]["state"] == "Running"
    assert admin("deleteVMSnapshot", vmsnapshotid=made["id"]) == {"success": True}
    assert admin("listVMSnapshot", virtualmachineid=vm.id) == {}
