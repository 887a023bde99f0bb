"""IP ranges of VLANs: public ones, and those of shared guest networks."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any, ClassVar, Self

from cloudsim.errors import InvalidParameterValue, UnsupportedCommand
from cloudsim.management.network.ip_ranges import RangeRequest
from cloudsim.management.network.vlans import UNTAGGED, isolation_of
from cloudsim.model import (
    Account,
    Domain,
    IpRange,
    Network,
    PhysicalNetwork,
    Pod,
    PortableIpRange,
    Project,
    TrafficType,
    Zone,
)
from server.api.command import ROOT, Call, Listed, command
from server.api.listing import Page, listed
from server.api.ownership import account_named, resolve_owner
from server.api.parameters import Param
from server.api.views import View, domain_fields, owner

GROUP = "VLAN"
Range = Annotated[IpRange, Param(access="use")]
Gateway6 = Annotated[str | None, Param("the IPv6 gateway; with ip6cidr")]
Cidr6 = Annotated[str | None, Param("the IPv6 subnet, of 64 bits, such as 2001:db8::/64")]
First6 = Annotated[str | None, Param("the first IPv6 address; all of ip6cidr if left out")]
Last6 = Annotated[str | None, Param("the last IPv6 address; the first if left out")]


class VlanIpRangeView(View):
    """A range of addresses."""

    entity: ClassVar = IpRange
    key: ClassVar = "vlan"

    id: str | None = None
    forvirtualnetwork: Annotated[bool | None, "whether the addresses are public"] = None
    zoneid: str | None = None
    vlan: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    podid: str | None = None
    podname: str | None = None
    description: str | None = None
    gateway: str | None = None
    netmask: str | None = None
    cidr: str | None = None
    startip: str | None = None
    endip: str | None = None
    ip6gateway: str | None = None
    ip6cidr: str | None = None
    startipv6: str | None = None
    endipv6: str | None = None
    networkid: str | None = None
    physicalnetworkid: str | None = None
    forsystemvms: bool | None = None

    @classmethod
    def of(cls, row: IpRange, call: Call) -> Self:
        pod = call.store.table(Pod).get(row.pod_id)
        uri = vlan_uri(row, call)
        network_id = row.network_id or public_network_id(call, row.zone_id)
        if row.account_id is not None:
            owned = owner(call, row.account_id)
        elif row.domain_id is not None:
            owned = domain_fields(call, row.domain_id)
        else:
            owned = _owner_of_everyones(row, call)
        return cls(
            id=row.id,
            forvirtualnetwork=row.public,
            zoneid=row.zone_id,
            vlan=uri,
            podid=row.pod_id,
            podname=pod.name if pod is not None else None,
            description=f"{uri} {row.span}",
            gateway=row.gateway or None,
            netmask=row.netmask or None,
            cidr=str(ipaddress.IPv4Network(f"{row.gateway}/{row.netmask}", strict=False)) if row.gateway else None,
            startip=row.start_ip or None,
            endip=row.end_ip or None,
            ip6gateway=row.ip6_gateway,
            ip6cidr=row.ip6_cidr,
            startipv6=row.start_ip6,
            endipv6=row.end_ip6,
            networkid=network_id,
            physicalnetworkid=row.physical_network_id,
            forsystemvms=row.for_system_vms,
            **owned,
        )


def _owner_of_everyones(row: IpRange, call: Call) -> dict[str, Any]:
    """The owner of a range that is dedicated to nobody: its network's, which of public ones is the system."""
    network = call.store.table(Network).get(row.network_id)
    if network is not None:
        return owner(call, network.account_id)
    root = call.store.table(Domain).find("path", "ROOT")
    system = root and call.store.table(Account).find(("domain_id", "name"), (root.id, "system"))
    return owner(call, system.id) if system else {}


