"""Leases of instances: for how many days one is there, and what is done to it when they are over.

A lease begins with its instance's deployment, by what the caller or the offering says, where instance.lease.enabled.
It ends when its action is done, when its owner gives it up, or when leases are no longer enabled.
"""

from __future__ import annotations

import asyncio
import math
from typing import NamedTuple, get_args

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.compute.vms import VirtualMachines
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.identity import Identity
from cloudsim.management.operations.due_rows import DueRows
from cloudsim.management.operations.jobs import Jobs
from cloudsim.model import Configuration, InstanceLease, ServiceOffering, VirtualMachine
from cloudsim.model.lease import LeaseAction
from cloudsim.store import Change

ENABLED = "instance.lease.enabled"
NOTICE_DAYS = "instance.lease.expiryevent.daysbefore"
NOTICE_INTERVAL = "instance.lease.eventscheduler.interval"
DURATION, ACTION = "leaseduration", "leaseexpiryaction"
"""The details of a service offering that say the lease of its instances."""
MOST_DAYS = 36_500
NONE = -1
"""The duration that says: no lease."""
DAY = 86_400.0
ACTIONS: tuple[LeaseAction, ...] = get_args(LeaseAction)
_COMMANDS: dict[LeaseAction, str] = {"STOP": "stopVirtualMachine", "DESTROY": "destroyVirtualMachine"}


class Lease(NamedTuple):
    """So many days, and what is done to the instance after them."""

    days: int
    action: LeaseAction


def lease_of(offering: ServiceOffering) -> Lease | None:
    """The lease that an offering's instances get where the caller does not say otherwise."""
    days, action = offering.details.get(DURATION), offering.details.get(ACTION)
    found = next((each for each in ACTIONS if each == action), None)
    return None if days is None or not days.isdecimal() or found is None else Lease(int(days), found)


def days_left(lease: InstanceLease, now: float) -> int:
    """The days that are left of a lease, a begun one for a whole one."""
    return max(0, math.ceil((lease.expires - now) / DAY))


