"""Carries out a scenario's operations."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.experiment.cloud import Cloud
from cloudsim.experiment.feeding import Feeder
from cloudsim.experiment.operations import Migrate, Operation, OperationRecord, Reboot, Start, Stop
from cloudsim.management.identity.caller import Caller
from cloudsim.model import Host, VirtualMachine
from cloudsim.model.operations import JOB_SUCCEEDED

log = logging.getLogger(__name__)


class Operator:
    """Carries out the operations at their times, side by side where they overlap. `history` tells how they went."""

    def __init__(
        self, cloud: Cloud, feeder: Feeder, operations: Sequence[Operation], beginning: float
    ) -> None:
        self._cloud = cloud
        self._feeder = feeder
        self._beginning = beginning
        self._operations = operations
        self._vms = cloud.store.table(VirtualMachine)
        self.outstanding = len(operations)
        self.history: list[OperationRecord] = []
        self.on_done: Callable[[], None] = lambda: None
        self._tasks: set[Any] = set()

    def begin(self) -> None:
        for number, operation in enumerate(self._operations, 1):
            self._cloud.world.loop.call_at(self._beginning + operation.at, self._start, number, operation)

    def _start(self, number: int, operation: Operation) -> None:
        task = self._cloud.world.loop.create_task(self._do(number, operation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, number: int, operation: Operation) -> None:
        kind = type(operation).__name__.lower()
        loop, server = self._cloud.world.loop, self._cloud.server
        caller = self._cloud.caller_for(f"operation {number}: {kind} request {operation.request}")
        began = loop.time() - self._beginning
        error = None
        try:
            vm = self._feeder.instance_of(operation.request - 1)
            if vm is None:
                raise InvalidParameterValue(f"request {operation.request} has no instance now")
            command, work = self._work(operation, vm, caller)
            job = server.jobs.submit(
                caller, command, work, instance_type="VirtualMachine", instance_id=vm.id
            )
            job = await server.jobs.wait(job.id)
            if job.status != JOB_SUCCEEDED:
                error = str(msgspec.json.decode(job.result or "{}").get("errortext", "it failed"))
        except CloudError as failed:
            error = failed.text
        if error is not None:
            log.warning("operation %d (%s) failed: %s", number, kind, error)
        self.history.append(
            OperationRecord(
                operation=kind,
                request=operation.request,
                began=began,
                ended=loop.time() - self._beginning,
                error=error,
            )
        )
        self.outstanding -= 1
        self.on_done()

    def _work(
        self, operation: Operation, vm: VirtualMachine, caller: Caller
    ) -> tuple[str, Callable[[], Coroutine[Any, Any, Any]]]:
        """The API's name of the operation, and what it does."""
        server = self._cloud.server
        match operation:
            case Migrate():
                target = self._host(operation.host)
                return "migrateVirtualMachine", lambda: server.migration.migrate(caller, vm.id, target)
            case Start():
                return "startVirtualMachine", lambda: server.vms.started(caller, vm.id)
            case Stop():
                forced = operation.forced
                return "stopVirtualMachine", lambda: server.vms.stopped(caller, vm.id, forced=forced)
            case Reboot():
                return "rebootVirtualMachine", lambda: server.vms.rebooted(caller, vm.id)

    def _host(self, name: str | None) -> str | None:
        if name is None:
            return None
        for host in self._cloud.store.table(Host):
            if fnmatchcase(host.name, name):
                return host.id
        raise InvalidParameterValue(f"there is no host called {name}")
