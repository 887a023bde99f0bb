"""Making the manager's picture follow what hosts report, after a crash of either side.

An instance that a job works on is left to the job. Otherwise the host is right: what it does not run is
Stopped, what it runs is Running, and a copy of what should not run there is shut down. An instance that the
cloud does not know is left alone, also one that has the name of an instance of the cloud's and another id.

A host tells of a change once. So where its report could not be used (a job was at work, the report may be older
than the manager's own last change, it was lost), and while the state of an instance is Unknown, the host is asked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from cloudsim.errors import ResourceUnavailable
from cloudsim.management.compute.vm_states import TRANSITIONS
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.operations.jobs import Jobs
from cloudsim.model import Host, VirtualMachine
from cloudsim.protocol.commands import StopCommand, VmStatesAnswer, VmStatesCommand
from cloudsim.protocol.specs import VmReport

log = logging.getLogger(__name__)

RECENT = 120.0
"""Seconds after a change during which an older report may still be on its way."""


def _stranger(report: VmReport, vm: VirtualMachine) -> bool:
    """Whether what a host reports by the instance's name is another one. It has no id while the host works on it."""
    return report.id not in ("", vm.id)


class PowerSync:
    """Takes hosts' reports. `spawn` runs a coroutine in the background."""

    def __init__(
        self,
        foundation: Foundation,
        jobs: Jobs,
        agents: Agents,
        spawn: Callable[[Coroutine[Any, Any, Any]], object],
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._jobs = jobs
        self._agents = agents
        self._spawn = spawn
        self._vms = foundation.table(VirtualMachine)
        self._hosts = foundation.table(Host)
        self._doubtful: dict[str, None] = {}
        self._asked: set[str] = set()

    def report(
        self, host_id: str, reports: tuple[VmReport, ...], *, known_at: float | None = None
    ) -> None:
        """Compare a host's whole inventory, as it was at `known_at` or later, with what it should run.

        Without `known_at` it may have been on its way for RECENT seconds. What was changed since is not judged by it:
        the host is asked.
        """
        if known_at is None:
            known_at = self._foundation.now() - RECENT
        there = {report.name: report for report in reports if report.state != "PowerOff"}
        for report in reports:
            vm = self._vms.find("instance_name", report.name)
            if vm is None or (vm.host_id == host_id and vm.state == "Running"):
                continue
            if _stranger(report, vm):
                log.warning("host %s runs a stranger, %s, by the name of %s", host_id, report.id, report.name)
                continue
            if report.state != "PowerOn":
                continue  # off, or the host is at work on it and will tell
            if self._jobs.busy(vm.id):
                self._doubtful[host_id] = None
            elif vm.updated < known_at:
                self._found(vm, host_id)
            else:
                self.ask(host_id)
        for vm in self._expected(host_id):
            found = there.get(vm.instance_name)
            if found is not None and not _stranger(found, vm):
                continue
            if self._jobs.busy(vm.id):
                self._doubtful[host_id] = None
            elif vm.updated < known_at:
                self._missing(vm, host_id)
            else:
                self.ask(host_id)

    def settle_doubts(self) -> None:
        """Ask the hosts whose reports could not be used, and those of Unknown instances. To be called now and then."""
        doubtful, self._doubtful = self._doubtful, {}
        for vm in self._vms.where("state", "Unknown"):
            if not self._jobs.busy(vm.id):
                doubtful |= {host_id: None for host_id in (vm.host_id, vm.migrating_to) if host_id is not None}
        for host_id in doubtful:
            self.ask(host_id)

    def _expected(self, host_id: str) -> list[VirtualMachine]:
        found = self._vms.where("host_id", host_id)
        for state in ("Unknown", "Migrating"):
            found += [vm for vm in self._vms.where("state", state) if vm.migrating_to == host_id]
        return found

    def ask(self, host_id: str) -> None:
        """Have the host report now, unless it is being asked already."""
        if host_id not in self._asked and self._agents.is_connected(host_id):
            self._asked.add(host_id)
            self._spawn(self._ask(host_id))

    async def _ask(self, host_id: str) -> None:
        asked_at = self._foundation.now()
        try:
            answer = await self._agents.send(host_id, VmStatesCommand())
        except ResourceUnavailable:
            return  # it will report when it comes back
        finally:
            self._asked.discard(host_id)
        if isinstance(answer, VmStatesAnswer) and answer.ok and host_id in self._hosts:
            self.report(host_id, answer.vms, known_at=asked_at)

    def _found(self, vm: VirtualMachine, host_id: str) -> None:
        known = host_id in (vm.host_id, vm.migrating_to)
        if not known or (vm.state, "ReportedRunning") not in TRANSITIONS:
            self._stop_copy(vm, host_id)
            return
        with self._store.transaction():
            self._vms.update(
                vm.id,
                state="Running",
                power_state="PowerOn",
                host_id=host_id,
                migrating_to=None,
                pod_id=self._hosts[host_id].pod_id,
                password=None,  # it runs, so its start has handed it over
                updated=self._foundation.now(),
            )
            self._tell(vm, f"Host {self._hosts[host_id].name} reports that it runs")

    def _missing(self, vm: VirtualMachine, host_id: str) -> None:
        if vm.migrating_to is not None:
            # it is on the other of its two hosts, or on neither: that host's report will tell
            other = vm.migrating_to if vm.host_id == host_id else vm.host_id
            with self._store.transaction():
                self._vms.update(vm.id, host_id=other, migrating_to=None)
            if other is not None:
                self.ask(other)
            return
        if (vm.state, "ReportedStopped") not in TRANSITIONS:
            return
        with self._store.transaction():
            self._vms.update(
                vm.id,
                state="Stopped",
                power_state="PowerOff",
                host_id=None,
                last_host_id=host_id,
                gpu_devices=(),
                updated=self._foundation.now(),
            )
            self._tell(vm, f"Host {self._hosts[host_id].name} reports that it does not run")

    def _tell(self, vm: VirtualMachine, text: str) -> None:
        self._foundation.events.record_of(
            vm, "VM.POWERSYNC", f"Vm {vm.instance_name} was {vm.state}. {text}"
        )

    def _stop_copy(self, vm: VirtualMachine, host_id: str) -> None:
        host = self._hosts[host_id]
        log.warning("host %s runs a copy of %s, which is %s", host.name, vm.instance_name, vm.state)
        self._foundation.events.alert(
            "ALERT.TYPE.SYNC",
            f"Host {host.name} runs {vm.instance_name}, which should not be there; it is being shut down",
            zone_id=host.zone_id,
            pod_id=host.pod_id,
            cluster_id=host.cluster_id,
        )
        self._spawn(self._stop(vm.instance_name, host_id))

    async def _stop(self, name: str, host_id: str) -> None:
        try:
            answer = await self._agents.send(host_id, StopCommand(vm=name, forced=True))
        except ResourceUnavailable:
            return  # it will report the copy again when it comes back
        if not answer.ok:
            log.warning("the copy of %s could not be shut down: %s", name, answer.error)
