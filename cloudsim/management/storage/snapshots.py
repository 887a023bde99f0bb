"""Snapshots of volumes: taken by a host, kept in secondary storage."""

from __future__ import annotations

import time
from typing import Any

from cloudsim.errors import CloudError, InvalidParameterValue, StorageFailed
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.limits import Limits
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.storage.disks import Disks
from cloudsim.management.storage.secondary_storage import SecondaryStorage
from cloudsim.management.storage.snapshot_turns import SnapshotTurns
from cloudsim.management.storage.volume_states import check_at_rest, move, settle
from cloudsim.model import (
    Account,
    Host,
    Snapshot,
    SnapshotPolicy,
    StoragePool,
    Template,
    VirtualMachine,
    VmSnapshot,
    Volume,
)
from cloudsim.protocol.commands import BackupSnapshotAnswer, BackupSnapshotCommand, RevertSnapshotCommand

NEXT: dict[str, frozenset[str]] = {
    "Allocated": frozenset({"Creating", "Error"}),
    "Creating": frozenset({"BackingUp", "CreatedOnPrimary", "Error"}),
    "CreatedOnPrimary": frozenset({"BackingUp", "Error"}),
    "BackingUp": frozenset({"BackedUp", "Error"}),
    "BackedUp": frozenset({"Destroying"}),
    "Destroying": frozenset({"BackedUp", "Error"}),
    "Error": frozenset({"Destroying"}),
}
"""Which states may follow which. A destroyed snapshot's row is gone."""

INTERVAL_NAMES = ("HOURLY", "DAILY", "WEEKLY", "MONTHLY")
"""Snapshot types by the number of their policy's interval."""


