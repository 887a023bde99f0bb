"""A libvirt host as the agent knows it: `cloudsim.hypervisor.Hypervisor`, of parts."""

from __future__ import annotations

from backends.libvirt.facts import Facts
from backends.libvirt.instance_backups import InstanceBackups
from backends.libvirt.primary import PrimaryStorage
from backends.libvirt.storage_objects import StorageObjects
from backends.libvirt.systemvms.system_vms import SystemVms
from backends.libvirt.unmanaged import Unmanaged
from backends.libvirt.vm_snapshots import VmSnapshots


class LibvirtHypervisor(
    SystemVms,
    Facts,
    VmSnapshots,
    PrimaryStorage,
    InstanceBackups,
    StorageObjects,
    Unmanaged,
):
    """`await open()` before anything else: it connects, and repairs what an earlier agent left; then `close()`."""

    async def open(self) -> None:
        await self.connection.open()
        await self.restore_pools()
        await self.choose_acceleration()
        await self.drop_unfinished_starts()
        running = {report.name for report in await self.vm_states()}
        for spec in list(self.kept):
            if spec.name not in running:
                self.kept.remove(spec.name)
        await self.networks.restore([spec for spec in self.kept])
        await self.resume_arrivals()

    async def close(self) -> None:
        await self.end_watches()
        await self.terminals.close()
        await self.close_channels()
        await self.connection.close()
