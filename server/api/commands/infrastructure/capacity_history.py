"""How capacity, instances and hosts came and went: the samples that the management server keeps, as series."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.infrastructure.capacity_report import NAMES
from cloudsim.model import CapacitySample, Zone
from server.api.command import ROOT, Call, Listed, command
from server.api.listing import Page, page_of
from server.api.parameters import Date as DateParameter
from server.api.parameters import Param
from server.api.views import Date, Long, View, Wire, date

GROUP = "Metrics"

Start = Annotated[DateParameter | None, Param("no samples before that")]
End = Annotated[DateParameter | None, Param("no samples after that")]
Apart = Annotated[int | None, Param("only the first sample of every that many seconds")]
Latest = Annotated[bool, Param("end each series with how it is now")]


class CapacitySampleView(View):
    """One kind of capacity at one time."""

    timestamp: Date | None = None
    capacityallocated: Annotated[Long | None, "what was taken: memory and storage in bytes, CPU in MHz"] = None
    capacitytotal: Long | None = None


class CapacityHistoryView(View):
    """One kind of capacity of a zone over time."""

    key: ClassVar = "capacityhistory"

    zoneid: str | None = None
    zonename: str | None = None
    type: Annotated[int | None, Wire("short"), "the kind's number, as in listCapacity"] = None
    name: str | None = None
    stats: Annotated[list[CapacitySampleView] | None, "the samples, the oldest first"] = None


class InfrastructureSampleView(View):
    """A zone's instances and hosts at one time."""

    timestamp: Date | None = None
    instances: Annotated[dict[str, int] | None, "users' instances by state"] = None
    hosts: Annotated[dict[str, int] | None, "hosts by state"] = None
    hostfill: Annotated[
        list[int] | None,
        "hosts that take instances by how full they were: under 10 % of CPU or memory, under 20 %, ...",
    ] = None

    @classmethod
    def of(cls, row: CapacitySample, call: Call) -> Self:
        return cls(
            timestamp=date(row.sampled), instances=row.instances, hosts=row.hosts, hostfill=list(row.fill)
        )


class InfrastructureHistoryView(View):
    """A zone's instances and hosts over time."""

    key: ClassVar = "infrastructurehistory"

    zoneid: str | None = None
    zonename: str | None = None
    stats: Annotated[list[InfrastructureSampleView] | None, "the samples, the oldest first"] = None


def _samples(
    call: Call,
    zone: Zone | None,
    start: float | None,
    end: float | None,
    apart: int | None,
    latest: bool,
) -> list[tuple[Zone, list[CapacitySample]]]:
    """Each zone with its samples of that time. Raises InvalidParameterValue for a time that cannot be."""
    if start is not None and end is not None and end < start:
        raise InvalidParameterValue("Parameter enddate must not be before startdate")
    if apart is not None and apart < 1:
        raise InvalidParameterValue("Parameter interval must be a number of seconds from 1")
    history = call.manager.capacity_history
    zones = list(call.store.table(Zone)) if zone is None else [zone]
    found = [(each, history.between(each.id, start, end, apart or 0)) for each in zones]
    return [(each, [*kept, history.latest(each)]) for each, kept in found] if latest else found


def _series(zone: Zone, samples: list[CapacitySample], wanted: int | None) -> list[CapacityHistoryView]:
    found: dict[int, list[CapacitySampleView]] = {}
    for sample in samples:
        when = date(sample.sampled)
        for type_, used, total in zip(sample.types, sample.used, sample.total, strict=True):
            if wanted is None or type_ == wanted:
                view = CapacitySampleView(timestamp=when, capacityallocated=used, capacitytotal=total)
                found.setdefault(type_, []).append(view)
    return [
        CapacityHistoryView(zoneid=zone.id, zonename=zone.name, type=type_, name=NAMES[type_], stats=stats)
        for type_, stats in sorted(found.items())
    ]


@command("listCapacityHistory", view=CapacityHistoryView, roles=ROOT, group=GROUP)
async def list_capacity_history(
    call: Call,
    *,
    page: Page,
    zoneid: Zone | None = None,
    type: Annotated[
        int | None, Param("only this kind: 0 memory, 1 CPU, 2 storage, 3 promised storage, ...")
    ] = None,
    startdate: Start = None,
    enddate: End = None,
    interval: Apart = None,
    fetchlatest: Latest = False,
) -> Listed:
    """Lists how much capacity zones had and how much of it was taken, over time."""
    rows: list[Any] = []
    for zone, samples in _samples(call, zoneid, startdate, enddate, interval, fetchlatest):
        rows += _series(zone, samples, type)
    return page_of(rows, page)


@command("listInfrastructureHistory", view=InfrastructureHistoryView, roles=ROOT, group=GROUP)
async def list_infrastructure_history(
    call: Call,
    *,
    page: Page,
    zoneid: Zone | None = None,
    startdate: Start = None,
    enddate: End = None,
    interval: Apart = None,
    fetchlatest: Latest = False,
) -> Listed:
    """Lists how many instances and hosts of zones were in which state, and how full the hosts were, over time."""
    rows: list[Any] = [
        InfrastructureHistoryView(
            zoneid=zone.id,
            zonename=zone.name,
            stats=[InfrastructureSampleView.of(sample, call) for sample in samples],
        )
        for zone, samples in _samples(call, zoneid, startdate, enddate, interval, fetchlatest)
        if samples
    ]
    return page_of(rows, page, search=("zonename",))
