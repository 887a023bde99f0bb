"""VPC offerings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.identity import visibility
from cloudsim.management.identity.caller import in_subtree
from cloudsim.management.vpc.vpc_offerings import VpcOfferingRequest
from cloudsim.model import Domain, ServiceOffering, VpcOffering, Zone
from server.api.command import ROOT, Call, Job, Listed, command
from server.api.commands.infrastructure.offering_scope import scope_fields, scope_ids
from server.api.commands.network.service_views import ServiceView, service_views
from server.api.listing import Page, SortKey, listed
from server.api.parameters import Param, one_of
from server.api.views import Date, View, date

GROUP = "VPC"


class VpcOfferingView(View):
    """What a VPC made from it may have."""

    entity: ClassVar = VpcOffering
    key: ClassVar = "vpcoffering"

    id: str | None = None
    name: str | None = None
    displaytext: str | None = None
    created: Date | None = None
    isdefault: bool | None = None
    state: str | None = None
    distributedvpcrouter: bool | None = None
    supportsregionLevelvpc: bool | None = None
    fornsx: bool | None = None
    domainid: str | None = None
    domain: str | None = None
    zoneid: str | None = None
    zone: str | None = None
    internetprotocol: str | None = None
    service: list[ServiceView] | None = None

    @classmethod
    def of(cls, row: VpcOffering, call: Call) -> Self:
        return cls(
            id=row.id,
            name=row.name,
            displaytext=row.display_text,
            created=date(row.created),
            isdefault=row.is_default,
            state=row.state,
            distributedvpcrouter=row.distributed_router,
            supportsregionLevelvpc=row.region_level,
            fornsx=False,
            internetprotocol=row.internet_protocol,
            service=service_views(row),
            **scope_fields(call, row),
        )


@command("listVPCOfferings", view=VpcOfferingView, group=GROUP)
async def list_vpc_offerings(
    call: Call,
    *,
    page: Page,
    id: VpcOffering | None = None,
    name: str | None = None,
    displaytext: str | None = None,
    isdefault: bool | None = None,
    state: Annotated[str | None, one_of("Enabled", "Disabled")] = None,
    supportedservices: Annotated[Sequence[str] | None, Param("offerings with all these services")] = None,
    zoneid: Zone | None = None,
    domainid: Domain | None = None,
) -> Listed:
    """Lists VPC offerings."""
    wanted = {service.lower() for service in supportedservices or ()}

    def keep(row: VpcOffering) -> bool:
        if not visibility.may(call.store, call.caller, row, operate=False):
            return False
        return (
            (domainid is None or _for_domain(call, row, domainid))
            and (state is None or row.state.lower() == state.lower())
            and (zoneid is None or not row.zone_ids or zoneid.id in row.zone_ids)
            and wanted <= {service.lower() for service in row.services}
        )

    return listed(
        call,
        VpcOffering,
        page=page,
        ids=None if id is None else [id],
        equal={"name": name, "display_text": displaytext, "is_default": isdefault},
        keep=keep,
        search=("name", "display_text"),
    )


def _for_domain(call: Call, row: VpcOffering, domain: Domain) -> bool:
    return not row.domain_ids or any(in_subtree(call.store, domain.id, each) for each in row.domain_ids)


@command(
    "createVPCOffering",
    view=VpcOfferingView,
    job=True,
    creates=VpcOffering,
    roles=ROOT,
    event="VPC.OFFERING.CREATE",
    group=GROUP,
)
async def create_vpc_offering(
    call: Call,
    *,
    name: str,
    displaytext: str | None = None,
    supportedservices: Annotated[Sequence[str] | None, Param("the services it has")] = None,
    serviceproviderlist: Annotated[
        Sequence[Mapping[str, str]] | None, Param("who provides each: service and provider")
    ] = None,
    servicecapabilitylist: Annotated[
        Sequence[Mapping[str, str]] | None,
        Param("what a service can do: service, capabilitytype, capabilityvalue", since="4.4"),
    ] = None,
    serviceofferingid: Annotated[ServiceOffering | None, Param("for its virtual routers")] = None,
    domainid: Annotated[Sequence[Domain] | None, Param("the domains that may use it; all if left out")] = None,
    zoneid: Annotated[Sequence[Zone] | None, Param("the zones that have it; all if left out")] = None,
    enable: Annotated[bool, Param("whether it is enabled at once")] = False,
    internetprotocol: Annotated[
        str | None, Param("IPv4, or DualStack: IPv4 and IPv6", since="4.17.0")
    ] = None,
) -> Job:
    """Creates a VPC offering."""
    row = call.manager.vpc_offerings.create(
        VpcOfferingRequest(
            name=name,
            display_text=displaytext,
            services=tuple(supportedservices or ()),
            providers=tuple(
                _entry("serviceproviderlist", entry, "service", "provider")
                for entry in serviceproviderlist or ()
            ),
            capabilities=tuple(
                _entry("servicecapabilitylist", entry, "service", "capabilitytype", "capabilityvalue")
                for entry in servicecapabilitylist or ()
            ),
            service_offering=serviceofferingid,
            domains=tuple(domainid or ()),
            zones=tuple(zoneid or ()),
            enable=enable,
            internet_protocol=internetprotocol,
        )
    )

    async def work() -> VpcOffering:
        return call.store.table(VpcOffering)[row.id]

    return Job(work, row)


def _entry(parameter: str, entry: Mapping[str, str], *members: str) -> Any:
    if any(member not in entry for member in members):
        raise InvalidParameterValue(f"Each entry of {parameter} needs {', '.join(members)}")
    return tuple(entry[member] for member in members)


@command(
    "updateVPCOffering", view=VpcOfferingView, job=True, roles=ROOT, event="VPC.OFFERING.UPDATE", group=GROUP
)
async def update_vpc_offering(
    call: Call,
    *,
    id: VpcOffering,
    name: str | None = None,
    displaytext: str | None = None,
    state: Annotated[str | None, one_of("Enabled", "Disabled")] = None,
    domainid: Annotated[str | None, Param("public, or ids by commas", length=4096)] = None,
    zoneid: Annotated[str | None, Param("all, or ids by commas")] = None,
    sortkey: SortKey = None,
) -> Job:
    """Changes a VPC offering, or whether VPCs can be made from it."""
    changes = call.manager.vpc_offerings.check_update(
        id,
        name=name,
        display_text=displaytext,
        state=state,
        domain_ids=scope_ids(call, Domain, "domainid", domainid, "public"),
        zone_ids=scope_ids(call, Zone, "zoneid", zoneid, "all"),
        sort_key=sortkey,
    )

    async def work() -> VpcOffering:
        changed: VpcOffering = call.manager.vpc_offerings.update(id.id, changes)
        return changed

    return Job(work, id)


@command("deleteVPCOffering", job=True, roles=ROOT, event="VPC.OFFERING.DELETE", group=GROUP)
async def delete_vpc_offering(call: Call, *, id: VpcOffering) -> Job:
    """Deletes a VPC offering that no VPC is made from."""
    call.manager.vpc_offerings.check_deletable(id)

    async def work() -> None:
        call.manager.vpc_offerings.delete(id.id)

    return Job(work, id)
