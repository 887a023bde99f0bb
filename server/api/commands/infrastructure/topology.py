"""The datacenter as a picture, at once or what has changed of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar

from cloudsim.management.infrastructure.regions import LOCAL
from cloudsim.management.infrastructure.topology import Fill, TopologyReport, Wire
from cloudsim.model import Cluster, Host, ImageStore, Pod, StoragePool, Zone
from server.api import views
from server.api.command import ROOT, Call, command
from server.api.commands.infrastructure.capacity_view import capacity_report
from server.api.parameters import Param
from server.api.views import Long, View

MBIT = 1e6 / 8

State = Annotated[str | None, views.Wire("state")]
Bandwidth = Annotated[Long | None, "Mbit/s each way to what is above it; absent where nobody knows"]


class TopologyHostView(View):
    """A host, as a cell of the picture."""

    id: str | None = None
    name: str | None = None
    state: Annotated[str | None, views.Wire("status"), "what its agent's connection shows"] = None
    resourcestate: Annotated[str | None, "what the operator wants"] = None
    cpu: Annotated[Long | None, "MHz that may be promised"] = None
    cpuused: Annotated[Long | None, "MHz promised"] = None
    memory: Annotated[Long | None, "MiB that may be promised"] = None
    memoryused: Annotated[Long | None, "MiB promised"] = None
    instances: Annotated[int | None, "instances with a place on it; one that moves has two"] = None
    hosttags: str | None = None
    bandwidth: Bandwidth = None


class TopologyStorageView(View):
    """Primary or secondary storage."""

    id: str | None = None
    name: str | None = None
    state: State = None
    disksizetotal: Annotated[Long | None, "bytes"] = None
    disksizeallocated: Annotated[Long | None, "bytes promised; of secondary storage, used"] = None
    bandwidth: Bandwidth = None


class TopologyClusterView(View):
    """A cluster; in a simulated datacenter, a rack."""

    id: str | None = None
    name: str | None = None
    hypervisortype: str | None = None
    allocationstate: str | None = None
    bandwidth: Bandwidth = None
    host: list[TopologyHostView] | None = None
    storagepool: Annotated[list[TopologyStorageView] | None, "the pools that only it reaches"] = None


class TopologyPodView(View):
    """A pod with its clusters."""

    id: str | None = None
    name: str | None = None
    allocationstate: str | None = None
    bandwidth: Bandwidth = None
    cluster: list[TopologyClusterView] | None = None


class TopologyZoneView(View):
    """A zone with its pods."""

    id: str | None = None
    name: str | None = None
    networktype: str | None = None
    allocationstate: str | None = None
    bandwidth: Bandwidth = None
    pod: list[TopologyPodView] | None = None
    storagepool: Annotated[list[TopologyStorageView] | None, "the pools that all of it reaches"] = None
    imagestore: Annotated[list[TopologyStorageView] | None, "its secondary storage"] = None


class TopologyLinkView(View):
    """A link that carries something or is cut."""

    lower: Annotated[str | None, "id of its lower end"] = None
    upper: Annotated[str | None, "id of its upper end; absent: the region"] = None
    bandwidth: Annotated[Long | None, "Mbit/s each way"] = None
    up: Annotated[float | None, "what passes from the lower end to the upper, as a share from 0 to 1"] = None
    down: Annotated[float | None, "the other way"] = None
    cut: bool | None = None


class TopologyView(View):
    """The picture: a region of zones of pods of clusters of hosts; or the hosts that changed."""

    key: ClassVar = "topology"

    version: Annotated[str | None, "for `since`, when it is asked for again"] = None
    complete: Annotated[bool | None, "whether this is all of it; else `host` has what changed"] = None
    regionid: int | None = None
    regionname: str | None = None
    zone: list[TopologyZoneView] | None = None
    host: Annotated[list[TopologyHostView] | None, "the hosts that changed since then"] = None
    link: Annotated[
        list[TopologyLinkView] | None, "links that are busy or cut; others are whole and idle"
    ] = None


@command("listTopology", view=TopologyView, many=False, roles=ROOT, group="Host")
async def list_topology(
    call: Call,
    *,
    zoneid: Annotated[Zone | None, Param("only that zone", access="any")] = None,
    podid: Annotated[Pod | None, Param("only that pod", access="any")] = None,
    since: Annotated[str | None, Param("the version of an earlier answer: only what has changed")] = None,
) -> TopologyView:
    """Draws the datacenter: zones, pods, clusters, and hosts with what is promised of them, and the load of links.

    With since, the answer has only the hosts that changed, unless more than that is new.
    """
    report: TopologyReport = call.manager.topology
    version, changed = report.version(), report.changed(since)
    answer = TopologyView(version=version, complete=changed is None)
    zone_ids = None if zoneid is None else (zoneid.id,)
    answer.link = [_link(wire) for wire in report.wires(zone_ids, None if podid is None else podid.id)]
    if changed is not None:
        meant = [host for host in changed if _is_in(host, zoneid, podid)]
        answer.host = [_host(host, fill, None) for host, fill in zip(meant, report.fills(meant), strict=True)]
        return answer
    region = call.manager.regions.find(LOCAL)
    answer.regionid, answer.regionname = region.number, region.name
    zones = list(call.store.table(Zone)) if zoneid is None else [zoneid]
    if podid is not None:
        zones = [zone for zone in zones if zone.id == podid.zone_id]
    answer.zone = [_zone(call, zone, podid) for zone in zones]
    return answer


def _is_in(host: Host, zone: Zone | None, pod: Pod | None) -> bool:
    return (zone is None or host.zone_id == zone.id) and (pod is None or host.pod_id == pod.id)


def _zone(call: Call, zone: Zone, only: Pod | None) -> TopologyZoneView:
    pods = call.store.table(Pod).where("zone_id", zone.id) if only is None else [only]
    return TopologyZoneView(
        id=zone.id,
        name=zone.name,
        networktype=zone.network_type,
        allocationstate=zone.allocation_state,
        bandwidth=_mbit(call.manager.topology.bandwidth(zone.id)),
        pod=[_pod(call, pod) for pod in pods],
        storagepool=_pools(
            call, call.store.table(StoragePool).where(("zone_id", "scope"), (zone.id, "ZONE"))
        ),
        imagestore=[_store(call, store) for store in call.store.table(ImageStore).where("zone_id", zone.id)],
    )


def _pod(call: Call, pod: Pod) -> TopologyPodView:
    return TopologyPodView(
        id=pod.id,
        name=pod.name,
        allocationstate=pod.allocation_state,
        bandwidth=_mbit(call.manager.topology.bandwidth(pod.id)),
        cluster=[_cluster(call, each) for each in call.store.table(Cluster).where("pod_id", pod.id)],
    )


def _cluster(call: Call, cluster: Cluster) -> TopologyClusterView:
    report: TopologyReport = call.manager.topology
    hosts = list(call.store.table(Host).where("cluster_id", cluster.id))
    pools = call.store.table(StoragePool).where("cluster_id", cluster.id)
    return TopologyClusterView(
        id=cluster.id,
        name=cluster.name,
        hypervisortype=cluster.hypervisor,
        allocationstate=cluster.allocation_state,
        bandwidth=_mbit(report.bandwidth(cluster.id)),
        host=[
            _host(host, fill, report.bandwidth(host.id))
            for host, fill in zip(hosts, report.fills(hosts), strict=True)
        ],
        storagepool=_pools(call, (pool for pool in pools if pool.scope == "CLUSTER")),
    )


def _host(host: Host, fill: Fill, bandwidth: float | None) -> TopologyHostView:
    return TopologyHostView(
        id=host.id,
        name=host.name,
        state=host.state,
        resourcestate=host.resource_state,
        cpu=fill.cpu,
        cpuused=fill.cpu_used,
        memory=fill.memory,
        memoryused=fill.memory_used,
        instances=fill.instances,
        hosttags=",".join(host.tags) or None,
        bandwidth=_mbit(bandwidth),
    )


def _pools(call: Call, pools: Iterable[StoragePool]) -> list[TopologyStorageView]:
    return [
        TopologyStorageView(
            id=pool.id,
            name=pool.name,
            state=pool.state,
            disksizetotal=pool.capacity,
            disksizeallocated=capacity_report(call).promised(pool.id),
            bandwidth=_mbit(call.manager.topology.bandwidth(pool.id)),
        )
        for pool in pools
    ]


def _store(call: Call, store: ImageStore) -> TopologyStorageView:
    return TopologyStorageView(
        id=store.id,
        name=store.name,
        disksizetotal=store.capacity,
        disksizeallocated=store.used,
        bandwidth=_mbit(call.manager.topology.bandwidth(store.id)),
    )


def _link(wire: Wire) -> TopologyLinkView:
    return TopologyLinkView(
        lower=wire.below,
        upper=wire.above,
        bandwidth=_mbit(wire.bandwidth),
        up=round(wire.up, 4),
        down=round(wire.down, 4),
        cut=wire.cut,
    )


def _mbit(bandwidth: float | None) -> int | None:
    return None if bandwidth is None else round(bandwidth / MBIT)
