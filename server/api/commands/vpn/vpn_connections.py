"""Site-to-site VPN connections: of VPCs with other sites."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.model import PublicIp, Vpc, VpnConnection, VpnCustomerGateway, VpnGateway
from server.api.command import Call, Job, Listed, command
from server.api.listing import Page, listed
from server.api.ownership import NamedAccount, check_named
from server.api.parameters import Param
from server.api.scope import Scope
from server.api.views import Date, Long, View, date, owner

GROUP = "VPN"


class VpnConnectionView(View):
    """A connection of a VPC with another site."""

    entity: ClassVar = VpnConnection
    key: ClassVar = "vpnconnection"

    id: str | None = None
    s2svpngatewayid: str | None = None
    publicip: str | None = None
    s2scustomergatewayid: str | None = None
    gateway: str | None = None
    cidrlist: str | None = None
    ipsecpsk: str | None = None
    ikepolicy: str | None = None
    esppolicy: str | None = None
    ikelifetime: Long | None = None
    esplifetime: Long | None = None
    dpd: bool | None = None
    forceencap: bool | None = None
    splitconnections: bool | None = None
    ikeversion: str | None = None
    state: Annotated[str | None, "Connected once the router says that it is up"] = None
    passive: Annotated[bool | None, "whether it waits for the other site"] = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    created: Date | None = None
    fordisplay: bool | None = None

    @classmethod
    def of(cls, row: VpnConnection, call: Call) -> Self:
        view = cls(
            id=row.id,
            s2svpngatewayid=row.vpn_gateway_id,
            s2scustomergatewayid=row.customer_gateway_id,
            state=row.state,
            passive=row.passive,
            created=date(row.created),
            fordisplay=row.display,
            **owner(call, row.account_id),
        )
        gateway = call.store.table(VpnGateway).get(row.vpn_gateway_id)
        ip = call.store.table(PublicIp).get(gateway.public_ip_id) if gateway else None
        view.publicip = ip.ip if ip else None
        peer = call.store.table(VpnCustomerGateway).get(row.customer_gateway_id)
        if peer is not None:
            view.gateway, view.cidrlist = peer.gateway, ",".join(peer.cidrs)
            view.ipsecpsk, view.ikepolicy, view.esppolicy = (
                peer.preshared_key,
                peer.ike_policy,
                peer.esp_policy,
            )
            view.ikelifetime, view.esplifetime = peer.ike_lifetime, peer.esp_lifetime
            view.dpd, view.forceencap = peer.dead_peer_detection, peer.force_encapsulation
            view.splitconnections, view.ikeversion = peer.split_connections, peer.ike_version
        return view


@command("listVpnConnections", view=VpnConnectionView, group=GROUP)
async def list_vpn_connections(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: VpnConnection | None = None,
    vpcid: Vpc | None = None,
    fordisplay: Annotated[bool | None, Param(since="4.4")] = None,
) -> Listed:
    """Lists site-to-site VPN connections."""
    gateway = None
    if vpcid is not None:
        gateway = call.store.table(VpnGateway).find("vpc_id", vpcid.id)
        if gateway is None:
            return Listed([], 0)
    return listed(
        call,
        VpnConnection,
        page=page,
        scope=scope,
        ids=None if id is None else [id],
        equal={"vpn_gateway_id": gateway and gateway.id, "display": fordisplay},
        search=("id",),
    )


@command(
    "createVpnConnection",
    view=VpnConnectionView,
    job=True,
    creates=VpnConnection,
    event="VPN.S2S.CONNECTION.CREATE",
    group=GROUP,
)
async def create_vpn_connection(
    call: Call,
    *,
    s2svpngatewayid: Annotated[VpnGateway, Param("the VPC's end", access="operate")],
    s2scustomergatewayid: Annotated[VpnCustomerGateway, Param("the other site's end", access="operate")],
    passive: Annotated[bool, Param("whether it waits for the other site")] = False,
    fordisplay: Annotated[bool, Param(since="4.4")] = True,
) -> Job:
    """Connects a VPC with another site."""
    vpn = call.manager.site_to_site
    row = vpn.create(s2svpngatewayid, s2scustomergatewayid, passive=passive, display=fordisplay)
    return Job(lambda: vpn.apply(row.id), row)


@command(
    "updateVpnConnection",
    view=VpnConnectionView,
    job=True,
    event="VPN.S2S.CONNECTION.UPDATE",
    since="4.4",
    group=GROUP,
)
async def update_vpn_connection(
    call: Call, *, id: VpnConnection, fordisplay: Annotated[bool | None, Param(since="4.4")] = None
) -> Job:
    """Changes whether a VPN connection is shown."""

    async def work() -> VpnConnection:
        changed: VpnConnection = call.manager.site_to_site.update(id.id, display=fordisplay)
        return changed

    return Job(work, id)


@command("resetVpnConnection", view=VpnConnectionView, job=True, event="VPN.S2S.CONNECTION.RESET", group=GROUP)
async def reset_vpn_connection(call: Call, *, id: VpnConnection, named: NamedAccount) -> Job:
    """Sets a VPN connection up anew."""
    check_named(named, id.account_id, f"VPN connection {id.id}")
    return Job(lambda: call.manager.site_to_site.reset(id.id), id)


@command("deleteVpnConnection", job=True, event="VPN.S2S.CONNECTION.DELETE", group=GROUP)
async def delete_vpn_connection(call: Call, *, id: VpnConnection) -> Job:
    """Disconnects a VPC from another site."""
    return Job(lambda: call.manager.site_to_site.delete(id.id), id)
