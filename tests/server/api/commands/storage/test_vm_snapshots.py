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
