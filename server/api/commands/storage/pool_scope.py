"""The scope of storage pools, and what it would mean for instances to change it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from cloudsim.model import Cluster, Host, StoragePool, VirtualMachine
from server.api.command import ROOT, Call, Job, Listed, Success, command
from server.api.commands.infrastructure.storage_pools import StoragePoolView
from server.api.listing import Page, page_of
from server.api.parameters import Param
from server.api.views import View

GROUP = "Storage"


@command(
    "changeStoragePoolScope",
    job=True,
    roles=ROOT,
    event="STORAGE.POOL.SCOPE.CHANGE",
    group=GROUP,
    since="4.19.1",
)
async def change_storage_pool_scope(
    call: Call,
    *,
    id: StoragePool,
    scope: Literal["ZONE", "CLUSTER"],
    clusterid: Annotated[Cluster | None, Param("whose it becomes, with scope CLUSTER")] = None,
) -> Job:
    """Makes a disabled storage pool of a cluster its zone's, or one of a zone a cluster's."""
    pools = call.manager.pool_scope
    pools.check(id, scope, clusterid)

    async def work() -> Success:
        await pools.change(id.id, scope, clusterid)
        return Success()

    return Job(work, id)


class AffectedVmView(View):
    """An instance that stands against a change of scope."""

    key: ClassVar = "affectedvmsforstoragescopechange"

    id: str | None = None
    name: str | None = None
    type: str | None = None
    clusterid: str | None = None
    clustername: str | None = None
    hostid: str | None = None
    hostname: str | None = None

    @classmethod
    def of(cls, row: VirtualMachine, call: Call) -> Self:
        host = call.store.table(Host)[row.host_id or ""]
        cluster = call.store.table(Cluster)[host.cluster_id]
        return cls(
            id=row.id,
            name=row.name,
            type=row.type,
            clusterid=cluster.id,
            clustername=cluster.name,
            hostid=host.id,
            hostname=host.name,
        )


@command(
    "listAffectedVmsForStorageScopeChange", view=AffectedVmView, roles=ROOT, group=GROUP, since="4.19.1"
)
async def list_affected_vms_for_storage_scope_change(
    call: Call,
    *,
    page: Page,
    clusterid: Annotated[Cluster, Param("whose the pool would become")],
    storageid: StoragePool,
) -> Listed:
    """Lists the instances with disks on a storage pool that are on hosts of other clusters."""
    return page_of(call.manager.pool_scope.affected(storageid, clusterid), page)


@command(
    "updateStorageCapabilities",
    view=StoragePoolView,
    roles=ROOT,
    event="STORAGE.POOL.EDIT",
    group=GROUP,
    since="4.16.0",
)
async def update_storage_capabilities(call: Call, *, id: StoragePool) -> StoragePool:
    """Has the hosts of a storage pool look at it again, and takes over what they find."""
    pool: StoragePool = await call.manager.pool_scope.refresh(id)
    return pool
