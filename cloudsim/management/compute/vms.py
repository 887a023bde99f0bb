"""What can be done with an instance: deploy, start, stop, reboot, destroy, recover, expunge, and changes to it.

Each operation is checked at once; the coroutines do the work, and are run as jobs so that an instance has one
at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from cloudsim.errors import CloudError, InvalidParameterValue, StorageFailed
from cloudsim.management.compute.deploy_request import DeployRequest
from cloudsim.management.compute.disk_plan import Iops, RootPlan
from cloudsim.management.compute.vm_allocation import Allocation
from cloudsim.management.compute.vm_sizes import Sizes, sizes
from cloudsim.management.compute.vm_start import Starting
from cloudsim.management.compute.vm_states import VmEvent, next_state
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.infrastructure.agents import Agents, AgentUnavailable, OutcomeUnknown
from cloudsim.management.network.nics import Nics
from cloudsim.management.operations.jobs import Jobs
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.storage.disks import Disks
from cloudsim.model import (
    AsyncJob,
    DiskOffering,
    Host,
    ServiceOffering,
    StoragePool,
    Template,
    VirtualMachine,
    VmSnapshot,
    Volume,
    Zone,
)
from cloudsim.protocol.commands import DeleteVmSnapshotCommand, RebootCommand, StopCommand


class HostRefused(CloudError):
    """The instance's host could not do what was asked; the text is the host's."""


class VirtualMachines:
    """The instances of one cloud."""

    def __init__(
        self,
        foundation: Foundation,
        jobs: Jobs,
        agents: Agents,
        allocation: Allocation,
        starting: Starting,
        disks: Disks,
        nics: Nics,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._jobs = jobs
        self._agents = agents
        self._allocation = allocation
        self._starting = starting
        self._disks = disks
        self._nics = nics
        self._vms = foundation.table(VirtualMachine)
        self.allocate = allocation.allocate
        self.start = starting.start
        self.follow_offering = disks.follow
        self.on_expunge: list[Callable[[VirtualMachine], Awaitable[None]]] = []
        """Called for an instance that is about to be gone, while its NICs are there."""
        self.on_left: list[Callable[[str], None]] = []
        """Called with the id of each network that an expunged instance was on."""

    # whole operations, as jobs

    def deploy(
        self,
        caller: Caller,
        request: DeployRequest,
        *,
        host_id: str | None = None,
        present: Callable[[VirtualMachine], str] | None = None,
    ) -> tuple[VirtualMachine, AsyncJob]:
        """Accept a deployment and enter the job that starts it."""
        with self._store.transaction():
            vm = self.allocate(caller, request)
            job = self._jobs.submit(
                caller,
                "deployVirtualMachine",
                lambda: self.start_first(caller, vm.id, host_id=host_id),
                instance_type="VirtualMachine",
                instance_id=vm.id,
                present=present,
            )
        return vm, job

    def destroy(self, caller: Caller, vm: VirtualMachine, *, expunge: bool = False) -> AsyncJob:
        """Enter the job that destroys the instance."""
        return self._jobs.submit(
            caller,
            "destroyVirtualMachine",
            lambda: self.destroyed(caller, vm.id, expunge=expunge),
            instance_type="VirtualMachine",
            instance_id=vm.id,
        )

    async def start_first(
        self,
        caller: Caller,
        vm_id: str,
        *,
        pod_id: str | None = None,
        cluster_id: str | None = None,
        host_id: str | None = None,
        planner: str | None = None,
    ) -> VirtualMachine:
        """The first start of an allocated instance; records VM.CREATE."""
        vm = self._vms[vm_id]
        try:
            vm = await self.start(
                vm_id, pod_id=pod_id, cluster_id=cluster_id, host_id=host_id, planner=planner, first=True
            )
        except CloudError as error:
            self._tell("VM.CREATE", f"Error while starting Vm. {error.text}", vm, caller, failed=True)
            raise
        self._tell("VM.CREATE", f"Successfully completed starting Vm. Vm Id: {vm.id}", vm, caller)
        return vm

    async def left_stopped(self, caller: Caller, vm_id: str) -> VirtualMachine:
        """End a deployment that is not to start its instance; records VM.CREATE."""
        vm = self._vms[vm_id]
        self._tell("VM.CREATE", f"Successfully completed creating Vm. Vm Id: {vm.id}", vm, caller)
        return vm

    async def started(
        self,
        caller: Caller,
        vm_id: str,
        *,
        host_id: str | None = None,
        cluster_id: str | None = None,
        pod_id: str | None = None,
        planner: str | None = None,
        last: bool = False,
    ) -> VirtualMachine:
        """Start a stopped instance; records VM.START. One that runs already is returned as it is.

        With `last` the host where it was is tried first.
        """
        vm = self._vms[vm_id]
        if vm.state == "Running":
            return vm
        try:
            vm = await self.start(
                vm_id, host_id=host_id, cluster_id=cluster_id, pod_id=pod_id, planner=planner, last=last
            )
        except CloudError as error:
            self._tell("VM.START", f"Error while starting Vm. {error.text}", vm, caller, failed=True)
            raise
        self._tell("VM.START", f"Successfully completed starting Vm. Vm Id: {vm.id}", vm, caller)
        return vm

    async def stopped(self, caller: Caller | None, vm_id: str, *, forced: bool = False) -> VirtualMachine:
        """Stop the instance; records VM.STOP.

        `forced` pulls the plug, and where the host has no agent connected marks the instance Stopped all
        the same: the caller says that it is.
        """
        vm = self._vms[vm_id]
        if vm.state == "Stopped":
            return vm
        host_id = vm.host_id
        if host_id is None:
            raise InvalidParameterValue(f"Unable to stop {vm.instance_name}: it is in state {vm.state}")
        before = vm.state
        vm = self._move(vm, "StopRequested")
        for place in (host_id, vm.migrating_to):  # it may be on either when nobody knows how its move ended
            if place is not None:
                await self._stop_on(place, vm, forced, "Failed" if before == "Running" else "OutcomeUnknown")
        vm = self._move(vm, "Succeeded")
        self._tell("VM.STOP", f"Successfully completed stopping Vm. Vm Id: {vm.id}", vm, caller)
        return vm

    async def _stop_on(self, host_id: str, vm: VirtualMachine, forced: bool, otherwise: VmEvent) -> None:
        """Have the host stop the instance; `otherwise` is what becomes of one that is known not to have been."""
        try:
            answer = await self._agents.send(host_id, StopCommand(vm=vm.instance_name, forced=forced))
        except AgentUnavailable:
            if not forced:
                self._move(vm, otherwise)
                raise
        except OutcomeUnknown:
            self._move(vm, "OutcomeUnknown")
            raise
        else:
            if not answer.ok:
                self._move(vm, otherwise)
                raise HostRefused(answer.error or "")

    async def rebooted(self, caller: Caller, vm_id: str, *, forced: bool = False) -> VirtualMachine:
        """Restart the running instance's guest; records VM.REBOOT. `forced` stops and starts it.

        One whose offering is volatile gets a new root disk by it.
        """
        vm = self._vms[vm_id]
        host_id = vm.host_id
        if vm.state != "Running" or host_id is None:
            raise InvalidParameterValue(f"Unable to reboot {vm.instance_name}: it is in state {vm.state}")
        offering = self._foundation.table(ServiceOffering).get(vm.service_offering_id)
        if offering is not None and offering.volatile:
            await self.restored(caller, vm_id)
        elif forced:
            await self.stopped(caller, vm_id, forced=True)
            vm = await self.start(vm_id, host_id=None)
        else:
            answer = await self._agents.send(host_id, RebootCommand(vm=vm.instance_name))
            if not answer.ok:
                raise HostRefused(answer.error or "")
        self._tell("VM.REBOOT", f"Successfully completed rebooting Vm. Vm Id: {vm.id}", vm, caller)
        return self._vms[vm_id]

    async def destroyed(
        self, caller: Caller | None, vm_id: str, *, expunge: bool = False, protected: bool = True
    ) -> VirtualMachine:
        """Stop and destroy the instance; records VM.DESTROY. `expunge` removes it for good.

        `protected` heeds its delete protection. Returns the instance as it last was.
        """
        vm = self._vms[vm_id]
        if vm.delete_protection and protected:
            raise InvalidParameterValue(f"Instance {vm.name} is protected from deletion")
        if vm.host_id is not None:
            vm = await self.stopped(caller, vm_id, forced=vm.state != "Unknown")
        if vm.state in ("Stopped", "Error"):
            vm = self._move(vm, "DestroyRequested")
            self._tell("VM.DESTROY", f"Successfully completed destroying Vm. Vm Id: {vm.id}", vm, caller)
        if expunge:
            vm = await self.expunged(caller, vm_id)
        return vm

    def recover(self, caller: Caller, vm_id: str) -> VirtualMachine:
        """Bring a Destroyed instance back as Stopped; records VM.RECOVER."""
        vm = self._vms[vm_id]
        if vm.state == "Destroyed":
            self._allocation.vm_quota.check_return(vm)
        vm = self._move(vm, "RecoverRequested")
        self._tell("VM.RECOVER", f"Successfully recovered Vm. Vm Id: {vm.id}", vm, caller)
        return vm

    async def expunged(self, caller: Caller | None, vm_id: str) -> VirtualMachine:
        """Remove the instance for good: its root disk, NICs, snapshots and tags; data disks are detached.

        When a disk cannot be removed now the instance stays Expunging, and the next round tries again.
        """
        vm = self._move(self._vms[vm_id], "ExpungeRequested")
        await self._forget_snapshots(vm)
        for volume in self._disks.of(vm):
            if volume.type == "ROOT":
                await self._disks.expunge(volume, vm.last_host_id)
            else:
                with self._store.transaction():
                    self._store.tables["Volume"].update(volume.id, vm_id=None, device_id=None, attached=None)
        for forget in self.on_expunge:
            await forget(vm)
        left = [nic.network_id for nic in self._nics.of(vm)]
        with self._store.transaction():
            self._nics.release(vm)
            remove_leftovers(self._foundation, vm.id)
            gone = self._vms.delete(vm.id)
            self._tell("VM.EXPUNGE", f"Successfully expunged Vm. Vm Id: {vm.id}", vm, caller)
        for network_id in left:
            for hook in self.on_left:
                hook(network_id)
        return gone

    def release_volume(self, volume_id: str) -> None:
        """Take a data disk from an instance that does not run."""
        with self._store.transaction():
            self._foundation.table(Volume).update(volume_id, vm_id=None, device_id=None, attached=None)

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
                snapshots.delete(snapshot.id)

    async def restored(
        self,
        caller: Caller,
        vm_id: str,
        template: Template | None = None,
        *,
        offering: DiskOffering | None = None,
        size: int | None = None,
        iops: Iops = (None, None),
    ) -> VirtualMachine:
        """Give the instance a new root disk from its template, or another; records VM.RESTORE.

        It is of `size` bytes and the disk offering where these are given, else as large as before and of the same offering.

        The old root disk is removed once the new one is there; an instance that ran runs again.
        """
        vm = self._vms[vm_id]
        if vm.state not in ("Running", "Stopped"):
            raise InvalidParameterValue(
                f"Vm {vm.name} currently in {vm.state} state, restore vm can only execute when VM in Running or Stopped"
            )
        chosen = template or self._foundation.table(Template).get(vm.template_id)
        if chosen is None:
            raise InvalidParameterValue(f"Unable to find template {vm.template_id} of Vm {vm.name}")
        if chosen.type == "SYSTEM":
            raise InvalidParameterValue(
                f"Vm {vm.name} cannot be restored from template {chosen.name}, which has nothing to start from"
            )
        ran = vm.state == "Running"
        if ran:
            self._new_root(vm, chosen, offering, size, iops)
            vm = await self.stopped(caller, vm_id)
        old, root = self._new_root(vm, chosen, offering, size, iops)
        with self._store.transaction():
            for volume in old:
                self._store.tables["Volume"].update(volume.id, vm_id=None, device_id=None)
            kept = old[0].disk_offering_id if old else None
            self._disks.allocate_root(
                vm,
                chosen,
                root.size,
                root.offering.id if root.offering is not None else kept,
                min_iops=root.min_iops,
                max_iops=root.max_iops,
            )
            changes = {"iso_id": chosen.id} if chosen.format == "ISO" else {}
            vm = self._vms.update(
                vm.id, template_id=chosen.id, guest_os_id=chosen.guest_os_id, **changes
            )
        for volume in old:
            await self._disks.expunge(volume, vm.last_host_id)
        if ran:
            vm = await self.start(vm_id)
        self._tell("VM.RESTORE", f"Successfully restored Vm. Vm Id: {vm.id}", vm, caller)
        return vm

    def check_restore(
        self,
        vm: VirtualMachine,
        template: Template | None,
        offering: DiskOffering | None,
        size: int | None,
        iops: Iops,
    ) -> None:
        """Raise what stands against such a new root disk."""
        chosen = template or self._foundation.table(Template).get(vm.template_id)
        if chosen is not None:
            self._new_root(vm, chosen, offering, size, iops)

    def _new_root(
        self, vm: VirtualMachine, template: Template, offering: DiskOffering | None, size: int | None, iops: Iops
    ) -> tuple[list[Volume], RootPlan]:
        """The root disk that the instance has, if any, and what is to be one from the template, which its owner may have."""
        old = [v for v in self._disks.of(vm) if v.type == "ROOT"]
        present = sum(v.size for v in old)
        zone = self._foundation.table(Zone)[vm.zone_id]
        plan = self._allocation.plans.of_restore(
            template, present, zone, offering=offering, size=size, iops=iops
        )
        self._allocation.vm_quota.check_disk(vm, 1 - len(old), plan.size - present)
        return old, plan

    def change_offering(
        self,
        caller: Caller,
        vm: VirtualMachine,
        offering: ServiceOffering,
        cpus: int | None = None,
        cpu_mhz: int | None = None,
        memory_mib: int | None = None,
    ) -> VirtualMachine:
        """Give a Stopped instance another size; records VM.UPGRADE."""
        if vm.state != "Stopped":
            raise InvalidParameterValue(
                f"Unable to upgrade virtual machine {vm.name} in state {vm.state}; make sure the virtual machine is stopped"
            )
        if offering.state != "Active" or offering.is_system:
            raise InvalidParameterValue(f"Service offering {offering.name} cannot be given to an instance")
        size = sizes(offering, cpus, cpu_mhz, memory_mib)
        self.check_growth(vm, size, offering.gpus)
        with self._store.transaction():
            vm = self._vms.update(
                vm.id,
                service_offering_id=offering.id,
                cpus=size.cpus,
                cpu_mhz=size.cpu_mhz,
                memory_mib=size.memory_mib,
                gpus=offering.gpus,
                gpu_milli=offering.gpu_milli,
                gpu_models=offering.gpu_models,
                updated=self._foundation.now(),
            )
            self.follow_offering(vm)
            self._tell("VM.UPGRADE", f"Successfully upgraded Vm. Vm Id: {vm.id}", vm, caller)
        return vm

    def check_growth(self, vm: VirtualMachine, size: Sizes, gpus: int | None = None) -> None:
        """Raise ResourceAllocationFailed unless the instance's owner may have it of that size, with so many GPUs."""
        self._allocation.vm_quota.check_growth(vm, size, vm.gpus if gpus is None else gpus)

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

    async def stop_all_on(self, host: Host) -> None:
        """Stop every instance on the host, whatever becomes of the host."""
        for vm in self._vms.where("host_id", host.id):
            if vm.id in self._vms and self._vms[vm.id].host_id == host.id:
                await self.stopped(None, vm.id, forced=True)

    async def stop_users_of(self, pool: StoragePool) -> None:
        """Stop every instance that has a volume on the pool."""
        for volume in self._foundation.table(Volume).where("pool_id", pool.id):
            vm = self._vms.get(volume.vm_id)
            if vm is not None and vm.state == "Running":
                await self.stopped(None, vm.id)

    def _move(self, vm: VirtualMachine, event: VmEvent) -> VirtualMachine:
        before = self._vms[vm.id]
        state = next_state(before.state, event, vm.instance_name)
        now = self._foundation.now()
        with self._store.transaction():
            if state == "Stopped" and before.host_id is not None:
                return self._vms.update(
                    vm.id,
                    state=state,
                    power_state="PowerOff",
                    host_id=None,
                    migrating_to=None,
                    last_host_id=before.host_id,
                    gpu_devices=(),
                    updated=now,
                )
            return self._vms.update(vm.id, state=state, updated=now)

    def _tell(
        self, type: str, text: str, vm: VirtualMachine, caller: Caller | None, *, failed: bool = False
    ) -> None:
        self._foundation.events.record_of(vm, type, text, caller, "ERROR" if failed else "INFO")
