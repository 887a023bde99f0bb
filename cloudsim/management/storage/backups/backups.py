"""Backups of instances: all disks of one moment, taken by a host, kept apart from the instance, put back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceUnavailable, StorageFailed
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.limits import Limits
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.operations.schedule_times import INTERVALS
from cloudsim.management.storage.backups.offerings import BackupOfferings
from cloudsim.management.storage.backups.providers import BackupProviders
from cloudsim.management.storage.backups.repositories import url_of
from cloudsim.management.storage.disks import Disks
from cloudsim.management.storage.secondary_storage import SecondaryStorage
from cloudsim.management.storage.snapshot_turns import SnapshotTurns
from cloudsim.management.storage.volume_states import check_at_rest, move, settle
from cloudsim.model import (
    Account,
    Backup,
    BackupRepository,
    BackupSchedule,
    Host,
    ImageStore,
    Nic,
    StoragePool,
    VirtualMachine,
    VmSnapshot,
    Volume,
)
from cloudsim.model.backup import BackedUpVolume
from cloudsim.protocol.commands import RevertSnapshotCommand, TakeBackupAnswer, TakeBackupCommand
from cloudsim.protocol.specs import ImageSpec
from cloudsim.store import Store

NEXT: dict[str, frozenset[str]] = {
    "Allocated": frozenset({"BackingUp"}),
    "BackingUp": frozenset({"BackedUp"}),
    "BackedUp": frozenset({"Restoring", "Removing"}),
    "Restoring": frozenset({"BackedUp"}),
    "Removing": frozenset({"BackedUp"}),
}
"""Which states may follow which. The row of a backup that failed, or was deleted, is gone."""


def stored(store: Store, account_id: str) -> int:
    """Bytes that the account's backups take; of one that is being taken, as many as its disks have."""
    backups = store.table(Backup).where("account_id", account_id)
    return sum(b.size if b.state not in ("Allocated", "BackingUp") else _virtual(b) for b in backups)


def _virtual(backup: Backup) -> int:
    return sum(volume.size for volume in backup.volumes)


