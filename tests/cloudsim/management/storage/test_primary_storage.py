"""Storage pools: made, mounted, taken out of service and removed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceInUse
from cloudsim.management.storage.pool_urls import parse_pool_url
from cloudsim.management.storage.primary_storage import PoolFailed
from cloudsim.model import Alert, Cluster, Host, Pod, StoragePool, VirtualMachine
from cloudsim.protocol.commands import ModifyStoragePoolAnswer, ModifyStoragePoolCommand
from tests.cloudsim.management.cloud_harness import GIB, Cloud


def make(cloud: Cloud, name: str = "extra", url: str = "nfs://filer/extra", **more: Any) -> StoragePool:
    storage = cloud.manager.primary_storage
    zone_wide = more.get("scope") == "ZONE"
    pod = None if zone_wide else next(iter(cloud.table(Pod)))
    cluster = None if zone_wide else next(iter(cloud.table(Cluster)))
    pool: StoragePool = cloud.do(
        storage.create(storage.check_new(cloud.zone, pod, cluster, name=name, url=url, **more))
    )
    return pool


@pytest.fixture
def two_racks() -> Iterator[Cloud]:
    made = Cloud(racks=2)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("nfs://10.0.0.1/export/a", ("NetworkFilesystem", "10.0.0.1", "/export/a", 2049)),
        ("nfs://10.0.0.1:/export/a", ("NetworkFilesystem", "10.0.0.1", "/export/a", 2049)),
        ("rbd://admin:s%3Acret@mon:6790/pool", ("RBD", "mon", "pool", 6790)),
        ("SharedMountPoint://localhost/mnt/a", ("SharedMountPoint", "localhost", "/mnt/a", 0)),
        ("SharedMountPoint:///mnt/a", ("SharedMountPoint", "localhost", "/mnt/a", 0)),
        ("presetup://host/sr", ("PreSetup", "host", "/sr", 0)),
    ],
)
def test_a_url_says_where_the_pool_is(url: str, expected: tuple[str, str, str, int]) -> None:
    assert parse_pool_url(url)[:4] == expected


def test_a_url_may_carry_credentials() -> None:
    found = parse_pool_url("rbd://admin:s%3Acret@mon/pool")
    assert (found.user, found.secret) == ("admin", "s:cret")


@pytest.mark.parametrize(
    "url", ["", "host/path", "nfs:///path", "nfs://host", "nfs://host:port/a", "smb://h/a"]
)
def test_a_url_that_names_no_pool_is_refused(url: str) -> None:
    with pytest.raises(InvalidParameterValue):
        parse_pool_url(url)


def test_a_pool_takes_its_capacity_from_a_host(cloud: Cloud) -> None:
    pool = make(cloud, tags=("ssd",))
    assert (pool.state, pool.scope, pool.tags) == ("Up", "CLUSTER", ("ssd",))
    assert pool.capacity > 0
    assert make(cloud, "given", "nfs://filer/given", capacity=5 * GIB).capacity == 5 * GIB


def test_a_pool_of_a_zone_is_for_every_host(cloud: Cloud) -> None:
    pool = make(cloud, scope="ZONE")
    assert (pool.scope, pool.cluster_id, pool.pod_id) == ("ZONE", None, None)
    assert all(cloud.manager.disks.reach.reaches(host, pool) for host in cloud.table(Host))
    assert pool in cloud.manager.primary_storage.pools_for_new(next(iter(cloud.table(Host))))


def test_work_on_a_pool_of_a_zone_is_left_to_clusters_that_no_setting_excludes_from_it(two_racks: Cloud) -> None:
    cloud = two_racks
    pool, reach, settings = make(cloud, scope="ZONE"), cloud.manager.disks.reach, cloud.manager.settings
    first, second = cloud.table(Cluster)

    def order() -> list[str]:
        return [host.cluster_id for host in reach.hosts_reaching(pool)]

    settings.set("cluster.storage.operations.exclude", "true", "Cluster", first.id)
    assert order() == [second.id] * 2 + [first.id] * 2
    vms_host = next(host for host in cloud.table(Host) if host.cluster_id == first.id)
    assert reach.host_for(pool, vms_host.id) == vms_host
    settings.set("cluster.storage.operations.exclude", "true", "Cluster", second.id)
    assert len(order()) == 4
    settings.reset("cluster.storage.operations.exclude", "Cluster", first.id)
    assert order() == [first.id] * 2 + [second.id] * 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"scope": "HOST"},
        {"provider": "SolidFire"},
        {"managed": True},
        {"capacity": 0},
        {"url": "nfs://filer"},
        {"name": " "},
    ],
)
def test_a_pool_that_is_wrong_is_not_made(cloud: Cloud, wrong: dict[str, Any]) -> None:
    before = len(cloud.table(StoragePool))
    with pytest.raises(InvalidParameterValue):
        make(cloud, **wrong)
    assert len(cloud.table(StoragePool)) == before


def test_name_and_address_are_taken_once(cloud: Cloud) -> None:
    make(cloud)
    with pytest.raises(InvalidParameterValue, match="used in zone"):
        make(cloud, url="nfs://filer/other")
    with pytest.raises(InvalidParameterValue, match="already"):
        make(cloud, "other")


def refusing(cloud: Cloud, *refused: str) -> None:
    """Have those hosts (all when none) refuse to mount pools."""
    send = cloud.manager.agents.send

    async def send_or_refuse(host_id: str, command: Any, timeout: float | None = None) -> Any:
        if isinstance(command, ModifyStoragePoolCommand) and (not refused or host_id in refused):
            return ModifyStoragePoolAnswer(error="no route to host")
        return await send(host_id, command, timeout)

    cloud.manager.agents.send = send_or_refuse


def test_a_pool_that_no_host_can_mount_leaves_nothing(cloud: Cloud) -> None:
    refusing(cloud)
    with pytest.raises(PoolFailed, match="no route to host"):
        make(cloud)
    assert len(cloud.table(StoragePool)) == 1


def test_a_host_that_cannot_mount_is_an_alert(cloud: Cloud) -> None:
    first = next(iter(cloud.table(Host)))
    refusing(cloud, first.id)
    assert make(cloud).state == "Up"
    assert any(first.name in alert.description for alert in cloud.table(Alert))


def test_a_pool_needs_a_host_that_is_up(cloud: Cloud) -> None:
    for host in list(cloud.table(Host)):
        cloud.do(cloud.manager.hosts.delete(host))
    with pytest.raises(PoolFailed, match="No host up"):
        make(cloud)


def test_a_disabled_pool_takes_no_new_volume(cloud: Cloud) -> None:
    pool = next(iter(cloud.table(StoragePool)))
    storage = cloud.manager.primary_storage
    assert storage.update(pool, enabled=False).state == "Disabled"
    host = next(iter(cloud.table(Host)))
    with pytest.raises(CloudError):
        cloud.manager.disks.room.choose(host, GIB)
    assert storage.update(pool, enabled=True, tags=["a"], capacity=GIB, capacity_iops=9).capacity == GIB
    with pytest.raises(InvalidParameterValue, match="maintenance"):
        storage.update(pool, url="nfs://elsewhere/a")


def test_maintenance_stops_the_instances_that_use_the_pool(cloud: Cloud) -> None:
    vm = cloud.deploy()
    pool = next(iter(cloud.table(StoragePool)))
    maintenance = cloud.manager.pool_maintenance
    assert cloud.do(maintenance.enter_maintenance(pool)).state == "Maintenance"
    assert cloud.table(VirtualMachine)[vm.id].state == "Stopped"
    with pytest.raises(InvalidParameterValue):
        maintenance.check_maintenance(cloud.table(StoragePool)[pool.id])
    assert cloud.do(maintenance.leave_maintenance(pool)).state == "Up"
    with pytest.raises(InvalidParameterValue):
        cloud.do(maintenance.leave_maintenance(pool))


def test_maintenance_that_fails_leaves_the_pool_up(cloud: Cloud) -> None:
    cloud.deploy()
    pool = next(iter(cloud.table(StoragePool)))

    async def nothing(pool: StoragePool) -> None:
        return None

    cloud.manager.pool_maintenance.stop_users = nothing
    with pytest.raises(ResourceInUse):
        cloud.do(cloud.manager.pool_maintenance.enter_maintenance(pool))
    assert cloud.table(StoragePool)[pool.id].state == "Up"


def test_only_an_empty_pool_in_maintenance_is_deleted(cloud: Cloud) -> None:
    storage, maintenance = cloud.manager.primary_storage, cloud.manager.pool_maintenance
    pool = make(cloud)
    with pytest.raises(InvalidParameterValue, match="not in Maintenance"):
        cloud.do(storage.delete(pool))
    cloud.do(storage.delete(cloud.do(maintenance.enter_maintenance(pool))))
    assert pool.id not in cloud.table(StoragePool)
    cloud.deploy()
    used = cloud.do(maintenance.enter_maintenance(next(iter(cloud.table(StoragePool)))))
    with pytest.raises(CloudError, match="associated volumes"):
        cloud.do(storage.delete(used))
