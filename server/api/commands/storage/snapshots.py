"""Snapshots of volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.storage.snapshots import INTERVAL_NAMES
from cloudsim.model import (
    GuestOs,
    ImageStore,
    Snapshot,
    SnapshotPolicy,
    StoragePool,
    VmSnapshot,
    Volume,
    Zone,
)
from server.api.command import Call, Job, Listed, command
from server.api.commands.storage.volumes import queue_of
from server.api.listing import Page, Tags, listed
from server.api.ownership import NamedAccount, check_named
from server.api.parameters import Param, one_of
from server.api.scope import Scope
from server.api.views import Date, Long, TagView, View, Wire, date, owner, tags

GROUP = "Snapshot"


_COPY_STATES = {"BackingUp": "Creating", "BackedUp": "Ready", "Destroying": "Destroying"}


class SnapshotView(View):
    """A volume's content at one time."""

    entity: ClassVar = Snapshot
    key: ClassVar = "snapshot"

    id: str | None = None
    name: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    snapshottype: Annotated[str | None, "MANUAL, or the interval of its policy"] = None
    intervaltype: str | None = None
    volumeid: str | None = None
    volumename: str | None = None
    volumetype: str | None = None
    volumestate: str | None = None
    created: Date | None = None
    locationtype: Annotated[str | None, "PRIMARY or SECONDARY"] = None
    state: Annotated[str | None, Wire("state")] = None
    status: str | None = None
    physicalsize: Annotated[Long | None, "bytes it takes in secondary storage"] = None
    virtualsize: Annotated[Long | None, "bytes of the volume it was taken of"] = None
    zoneid: str | None = None
    zonename: str | None = None
    revertable: Annotated[bool | None, "whether its volume can be put back to it"] = None
    ostypeid: str | None = None
    osdisplayname: str | None = None
    datastoreid: str | None = None
    datastorename: str | None = None
    datastoretype: str | None = None
    datastorestate: Annotated[str | None, "of its copy there: Ready, Creating or Destroying"] = None
    tags: list[TagView] | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: Snapshot, call: Call) -> Self:
        store = call.store
        volume = store.table(Volume).get(row.volume_id)
        zone = store.table(Zone).get(row.zone_id)
        guest_os = store.table(GuestOs).get(row.guest_os_id)
        kept_in = store.table(ImageStore).get(row.store_id) if call.caller.is_root_admin else None
        return cls(
            id=row.id,
            name=row.name,
            snapshottype=row.type,
            intervaltype=row.type,
            volumeid=row.volume_id,
            volumename=volume.name if volume else None,
            volumetype=row.volume_type,
            volumestate=volume.state if volume else None,
            created=date(row.created),
            locationtype=row.location_type,
            state=row.state,
            status=row.state,
            physicalsize=row.physical_size,
            virtualsize=row.size,
            zoneid=row.zone_id,
            zonename=zone.name if zone else None,
            revertable=row.state == "BackedUp" and volume is not None,
            ostypeid=guest_os.id if guest_os else None,
            osdisplayname=guest_os.description if guest_os else None,
            datastoreid=kept_in.id if kept_in else None,
            datastorename=kept_in.name if kept_in else None,
            datastoretype="Image" if kept_in else None,
            datastorestate=_COPY_STATES.get(row.state) if kept_in else None,
            tags=tags(call, row.id),
            **owner(call, row.account_id),
        )


@command(
    "createSnapshot", view=SnapshotView, job=True, creates=Snapshot, event="SNAPSHOT.CREATE", group=GROUP
)
async def create_snapshot(
    call: Call,
    *,
    volumeid: Annotated[Volume, Param("the volume to take it of", access="operate")],
    named: NamedAccount,
    name: str | None = None,
    policyid: Annotated[SnapshotPolicy | None, Param("the policy that it counts for")] = None,
    quiescevm: Annotated[
        bool, Param("whether the agent of a running guest brings its file systems to rest for the moment")
    ] = False,
    locationtype: Annotated[Literal["SECONDARY"] | None, Param("SECONDARY, which is where all are kept")] = None,
    tags: Mapping[str, str] | None = None,
) -> Job:
    """Takes a snapshot of a volume and backs it up to secondary storage."""
    snapshots = call.manager.snapshots
    check_named(named, volumeid.account_id, f"volume {volumeid.name}")
    with call.store.transaction():
        snapshot = snapshots.allocate(volumeid, name, policy=policyid)
        if tags:
            call.manager.tags.create(call.caller, "Snapshot", [snapshot], tags)
    return Job(lambda: snapshots.create(snapshot.id, quiesce=quiescevm), snapshot, queue=queue_of(volumeid))


