"""Snapshots of instances through the API."""

from __future__ import annotations

from tests.server.api.api_harness import refused
from tests.server.api.commands.cloud_api import CloudApi


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
