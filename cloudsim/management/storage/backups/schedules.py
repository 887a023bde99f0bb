"""Backup schedules: backups that are taken by the clock, of which the newest so many are kept."""

from __future__ import annotations

from collections.abc import Sequence

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.identity import Identity
from cloudsim.management.operations.jobs import Jobs
from cloudsim.management.operations.recurring import Recurring, keep_newest, next_of
from cloudsim.management.operations.schedule_times import IntervalSchedule
from cloudsim.management.storage.backups.backups import Backups
from cloudsim.management.storage.backups.offerings import BackupOfferings
from cloudsim.management.storage.backups.providers import BackupProviders
from cloudsim.model import Backup, BackupSchedule, VirtualMachine


class BackupSchedules:
    """Keeps schedules, one of each interval for an instance, and does what is due."""

    def __init__(
        self,
        foundation: Foundation,
        identity: Identity,
        jobs: Jobs,
        providers: BackupProviders,
        offerings: BackupOfferings,
        backups: Backups,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._identity = identity
        self._jobs = jobs
        self._providers = providers
        self._offerings = offerings
        self._backups = backups
        self._table = foundation.table(BackupSchedule)
        self._taken = foundation.table(Backup)
        self._vms = foundation.table(VirtualMachine)
        self._randomness = foundation.randomness.branch("backup schedules")
        self._clock = Recurring(foundation, BackupSchedule, next_of)

    def configure(
        self,
        vm: VirtualMachine,
        *,
        interval: str,
        schedule: str,
        timezone: str,
        max_backups: int | None = None,
        quiesce: bool | None = None,
    ) -> BackupSchedule:
        """The instance's schedule for an interval; one that it has for the same interval is changed.

        `max_backups` 0 keeps all. What is None stays as it is, and is 0 or False in a new schedule.
        """
        self._providers.check_enabled(vm.zone_id)
        wanted = IntervalSchedule.checked(interval, schedule, timezone)
        if max_backups is not None and max_backups < 0:
            raise InvalidParameterValue(f"Parameter maxbackups must not be negative, and is {max_backups}")
        if vm.backup_offering_id is None:
            raise CloudError("Cannot configure backup schedule for the VM without having any backup offering")
        if not self._offerings.of(vm).user_driven:
            raise CloudError("The selected backup offering does not allow user-defined backup schedule")
        now = self._foundation.now()
        old = self._table.find(("vm_id", "interval"), (vm.id, wanted.interval))
        with self._store.transaction():
            if old is not None:
                return self._table.update(
                    old.id,
                    max_backups=old.max_backups if max_backups is None else max_backups,
                    quiesce=old.quiesce if quiesce is None else quiesce,
                    **wanted.fields(now),
                )
            return self._table.insert(
                BackupSchedule(
                    id=self._randomness.uuid(),
                    vm_id=vm.id,
                    max_backups=max_backups or 0,
                    quiesce=bool(quiesce),
                    created=now,
                    **wanted.fields(now),
                )
            )

    def delete(self, schedules: Sequence[BackupSchedule]) -> None:
        """Forget schedules; the backups that they made stay."""
        with self._store.transaction():
            for schedule in schedules:
                self._table.delete(schedule.id)

    # the clock

    async def run(self) -> None:
        """For ever: wait until a schedule is due, and enter its job."""
        await self._clock.run(self._enter)

    def _enter(self, row: BackupSchedule, due: float) -> None:
        vm = self._vms.get(row.vm_id)
        if vm is None:
            self._table.delete(row.id)
        else:
            self._submit(row, vm)

    def _submit(self, row: BackupSchedule, vm: VirtualMachine) -> None:
        account, user = self._identity.system()
        caller = Caller(account, user)

        async def work() -> None:
            await self._run(row.id, row.vm_id, caller)

        self._jobs.submit(caller, "createBackup", work, instance_type="VirtualMachine", instance_id=vm.id)

    async def _run(self, schedule_id: str, vm_id: str, caller: Caller) -> None:
        schedule, vm = self._table.get(schedule_id), self._vms.get(vm_id)
        if schedule is None or vm is None:
            raise CloudError("The schedule of this backup is gone")
        try:
            backup = self._backups.allocate(vm, schedule=schedule)
            backup = await self._backups.create(backup.id, quiesce=schedule.quiesce)
        except CloudError as error:
            text = f"The scheduled backup of {vm.name} was not taken: {error.text}"
            self._foundation.events.record_of(vm, "BACKUP.CREATE", text, caller, "ERROR")
            raise
        self._foundation.events.record_of(
            vm, "BACKUP.CREATE", f"Took the scheduled backup {backup.name} of {vm.name}", caller
        )
        await self._thin_out(schedule_id)

    async def _thin_out(self, schedule_id: str) -> None:
        """Remove the oldest backups of the schedule beyond those it keeps."""
        schedule = self._table.get(schedule_id)
        if schedule is None or not schedule.max_backups:
            return
        taken = [each for each in self._taken.where("schedule_id", schedule_id) if each.state == "BackedUp"]
        await keep_newest(taken, schedule.max_backups, self._backups.delete)
