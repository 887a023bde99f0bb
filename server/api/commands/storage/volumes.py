"""Volumes: made, attached, resized, removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.model import (
    Cluster,
    DiskOffering,
    Host,
    Pod,
    ServiceOffering,
    Snapshot,
    StoragePool,
    VirtualMachine,
    Volume,
    Zone,
)
from server.api.command import Call, Job, Listed, command
from server.api.commands.compute.deployment import custom_id
from server.api.commands.storage.volume_view import VolumeView
from server.api.listing import OnlyCount, Page, Tags, counted, listed
from server.api.ownership import Owner
from server.api.parameters import Long, Param, one_of
from server.api.scope import Scope, asks_itself, of_users

GROUP = "Volume"


def queue_of(volume: Volume) -> str:
    """What jobs on a volume wait for: its instance, or itself."""
    return volume.vm_id or volume.id


@command("createVolume", view=VolumeView, job=True, creates=Volume, event="VOLUME.CREATE", group=GROUP)
async def create_volume(
    call: Call,
    *,
    owner: Owner,
    name: Annotated[str | None, Param("what it is called; one is made up if left out")] = None,
    zoneid: Annotated[Zone | None, Param("where; not needed with snapshotid")] = None,
    diskofferingid: Annotated[DiskOffering | None, Param("what kind of disk; this or snapshotid")] = None,
    snapshotid: Annotated[
        Snapshot | None, Param("the snapshot whose content it gets", access="operate")
    ] = None,
    size: Annotated[Long | None, Param("GiB, for an offering that leaves the size open")] = None,
    miniops: Long | None = None,
    maxiops: Long | None = None,
    displayvolume: bool | None = None,
    virtualmachineid: Annotated[
        VirtualMachine | None, Param("the instance to attach it to", access="operate")
    ] = None,
    customid: Annotated[str | None, Param("the UUID that it gets; root admins only", since="4.4")] = None,
) -> Job:
    """Creates a data disk from a disk offering or a snapshot."""
    manager = call.manager
    volume = manager.volumes.allocate(
        owner,
        name,
        zone=zoneid,
        offering=diskofferingid,
        snapshot=snapshotid,
        size_gib=size,
        min_iops=miniops,
        max_iops=maxiops,
        display=displayvolume is not False,
        id=custom_id(call, customid),
    )

    async def work() -> Volume:
        made: Volume = await manager.volumes.create(volume.id)
        if virtualmachineid is not None:
            made = await manager.volume_attachment.attach(volume.id, virtualmachineid.id)
        return made

    return Job(work, volume, queue=None if virtualmachineid is None else virtualmachineid.id)


@command("listVolumes", view=VolumeView, group=GROUP)
async def list_volumes(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: Volume | None = None,
    ids: Sequence[Volume] | None = None,
    name: str | None = None,
    type: Annotated[str | None, one_of("ROOT", "DATADISK")] = None,
    state: str | None = None,
    zoneid: Zone | None = None,
    podid: Pod | None = None,
    clusterid: Cluster | None = None,
    hostid: Annotated[Host | None, Param("volumes of instances on that host")] = None,
    storageid: Annotated[StoragePool | None, Param("volumes on that primary storage", type="string")] = None,
    virtualmachineid: VirtualMachine | None = None,
    diskofferingid: DiskOffering | None = None,
    serviceofferingid: ServiceOffering | None = None,
    displayvolume: bool | None = None,
    isencrypted: Annotated[bool | None, Param("none is")] = None,
    listsystemvms: Annotated[bool, Param("also those of system VMs, for root admins")] = False,
    retrieveonlyresourcecount: OnlyCount = False,
    tags: Tags | None = None,
) -> Listed:
    """Lists volumes."""
    pools, vms = call.store.table(StoragePool), call.store.table(VirtualMachine)
    if listsystemvms and not call.caller.is_root_admin:
        raise PermissionDenied("Only root admins are shown the volumes of system VMs")
    if isencrypted:
        return Listed([], 0)

    own = asks_itself(call) and not listsystemvms

    def keep(volume: Volume) -> bool:
        if own and (vm := vms.get(volume.vm_id)) is not None and vm.type != "User":
            return False
        if state is not None and volume.state.lower() != state.lower():
            return False
        if not volume.display and not call.caller.is_admin:
            return False
        if podid is not None or clusterid is not None:
            pool = pools.get(volume.pool_id)
            if pool is None or (podid is not None and pool.pod_id != podid.id):
                return False
            if clusterid is not None and pool.cluster_id != clusterid.id:
                return False
        if hostid is not None:
            vm = vms.get(volume.vm_id)
            return vm is not None and vm.host_id == hostid.id
        return True

    found = listed(
        call,
        Volume,
        page=page,
        scope=scope if listsystemvms else of_users(call, scope),
        ids=None if id is None and ids is None else [*([id] if id else []), *(ids or [])],
        equal={
            "name": name,
            "type": type.upper() if type else None,
            "zone_id": zoneid and zoneid.id,
            "pool_id": storageid and storageid.id,
            "vm_id": virtualmachineid and virtualmachineid.id,
            "disk_offering_id": diskofferingid and diskofferingid.id,
            "service_offering_id": serviceofferingid and serviceofferingid.id,
            "display": displayvolume,
        },
        keep=keep,
        tags=tags,
    )
    return counted(found, retrieveonlyresourcecount)


@command("attachVolume", view=VolumeView, job=True, event="VOLUME.ATTACH", group=GROUP)
async def attach_volume(
    call: Call,
    *,
    id: Volume,
    virtualmachineid: Annotated[VirtualMachine, Param("the instance that gets it", access="operate")],
    deviceid: Annotated[Long | None, Param("the slot it takes; the first free one if left out")] = None,
) -> Job:
    """Attaches a volume to an instance."""
    attachment = call.manager.volume_attachment
    return Job(lambda: attachment.attach(id.id, virtualmachineid.id, deviceid), id, queue=virtualmachineid.id)


@command("detachVolume", view=VolumeView, job=True, event="VOLUME.DETACH", group=GROUP)
async def detach_volume(
    call: Call,
    *,
    id: Volume | None = None,
    deviceid: Annotated[Long | None, Param("with virtualmachineid: the slot of the volume")] = None,
    virtualmachineid: Annotated[VirtualMachine | None, Param(access="operate")] = None,
) -> Job:
    """Detaches a volume from its instance."""
    attachment = call.manager.volume_attachment
    if (id is None) == (deviceid is None or virtualmachineid is None):
        raise InvalidParameterValue(
            "Invalid parameters: either id, or deviceid and virtualmachineid, must be given"
        )
    if id is None:
        assert virtualmachineid is not None and deviceid is not None
        id = attachment.at_device(virtualmachineid, deviceid)
    volume = id
    return Job(lambda: attachment.detach(volume.id), volume, queue=queue_of(volume))


@command("resizeVolume", view=VolumeView, job=True, event="VOLUME.RESIZE", group=GROUP)
async def resize_volume(
    call: Call,
    *,
    id: Volume,
    size: Annotated[Long | None, Param("GiB")] = None,
    diskofferingid: Annotated[DiskOffering | None, Param("another disk offering")] = None,
    shrinkok: Annotated[bool, Param("whether it may become smaller")] = False,
    miniops: Long | None = None,
    maxiops: Long | None = None,
    automigrate: Annotated[bool, Param("whether it may be moved to a pool that suits the offering", since="4.17")] = False,
) -> Job:
    """Gives a volume another size, or another disk offering."""
    return _with_offering(call, id, diskofferingid, size, miniops, maxiops, automigrate, shrinkok)


def _with_offering(
    call: Call,
    volume: Volume,
    offering: DiskOffering | None,
    size: int | None,
    min_iops: int | None,
    max_iops: int | None,
    auto_migrate: bool,
    shrink_ok: bool,
) -> Job:
    offerings = call.manager.volume_offerings
    offerings.check(
        volume, offering, size_gib=size, min_iops=min_iops, max_iops=max_iops, auto_migrate=auto_migrate
    )
    return Job(
        lambda: offerings.change(
            volume.id,
            offering,
            size_gib=size,
            min_iops=min_iops,
            max_iops=max_iops,
            auto_migrate=auto_migrate,
            shrink_ok=shrink_ok,
        ),
        volume,
        queue=queue_of(volume),
    )


@command(
    "changeOfferingForVolume", view=VolumeView, job=True, event="VOLUME.CHANGE.DISK.OFFERING", since="4.17", group=GROUP
)
async def change_offering_for_volume(
    call: Call,
    *,
    id: Volume,
    diskofferingid: DiskOffering,
    size: Annotated[Long | None, Param("GiB, for an offering that leaves the size open")] = None,
    miniops: Long | None = None,
    maxiops: Long | None = None,
    automigrate: Annotated[bool, Param("whether it may be moved to a pool that suits the offering")] = False,
    shrinkok: Annotated[bool, Param("whether it may become smaller")] = False,
) -> Job:
    """Gives a volume another disk offering."""
    return _with_offering(call, id, diskofferingid, size, miniops, maxiops, automigrate, shrinkok)


@command("migrateVolume", view=VolumeView, job=True, event="VOLUME.MIGRATE", since="3.0.0", group=GROUP)
async def migrate_volume(
    call: Call,
    *,
    volumeid: Annotated[Volume, Param(access="operate")],
    storageid: Annotated[StoragePool, Param("the primary storage to move it to")],
    newdiskofferingid: Annotated[
        DiskOffering | None, Param("the disk offering that it has there", since="4.10")
    ] = None,
) -> Job:
    """Moves a volume that no running instance uses to another primary storage."""
    migration = call.manager.volume_migration
    migration.check(volumeid, storageid)
    if newdiskofferingid is not None:
        call.manager.volume_offerings.check_on(volumeid, storageid, newdiskofferingid)

    async def work() -> Volume:
        moved: Volume = await migration.migrate(volumeid.id, storageid)
        if newdiskofferingid is not None:
            moved = call.manager.volume_offerings.rename(moved, newdiskofferingid)
        return moved

    return Job(work, volumeid, queue=queue_of(volumeid))


@command("updateVolume", view=VolumeView, job=True, event="VOLUME.UPDATE", group=GROUP)
async def update_volume(
    call: Call,
    *,
    id: Volume | None = None,
    name: str | None = None,
    displayvolume: bool | None = None,
    deleteprotection: Annotated[bool | None, Param("whether deleting it is refused")] = None,
) -> Job:
    """Changes a volume's name, or whether it can be seen or deleted."""
    if id is None:
        raise InvalidParameterValue("id must be given")
    volume = id

    async def work() -> Volume:
        changed: Volume = call.manager.volumes.update(
            volume, name=name, display=displayvolume, delete_protection=deleteprotection
        )
        return changed

    return Job(work, volume)


