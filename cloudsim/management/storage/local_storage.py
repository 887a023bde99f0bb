"""What is removed with a host by force: the instances and volumes on its own storage."""

from __future__ import annotations

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.compute.vms import VirtualMachines
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.storage.volumes import Volumes
from cloudsim.model import Host, StoragePool, VirtualMachine, Volume


class LocalStorage:
    """Empties the pools that are hosts' own, and others of what is destroyed."""

    def __init__(self, foundation: Foundation, vms: VirtualMachines, volumes: Volumes) -> None:
        self._pools = foundation.table(StoragePool)
        self._table = foundation.table(Volume)
        self._vms = foundation.table(VirtualMachine)
        self._machines = vms
        self._volumes = volumes

    def check(self, host: Host) -> None:
        """Raise InvalidParameterValue while the host cannot be asked to remove what is on its storage."""
        if host.state != "Up" and any(self._table.count("pool_id", pool.id) for pool in self._of(host)):
            raise InvalidParameterValue(f"Host {host.name} is {host.state}: what is on its local storage cannot be removed")

    def _of(self, host: Host) -> list[StoragePool]:
        return self._pools.where("host_id", host.id)

    async def destroy_on(self, caller: Caller, host: Host) -> None:
        """Expunge the instances with disks on the host's own storage, and delete what other volumes there are."""
        for pool in self._of(host):
            for volume in self._table.where("pool_id", pool.id):
                vm = self._vms.get(volume.vm_id)
                if vm is not None:
                    await self._machines.destroyed(caller, vm.id, expunge=True, protected=False)
            for volume in self._table.where("pool_id", pool.id):
                await self._volumes.delete(volume, protected=False)

    async def clean(self, pool: StoragePool) -> None:
        """Remove for good the volumes on the pool that are destroyed already."""
        for volume in self._table.where("pool_id", pool.id):
            if volume.state == "Destroy" and volume.vm_id is None:
                await self._volumes.delete(volume, protected=False)
