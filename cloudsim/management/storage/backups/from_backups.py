"""What is made of backups: a volume of one of its disks, attached to an instance; an instance of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from cloudsim.errors import CloudError, InsufficientCapacity, InvalidParameterValue, ResourceUnavailable
from cloudsim.management.compute.disk_plan import DataDisk
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.limits import Limits
from cloudsim.management.storage.backups.backups import disk_of
from cloudsim.management.storage.backups.providers import BackupProviders
from cloudsim.management.storage.disks import Disks
from cloudsim.management.storage.volume_attachment import VolumeAttachment
from cloudsim.management.storage.volume_states import move
from cloudsim.model import Account, Backup, DiskOffering, Host, StoragePool, VirtualMachine, Volume
from cloudsim.model.backup import BackedUpVolume


class FromBackups:
    """Makes volumes and instances that hold what a backup does."""

    def __init__(
        self,
        foundation: Foundation,
        disks: Disks,
        limits: Limits,
        attachment: VolumeAttachment,
        providers: BackupProviders,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._disks = disks
        self._limits = limits
        self._attachment = attachment
        self._providers = providers
        self._backups = foundation.table(Backup)
        self._volumes = foundation.table(Volume)
        self._vms = foundation.table(VirtualMachine)
        self._offerings = foundation.table(DiskOffering)
        self._pools = foundation.table(StoragePool)
        self._randomness = foundation.randomness.branch("from backups")

    def check_usable(self, backup: Backup, zone_id: str) -> None:
        """Raise what stands against making something of the backup in that zone."""
        self._providers.check_enabled(backup.zone_id)
        if backup.state not in ("BackedUp", "Restoring"):
            raise InvalidParameterValue(f"Backup {backup.name} is {backup.state}; it must be BackedUp")
        if zone_id != backup.zone_id and not self._providers.cross_zone(backup.repository_id):
            raise InvalidParameterValue(
                f"Backup {backup.name} is of another zone, and its repository is not for making instances across zones"
            )

    # a volume

    def allocate(self, backup: Backup, volume_id: str, vm: VirtualMachine) -> Volume:
        """A data disk for the instance, to hold the disk of the backup that was the volume of that id."""
        self.check_usable(backup, vm.zone_id)
        disk = disk_of(backup, volume_id)
        owner = self._foundation.table(Account)[vm.account_id]
        offering = self._offerings.get(disk.disk_offering_id)
        tags = offering.tags if offering is not None else ()
        self._limits.check(owner, "volume", tags=tags)
        self._limits.check(owner, "primary_storage", disk.size, tags=tags)
        volume = Volume(
            id=self._randomness.uuid(),
            name=f"restored-{disk.name}",
            account_id=owner.id,
            domain_id=owner.domain_id,
            zone_id=vm.zone_id,
            type="DATADISK",
            size=disk.size,
            backup_id=backup.id,
            backup_disk=disk.id,
            disk_offering_id=None if offering is None else offering.id,
            provisioning_type="thin" if offering is None else offering.provisioning_type,
            min_iops=disk.min_iops,
            max_iops=disk.max_iops,
            created=self._foundation.now(),
        )
        self._attachment.check_attachable(volume, vm)
        with self._store.transaction():
            return self._volumes.insert(volume)

    async def restore_and_attach(self, volume_id: str, vm_id: str) -> Volume:
        """Make an allocated volume and attach it to its instance; when that fails the volume is gone."""
        try:
            volume = self._volumes[volume_id]
            vm = self._vms.get(vm_id)
            if vm is None:
                raise InvalidParameterValue("The instance that the volume was to be attached to is gone")
            await self._place(volume, vm)
            return await self._attachment.attach(volume_id, vm_id)
        except BaseException:
            self._give_up(volume_id)
            raise

    async def _place(self, volume: Volume, vm: VirtualMachine) -> None:
        failure: CloudError = ResourceUnavailable("No host that is up reaches a storage pool of the instance's")
        for host in self._hosts_for(vm):
            try:
                await self._disks.place(volume, host)
                return
            except InsufficientCapacity as error:
                failure = error
        raise failure

    def _hosts_for(self, vm: VirtualMachine) -> Iterator[Host]:
        """Hosts to make the disk through: the instance's own, else one beside each pool near its disks."""
        host = self._foundation.table(Host).get(vm.host_id)
        if host is not None:
            yield host
            return
        for pool in self._disks.reach.pools_near(vm):
            if pool.state == "Up":
                yield from islice(self._disks.reach.hosts_reaching(pool, vm.last_host_id), 1)

    def _give_up(self, volume_id: str) -> None:
        """Nothing is left of the volume, or what may lie on a pool is left to be cleaned up."""
        volume = self._volumes.get(volume_id)
        if volume is None or volume.vm_id is not None:  # attached, or nobody knows that it is not
            return
        with self._store.transaction():
            if volume.pool_id is None:
                self._volumes.delete(volume_id)
            else:
                move(self._volumes, volume_id, "Destroy", backup_id=None, backup_disk=None)

    # an instance

    def data_disks(self, backup: Backup, named: Sequence[DataDisk] = ()) -> tuple[DataDisk, ...]:
        """The data disks of an instance that is to hold what the backup does; `named` ones count for their slots.

        Raises InvalidParameterValue for a disk that no offering can be found for, or that is to be too small.
        """
        _, rest = disks_of(backup)
        slots = {each.device: each for each in named}
        if None in slots and len(rest) == len(named) == 1:
            slots = {rest[0].device: named[0]}
        elif None in slots:
            raise InvalidParameterValue(
                f"Backup {backup.name} has {len(rest)} data disks: datadisksdetails must say with deviceid which one is meant"
            )
        unknown = [str(slot) for slot in slots if slot not in {disk.device for disk in rest}]
        if unknown:
            raise InvalidParameterValue(
                f"Parameter datadisksdetails: backup {backup.name} has no data disk of deviceid {unknown[0]}"
            )
        return tuple(self._data_disk(disk, slots.get(disk.device)) for disk in rest)

    def _data_disk(self, disk: BackedUpVolume, named: DataDisk | None) -> DataDisk:
        offering = self._offerings.get(named.disk_offering_id if named is not None else disk.disk_offering_id)
        if offering is None:
            raise InvalidParameterValue(
                f"The disk offering of data disk {disk.name} is gone: datadisksdetails must name one for"
                f" deviceid {disk.device}"
            )
        wanted = named.size if named is not None else None
        size = (wanted or disk.size) if offering.customized else None
        if (size or offering.size) < disk.size and (named is not None or offering.customized):
            raise InvalidParameterValue(f"Data disk {disk.name} of the backup needs {disk.size} bytes")
        asks = offering.customized_iops
        least, most = (named.min_iops, named.max_iops) if named is not None else (disk.min_iops, disk.max_iops)
        return DataDisk(offering.id, size, least if asks else None, most if asks else None, disk.device)

    def root(
        self, backup: Backup, override: DiskOffering | None = None, wanted: int | None = None
    ) -> tuple[str | None, int | None]:
        """The disk offering (None: the service offering says) and, where that leaves it open, the bytes of a root disk
        for what the backup holds; `override` and the bytes `wanted` are the caller's choice.

        Raises InvalidParameterValue where that has no room for what the backup holds.
        """
        disk, _ = disks_of(backup)
        needs = f"The root disk of backup {backup.name} needs {disk.size} bytes"
        if wanted is not None and wanted < disk.size:
            raise InvalidParameterValue(f"{needs}, and {wanted} are asked for")
        if override is not None and not override.customized and override.size < disk.size:
            raise InvalidParameterValue(f"{needs}: disk offering {override.name} has {override.size}")
        offering = override or self._offerings.get(disk.disk_offering_id)
        if offering is None or (override is None and offering.state != "Active"):
            return None, wanted or disk.size
        return offering.id, wanted or (disk.size if offering.customized else None)

    def fill(self, vm: VirtualMachine, backup: Backup) -> None:
        """Have the disks of an instance that was just allocated made of the backup's. Needs an open transaction."""
        slots = {disk.device: disk for disk in backup.volumes}
        owner = self._foundation.table(Account)[vm.account_id]
        for volume in self._disks.of(vm):
            disk = slots[volume.device_id or 0]
            self._limits.check(owner, "primary_storage", disk.size - volume.size)
            self._volumes.update(
                volume.id, backup_id=backup.id, backup_disk=disk.id, size=max(volume.size, disk.size)
            )


def disks_of(backup: Backup) -> tuple[BackedUpVolume, list[BackedUpVolume]]:
    """The backup's root disk, and its data disks by device. Raises InvalidParameterValue where it has no root disk."""
    roots = [disk for disk in backup.volumes if disk.device == 0]
    if len(roots) != 1:
        raise InvalidParameterValue(f"Backup {backup.name} has no root disk to make an instance of")
    rest = [disk for disk in backup.volumes if disk.device != 0]
    return roots[0], sorted(rest, key=lambda disk: disk.device)
