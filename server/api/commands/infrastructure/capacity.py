"""How much there is, and how much of it is taken."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from cloudsim.management.infrastructure.capacity_report import Place
from cloudsim.model import (
    Alert,
    BackupRepository,
    Cluster,
    Host,
    ImageStore,
    Pod,
    StoragePool,
    VirtualMachine,
    Zone,
)
from server.api.command import ROOT, Call, Listed, command
from server.api.commands.infrastructure.capacity_view import CapacityView, capacity_report
from server.api.listing import Page, page_of
from server.api.parameters import Param
from server.api.views import View

GROUP = "Resource"


@command("listCapacity", view=CapacityView, roles=ROOT, group=GROUP)
async def list_capacity(
    call: Call,
    *,
    page: Page,
    zoneid: Zone | None = None,
    podid: Pod | None = None,
    clusterid: Cluster | None = None,
    type: Annotated[
        int | None, Param("only this kind: 0 memory, 1 CPU, 2 storage, 3 promised storage, ...")
    ] = None,
    sortby: Annotated[Literal["usage"] | None, Param("usage: clusters, the fullest first")] = None,
    fetchlatest: Annotated[bool, Param("ask hosts first how full their storage is")] = False,
    tag: Annotated[str | None, Param("only what hosts and pools with that tag give", since="4.20.0")] = None,
) -> Listed:
    """Lists the capacity of zones, or of one zone, pod or cluster, by kind."""
    if fetchlatest:
        await call.manager.storage_statistics.measure()
    store = call.store
    places: list[Place]
    if clusterid is not None:
        places = [clusterid]
    elif sortby == "usage":
        clusters = store.table(Cluster)
        if podid is not None:
            places = list(clusters.where("pod_id", podid.id))
        else:
            places = list(clusters) if zoneid is None else list(clusters.where("zone_id", zoneid.id))
    elif podid is not None:
        places = [podid]
    else:
        places = list(store.table(Zone)) if zoneid is None else [zoneid]
    rows = capacity_report(call).of(places, None if type is None else {type}, tag=tag or None)
    if sortby == "usage":
        rows.sort(key=lambda capacity: -capacity.share)
    return page_of(rows, page)


class InfrastructureView(View):
    """How many there are of everything that an operator runs."""

    key: ClassVar = "infrastructure"

    zones: int | None = None
    pods: int | None = None
    clusters: int | None = None
    hosts: int | None = None
    storagepools: int | None = None
    imagestores: int | None = None
    backuprepositories: int | None = None
    objectstores: int | None = None
    systemvms: int | None = None
    routers: int | None = None
    ilbvms: int | None = None
    cpusockets: int | None = None
    managementservers: int | None = None
    alerts: int | None = None

    @classmethod
    def of(cls, row: None, call: Call) -> Self:
        raise NotImplementedError


@command("listInfrastructure", view=InfrastructureView, many=False, roles=ROOT, group="Metrics")
async def list_infrastructure(call: Call) -> InfrastructureView:
    """Counts everything that an operator runs."""
    store = call.store
    vms = store.table(VirtualMachine)
    users, routers, internal = (
        vms.count("type", kind) for kind in ("User", "DomainRouter", "InternalLoadBalancerVm")
    )
    return InfrastructureView(
        zones=len(store.table(Zone)),
        pods=len(store.table(Pod)),
        clusters=len(store.table(Cluster)),
        hosts=len(store.table(Host)),
        storagepools=len(store.table(StoragePool)),
        imagestores=len(store.table(ImageStore)),
        backuprepositories=len(store.table(BackupRepository)),
        objectstores=0,
        systemvms=len(vms) - users - routers - internal,
        routers=routers,
        ilbvms=internal,
        cpusockets=sum(host.sockets for host in store.table(Host)),
        managementservers=1,
        alerts=sum(not alert.archived for alert in store.table(Alert)),
    )
