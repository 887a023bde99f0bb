"""Templates and ISOs through the API."""

from __future__ import annotations

from typing import Any

from tests.server.api.api_harness import refused
from tests.server.api.commands.cloud_api import CloudApi


def register(cloud_api: CloudApi, name: str = "debian", **more: Any) -> dict[str, Any]:
    asked = {
        "name": name,
        "displaytext": name,
        "url": "http://images.example/debian.qcow2",
        "format": "QCOW2",
        "hypervisor": "Simulator",
        "zoneid": cloud_api.zone,
        **more,
    }
    answer = cloud_api.admin("registerTemplate", **asked)
    assert answer["count"] == 1
    made: dict[str, Any] = answer["template"][0]
    return made


def test_a_registered_template_becomes_ready(cloud_api: CloudApi) -> None:
    made = register(cloud_api)
    assert made["isready"] is False and made["zoneid"] == cloud_api.zone and made["crossZones"] is False
    cloud_api.cloud.wait(3600)
    (row,) = cloud_api.listed("listTemplates", "template", templatefilter="self", id=made["id"])
    assert row["isready"] is True and row["status"] == "Download Complete" and row["size"] > 0
    assert row["ostypename"] and row["format"] == "QCOW2" and row["templatetype"] == "USER"
    changed = cloud_api.admin("updateTemplate", id=made["id"], passwordenabled=True, displaytext="Debian")
    assert changed["template"]["passwordenabled"] is True and changed["template"]["displaytext"] == "Debian"
    assert cloud_api.admin("deleteTemplate", id=made["id"]) == {"success": True}
    assert cloud_api.admin("listTemplates", templatefilter="self", name="debian") == {}
    refused(431, cloud_api.admin, "deleteTemplate", id=made["id"])


def test_a_template_for_every_zone_is_answered_with_the_zones(cloud_api: CloudApi) -> None:
    guest_os = cloud_api.cloud.template.guest_os_id
    file = {"format": "QCOW2", "hypervisor": "Simulator", "url": "http://images.example/d.qcow2", "ostypeid": guest_os}
    (row,) = cloud_api.admin("registerTemplate", name="d", displaytext="d", zoneid="-1", **file)["template"]
    assert row["zoneid"] == cloud_api.zone
    assert cloud_api.listed("listTemplates", "template", templatefilter="self", zoneid="-1") == []


def test_a_template_of_a_snapshot(cloud_api: CloudApi) -> None:
    admin, cloud = cloud_api.admin, cloud_api.cloud
    root = cloud.root(cloud.deploy())
    snapshot = admin("createSnapshot", volumeid=root.id)["snapshot"]
    asked = {"name": "golden", "displaytext": "golden", "ostypeid": cloud.template.guest_os_id}
    refused(431, admin, "createTemplate", **asked)
    made = admin("createTemplate", **asked, snapshotid=snapshot["id"])["template"]
    (row,) = cloud_api.listed("listTemplates", "template", templatefilter="self", id=made["id"])
    assert row["isready"] is True and row["ispublic"] is False and row["hypervisor"] == "Simulator"
    assert made["id"] in [
        t["id"] for t in cloud_api.listed("listTemplates", "template", templatefilter="executable")
    ]
    admin("deleteTemplate", id=made["id"])
    assert admin("listTemplates", templatefilter="self", name="golden") == {}
    cloud_api.account("ann")
    theirs = admin("createTemplate", **asked, snapshotid=snapshot["id"], account="ann")["template"]
    assert theirs["account"] == "ann", "an account without a domain is one of the caller's domain"


def test_what_comes_with_the_cloud_is_featured_and_the_system_template_hidden(cloud_api: CloudApi) -> None:
    ann = cloud_api.account("ann")
    for filter in ("featured", "executable"):
        (row,) = ann("listTemplates", templatefilter=filter)["template"]
        assert (
            row["name"] == "CentOS 5.6 (64-bit) no GUI (Simulator)"
            and row["isready"]
            and row["isdynamicallyscalable"]
            and row["zonename"] == "zone-1"
        )
    assert len(cloud_api.listed("listTemplates", "template", templatefilter="all")) == 2
    refused(531, ann, "listTemplates", templatefilter="all")
    refused(431, ann, "listTemplates", templatefilter="everything")
    refused(431, ann, "listTemplates")


