"""Snapshot policies hand their tags on, and lists of snapshots show each once."""

from __future__ import annotations

from tests.server.api.commands.cloud_api import CloudApi


def test_snapshots_that_a_policy_takes_have_its_tags(cloud_api: CloudApi) -> None:
    admin, cloud = cloud_api.admin, cloud_api.cloud
    root = cloud.root(cloud.deploy())
    asked = {"volumeid": root.id, "intervaltype": "HOURLY", "schedule": "30", "timezone": "UTC", "maxsnaps": 2}
    admin("createSnapshotPolicy", **asked, tags={"tier": "silver", "team": "web"})
    again = admin("createSnapshotPolicy", **asked, tags={"tier": "gold"})["snapshotpolicy"]
    assert {tag["key"]: tag["value"] for tag in again["tags"]} == {"tier": "gold", "team": "web"}
    cloud.wait(3600)
    (taken,) = cloud_api.listed("listSnapshots", "snapshot", tags={"tier": "gold"}, showunique=True)
    assert taken["volumeid"] == root.id and taken["snapshottype"] == "HOURLY"
    assert {tag["key"]: tag["value"] for tag in taken["tags"]} == {"tier": "gold", "team": "web"}
    admin("deleteSnapshotPolicies", id=again["id"])
    assert {tag["resourcetype"] for tag in cloud_api.listed("listTags", "tag", listall=True)} == {"Snapshot"}


def test_a_destroyed_volume_leaves_neither_policies_nor_their_tags(cloud_api: CloudApi) -> None:
    admin = cloud_api.admin
    volume = cloud_api.volume()
    asked = {"volumeid": volume["id"], "intervaltype": "DAILY", "schedule": "30:2", "timezone": "UTC", "maxsnaps": 2}
    admin("createSnapshotPolicy", **asked, tags={"tier": "gold"})
    admin("deleteVolume", id=volume["id"])
    assert admin("listTags", listall=True) == {}
