"""Primary storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self

from cloudsim.management.storage.primary_storage import PROVIDERS
from cloudsim.model import Cluster, Host, Pod, StoragePool, Zone
from server.api.command import ROOT, Call, Job, Listed, command
from server.api.commands.infrastructure.capacity_view import (
    capacity_report,
    cluster_fields,
    pod_fields,
    zone_fields,
)
from server.api.listing import Page, listed, page_of
from server.api.parameters import Long as LongParameter
from server.api.parameters import Param, one_of
from server.api.views import Date, Long, View, Wire, date

GROUP = "Storage"
_SECRET = ("rbd.user", "rbd.secret", "hypervisor", "capacityiops")


class StoragePoolView(View):
    """A pool of primary storage."""

    entity: ClassVar = StoragePool
    key: ClassVar = "storagepool"

    id: str | None = None
    name: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    podid: str | None = None
    podname: str | None = None
    clusterid: str | None = None
    clustername: str | None = None
    ipaddress: str | None = None
    path: str | None = None
    created: Date | None = None
    type: Annotated[str | None, "NetworkFilesystem, RBD, SharedMountPoint, ..."] = None
    disksizetotal: Annotated[Long | None, "bytes"] = None
    disksizeallocated: Annotated[Long | None, "bytes promised to volumes"] = None
    disksizeused: Annotated[Long | None, "bytes written"] = None
    capacitybytes: Long | None = None
    capacityiops: Long | None = None
    allocatediops: Annotated[Long | None, "promised to volumes, where it says how many it has"] = None
    tags: str | None = None
    istagarule: bool | None = None
    state: Annotated[str | None, Wire("storagepoolstatus")] = None
    scope: Annotated[str | None, "CLUSTER, ZONE or HOST"] = None
    overprovisionfactor: str | None = None
    hypervisor: str | None = None
    suitableformigration: bool | None = None
    provider: str | None = None
    storagecapabilities: dict[str, str] | None = None
    managed: bool | None = None
    details: dict[str, str] | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: StoragePool, call: Call) -> Self:
        cluster = call.store.table(Cluster).get(row.cluster_id)
        report = capacity_report(call)
        iops = row.details.get("capacityiops")
        return cls(
            id=row.id,
            name=row.name,
            ipaddress=row.host_address,
            path=row.path,
            created=date(row.created),
            type=row.type,
            disksizetotal=row.capacity,
            disksizeallocated=report.promised(row.id),
            disksizeused=row.used,
            capacitybytes=row.capacity,
            capacityiops=int(iops) if iops else None,
            allocatediops=call.manager.disks.room.promised_iops(row.id) if iops else None,
            tags=",".join(row.tags) or None,
            istagarule=False,
            state=row.state,
            scope=row.scope,
            overprovisionfactor=str(report.overcommit(row)),
            hypervisor=row.details.get("hypervisor") or (cluster.hypervisor if cluster is not None else None),
            provider=row.provider,
            storagecapabilities={"VOLUME_SNAPSHOT_QUIESCEVM": "false"},
            managed=False,
            details={name: text for name, text in row.details.items() if name not in _SECRET} or None,
            **zone_fields(call, row.zone_id),
            **pod_fields(call, row.pod_id),
            **cluster_fields(call, row.cluster_id),
        )


@command("createStoragePool", view=StoragePoolView, roles=ROOT, group=GROUP, event="STORAGE.POOL.CREATE")
async def create_storage_pool(
    call: Call,
    *,
    name: str,
    url: Annotated[
        str, Param("nfs://host/path, rbd://user:secret@host/pool, SharedMountPoint://localhost/path")
    ],
    zoneid: Zone,
    podid: Pod | None = None,
    clusterid: Cluster | None = None,
    scope: Annotated[str | None, one_of("cluster", "zone")] = None,
    provider: Annotated[str | None, Param("DefaultPrimary is the only one")] = None,
    hypervisor: Annotated[str | None, Param("for a zone's pool")] = None,
    managed: bool = False,
    capacitybytes: LongParameter | None = None,
    capacityiops: LongParameter | None = None,
    tags: str | None = None,
    details: Mapping[str, str] | None = None,
) -> StoragePool:
    """Creates a storage pool and makes it known to the hosts that reach it."""
    primary = call.manager.primary_storage
    wanted = primary.check_new(
        zoneid,
        podid,
        clusterid,
        name=name,
        url=url,
        scope=scope,
        provider=provider,
        hypervisor=hypervisor,
        managed=managed,
        capacity=capacitybytes,
        capacity_iops=capacityiops,
        tags=_words(tags),
        details=details,
    )
    pool: StoragePool = await primary.create(wanted)
    return pool


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


@command(
    "updateStoragePool",
    view=StoragePoolView,
    roles=ROOT,
    group=GROUP,
    event="STORAGE.POOL.EDIT",
    since="3.0.0",
)
async def update_storage_pool(
    call: Call,
    *,
    id: StoragePool,
    name: str | None = None,
    tags: Sequence[str] | None = None,
    capacitybytes: LongParameter | None = None,
    capacityiops: LongParameter | None = None,
    enabled: Annotated[bool | None, Param("false: no new volumes")] = None,
    url: Annotated[str | None, Param("only in maintenance")] = None,
    details: Mapping[str, str] | None = None,
) -> StoragePool:
    """Changes a storage pool."""
    if tags is None and call.fields.get("tags") == "":
        tags = ()
    pool: StoragePool = call.manager.primary_storage.update(
        id,
        name=name,
        tags=tags,
        capacity=capacitybytes,
        capacity_iops=capacityiops,
        enabled=enabled,
        url=url,
        details=details,
    )
    return pool


@command("deleteStoragePool", roles=ROOT, group=GROUP, event="STORAGE.POOL.DELETE")
async def delete_storage_pool(
    call: Call,
    *,
    id: StoragePool,
    forced: Annotated[bool, Param("first remove for good the volumes on it that are destroyed")] = False,
) -> None:
    """Deletes a storage pool that is in maintenance and holds no volume."""
    if forced:
        await call.manager.local_storage.clean(id)
    await call.manager.primary_storage.delete(id)


@command(
    "enableStorageMaintenance",
    view=StoragePoolView,
    job=True,
    roles=ROOT,
    group=GROUP,
    event="MAINT.PREPARE.PS",
)
async def enable_storage_maintenance(call: Call, *, id: StoragePool) -> Job:
    """Puts a storage pool into maintenance, stopping the instances that use it."""
    call.manager.pool_maintenance.check_maintenance(id)
    return Job(lambda: call.manager.pool_maintenance.enter_maintenance(id), id)


@command(
    "cancelStorageMaintenance",
    view=StoragePoolView,
    job=True,
    roles=ROOT,
    group=GROUP,
    event="MAINT.CANCEL.PS",
)
async def cancel_storage_maintenance(call: Call, *, id: StoragePool) -> Job:
    """Takes a storage pool back into service."""
    call.manager.pool_maintenance.check_in_maintenance(id)
    return Job(lambda: call.manager.pool_maintenance.leave_maintenance(id), id)


PoolStatus = Literal[
    "Initial",
    "Initialized",
    "Creating",
    "Attaching",
    "Up",
    "PrepareForMaintenance",
    "ErrorInMaintenance",
    "CancelMaintenance",
    "Maintenance",
    "Removed",
    "Disabled",
]
"""CloudStack's, of which pools of this cloud are in some only."""


