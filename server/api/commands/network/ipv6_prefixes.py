"""IPv6 prefixes of zones, of which guest networks get their subnets."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.model import GuestIpv6Prefix, Zone
from server.api.command import ROOT, Call, Job, Listed, command
from server.api.listing import Page, listed
from server.api.parameters import Param
from server.api.views import Date, View, date

GROUP = "Network"
MOST = (1 << 31) - 1
"""CloudStack's clients read these numbers as integers of 32 bits."""


class GuestIpv6PrefixView(View):
    """An IPv6 prefix of a zone's guest networks."""

    entity: ClassVar = GuestIpv6Prefix
    key: ClassVar = "guestnetworkipv6prefix"

    id: str | None = None
    zoneid: str | None = None
    prefix: str | None = None
    usedsubnets: Annotated[int | None, "how many networks have a subnet of it"] = None
    availablesubnets: int | None = None
    totalsubnets: Annotated[int | None, "subnets of 64 bits; no more than 2147483647 are told"] = None
    created: Date | None = None

    @classmethod
    def of(cls, row: GuestIpv6Prefix, call: Call) -> Self:
        prefixes = call.manager.ipv6_prefixes
        size, used = prefixes.size(row), prefixes.used(row)
        return cls(
            id=row.id,
            zoneid=row.zone_id,
            prefix=row.prefix,
            usedsubnets=used,
            availablesubnets=min(size - used, MOST),
            totalsubnets=min(size, MOST),
            created=date(row.created),
        )


@command(
    "createGuestNetworkIpv6Prefix",
    view=GuestIpv6PrefixView,
    job=True,
    creates=GuestIpv6Prefix,
    roles=ROOT,
    group=GROUP,
    event="GUEST.IP6.PREFIX.CREATE",
    since="4.17.0.0",
)
async def create_guest_network_ipv6_prefix(
    call: Call,
    *,
    zoneid: Zone,
    prefix: Annotated[str, Param("such as 2001:db8::/56; of 16 to 64 bits")],
) -> Job:
    """Creates an IPv6 prefix, of which the zone's isolated networks and VPC tiers get their subnets of 64 bits."""
    made: GuestIpv6Prefix = call.manager.ipv6_prefixes.create(zoneid, prefix)

    async def work() -> GuestIpv6Prefix:
        return made

    return Job(work, made)


@command(
    "deleteGuestNetworkIpv6Prefix",
    job=True,
    roles=ROOT,
    group=GROUP,
    event="GUEST.IP6.PREFIX.DELETE",
    since="4.17.0.0",
)
async def delete_guest_network_ipv6_prefix(call: Call, *, id: GuestIpv6Prefix) -> Job:
    """Deletes an IPv6 prefix of which no network has a subnet."""
    call.manager.ipv6_prefixes.check_deletable(id)

    async def work() -> None:
        call.manager.ipv6_prefixes.delete(id.id)

    return Job(work, id)


@command("listGuestNetworkIpv6Prefixes", view=GuestIpv6PrefixView, roles=ROOT, group=GROUP, since="4.17.0")
async def list_guest_network_ipv6_prefixes(
    call: Call, *, page: Page, id: GuestIpv6Prefix | None = None, zoneid: Zone | None = None
) -> Listed:
    """Lists the IPv6 prefixes of zones' guest networks."""
    return listed(
        call,
        GuestIpv6Prefix,
        page=page,
        ids=None if id is None else [id],
        equal={"zone_id": zoneid and zoneid.id},
        search=("prefix",),
    )
