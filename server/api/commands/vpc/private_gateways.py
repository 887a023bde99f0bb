"""Private gateways of VPCs, and the static routes through them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.management.network.vlans import isolation_of, vlan_number
from cloudsim.management.vpc.private_gateways import PrivateGatewayRequest
from cloudsim.model import (
    NetworkAclList,
    PhysicalNetwork,
    PrivateGateway,
    StaticRoute,
    Vpc,
    Zone,
)
from server.api.command import ROOT, Call, Job, Listed, command
from server.api.listing import Page, Tags, listed
from server.api.parameters import Param, one_of
from server.api.scope import Scope
from server.api.views import TagView, View, owner, tags

GROUP = "VPC"


class PrivateGatewayView(View):
    """A leg of a VPC's router in a VLAN outside of the cloud."""

    entity: ClassVar = PrivateGateway
    key: ClassVar = "privategateway"

    id: str | None = None
    gateway: str | None = None
    netmask: str | None = None
    ipaddress: Annotated[str | None, "the router's address there"] = None
    zoneid: str | None = None
    zonename: str | None = None
    vlan: str | None = None
    vpcid: str | None = None
    vpcname: str | None = None
    physicalnetworkid: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    state: str | None = None
    sourcenatsupported: bool | None = None
    aclid: str | None = None
    aclname: str | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: PrivateGateway, call: Call) -> Self:
        vpc, zone = call.store.table(Vpc).get(row.vpc_id), call.store.table(Zone).get(row.zone_id)
        acl = call.store.table(NetworkAclList).get(row.acl_id)
        method = isolation_of(call.store.table(PhysicalNetwork).get(row.physical_network_id))
        return cls(
            id=row.id,
            gateway=row.gateway,
            netmask=row.netmask,
            ipaddress=row.ip,
            zoneid=row.zone_id,
            zonename=zone.name if zone else None,
            vlan=f"{method.lower()}://{row.vlan}",
            vpcid=row.vpc_id,
            vpcname=vpc.name if vpc else None,
            physicalnetworkid=row.physical_network_id,
            state=row.state,
            sourcenatsupported=row.source_nat,
            aclid=row.acl_id,
            aclname=acl.name if acl else None,
            **owner(call, row.account_id),
        )


@command("listPrivateGateways", view=PrivateGatewayView, group=GROUP)
async def list_private_gateways(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: PrivateGateway | None = None,
    ipaddress: str | None = None,
    vlan: str | None = None,
    vpcid: Vpc | None = None,
    state: Annotated[str | None, one_of("Creating", "Ready", "Deleting")] = None,
) -> Listed:
    """Lists private gateways."""

    def keep(row: PrivateGateway) -> bool:
        return (vlan is None or vlan_number(vlan) == vlan_number(row.vlan)) and (
            state is None or row.state.lower() == state.lower()
        )

    return listed(
        call,
        PrivateGateway,
        page=page,
        scope=scope,
        ids=None if id is None else [id],
        equal={"ip": ipaddress, "vpc_id": vpcid and vpcid.id},
        keep=keep,
        search=("ip", "vlan"),
    )


@command(
    "createPrivateGateway",
    view=PrivateGatewayView,
    job=True,
    creates=PrivateGateway,
    roles=ROOT,
    event="PRIVATE.GATEWAY.CREATE",
    since="4.17.0",
    group=GROUP,
)
async def create_private_gateway(
    call: Call,
    *,
    vpcid: Annotated[Vpc, Param(access="operate")],
    ipaddress: Annotated[str, Param("the router's address in the VLAN")],
    gateway: Annotated[str, Param("the machine there that leads on")],
    netmask: str,
    vlan: Annotated[str | None, Param("the VLAN's id")] = None,
    physicalnetworkid: PhysicalNetwork | None = None,
    sourcenatsupported: Annotated[
        bool, Param("whether instances are seen as the router's address there")
    ] = False,
    aclid: Annotated[
        NetworkAclList | None, Param("its access control list; one that denies all if left out")
    ] = None,
    bypassvlanoverlapcheck: Annotated[
        bool, Param("whether the VLAN may be one that guest networks are given")
    ] = False,
) -> Job:
    """Creates a private gateway of a VPC."""
    gateways = call.manager.private_gateways
    row = gateways.create(
        vpcid,
        PrivateGatewayRequest(
            ip=ipaddress.strip(),
            gateway=gateway.strip(),
            netmask=netmask.strip(),
            vlan=vlan,
            physical_network=physicalnetworkid,
            source_nat=sourcenatsupported,
            acl=aclid,
            overlap_allowed=bypassvlanoverlapcheck,
        ),
    )
    return Job(lambda: gateways.apply(row.id), row)


