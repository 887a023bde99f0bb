"""Backups of instances: taken, listed, restored and deleted."""

from __future__ import annotations

import json

from msgspec.structs import replace

from cloudsim.management.storage.backups.backups import NEXT
from cloudsim.model import Backup
from tests.server.api.api_harness import refused
from tests.server.api.commands.backups.conftest import WithBackups


def test_a_backup_holds_all_disks_of_a_running_instance(cloud: WithBackups) -> None:
    vm = cloud.protected(diskofferingid=cloud.disk_offering(), size=2)
    backup = cloud.back_up(vm, name="before", description="the upgrade")
    assert (backup["name"], backup["description"], backup["status"], backup["type"]) == (
        "before",
        "the upgrade",
        "BackedUp",
        "FULL",
    )
    assert backup["virtualmachineid"] == vm["id"] and backup["intervaltype"] == "MANUAL"
    disks = json.loads(backup["volumes"])
    assert [disk["type"] for disk in disks] == ["ROOT", "DATADISK"]
    assert {disk["path"] for disk in disks} == cloud.kept()
    assert backup["virtualsize"] == sum(disk["size"] for disk in disks)
    assert cloud.state(vm["id"]) == "Running"
    assert {v["state"] for v in cloud.admin("listVolumes", listall=True)["volume"]} == {"Ready"}


def test_without_an_offering_there_is_no_backup(cloud: WithBackups) -> None:
    vm = cloud.deploy("web")
    before = cloud.rows()
    assert "No previously configured backup offering" in refused(
        431, cloud.admin, "createBackup", virtualmachineid=vm["id"]
    ).text
    assert cloud.rows() == before


def test_an_instance_that_was_never_started_has_nothing_to_back_up(cloud: WithBackups) -> None:
    vm = cloud.deploy("web", startvm=False)
    cloud.assign(vm)
    assert "nothing to back up" in refused(431, cloud.admin, "createBackup", virtualmachineid=vm["id"]).text


def test_a_stopped_instance_is_backed_up_too(cloud: WithBackups) -> None:
    vm = cloud.protected()
    cloud.admin("stopVirtualMachine", id=vm["id"])
    assert cloud.back_up(vm)["status"] == "BackedUp"


def test_copies_take_the_time_of_the_way_to_the_repository(cloud: WithBackups) -> None:
    vm = cloud.protected()
    began = cloud.world.now()
    size = cloud.back_up(vm)["size"]
    disks = cloud.world.site.stores["nfs://nas.example.org/backups"].disks
    assert cloud.world.now() - began >= size / disks.capacity > 0


def test_a_backup_that_fails_is_gone_and_its_disks_are_ready(cloud: WithBackups) -> None:
    vm = cloud.protected()
    site = cloud.world.site
    site.store("nfs://nas.example.org/backups", site.manager).capacity = 1
    assert "is full" in refused(530, cloud.admin, "createBackup", virtualmachineid=vm["id"]).text
    assert cloud.backups() == [] and cloud.kept() == set()
    assert {v["state"] for v in cloud.admin("listVolumes", listall=True)["volume"]} == {"Ready"}


def test_restoring_puts_a_stopped_instance_back(cloud: WithBackups) -> None:
    vm = cloud.protected()
    backup = cloud.back_up(vm)
    assert "should be stopped" in refused(431, cloud.admin, "restoreBackup", id=backup["id"]).text
    cloud.admin("stopVirtualMachine", id=vm["id"])
    began = cloud.world.now()
    assert cloud.admin("restoreBackup", id=backup["id"])["success"] is True
    assert cloud.world.now() > began
    assert cloud.backups(id=backup["id"])[0]["status"] == "BackedUp"
    cloud.admin("startVirtualMachine", id=vm["id"])
    assert cloud.state(vm["id"]) == "Running"


def test_an_instance_with_another_number_of_disks_is_not_restored(cloud: WithBackups) -> None:
    vm = cloud.protected()
    backup = cloud.back_up(vm)
    cloud.admin("stopVirtualMachine", id=vm["id"])
    volume = cloud.admin("createVolume", name="more", zoneid=cloud.zone, diskofferingid=cloud.disk_offering(), size=1)
    cloud.admin("attachVolume", id=volume["volume"]["id"], virtualmachineid=vm["id"])
    assert "different number of disks" in refused(431, cloud.admin, "restoreBackup", id=backup["id"]).text


