"""Zones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from cloudsim.management.identity import visibility
from cloudsim.model import Domain, VirtualMachine, Zone
from server.api.command import ROOT, Call, Listed, command
from server.api.commands.infrastructure.capacity_view import note_capacities
from server.api.commands.infrastructure.zone_view import ZoneView
from server.api.listing import Page, SortKey, Tags, listed
from server.api.parameters import Param, one_of

GROUP = "Zone"
Allocation = Literal["Enabled", "Disabled"]


@command("createZone", view=ZoneView, roles=ROOT, group=GROUP, event="ZONE.CREATE")
async def create_zone(
    call: Call,
    *,
    name: str,
    networktype: Annotated[str, one_of("Basic", "Advanced")],
    dns1: Annotated[str, Param("the first DNS server of guests")],
    internaldns1: Annotated[str, Param("the first DNS server of system VMs")],
    dns2: str | None = None,
    internaldns2: str | None = None,
    guestcidraddress: Annotated[str | None, Param("the addresses of guest networks")] = None,
    domain: Annotated[str | None, Param("the DNS domain of guest networks")] = None,
    domainid: Annotated[Domain | None, Param("the domain that alone may use the zone")] = None,
    allocationstate: Allocation = "Disabled",
    securitygroupenabled: bool = False,
    localstorageenabled: bool = False,
    isedge: Annotated[bool, Param("a small one, without system VMs but routers", since="4.18.0")] = False,
) -> Zone:
    """Creates a zone."""
    zone: Zone = call.manager.zones.create(
        name=name,
        network_type=networktype,
        dns1=dns1,
        dns2=dns2,
        internal_dns1=internaldns1,
        internal_dns2=internaldns2,
        guest_cidr=guestcidraddress,
        domain=domain,
        owner=domainid,
        security_groups=securitygroupenabled,
        local_storage=localstorageenabled,
        is_edge=isedge,
        allocation_state=allocationstate,
    )
    return zone


@command("updateZone", view=ZoneView, roles=ROOT, group=GROUP, event="ZONE.EDIT")
async def update_zone(
    call: Call,
    *,
    id: Zone,
    name: str | None = None,
    dns1: str | None = None,
    dns2: str | None = None,
    internaldns1: str | None = None,
    internaldns2: str | None = None,
    guestcidraddress: str | None = None,
    domain: str | None = None,
    dhcpprovider: str | None = None,
    allocationstate: Allocation | None = None,
    localstorageenabled: bool | None = None,
    ispublic: Annotated[bool | None, Param("true: every domain may use the zone")] = None,
    details: Mapping[str, str] | None = None,
    sortkey: SortKey = None,
    dnssearchorder: Annotated[
        Sequence[str] | None, Param("domains that virtual routers tell guests to look for short names in, in order")
    ] = None,
) -> Zone:
    """Changes a zone."""
    zone: Zone = call.manager.zones.update(
        id,
        name=name,
        dns1=dns1,
        dns2=dns2,
        internal_dns1=internaldns1,
        internal_dns2=internaldns2,
        guest_cidr=guestcidraddress,
        domain=domain,
        dhcp_provider=dhcpprovider,
        local_storage=localstorageenabled,
        allocation_state=allocationstate,
        public=ispublic,
        details=details,
        sort_key=sortkey,
        dns_search=dnssearchorder,
    )
    return zone


@command("deleteZone", roles=ROOT, group=GROUP, event="ZONE.DELETE")
async def delete_zone(call: Call, *, id: Zone) -> None:
    """Deletes an empty zone."""
    call.manager.zones.delete(id)


@command("listZones", view=ZoneView, group=GROUP)
async def list_zones(
    call: Call,
    *,
    page: Page,
    id: Zone | None = None,
    ids: Sequence[Zone] | None = None,
    name: str | None = None,
    networktype: str | None = None,
    domainid: Annotated[Domain | None, Param("zones that alone this domain may use")] = None,
    available: Annotated[bool | None, Param("false: only zones in which the caller has an instance")] = None,
    showcapacities: bool = False,
    tags: Tags | None = None,
) -> Listed:
    """Lists zones."""
    caller = call.caller

    def keep(zone: Zone) -> bool:
        if name is not None and zone.name.lower() != name.lower():
            return False
        if networktype is not None and zone.network_type.lower() != networktype.lower():
            return False
        if caller.is_root_admin:
            return True
        if zone.allocation_state != "Enabled" or not visibility.may(call.store, caller, zone, operate=False):
            return False
        return available is not False or zone.id in used

    used = _zones_used(call) if available is False else set()
    chosen = None if id is None and ids is None else [*([id] if id is not None else []), *(ids or [])]
    found = listed(
        call,
        Zone,
        page=page,
        ids=chosen,
        equal={"domain_id": domainid and domainid.id},
        keep=keep,
        tags=tags,
    )
    if showcapacities and caller.is_root_admin:
        note_capacities(call, found.rows)
    return found


def _zones_used(call: Call) -> set[str]:
    return {vm.zone_id for vm in call.store.table(VirtualMachine).where("account_id", call.caller.account.id)}