def vlan_uri(row: IpRange | PortableIpRange, call: Call) -> str:
    """The range's VLAN as a URI, such as vlan://50 or vlan://untagged."""
    if row.vlan is None:
        return f"vlan://{UNTAGGED}"
    if isinstance(row, PortableIpRange):
        return f"vlan://{row.vlan}"
    physical = call.store.table(PhysicalNetwork).get(row.physical_network_id)
    return f"{isolation_of(physical).lower()}://{row.vlan}"


def public_network_id(call: Call, zone_id: str) -> str | None:
    """The id of the network that public addresses of the zone are on, once there is one."""
    for network in call.store.table(Network).where(("zone_id", "traffic_type"), (zone_id, "Public")):
        return network.id
    return None


def public_wire_id(call: Call, zone_id: str) -> str | None:
    """The id of the physical network that carries the zone's public traffic."""
    traffic = call.store.table(TrafficType)
    for wire in call.store.table(PhysicalNetwork).where("zone_id", zone_id):
        if traffic.find(("physical_network_id", "traffic_type"), (wire.id, "Public")) is not None:
            return wire.id
    return None


def _no_provider(provider: str | None) -> None:
    if provider:
        raise UnsupportedCommand(
            f"Parameter provider: ranges for external provider {provider} are not supported"
        )


def _dedicated_to(
    call: Call, account: str | None, domain: Domain | None, project: Project | None
) -> Account | None:
    """The account that parameters name; None where they name a domain or nothing."""
    if account is None and project is None:
        return None
    if project is None and domain is None:
        raise InvalidParameterValue("Parameters account and domainid must be given together")
    return resolve_owner(call.store, call.caller, account, domain, project)


@command("createVlanIpRange", view=VlanIpRangeView, roles=ROOT, group=GROUP, event="VLAN.IP.RANGE.CREATE")
async def create_vlan_ip_range(
    call: Call,
    *,
    account: Annotated[str | None, Param("the account it is dedicated to; with domainid")] = None,
    projectid: Annotated[Project | None, Param("the project it is dedicated to")] = None,
    domainid: Annotated[Domain | None, Param("the domain it is dedicated to, or that of the account")] = None,
    zoneid: Zone | None = None,
    networkid: Annotated[Network | None, Param("the shared network whose addresses they are")] = None,
    physicalnetworkid: PhysicalNetwork | None = None,
    podid: Pod | None = None,
    forvirtualnetwork: Annotated[bool | None, Param("true for public addresses")] = None,
    startip: Annotated[str | None, Param("the first address")] = None,
    endip: Annotated[str | None, Param("the last address; by default the first")] = None,
    gateway: str | None = None,
    netmask: str | None = None,
    vlan: Annotated[str | None, Param("a VLAN id, also as vlan://id, or untagged")] = None,
    forsystemvms: Annotated[bool, Param("whether they are kept for system VMs")] = False,
    startipv6: First6 = None,
    endipv6: Last6 = None,
    ip6gateway: Gateway6 = None,
    ip6cidr: Cidr6 = None,
    provider: Annotated[str | None, Param("not supported")] = None,
) -> IpRange:
    """Creates an IP range: of public addresses, or of a shared guest network; of IPv4 addresses, IPv6 ones or both."""
    _no_provider(provider)
    made: IpRange = call.manager.ip_ranges.create(
        RangeRequest(
            start_ip=startip,
            end_ip=endip or None,
            gateway=gateway or None,
            netmask=netmask or None,
            vlan=vlan,
            zone=zoneid,
            network=networkid,
            physical=physicalnetworkid,
            pod=podid,
            public=forvirtualnetwork,
            owner=_dedicated_to(call, account or None, domainid, projectid),
            domain=domainid,
            for_system_vms=forsystemvms,
            ip6_gateway=ip6gateway or None,
            ip6_cidr=ip6cidr or None,
            start_ip6=startipv6 or None,
            end_ip6=endipv6 or None,
        )
    )
    return made


