"""Instances made of backups."""

from __future__ import annotations

from typing import Any

from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import Vm
from tests.server.api.commands.backups.conftest import WithBackups


def gone(cloud: WithBackups, vm: Vm) -> None:
    """Expunge an instance that has backups."""
    cloud.admin("removeVirtualMachineFromBackupOffering", virtualmachineid=vm["id"])
    cloud.admin("destroyVirtualMachine", id=vm["id"], expunge=True)


def made(cloud: WithBackups, backup: dict[str, Any], **more: Any) -> Vm:
    asked = {"zoneid": cloud.zone, "backupid": backup["id"], **more}
    return dict(cloud.admin("createVMFromBackup", **asked)["virtualmachine"])


def test_an_instance_that_is_gone_comes_back_with_its_disks_and_addresses(cloud: WithBackups) -> None:
    vm = cloud.protected(diskofferingid=cloud.disk_offering(), size=2)
    backup = cloud.back_up(vm)
    gone(cloud, vm)
    began = cloud.world.now()
    again = made(cloud, backup, name="again", preserveip=True)
    assert (again["state"], again["templateid"], again["serviceofferingid"]) == (
        "Running",
        vm["templateid"],
        vm["serviceofferingid"],
    )
    for field in ("networkid", "ipaddress", "macaddress"):
        assert again["nic"][0][field] == vm["nic"][0][field]
    disks = cloud.world.site.stores["nfs://nas.example.org/backups"].disks
    assert cloud.world.now() - began >= backup["size"] / disks.capacity
    volumes = cloud.admin("listVolumes", virtualmachineid=again["id"])["volume"]
    assert sum(volume["size"] for volume in volumes) == backup["virtualsize"]
    assert {volume["id"] for volume in volumes} <= cloud.files()
    cloud.admin("deleteBackup", id=backup["id"])


def test_beside_its_instance_another_one_is_made(cloud: WithBackups) -> None:
    vm = cloud.protected()
    other = made(cloud, cloud.back_up(vm), name="other", displayname="The other")
    assert other["nic"][0]["networkid"] == vm["nic"][0]["networkid"]
    assert other["nic"][0]["ipaddress"] != vm["nic"][0]["ipaddress"]
    assert other["displayname"] == "The other"


def test_a_backup_that_disks_are_to_be_made_of_stays(cloud: WithBackups) -> None:
    backup = cloud.back_up(cloud.protected())
    later = made(cloud, backup, name="later", startvm=False)
    assert later["state"] == "Stopped"
    assert "is needed by volume" in refused(431, cloud.admin, "deleteBackup", id=backup["id"]).text
    cloud.admin("startVirtualMachine", id=later["id"])
    cloud.admin("deleteBackup", id=backup["id"])


def test_what_the_instance_was_made_with_may_be_gone(cloud: WithBackups) -> None:
    offering = cloud.most_of_a_host()
    vm = cloud.protected(serviceofferingid=offering)
    backup = cloud.back_up(vm)
    assert "exclude each other" in refused(
        431,
        cloud.admin,
        "createVMFromBackup",
        zoneid=cloud.zone,
        backupid=backup["id"],
        networkids=vm["nic"][0]["networkid"],
        preserveip=True,
    ).text
    gone(cloud, vm)
    cloud.admin("deleteServiceOffering", id=offering)
    before = cloud.rows()
    refused(431, cloud.admin, "createVMFromBackup", zoneid=cloud.zone, backupid=backup["id"])
    assert cloud.rows() == before
    assert made(cloud, backup, serviceofferingid=cloud.offering())["state"] == "Running"


def test_data_disks_get_other_offerings_by_their_device(cloud: WithBackups) -> None:
    vm = cloud.protected(diskofferingid=cloud.disk_offering(), size=2)
    backup = cloud.back_up(vm)
    small = cloud.admin("createDiskOffering", name="one", displaytext="one", disksize=1)["diskoffering"]["id"]
    three = cloud.admin("createDiskOffering", name="three", displaytext="three", disksize=3)["diskoffering"]["id"]
    asked = {"zoneid": cloud.zone, "backupid": backup["id"], "name": "other"}

    def named(offering: str, device: int) -> dict[str, str]:
        return {"datadisksdetails[0].diskofferingid": offering, "datadisksdetails[0].deviceid": str(device)}

    assert "needs 2147483648 bytes" in refused(431, cloud.admin, "createVMFromBackup", **asked, **named(small, 1)).text
    assert "no data disk of deviceid 7" in refused(431, cloud.admin, "createVMFromBackup", **asked, **named(three, 7)).text
    other = made(cloud, backup, name="other", **named(three, 1))
    (data,) = cloud.admin("listVolumes", virtualmachineid=other["id"], type="DATADISK")["volume"]
    assert data["size"] == 3 << 30


