"""Another disk offering for a volume: its size and IOPS, and where its pool does not suit the offering, another pool."""

from __future__ import annotations

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.compute.disk_plan import checked_iops
from cloudsim.management.compute.disk_traits import DiskTraits, check_unencrypted
from cloudsim.management.foundation import Foundation
from cloudsim.management.storage.volume_migration import VolumeMigration
from cloudsim.management.storage.volume_sizes import GIB
from cloudsim.management.storage.volumes import Volumes
from cloudsim.model import DiskOffering, StoragePool, Volume


class VolumeOfferings:
    """Changes the offerings of volumes."""

    def __init__(self, foundation: Foundation, volumes: Volumes, migration: VolumeMigration) -> None:
        self._store = foundation.store
        self._volumes = volumes
        self._migration = migration
        self._table = foundation.table(Volume)
        self._pools = foundation.table(StoragePool)
        self._offerings = foundation.table(DiskOffering)

    def check(
        self,
        volume: Volume,
        offering: DiskOffering | None,
        *,
        size_gib: int | None = None,
        min_iops: int | None,
        max_iops: int | None,
        auto_migrate: bool,
    ) -> None:
        """Raise what stands against the change, as far as it can be told at once."""
        judged = offering or self._offerings.get(volume.disk_offering_id)
        if (min_iops is not None or max_iops is not None) and (judged is None or not judged.customized_iops):
            what = "its service offering" if judged is None else f"disk offering {judged.name}"
            raise InvalidParameterValue(f"miniops and maxiops cannot be given: {what} does not take them")
        checked_iops(min_iops, max_iops)
        if offering is None:
            return
        check_unencrypted(offering)
        if offering.zone_ids and volume.zone_id not in offering.zone_ids:
            raise InvalidParameterValue(f"Disk offering {offering.name} is not offered in the zone of volume {volume.name}")
        for strict in (offering, self._offerings.get(volume.disk_offering_id)):
            if strict is not None and strict.disk_size_strictness and not self._keeps_size(volume, offering, size_gib):
                raise InvalidParameterValue(f"Disk offering {strict.name} does not allow a change of size")
        pool = self._pools.get(volume.pool_id)
        if pool is not None and volume.path is not None and not suits(pool, offering):
            if not auto_migrate:
                raise InvalidParameterValue(
                    f"Storage pool {pool.name} of volume {volume.name} does not suit disk offering {offering.name}; "
                    "with automigrate it is moved to one that does"
                )
            self._volumes.check_limits(volume, volume.size, offering)
            self._pool_for(volume, offering, f"disk offering {offering.name}")

    @staticmethod
    def _keeps_size(volume: Volume, offering: DiskOffering, size_gib: int | None) -> bool:
        if not offering.customized:
            return offering.size == volume.size
        return size_gib is None or size_gib * GIB == volume.size

    def _is_misplaced(self, volume: Volume, kind: DiskOffering | DiskTraits) -> bool:
        pool = self._pools.get(volume.pool_id)
        return pool is not None and volume.path is not None and not suits(pool, kind)

    def check_place(self, volume: Volume, kind: DiskOffering | DiskTraits, called: str) -> None:
        """Raise what stands against having the volume on a pool that suits disks of that kind, of the offering `called`."""
        if self._is_misplaced(volume, kind):
            self._pool_for(volume, kind, f"offering {called}")

    async def place(self, volume: Volume, kind: DiskOffering | DiskTraits, called: str) -> None:
        """Move the volume to a pool that suits disks of that kind, unless it is on one."""
        if self._is_misplaced(volume, kind):
            await self._migration.migrate(volume.id, self._pool_for(volume, kind, f"offering {called}"))

    def _pool_for(self, volume: Volume, kind: DiskOffering | DiskTraits, called: str) -> StoragePool:
        """A pool of the zone to move the volume to, that with the most room. Raises what stands against the last of them."""
        failure: CloudError = InvalidParameterValue(
            f"No storage pool of the zone suits {called}"
        )
        pools = [pool for pool in self._pools.where("zone_id", volume.zone_id) if suits(pool, kind)]
        for pool in sorted(pools, key=lambda pool: pool.used - pool.capacity):
            try:
                self._migration.check(volume, pool)
            except CloudError as error:
                failure = error
                continue
            return pool
        raise failure

    def check_on(self, volume: Volume, pool: StoragePool, offering: DiskOffering) -> None:
        """Raise InvalidParameterValue unless the volume could have that offering on that pool; its size stays as it is."""
        if offering.state != "Active" or (offering.zone_ids and volume.zone_id not in offering.zone_ids):
            raise InvalidParameterValue(f"Disk offering {offering.name} is not offered in the zone of volume {volume.name}")
        check_unencrypted(offering)
        if not suits(pool, offering):
            raise InvalidParameterValue(f"Storage pool {pool.name} does not suit disk offering {offering.name}")
        self._volumes.check_limits(volume, volume.size, offering)

    def rename(self, volume: Volume, offering: DiskOffering) -> Volume:
        """Say that the volume is of that offering; its size stays."""
        with self._store.transaction():
            return self._table.update(volume.id, disk_offering_id=offering.id)

    async def change(
        self,
        volume_id: str,
        offering: DiskOffering | None,
        *,
        size_gib: int | None = None,
        min_iops: int | None = None,
        max_iops: int | None = None,
        auto_migrate: bool = False,
        shrink_ok: bool = False,
    ) -> Volume:
        """Give the volume the offering, that size and these IOPS. Moved it stays moved when the rest fails."""
        volume = self._table[volume_id]
        self.check(volume, offering, size_gib=size_gib, min_iops=min_iops, max_iops=max_iops, auto_migrate=auto_migrate)
        if offering is not None:
            await self.place(volume, offering, offering.name)
        if offering is not None and min_iops is None and max_iops is None and not offering.customized_iops:
            min_iops, max_iops = offering.min_iops, offering.max_iops
        return await self._volumes.resize(
            volume_id,
            size_gib=size_gib,
            offering=offering,
            shrink_ok=shrink_ok,
            min_iops=min_iops,
            max_iops=max_iops,
        )


def suits(pool: StoragePool, offering: DiskOffering | DiskTraits) -> bool:
    """Whether a disk of that offering, or one like that, may lie on the pool."""
    return (pool.scope == "HOST") == (offering.storage_type == "local") and set(offering.tags) <= set(pool.tags)
