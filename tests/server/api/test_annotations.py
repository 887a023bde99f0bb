"""Comments on things through the API."""

from __future__ import annotations

import pytest

from tests.server.api.api_harness import Api, Client, refused


@pytest.fixture
def ann(api: Api) -> Client:
    return api.account("ann")[1]


def test_an_admin_comments_on_a_domain_and_reads_it(admin: Client) -> None:
    root = admin("listDomains")["domain"][0]["id"]
    made = admin("addAnnotation", entitytype="DOMAIN", entityid=root, annotation="the top")["annotation"]
    assert (made["annotation"], made["entityname"], made["username"]) == ("the top", "ROOT", "admin")
    listed = admin("listAnnotations", entitytype="DOMAIN", entityid=root)
    assert listed["count"] == 1 and listed["annotation"][0]["id"] == made["id"]
    admin("removeAnnotation", id=made["id"])
    assert admin("listAnnotations", entitytype="DOMAIN", entityid=root) == {}


def test_an_admin_comments_on_the_management_server_and_a_user_does_not(admin: Client, ann: Client) -> None:
    server = admin("listManagementServers")["managementserver"][0]
    named = {"entitytype": "MANAGEMENT_SERVER", "entityid": server["id"]}
    made = admin("addAnnotation", annotation="new disks", **named)["annotation"]
    assert (made["annotation"], made["entityname"], made["entityid"]) == ("new disks", server["name"], server["id"])
    assert admin("listAnnotations", **named)["count"] == 1 and ann("listAnnotations") == {}
    refused(531, ann, "addAnnotation", annotation="mine", **named)
    refused(531, ann, "listAnnotations", **named)
    refused(431, admin, "addAnnotation", annotation="x", entitytype="MANAGEMENT_SERVER", entityid="other")


def test_what_cannot_be_commented_on_is_said(admin: Client) -> None:
    assert "VOLUME" in refused(431, admin, "addAnnotation", entitytype="MOON", entityid="x", annotation="a").text
    assert "no VM" in refused(431, admin, "addAnnotation", entitytype="VM", entityid="x", annotation="a").text
    root = admin("listDomains")["domain"][0]["id"]
    refused(431, admin, "addAnnotation", entitytype="DOMAIN", entityid=root, annotation=" ")
    assert admin("listAnnotations") == {}


def test_users_comment_on_their_own_things_and_on_no_others(ann: Client, api: Api) -> None:
    key = ann("createSSHKeyPair", name="k")["keypair"]
    made = ann("addAnnotation", entitytype="SSH_KEYPAIR", entityid=key["id"], annotation="my key")["annotation"]
    bob = api.account("bob")[1]
    refused(531, bob, "addAnnotation", entitytype="SSH_KEYPAIR", entityid=key["id"], annotation="mine")
    assert bob("listAnnotations") == {}
    refused(531, bob, "removeAnnotation", id=made["id"])
    assert ann("listAnnotations")["annotation"][0]["annotation"] == "my key"
    root = api.admin("listDomains")["domain"][0]["id"]
    refused(531, ann, "addAnnotation", entitytype="DOMAIN", entityid=root, annotation="x")


def test_what_is_for_admins_only_is_hidden_from_users(ann: Client, admin: Client) -> None:
    key = ann("createSSHKeyPair", name="k")["keypair"]
    on = {"entitytype": "SSH_KEYPAIR", "entityid": key["id"]}
    refused(531, ann, "addAnnotation", **on, annotation="x", adminsonly=True)
    made = admin("addAnnotation", **on, annotation="looks odd", adminsonly=True)["annotation"]
    assert ann("listAnnotations", **on) == {}
    admin("updateAnnotationVisibility", id=made["id"], adminsonly=False)
    assert ann("listAnnotations", **on)["annotation"][0]["annotation"] == "looks odd"
    assert ann("listAnnotations", annotationfilter="self") == {}


def test_comments_go_with_what_they_are_on(ann: Client, admin: Client) -> None:
    key = ann("createSSHKeyPair", name="k")["keypair"]
    ann("addAnnotation", entitytype="SSH_KEYPAIR", entityid=key["id"], annotation="my key")
    ann("deleteSSHKeyPair", name="k")
    assert admin("listAnnotations") == {}


def test_things_say_whether_there_are_comments_that_the_caller_may_read(admin: Client, ann: Client) -> None:
    key = ann("createSSHKeyPair", name="k")["keypair"]["id"]

    def told(call: Client) -> bool:
        (row,) = call("listSSHKeyPairs", id=key, listall=True)["sshkeypair"]
        return bool(row["hasannotations"])

    on = {"entitytype": "SSH_KEYPAIR", "entityid": key}
    assert (told(ann), told(admin)) == (False, False)
    admin("addAnnotation", annotation="for us", adminsonly=True, **on)
    assert (told(ann), told(admin)) == (False, True)
    ann("addAnnotation", annotation="for all", **on)
    assert (told(ann), told(admin)) == (True, True)
