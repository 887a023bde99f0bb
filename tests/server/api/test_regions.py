"""Regions through the API."""

from __future__ import annotations

from tests.server.api.api_harness import Client, refused


def _regions(admin: Client) -> list[tuple[int, str]]:
    return [(row["id"], row["name"]) for row in admin("listRegions")["region"]]


def test_a_new_cloud_is_a_region_by_itself(admin: Client) -> None:
    assert _regions(admin) == [(1, "Local")]
    refused(431, admin, "removeRegion", id=1)


def test_regions_are_added_changed_and_removed(admin: Client) -> None:
    made = admin("addRegion", id=2, name="north", endpoint="http://north.example.org:8080/client")["region"]
    assert (made["id"], made["endpoint"]) == (2, "http://north.example.org:8080/client")
    assert [row["gslbserviceenabled"] for row in admin("listRegions")["region"]] == [False, True]
    assert admin("updateRegion", id=2, name="far north")["region"]["name"] == "far north"
    assert admin("updateRegion", id=1, name="here")["region"]["name"] == "here"
    assert _regions(admin) == [(1, "here"), (2, "far north")]
    admin("removeRegion", id=2)
    assert _regions(admin) == [(1, "here")]


def test_what_cannot_be_is_refused(admin: Client) -> None:
    there = {"endpoint": "http://north.example.org/client"}
    refused(431, admin, "addRegion", id=1, name="other", **there)
    refused(431, admin, "addRegion", id=0, name="other", **there)
    refused(431, admin, "addRegion", id=2, name="Local", **there)
    assert "http" in refused(431, admin, "addRegion", id=2, name="north", endpoint="north").text
    assert "doesn't exist" in refused(431, admin, "updateRegion", id=7, name="x").text
    assert _regions(admin) == [(1, "Local")]
