"""Disks of real instances: limited, filled, copied, left and taken in, and moved while their guests run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.lab_cloud import LabCloud, eventually, lab_cloud

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

MIB, GIB = 1 << 20, 1 << 30


@pytest.fixture(scope="module")
def cloud(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[LabCloud]:
    yield from lab_cloud(tmp_path_factory.mktemp("cloud"), 2, request)


@pytest.fixture(scope="module")
def web(cloud: LabCloud) -> dict[str, Any]:
    """An instance whose guest has written a file on its root disk."""
    made = cloud.deploy("web")
    cloud.shell(made, "echo written > /root/file; sync")
    return made


def volumes(cloud: LabCloud, vm: dict[str, Any]) -> list[dict[str, Any]]:
    found = cloud.cs.listVolumes(virtualmachineid=vm["id"], listall=True)["volume"]
    return sorted(found, key=lambda volume: int(volume["deviceid"]))


def virsh(cloud: LabCloud, vm: dict[str, Any], *command: str) -> dict[str, str]:
    """What the libvirt of the instance's host says of it, by name."""
    name, *rest = command
    told = cloud.host(cloud.vm(vm["id"])["hostname"]).exec(["virsh", name, vm["instancename"], *rest]).stdout
    lines = (line.partition(":") for line in told.splitlines())
    return {key.strip(): value.strip() for key, _, value in lines}


def test_a_disk_has_the_rates_and_the_room_of_its_offering(cloud: LabCloud, web: dict[str, Any]) -> None:
    offering = cloud.cs.createDiskOffering(
        name="slow and fat",
        displaytext="slow and fat",
        disksize=1,
        bytesreadrate=4 * MIB,
        iopswriterate=200,
        iopswriteratemax=400,
        iopswriteratemaxlength=30,
        provisioningtype="fat",
    )["diskoffering"]["id"]
    disk = cloud.job("createVolume", name="slow", zoneid=cloud.zone, diskofferingid=offering)["volume"]
    attached = cloud.job("attachVolume", id=disk["id"], virtualmachineid=web["id"])["volume"]
    rates = virsh(cloud, web, "blkdeviotune", "vdb")
    assert (rates["read_bytes_sec"], rates["write_iops_sec"], rates["write_bytes_sec"]) == (str(4 * MIB), "200", "0")
    assert (rates["write_iops_sec_max"], rates["write_iops_sec_max_length"]) == ("400", "30")
    file = cloud.lab.primary / attached["path"]
    assert file.stat().st_blocks * 512 >= GIB
    cloud.job("detachVolume", id=disk["id"])
    cloud.cs.deleteVolume(id=disk["id"])
    assert not file.exists()


def test_instances_of_a_snapshot_and_of_a_volume_have_what_was_written(cloud: LabCloud, web: dict[str, Any]) -> None:
    (root,) = volumes(cloud, web)
    snapshot = cloud.job("createSnapshot", volumeid=root["id"])["snapshot"]["id"]
    copy = cloud.deploy("copy", templateid="", snapshotid=snapshot)
    assert cloud.shell(copy, "cat /root/file; hostname").split() == ["written", "copy"]
    cloud.shell(copy, "echo changed > /root/file; sync")
    cloud.job("stopVirtualMachine", id=copy["id"])
    (taken,) = volumes(cloud, copy)
    cloud.job("detachVolume", id=taken["id"])
    cloud.job("destroyVirtualMachine", id=copy["id"], expunge=True)
    again = cloud.deploy("again", templateid="", volumeid=taken["id"])
    assert cloud.shell(again, "cat /root/file; hostname").split() == ["changed", "again"]
    assert cloud.shell(web, "cat /root/file") == "written"
    cloud.job("destroyVirtualMachine", id=again["id"], expunge=True)
    cloud.job("deleteSnapshot", id=snapshot)


def test_a_disk_that_was_left_on_its_pool_is_taken_in_with_its_content(cloud: LabCloud, web: dict[str, Any]) -> None:
    custom = cloud.cs.listDiskOfferings(name="Custom")["diskoffering"][0]["id"]
    disk = cloud.job("createVolume", name="left", zoneid=cloud.zone, diskofferingid=custom, size=1)["volume"]
    attached = cloud.job("attachVolume", id=disk["id"], virtualmachineid=web["id"])["volume"]
    device = eventually("the disk in the guest", lambda: cloud.shell(web, "ls /dev/vdb 2>/dev/null || true"))
    cloud.shell(web, f"echo content > /tmp/x; dd if=/tmp/x of={device} conv=fsync 2>/dev/null; sync")
    cloud.job("detachVolume", id=disk["id"])
    pool, path = attached["storageid"], attached["path"]
    named = cloud.cs.listStoragePoolObjects(id=pool, path=path)["datastoreobject"]
    assert [each["volumeid"] for each in named] == [disk["id"]]
    assert cloud.cs.listVolumesForImport(storageid=pool) == {}
    cloud.job("unmanageVolume", id=disk["id"])
    (found,) = cloud.cs.listVolumesForImport(storageid=pool)["volumesforimport"]
    assert (found["path"], found["virtualsize"]) == (path, GIB)
    taken = cloud.job("importVolume", storageid=pool, path=path, name="back")["volume"]
    cloud.job("attachVolume", id=taken["id"], virtualmachineid=web["id"])
    eventually("the disk again", lambda: cloud.shell(web, "ls /dev/vdb 2>/dev/null || true"))
    assert cloud.shell(web, f"head -c 7 {device}") == "content"
    cloud.job("detachVolume", id=taken["id"])
    cloud.cs.deleteVolume(id=taken["id"])