class Snapshots:
    """Takes, reverts to and removes snapshots."""

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        disks: Disks,
        secondary: SecondaryStorage,
        limits: Limits,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._disks = disks
        self._secondary = secondary
        self._limits = limits
        self._table = foundation.table(Snapshot)
        self._volumes = foundation.table(Volume)
        self._pools = foundation.table(StoragePool)
        self._vms = foundation.table(VirtualMachine)
        self._vm_snapshots = foundation.table(VmSnapshot)
        self._templates = foundation.table(Template)
        self._randomness = foundation.randomness.branch("snapshots")
        self._turns = SnapshotTurns(foundation.settings)

    def _move(self, snapshot_id: str, state: Any, **fields: Any) -> Snapshot:
        snapshot = self._table[snapshot_id]
        if state not in NEXT[snapshot.state]:
            raise InvalidParameterValue(
                f"Snapshot {snapshot.name} is {snapshot.state} and cannot become {state}"
            )
        return self._table.update(snapshot_id, state=state, **fields)

    def allocate(
        self, volume: Volume, name: str | None = None, *, policy: SnapshotPolicy | None = None
    ) -> Snapshot:
        """A snapshot to be taken of the volume; `policy` is what asks for it."""
        self._check_volume(volume)
        owner = self._foundation.table(Account)[volume.account_id]
        self._limits.check(owner, "snapshot")
        self._limits.check(owner, "secondary_storage", volume.size)
        template = self._templates.get(volume.template_id)
        with self._store.transaction():
            return self._table.insert(
                Snapshot(
                    id=self._randomness.uuid(),
                    name=name or self._name(volume),
                    volume_id=volume.id,
                    volume_type=volume.type,
                    account_id=volume.account_id,
                    domain_id=volume.domain_id,
                    zone_id=volume.zone_id,
                    size=volume.size,
                    template_id=volume.template_id,
                    guest_os_id=template.guest_os_id if template is not None else None,
                    policy_id=policy.id if policy is not None else None,
                    type="MANUAL" if policy is None else INTERVAL_NAMES[policy.interval],  # type: ignore[arg-type]
                    created=self._foundation.now(),
                )
            )

    def _check_volume(self, volume: Volume) -> None:
        if volume.state != "Ready" or volume.path is None:
            raise InvalidParameterValue(
                f"VolumeId: {volume.id} is not in Ready state but {volume.state}. Cannot take snapshot."
            )
        vm = self._vms.get(volume.vm_id)
        if vm is not None and vm.state not in ("Running", "Stopped", "Destroyed"):
            raise InvalidParameterValue(f"Volume {volume.name} is attached to {vm.name}, which is {vm.state}")
        runs = vm is not None and vm.state == "Running" and vm.hypervisor == "KVM"
        if runs and not self._foundation.settings.boolean("kvm.snapshot.enabled"):
            raise InvalidParameterValue(
                f"Volume {volume.name} is attached to an instance that runs: kvm.snapshot.enabled is false"
            )

    def _name(self, volume: Volume) -> str:
        vm = self._vms.get(volume.vm_id)
        stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime(self._foundation.now()))
        return f"{vm.name if vm is not None else 'detached'}_{volume.name}_{stamp}"

    def check_inside(self, volume: Volume, inside: VmSnapshot) -> None:
        """Raise InvalidParameterValue unless the instance snapshot has a content of the volume."""
        if inside.state != "Ready":
            raise InvalidParameterValue(f"VM snapshot {inside.display_name} is {inside.state}, and must be Ready")
        if volume.vm_id != inside.vm_id:
            raise InvalidParameterValue(
                f"Volume {volume.name} is none of the instance that VM snapshot {inside.display_name} is of"
            )

    async def create(
        self, snapshot_id: str, inside: VmSnapshot | None = None, *, quiesce: bool = False
    ) -> Snapshot:
        """Take an allocated snapshot and back it up; when that fails it is gone.

        It is of the volume as it is, or as it was at the instance snapshot `inside`. `quiesce`: a running guest is at
        rest at that moment.
        """
        snapshot = self._table[snapshot_id]
        try:
            volume = self._volumes.get(snapshot.volume_id)
            if volume is None:
                raise InvalidParameterValue(f"The volume of snapshot {snapshot.name} is gone")
            check_at_rest(volume)
            self._check_volume(volume)
            async with self._turns.of(self._host_of(volume).id):
                volume = self._volumes.get(snapshot.volume_id)  # while others had their turn it may have changed
                if volume is None:
                    raise InvalidParameterValue(f"The volume of snapshot {snapshot.name} is gone")
                check_at_rest(volume)
                self._check_volume(volume)
                if inside is not None:
                    self.check_inside(volume, self._vm_snapshots.get(inside.id) or inside)
                return await self._back_up(snapshot, volume, inside, quiesce)
        except BaseException:
            if snapshot_id in self._table:
                with self._store.transaction():
                    remove_leftovers(self._foundation, snapshot_id)
                    self._table.delete(snapshot_id)
            raise

    def _host_of(self, volume: Volume) -> Host:
        """The host to take a snapshot through: the instance's, if it runs."""
        vm = self._vms.get(volume.vm_id)
        pool = self._pools[volume.pool_id or ""]
        return self._disks.reach.host_for(pool, vm.host_id if vm is not None else None)

    async def _back_up(
        self, snapshot: Snapshot, volume: Volume, inside: VmSnapshot | None, quiesce: bool
    ) -> Snapshot:
        vm = self._vms.get(volume.vm_id)
        running = vm is not None and vm.state == "Running"
        host = self._host_of(volume)
        store = self._secondary.store_for(volume.zone_id)
        with self._store.transaction():
            move(self._volumes, volume.id, "Snapshotting")
            self._move(snapshot.id, "Creating")
            self._move(snapshot.id, "BackingUp", store_id=store.id, pool_id=volume.pool_id)
        try:
            command = BackupSnapshotCommand(
                snapshot_id=snapshot.id,
                disk=self._disks.spec(volume),
                store_url=store.url,
                vm=vm.instance_name if vm is not None and running else None,
                inside=None if inside is None else inside.id,
                quiesce=quiesce and running,
            )
            answer = await self._agents.send(host.id, command)
            if not isinstance(answer, BackupSnapshotAnswer) or not answer.ok:
                raise StorageFailed(answer.error or f"Snapshot {snapshot.name} was not taken")
        finally:
            settle(self._volumes, volume.id, "Snapshotting")
        with self._store.transaction():
            return self._move(
                snapshot.id,
                "BackedUp",
                path=answer.path,
                physical_size=answer.physical_size,
                size=volume.size,
            )

    def settle_after_restart(self) -> None:
        """Snapshots that were being taken when the server died are gone; those being removed can be removed again."""
        with self._store.transaction():
            for snapshot in list(self._table):
                if snapshot.state == "Destroying":
                    self._move(snapshot.id, "BackedUp")
                elif snapshot.state not in ("BackedUp", "Error"):
                    remove_leftovers(self._foundation, snapshot.id)
                    self._table.delete(snapshot.id)

    def check_deletable(self, snapshot: Snapshot) -> None:
        """Raise what stands against deleting the snapshot."""
        if snapshot.state not in ("BackedUp", "Error"):
            raise InvalidParameterValue(
                f"Can't delete snapshotshot {snapshot.id} due to it is in {snapshot.state} Status"
            )

    async def delete(self, snapshot_id: str) -> None:
        """Remove the snapshot and its file; BackedUp again when the file cannot be removed."""
        snapshot = self._table[snapshot_id]
        self.check_deletable(snapshot)
        if snapshot.path is not None:
            image = self._secondary.image(snapshot.store_id, snapshot.path, snapshot.size)
            with self._store.transaction():
                self._move(snapshot_id, "Destroying")
            try:
                await self._secondary.delete(image, snapshot.zone_id)
            except CloudError:
                with self._store.transaction():
                    self._move(snapshot_id, "BackedUp")
                raise
        with self._store.transaction():
            remove_leftovers(self._foundation, snapshot_id)
            self._table.delete(snapshot_id)

    def check_revertable(self, snapshot: Snapshot) -> Volume:
        """The volume to put back. Raises what stands against reverting to the snapshot."""
        volume = self._volumes.get(snapshot.volume_id)
        if volume is None:
            raise InvalidParameterValue(f"The volume of snapshot {snapshot.name} no longer exists")
        if snapshot.state != "BackedUp" or snapshot.path is None:
            raise InvalidParameterValue(f"Snapshot {snapshot.name} is {snapshot.state}; it must be BackedUp")
        check_at_rest(volume)
        if volume.state != "Ready":
            raise InvalidParameterValue(
                f"Volume {volume.name} is {volume.state}; it must be Ready to be reverted"
            )
        vm = self._vms.get(volume.vm_id)
        if vm is not None and vm.state not in ("Stopped", "Shutdown"):
            raise InvalidParameterValue(
                "The VM the specified disk is attached to is not in the shutdown state."
                f" {vm.name} is {vm.state}."
            )
        if volume.size < snapshot.size:
            raise InvalidParameterValue(f"Volume {volume.name} is smaller than snapshot {snapshot.name}")
        return volume

    async def revert(self, snapshot_id: str) -> Snapshot:
        """Put the snapshot's content back into its volume."""
        snapshot = self._table[snapshot_id]
        volume = self.check_revertable(snapshot)
        host = self._disks.reach.host_for(self._pools[volume.pool_id or ""])
        image = self._secondary.image(snapshot.store_id, snapshot.path or "", snapshot.size)
        with self._store.transaction():
            move(self._volumes, volume.id, "RevertSnapshotting")
        try:
            command = RevertSnapshotCommand(disk=self._disks.spec(volume), image=image)
            answer = await self._agents.send(host.id, command)
            if not answer.ok:
                raise StorageFailed(answer.error or f"Volume {volume.name} was not reverted")
        finally:
            settle(self._volumes, volume.id, "RevertSnapshotting")
        return snapshot
