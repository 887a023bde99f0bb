"""Taking in an instance that a host runs and the cloud does not know: everything is checked, then the rows are made.

The instance goes on as it is; its host is told afterwards what the cloud calls it. Its row takes the id that the
hypervisor has for it, by which its host's reports are recognised.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal
from uuid import UUID

import msgspec

from cloudsim.errors import CloudError, InsufficientCapacity, InvalidParameterValue
from cloudsim.management.compute.default_template import DefaultTemplates
from cloudsim.management.compute.disk_traits import check_unencrypted
from cloudsim.management.compute.import_plan import ImportedDisk, ImportedNic, ImportPlans
from cloudsim.management.compute.unmanaged import Found, Unmanaged
from cloudsim.management.compute.vm_allocation import Allocation
from cloudsim.management.compute.vm_sizes import Sizes, sizes
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.quota import Quota
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.network.nics import Nics
from cloudsim.model import (
    Account,
    Cluster,
    GuestOs,
    Network,
    ServiceOffering,
    Template,
    VirtualMachine,
    Volume,
)
from cloudsim.placement import HostCapacity
from cloudsim.protocol.commands import AdoptCommand
from cloudsim.protocol.specs import VmSpec

LEAVING = frozenset({"PrepareForMaintenance", "ErrorInMaintenance", "Maintenance"})


class ImportRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What `importUnmanagedInstance` asks for.

    `networks` and `addresses` are by NIC, `disk_offerings` (ids) by disk, as `listUnmanagedInstances` calls them. An
    address is that of the guest, or "auto" for a free one. `mismatch`: take it though the tags of its offerings are
    not those of its host and pools. `forced`: give a NIC whose MAC is in use another one, from its next start.
    """

    cluster: Cluster
    name: str
    owner: Account
    offering: ServiceOffering
    template: Template | None = None
    display_name: str | None = None
    host_name: str | None = None
    networks: dict[str, str] = {}
    addresses: dict[str, str] = {}
    disk_offerings: dict[str, str] = {}
    cpu_mhz: int | None = None
    details: dict[str, str] = {}
    mismatch: bool = False
    forced: bool = False


