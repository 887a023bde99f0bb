"""Key pairs, affinity groups, user data and instance groups through the API."""

from __future__ import annotations

import base64
import hashlib

from tests.server.api.api_harness import refused
from tests.server.api.commands.cloud_api import CloudApi

BLOB = b"\0\0\0\x07ssh-rsa" + b"\0\0\0\x03\x01\0\x01" + b"\0\0\0\x81" + b"\0" + b"\xb5" * 128


def test_key_pairs(cloud_api: CloudApi) -> None:
    admin = cloud_api.admin
    made = admin("createSSHKeyPair", name="key")["keypair"]
    assert "PRIVATE KEY" in made["privatekey"] and made["account"] == "admin"
    (row,) = cloud_api.listed("listSSHKeyPairs", "sshkeypair", name="key")
    assert row["fingerprint"] == made["fingerprint"] and "privatekey" not in row
    refused(431, admin, "createSSHKeyPair", name="key")
    assert "name" in refused(431, admin, "createSSHKeyPair").text
    registered = admin(
        "registerSSHKeyPair", name="r", publickey="ssh-rsa " + base64.b64encode(BLOB).decode()
    )["keypair"]
    assert registered["fingerprint"].replace(":", "") == hashlib.md5(BLOB).hexdigest()
    assert admin("deleteSSHKeyPair", name="r") == {"success": True}
    assert admin("listSSHKeyPairs", name="r") == {}


def test_a_users_key_pair_is_the_admins_to_see_only_with_listall(cloud_api: CloudApi) -> None:
    ann = cloud_api.account("ann")
    ann("createSSHKeyPair", name="hers")
    assert cloud_api.admin("listSSHKeyPairs") == {}
    assert [k["name"] for k in cloud_api.listed("listSSHKeyPairs", "sshkeypair", listall=True)] == ["hers"]
    refused(431, cloud_api.admin, "deleteSSHKeyPair", name="hers")


def test_affinity_groups(cloud_api: CloudApi) -> None:
    admin = cloud_api.admin
    types = admin("listAffinityGroupTypes")
    assert {"host anti-affinity", "host affinity"} <= {t["type"] for t in types["affinityGroupType"]}
    assert types["count"] == len(types["affinityGroupType"])
    made = admin("createAffinityGroup", name="ag", type="host anti-affinity", description="d")[
        "affinitygroup"
    ]
    (row,) = cloud_api.listed("listAffinityGroups", "affinitygroup", id=made["id"])
    assert (row["type"], row["description"], row["virtualmachineIds"]) == ("host anti-affinity", "d", [])
    refused(431, admin, "createAffinityGroup", name="x", type="rack affinity")
    assert admin("deleteAffinityGroup", name="ag") == {"success": True}
    assert admin("listAffinityGroups", name="ag") == {}
    refused(431, admin, "deleteAffinityGroup")


def test_user_data(cloud_api: CloudApi) -> None:
    text = base64.b64encode(b"#cloud-config").decode()
    made = cloud_api.admin("registerUserData", name="init", userdata=text, params="a")["userdata"]
    (row,) = cloud_api.listed("listUserData", "userdata", name="init")
    assert (row["id"], row["userdata"], row["params"]) == (made["id"], text, "a")
    refused(431, cloud_api.admin, "registerUserData", name="bad", userdata="?")
    cloud_api.account("ann")
    domain = cloud_api.listed("listDomains", "domain")[0]["id"]
    theirs = refused(431, cloud_api.admin, "deleteUserData", id=made["id"], account="ann", domainid=domain)
    assert "is not of ann" in theirs.text
    assert cloud_api.admin("deleteUserData", id=made["id"]) == {"success": True}
    assert cloud_api.admin("listUserData") == {}


def test_instance_groups(cloud_api: CloudApi) -> None:
    made = cloud_api.admin("createInstanceGroup", name="web")["instancegroup"]
    assert (
        cloud_api.admin("updateInstanceGroup", id=made["id"], name="front")["instancegroup"]["name"]
        == "front"
    )
    assert [g["name"] for g in cloud_api.listed("listInstanceGroups", "instancegroup")] == ["front"]
    assert cloud_api.admin("deleteInstanceGroup", id=made["id"]) == {"success": True}
    assert cloud_api.admin("listInstanceGroups") == {}
