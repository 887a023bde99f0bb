"""Network offerings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import Domain, Network, NetworkOffering, ServiceOffering, Zone
from server.api.command import ROOT, Call, Listed, command
from server.api.commands.network.service_views import ServiceView, service_views
from server.api.listing import Page, listed
from server.api.parameters import Param
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
    service: list[ServiceView] | None = None

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
            internetprotocol="IPv4",
            serviceofferingid=row.service_offering_id or router_offering(call),
            service=service_views(row),
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
    guestiptype: Annotated[str | None, Param("Isolated, Shared or L2")] = None,
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
) -> Listed:
    """Lists network offerings."""
    wanted = {service.lower() for service in supportedservices or ()}

    def keep(offering: NetworkOffering) -> bool:
        services = {service.lower() for service in offering.services}
        return (
            (guestiptype is None or offering.guest_type.lower() == guestiptype.lower())
            and (traffictype is None or offering.traffic_type.lower() == traffictype.lower())
            and (availability is None or offering.availability.lower() == availability.lower())
            and (state is None or offering.state.lower() == state.lower())
            and (sourcenatsupported is None or sourcenatsupported == ("sourcenat" in services))
            and wanted <= services
            and (
                networkid is None
                or (
                    offering.guest_type == networkid.guest_type
                    and offering.id != networkid.network_offering_id
                )
            )
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
    guestiptype: Annotated[str, Param("Isolated, Shared or L2")],
    displaytext: str | None = None,
    supportedservices: Annotated[Sequence[str] | None, Param("the services it has")] = None,
    serviceproviderlist: Annotated[
        Sequence[Mapping[str, str]] | None, Param("who provides each: service and provider")
    ] = None,
    availability: str = "Optional",
    networkrate: Annotated[int | None, Param("Mbit/s")] = None,
    conservemode: bool = True,
    serviceofferingid: Annotated[ServiceOffering | None, Param("for its virtual routers")] = None,
    specifyvlan: bool = False,
    specifyipranges: bool = False,
    ispersistent: bool = False,
    forvpc: bool = False,
    egressdefaultpolicy: Annotated[bool, Param("whether instances may reach out by default")] = False,
    enable: Annotated[bool, Param("whether it is enabled at once")] = False,
) -> NetworkOffering:
    """Creates a network offering."""
    pairs = []
    for entry in serviceproviderlist or ():
        if "service" not in entry or "provider" not in entry:
            raise InvalidParameterValue("Each entry of serviceproviderlist needs a service and a provider")
        pairs.append((entry["service"], entry["provider"]))
    made: NetworkOffering = call.manager.network_offerings.create(
        name,
        displaytext,
        guestiptype,
        traffic_type=traffictype,
        services=list(supportedservices or ()),
        providers=pairs,
        for_vpc=forvpc,
        specify_vlan=specifyvlan,
        specify_ip_ranges=specifyipranges,
        conserve_mode=conservemode,
        egress_default_policy=egressdefaultpolicy,
        persistent=ispersistent,
        network_rate=networkrate,
        availability=availability,
        service_offering=serviceofferingid,
        enable=enable,
    )
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
    state: Annotated[str | None, Param("Enabled or Disabled")] = None,
) -> NetworkOffering:
    """Changes a network offering, or whether networks can be made from it."""
    if id is None:
        raise InvalidParameterValue("id must be given")
    changed: NetworkOffering = call.manager.network_offerings.update(
        id, name=name, display_text=displaytext, availability=availability, state=state
    )
    return changed


@command("deleteNetworkOffering", roles=ROOT, event="NETWORK.OFFERING.DELETE", since="3.0.0", group=GROUP)
async def delete_network_offering(call: Call, *, id: NetworkOffering) -> None:
    """Deletes a network offering that no network is made from."""
    call.manager.network_offerings.delete(id)
