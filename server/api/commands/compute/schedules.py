"""Schedules of instances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import VirtualMachine, VmSchedule
from server.api.command import Call, Listed, command
from server.api.listing import Page, page_of
from server.api.parameters import Date as DateParameter
from server.api.parameters import Param
from server.api.views import Date, View, Wire, date

GROUP = "Virtual Machine"


class VmScheduleView(View):
    """What is done to an instance, and when."""

    entity: ClassVar = VmSchedule
    key: ClassVar = "vmschedule"

    id: str | None = None
    virtualmachineid: str | None = None
    description: str | None = None
    schedule: Annotated[str | None, "cron: minute, hour, day of the month, month, day of the week"] = None
    timezone: str | None = None
    action: Annotated[str | None, "START, STOP, REBOOT, FORCE_STOP or FORCE_REBOOT", Wire("action")] = None
    enabled: bool | None = None
    startdate: Date | None = None
    enddate: Date | None = None
    created: Date | None = None

    @classmethod
    def of(cls, row: VmSchedule, call: Call) -> Self:
        return cls(
            id=row.id,
            virtualmachineid=row.vm_id,
            description=row.description,
            schedule=row.schedule,
            timezone=row.timezone,
            action=row.action,
            enabled=row.enabled,
            startdate=date(row.start),
            enddate=date(row.end),
            created=date(row.created),
        )


Cron = Param("cron: minute, hour, day of the month, month, day of the week")
ZoneName = Param("a time zone such as UTC or Europe/Oslo")


@command("createVMSchedule", view=VmScheduleView, group=GROUP, since="4.19.0", event="VM.SCHEDULE.CREATE")
async def create_vm_schedule(
    call: Call,
    *,
    virtualmachineid: VirtualMachine,
    schedule: Annotated[str, Cron],
    timezone: Annotated[str, ZoneName],
    action: Annotated[str, Param("START, STOP, REBOOT, FORCE_STOP or FORCE_REBOOT")],
    description: str | None = None,
    startdate: Annotated[DateParameter | None, Param("from when; by default now")] = None,
    enddate: Annotated[DateParameter | None, Param("until when; by default for ever")] = None,
    enabled: Annotated[bool, Param("whether it works at once")] = True,
) -> VmSchedule:
    """Has something done to an instance again and again."""
    made: VmSchedule = call.manager.vm_schedules.create(
        virtualmachineid,
        action=action,
        schedule=schedule,
        timezone=timezone,
        description=description,
        start=startdate,
        end=enddate,
        enabled=enabled,
    )
    return made


def _check(call: Call, row: VmSchedule) -> None:
    call.resolve(VirtualMachine, row.vm_id)


@command("updateVMSchedule", view=VmScheduleView, group=GROUP, since="4.19.0", event="VM.SCHEDULE.UPDATE")
async def update_vm_schedule(
    call: Call,
    *,
    id: VmSchedule,
    schedule: Annotated[str | None, Cron] = None,
    timezone: Annotated[str | None, ZoneName] = None,
    description: str | None = None,
    startdate: Annotated[DateParameter | None, Param("from when")] = None,
    enddate: Annotated[DateParameter | None, Param("until when")] = None,
    enabled: bool | None = None,
) -> VmSchedule:
    """Changes a schedule."""
    _check(call, id)
    changed: VmSchedule = call.manager.vm_schedules.update(
        id,
        schedule=schedule,
        timezone=timezone,
        description=description,
        start=startdate,
        end=enddate,
        enabled=enabled,
    )
    return changed


@command("deleteVMSchedule", group=GROUP, since="4.19.0", event="VM.SCHEDULE.DELETE")
async def delete_vm_schedule(
    call: Call,
    *,
    virtualmachineid: VirtualMachine,
    id: VmSchedule | None = None,
    ids: Sequence[VmSchedule] | None = None,
) -> None:
    """Deletes schedules of an instance."""
    rows = [*([id] if id is not None else []), *(ids or [])]
    if not rows:
        raise InvalidParameterValue("Either id or ids parameter must be specified")
    if any(row.vm_id != virtualmachineid.id for row in rows):
        raise InvalidParameterValue(f"Not all of these schedules are of instance {virtualmachineid.name}")
    call.manager.vm_schedules.delete(list({row.id: row for row in rows}.values()))


@command("listVMSchedule", view=VmScheduleView, many=True, group=GROUP, since="4.19.0")
async def list_vm_schedule(
    call: Call,
    *,
    page: Page,
    virtualmachineid: Annotated[VirtualMachine, Param(access="operate")],
    id: VmSchedule | None = None,
    action: Annotated[str | None, Param("only those with that action")] = None,
    enabled: bool | None = None,
) -> Listed:
    """Lists the schedules of an instance."""
    rows = [
        row
        for row in call.store.table(VmSchedule).where("vm_id", virtualmachineid.id)
        if (id is None or row.id == id.id)
        and (not action or row.action == action.upper())
        and (enabled is None or row.enabled == enabled)
    ]
    return page_of(rows, page, search=("description",))
