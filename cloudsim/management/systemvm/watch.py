"""Keeping system VMs at work: one that stopped is started, one that does not answer restarted, one that is lost replaced.

Its disk holds nothing worth keeping, and the rows know what it is to do. So a system VM whose host is in Alert is taken
for stopped and started elsewhere, and one that cannot be started as it is is made anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from cloudsim.errors import CloudError
from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.jobs import Jobs
from cloudsim.management.systemvm.routers import Routers
from cloudsim.management.systemvm.system_vms import SystemVms
from cloudsim.model import Host, Network, SystemVm, VirtualMachine
from cloudsim.model.systemvm import SystemVmKind
from cloudsim.protocol.systemvm import Ping, RouterStatistics, RouterStatisticsResult
from cloudsim.store import Change

log = logging.getLogger(__name__)

ALERTS: dict[SystemVmKind, str] = {
    "DomainRouter": "ALERT.SERVICE.DOMAINROUTER",
    "InternalLoadBalancerVm": "ALERT.SERVICE.DOMAINROUTER",
    "ConsoleProxy": "ALERT.SERVICE.CONSOLEPROXY",
    "SecondaryStorageVm": "ALERT.SERVICE.SSVM",
}
"""CloudStack's names of alerts."""
PING_WITHIN = 20.0
SILENCES = 3
"""Pings that a system VM may miss before it is restarted."""
LOST = ("Alert", "Down", "Removed")
"""States of a host of which what ran there is taken for gone."""
ROUTERS: tuple[SystemVmKind, ...] = ("DomainRouter", "InternalLoadBalancerVm")


