"""Volumes: made, resized, destroyed, recovered and deleted, and what becomes of them when a host says no."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from cloudsim.errors import CloudError, ConcurrentOperation, InvalidParameterValue
from cloudsim.hypervisor import HypervisorError
from cloudsim.management.storage.volume_states import NEXT, move
from cloudsim.model import DiskOffering, Volume
from tests.cloudsim.management.cloud_harness import GIB, Cloud


def refuse(cloud: Cloud, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on every host fails at what `method` of its hypervisor does."""

    async def failing(*arguments: object, **more: object) -> None:
        raise HypervisorError(f"{method}: the disk is on fire")

    for host in cloud.world.hosts.values():
        monkeypatch.setattr(type(host.hypervisor), method, failing)


def test_a_new_volume_is_allocated_with_the_size_that_was_asked_for(cloud: Cloud) -> None:
    volume = cloud.volume(size=3)
    assert (volume.state, volume.type, volume.size, volume.pool_id) == (
        "Allocated",
        "DATADISK",
        3 * GIB,
        None,
    )
    assert cloud.do(cloud.manager.volumes.create(volume.id)).state == "Allocated"


def test_sizes_are_checked_against_the_offering(cloud: Cloud) -> None:
    allocate, small = cloud.manager.volumes.allocate, cloud.named(DiskOffering, "Small")
    with pytest.raises(InvalidParameterValue, match="does not allow custom size"):
        allocate(cloud.owner, "v", zone=cloud.zone, offering=small, size_gib=9)
    assert allocate(cloud.owner, "v", zone=cloud.zone, offering=small).size == 5 * GIB
    for size, text in (
        (None, "requires a custom size"),
        (0, "out of allowed range"),
        (2001, "out of allowed range"),
    ):
        with pytest.raises(InvalidParameterValue, match=text):
            allocate(cloud.owner, "v", zone=cloud.zone, offering=cloud.custom, size_gib=size)
    with pytest.raises(InvalidParameterValue, match="disk offering or a snapshot"):
        allocate(cloud.owner, "v", zone=cloud.zone)


def test_an_allocated_volume_is_resized_in_its_row_alone(cloud: Cloud) -> None:
    volume = cloud.volume()
    resized = cloud.do(cloud.manager.volumes.resize(volume.id, size_gib=7))
    assert (resized.state, resized.size) == ("Allocated", 7 * GIB)


def test_a_volume_in_use_grows_and_a_free_one_shrinks_only_when_that_is_said(cloud: Cloud) -> None:
    vm, volume = cloud.deploy(), cloud.volume()
    attachment, resize = cloud.manager.volume_attachment, cloud.manager.volumes.resize
    cloud.do(attachment.attach(volume.id, vm.id))
    assert cloud.do(resize(volume.id, size_gib=4)).size == 4 * GIB
    cloud.do(attachment.detach(volume.id))
    with pytest.raises(InvalidParameterValue, match="shrinkok"):
        cloud.do(resize(volume.id, size_gib=3))
    assert cloud.do(resize(volume.id, size_gib=3, shrink_ok=True)).size == 3 * GIB


def test_a_root_volume_only_grows(cloud: Cloud) -> None:
    root = cloud.root(cloud.deploy())
    resize = cloud.manager.volumes.resize
    assert cloud.do(resize(root.id, size_gib=2)).size == 2 * GIB
    with pytest.raises(InvalidParameterValue, match="only grow"):
        cloud.do(resize(root.id, size_gib=1, shrink_ok=True))


def test_a_resize_that_the_host_refuses_leaves_the_volume_as_it_was(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    vm = cloud.deploy()
    root = cloud.root(vm)
    refuse(cloud, "resize_volume", monkeypatch)
    with pytest.raises(CloudError, match="on fire"):
        cloud.do(cloud.manager.volumes.resize(root.id, size_gib=9))
    assert cloud.table(Volume)[root.id] == root


def test_destroyed_volumes_can_be_recovered_until_they_are_cleaned_up(cloud: Cloud) -> None:
    volumes, volume = cloud.manager.volumes, cloud.volume()
    assert cloud.do(volumes.destroy(volume.id)).state == "Destroy"
    assert volumes.recover(cloud.table(Volume)[volume.id]).state == "Allocated"
    with pytest.raises(InvalidParameterValue, match="in Destroy state"):
        volumes.recover(cloud.table(Volume)[volume.id])
    cloud.do(volumes.destroy(volume.id))
    assert cloud.do(volumes.expunge_destroyed()) == 0  # a round to think it over
    assert cloud.do(volumes.expunge_destroyed()) == 1
    assert volume.id not in cloud.table(Volume)


def test_a_volume_is_deleted_with_its_file(cloud: Cloud) -> None:
    vm, volume = cloud.deploy(), cloud.volume()
    attachment = cloud.manager.volume_attachment
    attached = cloud.do(attachment.attach(volume.id, vm.id))
    with pytest.raises(InvalidParameterValue, match="not attached to any VM"):
        cloud.do(cloud.manager.volumes.delete(attached))
    detached = cloud.do(attachment.detach(volume.id))
    cloud.do(cloud.manager.volumes.delete(detached))
    assert volume.id not in cloud.table(Volume)
    assert cloud.manager.disks.room.promised[detached.pool_id] == cloud.root(vm).size


def test_a_volume_that_cannot_be_deleted_now_can_be_deleted_later(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    vm, volume = cloud.deploy(), cloud.volume()
    attachment = cloud.manager.volume_attachment
    cloud.do(attachment.attach(volume.id, vm.id))
    detached = cloud.do(attachment.detach(volume.id))
    with monkeypatch.context() as patch:
        refuse(cloud, "delete_volume", patch)
        with pytest.raises(CloudError, match="on fire"):
            cloud.do(cloud.manager.volumes.delete(detached))
    left = cloud.table(Volume)[volume.id]
    assert left.state == "Destroy"
    cloud.do(cloud.manager.volumes.delete(left))
    assert volume.id not in cloud.table(Volume)


def test_delete_protection(cloud: Cloud) -> None:
    volumes, volume = cloud.manager.volumes, cloud.volume()
    guarded = volumes.update(volume, delete_protection=True, name="keep")
    with pytest.raises(InvalidParameterValue, match="delete protection"):
        cloud.do(volumes.delete(guarded))
    cloud.do(volumes.delete(volumes.update(guarded, delete_protection=False)))


def test_the_table_knows_every_state_of_a_volume() -> None:
    states = set(get_args(get_type_hints(Volume)["state"]))
    assert states == set(NEXT)
    assert states >= {after for following in NEXT.values() for after in following}


def test_what_the_table_does_not_allow_is_refused(cloud: Cloud) -> None:
    volume = cloud.volume()
    with cloud.store.transaction():
        with pytest.raises(InvalidParameterValue, match="cannot become Resizing"):
            move(cloud.table(Volume), volume.id, "Resizing")
        with pytest.raises(ConcurrentOperation, match="removed"):
            move(cloud.table(Volume), "nobody", "Ready")


def test_after_a_restart_nothing_is_at_work_on_volumes(cloud: Cloud) -> None:
    vm = cloud.deploy()
    root = cloud.root(vm)
    with cloud.store.transaction():
        move(cloud.table(Volume), root.id, "Snapshotting")
    cloud.manager.volumes.settle_after_restart()
    assert cloud.table(Volume)[root.id].state == "Ready"
