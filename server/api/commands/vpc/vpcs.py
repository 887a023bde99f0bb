"""VPCs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.network.public_ipv6 import routes_to
from cloudsim.management.vpc.vpcs import VpcRequest
from cloudsim.model import Network, Vpc, VpcOffering, Zone
from server.api.command import Call, Job, Listed, command
from server.api.commands.network.network_view import NetworkView
from server.api.commands.network.service_views import ServiceView, service_views
from server.api.listing import Page, Tags, listed
from server.api.ownership import Owner
from server.api.parameters import Param, one_of
from server.api.scope import Scope
from server.api.views import Date, TagView, View, date, owner, tags

GROUP = "VPC"


class VpcView(View):
    """A private cloud: tiers behind one router."""

    entity: ClassVar = Vpc
    key: ClassVar = "vpc"

    id: str | None = None
    name: str | None = None
    displaytext: str | None = None
    state: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    cidr: str | None = None
    vpcofferingid: str | None = None
    vpcofferingname: str | None = None
    created: Date | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    restartrequired: bool | None = None
    networkdomain: str | None = None
    fordisplay: bool | None = None
    distributedvpcrouter: bool | None = None
    regionlevelvpc: bool | None = None
    redundantvpcrouter: Annotated[bool | None, "whether two routers stand by for each other: one serves a VPC"] = (
        None
    )
    publicmtu: int | None = None
    dns1: str | None = None
    dns2: str | None = None
    ip6routes: Annotated[
        list[dict[str, str]] | None, "the IPv6 subnets of its tiers, and the address that leads there"
    ] = None
    service: list[ServiceView] | None = None
    network: Annotated[list[NetworkView] | None, "its tiers"] = None
    tags: list[TagView] | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: Vpc, call: Call) -> Self:
        zone = call.store.table(Zone).get(row.zone_id)
        offering = call.store.table(VpcOffering).get(row.vpc_offering_id)
        tiers = call.store.table(Network).where("vpc_id", row.id)
        return cls(
            id=row.id,
            name=row.name,
            displaytext=row.display_text,
            state=row.state,
            zoneid=row.zone_id,
            zonename=zone.name if zone else None,
            cidr=row.cidr,
            vpcofferingid=row.vpc_offering_id,
            vpcofferingname=offering.name if offering else None,
            created=date(row.created),
            restartrequired=row.restart_required,
            networkdomain=row.network_domain,
            fordisplay=row.display,
            distributedvpcrouter=False,
            regionlevelvpc=False,
            redundantvpcrouter=False,
            publicmtu=row.public_mtu,
            dns1=row.dns1 or (zone.dns1 if zone else None),
            dns2=row.dns2 or (zone.dns2 if zone else None),
            ip6routes=[
                route for tier in tiers for route in routes_to(tier, call.manager.public_ipv6.of(tier))
            ]
            or None,
            service=service_views(offering),
            network=[NetworkView.of(tier, call) for tier in tiers],
            tags=tags(call, row.id),
            **owner(call, row.account_id),
        )


@command("listVPCs", view=VpcView, group=GROUP)
async def list_vpcs(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: Vpc | None = None,
    zoneid: Zone | None = None,
    name: str | None = None,
    displaytext: str | None = None,
    cidr: str | None = None,
    vpcofferingid: VpcOffering | None = None,
    supportedservices: Annotated[Sequence[str] | None, Param("VPCs with all these services")] = None,
    state: Annotated[str | None, one_of("Enabled", "Inactive")] = None,
    restartrequired: bool | None = None,
    fordisplay: bool | None = None,
    tags: Tags | None = None,
) -> Listed:
    """Lists VPCs."""
    offerings = call.store.table(VpcOffering)
    wanted = {service.lower() for service in supportedservices or ()}

    def keep(row: Vpc) -> bool:
        if state is not None and row.state.lower() != state.lower():
            return False
        if not wanted:
            return True
        offering = offerings.get(row.vpc_offering_id)
        return offering is not None and wanted <= {service.lower() for service in offering.services}

    return listed(
        call,
        Vpc,
        page=page,
        scope=scope,
        ids=None if id is None else [id],
        equal={
            "zone_id": zoneid and zoneid.id,
            "name": name,
            "display_text": displaytext,
            "cidr": cidr,
            "vpc_offering_id": vpcofferingid and vpcofferingid.id,
            "restart_required": restartrequired,
            "display": fordisplay,
        },
        keep=keep,
        search=("name", "display_text"),
        tags=tags,
    )


@command("createVPC", view=VpcView, job=True, creates=Vpc, event="VPC.CREATE", group=GROUP)
async def create_vpc(
    call: Call,
    *,
    owner: Owner,
    zoneid: Zone,
    name: str,
    vpcofferingid: VpcOffering,
    displaytext: str | None = None,
    cidr: Annotated[str | None, Param("what its tiers are in, such as 10.1.0.0/16")] = None,
    networkdomain: Annotated[str | None, Param("the DNS domain of its instances")] = None,
    start: Annotated[bool, Param("whether its router starts at once", since="4.3")] = True,
    fordisplay: Annotated[bool, Param(since="4.4")] = True,
    publicmtu: Annotated[int | None, Param("of its router's public interface", since="4.18.0")] = None,
    dns1: Annotated[str | None, Param("name server of its instances", since="4.18.0")] = None,
    dns2: Annotated[str | None, Param("another", since="4.18.0")] = None,
    sourcenatipaddress: Annotated[
        str | None, Param("the public address that its instances are seen as outside", since="4.19")
    ] = None,
) -> Job:
    """Creates a VPC."""
    if cidr is None:
        raise InvalidParameterValue("Parameter cidr must be given: what the VPC's tiers are in")
    row = call.manager.vpcs.create(
        call.caller,
        owner,
        zoneid,
        vpcofferingid,
        VpcRequest(
            name=name,
            cidr=cidr,
            display_text=displaytext,
            network_domain=networkdomain,
            display=fordisplay,
            public_mtu=publicmtu,
            dns1=dns1,
            dns2=dns2,
            source_nat_ip=sourcenatipaddress or None,
        ),
    )

    async def work() -> Vpc:
        if start:
            await call.manager.vpcs.start_new(row.id)
        return call.store.table(Vpc)[row.id]

    return Job(work, row)


@command("updateVPC", view=VpcView, job=True, event="VPC.UPDATE", group=GROUP)
async def update_vpc(
    call: Call,
    *,
    id: Vpc,
    name: str | None = None,
    displaytext: str | None = None,
    fordisplay: Annotated[bool | None, Param(since="4.4")] = None,
    publicmtu: Annotated[int | None, Param("of its router's public interface", since="4.18.0")] = None,
    sourcenatipaddress: Annotated[
        str | None, Param("the public address that its instances are seen as outside", since="4.19")
    ] = None,
) -> Job:
    """Changes a VPC; another source NAT address comes with a new router."""
    changes = call.manager.vpcs.check_update(
        id, name=name, display_text=displaytext, display=fordisplay, public_mtu=publicmtu
    )
    if sourcenatipaddress:
        call.manager.source_nat.check(id, sourcenatipaddress)

    async def work() -> Vpc:
        if sourcenatipaddress:
            await call.manager.source_nat.change(call.store.table(Vpc)[id.id], sourcenatipaddress)
        changed: Vpc = await call.manager.vpcs.update(id.id, changes)
        return changed

    return Job(work, id)


@command("deleteVPC", job=True, event="VPC.DELETE", group=GROUP)
async def delete_vpc(call: Call, *, id: Vpc) -> Job:
    """Deletes a VPC that has no tiers, with its router and public addresses."""
    call.manager.vpcs.check_deletable(id)
    return Job(lambda: call.manager.vpcs.delete(id.id), id)


@command("restartVPC", job=True, event="VPC.RESTART", group=GROUP)
async def restart_vpc(
    call: Call,
    *,
    id: Vpc,
    cleanup: Annotated[bool, Param("whether it gets a new router")] = False,
    makeredundant: Annotated[bool, Param("not supported: one router serves each VPC")] = False,
) -> Job:
    """Has a VPC's router do anew what is asked of it, or a new one."""
    call.manager.vpcs.check_restart(id, redundant=makeredundant)

    async def work() -> None:
        await call.manager.vpcs.restart(id.id, cleanup=cleanup)

    return Job(work, id)