def test_an_instance_with_snapshots_of_itself_is_not_restored(cloud: WithBackups) -> None:
    vm = cloud.protected()
    backup = cloud.back_up(vm)
    cloud.admin("stopVirtualMachine", id=vm["id"])
    cloud.admin("createVMSnapshot", virtualmachineid=vm["id"])
    assert "VM snapshots" in refused(431, cloud.admin, "restoreBackup", id=backup["id"]).text


def test_a_disk_of_a_backup_is_attached_to_another_instance(cloud: WithBackups) -> None:
    vm = cloud.protected(diskofferingid=cloud.disk_offering(), size=2)
    backup = cloud.back_up(vm)
    data = json.loads(backup["volumes"])[1]
    other = cloud.deploy("other")
    asked = {"backupid": backup["id"], "volumeid": data["uuid"], "virtualmachineid": other["id"]}
    cloud.admin("restoreVolumeFromBackupAndAttachToVM", **asked)
    (attached,) = cloud.admin("listVolumes", virtualmachineid=other["id"], type="DATADISK")["volume"]
    assert (attached["state"], attached["size"]) == ("Ready", data["size"])
    assert attached["id"] in cloud.files()
    assert attached["id"] in {disk.volume_id for disk in cloud.guest(other).disks}
    assert "is not part of backup" in refused(
        431, cloud.admin, "restoreVolumeFromBackupAndAttachToVM", **{**asked, "volumeid": attached["id"]}
    ).text


def test_a_disk_that_cannot_be_made_leaves_no_volume(cloud: WithBackups) -> None:
    vm = cloud.protected()
    backup = cloud.back_up(vm)
    for path in cloud.kept():
        cloud.world.site.stores["nfs://nas.example.org/backups"].remove(path)
    root = json.loads(backup["volumes"])[0]
    before = cloud.rows()["Volume"]
    assert "there is no backups/" in refused(
        530,
        cloud.admin,
        "restoreVolumeFromBackupAndAttachToVM",
        backupid=backup["id"],
        volumeid=root["uuid"],
        virtualmachineid=vm["id"],
    ).text
    assert cloud.rows()["Volume"] == before


def test_a_deleted_backup_leaves_no_file(cloud: WithBackups) -> None:
    vm = cloud.protected()
    first, second = cloud.back_up(vm), cloud.back_up(vm)
    cloud.admin("deleteBackup", id=first["id"])
    assert [each["id"] for each in cloud.backups()] == [second["id"]]
    assert cloud.kept() == {disk["path"] for disk in json.loads(second["volumes"])}


def test_backups_are_found_by_what_they_are_of(cloud: WithBackups) -> None:
    web, db = cloud.protected("web"), cloud.protected("db")
    of_web, of_db = cloud.back_up(web, name="one"), cloud.back_up(db, name="two")
    for wanted in (
        {"virtualmachineid": web["id"]},
        {"name": "one"},
        {"keyword": "web"},
        {"id": of_web["id"]},
    ):
        assert [each["id"] for each in cloud.backups(**wanted)] == [of_web["id"]]
    assert {each["id"] for each in cloud.backups(backupofferingid=cloud.backup_offering, zoneid=cloud.zone)} == {
        of_web["id"],
        of_db["id"],
    }
    (detailed,) = cloud.backups(id=of_web["id"], listvmdetails=True)
    assert detailed["vmdetails"]["serviceofferingid"] == web["serviceofferingid"]
    assert "vmdetails" not in of_web


def test_an_instance_with_backups_is_expunged_once_its_offering_is_removed(cloud: WithBackups) -> None:
    vm = cloud.protected()
    backup = cloud.back_up(vm)
    assert "remove the backup offering" in refused(
        530, cloud.admin, "destroyVirtualMachine", id=vm["id"], expunge=True
    ).text
    assert cloud.state(vm["id"]) == "Running"
    cloud.admin("removeVirtualMachineFromBackupOffering", virtualmachineid=vm["id"])
    assert cloud.backups(id=backup["id"])[0]["vmbackupofferingremoved"] is True
    cloud.admin("destroyVirtualMachine", id=vm["id"], expunge=True)
    (left,) = cloud.backups(virtualmachineid=vm["id"])
    assert left["isbackupvmexpunged"] is True and left["virtualmachinename"] == "web"
    assert "is gone" in refused(431, cloud.admin, "restoreBackup", id=backup["id"]).text


