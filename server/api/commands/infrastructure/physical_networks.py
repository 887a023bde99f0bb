"""Physical networks and the traffic they carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from cloudsim.management.network.physical_networks import LABELS
from cloudsim.model import PhysicalNetwork, TrafficType, Zone
from server.api.command import ROOT, Call, Job, Listed, Success, command
from server.api.commands.infrastructure.capacity_view import zone_fields
from server.api.listing import Page, listed
from server.api.parameters import Param, one_of
from server.api.views import View

GROUP = "Network"
Label = Annotated[str | None, Param("the bridge or switch that the traffic goes over, with that hypervisor")]


class PhysicalNetworkView(View):
    """A zone's wire."""

    entity: ClassVar = PhysicalNetwork
    key: ClassVar = "physicalnetwork"

    id: str | None = None
    name: str | None = None
    broadcastdomainrange: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    state: Annotated[str | None, "Enabled or Disabled"] = None
    vlan: Annotated[str | None, "ranges, as in 100-200,300-310"] = None
    tags: str | None = None
    isolationmethods: str | None = None
    networkspeed: str | None = None

    @classmethod
    def of(cls, row: PhysicalNetwork, call: Call) -> Self:
        return cls(
            id=row.id,
            name=row.name,
            broadcastdomainrange=row.broadcast_domain_range,
            state=row.state,
            vlan=row.vlan or None,
            tags=",".join(row.tags) or None,
            isolationmethods=",".join(row.isolation_methods) or None,
            networkspeed=row.network_speed,
            **zone_fields(call, row.zone_id),
        )


class TrafficTypeView(View):
    """A kind of traffic on a physical network, and the bridge or switch it goes over with each hypervisor."""

    entity: ClassVar = TrafficType
    key: ClassVar = "traffictype"

    id: str | None = None
    traffictype: str | None = None
    physicalnetworkid: str | None = None
    xennetworklabel: str | None = None
    kvmnetworklabel: str | None = None
    vmwarenetworklabel: str | None = None
    hypervnetworklabel: str | None = None
    ovm3networklabel: str | None = None

    @classmethod
    def of(cls, row: TrafficType, call: Call) -> Self:
        labels: dict[str, Any] = {
            f"{name}networklabel": row.labels[name] for name in LABELS if name in row.labels
        }
        return cls(
            id=row.id, traffictype=row.traffic_type, physicalnetworkid=row.physical_network_id, **labels
        )


def _present(call: Call, row: PhysicalNetwork | TrafficType) -> Job:
    """A job that has nothing left to do."""

    async def work() -> PhysicalNetwork | TrafficType:
        return call.store.table(type(row)).get(row.id) or row

    return Job(work, row)


@command(
    "createPhysicalNetwork",
    view=PhysicalNetworkView,
    job=True,
    creates=PhysicalNetwork,
    roles=ROOT,
    group=GROUP,
    event="PHYSICAL.NETWORK.CREATE",
    since="3.0.0",
)
async def create_physical_network(
    call: Call,
    *,
    zoneid: Zone,
    name: str,
    vlan: Annotated[str | None, Param("ranges of VLAN ids, as in 100-200,300-310")] = None,
    isolationmethods: Annotated[Sequence[str] | None, Param("VLAN, VXLAN, GRE, L3, ...")] = None,
    broadcastdomainrange: Annotated[str | None, Param("ZONE, or in a Basic zone POD")] = None,
    networkspeed: str | None = None,
    tags: Sequence[str] | None = None,
) -> Job:
    """Creates a physical network, disabled."""
    row = call.manager.physical_networks.create(
        zoneid,
        name=name,
        vlan=vlan,
        isolation_methods=isolationmethods or (),
        broadcast_domain_range=broadcastdomainrange,
        network_speed=networkspeed,
        tags=tags or (),
    )
    return _present(call, row)


