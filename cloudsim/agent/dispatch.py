"""Which hypervisor method does which Command, and what it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from cloudsim.hypervisor import Hypervisor
from cloudsim.protocol import commands as c

Handler = Callable[[Hypervisor, Any], Awaitable[c.Answer]]


async def _start(h: Hypervisor, command: c.StartCommand) -> c.Answer:
    return c.StartAnswer(console=await h.start_vm(command.vm))


async def _stop(h: Hypervisor, command: c.StopCommand) -> c.Answer:
    await h.stop_vm(command.vm, command.forced)
    return c.StopAnswer()


async def _reboot(h: Hypervisor, command: c.RebootCommand) -> c.Answer:
    await h.reboot_vm(command.vm, command.forced)
    return c.RebootAnswer()


async def _suspend(h: Hypervisor, command: c.SuspendCommand) -> c.Answer:
    await h.suspend_vm(command.vm)
    return c.SuspendAnswer()


async def _resume(h: Hypervisor, command: c.ResumeCommand) -> c.Answer:
    await h.resume_vm(command.vm)
    return c.ResumeAnswer()


async def _prepare_migration(h: Hypervisor, command: c.PrepareForMigrationCommand) -> c.Answer:
    return c.PrepareForMigrationAnswer(files=await h.prepare_migration(command.vm))


async def _migrate(h: Hypervisor, command: c.MigrateCommand) -> c.Answer:
    downtime = await h.migrate_vm(command.vm, command.destination, command.with_storage, command.files)
    return c.MigrateAnswer(downtime=downtime)


async def _scale(h: Hypervisor, command: c.ScaleVmCommand) -> c.Answer:
    await h.scale_vm(command.vm, command.cpus, command.cpu_mhz, command.memory_mib)
    return c.ScaleVmAnswer()


async def _plug(h: Hypervisor, command: c.PlugNicCommand) -> c.Answer:
    await h.plug_nic(command.vm, command.nic)
    return c.PlugNicAnswer()


async def _unplug(h: Hypervisor, command: c.UnplugNicCommand) -> c.Answer:
    await h.unplug_nic(command.vm, command.nic)
    return c.UnplugNicAnswer()


async def _attach(h: Hypervisor, command: c.AttachVolumeCommand) -> c.Answer:
    await h.attach_volume(command.vm, command.disk)
    return c.AttachVolumeAnswer()


async def _detach(h: Hypervisor, command: c.DetachVolumeCommand) -> c.Answer:
    await h.detach_volume(command.vm, command.disk)
    return c.DetachVolumeAnswer()


async def _attach_iso(h: Hypervisor, command: c.AttachIsoCommand) -> c.Answer:
    await h.attach_iso(command.vm, command.iso)
    return c.AttachIsoAnswer()


async def _unmanaged(h: Hypervisor, command: c.UnmanagedInstancesCommand) -> c.Answer:
    return c.UnmanagedInstancesAnswer(instances=await h.unmanaged_instances(command.name, command.known))


async def _adopt(h: Hypervisor, command: c.AdoptCommand) -> c.Answer:
    await h.adopt_vm(command.vm)
    return c.AdoptAnswer()


async def _vm_snapshot(h: Hypervisor, command: c.CreateVmSnapshotCommand) -> c.Answer:
    await h.create_vm_snapshot(command.vm, command.snapshot, command.disks, command.memory)
    return c.VmSnapshotAnswer()


async def _revert_vm(h: Hypervisor, command: c.RevertToVmSnapshotCommand) -> c.Answer:
    await h.revert_to_vm_snapshot(command.vm, command.snapshot, command.disks, command.memory)
    return c.VmSnapshotAnswer()


async def _delete_vm_snapshot(h: Hypervisor, command: c.DeleteVmSnapshotCommand) -> c.Answer:
    await h.delete_vm_snapshot(command.vm, command.snapshot, command.disks)
    return c.VmSnapshotAnswer()


async def _pool(h: Hypervisor, command: c.ModifyStoragePoolCommand) -> c.Answer:
    if command.add:
        return c.ModifyStoragePoolAnswer(statistics=await h.mount_pool(command.pool))
    await h.unmount_pool(command.pool)
    return c.ModifyStoragePoolAnswer()


async def _copy_template(h: Hypervisor, command: c.CopyTemplateCommand) -> c.Answer:
    path, size = await h.copy_template(command.image, command.pool_id, command.template_id)
    return c.CopyTemplateAnswer(path=path, size=size)


async def _delete_template(h: Hypervisor, command: c.DeleteTemplateCommand) -> c.Answer:
    await h.delete_template(command.pool_id, command.path)
    return c.DeleteTemplateAnswer()


async def _create_volume(h: Hypervisor, command: c.CreateVolumeCommand) -> c.Answer:
    path, size = await h.create_volume(
        command.volume_id,
        command.pool_id,
        command.size,
        command.template_path,
        command.image,
        command.provisioning,
    )
    return c.CreateVolumeAnswer(path=path, size=size)


async def _storage_objects(h: Hypervisor, command: c.StorageObjectsCommand) -> c.Answer:
    objects = await h.storage_objects(command.pool_id, command.store_url, command.path, command.describe)
    return c.StorageObjectsAnswer(objects=objects)


async def _copy_image(h: Hypervisor, command: c.CopyImageCommand) -> c.Answer:
    path, physical = await h.copy_image(command.image, command.store_url)
    return c.CopyImageAnswer(path=path, physical_size=physical)


async def _delete_volume(h: Hypervisor, command: c.DeleteVolumeCommand) -> c.Answer:
    await h.delete_volume(command.volume_id, command.pool_id, command.path)
    return c.DeleteVolumeAnswer()


async def _resize_volume(h: Hypervisor, command: c.ResizeVolumeCommand) -> c.Answer:
    return c.ResizeVolumeAnswer(size=await h.resize_volume(command.disk, command.size, command.vm))


async def _backup(h: Hypervisor, command: c.BackupSnapshotCommand) -> c.Answer:
    path, size = await h.backup_snapshot(
        command.snapshot_id, command.disk, command.store_url, command.vm, command.inside, command.quiesce
    )
    return c.BackupSnapshotAnswer(path=path, physical_size=size)


async def _take_backup(h: Hypervisor, command: c.TakeBackupCommand) -> c.Answer:
    files = await h.take_backup(
        command.backup_id, command.disks, command.store_url, command.vm, command.quiesce
    )
    return c.TakeBackupAnswer(files=files)


async def _revert_snapshot(h: Hypervisor, command: c.RevertSnapshotCommand) -> c.Answer:
    await h.revert_snapshot(command.disk, command.image)
    return c.RevertSnapshotAnswer()


async def _delete_image(h: Hypervisor, command: c.DeleteImageCommand) -> c.Answer:
    await h.delete_image(command.image)
    return c.DeleteImageAnswer()


async def _create_template(h: Hypervisor, command: c.CreateTemplateCommand) -> c.Answer:
    path, size = await h.create_template(command.template_id, command.store_url, command.image, command.disk)
    return c.CreateTemplateAnswer(path=path, size=size)


async def _download(h: Hypervisor, command: c.DownloadTemplateCommand) -> c.Answer:
    path, size, checksum = await h.download_template(
        command.template_id, command.url, command.store_url, command.format, command.checksum
    )
    return c.DownloadTemplateAnswer(path=path, size=size, checksum=checksum)


async def _vm_statistics(h: Hypervisor, command: c.VmStatisticsCommand) -> c.Answer:
    return c.VmStatisticsAnswer(vms=await h.vm_statistics(command.vms))


async def _pool_statistics(h: Hypervisor, command: c.PoolStatisticsCommand) -> c.Answer:
    return c.PoolStatisticsAnswer(statistics=await h.pool_statistics(command.pool_id))


async def _vm_activity(h: Hypervisor, command: c.VmActivityCommand) -> c.Answer:
    return c.VmActivityAnswer(active=await h.vm_activity(command.disks))


async def _console(h: Hypervisor, command: c.ConsoleCommand) -> c.Answer:
    return c.ConsoleAnswer(address=await h.console(command.vm, command.serial))


async def _security_rules(h: Hypervisor, command: c.SecurityRulesCommand) -> c.Answer:
    await h.set_security_rules(command.vm, command.nic_id, command.rules)
    return c.SecurityRulesAnswer()


async def _system_vm(h: Hypervisor, command: c.SystemVmCommand) -> c.Answer:
    return c.SystemVmAnswer(reply=await h.ask_system_vm(command.vm, command.request))


HANDLERS: dict[type[c.Command], Handler] = {
    c.StartCommand: _start,
    c.StopCommand: _stop,
    c.RebootCommand: _reboot,
    c.SuspendCommand: _suspend,
    c.ResumeCommand: _resume,
    c.PrepareForMigrationCommand: _prepare_migration,
    c.MigrateCommand: _migrate,
    c.ScaleVmCommand: _scale,
    c.PlugNicCommand: _plug,
    c.UnplugNicCommand: _unplug,
    c.AttachVolumeCommand: _attach,
    c.DetachVolumeCommand: _detach,
    c.AttachIsoCommand: _attach_iso,
    c.UnmanagedInstancesCommand: _unmanaged,
    c.AdoptCommand: _adopt,
    c.CreateVmSnapshotCommand: _vm_snapshot,
    c.RevertToVmSnapshotCommand: _revert_vm,
    c.DeleteVmSnapshotCommand: _delete_vm_snapshot,
    c.ModifyStoragePoolCommand: _pool,
    c.CopyTemplateCommand: _copy_template,
    c.DeleteTemplateCommand: _delete_template,
    c.CreateVolumeCommand: _create_volume,
    c.DeleteVolumeCommand: _delete_volume,
    c.ResizeVolumeCommand: _resize_volume,
    c.BackupSnapshotCommand: _backup,
    c.TakeBackupCommand: _take_backup,
    c.RevertSnapshotCommand: _revert_snapshot,
    c.DeleteImageCommand: _delete_image,
    c.StorageObjectsCommand: _storage_objects,
    c.CopyImageCommand: _copy_image,
    c.CreateTemplateCommand: _create_template,
    c.DownloadTemplateCommand: _download,
    c.VmStatisticsCommand: _vm_statistics,
    c.PoolStatisticsCommand: _pool_statistics,
    c.VmActivityCommand: _vm_activity,
    c.ConsoleCommand: _console,
    c.SecurityRulesCommand: _security_rules,
    c.SystemVmCommand: _system_vm,
}