def test_an_offering_without_backups_goes_with_its_instance(cloud: WithBackups) -> None:
    vm = cloud.protected()
    cloud.admin("destroyVirtualMachine", id=vm["id"], expunge=True)
    assert cloud.rows()["VirtualMachine"] == []


def test_others_neither_see_nor_use_a_backup(cloud: WithBackups) -> None:
    alice, bob = cloud.domain_account("alice"), cloud.domain_account("bob")
    vm = cloud.protected(call=alice)
    backup = cloud.back_up(vm, alice)
    assert [each["id"] for each in cloud.backups(alice)] == [backup["id"]]
    assert cloud.backups(bob) == []
    for command in ("restoreBackup", "deleteBackup"):
        refused(531, bob, command, id=backup["id"])
    refused(531, bob, "createBackup", virtualmachineid=vm["id"])


def test_backups_count_and_are_limited(cloud: WithBackups) -> None:
    alice = cloud.domain_account("alice")
    vm = cloud.protected(call=alice)
    backup = cloud.back_up(vm, alice)

    def account() -> dict[str, object]:
        (found,) = cloud.admin("listAccounts", name="alice", listall=True)["account"]
        return dict(found)

    assert (account()["backuptotal"], account()["backuplimit"]) == (1, "20")
    assert account()["backupstoragetotal"] == backup["size"] // (1 << 30)
    for kind in (12, 13):
        cloud.admin("updateResourceLimit", account="alice", domainid=account()["domainid"], resourcetype=kind, max=1)
        refused(535, alice, "createBackup", virtualmachineid=vm["id"])
        cloud.admin("updateResourceLimit", account="alice", domainid=account()["domainid"], resourcetype=kind, max=-1)
    cloud.back_up(vm, alice)


def test_deleting_an_account_leaves_no_backup(cloud: WithBackups) -> None:
    alice = cloud.domain_account("alice")
    vm = cloud.protected(call=alice)
    cloud.back_up(vm, alice)
    (account,) = cloud.admin("listAccounts", name="alice", listall=True)["account"]
    cloud.admin("deleteAccount", id=account["id"])
    assert cloud.rows()["Backup"] == [] and cloud.rows()["VirtualMachine"] == []
    assert cloud.kept() == set()


def test_quiescing_asks_nothing_of_who_calls(cloud: WithBackups) -> None:
    assert cloud.back_up(cloud.protected(), quiescevm=True)["status"] == "BackedUp"


def test_after_a_restart_half_made_backups_are_gone_and_others_at_rest(cloud: WithBackups) -> None:
    vm = cloud.protected()
    kept, removed = cloud.back_up(vm), cloud.back_up(vm)
    table = cloud.store.table(Backup)
    with cloud.store.transaction():
        table.insert(replace(table[kept["id"]], id="half", state="BackingUp"))
        table.update(kept["id"], state="Restoring")
        table.update(removed["id"], state="Removing")
    cloud.manager.backups.settle_after_restart()
    assert {(each["id"], each["status"]) for each in cloud.backups()} == {
        (kept["id"], "BackedUp"),
        (removed["id"], "BackedUp"),
    }
    assert all(after in NEXT for following in NEXT.values() for after in following)


def test_a_backup_that_cannot_be_deleted_stays(cloud: WithBackups) -> None:
    vm = cloud.protected()
    backup = cloud.back_up(vm)
    for name in cloud.world.hosts:
        cloud.world.crash_host(name)
    cloud.cloud.wait(600)
    assert "No host of zone" in refused(534, cloud.admin, "deleteBackup", id=backup["id"]).text
    assert cloud.backups() == [backup]


def test_an_instance_with_a_new_root_disk_gets_the_content_of_the_old_one(cloud: WithBackups) -> None:
    vm = cloud.protected()
    backup = cloud.back_up(vm)
    cloud.admin("restoreVirtualMachine", virtualmachineid=vm["id"])
    cloud.admin("stopVirtualMachine", id=vm["id"])
    (root,) = cloud.admin("listVolumes", virtualmachineid=vm["id"])["volume"]
    assert root["id"] != json.loads(backup["volumes"])[0]["uuid"]
    cloud.admin("restoreBackup", id=backup["id"])
    taken = [pool.contents[root["id"]].taken for pool in cloud.world.site.pools.values() if root["id"] in pool.contents]
    assert taken == [backup["size"]]
