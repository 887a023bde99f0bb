"""What templates and ISOs may further be told: tags of hosts, types, stores, and what deleting and changing one asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks

FILE = {"displaytext": "made", "url": "http://images.example/made.qcow2", "format": "QCOW2", "hypervisor": "Simulator"}


@pytest.fixture
def cloud() -> Iterator[TwoRacks]:
    made = TwoRacks()
    yield made
    made.cloud.close()


def template(cloud: TwoRacks, **more: Any) -> dict[str, Any]:
    rows = cloud.listed("listTemplates", "template", templatefilter="all", id=cloud.cloud.template.id, **more)
    assert len(rows) == 1
    return rows[0]


def test_instances_of_a_tagged_template_are_on_hosts_with_that_tag(cloud: TwoRacks) -> None:
    tagged = cloud.listed("listHosts", "host", type="Routing")[-1]
    cloud.admin("updateHost", id=tagged["id"], hosttags="licensed")
    cloud.admin("updateTemplate", id=cloud.cloud.template.id, templatetag="licensed")
    assert template(cloud)["templatetag"] == "licensed"
    assert {cloud.deploy(name)["hostname"] for name in ("one", "two", "three")} == {tagged["name"]}
    cloud.admin("updateTemplate", id=cloud.cloud.template.id, templatetag="missing")
    refused(533, cloud.admin, "deployVirtualMachine", **cloud.wanted())


def test_a_new_template_has_the_tag_that_only_a_root_administrator_gives(cloud: TwoRacks) -> None:
    ann = cloud.account("ann")
    asked = {"name": "tagged", "zoneid": cloud.zone, "templatetag": "licensed", **FILE}
    assert "templatetag" in refused(531, ann, "registerTemplate", **asked).text
    assert cloud.admin("registerTemplate", **asked)["template"][0]["templatetag"] == "licensed"
    snapshot = cloud.admin("createSnapshot", volumeid=cloud.cloud.root(cloud.cloud.deploy()).id)["snapshot"]
    made = {"name": "golden", "displaytext": "golden", "ostypeid": cloud.cloud.template.guest_os_id}
    made |= {"snapshotid": snapshot["id"], "zoneid": cloud.zone, "templatetag": "licensed"}
    assert cloud.admin("createTemplate", **made)["template"]["templatetag"] == "licensed"


def test_a_template_of_a_volume_has_no_choice_of_zone(cloud: TwoRacks) -> None:
    root = cloud.cloud.root(cloud.cloud.deploy())
    asked = {"name": "golden", "displaytext": "golden", "ostypeid": cloud.cloud.template.guest_os_id}
    assert "zoneid" in refused(431, cloud.admin, "createTemplate", volumeid=root.id, zoneid=cloud.zone, **asked).text


def test_a_template_becomes_one_of_system_vms_and_is_deleted_only_when_that_is_said(cloud: TwoRacks) -> None:
    asked = {"name": "next", "zoneid": cloud.zone, **FILE}
    made = cloud.admin("registerTemplate", **asked)["template"][0]["id"]
    cloud.cloud.wait(3600)
    changed = cloud.admin("updateTemplate", id=made, templatetype="system")["template"]
    assert changed["templatetype"] == "SYSTEM"
    assert "issystem" in refused(431, cloud.admin, "deleteTemplate", id=made).text
    assert cloud.admin("deleteTemplate", id=made, issystem=True) == {"success": True}
    assert cloud.listed("listTemplates", "template", templatefilter="all", name="next") == []


def test_another_os_type_reaches_the_instances_only_when_it_is_forced(cloud: TwoRacks) -> None:
    vm = cloud.deploy()
    other = next(row["id"] for row in cloud.listed("listOsTypes", "ostype") if row["id"] != vm["guestosid"])
    change = {"id": cloud.cloud.template.id, "ostypeid": other}
    before = cloud.rows()
    assert "forceupdateostype" in refused(431, cloud.admin, "updateTemplate", **change).text
    assert cloud.rows() == before
    assert cloud.admin("updateTemplate", forceupdateostype=True, **change)["template"]["ostypeid"] == other
    assert cloud.vm(vm["id"])["guestosid"] == other


def test_a_deleted_template_that_an_instance_has_is_listed_where_it_is_asked_for(cloud: TwoRacks) -> None:
    vm = cloud.deploy()
    cloud.admin("deleteTemplate", id=cloud.cloud.template.id, forced=True)
    assert cloud.listed("listTemplates", "template", templatefilter="all", name=vm["templatename"]) == []
    (row,) = cloud.listed("listTemplates", "template", templatefilter="all", name=vm["templatename"], showremoved=True)
    assert row["id"] == cloud.cloud.template.id and row["removed"] >= row["created"] and row["isready"] is False


def test_a_short_list_of_templates_leaves_out_their_details(cloud: TwoRacks) -> None:
    cloud.admin("updateTemplate", id=cloud.cloud.template.id, details={"rootDiskController": "virtio"})
    assert template(cloud)["details"] == template(cloud, details="all")["details"] == {"rootDiskController": "virtio"}
    assert "details" not in template(cloud, details="min")


def test_an_iso_is_kept_in_the_store_that_was_named(cloud: TwoRacks) -> None:
    second = cloud.admin("addImageStore", provider="NFS", url="nfs://secondary2/export", zoneid=cloud.zone, name="second")
    store = second["imagestore"]["id"]
    asked = {"displaytext": "iso", "url": "http://images.example/i.iso", "ostypeid": cloud.cloud.template.guest_os_id}
    for name, kept in (("one", store), ("two", cloud.listed("listImageStores", "imagestore")[0]["id"])):
        made = cloud.admin("registerIso", name=name, zoneid=cloud.zone, imagestoreuuid=kept, **asked)["iso"][0]["id"]
        cloud.cloud.wait(3600)
        (row,) = cloud.listed("listIsos", "iso", isofilter="all", id=made, imagestoreid=kept)
        assert row["isready"] is True
    wrong = refused(431, cloud.admin, "registerIso", name="x", zoneid="-1", imagestoreuuid=store, **asked)
    assert "imagestoreuuid" in wrong.text
    cloud.admin("updateImageStore", id=store, readonly=True)
    wrong = refused(431, cloud.admin, "registerIso", name="x", zoneid=cloud.zone, imagestoreuuid=store, **asked)
    assert "imagestoreuuid" in wrong.text
