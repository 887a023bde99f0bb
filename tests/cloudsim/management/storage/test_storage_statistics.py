"""How full storage is, as the cloud finds out from time to time."""

from __future__ import annotations

from typing import Any

from cloudsim.model import ImageStore, StoragePool
from tests.cloudsim.management.cloud_harness import GIB, Cloud


def pool(cloud: Cloud) -> Any:
    (found,) = cloud.table(StoragePool)
    return found


def test_a_pool_tells_what_its_volumes_take(cloud: Cloud) -> None:
    assert pool(cloud).used == 0
    cloud.deploy()
    cloud.wait(60)
    held = cloud.world.pool(cloud.world.layout.zones[0].pods[0].racks[0].pools[0].path)
    assert pool(cloud).used == held.statistics().used > 0
    assert pool(cloud).capacity == held.statistics().capacity


def test_a_pool_that_no_host_reaches_keeps_what_was_found_last(cloud: Cloud) -> None:
    cloud.deploy()
    cloud.wait(60)
    found = pool(cloud).used
    for host in cloud.world.hosts.values():
        cloud.world.crash_host(host.name)
    cloud.wait(600)
    assert pool(cloud).used == found


def test_an_image_store_holds_what_was_put_there(cloud: Cloud) -> None:
    cloud.wait(60)
    (store,) = cloud.table(ImageStore)
    before = store.used
    assert before >= 2 * GIB  # the templates that come with the cloud
    volume = cloud.root(cloud.deploy())
    snapshot = cloud.manager.snapshots.allocate(volume, "one")
    cloud.do(cloud.manager.snapshots.create(snapshot.id))
    cloud.wait(60)
    (store,) = cloud.table(ImageStore)
    assert store.used > before


def test_an_interval_of_zero_measures_nothing(cloud: Cloud) -> None:
    cloud.manager.settings.set("storage.stats.interval", "0")
    cloud.wait(60)
    cloud.deploy()
    cloud.wait(600)
    assert pool(cloud).used == 0