@command("deletePrivateGateway", job=True, roles=ROOT, event="PRIVATE.GATEWAY.DELETE", group=GROUP)
async def delete_private_gateway(call: Call, *, id: PrivateGateway) -> Job:
    """Deletes a private gateway that has no static routes."""
    gateways = call.manager.private_gateways
    gateways.check_deletable(id)
    return Job(lambda: gateways.delete(id.id), id)


# static routes


class StaticRouteView(View):
    """Where a VPC's router sends packets for a network elsewhere."""

    entity: ClassVar = StaticRoute
    key: ClassVar = "staticroute"

    id: str | None = None
    state: str | None = None
    vpcid: str | None = None
    vpcgatewayid: str | None = None
    vpcgatewayip: str | None = None
    nexthop: str | None = None
    cidr: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    tags: list[TagView] | None = None

    @classmethod
    def of(cls, row: StaticRoute, call: Call) -> Self:
        gateway = call.store.table(PrivateGateway).get(row.gateway_id)
        return cls(
            id=row.id,
            state=row.state,
            vpcid=row.vpc_id,
            vpcgatewayid=row.gateway_id,
            vpcgatewayip=gateway.ip if gateway else None,
            nexthop=row.next_hop,
            cidr=row.cidr,
            tags=tags(call, row.id),
            **owner(call, row.account_id),
        )


@command("listStaticRoutes", view=StaticRouteView, group=GROUP)
async def list_static_routes(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: StaticRoute | None = None,
    vpcid: Vpc | None = None,
    gatewayid: PrivateGateway | None = None,
    state: Annotated[str | None, one_of("Add", "Active", "Revoke")] = None,
    tags: Tags | None = None,
) -> Listed:
    """Lists static routes of VPCs."""
    return listed(
        call,
        StaticRoute,
        page=page,
        scope=scope,
        ids=None if id is None else [id],
        equal={"vpc_id": vpcid and vpcid.id, "gateway_id": gatewayid and gatewayid.id},
        keep=lambda row: state is None or row.state.lower() == state.lower(),
        search=("cidr",),
        tags=tags,
    )


@command(
    "createStaticRoute",
    view=StaticRouteView,
    job=True,
    creates=StaticRoute,
    event="STATIC.ROUTE.CREATE",
    group=GROUP,
)
async def create_static_route(
    call: Call,
    *,
    cidr: Annotated[str, Param("the network elsewhere")],
    gatewayid: Annotated[
        PrivateGateway | None, Param("the private gateway that leads there", access="operate")
    ] = None,
    vpcid: Annotated[Vpc | None, Param("with nexthop", access="operate", since="4.21.0")] = None,
    nexthop: Annotated[
        str | None, Param("an address in a private gateway's or a tier's subnet", since="4.21.0")
    ] = None,
) -> Job:
    """Creates a static route of a VPC."""
    routes = call.manager.static_routes
    row = routes.create(cidr, gateway=gatewayid, vpc=vpcid, next_hop=nexthop)
    return Job(lambda: routes.apply(row.id), row)


@command("deleteStaticRoute", job=True, event="STATIC.ROUTE.DELETE", group=GROUP)
async def delete_static_route(call: Call, *, id: StaticRoute) -> Job:
    """Deletes a static route."""
    return Job(lambda: call.manager.static_routes.delete(id.id), id)
