"""Members of projects: accounts, single users, invitations, and roles within a project."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.api.api_harness import Api, Client, refused


@pytest.fixture
def project(api: Api) -> dict[str, Any]:
    """A project that ann leads."""
    api.account("ann")
    root = api.admin("listDomains")["domain"][0]["id"]
    return dict(api.admin("createProject", name="p", account="ann", domainid=root)["project"])


@pytest.fixture
def ann(api: Api, project: dict[str, Any]) -> Client:
    return api.client(api.user("ann"))


def _second_user(api: Api, account: str) -> Client:
    api.admin(
        "createUser", account=account, username=f"{account}2", password="x", email="a@b.c", firstname="a", lastname="b"
    )
    return api.client(api.user(f"{account}2"))


def _projects(call: Client) -> list[str]:
    return [each["name"] for each in call("listProjects").get("project", [])]


def test_a_user_is_a_member_without_the_rest_of_its_account(api: Api, project: dict[str, Any], ann: Client) -> None:
    _, bob = api.account("bob")
    other = _second_user(api, "bob")
    ann("addUserToProject", projectid=project["id"], username="bob")
    assert _projects(bob) == ["p"] and _projects(other) == []
    bob("createSSHKeyPair", name="k", projectid=project["id"])
    refused(531, other, "createSSHKeyPair", name="k2", projectid=project["id"])
    (member,) = [m for m in ann("listProjectAccounts", projectid=project["id"])["projectaccount"] if m["account"] == "bob"]
    assert member["username"] == "bob" and [user["username"] for user in member["user"]] == ["bob"]
    ann("deleteUserFromProject", projectid=project["id"], userid=member["userid"])
    assert _projects(bob) == []


def test_a_users_part_ends_with_the_user(api: Api, project: dict[str, Any], ann: Client) -> None:
    api.account("bob")
    _second_user(api, "bob")
    ann("addUserToProject", projectid=project["id"], username="bob2")
    api.admin("deleteUser", id=api.user("bob2").id)
    assert [m["account"] for m in ann("listProjectAccounts", projectid=project["id"])["projectaccount"]] == ["ann"]


def test_only_who_leads_adds_members(api: Api, project: dict[str, Any], ann: Client) -> None:
    _, bob = api.account("bob")
    refused(531, bob, "addAccountToProject", projectid=project["id"], account="bob")
    ann("addUserToProject", projectid=project["id"], username="bob", roletype="Admin")
    bob("addAccountToProject", projectid=project["id"], account="bob")
    assert {o["account"] for o in ann("listProjects", id=project["id"])["project"][0]["owner"]} == {"ann", "bob"}


def test_where_that_is_required_members_are_invited_and_answer(api: Api, project: dict[str, Any], ann: Client) -> None:
    _, bob = api.account("bob")
    _, cid = api.account("cid")
    api.admin("updateConfiguration", name="project.invite.required", value="true")
    for name in ("bob", "cid"):
        ann("addAccountToProject", projectid=project["id"], account=name)
    assert _projects(bob) == []
    assert "pending" in refused(431, ann, "addAccountToProject", projectid=project["id"], account="bob").text
    (asked,) = bob("listProjectInvitations", activeonly=True)["projectinvitation"]
    assert (asked["project"], asked["state"]) == ("p", "Pending")
    refused(531, cid, "updateProjectInvitation", projectid=project["id"], account="bob")
    bob("updateProjectInvitation", projectid=project["id"])
    cid("updateProjectInvitation", projectid=project["id"], accept=False)
    assert _projects(bob) == ["p"] and _projects(cid) == []
    states = {i["account"]: i["state"] for i in ann("listProjectInvitations", projectid=project["id"])["projectinvitation"]}
    assert states == {"bob": "Completed", "cid": "Declined"}
    refused(431, cid, "updateProjectInvitation", projectid=project["id"])
    ann("addAccountToProject", projectid=project["id"], account="cid")  # asked once more
    (again,) = cid("listProjectInvitations", state="pending")["projectinvitation"]
    ann("deleteProjectInvitation", id=again["id"])
    assert cid("listProjectInvitations") == {}


def test_an_invitation_holds_as_long_as_the_setting_says(api: Api, project: dict[str, Any], ann: Client) -> None:
    _, bob = api.account("bob")
    api.admin("updateConfiguration", name="project.invite.required", value="true")
    api.admin("updateConfiguration", name="project.invite.timeout", value="1000")
    ann("addAccountToProject", projectid=project["id"], account="bob")
    assert bob("listProjectInvitations")["projectinvitation"][0]["state"] == "Pending"
    api.world.time += 2
    assert bob("listProjectInvitations")["projectinvitation"][0]["state"] == "Expired"
    assert bob("listProjectInvitations", activeonly=True) == {}
    assert "Expired" in refused(431, bob, "updateProjectInvitation", projectid=project["id"]).text


def test_a_role_within_a_project_says_what_a_member_may_call_there(api: Api, project: dict[str, Any], ann: Client) -> None:
    _, bob = api.account("bob")
    here = {"projectid": project["id"]}
    role = ann("createProjectRole", name="reader", **here)["projectrole"]["id"]
    ann("createProjectRolePermission", projectroleid=role, rule="list*", permission="allow", **here)
    rule = ann("createProjectRolePermission", projectroleid=role, rule="*", permission="deny", **here)
    ann("addAccountToProject", account="bob", projectroleid=role, **here)
    assert bob("listSSHKeyPairs", **here) == {}
    assert "createSSHKeyPair" in refused(531, bob, "createSSHKeyPair", name="k", **here).text
    bob("createSSHKeyPair", name="k")  # its own is its own
    ann("createSSHKeyPair", name="k", **here)
    order = [r["id"] for r in ann("listProjectRolePermissions", **here)["projectrolepermission"]]
    ann("updateProjectRolePermission", projectroleid=role, ruleorder=order[::-1], **here)
    refused(531, bob, "listSSHKeyPairs", **here)
    ann("deleteProjectRolePermission", id=rule["projectrolepermission"]["id"], **here)
    bob("createSSHKeyPair", name="k2", **here)
    assert refused(536, ann, "deleteProjectRole", id=role, **here).text
    ann("deleteAccountFromProject", account="bob", **here)
    ann("deleteProjectRole", id=role, **here)
    assert ann("listProjectRoles", **here) == {}


def test_roles_are_the_leaders_to_make(api: Api, project: dict[str, Any], ann: Client) -> None:
    _, bob = api.account("bob")
    here = {"projectid": project["id"]}
    ann("addAccountToProject", account="bob", **here)
    refused(531, bob, "createProjectRole", name="r", **here)
    ann("createProjectRole", name="r", **here)
    refused(431, ann, "createProjectRole", name="r", **here)
    ann("deleteProject", id=project["id"])
    assert [type(row).__name__ for table in ("ProjectRole", "ProjectMember") for row in api.store.tables[table]] == []


def test_one_user_of_an_account_becomes_the_leader(api: Api, project: dict[str, Any], ann: Client) -> None:
    _, bob = api.account("bob")
    other = _second_user(api, "bob")
    second = api.user("bob2").id
    assert "userid" in refused(431, ann, "updateProject", id=project["id"], account="bob", userid=second).text
    ann("updateProject", id=project["id"], userid=second)
    (shown,) = api.admin("listProjects", id=project["id"])["project"]
    assert [(each["account"], each["user"]) for each in shown["owner"]] == [("bob", "bob2")]
    refused(531, ann, "updateProject", id=project["id"], displaytext="mine")
    refused(531, bob, "updateProject", id=project["id"], displaytext="mine")
    other("updateProject", id=project["id"], displaytext="ours")
    other("updateProject", id=project["id"], userid=api.user("ann").id, swapowner=False, roletype="Admin")
    (shown,) = api.admin("listProjects", id=project["id"])["project"]
    assert {each["user"] for each in shown["owner"]} == {"bob2", "ann"}


def test_nobody_is_invited_by_mail_and_an_address_beside_a_name_changes_nothing(
    api: Api, project: dict[str, Any], ann: Client
) -> None:
    api.account("bob")
    api.account("carol")
    address = {"projectid": project["id"], "email": "bob@example.org"}
    assert "email is not supported" in refused(431, ann, "addAccountToProject", **address).text
    ann("addAccountToProject", account="bob", **address)
    ann("addUserToProject", username="carol", **address)
    members = ann("listProjectAccounts", projectid=project["id"])["projectaccount"]
    assert {(each["account"], each["role"]) for each in members} == {
        ("ann", "Admin"),
        ("bob", "Regular"),
        ("carol", "Regular"),
    }
    assert ann("listProjectInvitations", projectid=project["id"]) == {}
