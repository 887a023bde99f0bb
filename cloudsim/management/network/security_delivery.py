"""Brings security group rules into force on the hosts of running instances.

What is to be sent is never kept: it is computed from the rows when it is sent. So nothing is lost with a manager;
a host that connects is told the rules of all its instances.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine
from typing import Any

from cloudsim.errors import ResourceUnavailable
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents, AgentUnavailable
from cloudsim.management.network.nics import Nics
from cloudsim.management.network.security_members import SecurityMembers
from cloudsim.management.network.security_rules import SecurityRules
from cloudsim.model import Host, VirtualMachine
from cloudsim.protocol.commands import SecurityRulesCommand
from cloudsim.store import Change

log = logging.getLogger(__name__)

AT_A_TIME = 4
"""Instances of one host that it is told of at one time. Others need not wait for a host that does not answer."""
TRY_AGAIN = 60.0
"""Seconds after which a host that refused, or did not answer, is told again."""


class SecurityDelivery:
    """A queue of instances whose rules have changed: each once, and one command at a time for each.

    An instance that is just starting or moving takes its rules with it as they were when its host was told of it;
    when they change meanwhile they are sent once it runs. `spawn` runs a coroutine in the background.
    """

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        nics: Nics,
        rules: SecurityRules,
        members: SecurityMembers,
        spawn: Callable[[Coroutine[Any, Any, Any]], object],
    ) -> None:
        self._agents = agents
        self._nics = nics
        self._rules = rules
        self._spawn = spawn
        self._vms = foundation.table(VirtualMachine)
        self._waiting: dict[str, dict[str, None]] = {}
        """Instances by host."""
        self._workers: dict[str, int] = {}
        self._sending: set[str] = set()
        self._outdated: set[str] = set()
        members.on_change.append(self.concern)
        foundation.store.subscribe(self._vms_changed, VirtualMachine)

    def concern(self, vm_ids: Collection[str]) -> None:
        """The rules of these instances may be others now."""
        hosts: dict[str, None] = {}
        for vm_id in vm_ids:
            vm = self._vms.get(vm_id)
            if vm is None or vm.host_id is None:
                continue  # it gets them with its start
            if vm.state == "Running":
                self._waiting.setdefault(vm.host_id, {})[vm_id] = None
                hosts[vm.host_id] = None
            else:
                self._outdated.add(vm_id)
        for host_id in hosts:
            self._work(host_id)

    def connected(self, host: Host) -> None:
        """Tell the host, which has just connected, the rules of all its instances."""
        self.concern([vm.id for vm in self._vms.where("host_id", host.id) if vm.security_group_ids])

    @property
    def idle(self) -> bool:
        """Whether all that is to be sent was answered."""
        return not self._waiting and not self._sending

    def _vms_changed(self, changes: list[Change]) -> None:
        for table, before, after in changes:
            if table is not self._vms or before is None or not before.security_group_ids:
                continue
            if after is None or after.host_id is None:
                self._outdated.discard(before.id)
            elif after.state == "Running" and before.state != "Running":
                settled = before.state in ("Starting", "Migrating")  # else a report told, of who knows which start
                if not settled or before.id in self._outdated:
                    self._outdated.discard(before.id)
                    self.concern((before.id,))

    def _work(self, host_id: str) -> None:
        while self._workers.get(host_id, 0) < min(AT_A_TIME, len(self._waiting[host_id])):
            self._workers[host_id] = self._workers.get(host_id, 0) + 1
            self._spawn(self._send_waiting(host_id))

    async def _send_waiting(self, host_id: str) -> None:
        try:
            while (vm_id := self._next(host_id)) is not None:
                self._sending.add(vm_id)
                try:
                    await self._send(vm_id, host_id)
                finally:
                    self._sending.discard(vm_id)
                    self._work_where_it_waits(vm_id)
        finally:
            self._workers[host_id] -= 1
            if not self._workers[host_id]:
                del self._workers[host_id]

    def _work_where_it_waits(self, vm_id: str) -> None:
        """It may have moved in the meantime: the workers of its new host have passed it over."""
        vm = self._vms.get(vm_id)
        if vm is not None and vm.host_id is not None and vm_id in self._waiting.get(vm.host_id, {}):
            self._work(vm.host_id)

    def _next(self, host_id: str) -> str | None:
        waiting = self._waiting.get(host_id, {})
        found = next((vm_id for vm_id in waiting if vm_id not in self._sending), None)
        if found is not None:
            del waiting[found]
        if not waiting:
            self._waiting.pop(host_id, None)
        return found

    async def _send(self, vm_id: str, host_id: str) -> None:
        vm = self._vms.get(vm_id)
        if vm is None or vm.host_id != host_id or vm.state != "Running":
            self.concern((vm_id,))
            return
        for nic in self._nics.of(vm):
            rules = self._rules.of(nic)
            if rules is None:
                continue
            command = SecurityRulesCommand(vm=vm.instance_name, nic_id=nic.id, rules=rules)
            try:
                answer = await self._agents.send(host_id, command)
                error = None if answer.ok else answer.error
            except AgentUnavailable:
                return  # it is told when it comes back
            except ResourceUnavailable as unknown:
                error = str(unknown)
            if error is not None:
                log.warning("security group rules of %s are not in force: %s", vm.instance_name, error)
                self._spawn(self._again(vm_id))
                return

    async def _again(self, vm_id: str) -> None:
        await asyncio.sleep(TRY_AGAIN)
        self.concern((vm_id,))
