"""Backups by the clock."""

from __future__ import annotations

from typing import Any

from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import Vm
from tests.server.api.commands.backups.conftest import WithBackups


def hourly(vm: Vm, **more: Any) -> dict[str, Any]:
    asked = {"virtualmachineid": vm["id"], "intervaltype": "hourly", "schedule": "5", "timezone": "UTC"}
    return {**asked, **more}


def test_a_schedule_takes_backups_and_keeps_the_newest(cloud: WithBackups) -> None:
    vm = cloud.protected()
    made = cloud.admin("createBackupSchedule", **hourly(vm, maxbackups=2))["backupschedule"]
    assert (made["intervaltype"], made["schedule"], made["maxbackups"]) == ("HOURLY", "5", 2)
    manual = cloud.back_up(vm)
    seen: list[str] = []
    for _ in range(3):
        cloud.cloud.wait(3600)
        taken = [each for each in cloud.backups() if each["intervaltype"] == "HOURLY"]
        seen += [each["id"] for each in taken if each["id"] not in seen]
    assert len(seen) == 3
    assert {each["id"] for each in cloud.backups()} == {manual["id"], *seen[1:]}


def test_a_schedule_of_the_same_interval_is_changed(cloud: WithBackups) -> None:
    vm = cloud.protected()
    made = cloud.admin("createBackupSchedule", **hourly(vm, maxbackups=2))["backupschedule"]
    changed = cloud.admin("updateBackupSchedule", **hourly(vm, schedule="30"))["backupschedule"]
    assert (changed["id"], changed["schedule"], changed["maxbackups"]) == (made["id"], "30", 2)
    cloud.admin("createBackupSchedule", **hourly(vm, intervaltype="DAILY", schedule="30:2"))
    listed = cloud.admin("listBackupSchedule", virtualmachineid=vm["id"])["backupschedule"]
    assert sorted(each["intervaltype"] for each in listed) == ["DAILY", "HOURLY"]


def test_what_is_no_schedule_is_refused(cloud: WithBackups) -> None:
    vm, bare = cloud.protected("web"), cloud.deploy("bare")
    before = cloud.rows()
    for wrong in (
        {"intervaltype": "yearly"},
        {"schedule": "61"},
        {"timezone": "Nowhere/Else"},
        {"maxbackups": -1},
    ):
        refused(431, cloud.admin, "createBackupSchedule", **hourly(vm, **wrong))
    assert "without having any backup offering" in refused(
        530, cloud.admin, "createBackupSchedule", **hourly(bare)
    ).text
    assert cloud.rows() == before


def test_schedules_are_deleted_one_by_one_or_all_of_an_instance(cloud: WithBackups) -> None:
    vm = cloud.protected()
    first = cloud.admin("createBackupSchedule", **hourly(vm))["backupschedule"]
    cloud.admin("createBackupSchedule", **hourly(vm, intervaltype="daily", schedule="1:2"))
    refused(431, cloud.admin, "deleteBackupSchedule")
    cloud.admin("deleteBackupSchedule", id=first["id"])
    assert len(cloud.rows()["BackupSchedule"]) == 1
    cloud.admin("deleteBackupSchedule", virtualmachineid=vm["id"])
    assert cloud.rows()["BackupSchedule"] == []


def test_schedules_go_with_the_offering(cloud: WithBackups) -> None:
    vm = cloud.protected()
    cloud.admin("createBackupSchedule", **hourly(vm))
    cloud.admin("removeVirtualMachineFromBackupOffering", virtualmachineid=vm["id"])
    assert cloud.rows()["BackupSchedule"] == []


def test_schedules_are_their_owners(cloud: WithBackups) -> None:
    alice, bob = cloud.domain_account("alice"), cloud.domain_account("bob")
    vm = cloud.protected(call=alice)
    made = alice("createBackupSchedule", **hourly(vm))["backupschedule"]
    assert bob("listBackupSchedule", listall=True) == {}
    refused(531, bob, "deleteBackupSchedule", id=made["id"])
    assert len(alice("listBackupSchedule")["backupschedule"]) == 1
