"""Volumes by themselves: made, changed, resized and removed. What ties them to instances is `volume_attachment`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from itertools import islice

from cloudsim.errors import (
    CloudError,
    InsufficientCapacity,
    InvalidParameterValue,
    ResourceInUse,
    ResourceUnavailable,
    StorageFailed,
)
from cloudsim.management.compute.disk_traits import check_unencrypted
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.limits import Limits
from cloudsim.management.identity.tagged_counts import volume_tags
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.operations.leftovers import remove_policies
from cloudsim.management.storage.disks import Disks
from cloudsim.management.storage.volume_sizes import bytes_of, custom_bytes_of, size_of
from cloudsim.management.storage.volume_states import check_at_rest, move, settle
from cloudsim.model import (
    Account,
    DiskOffering,
    Host,
    Snapshot,
    StoragePool,
    Template,
    VirtualMachine,
    Volume,
    Zone,
)
from cloudsim.model.identity import ROOT_ADMIN
from cloudsim.protocol.commands import ResizeVolumeAnswer, ResizeVolumeCommand

log = logging.getLogger(__name__)


_NOTHING_IN_IT = ("NotUploaded", "UploadError", "UploadAbandoned")
"""States of volumes that are not worth to be recovered."""


async def _nothing(volume: Volume) -> None:
    pass


class Volumes:
    """Data disks that users make, and the resizing and removal of any disk."""

    def __init__(self, foundation: Foundation, agents: Agents, disks: Disks, limits: Limits) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._disks = disks
        self._limits = limits
        self._table = foundation.table(Volume)
        self._pools = foundation.table(StoragePool)
        self._vms = foundation.table(VirtualMachine)
        self._offerings = foundation.table(DiskOffering)
        self._randomness = foundation.randomness.branch("volumes")
        self._destroyed: set[str] = set()
        self.on_removed: Callable[[Volume], Awaitable[None]] = _nothing
        """Called once a volume is gone, with what it was."""

    # making

    def allocate(
        self,
        owner: Account,
        name: str | None,
        *,
        zone: Zone | None = None,
        offering: DiskOffering | None = None,
        snapshot: Snapshot | None = None,
        size_gib: int | None = None,
        min_iops: int | None = None,
        max_iops: int | None = None,
        display: bool = True,
        id: str | None = None,
    ) -> Volume:
        """A new data disk, Allocated: from an offering (with `size_gib` where it is customized), or a snapshot.

        `id` is one that no volume may have yet.
        """
        if id is not None and id in self._table:
            raise InvalidParameterValue(f"customid {id} is the id of a volume already")
        zone_id, size = self._zone_and_size(owner, zone, offering, snapshot, size_gib)
        if offering is not None:
            if not offering.customized_iops and (min_iops is not None or max_iops is not None):
                raise InvalidParameterValue(
                    f"Disk offering {offering.name} does not take miniops and maxiops"
                )
            if not offering.customized_iops:
                min_iops, max_iops = offering.min_iops, offering.max_iops
        if min_iops is not None and max_iops is not None and min_iops > max_iops:
            raise InvalidParameterValue(
                f"The Min IOPS must be less than or equal to the Max IOPS: they are {min_iops} and {max_iops}"
            )
        tags = offering.tags if offering is not None else ()
        self._limits.check(owner, "volume", tags=tags)
        self._limits.check(owner, "primary_storage", size, tags=tags)
        volume_id = id or self._randomness.uuid()
        with self._store.transaction():
            return self._table.insert(
                Volume(
                    id=volume_id,
                    name=name or f"DATA-{volume_id}",
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                    zone_id=zone_id,
                    type="DATADISK",
                    size=size,
                    snapshot_id=None if snapshot is None else snapshot.id,
                    template_id=None if snapshot is None else snapshot.template_id,
                    disk_offering_id=None if offering is None else offering.id,
                    provisioning_type="thin" if offering is None else offering.provisioning_type,
                    min_iops=min_iops,
                    max_iops=max_iops,
                    display=display,
                    created=self._foundation.now(),
                )
            )

    def _zone_and_size(
        self,
        owner: Account,
        zone: Zone | None,
        offering: DiskOffering | None,
        snapshot: Snapshot | None,
        size_gib: int | None,
    ) -> tuple[str, int]:
        if snapshot is not None:
            if snapshot.state != "BackedUp":
                raise InvalidParameterValue(
                    f"Snapshot id={snapshot.id} is not in BackedUp state yet and can't be used for volume creation"
                )
            if zone is not None and zone.id != snapshot.zone_id:
                raise InvalidParameterValue(f"Snapshot {snapshot.name} is not in zone {zone.name}")
            size = snapshot.size if size_gib is None else bytes_of(size_gib, self._foundation.settings)
            if size < snapshot.size:
                raise InvalidParameterValue(
                    f"Invalid size for volume creation: {size_gib}GB, snapshot size is: {snapshot.size} bytes"
                )
            if offering is not None:
                self._check_offering(owner, offering)
            return snapshot.zone_id, size
        if offering is None:
            raise InvalidParameterValue(
                "Missing parameter(s), either a disk offering or a snapshot must be given"
            )
        if zone is None:
            raise InvalidParameterValue("Missing parameter, zone must be specified")
        if zone.allocation_state == "Disabled" and owner.type != ROOT_ADMIN:
            raise InvalidParameterValue(
                f"Cannot perform this operation, Zone: {zone.name} is currently disabled"
            )
        self._check_offering(owner, offering)
        if offering.zone_ids and zone.id not in offering.zone_ids:
            raise InvalidParameterValue(f"Disk offering {offering.name} is not offered in zone {zone.name}")
        return zone.id, size_of(offering, size_gib, self._foundation.settings)

    def _check_offering(self, owner: Account, offering: DiskOffering) -> None:
        if offering.state != "Active":
            raise InvalidParameterValue(f"Please specify a valid disk offering: {offering.name} is gone")
        check_unencrypted(offering)

    async def create(self, volume_id: str) -> Volume:
        """Finish what `allocate` began: a volume of a snapshot gets its content now, another when attached.

        When that fails the volume is gone; one that may have been made all the same is in state Destroy, to be
        cleaned up.
        """
        volume = self._table[volume_id]
        if volume.snapshot_id is None:
            return volume
        failure: CloudError = ResourceUnavailable("No host that is up reaches a storage pool of the zone")
        for host in self._hosts_near_pools(volume.zone_id):
            try:
                return await self._disks.place(volume, host)
            except InsufficientCapacity as error:
                failure = error
            except CloudError as error:
                failure = error
                break
        left = self._table.get(volume_id)
        if left is not None:
            with self._store.transaction():
                if left.pool_id is None:
                    self._table.delete(volume_id)
                else:
                    move(self._table, volume_id, "Destroy")
        raise failure

    def _hosts_near_pools(self, zone_id: str) -> Iterator[Host]:
        """A host that is up beside each pool of the zone, for a disk that no instance has yet."""
        for pool in self._pools.where("zone_id", zone_id):
            if pool.state == "Up":
                yield from islice(self._disks.reach.hosts_reaching(pool), 1)

    # changing

    def update(
        self,
        volume: Volume,
        *,
        name: str | None = None,
        display: bool | None = None,
        delete_protection: bool | None = None,
    ) -> Volume:
        """Change what is not None."""
        if name is not None and not name.strip():
            raise InvalidParameterValue("A volume needs a name")
        asked = {"name": name, "display": display, "delete_protection": delete_protection}
        with self._store.transaction():
            return self._table.update(
                volume.id, **{field: value for field, value in asked.items() if value is not None}
            )

    async def resize(
        self,
        volume_id: str,
        *,
        size_gib: int | None = None,
        offering: DiskOffering | None = None,
        shrink_ok: bool = False,
        min_iops: int | None = None,
        max_iops: int | None = None,
    ) -> Volume:
        """Give the volume another size, or another offering and its size; Ready with its old size when that fails."""
        volume = self._table[volume_id]
        size = self._new_size(volume, size_gib, offering, shrink_ok)
        vm = self._vms.get(volume.vm_id)
        if vm is not None and vm.state not in ("Running", "Stopped"):
            raise InvalidParameterValue(
                f"Volume {volume.name} is attached to {vm.name}, which must be Running or Stopped "
                f"to resize it and is {vm.state}"
            )
        self.check_limits(volume, size, offering)
        chosen: dict[str, object] = {}
        if offering is not None:
            chosen["disk_offering_id"] = offering.id
        if min_iops is not None:
            chosen["min_iops"] = min_iops
        if max_iops is not None:
            chosen["max_iops"] = max_iops
        if volume.path is None and volume.pool_id is not None:
            volume = await self._disks.discard(volume)
        if volume.pool_id is None or size == volume.size:
            with self._store.transaction():
                return self._table.update(volume_id, size=size, **chosen)
        self._check_room(volume, size)
        running = vm is not None and vm.state == "Running"
        host = self._disks.reach.host_for(self._pools[volume.pool_id], vm.host_id if vm is not None else None)
        disk = self._disks.spec(volume)
        with self._store.transaction():
            move(self._table, volume_id, "Resizing", size=max(size, volume.size))
        try:
            command = ResizeVolumeCommand(
                disk=disk, size=size, vm=vm.instance_name if vm is not None and running else None
            )
            answer = await self._agents.send(host.id, command)
            if not isinstance(answer, ResizeVolumeAnswer) or not answer.ok:
                raise StorageFailed(answer.error or f"Volume {volume.name} was not resized")
        except BaseException:
            settle(self._table, volume_id, "Resizing", size=volume.size)
            raise
        with self._store.transaction():
            return move(self._table, volume_id, "Ready", size=answer.size or size, **chosen)

    def check_limits(self, volume: Volume, size: int, offering: DiskOffering | None) -> None:
        """Raise ResourceAllocationFailed unless the volume's owner may have it of that size and that offering, None: its own."""
        owner = self._foundation.table(Account)[volume.account_id]
        had = volume_tags(self._store, volume)
        tags = had if offering is None else offering.tags
        self._limits.check_growth(owner, "volume", 1, 1, had=had, tags=tags)
        self._limits.check_growth(owner, "primary_storage", volume.size, size, had=had, tags=tags)

    def _new_size(
        self, volume: Volume, size_gib: int | None, offering: DiskOffering | None, shrink_ok: bool
    ) -> int:
        check_at_rest(volume)
        if volume.state not in ("Allocated", "Ready"):
            raise InvalidParameterValue(
                f"Volume should be in ready or allocated state before attempting a resize. Volume {volume.id} "
                f"is in state {volume.state}."
            )
        if offering is None and size_gib is None:
            raise InvalidParameterValue("Either size or diskofferingid must be given")
        if offering is not None:
            if offering.state != "Active":
                raise InvalidParameterValue(f"Please specify a valid disk offering: {offering.name} is gone")
            check_unencrypted(offering)
            asked = bool(offering.size) or size_gib is not None
            size = size_of(offering, size_gib, self._foundation.settings) if asked else volume.size
        else:
            assert size_gib is not None
            current = self._offerings.get(volume.disk_offering_id)
            if volume.type == "DATADISK" and current is not None and not current.customized:
                raise InvalidParameterValue(
                    f"To change a volume's size without providing a new disk offering, its current disk offering "
                    f"must be customizable; {current.name} is not"
                )
            if current is not None and current.disk_size_strictness:
                raise InvalidParameterValue(f"Disk offering {current.name} does not allow a change of size")
            custom = current is not None and current.customized
            size = (custom_bytes_of if custom else bytes_of)(size_gib, self._foundation.settings)
        if size < volume.size:
            if volume.type == "ROOT" and not self._root_may_shrink(volume, size):
                raise InvalidParameterValue("A root volume that was made can only grow, and none is smaller than its template")
            if not shrink_ok:
                raise InvalidParameterValue(
                    f"Going from existing size of {volume.size} to size of {size} would shrink the volume."
                    "Need to sign off by supplying the shrinkok parameter with value of true."
                )
        return size

    def _root_may_shrink(self, volume: Volume, size: int) -> bool:
        """Whether nothing is lost by it: the disk is not made yet, and what it is to hold fits."""
        if volume.path is not None or volume.snapshot_id is not None:
            return False
        template = self._foundation.table(Template).get(volume.template_id)
        return template is None or size >= template.size

    def _check_room(self, volume: Volume, size: int) -> None:
        pool = self._pools[volume.pool_id or ""]
        factor = self._foundation.settings.number("storage.overprovisioning.factor", "StoragePool", pool.id)
        if (
            size > volume.size
            and self._disks.room.promised.get(pool.id, 0) + size - volume.size > pool.capacity * factor
        ):
            raise ResourceUnavailable(
                f"Storage pool {pool.name} has no room for {size - volume.size} bytes more"
            )

    # removing

    def check_removable(self, volume: Volume, *, protected: bool = True) -> None:
        """Raise what stands against the removal of a volume; `protected` heeds its delete protection."""
        if volume.delete_protection and protected:
            raise InvalidParameterValue(
                f"Volume [id = {volume.id}, name = {volume.name}] has delete protection enabled and cannot be deleted."
            )
        if volume.vm_id is not None:
            raise InvalidParameterValue("Please specify a volume that is not attached to any VM.")
        snapshots = self._foundation.table(Snapshot).where("volume_id", volume.id)
        if any(s.state in ("Allocated", "Creating", "CreatedOnPrimary", "BackingUp") for s in snapshots):
            raise ResourceInUse(
                f"Volume {volume.name} cannot be removed while a snapshot of it is being made"
            )
        check_at_rest(volume)

    async def delete(self, volume: Volume, *, protected: bool = True) -> None:
        """Remove the volume for good. When its file cannot be removed now it stays, in state Destroy."""
        self.check_removable(volume, protected=protected)
        with self._store.transaction():
            remove_policies(self._foundation, volume.id)
        try:
            await self._disks.expunge(volume)
        except CloudError:
            if volume.id in self._table and self._table[volume.id].state == "Expunging":
                with self._store.transaction():
                    move(self._table, volume.id, "Destroy")
            raise
        await self.on_removed(volume)

    async def destroy(self, volume_id: str, *, expunge: bool = False) -> Volume:
        """Put the volume away: in state Destroy until it is recovered or cleaned up. `expunge`: remove it now."""
        volume = self._table[volume_id]
        if expunge or volume.state in _NOTHING_IN_IT:
            await self.delete(volume)
            return volume
        self.check_removable(volume)
        if volume.state == "Destroy":
            return volume
        with self._store.transaction():
            return self._disks.put_away(volume)

    def recover(self, volume: Volume) -> Volume:
        """Take a destroyed volume back."""
        if volume.state != "Destroy":
            raise InvalidParameterValue(
                f"Please specify a volume in Destroy state; {volume.name} is {volume.state}"
            )
        owner = self._foundation.table(Account)[volume.account_id]
        tags = volume_tags(self._store, volume)
        self._limits.check(owner, "volume", tags=tags)
        self._limits.check(owner, "primary_storage", volume.size, tags=tags)
        with self._store.transaction():
            return move(self._table, volume.id, self._disks.unmade(volume) if volume.path is None else "Ready")

    def settle_after_restart(self) -> None:
        """What was at work on volumes when the server died is over: they are Ready, or to be removed again.

        A volume that was being attached belongs to its instance, which is right whatever its host did.
        """
        with self._store.transaction():
            for state in ("Attaching", "Resizing", "Snapshotting", "RevertSnapshotting", "Migrating"):
                for volume in self._table.where("state", state):
                    self._table.update(volume.id, state="Ready")
            for volume in self._table.where("state", "Expunging"):
                if volume.vm_id is None:
                    self._table.update(volume.id, state="Destroy")

    async def expunge_destroyed(self) -> int:
        """Remove for good the volumes that were destroyed before the last round; returns how many.

        To be called every storage.cleanup.interval.
        """
        destroyed = {v.id for v in self._table.where("state", "Destroy") if v.vm_id is None}
        due, self._destroyed = destroyed & self._destroyed, destroyed
        removed = 0
        for volume_id in sorted(due):
            volume = self._table.get(volume_id)
            if volume is None or volume.state != "Destroy":
                continue
            try:
                await self.delete(volume)
                removed += 1
            except CloudError as error:
                log.warning("volume %s is kept for now: %s", volume.name, error.text)
        return removed
