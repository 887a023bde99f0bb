"""Snapshots of whole instances."""

from __future__ import annotations

import pytest

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.compute.vm_snapshots import NEXT
from cloudsim.model import VirtualMachine, VmSnapshot
from tests.cloudsim.management.cloud_harness import Cloud
from tests.cloudsim.management.storage.test_volumes import refuse


def taken(cloud: Cloud, vm: VirtualMachine, name: str, memory: bool = True) -> VmSnapshot:
    service = cloud.manager.vm_snapshots
    snapshot: VmSnapshot = cloud.do(service.create(service.allocate(vm, name=name, memory=memory).id))
    return snapshot


def test_snapshots_form_a_chain_with_the_last_one_current(cloud: Cloud) -> None:
    vm = cloud.deploy()
    a, b = taken(cloud, vm, "a"), taken(cloud, vm, "b")
    rows = cloud.table(VmSnapshot)
    assert (b.state, b.type, b.parent_id, b.is_current) == ("Ready", "DiskAndMemory", a.id, True)
    assert not rows[a.id].is_current
    cloud.do(cloud.manager.vm_snapshots.delete(b.id))
    assert list(rows) == [rows[a.id]] and rows[a.id].is_current


def test_deleting_one_in_the_middle_hands_its_children_on(cloud: Cloud) -> None:
    vm = cloud.deploy()
    a, b, c = (taken(cloud, vm, name) for name in "abc")
    cloud.do(cloud.manager.vm_snapshots.delete(b.id))
    assert cloud.table(VmSnapshot)[c.id].parent_id == a.id


def test_reverting_makes_it_current_and_needs_the_state_it_was_taken_in(cloud: Cloud) -> None:
    vm = cloud.deploy()
    a, b = taken(cloud, vm, "a"), taken(cloud, vm, "b")
    assert cloud.do(cloud.manager.vm_snapshots.revert(a.id)).state == "Running"
    rows = cloud.table(VmSnapshot)
    assert rows[a.id].is_current and not rows[b.id].is_current and rows[a.id].state == "Ready"
    cloud.stop(vm)
    with pytest.raises(InvalidParameterValue, match="revert not allowed"):
        cloud.do(cloud.manager.vm_snapshots.revert(a.id))


def test_a_stopped_instance_gives_a_disk_snapshot(cloud: Cloud) -> None:
    vm = cloud.stop(cloud.deploy())
    with pytest.raises(InvalidParameterValue, match="not in Running"):
        cloud.manager.vm_snapshots.allocate(vm, memory=True)
    assert taken(cloud, vm, "cold", memory=False).type == "Disk"


def test_names_are_used_once(cloud: Cloud) -> None:
    vm = cloud.deploy()
    taken(cloud, vm, "a")
    with pytest.raises(InvalidParameterValue, match="already exists"):
        cloud.manager.vm_snapshots.allocate(vm, name="a")


def test_what_a_host_refuses_leaves_things_as_they_were(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    vm = cloud.deploy()
    kept = taken(cloud, vm, "a")
    for method, work in (
        ("create_vm_snapshot", lambda: taken(cloud, vm, "b")),
        ("revert_to_vm_snapshot", lambda: cloud.do(cloud.manager.vm_snapshots.revert(kept.id))),
        ("delete_vm_snapshot", lambda: cloud.do(cloud.manager.vm_snapshots.delete(kept.id))),
    ):
        with monkeypatch.context() as patch:
            refuse(cloud, method, patch)
            with pytest.raises(CloudError, match="on fire"):
                work()
    assert list(cloud.table(VmSnapshot)) == [kept]


def test_after_a_restart(cloud: Cloud) -> None:
    vm = cloud.deploy()
    service = cloud.manager.vm_snapshots
    service.allocate(vm, name="a")
    kept = taken(cloud, vm, "b")
    service.settle_after_restart()
    assert list(cloud.table(VmSnapshot)) == [kept]
    assert all(after in NEXT for following in NEXT.values() for after in following)
