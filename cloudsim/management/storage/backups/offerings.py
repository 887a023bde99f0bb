"""Backup offerings: what of a provider's is offered to the instances of a zone, and which instances have it."""

from __future__ import annotations

from typing import Any

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.storage.backups.providers import BackupProviders
from cloudsim.model import Backup, BackupOffering, BackupSchedule, VirtualMachine, Zone


class BackupOfferings:
    """Imports, changes, assigns and deletes offerings."""

    def __init__(self, foundation: Foundation, providers: BackupProviders) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._providers = providers
        self._table = foundation.table(BackupOffering)
        self._vms = foundation.table(VirtualMachine)
        self._schedules = foundation.table(BackupSchedule)
        self._randomness = foundation.randomness.branch("backup offerings")

    def import_(
        self, zone: Zone, *, name: str, description: str, external_id: str, user_driven: bool
    ) -> BackupOffering:
        """Offer what the zone's provider has under `external_id`; `user_driven`: owners may back up when they like."""
        self._providers.check_enabled(zone.id)
        self._check_name(zone.id, name)
        if any(row.external_id == external_id for row in self._table.where("zone_id", zone.id)):
            raise InvalidParameterValue(f"Backup offering with external ID {external_id} already exists")
        self._providers.offering(zone, external_id)
        with self._store.transaction():
            return self._table.insert(
                BackupOffering(
                    id=self._randomness.uuid(),
                    name=name,
                    description=description,
                    zone_id=zone.id,
                    provider=self._providers.of_zone(zone.id),
                    external_id=external_id,
                    user_driven=user_driven,
                    created=self._foundation.now(),
                )
            )

    def _check_name(self, zone_id: str, name: str, but: str | None = None) -> None:
        if not name.strip():
            raise InvalidParameterValue("Parameter name must not be empty")
        if any(row.name == name and row.id != but for row in self._table.where("zone_id", zone_id)):
            raise InvalidParameterValue("A backup offering with the same name already exists in this zone")

    def update(
        self,
        offering: BackupOffering,
        *,
        name: str | None = None,
        description: str | None = None,
        user_driven: bool | None = None,
    ) -> BackupOffering:
        """Change what is given."""
        given: dict[str, Any] = {"name": name, "description": description, "user_driven": user_driven}
        changes = {field: value for field, value in given.items() if value is not None}
        if not changes:
            raise InvalidParameterValue(
                "At least one of name, description and allowuserdrivenbackups must be given"
            )
        if name is not None:
            self._check_name(offering.zone_id, name, offering.id)
        with self._store.transaction():
            return self._table.update(offering.id, **changes)

    def delete(self, offering: BackupOffering) -> None:
        """Remove an offering that no instance has and no backup was taken with."""
        if self._vms.count("backup_offering_id", offering.id):
            raise CloudError(
                "Backup offering is assigned to VMs, remove the assignment(s) in order to remove the offering."
            )
        if self._foundation.table(Backup).count("offering_id", offering.id):
            raise CloudError(f"There are backups that were taken with backup offering {offering.name}")
        with self._store.transaction():
            remove_leftovers(self._foundation, offering.id)
            self._table.delete(offering.id)

    # instances

    def check_assignable(self, vm: VirtualMachine, offering: BackupOffering) -> None:
        """Raise what stands against the instance's having the offering."""
        self._providers.check_enabled(vm.zone_id)
        if vm.type != "User" or vm.state not in ("Running", "Stopped"):
            raise InvalidParameterValue(f"VM is not in running or stopped state: {vm.name} is {vm.state}")
        if vm.backup_offering_id is not None:
            raise CloudError(
                "VM already is assigned to a backup offering, please remove the VM from its previous offering"
            )
        if offering.zone_id != vm.zone_id:
            raise InvalidParameterValue(f"Backup offering {offering.name} is not in the zone of instance {vm.name}")

    def assign(self, vm_id: str, offering: BackupOffering) -> VirtualMachine:
        """Have the instance backed up by the offering, from when it is asked for or scheduled."""
        vm = self._vms[vm_id]
        self.check_assignable(vm, offering)
        with self._store.transaction():
            if offering.id not in self._table:
                raise InvalidParameterValue(f"Backup offering {offering.name} is gone")
            return self._vms.update(vm_id, backup_offering_id=offering.id)

    def of(self, vm: VirtualMachine) -> BackupOffering:
        """The offering that the instance has. Raises InvalidParameterValue where it has none."""
        offering = self._table.get(vm.backup_offering_id)
        if offering is None:
            raise InvalidParameterValue(f"No previously configured backup offering found for VM {vm.name}")
        return offering

    def remove(self, vm_id: str) -> VirtualMachine:
        """Take the offering from the instance, and its schedules with it; the backups stay."""
        self.of(self._vms[vm_id])
        with self._store.transaction():
            for schedule in self._schedules.where("vm_id", vm_id):
                self._schedules.delete(schedule.id)
            return self._vms.update(vm_id, backup_offering_id=None)

    def check_expunge(self, vm: VirtualMachine) -> None:
        """Raise CloudError for an instance that has both its offering and backups: it is not expunged until one is gone."""
        if vm.backup_offering_id is None:
            return
        taken = self._foundation.table(Backup).where("vm_id", vm.id)
        count = sum(backup.offering_id == vm.backup_offering_id for backup in taken)
        if count:
            raise CloudError(
                f"This Instance [uuid: {vm.id}, name: {vm.name}] has a Backup Offering [id: {vm.backup_offering_id}]"
                f" with {count} backups. Please, remove the backup offering before proceeding to VM exclusion!"
            )

    async def forget(self, vm: VirtualMachine) -> None:
        """Drop the schedules of an instance that goes."""
        with self._store.transaction():
            for schedule in self._schedules.where("vm_id", vm.id):
                self._schedules.delete(schedule.id)
