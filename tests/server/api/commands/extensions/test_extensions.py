"""Extensions through the API: made of programs, registered with clusters, changed and removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.api.api_harness import Api, refused
from tests.server.api.commands.extensions.program_cloud import ProgramCloud


def test_a_new_extension_has_an_example_program_that_is_ready(cloud: ProgramCloud) -> None:
    made = cloud.admin("createExtension", name="My cloud", type="orchestrator")["extension"]
    assert made["type"] == "Orchestrator"
    assert made["state"] == "Enabled"
    assert made["pathready"] is True
    assert Path(made["path"]) == cloud.folder / "My_cloud" / "My_cloud.py"
    assert "def create(payload)" in Path(made["path"]).read_text()
    (listed,) = cloud.admin("listExtensions")["extension"]
    assert listed == made


def test_an_extension_takes_the_program_that_is_there_and_tells_when_it_is_gone(cloud: ProgramCloud) -> None:
    made = cloud.extension()
    assert made["pathready"] is True
    Path(made["path"]).unlink()
    (listed,) = cloud.admin("listExtensions", id=made["id"])["extension"]
    assert listed["pathready"] is False


@pytest.mark.parametrize("path", ["../evil.py", "/bin/sh", "a/../../b", "a b", ".x", "mine/"])
def test_a_path_stays_below_the_extensions_folder(cloud: ProgramCloud, path: str) -> None:
    error = refused(431, cloud.admin, "createExtension", name="mine", type="Orchestrator", path=path)
    assert error.text.startswith("path:")
    assert not cloud.folder.exists()
    assert "extension" not in cloud.admin("listExtensions")


def test_names_are_given_once_and_types_are_known(cloud: ProgramCloud) -> None:
    cloud.extension()
    assert "already exists" in refused(431, cloud.admin, "createExtension", name="mine", type="Orchestrator").text
    assert "Orchestrator" in refused(431, cloud.admin, "createExtension", name="other", type="Network").text


def test_only_root_admins_have_to_do_with_extensions(cloud: ProgramCloud) -> None:
    extension = cloud.extension()
    user, admin = cloud.account("user"), cloud.account("boss", accounttype=2)
    for client in (user, admin):
        for command, parameters in (
            ("listExtensions", {}),
            ("createExtension", {"name": "x", "type": "Orchestrator"}),
            ("updateExtension", {"id": extension["id"]}),
            ("deleteExtension", {"id": extension["id"]}),
            ("addCustomAction", {"extensionid": extension["id"], "name": "x"}),
        ):
            assert refused(401, client, command, **parameters).status == 401


def test_a_cloud_that_runs_no_programs_refuses_extensions(api: Api) -> None:
    error = refused(432, api.admin, "createExtension", name="mine", type="Orchestrator")
    assert "runs no programs" in error.text
    assert "extension" not in api.admin("listExtensions")


def test_what_is_updated_is_changed_and_the_rest_stays(cloud: ProgramCloud) -> None:
    extension = cloud.extension(details={"url": "http://a", "token": "t"})
    changed = cloud.admin(
        "updateExtension", id=extension["id"], state="Disabled", description="of the lab", details={"url": "http://b"}
    )["extension"]
    assert (changed["state"], changed["description"]) == ("Disabled", "of the lab")
    assert changed["details"] == {"url": "http://b"}
    again = cloud.admin("updateExtension", id=extension["id"], cleanupdetails=True)
    assert "details" not in again["extension"]
    assert again["extension"]["state"] == "Disabled"


def test_details_are_shown_as_far_as_they_are_asked_for(cloud: ProgramCloud) -> None:
    extension = cloud.extension(details={"token": "t"})
    cloud.register(extension)
    (all_,) = cloud.admin("listExtensions", details="all")["extension"]
    (least,) = cloud.admin("listExtensions", details="min")["extension"]
    (external,) = cloud.admin("listExtensions", details=["external"])["extension"]
    assert all_["details"]["token"] == "t" and len(all_["resources"]) == 2
    assert "details" not in least and "resources" not in least
    assert "details" in external and "resources" not in external


def test_a_cluster_has_one_extension(cloud: ProgramCloud) -> None:
    mine, other = cloud.extension(), cloud.extension("other")
    first, second = cloud.clusters()
    asked = {"resourcetype": "Cluster", "resourceid": first["id"]}
    made = cloud.admin("registerExtension", extensionid=mine["id"], details={"node": "n1"}, **asked)["extension"]
    (resource,) = made["resources"]
    assert (resource["id"], resource["name"], resource["type"]) == (first["id"], first["name"], "Cluster")
    assert resource["details"] == {"node": "n1"}
    error = refused(431, cloud.admin, "registerExtension", extensionid=other["id"], **asked)
    assert "extension mine already" in error.text
    assert "not registered" in refused(431, cloud.admin, "unregisterExtension", extensionid=other["id"], **asked).text
    gone = cloud.admin("unregisterExtension", extensionid=mine["id"], **asked)["extension"]
    assert "resources" not in gone
    unknown = {"extensionid": mine["id"], "resourceid": second["id"]}
    assert "Cluster" in refused(431, cloud.admin, "registerExtension", resourcetype="Zone", **unknown).text


def test_clusters_tell_of_their_extension(cloud: ProgramCloud) -> None:
    extension = cloud.extension()
    cloud.register(extension)
    assert {cluster["extensionname"] for cluster in cloud.clusters()} == {"mine"}


def test_an_extension_is_deleted_when_nothing_uses_it(cloud: ProgramCloud) -> None:
    extension = cloud.extension()
    cloud.register(extension)
    cloud.action(extension)
    assert "unregister it first" in refused(536, cloud.admin, "deleteExtension", id=extension["id"]).text
    for cluster in cloud.clusters():
        asked = {"resourcetype": "Cluster", "resourceid": cluster["id"]}
        cloud.admin("unregisterExtension", extensionid=extension["id"], **asked)
    cloud.admin("deleteExtension", id=extension["id"])
    assert "extension" not in cloud.admin("listExtensions")
    assert "extensioncustomaction" not in cloud.admin("listCustomActions")
    assert Path(extension["path"]).exists()


def test_the_program_goes_with_its_extension_when_that_is_asked_for(cloud: ProgramCloud) -> None:
    extension = cloud.extension()
    cloud.admin("deleteExtension", id=extension["id"], cleanup=True)
    assert not Path(extension["path"]).exists()
