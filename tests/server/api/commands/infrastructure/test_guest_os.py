"""OS types that operators add, and categories by what there is to deploy from."""

from __future__ import annotations

from tests.server.api.api_harness import refused
from tests.server.api.commands.cloud_api import CloudApi


def test_an_os_type_has_a_name_of_its_own_and_is_hidden_from_users_where_that_is_said(cloud_api: CloudApi) -> None:
    admin, ann = cloud_api.admin, cloud_api.account("ann")
    (category,) = cloud_api.listed("listOsCategories", "oscategory", name="Debian")
    made = admin("addGuestOs", oscategoryid=category["id"], osdisplayname="Debian 99 (64-bit)", name="d99", forDisplay=False)
    assert (made["ostype"]["name"], made["ostype"]["description"]) == ("d99", "Debian 99 (64-bit)")
    asked = {"description": "Debian 99 (64-bit)"}
    (row,) = cloud_api.listed("listOsTypes", "ostype", **asked)
    assert (row["name"], row["fordisplay"]) == ("d99", False)
    assert [each["id"] for each in cloud_api.listed("listOsTypes", "ostype", fordisplay=False)] == [row["id"]]
    assert ann("listOsTypes", **asked) == ann("listOsTypes", fordisplay=False) == {}
    shown = admin("updateGuestOs", id=row["id"], forDisplay=True)["ostype"]
    assert (shown["name"], shown["fordisplay"]) == ("d99", True)
    assert [each["id"] for each in ann("listOsTypes", **asked)["ostype"]] == [row["id"]]


def test_categories_are_those_of_templates_and_isos_that_there_are(cloud_api: CloudApi) -> None:
    admin, ann = cloud_api.admin, cloud_api.account("ann")

    def names(call: object = admin, **wanted: object) -> set[str]:
        assert callable(call)
        return {row["name"] for row in call("listOsCategories", **wanted).get("oscategory", [])}

    types = {row["description"]: row["id"] for row in cloud_api.listed("listOsTypes", "ostype")}
    admin(
        "registerIso",
        name="installer",
        displaytext="installer",
        url="http://images.example/d.iso",
        zoneid=cloud_api.zone,
        ostypeid=types["Debian GNU/Linux 12 (64-bit)"],
        arch="aarch64",
    )
    assert names(isiso=True) == {"Debian"} == names(arch="aarch64") == names(isiso=True, zoneid=cloud_api.zone)
    assert names(isiso=True, arch="x86_64") == set() == names(isiso=False, arch="aarch64")
    assert names(ann, isiso=True) == set()  # it is the administrator's alone
    assert "Debian" not in names(isiso=False) and names(isiso=False) == names(ann, isiso=False) != set()
    assert names() > names(isiso=False)
    other = admin("createZone", name="other", networktype="Advanced", dns1="8.8.8.8", internaldns1="10.0.0.1")
    assert names(zoneid=other["zone"]["id"]) == set()
    refused(431, admin, "listOsCategories", zoneid="none")