class Backups:
    """Takes, restores and removes backups."""

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        disks: Disks,
        secondary: SecondaryStorage,
        limits: Limits,
        providers: BackupProviders,
        offerings: BackupOfferings,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._disks = disks
        self._secondary = secondary
        self._limits = limits
        self._providers = providers
        self._offerings = offerings
        self._table = foundation.table(Backup)
        self._vms = foundation.table(VirtualMachine)
        self._volumes = foundation.table(Volume)
        self._pools = foundation.table(StoragePool)
        self._randomness = foundation.randomness.branch("backups")
        self._turns = SnapshotTurns(foundation.settings)
        limits.counters["backup"] = lambda store, owner: store.table(Backup).count("account_id", owner)
        limits.counters["backup_storage"] = stored
        disks.backup_image = self.image_for

    def _move(self, backup_id: str, state: Any, **fields: Any) -> Backup:
        backup = self._table[backup_id]
        if state not in NEXT[backup.state]:
            raise InvalidParameterValue(f"Backup {backup.name} is {backup.state} and cannot become {state}")
        return self._table.update(backup_id, state=state, **fields)

    # taking

    def allocate(
        self,
        vm: VirtualMachine,
        name: str | None = None,
        description: str | None = None,
        *,
        schedule: BackupSchedule | None = None,
    ) -> Backup:
        """A backup to be taken of the instance; `schedule` is what asks for it, else somebody does."""
        self._providers.check_enabled(vm.zone_id)
        offering = self._offerings.of(vm)
        if schedule is None and not offering.user_driven:
            raise CloudError("The assigned backup offering does not allow ad-hoc user backup")
        volumes = self._check_vm(vm)
        owner = self._foundation.table(Account)[vm.account_id]
        self._limits.check(owner, "backup")
        self._limits.check(owner, "backup_storage", sum(volume.size for volume in volumes))
        target = self._providers.target(offering)
        now = self._foundation.now()
        with self._store.transaction():
            return self._table.insert(
                Backup(
                    id=self._randomness.uuid(),
                    name=name or f"{vm.name}-{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}",
                    description=description,
                    account_id=vm.account_id,
                    domain_id=vm.domain_id,
                    zone_id=vm.zone_id,
                    vm_id=vm.id,
                    vm_name=vm.name,
                    offering_id=offering.id,
                    schedule_id=None if schedule is None else schedule.id,
                    interval="MANUAL" if schedule is None else INTERVALS[schedule.interval],  # type: ignore[arg-type]
                    repository_id=target.repository_id,
                    store_id=target.store_id,
                    volumes=_as_now(volumes),
                    vm_details=self._details(vm),
                    created=now,
                )
            )

    def _check_vm(self, vm: VirtualMachine) -> list[Volume]:
        """The instance's disks, each with something in it. Raises what stands against a backup now."""
        if vm.state not in ("Running", "Stopped"):
            raise InvalidParameterValue(f"VM {vm.name} is {vm.state}: it must be running or stopped to be backed up")
        volumes = self._disks.of(vm)
        for volume in volumes:
            check_at_rest(volume)
            if volume.state != "Ready" or volume.path is None:
                raise InvalidParameterValue(
                    f"Volume {volume.name} of VM {vm.name} is {volume.state}: there is nothing to back up until"
                    " the instance was started"
                )
        if not volumes:
            raise InvalidParameterValue(f"VM {vm.name} has no disks to back up")
        return volumes

    def _details(self, vm: VirtualMachine) -> dict[str, str]:
        """What another instance needs to be told to be as this one was."""
        nics = sorted(self._foundation.table(Nic).where("vm_id", vm.id), key=lambda nic: nic.device_id)
        return {
            "hypervisor": vm.hypervisor,
            "templateid": vm.template_id,
            "serviceofferingid": vm.service_offering_id,
            "cpunumber": str(vm.cpus),
            "cpuspeed": str(vm.cpu_mhz),
            "memory": str(vm.memory_mib),
            "nics": msgspec.json.encode(
                [{"networkid": nic.network_id, "ipaddress": nic.ip, "macaddress": nic.mac} for nic in nics]
            ).decode(),
        }

    async def create(self, backup_id: str, *, quiesce: bool = False) -> Backup:
        """Take an allocated backup; when that fails it is gone. `quiesce`: the guest is at rest at that moment."""
        backup = self._table[backup_id]
        try:
            async with self._turns.of(self._host_of(self._vm(backup)).id):
                return await self._take(backup, quiesce)
        except BaseException:
            self._forget(backup_id)
            raise

    def _vm(self, backup: Backup) -> VirtualMachine:
        vm = self._vms.get(backup.vm_id)
        if vm is None:
            raise InvalidParameterValue(f"The instance of backup {backup.name} is gone")
        return vm

    def _host_of(self, vm: VirtualMachine) -> Host:
        """The host to work through: the instance's, if it runs, else one that reaches all its disks."""
        pools = list({v.pool_id: self._pools[v.pool_id] for v in self._disks.of(vm) if v.pool_id is not None}.values())
        if not pools:
            raise InvalidParameterValue(f"VM {vm.name} has no disks to work on")
        for host in self._disks.reach.hosts_reaching(pools[0], vm.host_id or vm.last_host_id):
            if all(self._disks.reach.reaches(host, pool) for pool in pools):
                return host
        raise ResourceUnavailable(f"No host that is up reaches all disks of VM {vm.name}")

    async def _take(self, backup: Backup, quiesce: bool) -> Backup:
        vm = self._vm(backup)  # while others had their turn it may have changed
        volumes = self._check_vm(vm)
        host = self._host_of(vm)
        with self._store.transaction():
            for volume in volumes:
                move(self._volumes, volume.id, "Snapshotting")
            self._move(backup.id, "BackingUp", volumes=_as_now(volumes))
        try:
            command = TakeBackupCommand(
                backup_id=backup.id,
                disks=tuple(self._disks.spec(volume) for volume in volumes),
                store_url=self._url(backup),
                vm=vm.instance_name if vm.state == "Running" else None,
                quiesce=quiesce,
            )
            answer = await self._agents.send(host.id, command)
            if not isinstance(answer, TakeBackupAnswer) or not answer.ok:
                raise StorageFailed(answer.error or f"Backup {backup.name} was not taken")
        finally:
            for volume in volumes:
                settle(self._volumes, volume.id, "Snapshotting")
        files = {file.volume_id: file for file in answer.files}
        kept = tuple(
            msgspec.structs.replace(volume, path=files[volume.id].path, physical_size=files[volume.id].physical_size)
            for volume in self._table[backup.id].volumes
        )
        with self._store.transaction():
            return self._move(backup.id, "BackedUp", volumes=kept, size=sum(each.physical_size for each in kept))

    def _forget(self, backup_id: str) -> None:
        if backup_id in self._table:
            with self._store.transaction():
                remove_leftovers(self._foundation, backup_id)
                self._table.delete(backup_id)

    def settle_after_restart(self) -> None:
        """Backups that were being taken when the server died are gone; what was being done with others can be done again."""
        with self._store.transaction():
            for backup in list(self._table):
                if backup.state in ("Allocated", "BackingUp"):
                    self._forget(backup.id)
                elif backup.state != "BackedUp":
                    self._move(backup.id, "BackedUp")

    # where they are

    def _url(self, backup: Backup) -> str:
        repository = self._foundation.table(BackupRepository).get(backup.repository_id)
        if repository is not None:
            return url_of(repository)
        store = self._foundation.table(ImageStore).get(backup.store_id)
        if store is None:
            raise ResourceUnavailable(f"The repository that holds backup {backup.name} is gone")
        return store.url

    def _image(self, backup: Backup, volume: BackedUpVolume) -> ImageSpec:
        return ImageSpec(self._url(backup), volume.path, volume.size)

    def image_for(self, volume: Volume) -> ImageSpec:
        """What a volume that is to hold a disk of a backup is made of. Raises ResourceUnavailable when it is gone."""
        backup = self._table.get(volume.backup_id)
        if backup is None:
            raise ResourceUnavailable(f"The backup that volume {volume.name} is to be made of is gone")
        return self._image(backup, disk_of(backup, volume.backup_disk or ""))

    # removing

    def check_deletable(self, backup: Backup) -> None:
        """Raise what stands against deleting the backup."""
        self._providers.check_enabled(backup.zone_id)
        self._check_idle(backup)
        waiting = self._volumes.where("backup_id", backup.id)
        if waiting:
            raise InvalidParameterValue(
                f"Backup {backup.name} is needed by volume {waiting[0].name}, which is to be made of it"
            )

    @staticmethod
    def _check_idle(backup: Backup) -> None:
        if backup.state != "BackedUp":
            raise InvalidParameterValue(f"Backup {backup.name} is {backup.state}; it must be BackedUp")

    async def delete(self, backup_id: str) -> None:
        """Remove the backup's files, then the backup. On failure it stays, and can be deleted again."""
        backup = self._table[backup_id]
        self.check_deletable(backup)
        await self._remove(backup)

    async def _remove(self, backup: Backup) -> None:
        with self._store.transaction():
            self._move(backup.id, "Removing")
        try:
            for volume in backup.volumes:
                await self._secondary.delete(self._image(backup, volume), backup.zone_id)
        except BaseException:
            if backup.id in self._table:
                with self._store.transaction():
                    self._move(backup.id, "BackedUp")
            raise
        self._forget(backup.id)

    async def delete_of(self, account: Account) -> None:
        """Remove all backups of an account that goes, and take the offerings from its instances."""
        for vm in self._vms.where("account_id", account.id):
            if vm.backup_offering_id is not None:
                self._offerings.remove(vm.id)
        for backup in self._table.where("account_id", account.id):
            self._check_idle(backup)
            await self._remove(backup)

    # restoring

    def check_restorable(self, backup: Backup) -> list[tuple[Volume, BackedUpVolume]]:
        """The instance's disks and what each is to hold again. Raises what stands against it."""
        self._providers.check_enabled(backup.zone_id)
        self._check_idle(backup)
        vm = self._vms.get(backup.vm_id)
        if vm is None:
            raise InvalidParameterValue(
                f"The instance of backup {backup.name} is gone: createVMFromBackup makes another one of it"
            )
        if vm.state != "Stopped":
            raise InvalidParameterValue("Existing VM should be stopped before being restored from backup")
        if vm.account_id != backup.account_id:
            raise InvalidParameterValue(f"VM {vm.name} does not belong to the owner of backup {backup.name} any more")
        if self._foundation.table(VmSnapshot).count("vm_id", vm.id):
            raise InvalidParameterValue(f"VM {vm.name} has VM snapshots, which would be lost: delete them first")
        return self._pairs(backup, vm)

    def _pairs(self, backup: Backup, vm: VirtualMachine) -> list[tuple[Volume, BackedUpVolume]]:
        present = self._disks.of(vm)
        if len(present) != len(backup.volumes):
            raise InvalidParameterValue(
                "Unable to restore VM with the current backup as the backup has different number of disks as the VM"
            )
        known = {volume.id: volume for volume in present}
        slots = {volume.device_id: volume for volume in present}
        pairs: list[tuple[Volume, BackedUpVolume]] = []
        for disk in backup.volumes:
            volume = known.get(disk.id) or slots.get(disk.device)
            if volume is None or volume in [v for v, _ in pairs]:
                raise InvalidParameterValue(
                    f"VM {vm.name} has no disk that disk {disk.name} of backup {backup.name} could be put back to"
                )
            check_at_rest(volume)
            if volume.state != "Ready":
                raise InvalidParameterValue(f"Volume {volume.name} is {volume.state}; it must be Ready to be restored")
            if volume.size < disk.size:
                raise InvalidParameterValue(
                    f"Volume {volume.name} of {volume.size} bytes is smaller than disk {disk.name} of the backup"
                )
            pairs.append((volume, disk))
        return pairs

    async def restore(self, backup_id: str) -> Backup:
        """Put the backup's content back into the disks of its instance, which must be stopped."""
        backup = self._table[backup_id]
        pairs = self.check_restorable(backup)
        vm = self._vm(backup)
        host = self._host_of(vm)
        with self._store.transaction():
            self._move(backup_id, "Restoring")
            for volume, _ in pairs:
                move(self._volumes, volume.id, "RevertSnapshotting")
        try:
            for volume, disk in pairs:
                command = RevertSnapshotCommand(disk=self._disks.spec(volume), image=self._image(backup, disk))
                answer = await self._agents.send(host.id, command)
                if not answer.ok:
                    raise StorageFailed(answer.error or f"Volume {volume.name} was not restored")
        finally:
            for volume, _ in pairs:
                settle(self._volumes, volume.id, "RevertSnapshotting")
            with self._store.transaction():
                self._move(backup_id, "BackedUp")
        return self._table[backup_id]


def _as_now(volumes: Sequence[Volume]) -> tuple[BackedUpVolume, ...]:
    return tuple(
        BackedUpVolume(
            id=volume.id,
            name=volume.name,
            type=volume.type,
            device=volume.device_id or 0,
            size=volume.size,
            disk_offering_id=volume.disk_offering_id,
            min_iops=volume.min_iops,
            max_iops=volume.max_iops,
        )
        for volume in volumes
    )


def disk_of(backup: Backup, volume_id: str) -> BackedUpVolume:
    """The disk of the backup that was the volume of that id. Raises InvalidParameterValue."""
    for disk in backup.volumes:
        if disk.id == volume_id:
            return disk
    raise InvalidParameterValue(f"Volume with ID {volume_id} is not part of backup {backup.name}")
