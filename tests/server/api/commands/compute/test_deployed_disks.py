"""What an instance can be deployed from, and the disks that it gets."""

from __future__ import annotations

from typing import Any

from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks

GIB = 1 << 30


def disks(cloud: TwoRacks, vm: dict[str, Any]) -> list[dict[str, Any]]:
    rows = cloud.listed("listVolumes", "volume", virtualmachineid=vm["id"], listall=True)
    return sorted(rows, key=lambda row: row["deviceid"])


def disk_offering(cloud: TwoRacks, name: str, **more: Any) -> str:
    asked = {"name": name, "displaytext": name, **more}
    made: str = cloud.admin("createDiskOffering", **asked)["diskoffering"]["id"]
    return made


def test_several_data_disks_each_of_its_offering_in_the_slot_that_it_asks_for(cloud: TwoRacks) -> None:
    fixed = disk_offering(cloud, "two", disksize=2)
    open_ = disk_offering(cloud, "open", customized=True, customizediops=True)
    made = cloud.deploy(
        **{
            "datadisksdetails[0].diskofferingid": open_,
            "datadisksdetails[0].size": 3,
            "datadisksdetails[0].miniops": 100,
            "datadisksdetails[0].maxiops": 500,
            "datadisksdetails[1].diskofferingid": fixed,
            "datadisksdetails[1].deviceid": 1,
        }
    )
    root, first, second = disks(cloud, made)
    assert (first["deviceid"], first["size"], first["diskofferingid"]) == (1, 2 * GIB, fixed)
    assert (second["deviceid"], second["size"], second["diskofferingid"]) == (2, 3 * GIB, open_)
    assert (second["miniops"], second["maxiops"]) == (100, 500) and "miniops" not in first
    assert [disk.device for disk in cloud.guest(made).disks] == [0, 1, 2] and root["type"] == "ROOT"


def test_data_disks_that_cannot_be_are_refused_and_nothing_is_made(cloud: TwoRacks) -> None:
    fixed, open_ = disk_offering(cloud, "two", disksize=2), cloud.cloud.custom.id
    before = cloud.rows()
    for entry, text in (
        ({"size": 1}, "diskofferingid"),
        ({"diskofferingid": "none"}, "diskofferingid"),
        ({"diskofferingid": open_}, "size must be given"),
        ({"diskofferingid": open_, "size": "much"}, "whole number"),
        ({"diskofferingid": fixed, "size": 7}, "custom size"),
        ({"diskofferingid": fixed, "deviceid": 3}, "deviceid 3"),
        ({"diskofferingid": fixed, "maxiops": 3}, "maxiops"),
        ({"diskofferingid": fixed, "colour": "red"}, "colour"),
    ):
        wrong = {f"datadisksdetails[0].{name}": value for name, value in entry.items()}
        assert text in refused(431, cloud.admin, "deployVirtualMachine", **cloud.wanted(**wrong)).text
    both = {"diskofferingid": fixed, "datadisksdetails[0].diskofferingid": fixed}
    assert "exclude" in refused(431, cloud.admin, "deployVirtualMachine", **cloud.wanted(**both)).text
    alone = refused(431, cloud.admin, "deployVirtualMachine", **cloud.wanted(size=5)).text
    assert "size" in alone and "diskofferingid" in alone
    many = {f"datadisksdetails[{n}].diskofferingid": fixed for n in range(7)}
    assert "at most 6" in refused(431, cloud.admin, "deployVirtualMachine", **cloud.wanted(**many)).text
    assert cloud.rows() == before


def test_a_disk_offering_for_the_root_disk_overrides_the_service_offering(cloud: TwoRacks) -> None:
    large = disk_offering(cloud, "large", disksize=9)
    made = cloud.deploy("web", overridediskofferingid=large)
    (root,) = disks(cloud, made)
    assert (root["size"], root["diskofferingid"], root["serviceofferingid"]) == (9 * GIB, large, cloud.offering())
    small = cloud.deploy("small", overridediskofferingid=cloud.cloud.custom.id, rootdisksize=4)
    assert disks(cloud, small)[0]["size"] == 4 * GIB
    wrong = cloud.wanted(overridediskofferingid=large, rootdisksize=4)
    assert "custom size" in refused(431, cloud.admin, "deployVirtualMachine", **wrong).text


