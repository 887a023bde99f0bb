"""Schedules of instances: start, stop or reboot them when a cron expression says so.

A schedule that is due while the server is down is done once when it is back, unless its end has passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from msgspec.structs import replace

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.compute.vms import VirtualMachines
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.identity import Identity
from cloudsim.management.operations.jobs import Jobs
from cloudsim.management.operations.recurring import Recurring
from cloudsim.management.operations.schedule_times import next_cron
from cloudsim.model import VirtualMachine, VmSchedule
from cloudsim.model.compute import ScheduledAction

ACTIONS: tuple[ScheduledAction, ...] = get_args(ScheduledAction)
_COMMANDS: dict[ScheduledAction, str] = {
    "START": "startVirtualMachine",
    "STOP": "stopVirtualMachine",
    "REBOOT": "rebootVirtualMachine",
    "FORCE_STOP": "stopVirtualMachine",
    "FORCE_REBOOT": "rebootVirtualMachine",
}


class VmSchedules:
    """Keeps the schedules, and does what is due."""

    def __init__(self, foundation: Foundation, identity: Identity, jobs: Jobs, vms: VirtualMachines) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._identity = identity
        self._jobs = jobs
        self._service = vms
        self._table = foundation.table(VmSchedule)
        self._vms = foundation.table(VirtualMachine)
        self._randomness = foundation.randomness.branch("vm schedules")
        self._clock = Recurring(
            foundation,
            VmSchedule,
            lambda row, after: self._next(row.schedule, row.timezone, after, row.end),
            lambda row: row.enabled,
        )
        vms.expunging.on_expunge.append(self.forget)

    def create(
        self,
        vm: VirtualMachine,
        *,
        action: str,
        schedule: str,
        timezone: str,
        description: str | None = None,
        start: float | None = None,
        end: float | None = None,
        enabled: bool = True,
    ) -> VmSchedule:
        """Have `action` done to the instance at the times of `schedule`, from `start` to `end` (Unix seconds)."""
        wanted = action.upper()
        if wanted not in ACTIONS:
            raise InvalidParameterValue(f"Invalid value for action: {action}. Use one of {', '.join(ACTIONS)}")
        if vm.state in ("Destroyed", "Expunging", "Error"):
            raise InvalidParameterValue(f"Instance {vm.name} is in state {vm.state}: it cannot have a schedule")
        now = self._foundation.now()
        start = now if start is None else start
        self._check_span(start, end, now)
        due = self._next(schedule, timezone, max(start, now), end)
        text = description or f"{wanted.capitalize()} {vm.name} at {schedule} ({timezone})"
        with self._store.transaction():
            return self._table.insert(
                VmSchedule(
                    id=self._randomness.uuid(),
                    vm_id=vm.id,
                    description=text,
                    action=wanted,
                    schedule=schedule,
                    timezone=timezone,
                    start=start,
                    end=end,
                    enabled=enabled,
                    next_run=due,
                    created=now,
                )
            )

    def update(
        self,
        row: VmSchedule,
        *,
        schedule: str | None = None,
        timezone: str | None = None,
        description: str | None = None,
        start: float | None = None,
        end: float | None = None,
        enabled: bool | None = None,
    ) -> VmSchedule:
        """Change what is given; the next time is reckoned anew."""
        now = self._foundation.now()
        if start is not None or end is not None:
            self._check_span(start if start is not None else row.start, end if end is not None else row.end, None)
        given = {
            "schedule": schedule,
            "timezone": timezone,
            "description": description,
            "start": start,
            "end": end,
            "enabled": enabled,
        }
        wanted = replace(row, **{name: value for name, value in given.items() if value is not None})
        due = self._next(wanted.schedule, wanted.timezone, max(now, wanted.start), wanted.end)
        fields = {name: getattr(wanted, name) for name in given}
        with self._store.transaction():
            return self._table.update(row.id, next_run=due, **fields)

    def delete(self, rows: Sequence[VmSchedule]) -> None:
        with self._store.transaction():
            for row in rows:
                self._table.delete(row.id)

    async def forget(self, vm: VirtualMachine) -> None:
        """Drop the schedules of an instance that goes."""
        self.delete(self._table.where("vm_id", vm.id))

    @staticmethod
    def _check_span(start: float, end: float | None, now: float | None) -> None:
        if end is not None and end <= start:
            raise InvalidParameterValue("Invalid value for end date: it must be after the start date")
        if now is not None and end is not None and end <= now:
            raise InvalidParameterValue("Invalid value for end date: it lies in the past")

    @staticmethod
    def _next(schedule: str, timezone: str, after: float, end: float | None) -> float | None:
        due = next_cron(schedule, timezone, after)
        return None if due is None or (end is not None and due > end) else due

    # the clock

    async def run(self) -> None:
        """For ever: wait until a schedule is due, and enter its job."""
        await self._clock.run(self._enter)

    def _enter(self, row: VmSchedule, due: float) -> None:
        if row.end is None or due <= row.end:
            self._submit(row)

    def _submit(self, row: VmSchedule) -> None:
        vm = self._vms.get(row.vm_id)
        if vm is None:
            self._table.delete(row.id)
            return
        account, user = self._identity.system()
        caller = Caller(account, user)

        async def work() -> VirtualMachine:
            now = self._vms.get(row.vm_id)
            if now is None:
                raise CloudError(f"Instance {vm.name} is gone")
            if row.action == "START":
                return await self._service.started(caller, row.vm_id) if now.state == "Stopped" else now
            if now.state != "Running":
                return now
            forced = row.action.startswith("FORCE")
            if row.action.endswith("STOP"):
                return await self._service.stopped(caller, row.vm_id, forced=forced)
            return await self._service.rebooted(caller, row.vm_id, forced=forced)

        self._foundation.events.record_of(
            vm, "VM.SCHEDULE.EXECUTE", f"Executing action ({row.action}) for VM: {vm.name}", caller
        )
        self._jobs.submit(
            caller, _COMMANDS[row.action], work, instance_type="VirtualMachine", instance_id=row.vm_id
        )
