"""What can be done with an instance: deploy, start, stop, reboot, destroy, recover, and give it a new root disk.

Each operation is checked at once; the coroutines do the work, and are run as jobs so that an instance has one
at a time.
"""

from __future__ import annotations

from collections.abc import Callable

from cloudsim.errors import CloudError, InvalidParameterValue, PermissionDenied
from cloudsim.management.compute.deploy_request import DeployRequest
from cloudsim.management.compute.disk_plan import Iops, RootPlan
from cloudsim.management.compute.vm_allocation import Allocation
from cloudsim.management.compute.vm_expunging import Expunging
from cloudsim.management.compute.vm_start import Starting
from cloudsim.management.compute.vm_states import VmEvent, next_state
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.infrastructure.agents import Agents, AgentUnavailable, OutcomeUnknown
from cloudsim.management.infrastructure.hypervisor_types import EXTERNAL
from cloudsim.management.network.nics import Nics
from cloudsim.management.operations.jobs import Jobs
from cloudsim.management.storage.disks import Disks
from cloudsim.model import (
    Account,
    AsyncJob,
    DiskOffering,
    Host,
    ServiceOffering,
    StoragePool,
    Template,
    VirtualMachine,
    Volume,
    Zone,
)
from cloudsim.protocol.commands import RebootCommand, StopCommand


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
        self._vms = foundation.table(VirtualMachine)
        self.allocate = allocation.allocate
        self.start = starting.start
        self.expunging = Expunging(foundation, jobs, agents, disks, nics)

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
        failover: bool = False,
    ) -> VirtualMachine:
        """Start a stopped instance; records VM.START. One that runs already is returned as it is.

        With `last` the host where it was is tried first; `failover` says that its host has failed. Raises
        PermissionDenied where its account is disabled, as that of a suspended project is.
        """
        vm = self._vms[vm_id]
        if vm.state == "Running":
            return vm
        owner = self._foundation.table(Account)[vm.account_id]
        if owner.state == "disabled":
            raise PermissionDenied(f"The owner of instance {vm.name} is disabled: {owner.name}")
        try:
            vm = await self.start(
                vm_id,
                host_id=host_id,
                cluster_id=cluster_id,
                pod_id=pod_id,
                planner=planner,
                last=last,
                failover=failover,
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
            await self.restored(caller, vm_id, expunge=True)
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
        if expunge:
            self.expunging.check(vm)  # before it is stopped
        if vm.host_id is not None:
            vm = await self.stopped(caller, vm_id, forced=vm.state != "Unknown")
        if vm.state in ("Stopped", "Error"):
            vm = self._move(vm, "DestroyRequested")
            self._tell("VM.DESTROY", f"Successfully completed destroying Vm. Vm Id: {vm.id}", vm, caller)
        if expunge:
            vm = await self.expunging.expunged(caller, vm_id)
        return vm

    def recover(self, caller: Caller, vm_id: str) -> VirtualMachine:
        """Bring a Destroyed instance back as Stopped; records VM.RECOVER."""
        vm = self._vms[vm_id]
        if vm.state == "Destroyed":
            self._allocation.vm_quota.check_return(vm)
        vm = self._move(vm, "RecoverRequested")
        self._tell("VM.RECOVER", f"Successfully recovered Vm. Vm Id: {vm.id}", vm, caller)
        return vm

    def release_volume(self, volume_id: str) -> None:
        """Take a data disk from an instance that does not run."""
        with self._store.transaction():
            self._disks.release(volume_id)

    async def restored(
        self,
        caller: Caller,
        vm_id: str,
        template: Template | None = None,
        *,
        offering: DiskOffering | None = None,
        size: int | None = None,
        iops: Iops = (None, None),
        expunge: bool = False,
    ) -> VirtualMachine:
        """Give the instance a new root disk from its template, or another; records VM.RESTORE.

        It is of `size` bytes and the disk offering where these are given, else as large as before and of the same offering.

        The old root disk is destroyed, and can be recovered for a while; with `expunge`, or where nothing was ever in it,
        it is removed once the new one is there. An instance that ran runs again.
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
            gone = [volume for volume in old if expunge or volume.pool_id is None]
            for volume in old:
                self._disks.release(volume.id)
                if volume not in gone:
                    self._disks.put_away(volume)
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
        for volume in gone:
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
        if vm.hypervisor == EXTERNAL:
            raise InvalidParameterValue(f"Vm {vm.name} cannot be restored: an extension sees to its disks")
        old = [v for v in self._disks.of(vm) if v.type == "ROOT"]
        present = sum(v.size for v in old)
        zone = self._foundation.table(Zone)[vm.zone_id]
        plan = self._allocation.plans.of_restore(
            template, present, zone, offering=offering, size=size, iops=iops
        )
        self._allocation.vm_quota.check_root(vm, old, plan.size, plan.offering)
        return old, plan

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