class VmImport:
    """Takes in unmanaged instances. `migrate` moves a running instance to where its offering belongs, `spec` describes
    it to hosts, `join` puts it into the security group that a network asks for."""

    def __init__(
        self,
        foundation: Foundation,
        unmanaged: Unmanaged,
        plans: ImportPlans,
        allocation: Allocation,
        capacity: HostCapacity,
        nics: Nics,
        quota: Quota,
        implement: Callable[[str], Awaitable[Network]],
        migrate: Callable[[Caller, str], Awaitable[VirtualMachine]],
        agents: Agents,
        spec: Callable[[VirtualMachine], VmSpec],
        join: Callable[[VirtualMachine, Network], None],
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._unmanaged = unmanaged
        self._plans = plans
        self._allocation = allocation
        self._capacity = capacity
        self._nics = nics
        self._quota = quota
        self._implement = implement
        self._migrate = migrate
        self._agents = agents
        self._spec = spec
        self._join = join
        self._vms = foundation.table(VirtualMachine)
        self._volumes = foundation.table(Volume)
        self._default_templates = DefaultTemplates(foundation)
        self._guest_os = foundation.table(GuestOs)
        self._randomness = foundation.randomness.branch("imports")

    # before any host is asked

    def check(self, request: ImportRequest) -> str:
        """The imported instance's host name. Raises what stands against it, whatever the host will say."""
        if self._vms.find("instance_name", request.name) is not None:
            raise InvalidParameterValue(f"Instance {request.name} is managed by the cloud already")
        if request.owner.state != "enabled":
            raise InvalidParameterValue(f"Account {request.owner.name}, which is to own it, is disabled")
        host_name = request.host_name or request.name
        self._allocation.names.check_host_name(host_name, request.owner.id, request.cluster.zone_id)
        offering, template = request.offering, request.template
        if offering.state != "Active" or offering.is_system or offering.gpus:
            raise InvalidParameterValue(
                f"Service offering {offering.name} cannot be given to an imported instance"
            )
        check_unencrypted(offering)
        if offering.zone_ids and request.cluster.zone_id not in offering.zone_ids:
            raise InvalidParameterValue(f"Service offering {offering.name} is not offered in the zone")
        if template is not None:
            if template.state != "Active" or template.format == "ISO" or template.type == "SYSTEM":
                raise InvalidParameterValue(f"Template {template.name} cannot be that of an instance")
            if template.hypervisor != request.cluster.hypervisor:
                raise InvalidParameterValue(
                    f"Template {template.name} is for {template.hypervisor}, "
                    f"and cluster {request.cluster.name} is {request.cluster.hypervisor}"
                )
        return host_name

    # the whole

    async def run(self, caller: Caller, request: ImportRequest) -> VirtualMachine:
        """Take the instance in; records VM.IMPORT. Nothing is changed when it cannot be."""
        try:
            self.check(request)
            found = await self._find(request)
            _, _, _, nics = self._checked(request, found)
            for nic in nics:
                await self._implement(nic.network.id)
            vm = self._take_in(caller, request, found)
        except CloudError as error:
            self._record(
                caller, request.owner, None, f"Error while importing Vm {request.name}. {error.text}", "ERROR"
            )
            raise
        await self._adopt(caller, vm)
        if request.mismatch and not set(request.offering.host_tags) <= set(found.host.tags):
            vm = await self._to_where_it_belongs(caller, vm)
        return vm

    async def _adopt(self, caller: Caller, vm: VirtualMachine) -> None:
        """Tell the host what the cloud calls the instance and its parts. The import stands when it cannot be told."""
        try:
            answer = await self._agents.send(vm.host_id or "", AdoptCommand(vm=self._spec(vm)))
            error = answer.error
        except CloudError as failed:
            error = failed.text
        if error is not None:
            text = f"{vm.instance_name} must be stopped and started before its disks and NICs can change: {error}"
            self._record(caller, self._foundation.table(Account)[vm.account_id], vm.id, text, "WARN")

    async def _find(self, request: ImportRequest) -> Found:
        found = await self._unmanaged.of(request.cluster, request.name)
        if not found:
            raise InvalidParameterValue(
                f"Unable to find an unmanaged instance {request.name} on the hosts of cluster {request.cluster.name}"
            )
        if len(found) > 1:
            hosts = ", ".join(each.host.name for each in found)
            raise InvalidParameterValue(f"There are several instances {request.name}, on hosts {hosts}")
        return found[0]

    def _checked(
        self, request: ImportRequest, found: Found
    ) -> tuple[str, Sizes, tuple[ImportedDisk, ...], tuple[ImportedNic, ...]]:
        """All checks; the host name, size, disks and NICs that the instance is to have."""
        host_name = self.check(request)
        size = self._size(request, found)
        self._check_host(request, found, size)
        disks = self._plans.disks(
            found, request.offering, request.disk_offerings, mismatch=request.mismatch
        )
        nics = self._plans.nics(
            found, request.owner, request.networks, request.addresses, forced=request.forced
        )
        self._quota.check_deployment(
            request.owner,
            size.cpus,
            size.memory_mib,
            0,
            disks[0].disk.size,
            [each.disk.size for each in disks[1:]],
            host_tags=request.offering.host_tags,
            disk_tags=[
                request.offering.storage_tags if disk.offering is None else disk.offering.tags for disk in disks
            ],
        )
        return host_name, size, tuple(disks), tuple(nics)

    def _take_in(self, caller: Caller, request: ImportRequest, found: Found) -> VirtualMachine:
        """All checks again, for what was true when the host was asked may not be any more; then all rows."""
        host_name, size, disks, nics = self._checked(request, found)
        with self._store.transaction():
            vm = self._vms.insert(self._row(caller, request, found, size, host_name))
            for disk in disks:
                self._volumes.insert(self._volume(vm, disk))
            for device, nic in enumerate(nics):
                self._connect(vm, nic, device)
                self._join(self._vms[vm.id], nic.network)
            text = f"Successfully imported Vm {vm.name}: {vm.instance_name} on host {found.host.name}"
            self._record(caller, request.owner, vm.id, text)
        return self._vms[vm.id]

    # checks

    def _size(self, request: ImportRequest, found: Found) -> Sizes:
        instance = found.instance
        mhz = request.cpu_mhz or instance.cpu_mhz or None
        if request.offering.cpu_mhz is None:
            mhz = mhz or found.host.cpu_mhz
        return sizes(request.offering, instance.cpus, mhz, instance.memory_mib)

    def _check_host(self, request: ImportRequest, found: Found, size: Sizes) -> None:
        host, instance = found
        if instance.state != "PowerOn":
            raise InvalidParameterValue(f"Instance {instance.name} does not run: it is in {instance.state}")
        _check_id(instance.id, instance.name)
        if instance.id in self._vms:
            raise InvalidParameterValue(
                f"Instance {instance.name} has the id of {self._vms[instance.id].instance_name}"
            )
        if host.state != "Up" or host.resource_state in LEAVING:
            raise InvalidParameterValue(f"Host {host.name} is {host.state} and in {host.resource_state}")
        if not request.mismatch and not set(request.offering.host_tags) <= set(host.tags):
            raise InvalidParameterValue(
                f"Service offering {request.offering.name} wants a host with tags "
                f"{', '.join(request.offering.host_tags)}, which {host.name} of instance {instance.name} lacks"
            )
        slot = self._capacity.slot[host.id]
        cpu, memory = self._capacity.cpu_used[slot], self._capacity.memory_used[slot]
        if (
            cpu + size.cpus * size.cpu_mhz > self._capacity.cpu_total[slot]
            or memory + size.memory_mib > self._capacity.memory_total[slot]
        ):
            raise InsufficientCapacity(
                f"Host {host.name} has promised {cpu} of {self._capacity.cpu_total[slot]} MHz and {memory} of "
                f"{self._capacity.memory_total[slot]} MiB: {instance.name} would be too much"
            )

    # rows

    def _row(
        self, caller: Caller, request: ImportRequest, found: Found, size: Sizes, host_name: str
    ) -> VirtualMachine:
        host, instance = found
        template = request.template or self._default_templates.of(host.hypervisor)
        guest_os = self._guest_os.find("description", instance.guest_os)
        now = self._foundation.now()
        return VirtualMachine(
            id=instance.id,
            name=host_name,
            display_name=request.display_name or request.name,
            instance_name=instance.name,
            account_id=request.owner.id,
            domain_id=request.owner.domain_id,
            zone_id=host.zone_id,
            template_id=template.id,
            service_offering_id=request.offering.id,
            cpus=size.cpus,
            cpu_mhz=size.cpu_mhz,
            memory_mib=size.memory_mib,
            host_id=host.id,
            last_host_id=host.id,
            pod_id=host.pod_id,
            state="Running",
            power_state="PowerOn",
            user_id=caller.user_id,
            hypervisor=host.hypervisor,
            guest_os_id=template.guest_os_id if guest_os is None else guest_os.id,
            ha_enabled=request.offering.offer_ha,
            created=now,
            updated=now,
            details=request.details,
        )

    def _volume(self, vm: VirtualMachine, planned: ImportedDisk) -> Volume:
        disk, offering = planned.disk, planned.offering
        now = self._foundation.now()
        return Volume(
            id=self._randomness.uuid(),
            name=f"DATA-{vm.instance_name}-{planned.device}" if planned.device else f"ROOT-{vm.instance_name}",
            account_id=vm.account_id,
            domain_id=vm.domain_id,
            zone_id=vm.zone_id,
            type="DATADISK" if planned.device else "ROOT",
            size=disk.size,
            state="Ready",
            pool_id=planned.pool.id,
            path=disk.pool_path,
            vm_id=vm.id,
            device_id=planned.device,
            attached=now,
            disk_offering_id=offering.id if offering is not None else None,
            service_offering_id=None if planned.device else vm.service_offering_id,
            created=now,
        )

    def _connect(self, vm: VirtualMachine, nic: ImportedNic, device: int) -> None:
        self._nics.allocate(vm, nic.network, ip=nic.ip, mac=nic.mac, default=device == 0, device=device)

    # afterwards

    async def _to_where_it_belongs(self, caller: Caller, vm: VirtualMachine) -> VirtualMachine:
        """Move it to a host with its offering's tags. That none takes it now is recorded, and undoes nothing."""
        try:
            return await self._migrate(caller, vm.id)
        except CloudError as error:
            text = f"Imported Vm {vm.name} stays on a host without its offering's tags. {error.text}"
            owner = self._foundation.table(Account)[vm.account_id]
            self._record(caller, owner, vm.id, text, "WARN")
            return self._vms[vm.id]

    def _record(
        self,
        caller: Caller,
        owner: Account,
        vm_id: str | None,
        text: str,
        level: Literal["INFO", "WARN", "ERROR"] = "INFO",
    ) -> None:
        self._foundation.events.record(
            "VM.IMPORT",
            text,
            caller=caller,
            account_id=owner.id,
            domain_id=owner.domain_id,
            level=level,
            resource_id=vm_id,
            resource_type="VirtualMachine",
        )


def _check_id(text: str, name: str) -> None:
    try:
        same = str(UUID(text)) == text
    except ValueError:
        same = False
    if not same:
        raise InvalidParameterValue(f"Instance {name} has an id that is no UUID: {text!r}")
