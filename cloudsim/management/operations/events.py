"""The cloud's history, and what an operator should look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from cloudsim.management.identity.caller import Caller
from cloudsim.management.operations.alert_types import ALERT_NUMBERS
from cloudsim.model import Alert, Event, VirtualMachine
from cloudsim.randomness import Randomness
from cloudsim.store import Store

DAY = 86_400.0

SERVICE_EVENTS = (
    "CLUSTER.DRS",
    "PORTABLE.IP.ASSIGN",
    "PORTABLE.IP.RELEASE",
    "VM.AFFINITY.GROUP.UPDATE",
    "VM.CREATE",
    "VM.DESTROY",
    "VM.EXPUNGE",
    "VM.IMPORT",
    "VM.LEASE.CANCELLED",
    "VM.LEASE.DISABLED",
    "VM.LEASE.EXPIRED",
    "VM.LEASE.EXPIRING",
    "VM.MIGRATE",
    "VM.MOVE",
    "VM.POWERSYNC",
    "VM.REBOOT",
    "VM.RECOVER",
    "VM.RESETPASSWORD",
    "VM.RESETSSHKEY",
    "VM.RESETUSERDATA",
    "VM.RESTORE",
    "VM.SCHEDULE.EXECUTE",
    "VM.START",
    "VM.STOP",
    "VM.UNMANAGE",
    "VM.UPDATE",
    "VM.UPGRADE",
    "VOLUME.ASSIGN",
)
"""The types of the events that services record by themselves, whoever asked for what they did."""


class Events:
    """Writes events and alerts; `record` and `alert` need no open transaction but join one."""

    def __init__(self, store: Store, randomness: Randomness, now: Callable[[], float]) -> None:
        self._store = store
        self._events = store.table(Event)
        self._alerts = store.table(Alert)
        self._randomness = randomness.branch("events")
        self._now = now

    def record(
        self,
        type: str,
        description: str,
        *,
        caller: Caller | None = None,
        account_id: str = "",
        domain_id: str = "",
        level: Literal["INFO", "WARN", "ERROR"] = "INFO",
        state: Literal["Created", "Scheduled", "Started", "Completed"] = "Completed",
        resource_id: str | None = None,
        resource_type: str | None = None,
        start_id: str | None = None,
    ) -> Event:
        """Add an event, for the caller's account unless `account_id` and `domain_id` say whose it is.

        `start_id` is the event that began what this one completes.
        """
        user_id = None
        if caller is not None:
            user_id = caller.user_id
            if not account_id:
                account_id, domain_id = caller.account.id, caller.account.domain_id
        with self._store.transaction():
            return self._events.insert(
                Event(
                    id=self._randomness.uuid(),
                    type=type,
                    level=level,
                    state=state,
                    description=description,
                    account_id=account_id,
                    domain_id=domain_id,
                    user_id=user_id,
                    resource_id=resource_id,
                    resource_type=resource_type,
                    start_id=start_id,
                    created=self._now(),
                )
            )

    def record_of(
        self,
        vm: VirtualMachine,
        type: str,
        description: str,
        caller: Caller | None = None,
        level: Literal["INFO", "WARN", "ERROR"] = "INFO",
    ) -> Event:
        """Add an event about an instance, for the caller or its owner."""
        return self.record(
            type,
            description,
            caller=caller,
            account_id=vm.account_id,
            domain_id=vm.domain_id,
            level=level,
            resource_id=vm.id,
            resource_type="VirtualMachine",
        )

    def alert(
        self,
        name: str,
        description: str,
        *,
        number: int | None = None,
        zone_id: str | None = None,
        pod_id: str | None = None,
        cluster_id: str | None = None,
    ) -> Alert:
        """Raise an alert of one of CloudStack's names (see `alert_types`), or of another with a number of its own."""
        with self._store.transaction():
            return self._alerts.insert(
                Alert(
                    id=self._randomness.uuid(),
                    type=ALERT_NUMBERS[name] if number is None else number,
                    name=name,
                    description=description,
                    zone_id=zone_id,
                    pod_id=pod_id,
                    cluster_id=cluster_id,
                    sent=self._now(),
                )
            )

    def purge(self, keep_days: int) -> int:
        """Forget events older than `keep_days` (0: none); returns how many."""
        if not keep_days:
            return 0
        oldest = self._now() - keep_days * DAY
        old = []
        for event in self._events:  # insertion order is the order of `created`
            if event.created >= oldest:
                break
            old.append(event.id)
        with self._store.transaction():
            for event_id in old:
                self._events.delete(event_id)
        return len(old)
