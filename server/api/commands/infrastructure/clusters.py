"""Clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import Cluster, Extension, Pod, Zone
from server.api.command import ROOT, Call, Listed, command
from server.api.commands.infrastructure.capacity_view import (
    CapacityView,
    note_capacities,
    noted_capacities,
    pod_fields,
    zone_fields,
)
from server.api.listing import Page, listed
from server.api.parameters import Param, one_of
from server.api.views import View

GROUP = "Cluster"
Allocation = Literal["Enabled", "Disabled"]


class ClusterView(View):
    """Hosts that share primary storage."""

    entity: ClassVar = Cluster
    key: ClassVar = "cluster"

    id: str | None = None
    name: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    podid: str | None = None
    podname: str | None = None
    hypervisortype: str | None = None
    clustertype: str | None = None
    allocationstate: Annotated[str | None, "Enabled or Disabled"] = None
    managedstate: str | None = None
    capacity: list[CapacityView] | None = None
    cpuovercommitratio: str | None = None
    memoryovercommitratio: str | None = None
    resourcedetails: dict[str, str] | None = None
    arch: str | None = None
    extensionid: Annotated[str | None, "the extension that it is registered with"] = None
    extensionname: str | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: Cluster, call: Call) -> Self:
        settings = call.manager.settings
        extension = call.manager.extensions.of_cluster(row.id)
        return cls(
            id=row.id,
            name=row.name,
            hypervisortype=row.hypervisor,
            clustertype=row.cluster_type,
            allocationstate=row.allocation_state,
            managedstate=row.managed_state,
            capacity=noted_capacities(call, row),
            cpuovercommitratio=settings.get("cpu.overprovisioning.factor", "Cluster", row.id),
            memoryovercommitratio=settings.get("mem.overprovisioning.factor", "Cluster", row.id),
            resourcedetails=row.details or None,
            arch=row.arch,
            extensionid=None if extension is None else extension.id,
            extensionname=None if extension is None else extension.name,
            **zone_fields(call, row.zone_id),
            **pod_fields(call, row.pod_id),
        )


@command("addCluster", view=ClusterView, many=True, roles=ROOT, group=GROUP, event="CLUSTER.CREATE")
async def add_cluster(
    call: Call,
    *,
    zoneid: Zone,
    podid: Pod,
    clustername: str,
    hypervisor: Annotated[str, Param("Simulator, KVM, ...")],
    clustertype: Annotated[str, one_of("CloudManaged", "ExternalManaged")],
    allocationstate: Allocation = "Enabled",
    arch: Annotated[str | None, Param("x86_64 or aarch64")] = None,
    extensionid: Annotated[
        Extension | None, Param("the extension that it is registered with", since="4.21.0")
    ] = None,
    externaldetails: Annotated[
        Mapping[str, str] | None, Param("what the extension's program is told of it", since="4.21.0")
    ] = None,
) -> Sequence[Cluster]:
    """Adds a cluster."""
    if externaldetails and extensionid is None:
        raise InvalidParameterValue("externaldetails are for an extension: extensionid must be given")
    cluster = call.manager.clusters.create(
        zoneid,
        podid,
        name=clustername,
        hypervisor=hypervisor,
        cluster_type=clustertype,
        arch=arch,
        allocation_state=allocationstate,
    )
    if extensionid is not None:
        call.manager.extensions.register(extensionid, cluster, externaldetails)
    return [cluster]


@command("updateCluster", view=ClusterView, roles=ROOT, group=GROUP, event="CLUSTER.EDIT")
async def update_cluster(
    call: Call,
    *,
    id: Cluster,
    clustername: str | None = None,
    hypervisor: str | None = None,
    clustertype: str | None = None,
    allocationstate: Allocation | None = None,
    managedstate: str | None = None,
    arch: str | None = None,
    externaldetails: Annotated[
        Mapping[str, str] | None, Param("what its extension's program is told of it, from now on", since="4.21.0")
    ] = None,
) -> Cluster:
    """Changes a cluster."""
    if externaldetails:
        call.manager.extensions.check_registered(id)
    cluster: Cluster = call.manager.clusters.update(
        id,
        name=clustername,
        hypervisor=hypervisor,
        cluster_type=clustertype,
        arch=arch,
        allocation_state=allocationstate,
        managed_state=managedstate,
    )
    if externaldetails:
        call.manager.extensions.set_details(cluster, externaldetails)
    return cluster


@command("deleteCluster", roles=ROOT, group=GROUP, event="CLUSTER.DELETE")
async def delete_cluster(call: Call, *, id: Cluster) -> None:
    """Deletes an empty cluster."""
    call.manager.clusters.delete(id)


@command("listClusters", view=ClusterView, roles=ROOT, group=GROUP)
async def list_clusters(
    call: Call,
    *,
    page: Page,
    id: Cluster | None = None,
    name: str | None = None,
    podid: Pod | None = None,
    zoneid: Zone | None = None,
    hypervisor: str | None = None,
    clustertype: str | None = None,
    allocationstate: Allocation | None = None,
    managedstate: str | None = None,
    arch: str | None = None,
    showcapacities: bool = False,
) -> Listed:
    """Lists clusters."""
    words = (
        ("hypervisor", hypervisor),
        ("cluster_type", clustertype),
        ("managed_state", managedstate),
        ("arch", arch),
    )
    wanted = [(field, text.lower()) for field, text in words if text]
    found = listed(
        call,
        Cluster,
        page=page,
        ids=None if id is None else [id],
        equal={
            "name": name,
            "pod_id": podid and podid.id,
            "zone_id": zoneid and zoneid.id,
            "allocation_state": allocationstate,
        },
        keep=(lambda row: all(getattr(row, field).lower() == text for field, text in wanted))
        if wanted
        else None,
    )
    if showcapacities:
        note_capacities(call, found.rows)
    return found