def test_an_instance_of_a_snapshot_has_what_it_holds(cloud: TwoRacks) -> None:
    web = cloud.deploy("web", diskofferingid=cloud.cloud.custom.id, size=1)
    root, data = disks(cloud, web)
    taken = cloud.admin("createSnapshot", volumeid=root["id"])["snapshot"]["id"]
    cloud.admin("destroyVirtualMachine", id=web["id"], expunge=True)
    again = cloud.deploy("again", templateid=None, snapshotid=taken, rootdisksize=5)
    (new,) = disks(cloud, again)
    assert (again["state"], again["templateid"], again["guestosid"]) == ("Running", web["templateid"], web["guestosid"])
    assert (new["snapshotid"], new["size"], new["state"]) == (taken, 5 * GIB, "Ready")
    assert new["path"] in cloud.files()

    of_data = cloud.admin("createSnapshot", volumeid=data["id"])["snapshot"]["id"]
    wrong = cloud.wanted(templateid=None, snapshotid=of_data)
    assert "data disk" in refused(431, cloud.admin, "deployVirtualMachine", **wrong).text
    assert "One of" in refused(431, cloud.admin, "deployVirtualMachine", **cloud.wanted(snapshotid=taken)).text


def test_an_instance_of_a_volume_takes_it_for_its_root_disk(cloud: TwoRacks) -> None:
    web = cloud.deploy("web")
    (root,) = disks(cloud, web)
    wanted = cloud.wanted(templateid=None, volumeid=root["id"])
    assert "attached" in refused(431, cloud.admin, "deployVirtualMachine", **wanted).text
    cloud.admin("stopVirtualMachine", id=web["id"])
    cloud.admin("detachVolume", id=root["id"])
    again = cloud.deploy("again", templateid=None, volumeid=root["id"])
    (taken,) = disks(cloud, again)
    assert (taken["id"], taken["path"], taken["type"]) == (root["id"], root["path"], "ROOT")
    assert again["state"] == "Running" and cloud.guest(again).disks[0].path == root["path"]
    wrong = cloud.wanted(templateid=None, volumeid=root["id"], rootdisksize=9)
    assert "rootdisksize" in refused(431, cloud.admin, "deployVirtualMachine", **wrong).text


def test_an_empty_volume_and_somebody_elses_are_refused(cloud: TwoRacks) -> None:
    empty = cloud.volume("empty")["id"]
    wanted = cloud.wanted(templateid=None, volumeid=empty)
    assert "nothing on it" in refused(431, cloud.admin, "deployVirtualMachine", **wanted).text
    ann = cloud.domain_account("ann")
    refused(531, ann, "deployVirtualMachine", **wanted)


def test_a_volume_of_no_template_makes_an_instance_of_the_default_one(cloud: TwoRacks) -> None:
    web = cloud.deploy("web", diskofferingid=cloud.cloud.custom.id, size=1)
    _, data = disks(cloud, web)
    cloud.admin("detachVolume", id=data["id"])
    made = cloud.deploy("bare", templateid=None, volumeid=data["id"])
    assert made["templatename"] == "kvm-default-vm-import-dummy-template"
    assert disks(cloud, made)[0]["id"] == data["id"]


def test_tags_of_the_template_and_an_id_of_the_callers(cloud: TwoRacks) -> None:
    template, wanted = cloud.cloud.template.id, "6f1d2c3b-0a9e-4d8c-8b7a-123456789abc"
    cloud.admin("createTags", resourceids=template, resourcetype="Template", **{"tags": {"team": "blue"}})
    made = cloud.deploy("web", copyimagetags=True, customid=wanted.upper())
    assert made["id"] == wanted
    assert [(tag["key"], tag["value"]) for tag in cloud.vm(wanted)["tags"]] == [("team", "blue")]
    for customid, status in ((wanted, 431), ("mine", 431)):
        refused(status, cloud.admin, "deployVirtualMachine", **cloud.wanted(customid=customid))
    refused(531, cloud.domain_account("ann"), "deployVirtualMachine", **cloud.wanted(customid=wanted))


