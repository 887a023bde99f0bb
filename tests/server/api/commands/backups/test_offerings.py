"""Providers, repositories, offerings and the instances that have them."""

from __future__ import annotations

from tests.server.api.api_harness import refused
from tests.server.api.commands.backups.conftest import MADE, WithBackups


def test_there_are_two_providers(cloud: WithBackups) -> None:
    listed = cloud.admin("listBackupProviders")
    assert [each["name"] for each in listed["providers"]] == ["dummy", "nas"]
    assert [each["name"] for each in cloud.admin("listBackupProviders", name="nas")["providers"]] == ["nas"]


def test_a_zone_has_another_provider_only_if_there_is_one(cloud: WithBackups) -> None:
    refused(431, cloud.admin, "updateConfiguration", name="backup.framework.provider.plugin", value="veeam")


def test_a_repository_is_added_changed_and_deleted(cloud: WithBackups) -> None:
    asked = {**MADE, "name": "folder", "address": "/srv/backups", "type": "filesystem", "capacitybytes": 1 << 40}
    made = cloud.admin("addBackupRepository", zoneid=cloud.zone, **asked)["backuprepository"]
    assert (made["provider"], made["address"], made["capacitybytes"]) == ("nas", "/srv/backups", 1 << 40)
    changed = cloud.admin("updateBackupRepository", id=made["id"], name="shelf", crosszoneinstancecreation=True)
    assert changed["backuprepository"]["name"] == "shelf"
    listed = cloud.admin("listBackupRepositories", zoneid=cloud.zone)
    assert [each["name"] for each in listed["backuprepository"]] == ["share", "shelf"]
    assert cloud.admin("listInfrastructure")["infrastructure"]["backuprepositories"] == 2
    cloud.admin("deleteBackupRepository", id=made["id"])
    assert cloud.admin("listBackupRepositories", name="shelf") == {}


def test_what_is_no_repository_is_refused(cloud: WithBackups) -> None:
    before = cloud.rows()
    for wrong, named in (
        ({"address": "nas.example.org"}, "address"),
        ({"address": "nas.example.org:/"}, "address"),
        ({"address": "backups", "type": "filesystem"}, "address"),
        ({"type": "cifs"}, "type"),
        ({"provider": "dummy"}, "provider"),
        ({"capacitybytes": -1}, "capacitybytes"),
        ({"name": MADE["name"]}, "share in this zone already"),
    ):
        asked = {**MADE, "name": "other", "zoneid": cloud.zone, **wrong}
        assert named in refused(431, cloud.admin, "addBackupRepository", **asked).text
    assert "holds backups" not in refused(530, cloud.admin, "deleteBackupRepository", id=cloud.repository).text
    assert cloud.rows() == before


def test_a_repository_with_backups_stays(cloud: WithBackups) -> None:
    vm = cloud.protected()
    cloud.back_up(vm)
    assert "used by a backup offering" in refused(530, cloud.admin, "deleteBackupRepository", id=cloud.repository).text


def test_what_the_provider_has_can_be_offered_once(cloud: WithBackups) -> None:
    (offered,) = cloud.admin("listBackupProviderOfferings", zoneid=cloud.zone)["backupprovideroffering"]
    assert (offered["externalid"], offered["name"], offered["provider"]) == (cloud.repository, "share", "nas")
    (imported,) = cloud.admin("listBackupOfferings", zoneid=cloud.zone)["backupoffering"]
    assert (imported["id"], imported["externalid"]) == (cloud.backup_offering, cloud.repository)
    asked = {"zoneid": cloud.zone, "description": "d", "allowuserdrivenbackups": True}
    for name, external, text in (
        ("other", cloud.repository, "already exists"),
        ("daily", "elsewhere", "same name already exists"),
        ("other", "elsewhere", "no backup offering 'elsewhere'"),
    ):
        assert text in refused(
            431, cloud.admin, "importBackupOffering", name=name, externalid=external, **asked
        ).text


def test_an_offering_is_changed_and_is_deleted_when_no_instance_has_it(cloud: WithBackups) -> None:
    changed = cloud.admin("updateBackupOffering", id=cloud.backup_offering, name="weekly")["backupoffering"]
    assert changed["name"] == "weekly"
    refused(431, cloud.admin, "updateBackupOffering", id=cloud.backup_offering)
    vm = cloud.protected()
    assert "assigned to VMs" in refused(530, cloud.admin, "deleteBackupOffering", id=cloud.backup_offering).text
    cloud.admin("removeVirtualMachineFromBackupOffering", virtualmachineid=vm["id"])
    cloud.admin("deleteBackupOffering", id=cloud.backup_offering)
    assert cloud.admin("listBackupOfferings") == {}


