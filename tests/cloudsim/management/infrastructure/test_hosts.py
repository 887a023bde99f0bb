"""Hosts: added to a simulated datacenter, put into maintenance, removed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cloudsim.errors import InsufficientCapacity, InvalidParameterValue, ResourceInUse
from cloudsim.management.infrastructure.hosts import HostNotAdded
from cloudsim.model import Cluster, Host, Pod, StoragePool, TemplateOnPool, VirtualMachine
from cloudsim.protocol.commands import ModifyStoragePoolAnswer, ModifyStoragePoolCommand
from tests.cloudsim.management.cloud_harness import Cloud

NEW = "http://sim/new/cpucore=2&cpuspeed=1000&memory=4294967296&localstorage=1073741824"


def add(cloud: Cloud, url: str = NEW, **more: Any) -> Host:
    pod, cluster = next(iter(cloud.table(Pod))), next(iter(cloud.table(Cluster)))
    host: Host = cloud.do(cloud.manager.hosts.add(cloud.zone, pod, cluster, url=url, **more))
    return host


def test_a_host_is_what_its_agent_says(cloud: Cloud) -> None:
    host = add(cloud, tags=("fast",), hypervisor="simulator")
    assert (host.state, host.resource_state, host.tags) == ("Up", "Enabled", ("fast",))
    assert (host.cpus, host.cpu_mhz, host.memory_mib, host.local_storage) == (2, 1000, 4096, 1 << 30)
    assert host.name == f"SimulatedAgent.{host.guid}" and host.private_ip
    assert cloud.manager.agents.is_connected(host.id)


def test_a_host_mounts_the_pools_it_reaches(cloud: Cloud) -> None:
    host = add(cloud)
    for vm in (cloud.deploy(f"v{i}") for i in range(3)):
        cloud.stop(vm)
    for other in list(cloud.table(Host)):
        if other.id != host.id:
            cloud.manager.hosts.update(other, allocation="Disabled")
    assert cloud.deploy("here").host_id == host.id


def test_a_disabled_host_takes_no_instance(cloud: Cloud) -> None:
    host = add(cloud, enabled=False)
    assert host.resource_state == "Disabled"
    slot = cloud.manager.capacity.slot[host.id]
    assert cloud.manager.capacity.cpu_room[slot] == -1


@pytest.mark.parametrize("url", ["http://nowhere/h", "ftp://sim/h"])
def test_a_host_that_is_none_leaves_nothing(cloud: Cloud, url: str) -> None:
    before = len(cloud.table(Host))
    with pytest.raises(InvalidParameterValue):
        add(cloud, url)
    assert len(cloud.table(Host)) == before


def test_a_host_of_another_hypervisor_is_refused(cloud: Cloud) -> None:
    with pytest.raises(InvalidParameterValue, match="hypervisor"):
        add(cloud, hypervisor="KVM")
    with cloud.store.transaction():
        for cluster in list(cloud.table(Cluster)):
            cloud.table(Cluster).update(cluster.id, arch="aarch64")
    with pytest.raises(HostNotAdded, match="x86_64"):
        add(cloud)
    assert len(cloud.table(Host)) == 2


def test_a_host_that_cannot_mount_a_pool_leaves_nothing(cloud: Cloud) -> None:
    agents = cloud.manager.agents
    send = agents.send

    async def failing(host_id: str, command: Any, timeout: float | None = None) -> Any:
        if isinstance(command, ModifyStoragePoolCommand):
            return ModifyStoragePoolAnswer(error="mount.nfs: connection refused")
        return await send(host_id, command, timeout)

    agents.send = failing
    with pytest.raises(HostNotAdded, match="connection refused"):
        add(cloud)
    assert len(cloud.table(Host)) == 2
    agents.send = send
    assert add(cloud).state == "Up"


def test_an_agent_that_does_not_come_is_an_error(cloud: Cloud) -> None:
    async def lost(host: Any) -> str:
        return "no-such-guid"

    discover, cloud.world.discover = cloud.world.discover, lost  # type: ignore[method-assign]
    try:
        with pytest.raises(HostNotAdded, match="did not connect"):
            add(cloud)
    finally:
        cloud.world.discover = discover  # type: ignore[method-assign]
    assert len(cloud.table(Host)) == 2


def test_a_zone_with_local_storage_gives_each_host_a_pool(cloud: Cloud) -> None:
    cloud.zone = cloud.manager.zones.update(cloud.zone, local_storage=True)
    host = add(cloud)
    (pool,) = cloud.table(StoragePool).where("host_id", host.id)
    assert (pool.scope, pool.type, pool.state, pool.capacity) == ("HOST", "Filesystem", "Up", 1 << 30)
    cloud.do(cloud.manager.hosts.delete(host))
    assert not cloud.table(StoragePool).where("host_id", host.id)


def test_update_changes_what_is_given(cloud: Cloud) -> None:
    first, second = cloud.table(Host)
    hosts = cloud.manager.hosts
    assert hosts.update(first, tags=(" a", "a", "b", "")).tags == ("a", "b")
    assert hosts.update(first, allocation="Disabled").resource_state == "Disabled"
    with pytest.raises(InvalidParameterValue):
        hosts.update(first, name=second.name)


def test_maintenance_moves_instances_away_and_ends(cloud: Cloud) -> None:
    vm = cloud.deploy()
    host = cloud.table(Host)[vm.host_id]
    hosts = cloud.manager.hosts
    assert cloud.do(hosts.enter_maintenance(host)).resource_state == "Maintenance"
    moved = cloud.table(VirtualMachine)[vm.id]
    assert moved.state == "Running" and moved.host_id != host.id
    with pytest.raises(InvalidParameterValue, match="Cannot perform maintain"):
        hosts.check_maintenance(cloud.table(Host)[host.id])
    with pytest.raises(InvalidParameterValue, match="cannot be enabled"):
        hosts.update(cloud.table(Host)[host.id], allocation="Enabled")
    assert hosts.leave_maintenance(host).resource_state == "Enabled"
    with pytest.raises(InvalidParameterValue, match="cancelMaintenance"):
        hosts.leave_maintenance(host)


def test_maintenance_that_cannot_move_an_instance_is_an_error(cloud: Cloud) -> None:
    vm = cloud.deploy()
    host = cloud.table(Host)[vm.host_id]
    for other in list(cloud.table(Host)):
        if other.id != host.id:
            cloud.manager.hosts.update(other, allocation="Disabled")
    with pytest.raises(InsufficientCapacity):
        cloud.do(cloud.manager.hosts.enter_maintenance(host))
    assert cloud.table(Host)[host.id].resource_state == "ErrorInMaintenance"
    assert cloud.table(VirtualMachine)[vm.id].state == "Running"
    assert cloud.manager.hosts.leave_maintenance(host).resource_state == "Enabled"


def test_cancelled_maintenance_stays_cancelled(cloud: Cloud) -> None:
    vm = cloud.deploy()
    host = cloud.table(Host)[vm.host_id]
    hosts = cloud.manager.hosts

    async def race() -> None:
        entering = asyncio.ensure_future(hosts.enter_maintenance(host))
        await asyncio.sleep(0.01)
        assert cloud.table(Host)[host.id].resource_state == "PrepareForMaintenance"
        hosts.leave_maintenance(host)
        await entering

    cloud.do(race())
    assert cloud.table(Host)[host.id].resource_state == "Enabled"


def test_a_host_with_instances_is_deleted_only_by_force(cloud: Cloud) -> None:
    vm = cloud.deploy()
    host = cloud.table(Host)[vm.host_id]
    with pytest.raises(ResourceInUse):
        cloud.do(cloud.manager.hosts.delete(host))
    cloud.do(cloud.manager.hosts.delete(host, forced=True))
    stopped = cloud.table(VirtualMachine)[vm.id]
    assert (stopped.state, stopped.host_id, stopped.last_host_id) == ("Stopped", None, None)
    assert host.id not in cloud.table(Host) and not cloud.manager.agents.is_connected(host.id)
    cloud.wait(300)
    assert host.id not in cloud.table(Host)


def test_a_deleted_host_can_be_added_again(cloud: Cloud) -> None:
    host = next(iter(cloud.table(Host)))
    cloud.do(cloud.manager.hosts.delete(host))
    again = add(cloud, host.url)
    assert again.guid == host.guid and again.id != host.id and again.state == "Up"


def test_reconnect_brings_the_agent_back(cloud: Cloud) -> None:
    host = next(iter(cloud.table(Host)))
    again = cloud.do(cloud.manager.hosts.reconnect(host))
    assert again.state == "Up" and cloud.manager.agents.is_connected(host.id)


def test_templates_copies_go_with_a_local_pool(cloud: Cloud) -> None:
    cloud.zone = cloud.manager.zones.update(cloud.zone, local_storage=True)
    host = add(cloud)
    (pool,) = cloud.table(StoragePool).where("host_id", host.id)
    with cloud.store.transaction():
        cloud.table(TemplateOnPool).insert(
            TemplateOnPool(id="copy", template_id=cloud.template.id, pool_id=pool.id, state="Ready")
        )
    cloud.do(cloud.manager.hosts.delete(host))
    assert "copy" not in cloud.table(TemplateOnPool)
