"""Snapshots of volumes, and volumes made of them."""

from __future__ import annotations

import pytest

from cloudsim.errors import CloudError, InsufficientCapacity, InvalidParameterValue
from cloudsim.management.storage.snapshots import NEXT
from cloudsim.model import Snapshot, StoragePool, VirtualMachine, Volume
from tests.cloudsim.management.cloud_harness import Cloud
from tests.cloudsim.management.storage.test_volumes import refuse


def taken(cloud: Cloud, volume: Volume, name: str | None = None) -> Snapshot:
    allocated = cloud.manager.snapshots.allocate(volume, name)
    snapshot: Snapshot = cloud.do(cloud.manager.snapshots.create(allocated.id))
    return snapshot


def test_a_snapshot_is_backed_up_and_its_volume_ready_again(cloud: Cloud) -> None:
    root = cloud.root(cloud.deploy())
    snapshot = taken(cloud, root, "first")
    assert (snapshot.state, snapshot.volume_id, snapshot.size, snapshot.type) == (
        "BackedUp",
        root.id,
        root.size,
        "MANUAL",
    )
    assert snapshot.path and snapshot.store_id and snapshot.template_id == cloud.template.id
    assert cloud.table(Volume)[root.id].state == "Ready"


def test_a_name_is_made_up_of_instance_volume_and_time(cloud: Cloud) -> None:
    root = cloud.root(cloud.deploy("web"))
    assert taken(cloud, root).name.startswith(f"web_{root.name}_20260101")


def test_a_volume_that_was_never_made_has_nothing_to_snapshot(cloud: Cloud) -> None:
    with pytest.raises(InvalidParameterValue, match="not in Ready state but Allocated"):
        cloud.manager.snapshots.allocate(cloud.volume())


def test_a_snapshot_that_fails_is_gone(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    root = cloud.root(cloud.deploy())
    refuse(cloud, "backup_snapshot", monkeypatch)
    with pytest.raises(CloudError, match="on fire"):
        taken(cloud, root)
    assert len(cloud.table(Snapshot)) == 0
    assert cloud.table(Volume)[root.id].state == "Ready"


def test_a_volume_is_made_of_a_snapshot_at_once(cloud: Cloud) -> None:
    snapshot = taken(cloud, cloud.root(cloud.deploy()))
    volume = cloud.manager.volumes.allocate(cloud.owner, "copy", snapshot=snapshot)
    made = cloud.do(cloud.manager.volumes.create(volume.id))
    assert (made.state, made.size, made.snapshot_id) == ("Ready", snapshot.size, snapshot.id)
    with pytest.raises(InvalidParameterValue, match="not in zone"):
        other = cloud.call(
            cloud.manager.zones.create,
            name="z2",
            network_type="Advanced",
            dns1="8.8.8.8",
            internal_dns1="8.8.8.8",
        )
        cloud.manager.volumes.allocate(cloud.owner, "copy", snapshot=snapshot, zone=other)


def test_a_volume_of_a_snapshot_goes_where_there_is_room_or_nowhere() -> None:
    cloud = Cloud(racks=2)
    try:
        snapshot = taken(cloud, cloud.root(cloud.deploy()))
        first, second = cloud.table(StoragePool)
        with cloud.store.transaction():
            cloud.table(StoragePool).update(first.id, capacity=0)
        allocate = cloud.manager.volumes.allocate
        volume = allocate(cloud.owner, "copy", snapshot=snapshot)
        assert cloud.do(cloud.manager.volumes.create(volume.id)).pool_id == second.id
        with cloud.store.transaction():
            cloud.table(StoragePool).update(second.id, capacity=0)
        volume = allocate(cloud.owner, "other", snapshot=snapshot)
        with pytest.raises(InsufficientCapacity):
            cloud.do(cloud.manager.volumes.create(volume.id))
        assert volume.id not in cloud.table(Volume)
    finally:
        cloud.close()


def test_reverting_needs_a_stopped_instance(cloud: Cloud) -> None:
    vm = cloud.deploy()
    snapshot = taken(cloud, cloud.root(vm))
    with pytest.raises(InvalidParameterValue, match="not in the shutdown state"):
        cloud.do(cloud.manager.snapshots.revert(snapshot.id))
    cloud.stop(vm)
    assert cloud.do(cloud.manager.snapshots.revert(snapshot.id)).state == "BackedUp"
    assert cloud.root(cloud.table(VirtualMachine)[vm.id]).state == "Ready"


def test_a_snapshot_outlives_its_volume_and_is_then_not_to_be_reverted_to(cloud: Cloud) -> None:
    vm, volume = cloud.deploy(), cloud.volume()
    attachment = cloud.manager.volume_attachment
    attached = cloud.do(attachment.attach(volume.id, vm.id))
    snapshot = taken(cloud, attached)
    cloud.do(cloud.manager.volumes.delete(cloud.do(attachment.detach(volume.id))))
    with pytest.raises(InvalidParameterValue, match="no longer exists"):
        cloud.manager.snapshots.check_revertable(cloud.table(Snapshot)[snapshot.id])
    cloud.do(cloud.manager.snapshots.delete(snapshot.id))
    assert len(cloud.table(Snapshot)) == 0


def test_a_snapshot_whose_file_stays_stays(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = taken(cloud, cloud.root(cloud.deploy()))
    refuse(cloud, "delete_image", monkeypatch)
    with pytest.raises(CloudError, match="on fire"):
        cloud.do(cloud.manager.snapshots.delete(snapshot.id))
    assert cloud.table(Snapshot)[snapshot.id] == snapshot


def test_after_a_restart_half_made_snapshots_are_gone(cloud: Cloud) -> None:
    root = cloud.root(cloud.deploy())
    cloud.manager.snapshots.allocate(root)
    kept = taken(cloud, root)
    cloud.manager.snapshots.settle_after_restart()
    assert list(cloud.table(Snapshot)) == [kept]
    assert all(after in NEXT for following in NEXT.values() for after in following)
