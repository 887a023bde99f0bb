"""High availability: an instance whose offering asks for it is started again when its host lost it.

Two things happen to such an instance. Its host says that it does not run, though nobody stopped it: it is started again,
where placement says. Or its host falls silent: then nobody knows, and to run an instance twice would destroy its disks.
So another host that reaches the disks is asked whether anybody has them open to write. Only if nobody has, the
instance is taken for gone and started elsewhere. One whose disks are the silent host's own waits for that host.

What is still to be tried is known to the running server alone: after its own restart, hosts' reports tell it anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from cloudsim.errors import CloudError
from cloudsim.management.compute.disk_witnesses import DiskWitnesses
from cloudsim.management.compute.vms import VirtualMachines
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.identity import Identity
from cloudsim.management.operations.jobs import Jobs
from cloudsim.model import Host, VirtualMachine
from cloudsim.store import Change

log = logging.getLogger(__name__)

LOST = ("Alert", "Down")
"""States of a host of which nobody knows whether its instances still run."""
TRIES = 5
"""Restarts that may fail before an instance is left Stopped."""


class _Restart(msgspec.Struct):
    """An instance that is to be started again."""

    due: float
    failures: int = 0


class HighAvailability:
    """`check` is to be called every ping.interval; what is seen to happen is looked at at once."""

    def __init__(
        self,
        foundation: Foundation,
        identity: Identity,
        jobs: Jobs,
        vms: VirtualMachines,
        witnesses: DiskWitnesses,
        spawn: Callable[[Coroutine[Any, Any, Any]], Any],
    ) -> None:
        self._foundation = foundation
        self._identity = identity
        self._jobs = jobs
        self._vms = vms
        self._witnesses = witnesses
        self._spawn = spawn
        self._rows = foundation.table(VirtualMachine)
        self._hosts = foundation.table(Host)
        self._restarts: dict[str, _Restart] = {}
        self._investigated: dict[str, float] = {}
        """When each lost host was looked into last."""
        foundation.store.subscribe(self._changed, VirtualMachine, Host)

    def _changed(self, changes: list[Change]) -> None:
        for table, before, after in changes:
            if before is None or after is None or before.state == after.state:
                continue
            if table is self._hosts:
                if after.state in LOST:
                    self._look_into(after)
                else:
                    self._investigated.pop(after.id, None)
            elif after.state not in ("Starting", "Stopping", "Stopped"):
                self._restarts.pop(after.id, None)  # it runs, by whoever's doing, or is to be no more
            elif _was_lost(before, after) and not self._jobs.busy(after.id):
                self._restarts[after.id] = _Restart(due=self._foundation.now())
                self._spawn(self._restart_due())

    def check(self) -> None:
        """Look into hosts that are lost still, and try again what failed."""
        again = self._foundation.settings.number("investigate.retry.interval")
        for state in LOST:
            for host in self._hosts.where("state", state):
                if self._foundation.now() - self._investigated.get(host.id, 0.0) >= again:
                    self._look_into(host)
        self._spawn(self._restart_due())

    # a host that is silent

    def _look_into(self, host: Host) -> None:
        self._investigated[host.id] = self._foundation.now()
        vms = [vm for vm in self._rows.where("host_id", host.id) if vm.ha_enabled and vm.type == "User"]
        if vms:
            self._spawn(self._investigate(host, [vm.id for vm in vms if vm.state == "Running"]))

    async def _investigate(self, host: Host, vm_ids: list[str]) -> None:
        for vm_id in vm_ids:
            vm = self._rows.get(vm_id)
            if vm is None or not self._is_lost(vm) or vm.host_id != host.id or self._jobs.busy(vm_id):
                continue
            if await self._witnesses.are_gone([vm], host) and self._is_lost(self._rows.get(vm_id)):
                self._foundation.events.alert(
                    "ALERT.USERVM",
                    f"{vm.instance_name} does not run any more: host {host.name} is {host.state}, and its disks are "
                    "free. It is started elsewhere",
                    zone_id=vm.zone_id,
                    pod_id=host.pod_id,
                    cluster_id=host.cluster_id,
                )
                self._restarts[vm_id] = _Restart(due=self._foundation.now())
        await self._restart_due()

    def _is_lost(self, vm: VirtualMachine | None) -> bool:
        host = None if vm is None else self._hosts.get(vm.host_id)
        return vm is not None and vm.state == "Running" and host is not None and host.state in LOST

    # starting again

    async def _restart_due(self) -> None:
        now = self._foundation.now()
        for vm_id, restart in list(self._restarts.items()):
            vm = self._rows.get(vm_id)
            if vm is None or not (vm.state == "Stopped" or self._is_lost(vm)):
                self._restarts.pop(vm_id, None)  # somebody else saw to it, or its host is back
            elif restart.due <= now and not self._jobs.busy(vm_id):
                restart.due = float("inf")  # until it is known how this try ends
                self._submit(vm, restart)

    def _submit(self, vm: VirtualMachine, restart: _Restart) -> None:
        caller = Caller(self._identity.system()[0])
        self._jobs.submit(
            caller,
            "startVirtualMachine",
            lambda: self._restart(caller, vm.id, restart),
            instance_type="VirtualMachine",
            instance_id=vm.id,
        )

    async def _restart(self, caller: Caller, vm_id: str, restart: _Restart) -> None:
        vm = self._rows.get(vm_id)
        if vm is None or self._restarts.get(vm_id) is not restart:
            return
        try:
            if self._is_lost(vm):
                await self._vms.stopped(caller, vm_id, forced=True)
            if self._rows[vm_id].state == "Stopped":
                await self._vms.started(caller, vm_id, failover=True)
        except CloudError as error:
            self._failed(vm, restart, error)
            raise
        self._restarts.pop(vm_id, None)

    def _failed(self, vm: VirtualMachine, restart: _Restart, error: CloudError) -> None:
        restart.failures += 1
        restart.due = self._foundation.now() + self._foundation.settings.number("restart.retry.interval")
        last = restart.failures >= TRIES
        if last:
            self._restarts.pop(vm.id, None)
        self._foundation.events.alert(
            "ALERT.USERVM",
            f"{vm.instance_name} could not be started again: {error.text}. "
            + ("It stays Stopped" if last else "It is tried again"),
            zone_id=vm.zone_id,
        )


def _was_lost(before: VirtualMachine, after: VirtualMachine) -> bool:
    """Whether a running instance was found not to run: one that is stopped on request is Stopping before."""
    return after.ha_enabled and after.type == "User" and before.state == "Running" and after.state == "Stopped"
