"""Attaching volumes to instances, and detaching them.

While a host is asked to do it the volume is Attaching and belongs to the instance already. When nobody knows what
became of the request it stays with the instance: to detach it then is right in either case, to give it to another
instance would not be.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from cloudsim.errors import (
    ConcurrentOperation,
    InvalidParameterValue,
    PermissionDenied,
    ResourceUnavailable,
    StorageFailed,
)
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.limits import Limits
from cloudsim.management.identity.tagged_counts import volume_tags
from cloudsim.management.infrastructure.agents import Agents, OutcomeUnknown
from cloudsim.management.infrastructure.hypervisor_types import EXTERNAL, capabilities_of
from cloudsim.management.storage.disks import UNMADE, Disks
from cloudsim.management.storage.volume_migration import VolumeMigration
from cloudsim.management.storage.volume_states import check_at_rest, move, settle
from cloudsim.model import Account, Host, StoragePool, VirtualMachine, VmSnapshot, Volume
from cloudsim.protocol.commands import AttachVolumeCommand, DetachVolumeCommand

CDROM_DEVICE = 3
"""The device id that is kept for an ISO."""


class VolumeAttachment:
    """Ties volumes to instances."""

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        disks: Disks,
        migration: VolumeMigration,
        limits: Limits,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._disks = disks
        self._migration = migration
        self._limits = limits
        self._table = foundation.table(Volume)
        self._pools = foundation.table(StoragePool)
        self._hosts = foundation.table(Host)
        self._vms = foundation.table(VirtualMachine)
        self._vm_snapshots = foundation.table(VmSnapshot)
        self.on_placed: Callable[[Volume], Awaitable[None]] | None = None
        """Called once an uploaded volume is on a pool, and attached."""

    # attaching

    def check_attachable(self, volume: Volume, vm: VirtualMachine, device: int | None = None) -> int:
        """The device id that the volume would take. Raises what stands against attaching it."""
        check_at_rest(volume)
        if volume.state not in ("Allocated", "Ready", "Uploaded"):
            raise InvalidParameterValue(
                "Volume state must be in Allocated, Ready or in Uploaded state, "
                f"and {volume.name} is in state {volume.state}"
            )
        if volume.vm_id is not None:
            raise InvalidParameterValue(
                f"Please specify a volume that is not attached to any VM: {volume.name} is"
            )
        if vm.state not in ("Running", "Stopped"):
            raise InvalidParameterValue(
                f"Please specify a VM that is either running or stopped: {vm.name} is {vm.state}"
            )
        if vm.hypervisor == EXTERNAL:
            raise InvalidParameterValue(f"An extension sees to the disks of VM {vm.name}: volumes are not attached to it")
        if volume.zone_id != vm.zone_id:
            raise InvalidParameterValue("Please specify a volume in the same zone as the VM.")
        if volume.account_id != vm.account_id:
            raise PermissionDenied("Virtual machine and volume must belong to the same account")
        if self._vm_snapshots.count("vm_id", vm.id):
            raise InvalidParameterValue(
                "Unable to attach volume, please specify a VM that does not have VM snapshots"
            )
        if volume.state == "Uploaded":  # it takes secondary storage until now
            owner, tags = self._foundation.table(Account)[volume.account_id], volume_tags(self._store, volume)
            self._limits.check(owner, "primary_storage", volume.size, tags=tags)
        return self._device(volume, vm, device)

    def _device(self, volume: Volume, vm: VirtualMachine, device: int | None) -> int:
        attached = self._disks.of(vm)
        taken = {v.device_id for v in attached}
        if device == 0 or (device is None and volume.type == "ROOT"):
            if 0 in taken:
                raise InvalidParameterValue(f"Vm already has root volume attached to it: {vm.name}")
            if vm.state != "Stopped":
                raise InvalidParameterValue("A root volume can only be attached to a stopped instance")
            return 0
        most = capabilities_of(self._store, vm.hypervisor).max_data_volumes
        if len([v for v in attached if v.device_id != 0]) >= most:
            raise InvalidParameterValue(
                f"The specified VM already has the maximum number of data disks ({most}) attached. "
                "Please specify another VM."
            )
        free = [n for n in range(1, most + 2) if n != CDROM_DEVICE and n not in taken]
        if device is None:
            return free[0]
        if device not in free:
            raise InvalidParameterValue(f"deviceId {device} is used by VM {vm.name} or is not usable")
        return device

    async def attach(self, volume_id: str, vm_id: str, device: int | None = None) -> Volume:
        """Attach the volume, bringing it to where the instance's host can use it; as it was when that fails."""
        uploaded = self._table[volume_id].state == "Uploaded"
        attached = await self._attach(volume_id, vm_id, device)
        if uploaded and self.on_placed is not None:
            await self.on_placed(attached)
        return attached

    async def _attach(self, volume_id: str, vm_id: str, device: int | None) -> Volume:
        volume, vm = self._table[volume_id], self._vms[vm_id]
        slot = self.check_attachable(volume, vm, device)
        host = self._hosts.get(vm.host_id)
        if vm.state == "Stopped" or host is None:
            return await self._attach_cold(volume, vm, slot)
        if volume.state in UNMADE:
            volume = await self._disks.place(volume, host)
        elif not self._disks.reach.reaches(host, self._pools[volume.pool_id or ""]):
            volume = await self._migration.to_host(volume, host)
        # both may have changed while the disk was made
        volume, vm = self._table[volume_id], self._vms.get(vm_id) or vm
        slot = self.check_attachable(volume, vm, device)
        if vm.state == "Stopped":
            return await self._attach_cold(volume, vm, slot)
        if vm.host_id != host.id:
            raise ConcurrentOperation(f"{vm.name} changed hosts while {volume.name} was being attached to it")
        with self._store.transaction():
            volume = move(self._table, volume.id, "Attaching", vm_id=vm.id, device_id=slot)
        try:
            command = AttachVolumeCommand(vm=vm.instance_name, disk=self._disks.spec(volume))
            answer = await self._agents.send(host.id, command)
            if not answer.ok:
                raise StorageFailed(answer.error or f"Volume {volume.name} was not attached")
        except OutcomeUnknown:
            settle(self._table, volume.id, "Attaching", attached=self._foundation.now())
            raise
        except BaseException:
            settle(self._table, volume.id, "Attaching", vm_id=None, device_id=None)
            raise
        with self._store.transaction():
            return move(self._table, volume.id, "Ready", attached=self._foundation.now())

    async def _attach_cold(self, volume: Volume, vm: VirtualMachine, slot: int) -> Volume:
        """Attach to a stopped instance: a row's matter, once the disk is where its other disks are.

        A disk that is not made yet is made at once beside those that are; an uploaded one in any case, so that what
        was uploaded can go.
        """
        pools = [self._pools[v.pool_id] for v in self._disks.of(vm) if v.state == "Ready" and v.pool_id]
        reach = self._disks.reach
        hosts = list(reach.hosts_reaching(pools[0])) if pools else reach.hosts_of(vm.zone_id)
        if volume.state == "Uploaded" and not hosts:
            raise ResourceUnavailable(f"No host that is up reaches a storage pool for {volume.name}")
        if volume.state == "Uploaded" or (volume.state in UNMADE and pools and hosts):
            await self._disks.place(volume, hosts[0])
            volume, vm = self._table[volume.id], self._vms.get(vm.id) or vm
            slot = self.check_attachable(volume, vm, slot)
            if vm.state != "Stopped":
                raise ConcurrentOperation(f"{vm.name} was started while {volume.name} was being made")
        elif volume.state == "Ready" and pools:
            own = self._pools[volume.pool_id or ""]
            if hosts and not any(reach.reaches(host, own) for host in hosts):
                await self._migration.to_host(volume, hosts[0])
                volume, vm = self._table[volume.id], self._vms.get(vm.id) or vm
                slot = self.check_attachable(volume, vm, slot)
                if vm.state != "Stopped":
                    raise ConcurrentOperation(
                        f"{vm.name} was started while {volume.name} was being moved to it"
                    )
        with self._store.transaction():
            return self._table.update(volume.id, vm_id=vm.id, device_id=slot, attached=self._foundation.now())

    # detaching

    def check_detachable(self, volume: Volume) -> VirtualMachine:
        """The instance that has the volume. Raises what stands against detaching it."""
        check_at_rest(volume)
        vm = self._vms.get(volume.vm_id)
        if vm is None:
            raise InvalidParameterValue("The specified volume is not attached to a VM.")
        if volume.type == "ROOT" and vm.state != "Stopped":
            raise InvalidParameterValue(
                f"Please specify a data volume: the root volume of {vm.name} can only be detached when it is stopped"
            )
        if vm.state not in ("Running", "Stopped", "Destroyed"):
            raise InvalidParameterValue(
                f"Please specify a VM that is either running or stopped: {vm.name} is {vm.state}"
            )
        if self._vm_snapshots.count("vm_id", vm.id):
            raise InvalidParameterValue(
                "Unable to detach volume, please specify a VM that does not have VM snapshots"
            )
        return vm

    def at_device(self, vm: VirtualMachine, device: int) -> Volume:
        """The instance's volume at a device id. Raises InvalidParameterValue."""
        for volume in self._disks.of(vm):
            if volume.device_id == device:
                return volume
        raise InvalidParameterValue(f"Unable to find a volume at deviceid {device} of {vm.name}")

    async def detach(self, volume_id: str) -> Volume:
        """Take the volume from its instance; it stays there when the host does not let go of it."""
        volume = self._table[volume_id]
        vm = self.check_detachable(volume)
        if vm.state == "Running" and vm.host_id is not None and volume.path is not None:
            with self._store.transaction():
                move(self._table, volume_id, "Attaching")
            try:
                command = DetachVolumeCommand(vm=vm.instance_name, disk=self._disks.spec(volume))
                answer = await self._agents.send(vm.host_id, command)
                if not answer.ok:
                    raise StorageFailed(answer.error or f"Volume {volume.name} was not detached")
            except BaseException:
                settle(self._table, volume_id, "Attaching")
                raise
            with self._store.transaction():
                return move(self._table, volume_id, "Ready", vm_id=None, device_id=None, attached=None)
        with self._store.transaction():
            return self._disks.release(volume_id)
