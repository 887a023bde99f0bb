"""Disks of instances: rows when a deployment is accepted, files on a pool when they are first needed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec

from cloudsim.errors import ResourceUnavailable, StorageFailed
from cloudsim.management.compute.disk_traits import RATES, DiskTraits, traits_of
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents, AgentUnavailable
from cloudsim.management.operations.leftovers import remove_leftovers, remove_policies
from cloudsim.management.storage.pool_reach import PoolReach
from cloudsim.management.storage.pool_room import PoolRoom
from cloudsim.management.storage.pool_templates import PoolTemplates
from cloudsim.management.storage.volume_states import move
from cloudsim.model import (
    DiskOffering,
    Host,
    ImageStore,
    ServiceOffering,
    Snapshot,
    StoragePool,
    Template,
    VirtualMachine,
    Volume,
    VolumeOnStore,
)
from cloudsim.protocol.commands import CreateVolumeAnswer, CreateVolumeCommand, DeleteVolumeCommand
from cloudsim.protocol.specs import DiskLimits, DiskSpec, ImageSpec

_SYSTEM_LOCAL = "system.vm.use.local.storage"
UNMADE = ("Allocated", "Uploaded")
"""States of volumes that are on no pool yet."""

_PLAIN = DiskTraits()


def _limits(traits: DiskTraits | DiskOffering, most_iops: int | None) -> DiskLimits | None:
    """What an instance may do with a disk of those traits; `most_iops` counts where they have no rates of their own."""
    read, write, reads, writes = (getattr(traits, rate) or 0 for rate in RATES)
    total = 0 if reads or writes else most_iops or traits.max_iops or 0
    bursts = (getattr(traits, f"{rate}{of}") or 0 for rate in RATES for of in ("_max", "_max_length"))
    found = DiskLimits(read, write, reads, writes, total, *bursts)
    return None if found == _UNLIMITED else found


_UNLIMITED = DiskLimits()


class Disks:
    """Makes, finds and removes the volumes of instances."""

    def __init__(self, foundation: Foundation, agents: Agents) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._volumes = foundation.table(Volume)
        self._pools = foundation.table(StoragePool)
        self._uploaded = foundation.table(VolumeOnStore)
        self._randomness = foundation.randomness.branch("disks")
        self._maker: dict[str, str] = {}
        """By volume, the host whose answer to its creation never came: it may still be at it."""
        self.on_placed: Callable[[Volume], Awaitable[None]] | None = None
        """Called once an uploaded volume that an instance starts with is on a pool."""
        self.backup_image: Callable[[Volume], ImageSpec] | None = None
        """Says what a volume that is to hold a disk of a backup is made of."""
        self.reach = PoolReach(foundation, agents)
        self.room = PoolRoom(foundation, self.reach)
        self.pool_templates = PoolTemplates(foundation, agents, self.reach, self._randomness)

    def recover(self) -> None:
        """After a restart: what was being made when the server died may or may not lie on its pool."""
        with self._store.transaction():
            for volume in self._volumes.where("state", "Creating"):
                self._volumes.update(volume.id, state=self.unmade(volume))
            self.pool_templates.recover()

    # rows

    def allocate_root(
        self,
        vm: VirtualMachine,
        template: Template,
        size: int | None,
        disk_offering_id: str | None = None,
        *,
        snapshot: Snapshot | None = None,
        min_iops: int | None = None,
        max_iops: int | None = None,
    ) -> Volume:
        """The instance's root disk, of `size` bytes or the template's. Needs an open transaction.

        With a snapshot it holds what that does; with an ISO it is an empty disk to install on, of a disk offering.
        """
        return self._volumes.insert(
            Volume(
                id=self._randomness.uuid(),
                name=f"ROOT-{vm.instance_name}",
                account_id=vm.account_id,
                domain_id=vm.domain_id,
                zone_id=vm.zone_id,
                type="ROOT",
                size=size or template.size,
                vm_id=vm.id,
                device_id=0,
                template_id=None if template.format == "ISO" else template.id,
                snapshot_id=None if snapshot is None else snapshot.id,
                disk_offering_id=disk_offering_id,
                service_offering_id=vm.service_offering_id,
                min_iops=min_iops,
                max_iops=max_iops,
                created=self._foundation.now(),
            )
        )

    def adopt_root(self, vm: VirtualMachine, volume: Volume) -> Volume:
        """Make a volume that is there the instance's root disk. Needs an open transaction."""
        return self._volumes.update(
            volume.id, type="ROOT", vm_id=vm.id, device_id=0, attached=self._foundation.now()
        )

    def release(self, volume_id: str) -> Volume:
        """Take the volume from its instance, which no host runs with it. Needs an open transaction."""
        return self._volumes.update(volume_id, vm_id=None, device_id=None, attached=None)

    def follow(self, vm: VirtualMachine) -> None:
        """Have root disks behave as the instance's service offering says now, from its next start on. Needs an open
        transaction.
        """
        for volume in self.of(vm):
            if volume.type == "ROOT" and volume.service_offering_id != vm.service_offering_id:
                self._volumes.update(volume.id, service_offering_id=vm.service_offering_id)

    def allocate_data(
        self,
        vm: VirtualMachine,
        offering: DiskOffering,
        size: int,
        device: int,
        name: str = "",
        *,
        min_iops: int | None = None,
        max_iops: int | None = None,
    ) -> Volume:
        """A data disk of `size` bytes for the instance. Needs an open transaction."""
        return self._volumes.insert(
            Volume(
                id=self._randomness.uuid(),
                name=name or f"DATA-{vm.instance_name}-{device}",
                account_id=vm.account_id,
                domain_id=vm.domain_id,
                zone_id=vm.zone_id,
                type="DATADISK",
                size=size,
                vm_id=vm.id,
                device_id=device,
                disk_offering_id=offering.id,
                provisioning_type=offering.provisioning_type,
                min_iops=min_iops,
                max_iops=max_iops,
                created=self._foundation.now(),
            )
        )

    def of(self, vm: VirtualMachine) -> list[Volume]:
        """The instance's volumes by device."""
        return sorted(self._volumes.where("vm_id", vm.id), key=lambda v: v.device_id or 0)

    def spec(self, volume: Volume) -> DiskSpec:
        """The volume as a host needs to know it. Only for one that is on a pool."""
        assert volume.pool_id is not None and volume.path is not None
        traits = self.traits(volume)
        return DiskSpec(
            volume.id,
            volume.pool_id,
            volume.path,
            volume.size,
            volume.type,
            volume.device_id or 0,
            limits=_limits(traits, volume.max_iops),
            cache=traits.cache_mode or "none",
        )

    def traits(self, volume: Volume) -> DiskTraits | DiskOffering:
        """How the volume behaves: as its disk offering says, or for a root disk without one its service offering."""
        offering = self._foundation.table(DiskOffering).get(volume.disk_offering_id)
        if offering is not None:
            return offering
        service = self._foundation.table(ServiceOffering).get(volume.service_offering_id)
        traits = _PLAIN if service is None else traits_of(service)
        vm = self._foundation.table(VirtualMachine).get(volume.vm_id)
        settings = self._foundation.settings
        if vm is not None and vm.type != "User" and settings.boolean(_SYSTEM_LOCAL, "Zone", volume.zone_id):
            return msgspec.structs.replace(traits, storage_type="local")
        return traits


    # files

    async def prepare(self, vm: VirtualMachine, host: Host) -> tuple[DiskSpec, ...]:
        """Bring all the instance's volumes into being where the host can use them."""
        specs = []
        for volume in self.of(vm):
            if volume.state in UNMADE:
                uploaded = volume.state == "Uploaded"
                volume = await self.place(volume, host)
                if uploaded and self.on_placed is not None:
                    await self.on_placed(volume)
            specs.append(self.spec(volume))
        return tuple(specs)

    async def place(self, volume: Volume, host: Host) -> Volume:
        """Create an Allocated or Uploaded volume on a pool that the host reaches; as it was when that fails.

        A volume that may lie on a pool because its creation was never answered keeps that pool's id: it is
        made there again (which finds it), or removed there first. That a later attempt fails says nothing of it.
        """
        traits = self.traits(volume)
        tags, local = traits.tags, traits.storage_type == "local"
        pool = self._pools.get(volume.pool_id)
        if pool is not None and not (pool.state == "Up" and self.reach.reaches(host, pool)):
            await self._remove_file(volume, host.id)
            pool = None
        perhaps_on = None if pool is None else pool.id
        if pool is None:
            pool = self.room.choose(host, volume.size, tags=tags, local=local, iops=volume.min_iops or 0)
        with self._store.transaction():
            self._volumes.update(volume.id, state="Creating", pool_id=pool.id)
        sent = False
        try:
            command = CreateVolumeCommand(
                volume_id=volume.id,
                pool_id=pool.id,
                size=volume.size,
                template_path=await self._template_path(volume, pool, host),
                image=self._image(volume),
                provisioning=traits.provisioning_type,
            )
            sent = True
            answer = await self._agents.send(host.id, command)
            if not isinstance(answer, CreateVolumeAnswer) or not answer.ok:
                sent = False
                raise StorageFailed(answer.error or f"Volume {volume.name} was not created")
        except AgentUnavailable:
            self._not_created(volume, perhaps_on)
            raise
        except BaseException:
            if sent:
                self._maker[volume.id] = host.id
            self._not_created(volume, pool.id if sent else perhaps_on)
            raise
        self._maker.pop(volume.id, None)
        with self._store.transaction():
            return self._volumes.update(
                volume.id, state="Ready", path=answer.path, size=answer.size, backup_id=None, backup_disk=None
            )

    def _not_created(self, volume: Volume, perhaps_on: str | None) -> None:
        if volume.id in self._volumes:
            with self._store.transaction():
                self._volumes.update(volume.id, state=self.unmade(volume), pool_id=perhaps_on)

    def unmade(self, volume: Volume) -> Literal["Allocated", "Uploaded"]:
        """The state of the volume while it is on no pool."""
        uploaded = self._uploaded.find("volume_id", volume.id)
        return "Uploaded" if uploaded is not None and uploaded.path else "Allocated"

    def _image(self, volume: Volume) -> ImageSpec | None:
        """What the volume is to hold: the backup's disk, the upload or the snapshot that it is made from."""
        if volume.backup_id is not None and self.backup_image is not None:
            return self.backup_image(volume)
        stores = self._foundation.table(ImageStore)
        uploaded = self._uploaded.find("volume_id", volume.id)
        if uploaded is not None:
            store = stores.get(uploaded.store_id)
            if store is None or not uploaded.path:
                raise ResourceUnavailable(f"What was uploaded for volume {volume.name} is gone")
            return ImageSpec(store.url, uploaded.path, uploaded.size, uploaded.format, uploaded.checksum)
        snapshot = self._foundation.table(Snapshot).get(volume.snapshot_id)
        if snapshot is None or snapshot.path is None:
            return None
        store = stores.get(snapshot.store_id)
        return ImageSpec(store.url if store is not None else "", snapshot.path, snapshot.size)

    async def _template_path(self, volume: Volume, pool: StoragePool, host: Host) -> str | None:
        if volume.type != "ROOT" or volume.template_id is None:
            return None
        if volume.snapshot_id is not None or volume.backup_id is not None:
            return None
        return await self.pool_templates.path(volume.template_id, pool, host)

    async def expunge(self, volume: Volume, prefer: str | None = None) -> None:
        """Remove the volume: its file, then its row. On failure both stay, the volume in Expunging."""
        if volume.pool_id is not None:
            with self._store.transaction():
                self._volumes.update(volume.id, state="Expunging")
            await self._remove_file(volume, prefer)
        if volume.id in self._volumes:
            with self._store.transaction():
                remove_leftovers(self._foundation, volume.id)
                self._volumes.delete(volume.id)

    def put_away(self, volume: Volume) -> Volume:
        """Destroy the volume: until it is cleaned up it can be recovered, and no policy snapshots it any more.

        Needs an open transaction. Raises InvalidParameterValue in a state in which that cannot be.
        """
        remove_policies(self._foundation, volume.id)
        return move(self._volumes, volume.id, "Destroy")

    async def discard(self, volume: Volume) -> Volume:
        """Remove what may lie on a pool of an Allocated volume, so that it is on none for certain."""
        await self._remove_file(volume, None)
        with self._store.transaction():
            return self._volumes.update(volume.id, pool_id=None)

    def note_file(self, volume: Volume, pool_id: str, path: str) -> Volume:
        """Note, before it is made or removed, a file that a moving volume has on a second pool.

        It is a volume in state Expunging, which a restart turns into one to be cleaned up (Destroy). Whoever noted it
        deletes it when the file is certainly not there, or is the volume's own now.
        """
        with self._store.transaction():
            return self._volumes.insert(
                msgspec.structs.replace(
                    volume,
                    id=self._randomness.uuid(),
                    name=f"left over by {volume.name}",
                    type="DATADISK",
                    state="Expunging",
                    pool_id=pool_id,
                    path=path,
                    vm_id=None,
                    device_id=None,
                    attached=None,
                    display=False,
                    delete_protection=False,
                )
            )

    async def _remove_file(self, volume: Volume, prefer: str | None) -> None:
        assert volume.pool_id is not None
        host = self._remover(volume, prefer)
        command = DeleteVolumeCommand(
            volume_id=volume.id, pool_id=volume.pool_id, path=volume.path or volume.id
        )
        answer = await self._agents.send(host.id, command)
        if not answer.ok:
            raise StorageFailed(answer.error or f"Volume {volume.name} was not deleted")
        self._maker.pop(volume.id, None)

    def _remover(self, volume: Volume, prefer: str | None) -> Host:
        """The host to remove a disk through. One that may still be making it must do so itself: it does commands
        in the order in which they come, so that nothing is made after the removal."""
        maker = self._foundation.table(Host).get(self._maker.get(volume.id))
        if maker is None:
            return self.reach.host_for(self._pools[volume.pool_id or ""], prefer)
        if not self._agents.is_connected(maker.id):
            raise ResourceUnavailable(f"Host {maker.name} may still be making volume {volume.name}")
        return maker
