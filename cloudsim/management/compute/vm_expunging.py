"""Removing destroyed instances for good: when asked, and those whose time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from cloudsim.errors import CloudError, StorageFailed
from cloudsim.management.compute.vm_states import next_state
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.network.nics import Nics
from cloudsim.management.operations.jobs import Jobs
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.storage.disks import Disks
from cloudsim.model import VirtualMachine, VmSnapshot
from cloudsim.protocol.commands import DeleteVmSnapshotCommand


class Expunging:
    """Expunges instances with all that is theirs alone."""

    def __init__(self, foundation: Foundation, jobs: Jobs, agents: Agents, disks: Disks, nics: Nics) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._jobs = jobs
        self._agents = agents
        self._disks = disks
        self._nics = nics
        self._vms = foundation.table(VirtualMachine)
        self.on_expunge: list[Callable[[VirtualMachine], Awaitable[None]]] = []
        """Called for an instance that is about to be gone, while its NICs are there."""
        self.checks: list[Callable[[VirtualMachine], None]] = []
        """Called for an instance before anything of it is removed: each raises what stands against it."""
        self.on_left: list[Callable[[str], None]] = []
        """Called with the id of each network that an expunged instance was on."""

    def check(self, vm: VirtualMachine) -> None:
        """Raise what stands against removing the instance for good."""
        for check in self.checks:
            check(vm)

    async def expunged(self, caller: Caller | None, vm_id: str) -> VirtualMachine:
        """Remove the instance for good: its root disk, NICs, snapshots and tags; data disks are detached.

        When a disk cannot be removed now the instance stays Expunging, and the next round tries again.
        """
        vm = self._vms[vm_id]
        self.check(vm)
        state = next_state(vm.state, "ExpungeRequested", vm.instance_name)
        with self._store.transaction():
            vm = self._vms.update(vm_id, state=state, updated=self._foundation.now())
        await self._forget_snapshots(vm)
        for volume in self._disks.of(vm):
            if volume.type == "ROOT":
                await self._disks.expunge(volume, vm.last_host_id)
            else:
                with self._store.transaction():
                    self._disks.release(volume.id)
        for forget in self.on_expunge:
            await forget(vm)
        left = [nic.network_id for nic in self._nics.of(vm)]
        with self._store.transaction():
            self._nics.release(vm)
            remove_leftovers(self._foundation, vm.id)
            gone = self._vms.delete(vm.id)
            text = f"Successfully expunged Vm. Vm Id: {vm.id}"
            self._foundation.events.record_of(vm, "VM.EXPUNGE", text, caller)
        for network_id in left:
            for hook in self.on_left:
                hook(network_id)
        return gone

    async def expunge_due(self) -> int:
        """Expunge what was destroyed more than expunge.delay ago, and retry what is stuck; returns how many."""
        oldest = self._foundation.now() - self._foundation.settings.number("expunge.delay")
        due = [vm.id for vm in self._vms.where("state", "Destroyed") if vm.updated <= oldest]
        due += self._vms.ids("state", "Expunging")
        waiting = iter(due)

        async def worker() -> int:
            done = 0
            for vm_id in waiting:
                vm = self._vms.get(vm_id)  # while others were expunged it may have been recovered
                if vm is None or self._jobs.busy(vm_id):
                    continue
                if vm.state != "Expunging" and (vm.state != "Destroyed" or vm.updated > oldest):
                    continue
                try:
                    await self._jobs.hold(vm_id, partial(self.expunged, None, vm_id))
                    done += 1
                except CloudError:
                    continue
            return done

        workers = self._foundation.settings.integer("expunge.workers")
        return sum(await asyncio.gather(*(worker() for _ in range(min(workers, len(due))))))

    async def _forget_snapshots(self, vm: VirtualMachine) -> None:
        snapshots = self._foundation.table(VmSnapshot)
        for snapshot in snapshots.where("vm_id", vm.id):
            disks = tuple(self._disks.spec(v) for v in self._disks.of(vm) if v.path is not None)
            if disks and snapshot.state == "Ready":
                host = self._disks.reach.host_for(self._store.tables["StoragePool"][disks[0].pool_id])
                command = DeleteVmSnapshotCommand(vm=vm.instance_name, snapshot=snapshot.id, disks=disks)
                answer = await self._agents.send(host.id, command)
                if not answer.ok:
                    raise StorageFailed(answer.error or "")
            with self._store.transaction():
                remove_leftovers(self._foundation, snapshot.id)
                snapshots.delete(snapshot.id)
