"""Schedules of backups."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.operations.schedule_times import INTERVALS
from cloudsim.model import BackupSchedule, VirtualMachine
from server.api.command import Call, Listed, command
from server.api.listing import Page, listed
from server.api.parameters import Param, one_of
from server.api.scope import Scope
from server.api.views import View, Wire

GROUP = "Backup"


class BackupScheduleView(View):
    """When an instance is backed up, and how many backups are kept."""

    entity: ClassVar = BackupSchedule
    key: ClassVar = "backupschedule"

    id: str | None = None
    virtualmachineid: str | None = None
    virtualmachinename: str | None = None
    intervaltype: Annotated[str | None, Wire("intervaltype")] = None
    schedule: str | None = None
    timezone: str | None = None
    maxbackups: Annotated[int | None, Wire("integer"), "how many are kept; 0 for all"] = None
    quiescevm: Annotated[bool | None, "whether the guest is brought to rest for it"] = None

    @classmethod
    def of(cls, row: BackupSchedule, call: Call) -> Self:
        vm = call.store.table(VirtualMachine).get(row.vm_id)
        return cls(
            id=row.id,
            virtualmachineid=row.vm_id,
            virtualmachinename=vm.name if vm else None,
            intervaltype=INTERVALS[row.interval],
            schedule=row.schedule,
            timezone=row.timezone,
            maxbackups=row.max_backups,
            quiescevm=row.quiesce,
        )


Interval = one_of(*INTERVALS)
Times = Param("MM, MM:HH, MM:HH:day of the week from Sunday as 1, or MM:HH:day of the month")
ZoneName = Param("the time zone of the schedule")
Most = Param("how many of its backups are kept; 0 for all")
Quiesce = Param("whether the guest's agent brings its file systems to rest for the moment", since="4.21.0")


@command(
    "updateBackupSchedule",
    view=BackupScheduleView,
    event="BACKUP.SCHEDULE.CONFIGURE",
    group=GROUP,
    description="Changes an instance's schedule of an interval, or makes it.",
    since="4.14.0",
)
@command(
    "createBackupSchedule",
    view=BackupScheduleView,
    event="BACKUP.SCHEDULE.CONFIGURE",
    group=GROUP,
    since="4.14.0",
)
async def configure_backup_schedule(
    call: Call,
    *,
    virtualmachineid: Annotated[VirtualMachine, Param(access="operate")],
    intervaltype: Annotated[str, Interval],
    schedule: Annotated[str, Times],
    timezone: Annotated[str, ZoneName],
    maxbackups: Annotated[int | None, Most] = None,
    quiescevm: Annotated[bool | None, Quiesce] = None,
) -> BackupSchedule:
    """Has an instance backed up by the clock; its schedule of the same interval is replaced."""
    made: BackupSchedule = call.manager.backup_schedules.configure(
        virtualmachineid,
        interval=intervaltype,
        schedule=schedule,
        timezone=timezone,
        max_backups=maxbackups,
        quiesce=quiescevm,
    )
    return made


@command("listBackupSchedule", view=BackupScheduleView, group=GROUP, since="4.14.0")
async def list_backup_schedule(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: BackupSchedule | None = None,
    virtualmachineid: VirtualMachine | None = None,
) -> Listed:
    """Lists schedules of backups."""
    vms = call.store.table(VirtualMachine)

    def keep(row: BackupSchedule) -> bool:
        vm = vms.get(row.vm_id)
        return vm is not None and scope.owns(vm.account_id)

    return listed(
        call,
        BackupSchedule,
        page=page,
        ids=None if id is None else [id],
        equal={"vm_id": virtualmachineid and virtualmachineid.id},
        keep=keep,
        search=(),
    )


@command("deleteBackupSchedule", event="BACKUP.SCHEDULE.DELETE", group=GROUP, since="4.14.0")
async def delete_backup_schedule(
    call: Call,
    *,
    virtualmachineid: Annotated[
        VirtualMachine | None, Param("the instance whose schedules all go", access="operate")
    ] = None,
    id: BackupSchedule | None = None,
) -> None:
    """Deletes a schedule of backups, or all of an instance; the backups that they took stay."""
    if id is None and virtualmachineid is None:
        raise InvalidParameterValue("Either instance ID or ID of backup schedule needs to be specified")
    if id is not None and virtualmachineid is not None and id.vm_id != virtualmachineid.id:
        raise InvalidParameterValue(f"This schedule is not of instance {virtualmachineid.name}")
    table: Any = call.store.table(BackupSchedule)
    rows = [id] if id is not None else table.where("vm_id", virtualmachineid and virtualmachineid.id)
    if not rows:
        raise InvalidParameterValue("Could not find the requested backup schedule: the instance has none")
    call.manager.backup_schedules.delete(rows)
