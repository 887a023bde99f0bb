"""VPN customer gateways: the other sites' ends of site-to-site connections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from cloudsim.management.vpn.customer_gateways import CustomerGatewayRequest
from cloudsim.model import VpnCustomerGateway
from server.api.command import Call, Job, Listed, command
from server.api.listing import Page, listed
from server.api.ownership import NamedAccount, Owner, check_named
from server.api.parameters import Long, Param, Parameter, one_of, parameter
from server.api.scope import Scope
from server.api.views import Long as LongField
from server.api.views import View, owner

GROUP = "VPN"
_FIELDS = {
    "gateway": "gateway",
    "cidrlist": "cidrs",
    "ipsecpsk": "preshared_key",
    "ikepolicy": "ike_policy",
    "esppolicy": "esp_policy",
    "name": "name",
    "ikelifetime": "ike_lifetime",
    "esplifetime": "esp_lifetime",
    "dpd": "dead_peer_detection",
    "forceencap": "force_encapsulation",
    "splitconnections": "split_connections",
    "ikeversion": "ike_version",
}
"""Wire name -> field of CustomerGatewayRequest."""


class _GatewayParameters:
    """The wire parameters that make up a CustomerGatewayRequest; `name` says what it is called when none is given."""

    def __init__(self, name: str) -> None:
        policy = "encryption-hash"
        self.parameters: tuple[Parameter, ...] = (
            parameter("gateway", Annotated[str, Param("the other site's address or host name")]),
            parameter("cidrlist", Annotated[str, Param("the other site's networks, separated by commas")]),
            parameter("ipsecpsk", Annotated[str, Param("the key that both sites know")]),
            parameter("ikepolicy", Annotated[str, Param(f"{policy};group, such as aes128-sha1;modp1536")]),
            parameter("esppolicy", Annotated[str, Param(f"{policy}, and ;group for perfect forward secrecy")]),
            parameter("name", Annotated[str | None, Param(name)], None),
            parameter("ikelifetime", Annotated[Long | None, Param("seconds; 86400 by default")], None),
            parameter("esplifetime", Annotated[Long | None, Param("seconds; 3600 by default")], None),
            parameter("dpd", Annotated[bool, Param("dead peer detection")], False),
            parameter("forceencap", Annotated[bool, Param("whether packets are always in UDP")], False),
            parameter("splitconnections", Annotated[bool, Param(since="4.15.1")], False),
            parameter(
                "ikeversion", Annotated[str | None, one_of("ike", "ikev1", "ikev2", since="4.15.1")], None
            ),
        )

    def value(self, call: Call, values: Mapping[str, Any]) -> CustomerGatewayRequest:
        return CustomerGatewayRequest(**{field: values[name] for name, field in _FIELDS.items() if name in values})


NewCustomerGateway = Annotated[
    CustomerGatewayRequest, _GatewayParameters("by default VPN-, and the gateway's address")
]
"""gateway, cidrlist, the key, the policies and lifetimes, and a name."""
ChangedCustomerGateway = Annotated[CustomerGatewayRequest, _GatewayParameters("")]
"""The same; without a name it keeps the one it has."""


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
    ikelifetime: LongField | None = None
    esplifetime: LongField | None = None
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
    call: Call, *, owner: Owner, request: NewCustomerGateway
) -> Job:
    """Creates the other site's end of site-to-site connections."""
    row = call.manager.customer_gateways.create(owner, request)

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
    call: Call, *, id: VpnCustomerGateway, named: NamedAccount, request: ChangedCustomerGateway
) -> Job:
    """Changes the other site's end; its connections are set up anew."""
    check_named(named, id.account_id, f"customer gateway {id.name}")
    changes = call.manager.customer_gateways.check_update(id, request)
    call.manager.site_to_site.check_customer(id, changes)
    return Job(lambda: call.manager.site_to_site.update_customer(id.id, changes), id)


@command("deleteVpnCustomerGateway", job=True, event="VPN.S2S.CUSTOMER.GATEWAY.DELETE", group=GROUP)
async def delete_vpn_customer_gateway(call: Call, *, id: VpnCustomerGateway) -> Job:
    """Deletes a VPN customer gateway that nothing is connected with."""
    call.manager.customer_gateways.check_deletable(id)

    async def work() -> None:
        call.manager.customer_gateways.delete(id.id)

    return Job(work, id)