class VmLeases:
    """Keeps the leases, tells of those that will expire, and does what is due."""

    def __init__(self, foundation: Foundation, identity: Identity, jobs: Jobs, vms: VirtualMachines) -> None:
        self._foundation = foundation
        self._settings = foundation.settings
        self._store = foundation.store
        self._identity = identity
        self._jobs = jobs
        self._service = vms
        self._leases = foundation.table(InstanceLease)
        self._vms = foundation.table(VirtualMachine)
        self._randomness = foundation.randomness.branch("vm leases")
        self._expiries = DueRows(foundation, InstanceLease, lambda lease: lease.expires)
        self._notices = DueRows(foundation, InstanceLease, lambda lease: lease.notice)
        self._open: dict[str, None] = {}  # leases that have expired, and whose action is not done
        self._entered: set[str] = set()  # those of them whose jobs have not ended
        self._days_before = self._settings.integer(NOTICE_DAYS)
        self._configured = asyncio.Event()
        self._configured.set()
        foundation.store.subscribe(self._hear, Configuration)

    @property
    def enabled(self) -> bool:
        """Whether instances may have a lease."""
        return self._settings.boolean(ENABLED)

    def of(self, vm: VirtualMachine) -> InstanceLease | None:
        """The lease that the instance has now."""
        return self._leases.find("vm_id", vm.id) if self.enabled else None

    def all(self) -> list[str]:
        """The ids of the instances that have a lease."""
        return [lease.vm_id for lease in self._leases] if self.enabled else []

    # asking for one

    def check(self, days: int | None, action: LeaseAction | None) -> None:
        """Raise InvalidParameterValue for what no lease can be."""
        if days is None and action is None:
            return
        if not self.enabled:
            raise InvalidParameterValue(f"{DURATION} and {ACTION} are for clouds with leases: {ENABLED} is false")
        if days is not None and days != NONE and not 1 <= days <= MOST_DAYS:
            raise InvalidParameterValue(
                f"{DURATION} must be from 1 to {MOST_DAYS} days, or {NONE} for no lease, not {days}"
            )
        if days == NONE and action is not None:
            raise InvalidParameterValue(f"With {DURATION} {NONE} there is no lease, and so no {ACTION}")

    def of_offering(self, days: int | None, action: LeaseAction | None) -> dict[str, str]:
        """The details of an offering whose instances are to have such a lease; none without one."""
        self.check(days, action)
        if days == NONE or (days is None and action is None):
            return {}
        if days is None or action is None:
            raise InvalidParameterValue(f"{DURATION} and {ACTION} must be given together")
        return {DURATION: str(days), ACTION: action}

    def wanted(self, offering: ServiceOffering, days: int | None, action: LeaseAction | None) -> Lease | None:
        """The lease of an instance of that offering whose owner asks for this; None: it is to have none."""
        self.check(days, action)
        if days == NONE or not self.enabled:
            return None
        offered = lease_of(offering)
        if days is None and action is None:
            return offered
        days = days or (offered.days if offered is not None else None)
        action = action or (offered.action if offered is not None else None)
        if days is None or action is None:
            raise InvalidParameterValue(
                f"{DURATION} and {ACTION} must be given together: service offering {offering.name} has no lease"
            )
        return Lease(days, action)

    def begin(self, vm: VirtualMachine, lease: Lease) -> None:
        """Give the instance, which has none, a lease from now on."""
        expires = self._foundation.now() + lease.days * DAY
        with self._store.transaction():
            self._leases.insert(
                InstanceLease(
                    id=self._randomness.uuid(),
                    vm_id=vm.id,
                    expires=expires,
                    action=lease.action,
                    notice=self._first_notice(expires),
                )
            )

    # changing it

    def check_change(self, vm: VirtualMachine, days: int | None, action: LeaseAction | None) -> None:
        """Raise InvalidParameterValue unless the instance's lease can be changed so."""
        self.check(days, action)
        if (days is None and action is None) or days == NONE or self.of(vm) is not None:
            return
        raise InvalidParameterValue(
            f"Instance {vm.name} has no lease that could be changed: one begins with an instance's deployment"
        )

    def change(self, caller: Caller, vm: VirtualMachine, days: int | None, action: LeaseAction | None) -> None:
        """Have the lease last `days` from now, or none with -1 (records VM.LEASE.DISABLED); have another action."""
        self.check_change(vm, days, action)
        lease = self.of(vm)
        if lease is None:
            return
        with self._store.transaction():
            if days == NONE:
                self._leases.delete(lease.id)
                text = f"The lease of instance {vm.name} was given up"
                self._foundation.events.record_of(vm, "VM.LEASE.DISABLED", text, caller)
                return
            expires = lease.expires if days is None else self._foundation.now() + days * DAY
            notice = lease.notice if days is None else self._first_notice(expires)
            self._leases.update(lease.id, expires=expires, action=action or lease.action, notice=notice)

    # what the settings say

    def _hear(self, changes: list[Change]) -> None:
        self._configured.set()

    async def follow_settings(self) -> None:
        """For ever: end all leases when they are not enabled, and give notice as early as the settings say."""
        while True:
            await self._configured.wait()
            self._configured.clear()
            if not self.enabled:
                self._cancel_all()
            elif self._days_before != self._settings.integer(NOTICE_DAYS):
                self._days_before = self._settings.integer(NOTICE_DAYS)
                with self._store.transaction():
                    for lease in list(self._leases):
                        self._leases.update(lease.id, notice=self._first_notice(lease.expires))

    def _cancel_all(self) -> None:
        if not len(self._leases):
            return
        with self._store.transaction():
            for lease in list(self._leases):
                self._leases.delete(lease.id)
                vm = self._vms.get(lease.vm_id)
                if vm is not None:
                    text = f"The lease of instance {vm.name} was cancelled, since {ENABLED} is false"
                    self._foundation.events.record_of(vm, "VM.LEASE.CANCELLED", text)

    # the clock

    def _first_notice(self, expires: float) -> float:
        return max(self._foundation.now(), expires - DAY * self._settings.integer(NOTICE_DAYS))

    async def give_notices(self) -> None:
        """For ever: record VM.LEASE.EXPIRING for leases that will soon expire, again after each interval."""
        while True:
            await self._notices.wait()
            with self._store.transaction():
                for _, lease in list(self._notices.take()):
                    self._notify(lease)

    def _notify(self, lease: InstanceLease) -> None:
        following = self._foundation.now() + self._settings.integer(NOTICE_INTERVAL)
        self._leases.update(lease.id, notice=following if following < lease.expires else None)
        vm = self._vms.get(lease.vm_id)
        if vm is not None and self.enabled:
            left = max(0.0, lease.expires - self._foundation.now()) / DAY
            text = f"The lease of instance {vm.name} expires in {left:.1f} days, and then it is to {lease.action}"
            self._foundation.events.record_of(vm, "VM.LEASE.EXPIRING", text)

    def end_expired(self) -> None:
        """Enter the jobs of all leases that have expired; those that could not be done before are tried again."""
        for _, lease in self._expiries.take():
            self._open[lease.id] = None
        for lease_id in list(self._open):
            current = self._leases.get(lease_id)
            if current is None or current.expires > self._foundation.now():
                del self._open[lease_id]
            elif lease_id not in self._entered:
                self._enter(current)

    def _enter(self, lease: InstanceLease) -> None:
        vm = self._vms.get(lease.vm_id)
        if vm is None or vm.state in ("Destroyed", "Expunging", "Error"):
            del self._open[lease.id]
            with self._store.transaction():
                self._leases.delete(lease.id)
            return
        if lease.action == "DESTROY" and vm.delete_protection:
            return  # until that is taken off
        account, user = self._identity.system()
        caller = Caller(account, user)

        async def work() -> VirtualMachine | None:
            try:
                current = self._leases.get(lease.id)
                if current is None or current.expires > self._foundation.now():
                    return self._vms.get(lease.vm_id)  # given up, or made longer meanwhile
                if current.action == "STOP":
                    await self._service.stopped(caller, lease.vm_id)
                else:
                    await self._service.destroyed(caller, lease.vm_id)
                self._done(current)
                return self._vms.get(lease.vm_id)
            finally:
                self._entered.discard(lease.id)

        self._entered.add(lease.id)
        self._jobs.submit(
            caller, _COMMANDS[lease.action], work, instance_type="VirtualMachine", instance_id=lease.vm_id
        )

    def _done(self, lease: InstanceLease) -> None:
        self._open.pop(lease.id, None)
        with self._store.transaction():
            if lease.id in self._leases:
                self._leases.delete(lease.id)
            vm = self._vms.get(lease.vm_id)
            if vm is not None:
                text = f"The lease of instance {vm.name} has expired, and it is now {vm.state}"
                self._foundation.events.record_of(vm, "VM.LEASE.EXPIRED", text)