@command("listVlanIpRanges", view=VlanIpRangeView, key="vlaniprange", roles=ROOT, group=GROUP)
async def list_vlan_ip_ranges(
    call: Call,
    *,
    page: Page,
    id: IpRange | None = None,
    account: Annotated[str | None, Param("ranges dedicated to that account; with domainid")] = None,
    domainid: Annotated[Domain | None, Param("ranges dedicated to that domain or an account of it")] = None,
    projectid: Annotated[Project | None, Param("ranges dedicated to that project")] = None,
    zoneid: Zone | None = None,
    podid: Pod | None = None,
    networkid: Network | None = None,
    physicalnetworkid: PhysicalNetwork | None = None,
    vlan: str | None = None,
    forvirtualnetwork: bool | None = None,
) -> Listed:
    """Lists IP ranges."""
    account_id = None
    if projectid is not None:
        account_id = projectid.account_id
    elif account is not None:
        domain = domainid or call.store.table(Domain)[call.caller.account.domain_id]
        account_id = account_named(call.store, account, domain).id
    tag = None if not vlan else vlan.lower().rpartition("/")[2]
    equal = {
        "zone_id": zoneid and zoneid.id,
        "pod_id": podid and podid.id,
        "physical_network_id": physicalnetworkid and physicalnetworkid.id,
        "account_id": account_id,
        "domain_id": domainid and domainid.id,
        "public": forvirtualnetwork,
    }
    if networkid is not None and networkid.traffic_type == "Public":
        equal |= {"zone_id": networkid.zone_id, "public": True}
    elif networkid is not None:
        equal["network_id"] = networkid.id
    return listed(
        call,
        IpRange,
        page=page,
        ids=None if id is None else [id],
        equal=equal,
        keep=None if tag is None else lambda row: (row.vlan or UNTAGGED) == tag,
        search=("start_ip", "end_ip", "ip6_cidr", "vlan"),
    )


@command(
    "updateVlanIpRange",
    view=VlanIpRangeView,
    roles=ROOT,
    group=GROUP,
    event="VLAN.IP.RANGE.UPDATE",
    since="4.16.0",
)
async def update_vlan_ip_range(
    call: Call,
    *,
    id: Range,
    startip: str | None = None,
    endip: str | None = None,
    gateway: str | None = None,
    netmask: str | None = None,
    forsystemvms: bool | None = None,
    startipv6: First6 = None,
    endipv6: Last6 = None,
    ip6gateway: Gateway6 = None,
    ip6cidr: Cidr6 = None,
) -> IpRange:
    """Changes an IP range; addresses in use must stay in it."""
    changed: IpRange = call.manager.ip_ranges.update(
        id,
        gateway=gateway,
        netmask=netmask,
        start_ip=startip,
        end_ip=endip,
        for_system_vms=forsystemvms,
        ip6_gateway=ip6gateway,
        ip6_cidr=ip6cidr,
        start_ip6=startipv6,
        end_ip6=endipv6,
    )
    return changed


@command("deleteVlanIpRange", roles=ROOT, group=GROUP, event="VLAN.IP.RANGE.DELETE")
async def delete_vlan_ip_range(call: Call, *, id: Range) -> None:
    """Deletes an IP range of which no address is in use."""
    call.manager.ip_ranges.delete(id)


@command(
    "dedicatePublicIpRange",
    view=VlanIpRangeView,
    roles=ROOT,
    group="Network",
    event="VLAN.IP.RANGE.DEDICATE",
)
async def dedicate_public_ip_range(
    call: Call,
    *,
    id: Range,
    domainid: Domain,
    account: str | None = None,
    projectid: Project | None = None,
) -> IpRange:
    """Dedicates a public IP range to an account, a project or a domain."""
    owner_account = _dedicated_to(call, account or None, domainid, projectid)
    changed: IpRange = call.manager.ip_ranges.dedicate(id, owner_account, domainid)
    return changed


@command("releasePublicIpRange", roles=ROOT, group="Network", event="VLAN.IP.RANGE.RELEASE")
async def release_public_ip_range(call: Call, *, id: Range) -> None:
    """Gives a dedicated public IP range back to everyone."""
    call.manager.ip_ranges.release(id)