@command(
    "updatePhysicalNetwork",
    view=PhysicalNetworkView,
    job=True,
    roles=ROOT,
    group=GROUP,
    event="PHYSICAL.NETWORK.UPDATE",
    since="3.0.0",
)
async def update_physical_network(
    call: Call,
    *,
    id: PhysicalNetwork,
    state: Literal["Enabled", "Disabled"] | None = None,
    vlan: str | None = None,
    networkspeed: str | None = None,
    tags: Annotated[Sequence[str] | None, Param("an empty text takes all tags away")] = None,
) -> Job:
    """Changes a physical network."""
    if tags is None and call.fields.get("tags") == "":
        tags = ()

    async def work() -> PhysicalNetwork:
        row: PhysicalNetwork = call.manager.physical_networks.update(
            id, state=state, vlan=vlan, network_speed=networkspeed, tags=tags
        )
        return row

    return Job(work, id)


@command(
    "deletePhysicalNetwork", job=True, roles=ROOT, group=GROUP, event="PHYSICAL.NETWORK.DELETE", since="3.0.0"
)
async def delete_physical_network(call: Call, *, id: PhysicalNetwork) -> Job:
    """Deletes a physical network that no network uses."""

    async def work() -> Success:
        call.manager.physical_networks.delete(id)
        return Success()

    return Job(work, id)


@command("listPhysicalNetworks", view=PhysicalNetworkView, roles=ROOT, group=GROUP, since="3.0.0")
async def list_physical_networks(
    call: Call,
    *,
    page: Page,
    id: PhysicalNetwork | None = None,
    zoneid: Zone | None = None,
    name: str | None = None,
) -> Listed:
    """Lists physical networks."""
    equal = {"name": name, "zone_id": zoneid and zoneid.id}
    return listed(call, PhysicalNetwork, page=page, ids=None if id is None else [id], equal=equal)


@command(
    "addTrafficType",
    view=TrafficTypeView,
    job=True,
    creates=TrafficType,
    roles=ROOT,
    group=GROUP,
    event="TRAFFIC.TYPE.CREATE",
    since="3.0.0",
)
async def add_traffic_type(
    call: Call,
    *,
    physicalnetworkid: PhysicalNetwork,
    traffictype: Annotated[str, one_of("Guest", "Public", "Management", "Storage")],
    xennetworklabel: Label = None,
    kvmnetworklabel: Label = None,
    vmwarenetworklabel: Label = None,
    hypervnetworklabel: Label = None,
    ovm3networklabel: Label = None,
) -> Job:
    """Has a physical network carry a kind of traffic."""
    given = (xennetworklabel, kvmnetworklabel, vmwarenetworklabel, hypervnetworklabel, ovm3networklabel)
    labels = {name: label for name, label in zip(LABELS, given, strict=True) if label}
    return _present(
        call, call.manager.physical_networks.add_traffic_type(physicalnetworkid, traffictype, labels)
    )


@command(
    "updateTrafficType",
    view=TrafficTypeView,
    job=True,
    roles=ROOT,
    group=GROUP,
    event="TRAFFIC.TYPE.UPDATE",
    since="3.0.0",
)
async def update_traffic_type(
    call: Call,
    *,
    id: TrafficType,
    xennetworklabel: Label = None,
    kvmnetworklabel: Label = None,
    vmwarenetworklabel: Label = None,
    hypervnetworklabel: Label = None,
    ovm3networklabel: Label = None,
) -> Job:
    """Changes the bridges or switches of a kind of traffic."""
    given = (xennetworklabel, kvmnetworklabel, vmwarenetworklabel, hypervnetworklabel, ovm3networklabel)
    labels = {name: label for name, label in zip(LABELS, given, strict=True) if label is not None}

    async def work() -> TrafficType:
        row: TrafficType = call.manager.physical_networks.update_traffic_type(id, labels)
        return row

    return Job(work, id)


@command("deleteTrafficType", job=True, roles=ROOT, group=GROUP, event="TRAFFIC.TYPE.DELETE", since="3.0.0")
async def delete_traffic_type(call: Call, *, id: TrafficType) -> Job:
    """Takes a kind of traffic off its physical network."""

    async def work() -> Success:
        call.manager.physical_networks.delete_traffic_type(id)
        return Success()

    return Job(work, id)


@command("listTrafficTypes", view=TrafficTypeView, roles=ROOT, group=GROUP, since="3.0.0")
async def list_traffic_types(call: Call, *, page: Page, physicalnetworkid: PhysicalNetwork) -> Listed:
    """Lists what a physical network carries."""
    equal = {"physical_network_id": physicalnetworkid.id}
    return listed(call, TrafficType, page=page, equal=equal, search=("traffic_type",))
