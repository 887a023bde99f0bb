"""A libvirt host's backups of instances: all disks of one moment, into a repository."""

from __future__ import annotations

from contextlib import AsyncExitStack

from backends.libvirt import qemu_img
from backends.libvirt.backup import back_up
from backends.libvirt.image_format import examine
from backends.libvirt.image_stores import BACKUPS
from backends.libvirt.secondary import SecondaryStorage
from backends.libvirt.storage import step
from backends.libvirt.unfinished import room
from cloudsim.protocol.specs import BackupFile, DiskSpec

_PRIVATE = 0o640
"""Nobody but the hosts' agents, which are root, has to read a backup."""


class InstanceBackups(SecondaryStorage):
    """The backups of `cloudsim.hypervisor.Hypervisor`: files that stand alone, one for each disk."""

    async def take_backup(
        self, backup_id: str, disks: tuple[DiskSpec, ...], store_url: str, vm: str | None, quiesce: bool
    ) -> tuple[BackupFile, ...]:
        """A guest that uses the disks goes on meanwhile; what is there of the backup when it fails is removed."""
        files = [await self._disk(disk) for disk in disks]
        paths = [f"{BACKUPS}/{backup_id}-{disk.volume_id}.qcow2" for disk in disks]
        targets = [await self.stores.new(store_url, path) for path in paths]
        running = vm is not None and all([vm in await self.users(file) for file in files])
        async with AsyncExitStack() as stack:
            for turn in [f"backup of {vm}"] if running else sorted(files):
                await stack.enter_async_context(self.file_turns.turn(turn))
            with step("disk_snapshot"), room(f"backup repository {store_url}"):
                new = [await stack.enter_async_context(self.unfinished.beside(target)) for target in targets]
                if vm is not None and running:
                    await back_up(self.connection, vm, dict(zip(files, new, strict=True)), quiesce=quiesce)
                else:
                    for disk, file in zip(disks, files, strict=True):
                        await self.check_unused(file, f"disk {disk.path}")
                    for file, copy in zip(files, new, strict=True):
                        await qemu_img.convert(file, copy)
                sizes = [(await examine(n, "qcow2", f"backup {backup_id}")).actual_size for n in new]
                for made, target in zip(new, targets, strict=True):
                    await self.unfinished.put(made, target, replace=True, mode=_PRIVATE)
        return tuple(
            BackupFile(disk.volume_id, path, size) for disk, path, size in zip(disks, paths, sizes, strict=True)
        )
