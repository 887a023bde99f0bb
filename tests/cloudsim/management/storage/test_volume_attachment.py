"""Attaching and detaching volumes, to running and stopped instances, and when hosts fail or fall silent."""

from __future__ import annotations

import pytest

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.infrastructure.agents import OutcomeUnknown
from cloudsim.model import StoragePool, VirtualMachine, Volume
from tests.cloudsim.management.cloud_harness import Cloud
from tests.cloudsim.management.storage.test_volumes import refuse


def test_an_allocated_volume_is_made_where_its_running_instance_can_use_it(cloud: Cloud) -> None:
    vm, volume = cloud.deploy(), cloud.volume()
    attached = cloud.do(cloud.manager.volume_attachment.attach(volume.id, vm.id))
    assert (attached.state, attached.vm_id, attached.device_id) == ("Ready", vm.id, 1)
    assert attached.pool_id == cloud.root(vm).pool_id and attached.attached is not None
    detached = cloud.do(cloud.manager.volume_attachment.detach(volume.id))
    assert (detached.state, detached.vm_id, detached.device_id) == ("Ready", None, None)


def test_a_stopped_instances_volume_is_made_when_it_starts(cloud: Cloud) -> None:
    vm, volume = cloud.deploy(start=False), cloud.volume()
    attached = cloud.do(cloud.manager.volume_attachment.attach(volume.id, vm.id))
    assert (attached.state, attached.vm_id, attached.device_id) == ("Allocated", vm.id, 1)
    cloud.do(cloud.manager.vms.start(vm.id))
    assert cloud.table(Volume)[volume.id].state == "Ready"


def test_device_ids_leave_out_the_cd_rom_and_end_at_the_hypervisors_limit(cloud: Cloud) -> None:
    vm, attach = cloud.deploy(start=False), cloud.manager.volume_attachment.attach
    devices = [cloud.do(attach(cloud.volume(f"d{n}").id, vm.id)).device_id for n in range(6)]
    assert devices == [1, 2, 4, 5, 6, 7]
    with pytest.raises(InvalidParameterValue, match="maximum number of data disks"):
        cloud.do(attach(cloud.volume().id, vm.id))


@pytest.mark.parametrize("device", [0, 1, 3])
def test_a_device_id_that_is_taken_or_kept_is_refused(cloud: Cloud, device: int) -> None:
    vm, attach = cloud.deploy(), cloud.manager.volume_attachment.attach
    cloud.do(attach(cloud.volume().id, vm.id, 1))
    with pytest.raises(InvalidParameterValue):
        cloud.do(attach(cloud.volume().id, vm.id, device))


def test_a_volume_has_one_instance(cloud: Cloud) -> None:
    attach, volume = cloud.manager.volume_attachment.attach, cloud.volume()
    cloud.do(attach(volume.id, cloud.deploy("a").id))
    with pytest.raises(InvalidParameterValue, match="not attached to any VM"):
        cloud.do(attach(volume.id, cloud.deploy("b").id))


def test_a_host_that_refuses_leaves_a_free_volume(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    vm, volume = cloud.deploy(), cloud.volume()
    with monkeypatch.context() as patch:
        refuse(cloud, "attach_volume", patch)
        with pytest.raises(CloudError, match="on fire"):
            cloud.do(cloud.manager.volume_attachment.attach(volume.id, vm.id))
    left = cloud.table(Volume)[volume.id]
    assert (left.state, left.vm_id, left.device_id) == ("Ready", None, None)
    cloud.do(cloud.manager.volume_attachment.attach(volume.id, vm.id))
    with monkeypatch.context() as patch:
        refuse(cloud, "detach_volume", patch)
        with pytest.raises(CloudError, match="on fire"):
            cloud.do(cloud.manager.volume_attachment.detach(volume.id))
    left = cloud.table(Volume)[volume.id]
    assert (left.state, left.vm_id, left.device_id) == ("Ready", vm.id, 1)


def test_a_silent_host_leaves_the_volume_with_the_instance(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    vm, volume = cloud.deploy(), cloud.volume()
    cloud.do(
        cloud.manager.disks.place(
            volume, next(cloud.manager.disks.reach.hosts_reaching(next(iter(cloud.table(StoragePool)))))
        )
    )

    async def silent(*arguments: object, **more: object) -> None:
        raise OutcomeUnknown("no answer")

    monkeypatch.setattr(cloud.manager.agents, "send", silent)
    with pytest.raises(OutcomeUnknown):
        cloud.do(cloud.manager.volume_attachment.attach(volume.id, vm.id))
    left = cloud.table(Volume)[volume.id]
    assert (left.state, left.vm_id, left.device_id) == ("Ready", vm.id, 1)


def test_a_volume_of_another_rack_is_moved_to_the_instances() -> None:
    cloud = Cloud(racks=2)
    try:
        pools = {pool.id: pool for pool in cloud.table(StoragePool)}
        vm, other = cloud.deploy("here"), cloud.volume()
        here = pools[cloud.root(vm).pool_id or ""]
        there = next(p for p in pools.values() if p.id != here.id)
        far = next(cloud.manager.disks.reach.hosts_reaching(there))
        placed = cloud.do(cloud.manager.disks.place(other, far))
        assert placed.pool_id == there.id
        attached = cloud.do(cloud.manager.volume_attachment.attach(other.id, vm.id))
        assert (attached.pool_id, attached.vm_id) == (here.id, vm.id)
        cloud.do(cloud.manager.volume_attachment.detach(other.id))
        moved = cloud.do(cloud.manager.volume_migration.migrate(other.id, there))
        assert (moved.state, moved.pool_id) == ("Ready", there.id)
        with pytest.raises(InvalidParameterValue, match="already on"):
            cloud.do(cloud.manager.volume_migration.migrate(other.id, there))
    finally:
        cloud.close()


def test_an_instance_with_vm_snapshots_keeps_its_disks(cloud: Cloud) -> None:
    vm, volume = cloud.deploy(), cloud.volume()
    taken = cloud.manager.vm_snapshots.allocate(cloud.table(VirtualMachine)[vm.id], memory=True)
    cloud.do(cloud.manager.vm_snapshots.create(taken.id))
    with pytest.raises(InvalidParameterValue, match="VM snapshots"):
        cloud.do(cloud.manager.volume_attachment.attach(volume.id, vm.id))
