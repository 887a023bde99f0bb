"""How guest networks look."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from cloudsim.management.network.ip_reservation import reserved
from cloudsim.management.network.public_ipv6 import routes_to
from cloudsim.management.network.vlans import isolation_of
from cloudsim.model import Network, NetworkAclList, NetworkOffering, PhysicalNetwork, Vpc, Zone
from server.api.command import Call
from server.api.commands.network.service_views import ServiceView, service_views
from server.api.views import Date, TagView, View, date, domain_fields, owner, tags


class NetworkView(View):
    """A guest network."""

    entity: ClassVar = Network
    key: ClassVar = "network"

    id: str | None = None
    name: str | None = None
    displaytext: str | None = None
    state: str | None = None
    type: Annotated[str | None, "Isolated, Shared or L2"] = None
    traffictype: str | None = None
    cidr: str | None = None
    networkcidr: Annotated[str | None, "its whole subnet, where instances have only a part of it"] = None
    reservediprange: Annotated[str | None, "the addresses of its subnet that instances do not get"] = None
    gateway: str | None = None
    netmask: str | None = None
    ip6cidr: Annotated[str | None, "its IPv6 subnet"] = None
    ip6gateway: str | None = None
    ip6routing: Annotated[str | None, "Static: routers upstream have to be told its routes"] = None
    ip6routes: Annotated[list[dict[str, str]] | None, "its subnet, and the address that leads there"] = None
    zoneid: str | None = None
    zonename: str | None = None
    networkofferingid: str | None = None
    networkofferingname: str | None = None
    networkofferingdisplaytext: str | None = None
    networkofferingconservemode: bool | None = None
    networkofferingavailability: str | None = None
    physicalnetworkid: str | None = None
    broadcastdomaintype: str | None = None
    broadcasturi: str | None = None
    vlan: Annotated[str | None, "for root admins"] = None
    dns1: str | None = None
    dns2: str | None = None
    networkdomain: str | None = None
    vpcid: Annotated[str | None, "the VPC that it is a tier of"] = None
    vpcname: str | None = None
    aclid: Annotated[str | None, "the access control list of a tier"] = None
    aclname: str | None = None
    acltype: Annotated[str | None, "Account or Domain: who may use it"] = None
    subdomainaccess: bool | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    issystem: bool | None = None
    isdefault: Annotated[bool | None, "whether instances that name no network get it"] = None
    related: str | None = None
    restartrequired: bool | None = None
    specifyvlan: bool | None = None
    specifyipranges: bool | None = None
    canusefordeploy: bool | None = None
    ispersistent: bool | None = None
    egressdefaultpolicy: bool | None = None
    displaynetwork: bool | None = None
    strechedl2subnet: bool | None = None
    redundantrouter: bool | None = None
    supportsvmautoscaling: bool | None = None
    internetprotocol: str | None = None
    externalid: Annotated[str | None, "what another system calls it"] = None
    publicmtu: Annotated[int | None, "bytes of packets outside its router"] = None
    privatemtu: Annotated[int | None, "bytes of packets within it"] = None
    created: Date | None = None
    service: list[ServiceView] | None = None
    tags: list[TagView] | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: Network, call: Call) -> Self:
        zone = call.store.table(Zone).get(row.zone_id)
        offering = call.store.table(NetworkOffering).get(row.network_offering_id)
        shared = row.acl_type == "Domain"
        owned: dict[str, Any] = domain_fields(call, row.domain_id) if shared else owner(call, row.account_id)
        view = cls(
            id=row.id,
            name=row.name,
            displaytext=row.display_text,
            state=row.state,
            type=row.guest_type,
            traffictype=row.traffic_type,
            cidr=row.cidr,
            networkcidr=row.network_cidr,
            reservediprange=", ".join(f"{first}-{last}" for first, last in reserved(row)) or None,
            gateway=row.gateway,
            netmask=row.netmask,
            ip6cidr=row.ip6_cidr,
            ip6gateway=row.ip6_gateway,
            zoneid=row.zone_id,
            zonename=zone.name if zone else None,
            networkofferingid=row.network_offering_id or None,
            physicalnetworkid=row.physical_network_id,
            broadcastdomaintype=isolation(row, call).capitalize(),
            broadcasturi=broadcast_uri(row, call) if call.caller.is_root_admin else None,
            vlan=row.vlan if call.caller.is_root_admin else None,
            dns1=row.dns1 or (zone.dns1 if zone else None),
            dns2=row.dns2 if row.dns1 else zone.dns2 if zone else None,
            networkdomain=row.network_domain,
            acltype=row.acl_type,
            subdomainaccess=row.subdomain_access if shared else None,
            issystem=row.traffic_type != "Guest",
            isdefault=row.is_default,
            related=row.id,
            restartrequired=row.restart_required,
            canusefordeploy=True,
            displaynetwork=row.display,
            strechedl2subnet=False,
            redundantrouter=False,
            supportsvmautoscaling=False,
            internetprotocol="DualStack" if row.ip6_cidr else "IPv4" if row.cidr else None,
            externalid=row.external_id,
            publicmtu=row.public_mtu,
            privatemtu=row.private_mtu,
            created=date(row.created),
            service=service_views(offering),
            tags=tags(call, row.id),
            **owned,
        )
        if offering is not None:
            view._show_offering(offering)
        if row.ip6_cidr is not None and row.guest_type == "Isolated":
            view.ip6routing = "Static"
            view.ip6routes = routes_to(row, call.manager.public_ipv6.of(row)) or None
        if row.vpc_id is not None:
            vpc, acl = call.store.table(Vpc).get(row.vpc_id), call.store.table(NetworkAclList).get(row.acl_id)
            view.vpcid, view.vpcname = row.vpc_id, vpc.name if vpc else None
            view.aclid, view.aclname = row.acl_id, acl.name if acl else None
        return view

    def _show_offering(self, offering: NetworkOffering) -> None:
        self.networkofferingname, self.networkofferingdisplaytext = offering.name, offering.display_text
        self.networkofferingconservemode = offering.conserve_mode
        self.networkofferingavailability = offering.availability
        self.specifyvlan, self.specifyipranges = offering.specify_vlan, offering.specify_ip_ranges
        self.ispersistent, self.egressdefaultpolicy = offering.persistent, offering.egress_default_policy


def isolation(network: Network, call: Call) -> str:
    """What keeps the network apart from others: VLAN or VXLAN."""
    return isolation_of(call.store.table(PhysicalNetwork).get(network.physical_network_id))


def broadcast_uri(network: Network, call: Call) -> str | None:
    """A network's VLAN or VXLAN as a URI; None before it has one."""
    if network.vlan is not None:
        return f"{isolation(network, call).lower()}://{network.vlan.rpartition('/')[2]}"
    return "vlan://untagged" if network.guest_type == "Shared" else None