def test_an_instance_moves_with_its_disk_to_another_pool_while_its_guest_runs(
    cloud: LabCloud, web: dict[str, Any]
) -> None:
    folder = cloud.lab.primary.parent / "second"
    folder.mkdir()
    (cluster,) = cloud.cs.listClusters()["cluster"]
    second = cloud.cs.createStoragePool(
        name="second",
        url=f"SharedMountPoint://localhost{folder}",
        zoneid=cloud.zone,
        podid=cluster["podid"],
        clusterid=cluster["id"],
    )["storagepool"]["id"]
    before = cloud.vm(web["id"])
    other = next(host for name, host in cloud.hosts().items() if name != before["hostname"])
    (root,) = volumes(cloud, web)
    old = cloud.lab.primary / root["path"]
    up = float(cloud.shell(web, "cut -d' ' -f1 /proc/uptime"))
    moved = cloud.job(
        "migrateVirtualMachineWithVolume",
        virtualmachineid=web["id"],
        hostid=other["id"],
        **{"migrateto[0].volume": root["id"], "migrateto[0].pool": second},
    )["virtualmachine"]
    assert cloud.running_on(web["instancename"]) == [moved["hostname"]] == [other["name"]]
    (now,) = volumes(cloud, web)
    assert now["storageid"] == second and (folder / now["path"]).is_file() and not old.exists()
    assert cloud.shell(web, "cat /root/file; echo more >> /root/file; sync") == "written"
    assert float(cloud.shell(web, "cut -d' ' -f1 /proc/uptime")) > up, "it is the same boot"
    cloud.job("stopVirtualMachine", id=web["id"])
    cloud.job("startVirtualMachine", id=web["id"])
    assert cloud.shell(web, "cat /root/file").split() == ["written", "more"]


def test_what_secondary_storage_holds_moves_to_another_store_and_is_used_from_there(
    cloud: LabCloud, web: dict[str, Any]
) -> None:
    (first,) = cloud.cs.listImageStores()["imagestore"]
    folder = cloud.lab.primary.parent / "second-store"
    folder.mkdir()
    second = cloud.cs.addImageStore(provider="NFS", url=f"file://{folder}", zoneid=cloud.zone)["imagestore"]["id"]
    (root,) = volumes(cloud, web)
    snapshot = cloud.job("createSnapshot", volumeid=root["id"])["snapshot"]["id"]
    told = cloud.job("migrateSecondaryStorageData", srcpool=first["id"], destpools=second)["imagestore"]
    assert told["success"] is True
    files = cloud.cs.listImageStoreObjects(id=second, path="snapshots")["datastoreobject"]
    assert snapshot in [each["snapshotid"] for each in files]
    disk = cloud.job("createVolume", name="of it", snapshotid=snapshot)["volume"]
    assert disk["state"] == "Ready"
    cloud.cs.deleteVolume(id=disk["id"])


def test_a_running_instance_grows_and_a_restored_one_has_a_larger_disk(cloud: LabCloud) -> None:
    cloud.cs.updateConfiguration(name="enable.dynamic.scale.vm", value="true")
    cloud.cs.updateTemplate(id=cloud.template, isdynamicallyscalable=True)
    made = cloud.deploy("growing")
    twice = {"cpunumber": 2, "cpuspeed": made["cpuspeed"], "memory": made["memory"] + 32}
    larger = cloud.cs.createServiceOffering(name="larger", displaytext="larger", **twice)["serviceoffering"]["id"]
    cloud.job("scaleVirtualMachine", id=made["id"], serviceofferingid=larger)
    assert virsh(cloud, made, "dominfo")["CPU(s)"] == "2"
    wanted = f"{(made['memory'] + 32) * 1024} KiB"  # which the guest takes when it comes to it
    eventually("its memory", lambda: virsh(cloud, made, "dominfo")["Used memory"] == wanted)
    cloud.shell(made, "echo gone > /root/file; sync")
    cloud.job("restoreVirtualMachine", virtualmachineid=made["id"], rootdisksize=1)
    assert cloud.shell(made, "ls /root/file 2>/dev/null || echo none; cat /sys/block/vda/size").split() == [
        "none",
        str(GIB // 512),
    ]
    cloud.job("destroyVirtualMachine", id=made["id"], expunge=True)