def test_all_that_a_deployment_can_say_can_be_said_of_an_instance_of_a_backup(cloud: WithBackups) -> None:
    vm = cloud.protected(diskofferingid=cloud.disk_offering(), size=2)
    backup = cloud.back_up(vm)
    three = cloud.admin("createDiskOffering", name="three", displaytext="three", disksize=3)["diskoffering"]["id"]
    cloud.admin("createAffinityGroup", name="apart", type="host anti-affinity")
    tag = {"tags[0].key": "os", "tags[0].value": "a"}
    cloud.admin("createTags", resourceids=vm["templateid"], resourcetype="Template", **tag)
    cloud.admin("updateConfiguration", name="instance.lease.enabled", value="true")
    wanted = {"customid": "0b6a4f5e-6d0e-4c3c-9a53-1f4f6e0f8a11", "details[0].mine": "yes"}
    network = vm["nic"][0]["networkid"]
    nic = {"iptonetworklist[0].networkid": network, "iptonetworklist[0].mac": "02:00:00:00:77:01"}
    options = {"dhcpoptionsnetworklist[0].networkid": network, "dhcpoptionsnetworklist[0].dhcp:114": "url"}
    other = made(
        cloud,
        backup,
        **wanted,
        **nic,
        **options,
        name="other",
        boottype="UEFI",
        bootmode="SECURE",
        iothreadsenabled=True,
        iodriverpolicy="native",
        nicmultiqueuenumber=1,
        nicpackedvirtqueuesenabled=True,
        affinitygroupnames="apart",
        diskofferingid=three,
        rootdisksize=7,
        copyimagetags=True,
        dynamicscalingenabled=False,
        hypervisor=vm["hypervisor"],
        leaseduration=4,
        leaseexpiryaction="STOP",
    )
    assert (other["id"], other["boottype"], other["bootmode"]) == (wanted["customid"], "Uefi", "secure")
    assert other["nic"][0]["macaddress"] == nic["iptonetworklist[0].mac"]
    details = {"mine": "yes", "iothreads": "true", "io.policy": "native", "nic.multiqueue.number": "1"}
    assert details.items() <= other["details"].items()
    assert [group["name"] for group in other["affinitygroup"]] == ["apart"]
    assert [(tag["key"], tag["value"]) for tag in other["tags"]] == [("os", "a")]
    assert other["leaseduration"] == 4 and other["isdynamicallyscalable"] is False
    volumes = cloud.admin("listVolumes", virtualmachineid=other["id"])["volume"]
    assert {volume["type"]: volume["size"] >> 30 for volume in volumes} == {"ROOT": 7, "DATADISK": 3}


def test_with_an_iso_the_disk_offering_is_that_of_the_root_disk(cloud: WithBackups) -> None:
    asked = {"name": "i", "displaytext": "i", "url": "http://images.example.org/i.iso", "zoneid": cloud.zone}
    types = cloud.admin("listOsTypes", description="Other (64-bit)")["ostype"]
    iso = cloud.admin("registerIso", **asked, bootable=True, ostypeid=types[0]["id"])["iso"][0]["id"]
    cloud.cloud.wait(600)
    open_ = {"diskofferingid": cloud.disk_offering()}
    backup = cloud.back_up(cloud.protected(templateid=iso, hypervisor="Simulator", **open_, size=2))
    other = made(cloud, backup, name="other", **open_, size=3)
    (root,) = cloud.admin("listVolumes", virtualmachineid=other["id"])["volume"]
    assert (root["type"], root["size"] >> 30, root["diskofferingid"]) == ("ROOT", 3, open_["diskofferingid"])
    again = {"zoneid": cloud.zone, "backupid": backup["id"], **open_}
    small = refused(431, cloud.admin, "createVMFromBackup", **again, size=1).text
    assert "needs 2147483648 bytes" in small


def test_an_instance_of_a_backup_has_room_for_all_that_it_holds(cloud: WithBackups) -> None:
    backup = cloud.back_up(cloud.protected())
    asked = {"zoneid": cloud.zone, "backupid": backup["id"], "name": "other"}
    before = cloud.rows()
    offering = cloud.disk_offering()
    for wrong, told in (
        ({"rootdisksize": 0}, "bytes, and 0 are asked for"),
        ({"diskofferingid": offering, "size": 3}, "has 0 data disks"),
        ({"hypervisor": "VMware"}, "hypervisor VMware"),
        ({"customid": "mine"}, "customid must be a UUID"),
        ({"ipaddress": "10.1.1.9"}, "need networkids"),
        ({"leaseduration": 3}, "instance.lease.enabled"),
    ):
        assert told in refused(431, cloud.admin, "createVMFromBackup", **asked, **wrong).text
    assert cloud.rows() == before


def test_others_make_nothing_of_a_backup(cloud: WithBackups) -> None:
    alice, bob = cloud.domain_account("alice"), cloud.domain_account("bob")
    backup = cloud.back_up(cloud.protected(call=alice), alice)
    refused(531, bob, "createVMFromBackup", zoneid=cloud.zone, backupid=backup["id"])
    assert alice("createVMFromBackup", zoneid=cloud.zone, backupid=backup["id"])["virtualmachine"]["account"] == "alice"


def test_limits_hold_for_what_is_made_of_a_backup(cloud: WithBackups) -> None:
    alice = cloud.domain_account("alice")
    backup = cloud.back_up(cloud.protected(call=alice), alice)
    domain = cloud.admin("listAccounts", name="alice", listall=True)["account"][0]["domainid"]
    cloud.admin("updateResourceLimit", account="alice", domainid=domain, resourcetype=0, max=1)
    before = cloud.rows()
    refused(535, alice, "createVMFromBackup", zoneid=cloud.zone, backupid=backup["id"])
    assert cloud.rows() == before


def test_another_zone_makes_instances_of_a_backup_only_where_its_repository_is_for_that(cloud: WithBackups) -> None:
    backup = cloud.back_up(cloud.protected())
    other = cloud.admin(
        "createZone", name="z2", dns1="8.8.8.8", internaldns1="8.8.8.8", networktype="Basic"
    )["zone"]["id"]
    asked = {"zoneid": other, "backupid": backup["id"]}
    across = "its repository is not for making instances across zones"
    assert across in refused(431, cloud.admin, "createVMFromBackup", **asked).text
    cloud.admin("updateBackupRepository", id=cloud.repository, crosszoneinstancecreation=True)
    assert cloud.admin("listBackupOfferings")["backupoffering"][0]["crosszoneinstancecreation"] is True
    text = refused(431, cloud.admin, "createVMFromBackup", **asked).text
    assert across not in text and "z2" in text, "only what the zone itself lacks stands against it"
