"""Real instances backed up while their guests run, put back, and made into other disks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.lab_cloud import KEY, LabCloud, eventually, lab_cloud

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def cloud(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[LabCloud]:
    yield from lab_cloud(tmp_path_factory.mktemp("cloud"), 1, request)


@pytest.fixture(scope="module")
def offering(cloud: LabCloud) -> str:
    """The backup offering of a folder that the lab's hosts share."""
    folder = cloud.lab.primary.parent / "backups"
    folder.mkdir()
    for name, value in (("enabled", "true"), ("provider.plugin", "nas")):
        cloud.cs.updateConfiguration(name=f"backup.framework.{name}", value=value, zoneid=cloud.zone)
    repository = cloud.cs.addBackupRepository(
        zoneid=cloud.zone, name="folder", type="filesystem", address=str(folder)
    )["backuprepository"]
    made = cloud.job(
        "importBackupOffering",
        zoneid=cloud.zone,
        name="daily",
        description="by the day",
        externalid=repository["id"],
        allowuserdrivenbackups=True,
    )
    found: str = made["backupoffering"]["id"]
    return found


@pytest.fixture(scope="module")
def web(cloud: LabCloud, offering: str) -> dict[str, Any]:
    """An instance with a data disk and the offering; its guest has written to both disks."""
    vm = cloud.deploy("web")
    custom = cloud.cs.listDiskOfferings(name="Custom")["diskoffering"][0]["id"]
    disk = cloud.job("createVolume", name="data", zoneid=cloud.zone, diskofferingid=custom, size=1)["volume"]
    cloud.job("attachVolume", id=disk["id"], virtualmachineid=vm["id"])
    eventually("the disk in the guest", lambda: cloud.shell(vm, "ls /dev/vdb 2>/dev/null || true"))
    write(cloud, vm, "before")
    cloud.job("assignVirtualMachineToBackupOffering", virtualmachineid=vm["id"], backupofferingid=offering)
    return vm


def write(cloud: LabCloud, vm: dict[str, Any], text: str) -> None:
    """Into a file on the root disk, and at the beginning of the data disk."""
    padded = f"{text:<16}"
    cloud.shell(vm, f"echo {text} > /root/file; echo '{padded}' > /tmp/x; dd if=/tmp/x of=/dev/vdb conv=fsync; sync")


def read(cloud: LabCloud, vm: dict[str, Any], device: str = "/dev/vdb") -> str:
    return cloud.shell(vm, f"head -c 16 {device}").strip()


@pytest.fixture(scope="module")
def backup(cloud: LabCloud, web: dict[str, Any]) -> dict[str, Any]:
    """Taken while the guest runs, which has written other things since."""
    cloud.job("createBackup", virtualmachineid=web["id"], name="running")
    (made,) = cloud.cs.listBackups(virtualmachineid=web["id"])["backup"]
    write(cloud, web, "after")
    return dict(made)


def test_a_running_instance_is_backed_up_into_files_of_its_repository(
    cloud: LabCloud, backup: dict[str, Any]
) -> None:
    folder = cloud.lab.primary.parent / "backups" / "backups"
    paths = [disk["path"].partition("/")[2] for disk in json.loads(backup["volumes"])]
    assert sorted(paths) == sorted(each.name for each in folder.iterdir())
    used = sum((folder / path).stat().st_blocks * 512 for path in paths)
    assert (backup["status"], backup["size"]) == ("BackedUp", used)


def test_a_disk_of_a_backup_is_attached_to_a_running_instance(
    cloud: LabCloud, web: dict[str, Any], backup: dict[str, Any]
) -> None:
    data = json.loads(backup["volumes"])[1]
    assert data["type"] == "DATADISK"
    cloud.job(
        "restoreVolumeFromBackupAndAttachToVM",
        backupid=backup["id"],
        volumeid=data["uuid"],
        virtualmachineid=web["id"],
    )
    eventually("the second disk in the guest", lambda: cloud.shell(web, "ls /dev/vdc 2>/dev/null || true"))
    assert (read(cloud, web, "/dev/vdc"), read(cloud, web)) == ("before", "after")
    (volume,) = [
        each
        for each in cloud.cs.listVolumes(virtualmachineid=web["id"])["volume"]
        if each["name"].startswith("restored-")
    ]
    cloud.job("detachVolume", id=volume["id"])
    cloud.cs.deleteVolume(id=volume["id"])


def test_a_guest_without_an_agent_is_not_quiesced_and_the_job_says_so(
    cloud: LabCloud, web: dict[str, Any], backup: dict[str, Any]
) -> None:
    refused = cloud.ended(cloud.cs.createBackup(virtualmachineid=web["id"], quiescevm=True)["jobid"])
    assert refused is not None and "agent" in refused
    assert [each["id"] for each in cloud.cs.listBackups(virtualmachineid=web["id"])["backup"]] == [backup["id"]]


def test_a_restored_instance_has_what_it_had_when_it_was_backed_up(
    cloud: LabCloud, web: dict[str, Any], backup: dict[str, Any]
) -> None:
    cloud.job("stopVirtualMachine", id=web["id"])
    cloud.job("restoreBackup", id=backup["id"])
    cloud.job("startVirtualMachine", id=web["id"])
    assert cloud.shell(web, "cat /root/file") == "before"
    assert read(cloud, web) == "before"


def test_another_instance_is_made_of_a_backup(
    cloud: LabCloud, web: dict[str, Any], backup: dict[str, Any]
) -> None:
    cloud.job("stopVirtualMachine", id=web["id"], forced=True)
    asked = {"zoneid": cloud.zone, "backupid": backup["id"], "name": "copy", "keypair": KEY}
    copy = cloud.job("createVMFromBackup", **asked)["virtualmachine"]
    assert cloud.shell(copy, "cat /root/file; hostname").split() == ["before", "copy"]
    assert read(cloud, copy) == "before"


def test_a_deleted_backup_leaves_no_file(cloud: LabCloud, backup: dict[str, Any]) -> None:
    cloud.job("deleteBackup", id=backup["id"])
    assert list((cloud.lab.primary.parent / "backups" / "backups").iterdir()) == []
