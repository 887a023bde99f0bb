"""Giving an instance another size: a stopped one any, a running one more, as far as its guest was started for."""

from __future__ import annotations

from msgspec.structs import replace

from cloudsim.errors import InsufficientCapacity, InvalidParameterValue
from cloudsim.management.compute.disk_traits import check_unencrypted
from cloudsim.management.compute.root_disk_change import NO_WISH, RootDiskChange, RootDiskWish
from cloudsim.management.compute.vm_hardware import largest
from cloudsim.management.compute.vm_quota import VmQuota
from cloudsim.management.compute.vm_sizes import Sizes, sizes
from cloudsim.management.compute.vm_start import placement_request
from cloudsim.management.compute.vms import HostRefused
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.infrastructure.agents import Agents, AgentUnavailable
from cloudsim.management.storage.disks import Disks
from cloudsim.model import ServiceOffering, VirtualMachine
from cloudsim.placement import NoPlace, Planner
from cloudsim.protocol.commands import ScaleVmCommand


class Scaling:
    """Scales instances. Check with `check`, then `scaled` as its job."""

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        planner: Planner,
        quota: VmQuota,
        disks: Disks,
        root_disks: RootDiskChange,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._planner = planner
        self._quota = quota
        self._disks = disks
        self._root_disks = root_disks
        self._vms = foundation.table(VirtualMachine)
        self._offerings = foundation.table(ServiceOffering)

    def check(
        self, vm: VirtualMachine, offering: ServiceOffering, *wanted: int | None, disk: RootDiskWish = NO_WISH
    ) -> Sizes:
        """The size that is asked for. Raises unless the instance could be asked to have it now."""
        size = sizes(offering, *wanted)
        self._root_disks.check(vm, offering, disk)
        if vm.state == "Stopped":
            return size
        if vm.state != "Running":
            raise InvalidParameterValue(f"Unable to scale instance {vm.name}: it is {vm.state}")
        if offering.state != "Active" or offering.is_system:
            raise InvalidParameterValue(f"Service offering {offering.name} cannot be given to an instance")
        check_unencrypted(offering)
        if not vm.dynamically_scalable:
            raise InvalidParameterValue(
                f"Unable to scale running instance {vm.name}: it is not dynamically scalable; stop it first"
            )
        if not self._foundation.settings.boolean("enable.dynamic.scale.vm", "Zone", vm.zone_id):
            raise InvalidParameterValue(
                f"Unable to scale running instance {vm.name}: enable.dynamic.scale.vm is false in its zone"
            )
        if (vm.gpus, vm.gpu_milli) != (offering.gpus, offering.gpu_milli):
            raise InvalidParameterValue(f"GPUs of running instance {vm.name} cannot change")
        most = largest(vm, self._offerings.get(vm.service_offering_id))
        for name, now, then, limit in (
            ("CPU number", vm.cpus, size.cpus, most.cpus),
            ("memory", vm.memory_mib, size.memory_mib, most.memory_mib),
            ("CPU speed", vm.cpu_mhz, size.cpu_mhz, size.cpu_mhz),
        ):
            if then < now:
                raise InvalidParameterValue(
                    f"Only scaling up is supported for running instance {vm.name}: {name} is {now}, asked for is {then}"
                )
            if then > limit:
                raise InvalidParameterValue(
                    f"Running instance {vm.name} can have {name} up to {limit}, asked for is {then}; stop it first"
                )
        if size == Sizes(vm.cpus, vm.cpu_mhz, vm.memory_mib):
            raise InvalidParameterValue(f"Instance {vm.name} has that size already")
        return size

    async def scaled(
        self,
        caller: Caller,
        vm_id: str,
        offering: ServiceOffering,
        *wanted: int | None,
        disk: RootDiskWish = NO_WISH,
    ) -> VirtualMachine:
        """Scale the instance; records VM.UPGRADE. Its root disk is changed before it, and stays changed.

        A running one has its growth reserved on its host first. When the host refuses it is as it was; when nobody
        knows what the host did, the larger size stays reserved.
        """
        vm = self._vms[vm_id]
        size = self.check(vm, offering, *wanted, disk=disk)
        if vm.state == "Stopped":
            return await self.change_offering(caller, vm, offering, *wanted, disk=disk)
        self._check_growth(vm, size, offering)
        await self._root_disks.make(vm, offering, disk)
        vm = self._vms[vm_id]
        if vm.state != "Running":
            raise InvalidParameterValue(f"Unable to scale instance {vm.name}: it is {vm.state}")
        self._check_growth(vm, size, offering)
        host_id = vm.host_id
        assert host_id is not None
        before = vm
        with self._store.transaction():
            vm = self._resized(vm, size, offering.id)
        command = ScaleVmCommand(
            vm=vm.instance_name, cpus=size.cpus, cpu_mhz=size.cpu_mhz, memory_mib=size.memory_mib
        )
        try:
            answer = await self._agents.send(host_id, command)
            if not answer.ok:
                raise HostRefused(answer.error or "")
        except (AgentUnavailable, HostRefused):
            if vm.id in self._vms:
                with self._store.transaction():
                    self._resized(
                        vm,
                        Sizes(before.cpus, before.cpu_mhz, before.memory_mib),
                        before.service_offering_id,
                    )
            raise
        with self._store.transaction():
            self._disks.follow(self._vms[vm.id])
        self._tell(vm, caller)
        return self._vms[vm.id]

    async def change_offering(
        self,
        caller: Caller,
        vm: VirtualMachine,
        offering: ServiceOffering,
        cpus: int | None = None,
        cpu_mhz: int | None = None,
        memory_mib: int | None = None,
        *,
        disk: RootDiskWish = NO_WISH,
    ) -> VirtualMachine:
        """Give a Stopped instance another size; records VM.UPGRADE. Its root disk is changed before it."""
        size = self._check_stopped(vm, offering, cpus, cpu_mhz, memory_mib)
        self._root_disks.check(vm, offering, disk)
        await self._root_disks.make(vm, offering, disk)
        vm = self._vms[vm.id]
        self._check_stopped(vm, offering, cpus, cpu_mhz, memory_mib)
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
            self._disks.follow(vm)
            self._tell(vm, caller)
        return vm

    def _check_growth(self, vm: VirtualMachine, size: Sizes, offering: ServiceOffering) -> None:
        """Raise what stands against the growth of a Running instance: its owner's limits, or its host's room."""
        self._quota.check_growth(vm, size, offering)
        self._check_room(vm, size)

    def _check_stopped(self, vm: VirtualMachine, offering: ServiceOffering, *wanted: int | None) -> Sizes:
        """The size that is asked for. Raises unless the instance is Stopped and its owner may have it of that size."""
        if vm.state != "Stopped":
            raise InvalidParameterValue(
                f"Unable to upgrade virtual machine {vm.name} in state {vm.state}; "
                "make sure the virtual machine is stopped"
            )
        if offering.state != "Active" or offering.is_system:
            raise InvalidParameterValue(f"Service offering {offering.name} cannot be given to an instance")
        check_unencrypted(offering)
        size = sizes(offering, *wanted)
        self._quota.check_growth(vm, size, offering)
        return size

    def _tell(self, vm: VirtualMachine, caller: Caller) -> None:
        text = f"Successfully upgraded Vm. Vm Id: {vm.id}"
        self._foundation.events.record_of(vm, "VM.UPGRADE", text, caller)

    def _resized(self, vm: VirtualMachine, size: Sizes, offering_id: str) -> VirtualMachine:
        return self._vms.update(
            vm.id,
            service_offering_id=offering_id,
            cpus=size.cpus,
            cpu_mhz=size.cpu_mhz,
            memory_mib=size.memory_mib,
            updated=self._foundation.now(),
        )

    def _check_room(self, vm: VirtualMachine, size: Sizes) -> None:
        """Raise InsufficientCapacity unless the instance's host has room for what it grows by."""
        larger = replace(vm, cpus=size.cpus, cpu_mhz=size.cpu_mhz, memory_mib=size.memory_mib)
        request = placement_request(larger, None, self._foundation.now())
        growth = request._replace(
            cpu=request.cpu - vm.cpus * vm.cpu_mhz,
            memory=request.memory - vm.memory_mib,
            gpus=0,
            dedication="any",
            failover="any",
        )
        try:
            self._planner.feasible(growth, host_ids=[vm.host_id or ""])
        except NoPlace as error:
            raise InsufficientCapacity(
                f"The host of instance {vm.name} has no room for {size.cpus} x {size.cpu_mhz} MHz and "
                f"{size.memory_mib} MiB; migrate it first"
            ) from error
