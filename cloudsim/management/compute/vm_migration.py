"""Moving a running instance to another host."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloudsim.errors import InvalidParameterValue, ResourceUnavailable
from cloudsim.management.compute.affinity import Affinity
from cloudsim.management.compute.vm_start import Starting
from cloudsim.management.compute.vm_states import next_state
from cloudsim.management.compute.vms import HostRefused
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.infrastructure.agents import Agents, AgentUnavailable, OutcomeUnknown
from cloudsim.management.infrastructure.hypervisor_types import EXTERNAL
from cloudsim.management.storage.disks import Disks
from cloudsim.model import Host, ServiceOffering, StoragePool, VirtualMachine
from cloudsim.placement import HostCapacity, NoPlace, Planner
from cloudsim.protocol.commands import (
    MigrateCommand,
    PrepareForMigrationCommand,
    VmStatesAnswer,
    VmStatesCommand,
)


class Candidate(NamedTuple):
    """A host to which an instance might move; `suitable` when it has room and reaches the disks."""

    host: Host
    suitable: bool


class Migration:
    """Live migration within the reach of an instance's disks."""

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        hosts: HostCapacity,
        planner: Planner,
        starting: Starting,
        disks: Disks,
        affinity: Affinity,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._hosts = hosts
        self._planner = planner
        self._starting = starting
        self._disks = disks
        self._affinity = affinity
        self._vms = foundation.table(VirtualMachine)
        self._host_rows = foundation.table(Host)
        self._pools = foundation.table(StoragePool)

    def candidates(self, vm: VirtualMachine) -> list[Candidate]:
        """Every other host that reaches the instance's disks, and whether it can take it now."""
        if vm.state != "Running" or vm.host_id is None:
            raise InvalidParameterValue(
                f"Unable to find hosts for {vm.instance_name}: it is in state {vm.state}"
            )
        offering = self._foundation.table(ServiceOffering).get(vm.service_offering_id)
        request = self._starting.request(vm, offering)
        allowed, forbidden = self._starting.places.bound(vm, *self._affinity.constraints(vm))
        try:
            mask = self._planner.feasible(
                request, zone_id=vm.zone_id, host_ids=allowed, avoid=forbidden | {vm.host_id}
            )
        except NoPlace:
            mask = np.zeros(self._hosts.size, np.bool_)
        found = []
        for host in self._reaching(vm):
            if host.id != vm.host_id:
                found.append(Candidate(host, bool(mask[self._hosts.slot[host.id]])))
        return found

    def _reaching(self, vm: VirtualMachine) -> list[Host]:
        pools = [self._pools[v.pool_id] for v in self._disks.of(vm) if v.pool_id is not None]
        source = self._host_rows[vm.host_id or ""]
        hosts = self._host_rows.where("cluster_id", source.cluster_id)
        if pools and all(pool.scope == "ZONE" for pool in pools):
            hosts = self._host_rows.where("zone_id", source.zone_id)
        return [h for h in hosts if h.state == "Up" and all(self._disks.reach.reaches(h, p) for p in pools)]

    def check(self, vm: VirtualMachine, host_id: str | None) -> None:
        """Raise unless the instance can be asked to move (to that host)."""
        if vm.state != "Running" or vm.host_id is None:
            raise InvalidParameterValue(
                f"VM is not Running, unable to migrate the vm {vm.name}: it is in state {vm.state}"
            )
        if vm.hypervisor == EXTERNAL:
            raise InvalidParameterValue(f"Live migration of {vm.name} on External hosts is not supported")
        if vm.gpus:
            raise InvalidParameterValue(f"Live migration of GPU enabled VM {vm.name} is not supported")
        if host_id == vm.host_id:
            raise InvalidParameterValue(f"Cannot migrate VM {vm.name}: it runs on that host already")

    async def migrate(self, caller: Caller | None, vm_id: str, host_id: str | None = None) -> VirtualMachine:
        """Move the running instance to `host_id`, or where the planner says; records VM.MIGRATE."""
        vm = self._vms[vm_id]
        self.check(vm, host_id)
        source_id = vm.host_id
        assert source_id is not None
        reachable = {host.id for host in self._reaching(vm)} - {source_id}
        if host_id is not None and host_id not in reachable:
            host = self._host_rows.get(host_id)
            raise InvalidParameterValue(
                f"Cannot migrate VM {vm.name} to host {host.name if host else host_id}: it is not up, "
                "or does not reach the instance's storage"
            )
        only = {host_id} if host_id is not None else reachable
        slot = self._starting.plan(vm, host_ids=only, avoid={source_id}, named=host_id is not None)
        target = self._host_rows[self._hosts.ids[slot]]
        state = next_state(vm.state, "MigrationRequested", vm.instance_name)
        with self._store.transaction():
            vm = self._vms.update(vm_id, state=state, migrating_to=target.id)
        try:
            spec = self._starting.spec(vm, tuple(self._disks.spec(v) for v in self._disks.of(vm)))
            answer = await self._agents.send(target.id, PrepareForMigrationCommand(vm=spec))
            if not answer.ok:
                raise HostRefused(answer.error or "")
            command = MigrateCommand(vm=vm.instance_name, destination=target.private_ip)
            answer = await self._agents.send(source_id, command)
            if not answer.ok:
                if not await self.runs_on(source_id, vm):
                    raise OutcomeUnknown(answer.error or "")
                raise HostRefused(answer.error or "")
        except OutcomeUnknown:
            self.settle(vm, "Unknown", source_id, target.id)
            raise
        except (AgentUnavailable, HostRefused):
            self.settle(vm, "Running", source_id, None)
            raise
        vm = self.settle(vm, "Running", target.id, None)
        self._foundation.events.record_of(
            vm, "VM.MIGRATE", f"Successfully completed migrating VM {vm.name} to host {target.name}", caller
        )
        return vm

    async def runs_on(self, host_id: str, vm: VirtualMachine) -> bool:
        """Whether the host has the instance: one that was restarted meanwhile may know nothing of what it did."""
        try:
            answer = await self._agents.send(host_id, VmStatesCommand())
        except ResourceUnavailable:
            return False
        return isinstance(answer, VmStatesAnswer) and any(each.name == vm.instance_name for each in answer.vms)

    def settle(self, vm: VirtualMachine, state: str, host_id: str, perhaps: str | None) -> VirtualMachine:
        """Note where a migration has ended; `perhaps` is the other host on which it may run as well as nobody knows."""
        last = vm.host_id if host_id != vm.host_id else vm.last_host_id
        with self._store.transaction():
            return self._vms.update(
                vm.id,
                state=state,
                host_id=host_id,
                last_host_id=last,
                migrating_to=perhaps,
                pod_id=self._host_rows[host_id].pod_id,
                updated=self._foundation.now(),
            )

    async def evacuate(self, host: Host) -> None:
        """Move every instance off the host. Raises the first failure, leaving the rest where they are."""
        for vm_id in list(self._vms.ids("host_id", host.id)):
            vm = self._vms.get(vm_id)
            if vm is not None and vm.state == "Running":
                await self.migrate(None, vm_id)
