"""The capacity report against what the rows say."""

from __future__ import annotations

from cloudsim.management.infrastructure.capacity_report import (
    CPU,
    LOCAL_STORAGE,
    MEMORY,
    PRIVATE_IP,
    STORAGE,
    STORAGE_ALLOCATED,
    VLAN,
    CapacityReport,
)
from cloudsim.model import Cluster, Host, Pod, StoragePool
from tests.cloudsim.management.cloud_harness import GIB, Cloud


def report(cloud: Cloud) -> CapacityReport:
    return CapacityReport(cloud.manager.foundation, cloud.manager.capacity, cloud.manager.disks)


def by_type(cloud: Cloud, place: object) -> dict[int, tuple[int, int]]:
    return {c.type: (c.total, c.used) for c in report(cloud).of([place])}  # type: ignore[list-item]


def test_it_adds_up(cloud: Cloud) -> None:
    vm = cloud.deploy()
    hosts = list(cloud.table(Host))
    cluster, pod = next(iter(cloud.table(Cluster))), next(iter(cloud.table(Pod)))
    found = by_type(cloud, cluster)
    assert found[CPU] == (sum(h.cpus * h.cpu_mhz for h in hosts), vm.cpus * vm.cpu_mhz)
    assert found[MEMORY] == (sum(h.memory_mib for h in hosts) << 20, vm.memory_mib << 20)
    (pool,) = cloud.table(StoragePool)
    assert found[STORAGE][0] == pool.capacity
    assert found[STORAGE_ALLOCATED] == (2 * pool.capacity, GIB)
    assert LOCAL_STORAGE not in found and VLAN not in found
    zone = by_type(cloud, cloud.zone)
    assert {kind: zone[kind] for kind in found} == found
    assert zone[VLAN] == (10, 0) and zone[PRIVATE_IP] == by_type(cloud, pod)[PRIVATE_IP]


def test_what_takes_no_instance_does_not_count(cloud: Cloud) -> None:
    for host in list(cloud.table(Host)):
        cloud.manager.hosts.update(host, allocation="Disabled")
    cluster = next(iter(cloud.table(Cluster)))
    assert CPU not in by_type(cloud, cluster)
    kept = report(cloud).of([cluster], {CPU}, kept=True)
    assert [(c.total, c.used, c.share) for c in kept] == [(0, 0, 0.0)]
