"""Guest networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.identity.visibility import is_for_domain
from cloudsim.management.network.mtus import check_mtus
from cloudsim.management.network.network_requests import NetworkRequest
from cloudsim.model import (
    Account,
    Domain,
    Network,
    NetworkAclList,
    NetworkOffering,
    NetworkPermission,
    PhysicalNetwork,
    Vpc,
    Zone,
)
from server.api.command import Call, Job, Listed, command
from server.api.commands.network.network_view import NetworkView
from server.api.listing import OnlyCount, Page, Tags, counted, listed
from server.api.ownership import Owner
from server.api.parameters import Param, one_of
from server.api.scope import ProjectOrAccountScope

GROUP = "Network"


PublicMtu = Annotated[
    int | None, Param("bytes of packets outside its router, up to vr.public.interface.max.mtu", since="4.18.0")
]
PrivateMtu = Annotated[
    int | None, Param("bytes of packets within it, up to vr.private.interface.max.mtu", since="4.18.0")
]
HideUsage = Annotated[
    bool | None, Param("whether the use of its public addresses goes into no usage record", since="4.16.0")
]


@command("createNetwork", view=NetworkView, event="NETWORK.CREATE", group=GROUP)
async def create_network(
    call: Call,
    *,
    owner: Owner,
    name: str,
    zoneid: Zone,
    networkofferingid: NetworkOffering,
    displaytext: str | None = None,
    physicalnetworkid: PhysicalNetwork | None = None,
    gateway: str | None = None,
    netmask: str | None = None,
    startip: Annotated[str | None, Param("the first address given to instances")] = None,
    endip: Annotated[str | None, Param("the last address given to instances")] = None,
    vlan: Annotated[str | None, Param("a VLAN id, or untagged")] = None,
    networkdomain: Annotated[str | None, Param("the DNS domain of its instances")] = None,
    acltype: Annotated[Literal["Account", "Domain"] | None, Param("who may use a shared network")] = None,
    subdomainaccess: Annotated[
        bool | None, Param("whether a domain's network is for the domains below too; by default so")
    ] = None,
    displaynetwork: bool | None = None,
    vpcid: Annotated[Vpc | None, Param("the VPC that it is to be a tier of", access="operate")] = None,
    aclid: Annotated[
        NetworkAclList | None, Param("a tier's access control list; without one nothing comes in")
    ] = None,
    dns1: Annotated[str | None, Param("name server of its instances", since="4.18.0")] = None,
    dns2: Annotated[str | None, Param("another", since="4.18.0")] = None,
    ip6gateway: Annotated[str | None, Param("the IPv6 gateway of a shared network; with ip6cidr")] = None,
    ip6cidr: Annotated[str | None, Param("the IPv6 subnet of a shared network, of 64 bits")] = None,
    startipv6: Annotated[str | None, Param("the first IPv6 address that may be asked for")] = None,
    endipv6: Annotated[str | None, Param("the last IPv6 address that may be asked for")] = None,
    externalid: Annotated[str | None, Param("what another system calls it")] = None,
    routerip: Annotated[str | None, Param("where the router of a shared network is to be", since="4.16.0")] = None,
    sourcenatipaddress: Annotated[
        str | None, Param("the free public address that its instances are seen as outside", since="4.19.0")
    ] = None,
    publicmtu: PublicMtu = None,
    privatemtu: PrivateMtu = None,
    hideipaddressusage: HideUsage = False,
    bypassvlanoverlapcheck: Annotated[
        bool, Param("whether a shared or L2 network's VLAN may be one that others have, or are given")
    ] = False,
) -> Network:
    """Creates a guest network."""
    named = bool(call.fields.get("account") or call.fields.get("projectid"))
    domain_id = call.fields.get("domainid")
    if domain_id and not named and (networkofferingid.guest_type != "Shared" or acltype == "Account"):
        raise InvalidParameterValue("Parameters account and domainid must be given together")
    request = NetworkRequest(
        name=name,
        display_text=displaytext,
        physical_network=physicalnetworkid,
        gateway=gateway,
        netmask=netmask,
        start_ip=startip,
        end_ip=endip,
        vlan=vlan,
        network_domain=networkdomain,
        acl_type=acltype or ("Account" if named else None),
        domain=call.store.table(Domain).get(domain_id) if domain_id else None,
        subdomain_access=subdomainaccess,
        display=displaynetwork is not False,
        vpc=vpcid,
        acl=aclid,
        dns1=dns1,
        dns2=dns2,
        ip6_gateway=ip6gateway or None,
        ip6_cidr=ip6cidr or None,
        start_ip6=startipv6 or None,
        end_ip6=endipv6 or None,
        external_id=externalid or None,
        router_ip=routerip or None,
        public_mtu=publicmtu,
        private_mtu=privatemtu,
        hides_address_usage=bool(hideipaddressusage),
        vlan_overlap_allowed=bypassvlanoverlapcheck,
    )
    if vpcid is not None and not named:
        owner = call.store.table(Account)[vpcid.account_id]
    with call.store.transaction():
        made: Network = call.manager.networks.create(call.caller, owner, zoneid, networkofferingid, request)
        if sourcenatipaddress:
            call.manager.source_nat.take(made, sourcenatipaddress)
    if networkofferingid.persistent:
        made = await call.manager.network_life.implement(made.id)
    return made


@command("listNetworks", view=NetworkView, group=GROUP)
async def list_networks(
    call: Call,
    *,
    page: Page,
    scope: ProjectOrAccountScope,
    id: Network | None = None,
    name: str | None = None,
    zoneid: Zone | None = None,
    type: Annotated[str | None, one_of("Isolated", "Shared", "L2")] = None,
    acltype: Annotated[str | None, one_of("Account", "Domain")] = None,
    traffictype: str | None = None,
    physicalnetworkid: PhysicalNetwork | None = None,
    networkofferingid: NetworkOffering | None = None,
    supportedservices: Annotated[Sequence[str] | None, Param("networks with all these services")] = None,
    vlan: str | None = None,
    issystem: bool | None = None,
    restartrequired: bool | None = None,
    specifyipranges: bool | None = None,
    canusefordeploy: bool | None = None,
    displaynetwork: bool | None = None,
    forvpc: bool | None = None,
    vpcid: Annotated[Vpc | None, Param("tiers of that VPC")] = None,
    networkfilter: Annotated[str | None, one_of("account", "domain", "accountdomain", "shared", "all")] = None,
    retrieveonlyresourcecount: OnlyCount = False,
    tags: Tags | None = None,
) -> Listed:
    """Lists guest networks."""
    offerings = call.store.table(NetworkOffering)
    wanted = {service.lower() for service in supportedservices or ()}
    kinds = _kinds(networkfilter)
    own_domain = call.caller.account.domain_id
    in_project = bool(call.fields.get("projectid"))
    permissions = call.store.table(NetworkPermission)
    shared = {row.network_id for each in scope.accounts or () for row in permissions.where("account_id", each)}

    def is_shared(network: Network) -> bool:
        if scope.accounts is not None:
            return network.id in shared
        return any(scope.owns(row.account_id) for row in permissions.where("network_id", network.id))

    def shown(network: Network) -> bool:
        if network.acl_type == "Account":
            return ("Account" in kinds and scope.owns(network.account_id)) or (
                "Shared" in kinds and is_shared(network)
            )
        if "Domain" not in kinds or in_project:
            return False
        return call.caller.is_root_admin or is_for_domain(call.store, network, own_domain)

    def keep(network: Network) -> bool:
        offering = offerings.get(network.network_offering_id)
        if not shown(network):
            return False
        services = {service.lower() for service in offering.services} if offering is not None else set()
        return (
            (type is None or network.guest_type.lower() == type.lower())
            and (acltype is None or network.acl_type.lower() == acltype.lower())
            and (network.traffic_type != "Guest") == bool(issystem)
            and (traffictype is None or network.traffic_type.lower() == traffictype.lower())
            and (
                specifyipranges is None
                or (offering is not None and offering.specify_ip_ranges == specifyipranges)
            )
            and (forvpc is None or forvpc == (network.vpc_id is not None))
            and wanted <= services
        )

    if (issystem and not call.caller.is_root_admin) or canusefordeploy is False:
        return Listed([], 0)
    found = listed(
        call,
        Network,
        page=page,
        ids=None if id is None else [id],
        equal={
            "name": name,
            "zone_id": zoneid and zoneid.id,
            "physical_network_id": physicalnetworkid and physicalnetworkid.id,
            "network_offering_id": networkofferingid and networkofferingid.id,
            "vpc_id": vpcid and vpcid.id,
            "vlan": vlan.removeprefix("vlan://") if vlan else None,
            "restart_required": restartrequired,
            "display": displaynetwork,
        },
        keep=keep,
        search=("name", "display_text"),
        tags=tags,
    )
    return counted(found, retrieveonlyresourcecount)


def _kinds(filter: str | None) -> tuple[str, ...]:
    """What a networkfilter shows: networks of accounts, of domains, and those that accounts are permitted to use."""
    chosen = (filter or "all").lower()
    kinds = {
        "all": ("Account", "Domain", "Shared"),
        "accountdomain": ("Account", "Domain"),
        "account": ("Account",),
        "domain": ("Domain",),
        "shared": ("Shared",),
    }
    if chosen not in kinds:
        raise InvalidParameterValue(f"networkfilter is one of {', '.join(kinds)}, not {filter}")
    return kinds[chosen]


@command("updateNetwork", view=NetworkView, job=True, event="NETWORK.UPDATE", group=GROUP)
async def update_network(
    call: Call,
    *,
    id: Network,
    name: str | None = None,
    displaytext: str | None = None,
    networkdomain: str | None = None,
    networkofferingid: NetworkOffering | None = None,
    displaynetwork: bool | None = None,
    guestvmcidr: Annotated[
        str | None, Param("the part of its subnet that instances get addresses of; all of it: no address is reserved")
    ] = None,
    dns1: Annotated[str | None, Param("its own first name server; an empty one for the zone's", since="4.18")] = None,
    dns2: str | None = None,
    sourcenatipaddress: Annotated[
        str | None,
        Param("the public address, free or one of its own, that its instances are seen as outside", since="4.19.0"),
    ] = None,
    publicmtu: PublicMtu = None,
    privatemtu: PrivateMtu = None,
    hideipaddressusage: HideUsage = None,
) -> Job:
    """Changes a guest network."""
    for name_, text in (("guestvmcidr", guestvmcidr), ("sourcenatipaddress", sourcenatipaddress)):
        if text and networkofferingid is not None:
            raise InvalidParameterValue(f"Parameters {name_} and networkofferingid exclude each other")
    if sourcenatipaddress:
        call.manager.source_nat.check(id, sourcenatipaddress)
    check_mtus(
        call.manager.foundation.settings,
        call.caller,
        id.zone_id,
        networkofferingid or call.store.table(NetworkOffering).get(id.network_offering_id),
        public=publicmtu,
        private=privatemtu,
        tier=id.vpc_id is not None,
    )

    async def work() -> Network:
        now = call.store.table(Network)[id.id]
        another = networkofferingid is not None and networkofferingid.id != now.network_offering_id
        if another:
            call.manager.networks.check_update(now, networkofferingid)
            await call.manager.routers.shut_down(now)
        changed: Network = call.manager.networks.update(
            id,
            name=name,
            display_text=displaytext,
            network_domain=networkdomain,
            offering=networkofferingid,
            display=displaynetwork,
            guest_cidr=guestvmcidr or None,
            dns1=dns1,
            dns2=dns2,
            public_mtu=publicmtu,
            private_mtu=privatemtu,
            hides_address_usage=hideipaddressusage,
        )
        if sourcenatipaddress:
            await call.manager.source_nat.change(changed, sourcenatipaddress)
        if another and changed.state in ("Implemented", "Setup"):
            await call.manager.network_life.restart(changed)
        elif any(each is not None for each in (networkdomain, dns1, dns2, publicmtu, privatemtu)):
            await call.manager.routers.sync(id.id)
        return call.store.table(Network)[id.id]

    return Job(work, id)


@command("restartNetwork", job=True, event="NETWORK.RESTART", group=GROUP)
async def restart_network(
    call: Call,
    *,
    id: Network,
    cleanup: Annotated[bool | None, Param("whether its router is replaced by a new one")] = None,
    makeredundant: Annotated[bool | None, Param("not supported: a network has one router")] = None,
    livepatch: Annotated[bool | None, Param("not supported")] = None,
) -> Job:
    """Brings the services of a network up again."""
    if makeredundant or livepatch:
        raise InvalidParameterValue("makeredundant and livepatch are not supported: a network has one router")
    if id.state not in ("Implemented", "Setup"):
        raise InvalidParameterValue(
            "Network is not in the right state to be restarted. Correct states are: Implemented, Setup"
        )

    async def work() -> None:
        await call.manager.network_life.restart(id, cleanup=bool(cleanup))

    return Job(work, id)


@command("deleteNetwork", job=True, event="NETWORK.DELETE", group=GROUP)
async def delete_network(
    call: Call,
    *,
    id: Network,
    forced: Annotated[bool, Param("for root admins: although its router cannot be taken away at once")] = False,
) -> Job:
    """Deletes a guest network that no instance is on."""
    if forced and not call.caller.is_root_admin:
        raise PermissionDenied("Delete network with 'forced' option can only be called by root admins")
    call.manager.network_life.check_deletable(id)

    async def work() -> None:
        await call.manager.network_life.delete(id.id, forced=forced)

    return Job(work, id)
