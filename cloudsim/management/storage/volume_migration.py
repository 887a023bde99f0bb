"""Moving a volume from one pool to another, by way of secondary storage.

The host next to the old pool backs the disk up to secondary storage, a host next to the new pool makes a disk of it,
then the volume's row changes and the old disk and the backup are removed. Until the row changes nothing is lost.
"""

from __future__ import annotations

import logging

from cloudsim.errors import (
    CloudError,
    ConcurrentOperation,
    InsufficientCapacity,
    InvalidParameterValue,
    StorageFailed,
)
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents, AgentUnavailable
from cloudsim.management.storage.disks import Disks
from cloudsim.management.storage.secondary_storage import SecondaryStorage
from cloudsim.management.storage.volume_states import check_at_rest, move, settle
from cloudsim.model import DiskOffering, Host, StoragePool, VirtualMachine, Volume
from cloudsim.protocol.commands import (
    BackupSnapshotAnswer,
    BackupSnapshotCommand,
    CreateVolumeAnswer,
    CreateVolumeCommand,
    DeleteVolumeCommand,
)
from cloudsim.protocol.specs import ImageSpec

log = logging.getLogger(__name__)


class VolumeMigration:
    """Moves volumes that no running instance uses."""

    def __init__(
        self, foundation: Foundation, agents: Agents, disks: Disks, secondary: SecondaryStorage
    ) -> None:
        self._store = foundation.store
        self._settings = foundation.settings
        self._agents = agents
        self._disks = disks
        self._secondary = secondary
        self._table = foundation.table(Volume)
        self._pools = foundation.table(StoragePool)
        self._vms = foundation.table(VirtualMachine)
        self._offerings = foundation.table(DiskOffering)
        self._randomness = foundation.randomness.branch("volume_migration")

    async def to_host(self, volume: Volume, host: Host) -> Volume:
        """Move the volume to a pool that the host reaches."""
        offering = self._offerings.get(volume.disk_offering_id)
        tags = offering.tags if offering is not None else ()
        local = offering is not None and offering.storage_type == "local"
        pool = self._disks.room.choose(host, volume.size, tags=tags, local=local)
        return await self.migrate(volume.id, pool, host)

    def check(self, volume: Volume, pool: StoragePool) -> None:
        """Raise what stands against moving the volume to that pool."""
        vm = self._vms.get(volume.vm_id)
        self.check_target(volume, pool)
        if vm is not None and vm.state != "Stopped":
            raise InvalidParameterValue(
                f"Volume {volume.name} needs to be detached, or {vm.name} stopped, before it can be moved"
            )

    def check_target(self, volume: Volume, pool: StoragePool) -> None:
        """Raise what stands against the volume being on that pool, whatever uses it."""
        check_at_rest(volume)
        if volume.state != "Ready" or volume.pool_id is None:
            raise InvalidParameterValue("Volume must be in ready state")
        if pool.id == volume.pool_id:
            raise InvalidParameterValue(f"Volume {volume.name} is already on the destination storage pool")
        if pool.state != "Up" or pool.zone_id != volume.zone_id:
            raise InvalidParameterValue(
                f"Storage pool {pool.name} is not one that {volume.name} can be moved to"
            )
        if any(v.path == volume.id and v.id != volume.id for v in self._table.where("pool_id", pool.id)):
            raise ConcurrentOperation(
                f"An earlier disk of volume {volume.name} is still to be removed from storage pool {pool.name}"
            )
        factor = self._settings.number("storage.overprovisioning.factor", "StoragePool", pool.id)
        if self._disks.room.promised.get(pool.id, 0) + volume.size > pool.capacity * factor:
            raise InsufficientCapacity(f"Storage pool {pool.name} has no room for {volume.size} bytes")

    async def migrate(self, volume_id: str, pool: StoragePool, through: Host | None = None) -> Volume:
        """Move the volume to `pool`; it stays where it is when that fails. `through`: a host that reaches the pool."""
        volume = self._table[volume_id]
        self.check(volume, pool)
        source = self._disks.reach.host_for(self._pools[volume.pool_id or ""])
        target = through or self._disks.reach.host_for(pool)
        store = self._secondary.store_for(volume.zone_id)
        with self._store.transaction():
            move(self._table, volume_id, "Migrating")
        backup: ImageSpec | None = None
        new: Volume | None = None
        try:
            answer = await self._agents.send(
                source.id,
                BackupSnapshotCommand(
                    snapshot_id=self._randomness.uuid(), disk=self._disks.spec(volume), store_url=store.url
                ),
            )
            if not isinstance(answer, BackupSnapshotAnswer) or not answer.ok:
                raise StorageFailed(answer.error or f"Volume {volume.name} was not copied")
            backup = ImageSpec(store.url, answer.path, volume.size)
            new = self._disks.note_file(volume, pool.id, volume.id)
            made = await self._agents.send(
                target.id,
                CreateVolumeCommand(volume_id=volume.id, pool_id=pool.id, size=volume.size, image=backup),
            )
            if not isinstance(made, CreateVolumeAnswer) or not made.ok:
                raise StorageFailed(made.error or f"Volume {volume.name} was not made on {pool.name}")
            with self._store.transaction():
                self._table.delete(new.id)
                old = self._disks.note_file(volume, volume.pool_id or "", volume.path or volume.id)
                moved = move(
                    self._table,
                    volume_id,
                    "Ready",
                    pool_id=pool.id,
                    path=made.path,
                    size=made.size or volume.size,
                )
        except BaseException as error:
            settle(self._table, volume_id, "Migrating")
            if new is not None and new.id in self._table:
                with self._store.transaction():
                    if isinstance(error, AgentUnavailable | StorageFailed):
                        self._table.delete(new.id)
                    else:  # nobody knows whether it was made
                        move(self._table, new.id, "Destroy")
            raise
        finally:
            if backup is not None:
                await self._forget(volume, backup)
        await self._remove_old(volume, source, old)
        return moved

    async def _forget(self, volume: Volume, backup: ImageSpec) -> None:
        try:
            await self._secondary.delete(backup, volume.zone_id)
        except CloudError as error:
            log.warning("the copy %s of volume %s is left over: %s", backup.path, volume.name, error.text)

    async def _remove_old(self, volume: Volume, host: Host, old: Volume) -> None:
        assert volume.pool_id is not None and volume.path is not None
        command = DeleteVolumeCommand(volume_id=volume.id, pool_id=volume.pool_id, path=volume.path)
        try:
            answer = await self._agents.send(host.id, command)
            error = answer.error
        except CloudError as failed:
            error = failed.text
        with self._store.transaction():
            if error is None:
                self._table.delete(old.id)
            else:
                log.warning("the old disk %s of volume %s is left over: %s", volume.path, volume.name, error)
                move(self._table, old.id, "Destroy")
