"""Moving a running instance to another host together with disks, to pools that its host need not reach.

The disks are made at the destination first, empty; the hosts fill them while the guest runs. Until it is certain where
the instance runs, both files of a disk are kept: the rows that note the second ones say so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from cloudsim.errors import (
    CloudError,
    InsufficientCapacity,
    InvalidParameterValue,
    ResourceUnavailable,
    StorageFailed,
)
from cloudsim.management.compute.vm_migration import Migration
from cloudsim.management.compute.vm_start import Starting
from cloudsim.management.compute.vm_states import next_state
from cloudsim.management.compute.vms import HostRefused
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.infrastructure.agents import Agents, AgentUnavailable, OutcomeUnknown
from cloudsim.management.infrastructure.hypervisor_types import capabilities_of
from cloudsim.management.storage.disks import Disks
from cloudsim.management.storage.volume_migration import VolumeMigration
from cloudsim.management.storage.volume_states import move, settle
from cloudsim.model import Host, StoragePool, VirtualMachine, VmSnapshot, Volume
from cloudsim.protocol.commands import (
    CreateVolumeAnswer,
    CreateVolumeCommand,
    MigrateCommand,
    PrepareForMigrationAnswer,
    PrepareForMigrationCommand,
    VmStatesAnswer,
    VmStatesCommand,
)

log = logging.getLogger(__name__)

ASK_AGAIN = 10.0
ASK_FOR = 600.0
"""Seconds between questions where an instance runs after a migration without an answer, and for how long."""


class DiskMove(NamedTuple):
    """A volume that goes along, where to, and the row that notes its second file."""

    volume: Volume
    pool: StoragePool
    note: Volume
    path: str


class StorageMotion:
    """Migrations with volumes."""

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        starting: Starting,
        disks: Disks,
        volume_migration: VolumeMigration,
        migration: Migration,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._starting = starting
        self._disks = disks
        self._volume_migration = volume_migration
        self._migration = migration
        self._vms = foundation.table(VirtualMachine)
        self._hosts = foundation.table(Host)
        self._pools = foundation.table(StoragePool)
        self._volumes = foundation.table(Volume)

    # what is to go where

    def check(self, vm: VirtualMachine, host: Host | None, wanted: Mapping[str, StoragePool]) -> None:
        """Raise what stands against moving the instance to the host with its volumes (by id) to those pools."""
        self._migration.check(vm, host.id if host is not None else None)
        if not capabilities_of(self._store, vm.hypervisor).storage_motion:
            raise InvalidParameterValue(f"Migration with storage isn't supported on hypervisor {vm.hypervisor}")
        if self._foundation.table(VmSnapshot).count("vm_id", vm.id):
            raise InvalidParameterValue(f"VM {vm.name} has snapshots, which are in its disks: they cannot move along")
        own = {volume.id for volume in self._disks.of(vm)}
        for volume_id in wanted:
            if volume_id not in own:
                raise InvalidParameterValue(f"migrateto names volume {volume_id}, which is none of VM {vm.name}")
        if host is not None:
            self.plan(vm, host, wanted)

    def plan(self, vm: VirtualMachine, host: Host, wanted: Mapping[str, StoragePool]) -> dict[str, StoragePool]:
        """The pool that each volume (by id) moves to; those are missing that stay where they are."""
        if host.zone_id != vm.zone_id or host.hypervisor != vm.hypervisor:
            raise InvalidParameterValue(f"Host {host.name} is not one that VM {vm.name} can run on")
        planned: dict[str, StoragePool] = {}
        for volume in self._disks.of(vm):
            here = self._pools[volume.pool_id or ""]
            asked = wanted.get(volume.id)
            if asked is None and self._disks.reach.reaches(host, here):
                continue
            if asked is not None and asked.id == here.id:
                if not self._disks.reach.reaches(host, here):
                    raise InvalidParameterValue(f"Host {host.name} does not reach storage pool {here.name}")
                continue
            planned[volume.id] = self._pool(volume, host, asked)
        return planned

    def _pool(self, volume: Volume, host: Host, asked: StoragePool | None) -> StoragePool:
        traits = self._disks.traits(volume)
        if asked is None:
            local = traits.storage_type == "local"
            return self._disks.room.choose(host, volume.size, tags=traits.tags, local=local)
        if not self._disks.reach.reaches(host, asked):
            raise InvalidParameterValue(f"Host {host.name} does not reach storage pool {asked.name}")
        self._volume_migration.check_target(volume, asked)
        return asked

    def _choose(
        self, vm: VirtualMachine, wanted: Mapping[str, StoragePool]
    ) -> tuple[Host, dict[str, StoragePool]]:
        """The host that placement likes best of those to which the disks can go."""
        avoid, last = {vm.host_id or ""}, "no host has room"
        while True:
            try:
                host = self._hosts[self._starting.host_for(vm, avoid=avoid)]
            except InsufficientCapacity as error:
                raise InsufficientCapacity(f"VM {vm.name} can go nowhere with its volumes: {last}") from error
            try:
                return host, self.plan(vm, host, wanted)
            except CloudError as error:
                avoid.add(host.id)
                last = error.text

    # a stopped one's

    def check_stopped(self, vm: VirtualMachine, pool: StoragePool) -> None:
        """Raise what stands against the stopped instance's disks moving to the pool."""
        if vm.state != "Stopped":
            raise InvalidParameterValue(
                f"Unable to move the disks of VM {vm.name}: it is in state {vm.state}; storageid is for stopped ones"
            )
        if self._foundation.table(VmSnapshot).count("vm_id", vm.id):
            raise InvalidParameterValue(f"VM {vm.name} has snapshots, which are in its disks: they cannot move along")
        for volume in self._elsewhere(vm, pool):
            self._volume_migration.check(volume, pool)

    def _elsewhere(self, vm: VirtualMachine, pool: StoragePool) -> list[Volume]:
        return [v for v in self._disks.of(vm) if v.pool_id is not None and v.pool_id != pool.id]

    async def move_stopped(self, caller: Caller, vm_id: str, pool: StoragePool) -> VirtualMachine:
        """Move the stopped instance's disks to the pool; records VM.MIGRATE. One that fails stays, as do those after it."""
        vm = self._vms[vm_id]
        self.check_stopped(vm, pool)
        for volume in self._elsewhere(vm, pool):
            await self._volume_migration.migrate(volume.id, pool)
        self._foundation.events.record_of(
            vm, "VM.MIGRATE", f"Successfully moved the disks of VM {vm.name} to storage pool {pool.name}", caller
        )
        return self._vms[vm_id]

    # doing it

    async def migrate(
        self, caller: Caller | None, vm_id: str, host_id: str | None, wanted: Mapping[str, StoragePool]
    ) -> VirtualMachine:
        """Move the instance and its volumes; records VM.MIGRATE. When it fails, all is where it was."""
        vm = self._vms[vm_id]
        host = self._hosts.get(host_id)
        self.check(vm, host, wanted)
        if host is None:
            host, planned = self._choose(vm, wanted)
        else:
            planned = self.plan(vm, host, wanted)
            self._starting.host_for(vm, only={host.id})
        source_id = vm.host_id or ""
        state = next_state(vm.state, "MigrationRequested", vm.instance_name)
        with self._store.transaction():
            vm = self._vms.update(vm_id, state=state, migrating_to=host.id)
            for volume_id in planned:
                move(self._volumes, volume_id, "Migrating")
        made: list[DiskMove] = []
        try:
            for volume_id, pool in planned.items():
                made.append(await self._make(self._volumes[volume_id], pool, host))
            await self._move(vm, host, made)
        except OutcomeUnknown as error:
            arrived = await self._arrived(vm, source_id, host)
            if arrived is None:
                self._give_up(vm, source_id, host, error)
                raise
            if not arrived:
                await self._undo(vm, source_id, made)
                raise
        except BaseException:
            await self._undo(vm, source_id, made)
            raise
        return await self._settle(caller, vm, host, made)

    async def _make(self, volume: Volume, pool: StoragePool, host: Host) -> DiskMove:
        """An empty disk of the volume's size at the destination."""
        note = self._disks.note_file(volume, pool.id, volume.id)
        try:
            answer = await self._agents.send(
                host.id, CreateVolumeCommand(volume_id=volume.id, pool_id=pool.id, size=volume.size)
            )
            if not isinstance(answer, CreateVolumeAnswer) or not answer.ok:
                raise StorageFailed(answer.error or f"Volume {volume.name} was not made on {pool.name}")
        except (AgentUnavailable, StorageFailed):
            with self._store.transaction():
                self._volumes.delete(note.id)
            raise
        except OutcomeUnknown as error:
            with self._store.transaction():
                move(self._volumes, note.id, "Destroy")
            raise StorageFailed(f"Nobody knows whether volume {volume.name} was made on {pool.name}: {error.text}") from error
        return DiskMove(volume, pool, note, answer.path)

    async def _move(self, vm: VirtualMachine, host: Host, made: list[DiskMove]) -> None:
        moved = {each.volume.id: each for each in made}
        disks = []
        for volume in self._disks.of(vm):
            disk, each = self._disks.spec(volume), moved.get(volume.id)
            disks.append(disk if each is None else replace(disk, pool_id=each.pool.id, path=each.path))
        spec = self._starting.spec(vm, tuple(disks))
        answer = await self._agents.send(host.id, PrepareForMigrationCommand(vm=spec))
        if not answer.ok:
            raise HostRefused(answer.error or "")
        files = answer.files if isinstance(answer, PrepareForMigrationAnswer) else {}
        command = MigrateCommand(
            vm=vm.instance_name,
            destination=host.private_ip,
            with_storage=bool(made),
            files={volume_id: files[volume_id] for volume_id in moved if volume_id in files},
        )
        answer = await self._agents.send(vm.host_id or "", command)
        if not answer.ok:
            if not await self._migration.runs_on(vm.host_id or "", vm):
                raise OutcomeUnknown(answer.error or "")
            raise HostRefused(answer.error or "")

    async def _arrived(self, vm: VirtualMachine, source_id: str, host: Host) -> bool | None:
        """Where nobody answered: whether the instance is at the destination now, and nowhere else. Asks for a while.

        While it is on both hosts it is still on its way. None: it cannot be told.
        """
        for _ in range(round(ASK_FOR / ASK_AGAIN)):
            there, here = await self._is_on(host.id, vm), await self._is_on(source_id, vm)
            if there is not None and here is not None and there != here:
                return there
            await asyncio.sleep(ASK_AGAIN)
        return None

    async def _is_on(self, host_id: str, vm: VirtualMachine) -> bool | None:
        try:
            answer = await self._agents.send(host_id, VmStatesCommand())
        except ResourceUnavailable:
            return None
        if not isinstance(answer, VmStatesAnswer) or not answer.ok:
            return None
        return any(each.name == vm.instance_name for each in answer.vms)

    def _give_up(self, vm: VirtualMachine, source_id: str, host: Host, error: OutcomeUnknown) -> None:
        """Both files of its disks are kept: the rows that note the second ones stay as they are."""
        self._migration.settle(vm, "Unknown", source_id, host.id)
        for volume in self._disks.of(vm):
            settle(self._volumes, volume.id, "Migrating")
        log.error("nobody knows where instance %s and its disks are: %s", vm.instance_name, error.text)

    async def _undo(self, vm: VirtualMachine, source_id: str, made: list[DiskMove]) -> None:
        self._migration.settle(vm, "Running", source_id, None)
        for volume in self._disks.of(vm):
            settle(self._volumes, volume.id, "Migrating")
        for each in made:
            await self._remove(each.note)

    async def _settle(
        self, caller: Caller | None, vm: VirtualMachine, host: Host, made: list[DiskMove]
    ) -> VirtualMachine:
        old = []
        with self._store.transaction():
            for each in made:
                self._volumes.delete(each.note.id)
                old.append(self._disks.note_file(each.volume, each.volume.pool_id or "", each.volume.path or ""))
                move(self._volumes, each.volume.id, "Ready", pool_id=each.pool.id, path=each.path)
            vm = self._migration.settle(vm, "Running", host.id, None)
        self._foundation.events.record_of(
            vm, "VM.MIGRATE", f"Successfully completed migrating VM {vm.name} to host {host.name}", caller
        )
        for note in old:
            await self._remove(note)
        return self._vms[vm.id]

    async def _remove(self, note: Volume) -> None:
        """Remove the file that a row notes; when that cannot be done now, it is cleaned up later."""
        try:
            await self._disks.expunge(note)
        except CloudError as error:
            log.warning("the file %s, %s, stays for now: %s", note.path, note.name, error.text)
            if note.id in self._volumes:
                with self._store.transaction():
                    move(self._volumes, note.id, "Destroy")
