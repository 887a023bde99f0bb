"""Portable IP ranges: a region's public addresses, which go to networks of any zone."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

import msgspec

from cloudsim.management.network.address_pool import number_of, text_of
from cloudsim.model import PortableIpRange, PublicIp
from server.api.command import ROOT, Call, Job, Listed, command
from server.api.commands.network.ip_ranges import public_wire_id, vlan_uri
from server.api.listing import Page, listed
from server.api.parameters import Param
from server.api.views import View, date

GROUP = "Portable"
RegionId = Annotated[int, Param("the region's number")]


class PortableIpView(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One address of a range; where it is, once somebody has it."""

    accountid: str | None = None
    allocated: str | None = None
    domainid: str | None = None
    ipaddress: str | None = None
    networkid: str | None = None
    physicalnetworkid: str | None = None
    regionid: int | None = None
    state: str | None = None
    vpcid: str | None = None
    zoneid: str | None = None


class PortableIpRangeView(View):
    """A range of portable addresses."""

    entity: ClassVar = PortableIpRange
    key: ClassVar = "portableiprange"

    id: str | None = None
    regionid: int | None = None
    gateway: str | None = None
    netmask: str | None = None
    vlan: str | None = None
    startip: str | None = None
    endip: str | None = None
    portableipaddress: Annotated[list[PortableIpView] | None, "its addresses"] = None

    @classmethod
    def of(cls, row: PortableIpRange, call: Call) -> Self:
        return cls(
            id=row.id,
            regionid=row.region,
            gateway=row.gateway,
            netmask=row.netmask,
            vlan=vlan_uri(row, call),
            startip=row.start_ip,
            endip=row.end_ip,
            portableipaddress=_addresses(row, call),
        )


def _addresses(row: PortableIpRange, call: Call) -> list[PortableIpView]:
    ips = call.store.table(PublicIp)
    used = {number_of(ip.ip): ip for ip in ips.where("range_id", row.id)}
    shown = []
    for number in range(number_of(row.start_ip), number_of(row.end_ip) + 1):
        ip = used.get(number)
        view = PortableIpView(ipaddress=text_of(number), regionid=row.region, state="Free")
        if ip is not None:
            view.accountid, view.domainid, view.allocated = ip.account_id, ip.domain_id, date(ip.allocated)
            view.networkid, view.vpcid, view.zoneid, view.state = (
                ip.network_id,
                ip.vpc_id,
                ip.zone_id,
                ip.state,
            )
            view.physicalnetworkid = public_wire_id(call, ip.zone_id)
        shown.append(view)
    return shown


@command(
    "createPortableIpRange",
    view=PortableIpRangeView,
    job=True,
    creates=PortableIpRange,
    roles=ROOT,
    group=GROUP,
    event="PORTABLE.IP.RANGE.CREATE",
)
async def create_portable_ip_range(
    call: Call,
    *,
    regionid: RegionId,
    startip: Annotated[str, Param("the first address")],
    endip: Annotated[str, Param("the last address")],
    gateway: str,
    netmask: str,
    vlan: Annotated[
        str | None, Param("the VLAN of zones' public addresses whose routers it is for; untagged if left out")
    ] = None,
) -> Job:
    """Creates a range of portable addresses."""
    made: PortableIpRange = call.manager.portable_ip_ranges.create(
        region=regionid, start_ip=startip, end_ip=endip, gateway=gateway, netmask=netmask, vlan=vlan
    )

    async def work() -> PortableIpRange:
        return made

    return Job(work, made)


@command("deletePortableIpRange", job=True, roles=ROOT, group=GROUP, event="PORTABLE.IP.RANGE.DELETE")
async def delete_portable_ip_range(call: Call, *, id: PortableIpRange) -> Job:
    """Deletes a range of portable addresses, of which none is in use."""
    call.manager.portable_ip_ranges.check_deletable(id)

    async def work() -> None:
        call.manager.portable_ip_ranges.delete(id.id)

    return Job(work, id)


@command("listPortableIpRanges", view=PortableIpRangeView, roles=ROOT, group=GROUP)
async def list_portable_ip_ranges(
    call: Call,
    *,
    page: Page,
    id: PortableIpRange | None = None,
    regionid: RegionId | None = None,
) -> Listed:
    """Lists ranges of portable addresses."""
    return listed(
        call,
        PortableIpRange,
        page=page,
        ids=None if id is None else [id],
        equal={"region": regionid},
        search=("start_ip", "end_ip", "vlan"),
    )
