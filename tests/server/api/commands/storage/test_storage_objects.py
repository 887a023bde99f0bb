"""What lies on a storage pool, and volumes that are taken in from there or left there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.api.api_harness import refused
from tests.server.api.commands.cloud_api import CloudApi

GIB = 1 << 30


@pytest.fixture
def disk(cloud_api: CloudApi) -> dict[str, Any]:
    """A data disk of 2 GiB that was attached once, and is not any more."""
    vm, made = cloud_api.cloud.deploy(), cloud_api.volume(size=2)
    cloud_api.admin("attachVolume", id=made["id"], virtualmachineid=vm.id)
    detached: dict[str, Any] = cloud_api.admin("detachVolume", id=made["id"])["volume"]
    return detached


def test_the_files_of_a_pool_are_listed_with_what_they_are(cloud_api: CloudApi, disk: dict[str, Any]) -> None:
    found = cloud_api.listed("listStoragePoolObjects", "datastoreobject", id=disk["storageid"])
    assert {"templateid", "volumeid"} <= {key for each in found for key in each}
    (kept,) = cloud_api.listed("listStoragePoolObjects", "datastoreobject", id=disk["storageid"], path=disk["path"])
    assert (kept["volumeid"], kept["volumename"], kept["isdirectory"]) == (disk["id"], "data", False)
    refused(530, cloud_api.admin, "listStoragePoolObjects", id=disk["storageid"], path="nowhere")


def test_a_volume_that_is_left_on_its_pool_can_be_taken_in_again(cloud_api: CloudApi, disk: dict[str, Any]) -> None:
    admin, pool = cloud_api.admin, disk["storageid"]
    assert cloud_api.listed("listVolumesForImport", "volumesforimport", storageid=pool) == []
    assert "already" in refused(431, admin, "importVolume", storageid=pool, path=disk["path"]).text
    assert admin("unmanageVolume", id=disk["id"])["success"] is True
    assert admin("listVolumes", id=disk["id"]) == {}
    (found,) = cloud_api.listed("listVolumesForImport", "volumesforimport", storageid=pool)
    assert (found["path"], found["virtualsize"], found["format"]) == (disk["path"], 2 * GIB, "qcow2")

    cloud_api.account("ann")
    owner = {"account": "ann", "domainid": cloud_api.cloud.owner.domain_id}
    taken = admin("importVolume", storageid=pool, path=disk["path"], name="back", **owner)["volume"]
    assert (taken["name"], taken["size"], taken["state"], taken["path"]) == ("back", 2 * GIB, "Ready", disk["path"])
    assert (taken["account"], taken["type"]) == ("ann", "DATADISK")
    assert cloud_api.listed("listVolumesForImport", "volumesforimport", storageid=pool) == []
    assert admin("deleteVolume", id=taken["id"]) == {"success": True}


def test_what_cannot_be_a_volume_is_refused(cloud_api: CloudApi, disk: dict[str, Any]) -> None:
    admin, pool = cloud_api.admin, disk["storageid"]
    admin("unmanageVolume", id=disk["id"])
    asked = {"storageid": pool, "path": disk["path"]}
    small = admin("createDiskOffering", name="one", displaytext="one", disksize=1)["diskoffering"]["id"]
    assert "bytes" in refused(431, admin, "importVolume", **asked, diskofferingid=small).text
    tagged = admin("createDiskOffering", name="fast", displaytext="fast", customized=True, tags="fast")
    lacks = refused(431, admin, "importVolume", **asked, diskofferingid=tagged["diskoffering"]["id"])
    assert "lacks: fast" in lacks.text
    refused(530, admin, "importVolume", storageid=pool, path="nowhere")
    assert "path" in refused(431, admin, "importVolume", storageid=pool, path="/").text
    ann = cloud_api.account("ann")
    refused(401, ann, "importVolume", **asked)
    domain = cloud_api.cloud.owner.domain_id
    admin("updateResourceLimit", resourcetype=10, max=1, account="ann", domainid=domain)
    refused(535, admin, "importVolume", **asked, account="ann", domainid=domain)
    assert len(cloud_api.listed("listVolumesForImport", "volumesforimport", storageid=pool)) == 1


def test_a_volume_that_an_instance_has_stays_managed(cloud_api: CloudApi) -> None:
    vm = cloud_api.cloud.deploy()
    (root,) = cloud_api.listed("listVolumes", "volume", virtualmachineid=vm.id)
    assert "detached" in refused(431, cloud_api.admin, "unmanageVolume", id=root["id"]).text
    empty = cloud_api.volume()
    assert "no storage pool" in refused(431, cloud_api.admin, "unmanageVolume", id=empty["id"]).text