def test_a_restored_instance_can_have_a_root_disk_of_another_kind(cloud: TwoRacks) -> None:
    made = cloud.deploy("web", rootdisksize=3)
    asked = {"virtualmachineid": made["id"]}
    cloud.admin("restoreVirtualMachine", **asked)
    assert disks(cloud, made)[0]["size"] == 3 * GIB
    cloud.admin("restoreVirtualMachine", **asked, rootdisksize=6)
    assert disks(cloud, made)[0]["size"] == 6 * GIB
    open_ = disk_offering(cloud, "open", customized=True, customizediops=True)
    iops = {"diskofferingid": open_, "rootdisksize": 4, "details": {"maxIops": 80}}
    restored = cloud.admin("restoreVirtualMachine", **asked, **iops)["virtualmachine"]
    (root,) = disks(cloud, made)
    assert (restored["state"], root["diskofferingid"], root["size"], root["maxiops"]) == ("Running", open_, 4 * GIB, 80)
    for wrong, text in (
        ({"rootdisksize": 0}, "rootdisksize"),
        ({"details": {"maxIops": 80}}, "diskofferingid"),
        ({"details": {"colour": "red"}}, "colour"),
        ({"diskofferingid": open_}, "size must be given"),
    ):
        assert text in refused(431, cloud.admin, "restoreVirtualMachine", **asked, **wrong).text
    assert disks(cloud, made) == [root]


def test_the_old_root_disk_of_a_restored_instance_can_be_recovered_unless_it_is_expunged(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    (first,) = disks(cloud, made)
    asked = {"interval": "DAILY", "schedule": "0:3", "timezone": "UTC", "maxsnaps": 2}
    cloud.admin("createSnapshotPolicy", volumeid=first["id"], intervaltype=asked.pop("interval"), **asked)
    cloud.admin("restoreVirtualMachine", virtualmachineid=made["id"])
    (second,) = disks(cloud, made)
    (old,) = cloud.listed("listVolumes", "volume", id=first["id"])
    assert old["state"] == "Destroy" and "virtualmachineid" not in old and second["id"] != first["id"]
    assert cloud.listed("listSnapshotPolicies", "snapshotpolicy", volumeid=first["id"]) == []
    assert cloud.admin("recoverVolume", id=first["id"])["volume"]["state"] == "Ready"
    cloud.admin("deleteVolume", id=first["id"])
    cloud.admin("restoreVirtualMachine", virtualmachineid=made["id"], expunge=True)
    assert cloud.listed("listVolumes", "volume", id=second["id"]) == []
    assert [disk["state"] for disk in disks(cloud, made)] == ["Ready"]
    cloud.admin("updateConfiguration", name="allow.user.expunge.recover.volume", value=False)
    ann = cloud.account("ann")
    hers = cloud.deploy("hers", ann)
    (root,) = ann("listVolumes", virtualmachineid=hers["id"])["volume"]
    refused(531, ann, "restoreVirtualMachine", virtualmachineid=hers["id"], expunge=True)
    assert [row["id"] for row in ann("listVolumes", virtualmachineid=hers["id"])["volume"]] == [root["id"]]


def test_root_disks_are_of_the_disk_offering_that_a_service_offering_names(cloud: TwoRacks) -> None:
    fixed = disk_offering(cloud, "six", disksize=6, iopsreadrate=40)
    asked = {"name": "linked", "displaytext": "linked", "cpunumber": 1, "cpuspeed": 500, "memory": 512}
    linked = cloud.admin("createServiceOffering", **asked, diskofferingid=fixed)["serviceoffering"]
    assert (linked["diskofferingid"], linked["diskofferingname"]) == (fixed, "six")
    assert linked["diskofferingstrictness"] is False and "serviceofferingdetails" not in linked
    made = cloud.deploy("web", serviceofferingid=linked["id"])
    (root,) = disks(cloud, made)
    assert (root["diskofferingid"], root["size"]) == (fixed, 6 * GIB)
    limits = cloud.guest(made).disks[0].limits
    assert limits is not None and limits.read_ios == 40
    other = cloud.deploy("other", serviceofferingid=linked["id"], overridediskofferingid=cloud.cloud.custom.id)
    assert disks(cloud, other)[0]["diskofferingid"] == cloud.cloud.custom.id

    strict = cloud.admin("createServiceOffering", **asked, diskofferingid=fixed, diskofferingstrictness=True)
    assert strict["serviceoffering"]["diskofferingstrictness"] is True
    wanted = cloud.wanted(serviceofferingid=strict["serviceoffering"]["id"], overridediskofferingid=cloud.cloud.custom.id)
    assert "strict" in refused(431, cloud.admin, "deployVirtualMachine", **wanted).text
    for wrong, text in (
        ({"diskofferingid": fixed, "rootdisksize": 3}, "rootdisksize"),
        ({"diskofferingid": fixed, "tags": "fast"}, "diskofferingid"),
        ({"diskofferingstrictness": True}, "diskofferingid"),
    ):
        assert text in refused(431, cloud.admin, "createServiceOffering", **asked, **wrong).text
