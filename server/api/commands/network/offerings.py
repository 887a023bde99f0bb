"""Network offerings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.identity import visibility
from cloudsim.management.identity.caller import in_subtree
from cloudsim.management.network.network_offerings import NetworkOfferingRequest
from cloudsim.management.network.offered_services import for_tiers
from cloudsim.management.operations.details import shown as shown_details
from cloudsim.model import Domain, Network, NetworkOffering, ServiceOffering, Zone
from server.api.command import ROOT, Call, Listed, command
from server.api.commands.infrastructure.offering_scope import scope_fields, scope_ids
from server.api.commands.network.service_views import ServiceView, service_views
from server.api.listing import Page, SortKey, listed
from server.api.parameters import Param, one_of
from server.api.views import Date, View, date

GROUP = "Network Offering"


class NetworkOfferingView(View):
    """What a network made from it provides."""

    entity: ClassVar = NetworkOffering
    key: ClassVar = "networkoffering"

    id: str | None = None
    name: str | None = None
    displaytext: str | None = None
    created: Date | None = None
    traffictype: str | None = None
    guestiptype: Annotated[str | None, "Isolated, Shared or L2"] = None
    isdefault: bool | None = None
    specifyvlan: bool | None = None
    specifyipranges: bool | None = None
    conservemode: bool | None = None
    ispersistent: bool | None = None
    egressdefaultpolicy: bool | None = None
    availability: str | None = None
    networkrate: int | None = None
    state: str | None = None
    forvpc: bool | None = None
    fornsx: bool | None = None
    fortungsten: bool | None = None
    supportsstrechedl2subnet: bool | None = None
    supportspublicaccess: bool | None = None
    supportsinternallb: bool | None = None
    internetprotocol: str | None = None
    serviceofferingid: Annotated[str | None, "the offering of its virtual routers"] = None
    maxconnections: Annotated[int | None, "of its load balancer"] = None
    tags: Annotated[str | None, "of the physical networks that it is for"] = None
    domainid: str | None = None
    domain: str | None = None
    zoneid: str | None = None
    zone: str | None = None
    details: dict[str, str] | None = None
    service: list[ServiceView] | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: NetworkOffering, call: Call) -> Self:
        return cls(
            id=row.id,
            name=row.name,
            displaytext=row.display_text,
            created=date(row.created),
            traffictype=row.traffic_type,
            guestiptype=row.guest_type,
            isdefault=row.is_default,
            specifyvlan=row.specify_vlan,
            specifyipranges=row.specify_ip_ranges,
            conservemode=row.conserve_mode,
            ispersistent=row.persistent,
            egressdefaultpolicy=row.egress_default_policy,
            availability=row.availability,
            networkrate=row.network_rate,
            state=row.state,
            forvpc=row.for_vpc,
            fornsx=False,
            fortungsten=False,
            supportsstrechedl2subnet=False,
            supportspublicaccess=False,
            supportsinternallb="InternalLbVm" in row.services.get("Lb", ()),
            internetprotocol=row.internet_protocol,
            serviceofferingid=row.service_offering_id or router_offering(call),
            maxconnections=row.max_connections,
            tags=",".join(row.tags) or None,
            details=shown_details(call.store, call.caller, row) or None,
            service=service_views(row),
            **scope_fields(call, row),
        )


def router_offering(call: Call) -> str | None:
    """The service offering of virtual routers that an offering which names none falls back to."""
    if "router_offering" not in call.cache:
        offerings = list(call.store.table(ServiceOffering))
        system = [o for o in offerings if o.is_system]
        routers = [o for o in system if o.system_vm_type == "domainrouter"]
        found = next(iter(routers or system or offerings), None)
        call.cache["router_offering"] = found.id if found is not None else None
    offering_id: str | None = call.cache["router_offering"]
    return offering_id


@command("listNetworkOfferings", view=NetworkOfferingView, group=GROUP)
async def list_network_offerings(
    call: Call,
    *,
    page: Page,
    id: NetworkOffering | None = None,
    name: str | None = None,
    displaytext: str | None = None,
    traffictype: str | None = None,
    guestiptype: Annotated[str | None, one_of("Isolated", "Shared", "L2")] = None,
    availability: str | None = None,
    state: str | None = None,
    isdefault: bool | None = None,
    specifyvlan: bool | None = None,
    specifyipranges: bool | None = None,
    forvpc: bool | None = None,
    sourcenatsupported: bool | None = None,
    supportedservices: Annotated[Sequence[str] | None, Param("offerings with all these services")] = None,
    networkid: Annotated[Network | None, Param("offerings that this network could change to")] = None,
    zoneid: Zone | None = None,
    domainid: Domain | None = None,
    tags: Annotated[str | None, Param("offerings with one of these tags", length=4096)] = None,
    istagged: bool | None = None,
    routingmode: Annotated[str | None, Param("no offering has one: networks are NATTED")] = None,
) -> Listed:
    """Lists network offerings."""
    wanted = {service.lower() for service in supportedservices or ()}
    tagged = {tag.strip() for tag in (tags or "").split(",") if tag.strip()}
    if routingmode is not None:
        return Listed([], 0)

    def keep(offering: NetworkOffering) -> bool:
        services = {service.lower() for service in offering.services}
        return (
            visibility.may(call.store, call.caller, offering, operate=False)
            and (zoneid is None or not offering.zone_ids or zoneid.id in offering.zone_ids)
            and (domainid is None or _for_domain(call, offering, domainid))
            and (not tagged or bool(tagged.intersection(offering.tags)))
            and (istagged is None or istagged == bool(offering.tags))
            and (guestiptype is None or offering.guest_type.lower() == guestiptype.lower())
            and (traffictype is None or offering.traffic_type.lower() == traffictype.lower())
            and (availability is None or offering.availability.lower() == availability.lower())
            and (state is None or offering.state.lower() == state.lower())
            and (sourcenatsupported is None or sourcenatsupported == ("sourcenat" in services))
            and wanted <= services
            and (networkid is None or _may_become(call, networkid, offering))
        )

    return listed(
        call,
        NetworkOffering,
        page=page,
        ids=None if id is None else [id],
        equal={
            "name": name,
            "display_text": displaytext,
            "is_default": isdefault,
            "specify_vlan": specifyvlan,
            "specify_ip_ranges": specifyipranges,
            "for_vpc": forvpc,
        },
        keep=keep,
        search=("name", "display_text"),
    )


def _may_become(call: Call, network: Network, offering: NetworkOffering) -> bool:
    """Whether updateNetwork could give the network that offering."""
    if offering.id == network.network_offering_id:
        return False
    try:
        call.manager.networks.check_update(network, offering)
    except InvalidParameterValue:
        return False
    return True


def _for_domain(call: Call, offering: NetworkOffering, domain: Domain) -> bool:
    return not offering.domain_ids or any(in_subtree(call.store, domain.id, each) for each in offering.domain_ids)


@command(
    "createNetworkOffering",
    view=NetworkOfferingView,
    roles=ROOT,
    event="NETWORK.OFFERING.CREATE",
    since="3.0.0",
    group=GROUP,
)
async def create_network_offering(
    call: Call,
    *,
    name: str,
    traffictype: Annotated[str, Param("Guest")],
    guestiptype: Annotated[str, one_of("Isolated", "Shared", "L2")],
    displaytext: str | None = None,
    supportedservices: Annotated[Sequence[str] | None, Param("the services it has")] = None,
    serviceproviderlist: Annotated[
        Sequence[Mapping[str, str]] | None, Param("who provides each: service and provider")
    ] = None,
    servicecapabilitylist: Annotated[
        Sequence[Mapping[str, str]] | None,
        Param("how a service works: service, capabilitytype and capabilityvalue"),
    ] = None,
    availability: str = "Optional",
    networkrate: Annotated[int | None, Param("Mbit/s")] = None,
    conservemode: bool = True,
    serviceofferingid: Annotated[ServiceOffering | None, Param("for its virtual routers")] = None,
    specifyvlan: bool = False,
    specifyipranges: bool = False,
    ispersistent: bool = False,
    forvpc: Annotated[
        bool | None, Param("whether it is for tiers of VPCs; as its providers tell if left out")
    ] = None,
    egressdefaultpolicy: Annotated[bool, Param("whether instances may reach out by default")] = False,
    keepaliveenabled: Annotated[bool, Param("whether its load balancer keeps HTTP connections open")] = False,
    maxconnections: Annotated[int | None, Param("that its load balancer has open at one time")] = None,
    tags: Annotated[str | None, Param("it is for physical networks with these tags", length=4096)] = None,
    domainid: Annotated[Sequence[Domain] | None, Param("the domains that may use it; all if left out")] = None,
    zoneid: Annotated[Sequence[Zone] | None, Param("the zones that have it; all if left out")] = None,
    details: Mapping[str, str] | None = None,
    internetprotocol: Annotated[str | None, Param("IPv4, or DualStack: IPv4 and IPv6")] = None,
    networkmode: Annotated[
        Literal["NATTED", "ROUTED"] | None, Param("NATTED; ROUTED is not supported", since="4.20.0")
    ] = None,
    fornsx: Annotated[bool, Param("not supported", since="4.20.0")] = False,
    fortungsten: Annotated[bool, Param("not supported")] = False,
    enable: Annotated[bool, Param("whether it is enabled at once")] = False,
) -> NetworkOffering:
    """Creates a network offering."""
    if networkmode == "ROUTED" or fornsx or fortungsten:
        raise InvalidParameterValue("networkmode ROUTED, fornsx and fortungsten are not supported")
    pairs = []
    for entry in serviceproviderlist or ():
        if "service" not in entry or "provider" not in entry:
            raise InvalidParameterValue("Each entry of serviceproviderlist needs a service and a provider")
        pairs.append((entry["service"], entry["provider"]))
    request = NetworkOfferingRequest(
        name=name,
        display_text=displaytext,
        guest_type=guestiptype,
        traffic_type=traffictype,
        services=list(supportedservices or ()),
        providers=pairs,
        capabilities=list(servicecapabilitylist or ()),
        for_vpc=for_tiers(pairs) if forvpc is None else forvpc,
        specify_vlan=specifyvlan,
        specify_ip_ranges=specifyipranges,
        conserve_mode=conservemode,
        egress_default_policy=egressdefaultpolicy,
        persistent=ispersistent,
        network_rate=networkrate,
        internet_protocol=internetprotocol,
        availability=availability,
        service_offering=serviceofferingid,
        max_connections=maxconnections,
        keep_alive=keepaliveenabled,
        tags=tags,
        domains=list(domainid or ()),
        zones=list(zoneid or ()),
        details=dict(details or {}),
        enable=enable,
    )
    made: NetworkOffering = call.manager.network_offerings.create(request)
    return made


@command(
    "updateNetworkOffering", view=NetworkOfferingView, roles=ROOT, event="NETWORK.OFFERING.EDIT", group=GROUP
)
async def update_network_offering(
    call: Call,
    *,
    id: NetworkOffering | None = None,
    name: str | None = None,
    displaytext: str | None = None,
    availability: str | None = None,
    state: Annotated[str | None, one_of("Enabled", "Disabled")] = None,
    keepaliveenabled: bool | None = None,
    maxconnections: int | None = None,
    tags: Annotated[str | None, Param("of physical networks; empty for none", length=4096)] = None,
    domainid: Annotated[str | None, Param("public, or ids by commas")] = None,
    zoneid: Annotated[str | None, Param("all, or ids by commas", length=4096)] = None,
    sortkey: SortKey = None,
) -> NetworkOffering:
    """Changes a network offering, or whether networks can be made from it."""
    if id is None:
        raise InvalidParameterValue("id must be given")
    changed: NetworkOffering = call.manager.network_offerings.update(
        id,
        name=name,
        display_text=displaytext,
        availability=availability,
        state=state,
        keep_alive=keepaliveenabled,
        max_connections=maxconnections,
        tags=tags,
        domain_ids=scope_ids(call, Domain, "domainid", domainid, "public"),
        zone_ids=scope_ids(call, Zone, "zoneid", zoneid, "all"),
        sort_key=sortkey,
    )
    return changed


@command("deleteNetworkOffering", roles=ROOT, event="NETWORK.OFFERING.DELETE", since="3.0.0", group=GROUP)
async def delete_network_offering(call: Call, *, id: NetworkOffering) -> None:
    """Deletes a network offering that no network is made from."""
    call.manager.network_offerings.delete(id)
