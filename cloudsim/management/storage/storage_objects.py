"""What lies on pools and in image stores, as their hosts find it, and volumes taken in from there or left there."""

from __future__ import annotations

from cloudsim.errors import InvalidParameterValue, StorageFailed
from cloudsim.management.compute.disk_traits import check_unencrypted
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.limits import Limits
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.operations.leftovers import remove_leftovers, remove_policies
from cloudsim.management.storage.disks import Disks
from cloudsim.management.storage.secondary_storage import SecondaryStorage
from cloudsim.management.storage.volume_states import check_at_rest
from cloudsim.model import (
    Account,
    DiskOffering,
    ImageStore,
    Snapshot,
    StoragePool,
    TemplateOnPool,
    Volume,
    Zone,
)
from cloudsim.protocol.commands import StorageObjectsAnswer, StorageObjectsCommand
from cloudsim.protocol.specs import StorageObject


class StorageObjects:
    """Lists files, and takes volumes in."""

    def __init__(
        self, foundation: Foundation, agents: Agents, disks: Disks, secondary: SecondaryStorage, limits: Limits
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._disks = disks
        self._secondary = secondary
        self._limits = limits
        self._volumes = foundation.table(Volume)
        self._on_pool = foundation.table(TemplateOnPool)
        self._randomness = foundation.randomness.branch("storage objects")

    # files

    async def on_store(self, store: ImageStore, path: str = "") -> tuple[StorageObject, ...]:
        """What is in a folder of the image store, as a host of its zone sees it."""
        zone_id = store.zone_id or next((zone.id for zone in self._foundation.table(Zone)), "")
        host = self._secondary.host_for(zone_id)
        return await self._ask(host.id, StorageObjectsCommand(store_url=store.url, path=path))

    async def on_pool(
        self, pool: StoragePool, path: str = "", *, describe: bool = False
    ) -> tuple[StorageObject, ...]:
        """What is in a folder of the pool, as a host that reaches it sees it."""
        host = self._disks.reach.host_for(pool)
        return await self._ask(host.id, StorageObjectsCommand(pool_id=pool.id, path=path, describe=describe))

    async def _ask(self, host_id: str, command: StorageObjectsCommand) -> tuple[StorageObject, ...]:
        answer = await self._agents.send(host_id, command)
        if not isinstance(answer, StorageObjectsAnswer) or not answer.ok:
            raise StorageFailed(answer.error or "The files could not be listed")
        return answer.objects

    # taking volumes in

    async def importable(self, pool: StoragePool, path: str = "") -> list[StorageObject]:
        """The files on the pool that could become volumes: disks that nothing of the cloud is."""
        self._check_pool(pool)
        known = self._known(pool)
        found = await self.on_pool(pool, path, describe=True)
        return [each for each in found if self._why_not(each, known) is None]

    def _known(self, pool: StoragePool) -> set[str]:
        volumes = self._volumes.where("pool_id", pool.id)
        copies = self._on_pool.where("pool_id", pool.id)
        return {volume.path or volume.id for volume in volumes} | {copy.path for copy in copies}

    def _why_not(self, file: StorageObject, known: set[str]) -> str | None:
        """What stands against taking the file for a volume."""
        if file.directory:
            return "it is a folder"
        if file.name in known or file.name.startswith("template-"):
            return "it is a volume or a template of the cloud already"
        if file.format != "qcow2" or file.virtual_size is None:
            return f"its format is {file.format}, not qcow2"
        if file.encrypted:
            return "it is encrypted"
        if file.backing is not None:
            return f"it is a clone of {file.backing}"
        if file.user is not None:
            return f"it is in use by {file.user}"
        return None

    def _check_pool(self, pool: StoragePool) -> None:
        if pool.state != "Up":
            raise InvalidParameterValue(f"Storage pool {pool.name} is {pool.state}, not Up")

    def check_import(self, owner: Account, pool: StoragePool, path: str, offering: DiskOffering | None) -> None:
        """Raise what stands against taking the file in, as far as can be told without looking at it."""
        self._check_pool(pool)
        if not path.strip("/"):
            raise InvalidParameterValue("path must name a file on the storage pool")
        if path.strip("/") in self._known(pool):
            raise InvalidParameterValue(f"{path} on storage pool {pool.name} is a volume or a template of the cloud already")
        if offering is not None:
            self._check_offering(pool, offering)
        self._limits.check(owner, "volume", tags=() if offering is None else offering.tags)

    def _check_offering(self, pool: StoragePool, offering: DiskOffering) -> None:
        if offering.state != "Active":
            raise InvalidParameterValue(f"Disk offering {offering.name} is inactive")
        check_unencrypted(offering)
        if offering.zone_ids and pool.zone_id not in offering.zone_ids:
            raise InvalidParameterValue(f"Disk offering {offering.name} is not offered in the zone of {pool.name}")
        if (offering.storage_type == "local") != (pool.scope == "HOST"):
            raise InvalidParameterValue(
                f"Disk offering {offering.name} is for {offering.storage_type} storage, and {pool.name} is not"
            )
        missing = sorted(set(offering.tags) - set(pool.tags))
        if missing:
            raise InvalidParameterValue(
                f"Disk offering {offering.name} wants tags that storage pool {pool.name} lacks: {', '.join(missing)}"
            )

    async def take_in(
        self, owner: Account, pool: StoragePool, path: str, name: str | None, offering: DiskOffering | None
    ) -> Volume:
        """Make a data disk of a file that lies on the pool; it stays where it is."""
        path = path.strip("/")
        self.check_import(owner, pool, path, offering)
        (file, *more) = await self.on_pool(pool, path, describe=True) or (StorageObject(path, directory=True),)
        why = "it is a folder" if more or file.name != path else self._why_not(file, self._known(pool))
        if why is not None:
            raise InvalidParameterValue(f"{path} on storage pool {pool.name} cannot be a volume: {why}")
        size = file.virtual_size or 0
        if offering is not None and not offering.customized and offering.size != size:
            raise InvalidParameterValue(
                f"Disk offering {offering.name} is for disks of {offering.size} bytes, and {path} has {size}"
            )
        tags = () if offering is None else offering.tags
        self._limits.check(owner, "volume", tags=tags)
        self._limits.check(owner, "primary_storage", size, tags=tags)
        volume_id = self._randomness.uuid()
        with self._store.transaction():
            return self._volumes.insert(
                Volume(
                    id=volume_id,
                    name=name or path.rpartition("/")[2],
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                    zone_id=pool.zone_id,
                    type="DATADISK",
                    size=size,
                    state="Ready",
                    pool_id=pool.id,
                    path=path,
                    disk_offering_id=None if offering is None else offering.id,
                    min_iops=None if offering is None else offering.min_iops,
                    max_iops=None if offering is None else offering.max_iops,
                    created=self._foundation.now(),
                )
            )

    # leaving volumes there

    def check_unmanage(self, volume: Volume) -> None:
        """Raise what stands against the cloud forgetting the volume."""
        check_at_rest(volume)
        if volume.state != "Ready" or volume.path is None:
            raise InvalidParameterValue(f"Volume {volume.name} is {volume.state}: it is on no storage pool to be left on")
        if volume.vm_id is not None:
            raise InvalidParameterValue(f"Volume {volume.name} is attached to an instance, and has to be detached")
        if volume.delete_protection:
            raise InvalidParameterValue(f"Volume {volume.name} has delete protection enabled")
        snapshots = self._foundation.table(Snapshot).where("volume_id", volume.id)
        if any(each.state not in ("BackedUp", "Error") for each in snapshots):
            raise InvalidParameterValue(f"A snapshot of volume {volume.name} is being made")

    def leave(self, volume: Volume) -> None:
        """Forget the volume; its file stays."""
        self.check_unmanage(volume)
        with self._store.transaction():
            remove_policies(self._foundation, volume.id)
            remove_leftovers(self._foundation, volume.id)
            self._volumes.delete(volume.id)