def test_an_instance_shows_its_offering_and_is_found_by_it(cloud: WithBackups) -> None:
    vm, other = cloud.protected("web"), cloud.deploy("other")
    shown = cloud.vm(vm["id"])
    assert (shown["backupofferingid"], shown["backupofferingname"]) == (cloud.backup_offering, "daily")
    assert "backupofferingid" not in cloud.vm(other["id"])
    found = cloud.admin("listVirtualMachines", listall=True, backupofferingid=cloud.backup_offering)
    assert [each["id"] for each in found["virtualmachine"]] == [vm["id"]]


def test_an_instance_has_one_offering_at_a_time(cloud: WithBackups) -> None:
    vm = cloud.protected()
    asked = {"virtualmachineid": vm["id"], "backupofferingid": cloud.backup_offering}
    assert "already is assigned" in refused(530, cloud.admin, "assignVirtualMachineToBackupOffering", **asked).text
    cloud.admin("removeVirtualMachineFromBackupOffering", virtualmachineid=vm["id"])
    assert "No previously configured" in refused(
        431, cloud.admin, "removeVirtualMachineFromBackupOffering", virtualmachineid=vm["id"]
    ).text


def test_a_zone_without_backup_and_recovery_takes_no_calls(cloud: WithBackups) -> None:
    vm = cloud.protected()
    backup = cloud.back_up(vm)
    cloud.set("backup.framework.enabled", "false")
    for command, asked in (
        ("createBackup", {"virtualmachineid": vm["id"]}),
        ("deleteBackup", {"id": backup["id"]}),
        ("restoreBackup", {"id": backup["id"]}),
        ("listBackupProviderOfferings", {"zoneid": cloud.zone}),
        ("removeVirtualMachineFromBackupOffering", {"virtualmachineid": vm["id"]}),
    ):
        assert "disabled for the zone" in refused(530, cloud.admin, command, **asked).text


def test_an_offering_that_is_not_user_driven_takes_no_backups_of_users(cloud: WithBackups) -> None:
    cloud.admin("updateBackupOffering", id=cloud.backup_offering, allowuserdrivenbackups=False)
    vm = cloud.protected()
    assert "does not allow ad-hoc" in refused(530, cloud.admin, "createBackup", virtualmachineid=vm["id"]).text


def test_the_provider_for_tests_needs_no_repository_and_takes_true_copies(cloud: WithBackups) -> None:
    cloud.set("backup.framework.provider.plugin", "dummy")
    offered = cloud.admin("listBackupProviderOfferings", zoneid=cloud.zone)["backupprovideroffering"]
    assert [each["externalid"] for each in offered] == ["gold", "silver"]
    cloud.backup_offering = cloud.imported("gold", "gold")
    vm = cloud.protected()
    backup = cloud.back_up(vm)
    (store,) = cloud.admin("listImageStores")["imagestore"]
    assert len(cloud.kept(store["url"])) == 1 and backup["size"] > 0
    assert "backups" in refused(530, cloud.admin, "deleteImageStore", id=store["id"]).text
    cloud.admin("deleteBackup", id=backup["id"])
    assert cloud.kept(store["url"]) == set()


def test_users_see_offerings_and_no_repositories(cloud: WithBackups) -> None:
    alice = cloud.domain_account("alice")
    assert len(alice("listBackupOfferings")["backupoffering"]) == 1
    for command in ("listBackupRepositories", "listBackupProviders"):
        refused(401, alice, command)
    refused(401, alice, "deleteBackupOffering", id=cloud.backup_offering)


def test_a_repository_of_known_size_is_told_with_the_capacity_of_its_zone(cloud: WithBackups) -> None:
    told = {"zoneid": cloud.zone, "type": 10}
    assert cloud.admin("listCapacity", **told) == {}
    large = {**MADE, "name": "large", "capacitybytes": 1 << 40, "zoneid": cloud.zone}
    made = cloud.admin("addBackupRepository", **large)["backuprepository"]
    cloud.backup_offering = cloud.imported("large", made["id"])
    backup = cloud.back_up(cloud.protected())
    (capacity,) = cloud.admin("listCapacity", **told)["capacity"]
    assert (capacity["name"], capacity["capacitytotal"], capacity["capacityused"]) == (
        "BACKUP_STORAGE",
        1 << 40,
        backup["size"],
    )


def test_an_instance_with_an_offering_has_to_leave_it_to_get_another_owner(cloud: WithBackups) -> None:
    cloud.domain_account("alice")
    vm = cloud.protected()
    cloud.admin("stopVirtualMachine", id=vm["id"])
    domain = cloud.admin("listAccounts", name="alice", listall=True)["account"][0]["domainid"]
    asked = {"virtualmachineid": vm["id"], "account": "alice", "domainid": domain}
    assert "backup offering" in refused(431, cloud.admin, "assignVirtualMachine", **asked).text
    cloud.admin("removeVirtualMachineFromBackupOffering", virtualmachineid=vm["id"])
    cloud.admin("assignVirtualMachine", **asked)