@command("deleteVolume", event="VOLUME.DELETE", group=GROUP)
async def delete_volume(call: Call, *, id: Volume) -> None:
    """Deletes a volume that is not attached."""
    await call.manager.volumes.delete(id)


@command("destroyVolume", view=VolumeView, job=True, event="VOLUME.DESTROY", since="4.14.0", group=GROUP)
async def destroy_volume(
    call: Call,
    *,
    id: Volume,
    expunge: Annotated[bool, Param("whether it goes at once, not to be recovered")] = False,
) -> Job:
    """Destroys a volume, which can be recovered for a while."""
    if expunge:
        _check_may_expunge(call)
    return Job(lambda: call.manager.volumes.destroy(id.id, expunge=expunge), id)


def _check_may_expunge(call: Call) -> None:
    setting = "allow.user.expunge.recover.volume"
    if not call.caller.is_admin and not call.manager.settings.boolean(setting, "Account", call.caller.account.id):
        raise PermissionDenied(f"Expunging and recovering a volume is the admins' where {setting} is false")


@command("recoverVolume", view=VolumeView, event="VOLUME.RECOVER", since="4.14.0", group=GROUP)
async def recover_volume(call: Call, *, id: Volume) -> Volume:
    """Takes a destroyed volume back."""
    _check_may_expunge(call)
    recovered: Volume = call.manager.volumes.recover(id)
    return recovered
