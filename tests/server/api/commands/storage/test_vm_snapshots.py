"""Snapshots of instances through the API."""

from __future__ import annotations

from cloudsim.model import VmSnapshot
from tests.server.api.api_harness import refused
from tests.server.api.commands.cloud_api import CloudApi

HOUR = 3600.0


def test_what_no_host_can_do_for_a_snapshot_is_refused(cloud_api: CloudApi) -> None:
    vm = cloud_api.cloud.deploy()
    asked = {"virtualmachineid": vm.id, "name": "calm"}
    assert "quiescevm" in refused(431, cloud_api.admin, "createVMSnapshot", **asked, quiescevm=True).text
    assert cloud_api.admin("listVMSnapshot") == {}
    assert cloud_api.admin("createVMSnapshot", **asked)["vmsnapshot"]["state"] == "Ready"


def test_what_a_volume_held_at_a_snapshot_of_its_instance_is_backed_up(cloud_api: CloudApi) -> None:
    admin, vm = cloud_api.admin, cloud_api.cloud.deploy()
    (root,) = cloud_api.listed("listVolumes", "volume", virtualmachineid=vm.id)
    inside = admin("createVMSnapshot", virtualmachineid=vm.id, name="then")["vmsnapshot"]["id"]
    asked = {"volumeid": root["id"], "vmsnapshotid": inside}
    made = admin("createSnapshotFromVMSnapshot", **asked, name="of then")["snapshot"]
    assert (made["name"], made["state"], made["volumeid"]) == ("of then", "BackedUp", root["id"])
    assert admin("createVolume", name="again", snapshotid=made["id"])["volume"]["state"] == "Ready"
    other = cloud_api.volume("other")["id"]
    wrong = {"volumeid": other, "vmsnapshotid": inside}
    assert "none of the instance" in refused(431, admin, "createSnapshotFromVMSnapshot", **wrong).text


def test_an_account_can_have_its_own_number_of_snapshots_of_an_instance(cloud_api: CloudApi) -> None:
    admin, vm = cloud_api.admin, cloud_api.cloud.deploy()
    admin("updateConfiguration", name="vmsnapshot.max", value="1", accountid=vm.account_id)
    admin("createVMSnapshot", virtualmachineid=vm.id, name="first")
    assert "limit of 1" in refused(431, admin, "createVMSnapshot", virtualmachineid=vm.id, name="second").text


def test_snapshots_of_an_instance_expire_where_their_account_says_so(cloud_api: CloudApi) -> None:
    admin, cloud = cloud_api.admin, cloud_api.cloud
    cloud_api.account("other")
    other = admin("listAccounts", name="other", listall=True)["account"][0]["id"]
    vm = cloud.deploy()
    made = admin("createVMSnapshot", virtualmachineid=vm.id, name="kept")["vmsnapshot"]["id"]
    interval = {"name": "vmsnapshot.expire.interval", "value": "5"}
    admin("updateConfiguration", accountid=other, **interval)
    cloud.wait(8 * HOUR)
    assert admin("listVMSnapshot")["count"] == 1
    admin("updateConfiguration", accountid=vm.account_id, **interval)
    second = admin("createVMSnapshot", virtualmachineid=vm.id, name="new")["vmsnapshot"]["id"]
    cloud.wait(2 * HOUR)
    assert [row["id"] for row in admin("listVMSnapshot")["vmSnapshot"]] == [second]
    (told,) = admin("listEvents", type="VMSNAPSHOT.DELETE", listall=True)["event"]
    assert told["resourceid"] == made and "expired" in told["description"]
    cloud.wait(5 * HOUR)
    assert admin("listVMSnapshot") == {} and not len(cloud.table(VmSnapshot))