class SystemVmWatch:
    """`check` is to be called every router.check.interval; what is seen to happen is looked at at once."""

    def __init__(
        self,
        foundation: Foundation,
        jobs: Jobs,
        system_vms: SystemVms,
        routers: Routers,
        spawn: Callable[[Coroutine[Any, Any, Any]], Any],
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._jobs = jobs
        self._system = system_vms
        self._routers = routers
        self._spawn = spawn
        self._rows = foundation.table(SystemVm)
        self._vms = foundation.table(VirtualMachine)
        self._hosts = foundation.table(Host)
        self._networks = foundation.table(Network)
        self._looking: set[str] = set()
        self._out_since: dict[str, float] = {}
        self.on_up: list[Callable[[SystemVm], Coroutine[Any, Any, None]]] = []
        """Called for one that answers for the first time since it started, after it was told what it is."""
        self.on_told: list[Callable[[SystemVm, RouterStatisticsResult], None]] = []
        """Called with what a router says of its work, whenever it is looked at."""
        foundation.store.subscribe(self._changed, VirtualMachine, Host)

    def _changed(self, changes: list[Change]) -> None:
        if not len(self._rows):
            return
        for table, before, after in changes:
            if after is None or before is None or before.state == after.state:
                continue
            if table is self._vms:
                if after.type != "User" and after.state == "Stopped":
                    self._look_soon(after.id)
            elif after.state in LOST:
                for vm_id in self._vms.ids("host_id", after.id):
                    if vm_id in self._rows:
                        self._look_soon(vm_id)

    def check(self) -> None:
        """Look at every system VM, and for networks whose router is gone."""
        for row in self._rows:
            self._look_soon(row.id)
        for network in self._routers.orphans():
            if network.id not in self._looking:
                self._looking.add(network.id)
                self._spawn(self._adopt(network))

    async def _adopt(self, network: Network) -> None:
        """Its router was removed, and no other could be made then."""
        try:
            await self._routers.ensure(network.id)
        except CloudError as error:
            log.warning("network %s is without a router: %s", network.name, error)
        finally:
            self._looking.discard(network.id)

    def _look_soon(self, vm_id: str) -> None:
        if vm_id not in self._looking:
            self._looking.add(vm_id)
            self._spawn(self._look(vm_id))

    async def _look(self, vm_id: str) -> None:
        try:
            row, vm = self._rows.get(vm_id), self._vms.get(vm_id)
            if row is None or vm is None or self._jobs.busy(vm_id):
                return
            if row.wanted:
                await self._attend(row, vm)
            elif vm.state in ("Destroyed", "Expunging") or self._system.is_retired(row):
                await self._remove(row)  # which was begun, and did not come to its end
            elif vm.state == "Running":  # it could not be stopped, and goes on
                with self._store.transaction():
                    self._rows.update(row.id, wanted=True)
        except CloudError as error:
            log.warning("system VM %s: %s", vm_id, error)
        finally:
            self._looking.discard(vm_id)

    async def _attend(self, row: SystemVm, vm: VirtualMachine) -> None:
        host = self._hosts.get(vm.host_id)
        lost = host is not None and host.state in LOST
        if vm.state in ("Running", "Unknown") and lost:
            assert host is not None
            if not any(each.zone_id == row.zone_id for each in self._hosts.where("state", "Up")):
                return  # the manager is cut off, or there is nowhere to go
            self._out(row, f"Host {host.name} of {vm.instance_name} is {host.state}")
            stop = partial(self._system.stopped, row.id, forced=True, wanted=True)
            await self._system.in_turn(row.id, "stopSystemVm", stop)
            await self._restart(row)
        elif vm.state in ("Stopped", "Error", "Destroyed", "Expunging"):
            self._out(row, f"{vm.instance_name} is {vm.state}")
            await self._restart(row)
        elif vm.state == "Running" and host is not None and host.state == "Up":
            await self._ask(row, vm)

    # one that runs

    async def _ask(self, row: SystemVm, vm: VirtualMachine) -> None:
        try:
            behind = await self._is_behind(row)
        except CloudError as error:
            await self._silent(row, vm, error)
            return
        if row.id not in self._rows:
            return  # it was removed while it was asked
        new = row.agent_state != "Up"
        if new or row.failures:
            with self._store.transaction():
                row = self._rows.update(row.id, agent_state="Up", failures=0, last_failure="")
        if behind:
            await self._routers.tell_again(row)
        if new or row.id in self._out_since:
            await self._back(row)

    async def _is_behind(self, row: SystemVm) -> bool:
        """Whether it is a router that does not know all it should. Raises CloudError if it does not answer."""
        if row.kind not in ROUTERS:
            await self._system.ask(row.id, Ping(), PING_WITHIN)
            return False
        reply = await self._system.ask(row.id, RouterStatistics(), PING_WITHIN)
        assert isinstance(reply, RouterStatisticsResult)
        for hook in self.on_told:
            hook(row, reply)
        return reply.number < row.configured or self._routers.is_behind(row)

    async def _silent(self, row: SystemVm, vm: VirtualMachine, error: CloudError) -> None:
        now = self._vms.get(vm.id)
        if now is None or row.id not in self._rows or now.state != "Running":
            return
        with self._store.transaction():
            row = self._rows.update(
                row.id, agent_state="Disconnected", failures=row.failures + 1, last_failure=error.text
            )
        if row.failures < SILENCES:
            return
        self._out(row, f"{vm.instance_name} does not answer: {error.text}")
        stop = partial(self._system.stopped, row.id, forced=True, wanted=True)
        await self._system.in_turn(row.id, "rebootSystemVm", stop)
        if row.id in self._vms:
            await self._restart(row)

    # one that does not

    def _out(self, row: SystemVm, text: str) -> None:
        if row.id in self._out_since:
            return
        self._out_since[row.id] = self._foundation.now()
        name = ALERTS[row.kind]
        self._foundation.events.alert(name, text, zone_id=row.zone_id)

    async def _restart(self, row: SystemVm) -> None:
        most = self._foundation.settings.integer("systemvm.restart.attempts")
        vm = self._vms[row.id]
        if vm.state == "Stopped" and row.failures < most:
            try:
                await self._system.in_turn(row.id, "startSystemVm", partial(self._system.started, row.id))
            except CloudError as error:
                if row.id in self._rows:
                    with self._store.transaction():
                        failures = self._rows[row.id].failures + 1
                        self._rows.update(row.id, failures=failures, last_failure=error.text)
                raise
            if row.kind in ROUTERS:
                await self._routers.tell_again(self._rows[row.id])
            await self._back(self._rows[row.id])
            return
        await self._make_anew(row)

    async def _make_anew(self, row: SystemVm) -> None:
        """Remove it, and make a router's successor; pools of the other kinds see to theirs themselves.

        A router gives up its addresses first, so that its successor need not wait until it can be removed.
        """
        began = self._out_since.pop(row.id, self._foundation.now())
        if row.kind not in ROUTERS:
            await self._remove(row)
            return
        self._system.retire(row)
        try:
            new = await self._routers.successor(row)
            if new is not None:
                self._out_since[new.id] = began
                await self._back(new)
        except Exception:  # but not when the server stops, which this would hold up: the next one removes it
            await self._remove(row)
            raise
        await self._remove(row)

    async def _remove(self, row: SystemVm) -> None:
        await self._system.in_turn(row.id, "destroySystemVm", partial(self._system.destroyed, row.id))

    async def _back(self, row: SystemVm) -> None:
        for hook in self.on_up:
            await hook(row)
        began = self._out_since.pop(row.id, None)
        if began is None:
            return
        vm = self._vms[row.id]
        host = self._hosts.get(vm.host_id)
        seconds = self._foundation.now() - began
        text = f"{vm.instance_name} is at work again on {host.name if host else 'a host'} after {seconds:.1f} s"
        name = ALERTS[row.kind]
        log.info("%s", text)
        with self._store.transaction():
            self._foundation.events.alert(name, text, zone_id=row.zone_id)
