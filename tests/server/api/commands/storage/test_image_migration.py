"""What image stores hold, and how it moves from one to another."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.api.api_harness import Refused, refused
from tests.server.api.commands.cloud_api import CloudApi

OTHER = "nfs://filer-2/secondary"


class Stores:
    """Two image stores, of which the first has a snapshot and a template of it."""

    def __init__(self, api: CloudApi) -> None:
        self.api, self.admin = api, api.admin
        vm = api.cloud.deploy()
        (root,) = api.listed("listVolumes", "volume", virtualmachineid=vm.id)
        self.snapshot = self.admin("createSnapshot", volumeid=root["id"])["snapshot"]["id"]
        made = self.admin(
            "createTemplate", name="mine", displaytext="mine", snapshotid=self.snapshot, ostypeid=api.cloud.template.guest_os_id
        )
        self.template = made["template"]["id"]
        (first,) = api.listed("listImageStores", "imagestore")
        self.first = first["id"]
        self.second = self.admin("addImageStore", provider="NFS", url=OTHER, zoneid=api.zone)["imagestore"]["id"]

    def objects(self, store: str, path: str = "", **more: Any) -> list[dict[str, Any]]:
        return self.api.listed("listImageStoreObjects", "datastoreobject", id=store, path=path, **more)

    def files(self, url: str) -> set[str]:
        return set(self.api.cloud.world.site.stores[url].files)

    def store_of_snapshot(self) -> str:
        (row,) = self.api.listed("listSnapshots", "snapshot", id=self.snapshot)
        return str(row["datastoreid"])


@pytest.fixture
def stores(cloud_api: CloudApi) -> Stores:
    return Stores(cloud_api)


def test_the_files_of_an_image_store_are_listed_with_what_they_are(stores: Stores) -> None:
    top = stores.objects(stores.first)
    assert {"snapshots", "templates"} <= {each["name"] for each in top if each["isdirectory"]}
    (kept,) = stores.objects(stores.first, "snapshots")
    assert (kept["snapshotid"], kept["isdirectory"]) == (stores.snapshot, False) and kept["size"] > 0
    (template,) = stores.objects(stores.first, "templates")
    assert (template["templateid"], template["templatename"]) == (stores.template, "mine")
    assert "there is no" in refused(530, stores.admin, "listImageStoreObjects", id=stores.first, path="nowhere").text
    assert stores.objects(stores.first, "snapshots", keyword="nothing has this in its name") == []


def test_a_complete_migration_empties_a_store_and_everything_works_from_the_other(stores: Stores) -> None:
    admin = stores.admin
    before = {f for f in stores.files(_url(stores, stores.first)) if not f.startswith("template/")}
    told = admin("migrateSecondaryStorageData", srcpool=stores.first, destpools=[stores.second])["imagestore"]
    assert (told["success"], told["migrationtype"]) == (True, "COMPLETE") and "2 objects" in told["message"]
    (source,) = stores.api.listed("listImageStores", "imagestore", id=stores.first)
    assert source["readonly"] is True
    assert stores.files(OTHER) >= before and not before & stores.files(_url(stores, stores.first))
    assert stores.store_of_snapshot() == stores.second
    again = admin("createVolume", name="again", snapshotid=stores.snapshot)["volume"]
    assert again["state"] == "Ready"
    deployed = admin(
        "deployVirtualMachine",
        zoneid=stores.api.zone,
        templateid=stores.template,
        serviceofferingid=stores.api.listed("listServiceOfferings", "serviceoffering")[0]["id"],
    )["virtualmachine"]
    assert deployed["state"] == "Running"


def _url(stores: Stores, store: str) -> str:
    (row,) = stores.api.listed("listImageStores", "imagestore", id=store)
    return str(row["url"])


def test_a_balancing_migration_leaves_both_about_as_full(stores: Stores) -> None:
    told = stores.admin(
        "migrateSecondaryStorageData", srcpool=stores.first, destpools=[stores.second], migrationtype="Balance"
    )["imagestore"]
    assert "1 objects" in told["message"]
    assert {len(stores.objects(s, f)) for s, f in _places(stores)} == {1}
    (source,) = stores.api.listed("listImageStores", "imagestore", id=stores.first)
    assert source["readonly"] is False


def _places(stores: Stores) -> list[tuple[str, str]]:
    found = []
    for store in (stores.first, stores.second):
        for folder in ("snapshots", "templates"):
            try:
                stores.objects(store, folder)
            except Refused:
                continue
            found.append((store, folder))
    return found


def test_single_things_move_and_what_is_not_there_is_refused(stores: Stores) -> None:
    admin, way = stores.admin, {"srcpool": stores.first, "destpool": stores.second}
    told = admin("migrateResourceToAnotherSecondaryStorage", **way, snapshots=stores.snapshot)["imagestore"]
    assert told["success"] and stores.store_of_snapshot() == stores.second
    gone = refused(431, admin, "migrateResourceToAnotherSecondaryStorage", **way, snapshots=stores.snapshot)
    assert "not on image store" in gone.text
    assert "Neither" in refused(431, admin, "migrateResourceToAnotherSecondaryStorage", **way).text
    assert admin("migrateResourceToAnotherSecondaryStorage", **way, templates=stores.template)["imagestore"]["success"]


def test_a_store_that_takes_nothing_new_is_no_destination(stores: Stores) -> None:
    admin = stores.admin
    same = refused(431, admin, "migrateSecondaryStorageData", srcpool=stores.first, destpools=[stores.first])
    assert "both the source and a destination" in same.text
    admin("updateImageStore", id=stores.second, readonly=True)
    closed = refused(431, admin, "migrateSecondaryStorageData", srcpool=stores.first, destpools=[stores.second])
    assert "read-only" in closed.text


def test_a_store_that_is_full_keeps_what_it_has(stores: Stores) -> None:
    stores.objects(stores.second)  # now the simulated filer is there
    stores.api.cloud.world.site.stores[OTHER].capacity = 1
    failed = refused(530, stores.admin, "migrateSecondaryStorageData", srcpool=stores.first, destpools=[stores.second])
    assert "is full" in failed.text and stores.store_of_snapshot() == stores.first
    assert stores.files(OTHER) == set()
