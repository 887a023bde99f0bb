"""VPN gateways: the ends of site-to-site connections in VPCs."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.model import PublicIp, Vpc, VpnGateway
from server.api.command import Call, Job, Listed, command
from server.api.listing import Page, listed
from server.api.parameters import Param
from server.api.scope import Scope
from server.api.views import View, owner

GROUP = "VPN"


class VpnGatewayView(View):
    """A VPC's end of its site-to-site connections."""

    entity: ClassVar = VpnGateway
    key: ClassVar = "vpngateway"

    id: str | None = None
    publicip: str | None = None
    vpcid: str | None = None
    vpcname: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    fordisplay: bool | None = None

    @classmethod
    def of(cls, row: VpnGateway, call: Call) -> Self:
        vpc, ip = call.store.table(Vpc).get(row.vpc_id), call.store.table(PublicIp).get(row.public_ip_id)
        return cls(
            id=row.id,
            publicip=ip.ip if ip else None,
            vpcid=row.vpc_id,
            vpcname=vpc.name if vpc else None,
            fordisplay=row.display,
            **owner(call, row.account_id),
        )


@command("listVpnGateways", view=VpnGatewayView, group=GROUP)
async def list_vpn_gateways(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: VpnGateway | None = None,
    vpcid: Vpc | None = None,
    fordisplay: Annotated[bool | None, Param(since="4.4")] = None,
) -> Listed:
    """Lists VPN gateways of VPCs."""
    return listed(
        call,
        VpnGateway,
        page=page,
        scope=scope,
        ids=None if id is None else [id],
        equal={"vpc_id": vpcid and vpcid.id, "display": fordisplay},
        search=("id",),
    )


@command(
    "createVpnGateway",
    view=VpnGatewayView,
    job=True,
    creates=VpnGateway,
    event="VPN.S2S.VPN.GATEWAY.CREATE",
    group=GROUP,
)
async def create_vpn_gateway(
    call: Call,
    *,
    vpcid: Annotated[Vpc, Param(access="operate")],
    ipaddressid: Annotated[
        PublicIp | None, Param("an address of the VPC; by default its source NAT address", access="operate")
    ] = None,
    fordisplay: bool = True,
) -> Job:
    """Creates a VPC's end of site-to-site connections."""
    row = call.manager.site_to_site.create_gateway(vpcid, address=ipaddressid, display=fordisplay)

    async def work() -> VpnGateway:
        return call.store.table(VpnGateway)[row.id]

    return Job(work, row)


@command(
    "updateVpnGateway",
    view=VpnGatewayView,
    job=True,
    event="VPN.S2S.VPN.GATEWAY.UPDATE",
    since="4.4",
    group=GROUP,
)
async def update_vpn_gateway(
    call: Call, *, id: VpnGateway, fordisplay: Annotated[bool | None, Param(since="4.4")] = None
) -> Job:
    """Changes whether a VPN gateway is shown."""

    async def work() -> VpnGateway:
        changed: VpnGateway = call.manager.site_to_site.update_gateway(id.id, display=fordisplay)
        return changed

    return Job(work, id)


@command("deleteVpnGateway", job=True, event="VPN.S2S.VPN.GATEWAY.DELETE", group=GROUP)
async def delete_vpn_gateway(call: Call, *, id: VpnGateway) -> Job:
    """Deletes a VPN gateway that has no connections."""
    call.manager.site_to_site.check_gateway_deletable(id)

    async def work() -> None:
        call.manager.site_to_site.delete_gateway(id.id)

    return Job(work, id)
