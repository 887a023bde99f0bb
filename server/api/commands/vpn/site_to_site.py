"""Site-to-site VPN: gateways of VPCs, customers' gateways, and the connections between them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.management.vpn.customer_gateways import CustomerGatewayRequest
from cloudsim.model import PublicIp, Vpc, VpnConnection, VpnCustomerGateway, VpnGateway
from server.api.command import Call, Job, Listed, command
from server.api.listing import Page, Scope, listed
from server.api.ownership import Owner
from server.api.parameters import Long as LongParameter
from server.api.parameters import Param, one_of
from server.api.views import Date, Long, View, date, owner

GROUP = "VPN"
NAME = Param("by default VPN-, and the gateway's address")
PEER = Param("the other site's address or host name")
NETWORKS = Param("the other site's networks, separated by commas")
SHARED = Param("the key that both sites know")
IKE = Param("encryption-hash;group, such as aes128-sha1;modp1536")
ESP = Param("encryption-hash, and ;group for perfect forward secrecy")


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


class VpnCustomerGatewayView(View):
    """The other site's end of connections."""

    entity: ClassVar = VpnCustomerGateway
    key: ClassVar = "vpncustomergateway"

    id: str | None = None
    name: str | None = None
    gateway: str | None = None
    ipaddress: str | None = None
    cidrlist: str | None = None
    ipsecpsk: str | None = None
    ikepolicy: str | None = None
    esppolicy: str | None = None
    ikelifetime: Long | None = None
    esplifetime: Long | None = None
    dpd: Annotated[bool | None, "dead peer detection"] = None
    forceencap: bool | None = None
    splitconnections: bool | None = None
    ikeversion: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: VpnCustomerGateway, call: Call) -> Self:
        return cls(
            id=row.id,
            name=row.name,
            gateway=row.gateway,
            ipaddress=row.gateway,
            cidrlist=",".join(row.cidrs),
            ipsecpsk=row.preshared_key,
            ikepolicy=row.ike_policy,
            esppolicy=row.esp_policy,
            ikelifetime=row.ike_lifetime,
            esplifetime=row.esp_lifetime,
            dpd=row.dead_peer_detection,
            forceencap=row.force_encapsulation,
            splitconnections=row.split_connections,
            ikeversion=row.ike_version,
            **owner(call, row.account_id),
        )


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


# gateways of VPCs


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


# customers' gateways


@command("listVpnCustomerGateways", view=VpnCustomerGatewayView, group=GROUP)
async def list_vpn_customer_gateways(
    call: Call, *, page: Page, scope: Scope, id: VpnCustomerGateway | None = None
) -> Listed:
    """Lists VPN customer gateways."""
    return listed(call, VpnCustomerGateway, page=page, scope=scope, ids=None if id is None else [id])


@command(
    "createVpnCustomerGateway",
    view=VpnCustomerGatewayView,
    job=True,
    creates=VpnCustomerGateway,
    event="VPN.S2S.CUSTOMER.GATEWAY.CREATE",
    group=GROUP,
)
async def create_vpn_customer_gateway(
    call: Call,
    *,
    owner: Owner,
    gateway: Annotated[str, PEER],
    cidrlist: Annotated[str, NETWORKS],
    ipsecpsk: Annotated[str, SHARED],
    ikepolicy: Annotated[str, IKE],
    esppolicy: Annotated[str, ESP],
    name: Annotated[str | None, NAME] = None,
    ikelifetime: Annotated[LongParameter | None, Param("seconds; 86400 by default")] = None,
    esplifetime: Annotated[LongParameter | None, Param("seconds; 3600 by default")] = None,
    dpd: Annotated[bool, Param("dead peer detection")] = False,
    forceencap: Annotated[bool, Param("whether packets are always in UDP")] = False,
    splitconnections: Annotated[bool, Param(since="4.15.1")] = False,
    ikeversion: Annotated[str | None, one_of("ike", "ikev1", "ikev2", since="4.15.1")] = None,
) -> Job:
    """Creates the other site's end of site-to-site connections."""
    row = call.manager.customer_gateways.create(
        owner,
        CustomerGatewayRequest(
            gateway=gateway,
            cidrs=cidrlist,
            preshared_key=ipsecpsk,
            ike_policy=ikepolicy,
            esp_policy=esppolicy,
            name=name,
            ike_lifetime=ikelifetime,
            esp_lifetime=esplifetime,
            dead_peer_detection=dpd,
            force_encapsulation=forceencap,
            split_connections=splitconnections,
            ike_version=ikeversion,
        ),
    )

    async def work() -> VpnCustomerGateway:
        return call.store.table(VpnCustomerGateway)[row.id]

    return Job(work, row)


@command(
    "updateVpnCustomerGateway",
    view=VpnCustomerGatewayView,
    job=True,
    event="VPN.S2S.CUSTOMER.GATEWAY.UPDATE",
    group=GROUP,
)
async def update_vpn_customer_gateway(
    call: Call,
    *,
    id: VpnCustomerGateway,
    gateway: Annotated[str, PEER],
    cidrlist: Annotated[str, NETWORKS],
    ipsecpsk: Annotated[str, SHARED],
    ikepolicy: Annotated[str, IKE],
    esppolicy: Annotated[str, ESP],
    name: str | None = None,
    ikelifetime: Annotated[LongParameter | None, Param("seconds; 86400 by default")] = None,
    esplifetime: Annotated[LongParameter | None, Param("seconds; 3600 by default")] = None,
    dpd: Annotated[bool, Param("dead peer detection")] = False,
    forceencap: Annotated[bool, Param("whether packets are always in UDP")] = False,
    splitconnections: Annotated[bool, Param(since="4.15.1")] = False,
    ikeversion: Annotated[str | None, one_of("ike", "ikev1", "ikev2", since="4.15.1")] = None,
) -> Job:
    """Changes the other site's end; its connections are set up anew."""
    changes = call.manager.customer_gateways.check_update(
        id,
        CustomerGatewayRequest(
            gateway=gateway,
            cidrs=cidrlist,
            preshared_key=ipsecpsk,
            ike_policy=ikepolicy,
            esp_policy=esppolicy,
            name=name,
            ike_lifetime=ikelifetime,
            esp_lifetime=esplifetime,
            dead_peer_detection=dpd,
            force_encapsulation=forceencap,
            split_connections=splitconnections,
            ike_version=ikeversion,
        ),
    )
    call.manager.site_to_site.check_customer(id, changes)
    return Job(lambda: call.manager.site_to_site.update_customer(id.id, changes), id)


@command("deleteVpnCustomerGateway", job=True, event="VPN.S2S.CUSTOMER.GATEWAY.DELETE", group=GROUP)
async def delete_vpn_customer_gateway(call: Call, *, id: VpnCustomerGateway) -> Job:
    """Deletes a VPN customer gateway that nothing is connected with."""
    call.manager.customer_gateways.check_deletable(id)

    async def work() -> None:
        call.manager.customer_gateways.delete(id.id)

    return Job(work, id)


# connections


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
async def reset_vpn_connection(call: Call, *, id: VpnConnection) -> Job:
    """Sets a VPN connection up anew."""
    return Job(lambda: call.manager.site_to_site.reset(id.id), id)


@command("deleteVpnConnection", job=True, event="VPN.S2S.CONNECTION.DELETE", group=GROUP)
async def delete_vpn_connection(call: Call, *, id: VpnConnection) -> Job:
    """Disconnects a VPC from another site."""
    return Job(lambda: call.manager.site_to_site.delete(id.id), id)