@command(
    "createSnapshotFromVMSnapshot",
    view=SnapshotView,
    job=True,
    creates=Snapshot,
    event="SNAPSHOT.CREATE",
    since="4.10.0",
    group=GROUP,
)
async def create_snapshot_from_vm_snapshot(
    call: Call,
    *,
    volumeid: Annotated[Volume, Param("a volume of the instance", access="operate")],
    vmsnapshotid: Annotated[VmSnapshot, Param("the instance's snapshot", access="operate")],
    name: str | None = None,
) -> Job:
    """Backs up what a volume held when a snapshot of its instance was taken."""
    snapshots = call.manager.snapshots
    snapshots.check_inside(volumeid, vmsnapshotid)
    snapshot = snapshots.allocate(volumeid, name)
    return Job(lambda: snapshots.create(snapshot.id, vmsnapshotid), snapshot, queue=queue_of(volumeid))


@command("listSnapshots", view=SnapshotView, group=GROUP)
async def list_snapshots(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: Snapshot | None = None,
    ids: Sequence[Snapshot] | None = None,
    name: str | None = None,
    volumeid: Volume | None = None,
    zoneid: Zone | None = None,
    snapshottype: Annotated[str | None, one_of("MANUAL", "RECURRING")] = None,
    intervaltype: Annotated[str | None, one_of("HOURLY", "DAILY", "WEEKLY", "MONTHLY")] = None,
    imagestoreid: ImageStore | None = None,
    storageid: StoragePool | None = None,
    locationtype: str | None = None,
    showunique: Annotated[bool, Param("each once, as every list does: a snapshot is kept in one place")] = False,
    tags: Tags | None = None,
) -> Listed:
    """Lists snapshots of volumes."""

    def keep(snapshot: Snapshot) -> bool:
        if intervaltype is not None and snapshot.type != intervaltype.upper():
            return False
        if locationtype is not None and snapshot.location_type != locationtype.upper():
            return False
        if snapshottype is not None:
            wanted = INTERVAL_NAMES if snapshottype.upper() == "RECURRING" else (snapshottype.upper(),)
            return snapshot.type in wanted
        return True

    return listed(
        call,
        Snapshot,
        page=page,
        scope=scope,
        ids=None if id is None and ids is None else [*([id] if id else []), *(ids or [])],
        equal={
            "name": name,
            "volume_id": volumeid and volumeid.id,
            "zone_id": zoneid and zoneid.id,
            "store_id": imagestoreid and imagestoreid.id,
            "pool_id": storageid and storageid.id,
        },
        keep=keep,
        tags=tags,
    )


@command("deleteSnapshot", job=True, event="SNAPSHOT.DELETE", group=GROUP)
async def delete_snapshot(
    call: Call, *, id: Snapshot, zoneid: Annotated[Zone | None, Param("the zone that it is in", since="4.19.0")] = None
) -> Job:
    """Deletes a snapshot of a volume."""
    if zoneid is not None and zoneid.id != id.zone_id:
        raise InvalidParameterValue(f"zoneid: snapshot {id.name} is not in zone {zoneid.name}")
    return Job(lambda: call.manager.snapshots.delete(id.id), id)


@command("revertSnapshot", view=SnapshotView, job=True, event="SNAPSHOT.REVERT", group=GROUP)
async def revert_snapshot(call: Call, *, id: Snapshot) -> Job:
    """Puts a volume back to a snapshot; its instance must be stopped."""
    volume = call.manager.snapshots.check_revertable(id)
    return Job(lambda: call.manager.snapshots.revert(id.id), id, queue=queue_of(volume))
