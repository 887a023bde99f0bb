"""Regions."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.management.infrastructure.regions import LOCAL
from cloudsim.model import Region
from server.api.command import ROOT, Call, Listed, command
from server.api.listing import Page, page_of
from server.api.parameters import Param
from server.api.views import View

GROUP = "Region"
Number = Annotated[int, Param("the region's number")]


class RegionView(View):
    """A region: this cloud, or another."""

    key: ClassVar = "region"

    id: int | None = None
    name: str | None = None
    endpoint: str | None = None
    gslbserviceenabled: bool | None = None
    portableipserviceenabled: bool | None = None

    @classmethod
    def of(cls, row: Region, call: Call) -> Self:
        return cls(
            id=row.number,
            name=row.name,
            endpoint=row.endpoint,
            gslbserviceenabled=row.number != LOCAL,  # here there is none; of another region it was not switched off
            portableipserviceenabled=call.manager.portable_ip_ranges.served(row.number),
        )


@command("listRegions", view=RegionView, group=GROUP)
async def list_regions(call: Call, *, page: Page, id: int | None = None, name: str | None = None) -> Listed:
    """Lists the regions."""
    rows = call.manager.regions.all()
    return page_of([row for row in rows if id in (None, row.number) and name in (None, "", row.name)], page)


@command("addRegion", view=RegionView, roles=ROOT, group=GROUP, event="REGION.ADD")
async def add_region(call: Call, *, id: Number, name: str, endpoint: Annotated[str, Param("its API's URL")]) -> Region:
    """Tells users of another region."""
    added: Region = call.manager.regions.add(id, name, endpoint)
    return added


@command("updateRegion", view=RegionView, roles=ROOT, group=GROUP, event="REGION.UPDATE")
async def update_region(
    call: Call, *, id: Number, name: str | None = None, endpoint: Annotated[str | None, Param("its API's URL")] = None
) -> Region:
    """Changes a region's name or endpoint."""
    updated: Region = call.manager.regions.update(id, name=name, endpoint=endpoint)
    return updated


@command("removeRegion", roles=ROOT, group=GROUP, event="REGION.REMOVE")
async def remove_region(call: Call, *, id: Number) -> None:
    """Forgets another region."""
    call.manager.regions.remove(id)
