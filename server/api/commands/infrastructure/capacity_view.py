"""How capacity looks: an answer of listCapacity, and a part of zones, pods and clusters that ask for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Self

from cloudsim.management.infrastructure.capacity_report import NAMES, Capacity, CapacityReport, Place
from cloudsim.model import Cluster, Pod, Zone
from server.api.command import Call
from server.api.views import Long, View, Wire


class CapacityView(View):
    """One kind of capacity of a zone, pod or cluster."""

    key: ClassVar = "capacity"

    type: Annotated[int | None, Wire("short"), "the kind's number"] = None
    name: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    podid: str | None = None
    podname: str | None = None
    clusterid: str | None = None
    clustername: str | None = None
    capacityallocated: Annotated[Long | None, "what is promised"] = None
    capacityused: Annotated[Long | None, "what is taken: memory and storage in bytes, CPU in MHz"] = None
    capacitytotal: Long | None = None
    percentused: Annotated[str | None, "taken of the total, without a percent sign"] = None
    tag: str | None = None

    @classmethod
    def of(cls, row: Capacity, call: Call) -> Self:
        return cls(
            type=row.type,
            name=NAMES[row.type],
            capacityallocated=row.used,
            capacityused=row.used,
            capacitytotal=row.total,
            tag=row.tag,
            percentused=f"{100 * row.share:.2f}".rstrip("0").rstrip("."),
            **where(call, row.place),
        )


def capacity_report(call: Call) -> CapacityReport:
    """The report on the cloud's capacity."""
    found = call.cache.get("capacity report")
    if found is None:
        manager = call.manager
        found = call.cache["capacity report"] = CapacityReport(
            manager.foundation, manager.capacity, manager.disks
        )
    report: CapacityReport = found
    return report


def where(call: Call, place: Place) -> dict[str, Any]:
    """Ids and names of a place and of what it is in, as view fields."""
    if isinstance(place, Zone):
        return {"zoneid": place.id, "zonename": place.name}
    if isinstance(place, Pod):
        return {**zone_fields(call, place.zone_id), "podid": place.id, "podname": place.name}
    return {
        **zone_fields(call, place.zone_id),
        **pod_fields(call, place.pod_id),
        "clusterid": place.id,
        "clustername": place.name,
    }


def zone_fields(call: Call, zone_id: str | None) -> dict[str, Any]:
    """zoneid and zonename; nothing for None."""
    zone = call.store.table(Zone).get(zone_id)
    return {} if zone is None else {"zoneid": zone.id, "zonename": zone.name}


def pod_fields(call: Call, pod_id: str | None) -> dict[str, Any]:
    """podid and podname; nothing for None."""
    pod = call.store.table(Pod).get(pod_id)
    return {} if pod is None else {"podid": pod.id, "podname": pod.name}


def cluster_fields(call: Call, cluster_id: str | None) -> dict[str, Any]:
    """clusterid and clustername; nothing for None."""
    cluster = call.store.table(Cluster).get(cluster_id)
    return {} if cluster is None else {"clusterid": cluster.id, "clustername": cluster.name}


def note_capacities(call: Call, places: Iterable[Place]) -> None:
    """Have the views of this call's places show their capacity."""
    shown: dict[str, list[CapacityView]] = call.cache.setdefault("capacities", {})
    for capacity in capacity_report(call).of(places):
        shown.setdefault(capacity.place.id, []).append(CapacityView.of(capacity, call))


def noted_capacities(call: Call, place: Place) -> list[CapacityView] | None:
    """What `note_capacities` found for that place."""
    shown: dict[str, list[CapacityView]] = call.cache.get("capacities", {})
    return shown.get(place.id)