def test_a_root_administrator_registers_what_system_vms_are_made_of(cloud_api: CloudApi) -> None:
    made = register(cloud_api, "newer system", templatetype="system")
    assert made["templatetype"] == "SYSTEM"
    cloud_api.cloud.wait(3600)
    manager = cloud_api.cloud.manager
    assert manager.system_vms.template(manager.store.tables["Zone"][cloud_api.zone]).id == made["id"]
    wrong = {
        "displaytext": "x",
        "url": "http://images.example/x.qcow2",
        "format": "QCOW2",
        "hypervisor": "Simulator",
    }
    ann = cloud_api.account("ann")
    refused(531, ann, "registerTemplate", name="x", zoneid=cloud_api.zone, templatetype="SYSTEM", **wrong)
    said = refused(
        431, cloud_api.admin, "registerTemplate", name="x", zoneid=cloud_api.zone, templatetype="VNF", **wrong
    )
    assert "templatetype: VNF is none of USER, SYSTEM" in str(said)


def test_sharing_with_an_account(cloud_api: CloudApi) -> None:
    ann, made = cloud_api.account("ann"), register(cloud_api)
    cloud_api.cloud.wait(3600)
    assert "template" not in ann("listTemplates", templatefilter="sharedexecutable")
    cloud_api.admin("updateTemplatePermissions", id=made["id"], op="add", accounts="ann", isextractable=True)
    assert [t["id"] for t in ann("listTemplates", templatefilter="sharedexecutable")["template"]] == [
        made["id"]
    ]
    permission = cloud_api.admin("listTemplatePermissions", id=made["id"])["templatepermission"]
    assert permission["account"] == ["ann"] and permission["ispublic"] is False
    cloud_api.admin("updateTemplatePermissions", id=made["id"], op="reset")
    assert "template" not in ann("listTemplates", templatefilter="sharedexecutable")
    refused(531, ann, "updateTemplatePermissions", id=made["id"], op="reset")
    refused(431, cloud_api.admin, "updateTemplatePermissions", id=made["id"], op="add", accounts="nobody")


def test_a_template_in_two_zones_is_two_rows(cloud_api: CloudApi) -> None:
    made, manager = register(cloud_api), cloud_api.manager
    cloud_api.cloud.wait(3600)
    other = cloud_api.cloud.call(
        manager.zones.create, name="z2", network_type="Advanced", dns1="8.8.8.8", internal_dns1="8.8.8.8"
    )
    cloud_api.cloud.call(manager.image_stores.add, url="nfs://sim/z2/secondary", provider="NFS", zone=other)
    assert refused(530, cloud_api.admin, "copyTemplate", id=made["id"], destzoneid=other.id).text
    builtin = cloud_api.cloud.template.id
    assert len(cloud_api.listed("listTemplates", "template", templatefilter="all", id=builtin)) == 2
    assert (
        len(cloud_api.listed("listTemplates", "template", templatefilter="all", id=builtin, zoneid=other.id))
        == 1
    )
    assert (
        len(cloud_api.listed("listTemplates", "template", templatefilter="all", id=builtin, showunique=True))
        == 1
    )


def test_isos(cloud_api: CloudApi) -> None:
    admin = cloud_api.admin
    asked = {
        "name": "install",
        "displaytext": "install",
        "url": "http://images.example/i.iso",
        "zoneid": cloud_api.zone,
    }
    made = admin("registerIso", **asked)["iso"][0]
    cloud_api.cloud.wait(3600)
    (row,) = cloud_api.listed("listIsos", "iso", isofilter="self")
    assert (row["id"], row["isready"], row["format"], row["bootable"]) == (made["id"], True, "ISO", True)
    assert row["status"] == "Successfully Installed"
    assert admin("listTemplates", templatefilter="self") == {}
    refused(431, admin, "deleteTemplate", id=made["id"])
    assert admin("updateIso", id=made["id"], bootable=False)["iso"]["bootable"] is False
    assert admin("updateIsoPermissions", id=made["id"], ispublic=True) == {"success": True}
    assert admin("listIsoPermissions", id=made["id"])["isopermission"]["ispublic"] is True
    assert admin("deleteIso", id=made["id"]) == {"success": True}
    assert admin("listIsos", isofilter="self") == {}


def test_user_data_linked_to_a_template(cloud_api: CloudApi) -> None:
    made = register(cloud_api)
    data = cloud_api.admin("registerUserData", name="init", userdata="I2Nsb3VkLWNvbmZpZw==")["userdata"]
    linked = cloud_api.admin("linkUserDataToTemplate", templateid=made["id"], userdataid=data["id"])[
        "template"
    ]
    assert (linked["userdataname"], linked["userdatapolicy"]) == ("init", "ALLOWOVERRIDE")
    refused(536, cloud_api.admin, "deleteUserData", id=data["id"])