async def list_storage_pools(
    call: Call,
    *,
    page: Page,
    id: StoragePool | None = None,
    name: str | None = None,
    zoneid: Zone | None = None,
    podid: Pod | None = None,
    clusterid: Cluster | None = None,
    hostid: Annotated[Host | None, Param("pools that this host reaches")] = None,
    ipaddress: str | None = None,
    path: str | None = None,
    scope: Literal["CLUSTER", "ZONE", "HOST"] | None = None,
    status: PoolStatus | None = None,
) -> Listed:
    """Lists storage pools."""

    def keep(pool: StoragePool) -> bool:
        if hostid is not None and not call.manager.disks.reach.reaches(hostid, pool):
            return False
        return scope in (None, pool.scope) and status in (None, pool.state)

    return listed(
        call,
        StoragePool,
        page=page,
        ids=None if id is None else [id],
        equal={
            "name": name,
            "zone_id": zoneid and zoneid.id,
            "pod_id": podid and podid.id,
            "cluster_id": clusterid and clusterid.id,
            "host_address": ipaddress,
            "path": path,
        },
        keep=None if hostid is None and scope is None and status is None else keep,
    )


command("listStoragePools", view=StoragePoolView, roles=ROOT, group=GROUP)(list_storage_pools)


class StorageTagView(View):
    """A tag that storage pools have."""

    key: ClassVar = "storagetag"

    id: str | None = None
    poolid: Long | None = None
    name: str | None = None


@command("listStorageTags", view=StorageTagView, roles=ROOT, group=GROUP)
async def list_storage_tags(call: Call, *, page: Page) -> Listed:
    """Lists the tags that storage pools have."""
    names = dict.fromkeys(tag for pool in call.store.table(StoragePool) for tag in pool.tags)
    return page_of([StorageTagView(id=name, name=name) for name in names], page)


class StorageProviderView(View):
    """What can provide storage."""

    key: ClassVar = "dataStoreProvider"

    name: str | None = None
    type: str | None = None


@command("listStorageProviders", view=StorageProviderView, roles=ROOT, group=GROUP)
async def list_storage_providers(
    call: Call, *, page: Page, type: Annotated[str, one_of("primary", "image", "object")]
) -> Listed:
    """Lists storage providers."""
    names = PROVIDERS.get(type.lower(), ())
    return page_of([StorageProviderView(name=name, type=type.upper()) for name in names], page)
