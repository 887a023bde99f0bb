"""Another disk offering for a volume."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks

GIB = 1 << 30


@pytest.fixture
def cloud() -> Iterator[TwoRacks]:
    made = TwoRacks()
    yield made
    made.cloud.close()


def offering(cloud: TwoRacks, name: str, **more: Any) -> str:
    made = cloud.admin("createDiskOffering", name=name, displaytext=name, **more)["diskoffering"]
    return str(made["id"])


@pytest.fixture
def disk(cloud: TwoRacks) -> dict[str, Any]:
    """A detached data disk of 2 GiB that lies on a pool."""
    vm, made = cloud.deploy("web"), cloud.volume(size=2)
    cloud.admin("attachVolume", id=made["id"], virtualmachineid=vm["id"])
    detached: dict[str, Any] = cloud.admin("detachVolume", id=made["id"])["volume"]
    return detached


def test_a_disk_for_a_stopped_instance_is_made_beside_its_root_disk(cloud: TwoRacks) -> None:
    vm, made = cloud.deploy("web"), cloud.volume(size=2)
    fresh = cloud.deploy("fresh", startvm=False)
    cloud.admin("stopVirtualMachine", id=vm["id"])
    attached = cloud.admin("attachVolume", id=made["id"], virtualmachineid=vm["id"])["volume"]
    (root,) = cloud.listed("listVolumes", "volume", virtualmachineid=vm["id"], type="ROOT")
    assert (attached["state"], attached["clusterid"]) == ("Ready", root["clusterid"])
    other = cloud.admin("attachVolume", id=cloud.volume("other")["id"], virtualmachineid=fresh["id"])["volume"]
    assert other["state"] == "Allocated", "no disk of its instance is anywhere yet"


def test_size_and_iops_are_those_of_the_new_offering(cloud: TwoRacks, disk: dict[str, Any]) -> None:
    fixed = offering(cloud, "five", disksize=5, miniops=10, maxiops=20)
    changed = cloud.admin("changeOfferingForVolume", id=disk["id"], diskofferingid=fixed)["volume"]
    assert (changed["diskofferingid"], changed["size"]) == (fixed, 5 * GIB)
    assert (changed["miniops"], changed["maxiops"]) == (10, 20)
    open_ = offering(cloud, "open", customized=True, customizediops=True)
    asked = {"id": disk["id"], "diskofferingid": open_, "size": 7, "miniops": 1, "maxiops": 99}
    changed = cloud.admin("changeOfferingForVolume", **asked)["volume"]
    assert (changed["size"], changed["miniops"], changed["maxiops"]) == (7 * GIB, 1, 99)


def test_what_an_offering_does_not_take_is_refused(cloud: TwoRacks, disk: dict[str, Any]) -> None:
    small, open_ = offering(cloud, "one", disksize=1), cloud.cloud.custom.id
    asked = {"id": disk["id"]}
    assert "shrinkok" in refused(431, cloud.admin, "changeOfferingForVolume", **asked, diskofferingid=small).text
    iops = refused(431, cloud.admin, "changeOfferingForVolume", **asked, diskofferingid=open_, size=3, maxiops=9)
    assert "miniops and maxiops" in iops.text
    assert "miniops and maxiops" in refused(431, cloud.admin, "resizeVolume", **asked, size=3, maxiops=9).text
    assert cloud.admin("changeOfferingForVolume", **asked, diskofferingid=small, shrinkok=True)["volume"]["size"] == GIB


def test_a_pool_that_does_not_suit_is_left_where_that_is_allowed(cloud: TwoRacks, disk: dict[str, Any]) -> None:
    fast = offering(cloud, "fast", customized=True, tags="fast")
    asked = {"id": disk["id"], "diskofferingid": fast, "size": 2}
    assert "automigrate" in refused(431, cloud.admin, "changeOfferingForVolume", **asked).text
    none = refused(431, cloud.admin, "changeOfferingForVolume", **asked, automigrate=True)
    assert "No storage pool" in none.text
    other = next(p for p in cloud.listed("listStoragePools", "storagepool") if p["id"] != disk["storageid"])
    cloud.admin("updateStoragePool", id=other["id"], tags="fast")
    moved = cloud.admin("changeOfferingForVolume", **asked, automigrate=True)["volume"]
    assert (moved["storageid"], moved["diskofferingid"], moved["state"]) == (other["id"], fast, "Ready")


def test_a_volume_that_moves_can_have_another_offering_there(cloud: TwoRacks, disk: dict[str, Any]) -> None:
    other = next(p for p in cloud.listed("listStoragePools", "storagepool") if p["id"] != disk["storageid"])
    asked = {"volumeid": disk["id"], "storageid": other["id"]}
    fast = offering(cloud, "fast", customized=True, tags="fast")
    assert "does not suit" in refused(431, cloud.admin, "migrateVolume", **asked, newdiskofferingid=fast).text
    cloud.admin("updateStoragePool", id=other["id"], tags="fast")
    moved = cloud.admin("migrateVolume", **asked, newdiskofferingid=fast)["volume"]
    assert (moved["storageid"], moved["diskofferingid"], moved["size"]) == (other["id"], fast, 2 * GIB)


def test_a_volume_that_moves_to_an_offering_of_another_size_keeps_its_own(cloud: TwoRacks, disk: dict[str, Any]) -> None:
    other = next(p for p in cloud.listed("listStoragePools", "storagepool") if p["id"] != disk["storageid"])
    larger = offering(cloud, "nine", disksize=9)
    asked = {"volumeid": disk["id"], "storageid": other["id"], "newdiskofferingid": larger}
    moved = cloud.admin("migrateVolume", **asked)["volume"]
    assert (moved["storageid"], moved["diskofferingname"], moved["size"]) == (other["id"], "nine", 2 * GIB)


def test_pools_suit_a_volume_whose_tags_they_have(cloud: TwoRacks, disk: dict[str, Any]) -> None:
    other = next(p for p in cloud.listed("listStoragePools", "storagepool") if p["id"] != disk["storageid"])
    cloud.admin("updateStoragePool", id=disk["storageid"], tags="fast")
    fast = offering(cloud, "fast", customized=True, tags="fast")
    cloud.admin("changeOfferingForVolume", id=disk["id"], diskofferingid=fast, size=2)

    def suitable() -> list[tuple[str, bool]]:
        rows = cloud.admin("findStoragePoolsForMigration", id=disk["id"])["storagepool"]
        return [(row["id"], row["suitableformigration"]) for row in rows]

    assert suitable() == [(other["id"], False)]
    cloud.admin("updateStoragePool", id=other["id"], tags="fast,cheap")
    assert suitable() == [(other["id"], True)]


def test_offerings_say_whether_an_instance_could_have_their_disks(cloud: TwoRacks) -> None:
    fast, local = offering(cloud, "fast", disksize=1, tags="fast"), offering(cloud, "own", disksize=1, storagetype="local")
    vm = cloud.deploy("web")
    (root,) = cloud.listed("listVolumes", "volume", virtualmachineid=vm["id"])
    other = next(p for p in cloud.listed("listStoragePools", "storagepool") if p["id"] != root["storageid"])
    cloud.admin("updateStoragePool", id=other["id"], tags="fast")

    def suitable() -> dict[str, bool]:
        rows = cloud.listed("listDiskOfferings", "diskoffering", virtualmachineid=vm["id"])
        return {row["id"]: row["suitableforvirtualmachine"] for row in rows}

    assert (suitable()[fast], suitable()[local], suitable()[cloud.cloud.custom.id]) == (False, False, True)
    cloud.admin("stopVirtualMachine", id=vm["id"])
    assert suitable()[fast] is False, "its root disk is in the other rack"
    cloud.admin("updateStoragePool", id=root["storageid"], tags="fast")
    assert suitable()[fast] is True


def test_a_pool_is_deleted_by_force_with_what_is_destroyed_on_it(cloud: TwoRacks, disk: dict[str, Any]) -> None:
    pool = {"id": disk["storageid"]}
    vm = cloud.listed("listVirtualMachines", "virtualmachine")[0]
    cloud.admin("destroyVirtualMachine", id=vm["id"], expunge=True)
    cloud.admin("destroyVolume", id=disk["id"])
    cloud.admin("enableStorageMaintenance", **pool)
    refused(530, cloud.admin, "deleteStoragePool", **pool)
    assert cloud.admin("deleteStoragePool", **pool, forced=True)["success"]
    assert cloud.listed("listStoragePools", "storagepool", **pool) == []


def test_an_offering_that_is_strict_about_sizes_keeps_them(cloud: TwoRacks, disk: dict[str, Any]) -> None:
    strict = offering(cloud, "strict", customized=True, disksizestrictness=True)
    asked = {"id": disk["id"], "diskofferingid": strict}
    assert "does not allow" in refused(431, cloud.admin, "changeOfferingForVolume", **asked, size=3).text
    assert cloud.admin("changeOfferingForVolume", **asked, size=2)["volume"]["diskofferingid"] == strict
    larger = offering(cloud, "nine", disksize=9)
    wrong = refused(431, cloud.admin, "changeOfferingForVolume", id=disk["id"], diskofferingid=larger)
    assert "strict does not allow" in wrong.text
