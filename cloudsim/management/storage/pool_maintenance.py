"""Storage pools put into maintenance, and back into service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from cloudsim.errors import InvalidParameterValue, ResourceInUse, UnsupportedCommand
from cloudsim.management.foundation import Foundation
from cloudsim.management.storage.primary_storage import PrimaryStorage
from cloudsim.model import StoragePool, VirtualMachine, Volume


class PoolMaintenance:
    """Takes pools out of service.

    `stop_users(pool)` stops every instance with a volume on the pool; without it a pool in use can't
    go into maintenance.
    """

    def __init__(
        self,
        foundation: Foundation,
        primary_storage: PrimaryStorage,
        stop_users: Callable[[StoragePool], Awaitable[None]] | None = None,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._primary_storage = primary_storage
        self._pools = foundation.table(StoragePool)
        self._volumes = foundation.table(Volume)
        self.stop_users = stop_users

    def check_maintenance(self, pool: StoragePool) -> None:
        """Raise unless maintenance could begin now."""
        if pool.state not in ("Up", "Disabled"):
            raise InvalidParameterValue(
                f"Primary storage with id {pool.id} is not ready for migration, as the status is:{pool.state}"
            )
        if self.stop_users is None and self._used(pool):
            raise UnsupportedCommand(
                f"Instances run from storage pool {pool.name}, and nothing here can stop them"
            )

    async def enter_maintenance(self, pool: StoragePool) -> StoragePool:
        """Stop the instances that use the pool; it is in Maintenance then. Back as it was when that fails."""
        pool = self._current(pool)
        self.check_maintenance(pool)
        with self._store.transaction():
            self._pools.update(pool.id, state="PrepareForMaintenance")
        try:
            if self.stop_users is not None:
                await self.stop_users(pool)
            if self._used(pool):
                raise ResourceInUse(f"Instances still run from storage pool {pool.name}")
        except BaseException:
            if pool.id in self._pools:
                with self._store.transaction():
                    self._pools.update(pool.id, state=pool.state)
            raise
        with self._store.transaction():
            return self._pools.update(pool.id, state="Maintenance")

    async def leave_maintenance(self, pool: StoragePool) -> StoragePool:
        """Mount the pool again; it is Up then."""
        pool = self._current(pool)
        self.check_in_maintenance(pool)
        hosts = self._primary_storage.connected_hosts(pool)
        if hosts:
            await self._primary_storage.mount_everywhere(pool, hosts)
        with self._store.transaction():
            return self._pools.update(pool.id, state="Up")

    def check_in_maintenance(self, pool: StoragePool) -> None:
        if pool.state not in ("Maintenance", "PrepareForMaintenance"):
            raise InvalidParameterValue(
                f"Primary storage with id {pool.id} is not ready to complete migration, as the status is:{pool.state}"
            )

    def _current(self, pool: StoragePool) -> StoragePool:
        now = self._pools.get(pool.id)
        if now is None:
            raise InvalidParameterValue(f"Storage pool {pool.name} is gone")
        return now

    def _used(self, pool: StoragePool) -> bool:
        vms = self._foundation.table(VirtualMachine)
        for volume in self._volumes.where("pool_id", pool.id):
            vm = vms.get(volume.vm_id)
            if vm is not None and vm.state not in ("Stopped", "Destroyed", "Expunging", "Error"):
                return True
        return False
