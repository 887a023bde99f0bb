"""Snapshots of whole instances: all disks at one time, and the memory of one that runs."""

from __future__ import annotations

from typing import Any

from cloudsim.errors import CloudError, ConcurrentOperation, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.infrastructure.hypervisor_types import capabilities_of
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.storage.disks import Disks
from cloudsim.management.storage.volume_states import check_at_rest
from cloudsim.model import StoragePool, VirtualMachine, VmSnapshot
from cloudsim.protocol.commands import (
    Command,
    CreateVmSnapshotCommand,
    DeleteVmSnapshotCommand,
    RevertToVmSnapshotCommand,
)
from cloudsim.protocol.specs import DiskSpec

NEXT: dict[str, frozenset[str]] = {
    "Allocated": frozenset({"Creating"}),
    "Creating": frozenset({"Ready", "Error"}),
    "Ready": frozenset({"Reverting", "Expunging"}),
    "Reverting": frozenset({"Ready"}),
    "Expunging": frozenset({"Ready", "Error", "Expunging"}),
    "Error": frozenset({"Expunging"}),
}
"""Which states may follow which. A removed snapshot's row is gone."""

class VmSnapshotFailed(CloudError):
    """A host could not do something with an instance's snapshot; the text is the host's."""


class VmSnapshots:
    """Takes, reverts to and removes snapshots of instances."""

    def __init__(self, foundation: Foundation, agents: Agents, disks: Disks) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._disks = disks
        self._table = foundation.table(VmSnapshot)
        self._vms = foundation.table(VirtualMachine)
        self._pools = foundation.table(StoragePool)
        self._randomness = foundation.randomness.branch("vm_snapshots")

    def _move(self, snapshot_id: str, state: Any, **fields: Any) -> VmSnapshot:
        snapshot = self._table[snapshot_id]
        if state not in NEXT[snapshot.state]:
            raise InvalidParameterValue(
                f"VM snapshot {snapshot.name} is {snapshot.state} and cannot become {state}"
            )
        return self._table.update(snapshot_id, state=state, **fields)

    def allocate(
        self,
        vm: VirtualMachine,
        *,
        name: str | None = None,
        description: str | None = None,
        memory: bool = False,
    ) -> VmSnapshot:
        """A snapshot to be taken of the instance. With memory, it must run."""
        self._check_free(vm)
        if memory and vm.state != "Running":
            raise InvalidParameterValue("Can not snapshot memory when VM is not in Running state")
        if not capabilities_of(self._store, vm.hypervisor).vm_snapshots:
            raise InvalidParameterValue(f"VM snapshot is not enabled for hypervisor type: {vm.hypervisor}")
        if vm.gpus:
            raise InvalidParameterValue(f"VM snapshot is not possible for an instance with a GPU: {vm.name}")
        taken = self._table.where("vm_id", vm.id)
        most = self._foundation.settings.integer("vmsnapshot.max", "Account", vm.account_id)
        if len(taken) >= most:
            raise InvalidParameterValue(f"Creating vm snapshot failed due to a limit of {most} for {vm.name}")
        if any(not volume.path for volume in self._disks.of(vm)):
            raise InvalidParameterValue(f"{vm.name} has disks that were never made: start it first")
        snapshot_id = self._randomness.uuid()
        shown = name or f"{vm.instance_name}_VS_{len(taken) + 1}"
        if self._table.find(("vm_id", "name"), (vm.id, shown)) is not None:
            raise InvalidParameterValue(f"A VM snapshot with name: {shown} already exists for {vm.name}")
        current = next((s for s in taken if s.is_current), None)
        with self._store.transaction():
            return self._table.insert(
                VmSnapshot(
                    id=snapshot_id,
                    name=shown,
                    display_name=shown,
                    vm_id=vm.id,
                    account_id=vm.account_id,
                    domain_id=vm.domain_id,
                    zone_id=vm.zone_id,
                    type="DiskAndMemory" if memory else "Disk",
                    description=description or shown,
                    parent_id=current.id if current is not None else None,
                    created=self._foundation.now(),
                )
            )

    def _check_free(self, vm: VirtualMachine, but: str = "") -> None:
        if vm.state not in ("Running", "Stopped"):
            raise InvalidParameterValue(
                f"Creating vm snapshot failed due to VM:{vm.name} is not in the running or Stopped state"
            )
        disks = self._disks.of(vm)
        if not disks:
            raise InvalidParameterValue(f"Instance {vm.name} has no disk, so there is nothing to snapshot")
        for volume in disks:
            check_at_rest(volume)
        for snapshot in self._table.where("vm_id", vm.id):
            if snapshot.id != but and snapshot.state in ("Creating", "Reverting", "Expunging"):
                raise ConcurrentOperation(
                    f"There is other active vm snapshot tasks on the instance {vm.name}"
                )

    async def create(self, snapshot_id: str) -> VmSnapshot:
        """Take an allocated snapshot; when that fails it is gone."""
        snapshot = self._table[snapshot_id]
        try:
            vm = self._vm(snapshot)
            self._check_free(vm, snapshot_id)
            memory = snapshot.type == "DiskAndMemory"
            if memory and vm.state != "Running":
                raise InvalidParameterValue("Can not snapshot memory when VM is not in Running state")
            with self._store.transaction():
                self._move(snapshot_id, "Creating")
            command = CreateVmSnapshotCommand(
                vm=vm.instance_name, snapshot=snapshot.id, disks=self._specs(vm), memory=memory
            )
            await self._send(vm, command, f"VM snapshot {snapshot.name} was not taken")
        except BaseException:
            if snapshot_id in self._table:
                with self._store.transaction():
                    remove_leftovers(self._foundation, snapshot_id)
                    self._table.delete(snapshot_id)
            raise
        with self._store.transaction():
            self._make_current(snapshot)
            return self._move(snapshot_id, "Ready", is_current=True)

    async def revert(self, snapshot_id: str) -> VirtualMachine:
        """Put the instance's disks, and for DiskAndMemory its memory, back to the snapshot."""
        snapshot = self._table[snapshot_id]
        vm = self.check_revertable(snapshot)
        with self._store.transaction():
            self._move(snapshot_id, "Reverting")
        try:
            command = RevertToVmSnapshotCommand(
                vm=vm.instance_name,
                snapshot=snapshot.id,
                disks=self._specs(vm),
                memory=snapshot.type == "DiskAndMemory",
            )
            await self._send(vm, command, f"{vm.name} was not reverted to {snapshot.name}")
        except BaseException:
            if snapshot_id in self._table:
                with self._store.transaction():
                    self._move(snapshot_id, "Ready")
            raise
        with self._store.transaction():
            self._make_current(snapshot)
            self._move(snapshot_id, "Ready", is_current=True)
        return self._vms[vm.id]

    def settle_after_restart(self) -> None:
        """Snapshots that were being taken when the server died have failed; others are Ready as before."""
        with self._store.transaction():
            for snapshot in list(self._table):
                if snapshot.state == "Allocated":
                    remove_leftovers(self._foundation, snapshot.id)
                    self._table.delete(snapshot.id)
                elif snapshot.state == "Creating":
                    self._move(snapshot.id, "Error")
                elif snapshot.state in ("Reverting", "Expunging"):
                    self._move(snapshot.id, "Ready")

    def check_revertable(self, snapshot: VmSnapshot) -> VirtualMachine:
        """The snapshot's instance. Raises what stands against reverting it."""
        vm = self._vm(snapshot)
        self._check_free(vm, snapshot.id)
        if snapshot.state != "Ready":
            raise InvalidParameterValue(
                f"VM Snapshot reverting failed due to vm snapshot is not in the state of Ready: {snapshot.state}"
            )
        if (snapshot.type == "DiskAndMemory") != (vm.state == "Running"):
            raise InvalidParameterValue(
                "VM Snapshot revert not allowed. This will result in VM state change. You can revert running VM to "
                "disk and memory type snapshot and stopped VM to disk type snapshot"
            )
        return vm

    def check_deletable(self, snapshot: VmSnapshot) -> None:
        """Raise what stands against deleting the snapshot."""
        if snapshot.state not in ("Ready", "Expunging", "Error"):
            raise InvalidParameterValue(
                f"Can't delete the vm snapshotshot {snapshot.id} due to it is not in Expunging, Error or Ready state"
            )
        vm = self._vms.get(snapshot.vm_id)
        if vm is not None:
            self._check_free(vm, snapshot.id)

    async def delete(self, snapshot_id: str) -> None:
        """Remove the snapshot; Ready again when the host does not."""
        snapshot = self._table[snapshot_id]
        self.check_deletable(snapshot)
        vm = self._vm(snapshot)
        with self._store.transaction():
            self._move(snapshot_id, "Expunging")
        try:
            command = DeleteVmSnapshotCommand(
                vm=vm.instance_name, snapshot=snapshot.id, disks=self._specs(vm)
            )
            await self._send(vm, command, f"VM snapshot {snapshot.name} was not deleted")
        except BaseException:
            if snapshot_id in self._table:
                with self._store.transaction():
                    self._move(snapshot_id, snapshot.state)
            raise
        self._remove(self._table[snapshot_id])

    def _remove(self, snapshot: VmSnapshot) -> None:
        """Take the row out of the tree: its children go to its parent, which is current if it was."""
        with self._store.transaction():
            for other in self._table.where("vm_id", snapshot.vm_id):
                if other.parent_id == snapshot.id:
                    self._table.update(other.id, parent_id=snapshot.parent_id)
            if snapshot.is_current and snapshot.parent_id in self._table:
                self._table.update(snapshot.parent_id, is_current=True)  # type: ignore[arg-type]
            remove_leftovers(self._foundation, snapshot.id)
            self._table.delete(snapshot.id)

    def _make_current(self, snapshot: VmSnapshot) -> None:
        for other in self._table.where("vm_id", snapshot.vm_id):
            if other.is_current and other.id != snapshot.id:
                self._table.update(other.id, is_current=False)

    def _vm(self, snapshot: VmSnapshot) -> VirtualMachine:
        vm = self._vms.get(snapshot.vm_id)
        if vm is None:
            raise InvalidParameterValue(f"The instance of VM snapshot {snapshot.name} no longer exists")
        return vm

    def _specs(self, vm: VirtualMachine) -> tuple[DiskSpec, ...]:
        return tuple(self._disks.spec(volume) for volume in self._disks.of(vm))

    async def _send(self, vm: VirtualMachine, command: Command, text: str) -> None:
        """Have the instance's host do it, or for a stopped one a host that reaches its root disk."""
        host_id = vm.host_id
        if host_id is None:
            root = self._disks.of(vm)[0]
            host_id = self._disks.reach.host_for(self._pools[root.pool_id or ""], vm.last_host_id).id
        answer = await self._agents.send(host_id, command)
        if not answer.ok:
            raise VmSnapshotFailed(answer.error or text)
