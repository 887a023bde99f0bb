"""VLAN ids of guest networks: which there are, which are in use, and which are kept for an account."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.network.guest_vlans import GuestVlan, GuestVlans
from cloudsim.model import Domain, GuestVlanRange, PhysicalNetwork, Project, Zone
from server.api.command import ROOT, Call, Job, Listed, command
from server.api.commands.network.network_view import NetworkView
from server.api.listing import Page, listed
from server.api.ownership import account_named, resolve_owner
from server.api.parameters import Long, Param
from server.api.views import Date, View, date, owner
from server.api.views import Long as LongField

GROUP = "VLAN"


class GuestVlanRangeView(View):
    """VLAN ids that are kept for an account."""

    entity: ClassVar = GuestVlanRange
    key: ClassVar = "dedicatedguestvlanrange"

    id: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    guestvlanrange: str | None = None

    @classmethod
    def of(cls, row: GuestVlanRange, call: Call) -> Self:
        fields: dict[str, Any] = owner(call, row.account_id)
        return cls(id=row.id, guestvlanrange=f"{row.first}-{row.last}", **fields)


@command(
    "dedicateGuestVlanRange",
    view=GuestVlanRangeView,
    roles=ROOT,
    group=GROUP,
    event="GUEST.VLAN.RANGE.DEDICATE",
)
async def dedicate_guest_vlan_range(
    call: Call,
    *,
    physicalnetworkid: PhysicalNetwork,
    vlanrange: Annotated[str, Param("VLAN ids, as in 110-120")],
    account: str | None = None,
    domainid: Domain | None = None,
    projectid: Project | None = None,
) -> GuestVlanRange:
    """Keeps VLAN ids for the guest networks of an account or project."""
    if account is None and projectid is None:
        raise InvalidParameterValue("Parameter account (with domainid) or projectid must be given")
    whose = resolve_owner(call.store, call.caller, account or None, domainid, projectid)
    row: GuestVlanRange = call.manager.network_life.vlans.dedicate(physicalnetworkid, whose, vlanrange)
    return row


@command("listDedicatedGuestVlanRanges", view=GuestVlanRangeView, roles=ROOT, group=GROUP)
async def list_dedicated_guest_vlan_ranges(
    call: Call,
    *,
    page: Page,
    id: GuestVlanRange | None = None,
    account: Annotated[str | None, Param("kept for that account; with domainid")] = None,
    domainid: Domain | None = None,
    projectid: Project | None = None,
    guestvlanrange: str | None = None,
    physicalnetworkid: PhysicalNetwork | None = None,
    zoneid: Zone | None = None,
) -> Listed:
    """Lists VLAN ids that are kept for accounts."""
    account_id = None if projectid is None else projectid.account_id
    if account is not None:
        domain = domainid or call.store.table(Domain)[call.caller.account.domain_id]
        account_id = account_named(call.store, account, domain).id
    wires = call.store.table(PhysicalNetwork)
    return listed(
        call,
        GuestVlanRange,
        page=page,
        ids=None if id is None else [id],
        equal={
            "physical_network_id": physicalnetworkid and physicalnetworkid.id,
            "account_id": account_id,
            "domain_id": domainid and domainid.id,
        },
        keep=lambda row: (
            (guestvlanrange is None or guestvlanrange == f"{row.first}-{row.last}")
            and (zoneid is None or wires[row.physical_network_id].zone_id == zoneid.id)
        ),
        search=("id",),
    )


@command(
    "releaseDedicatedGuestVlanRange", job=True, roles=ROOT, group=GROUP, event="GUEST.VLAN.RANGE.RELEASE"
)
async def release_dedicated_guest_vlan_range(
    call: Call, *, id: Annotated[GuestVlanRange, Param(access="use")]
) -> Job:
    """Lets every account's guest networks have VLAN ids that were kept for one."""

    async def work() -> None:
        if id.id in call.store.table(GuestVlanRange):
            call.manager.network_life.vlans.release(id)

    return Job(work, id)


class GuestVlanView(View):
    """A VLAN id of guest networks."""

    key: ClassVar = "guestvlan"

    id: LongField | None = None
    vlan: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    physicalnetworkid: str | None = None
    physicalnetworkname: str | None = None
    isdedicated: bool | None = None
    allocationstate: Annotated[str | None, "Allocated or Free"] = None
    taken: Date | None = None
    network: list[NetworkView] | None = None

    @classmethod
    def of(cls, row: GuestVlan, call: Call) -> Self:
        zone = call.store.table(Zone).get(row.physical.zone_id)
        account_id = row.network.account_id if row.network is not None else None
        if account_id is None and row.dedicated is not None:
            account_id = row.dedicated.account_id
        fields: dict[str, Any] = {} if account_id is None else owner(call, account_id)
        return cls(
            id=row.number,
            vlan=str(row.number),
            zoneid=row.physical.zone_id,
            zonename=zone.name if zone is not None else None,
            physicalnetworkid=row.physical.id,
            physicalnetworkname=row.physical.name,
            isdedicated=row.dedicated is not None,
            allocationstate="Free" if row.network is None else "Allocated",
            taken=date(row.network.created) if row.network is not None else None,
            network=[NetworkView.of(row.network, call)] if row.network is not None else None,
            **fields,
        )


@command("listGuestVlans", view=GuestVlanView, roles=ROOT, group=GROUP, since="4.17.0")
async def list_guest_vlans(
    call: Call,
    *,
    page: Page,
    id: Annotated[Long | None, Param("the VLAN id")] = None,
    vnet: Annotated[str | None, Param("the VLAN id")] = None,
    zoneid: Zone | None = None,
    physicalnetworkid: PhysicalNetwork | None = None,
    allocatedonly: Annotated[bool, Param("only those that a network has")] = False,
) -> Listed:
    """Lists VLAN ids of guest networks, those that no network has too."""
    vlans: GuestVlans = call.manager.network_life.vlans
    wires = [
        wire
        for wire in call.store.table(PhysicalNetwork)
        if (zoneid is None or wire.zone_id == zoneid.id)
        and (physicalnetworkid is None or wire.id == physicalnetworkid.id)
    ]
    wanted = {text.strip() for text in (vnet, page.keyword) if text} | (
        {str(id)} if id is not None else set()
    )
    end = None if page.size is None else page.start + page.size
    if wanted or allocatedonly:
        rows = [vlan for wire in wires for vlan in _named(vlans, wire, wanted, allocatedonly)]
        return Listed(rows[page.start : end], len(rows))
    rows, start = [], page.start
    for wire in wires:
        left = None if page.size is None else page.size - len(rows)
        rows += vlans.of(wire, start, left)
        start = max(start - vlans.count(wire), 0)
    return Listed(rows, sum(vlans.count(wire) for wire in wires))


def _named(
    vlans: GuestVlans, wire: PhysicalNetwork, wanted: set[str], allocatedonly: bool
) -> list[GuestVlan]:
    """The wire's ids in use, or that one id which all of `wanted` name."""
    if not wanted:
        return vlans.used(wire)
    text = next(iter(wanted))
    found = vlans.one(wire, int(text)) if len(wanted) == 1 and text.isascii() and text.isdigit() else None
    return [] if found is None or (allocatedonly and found.network is None) else [found]
