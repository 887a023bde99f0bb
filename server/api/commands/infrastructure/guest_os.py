"""OS types and their categories."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.management.identity.visibility import may
from cloudsim.management.storage.template_visibility import HIDDEN
from cloudsim.model import GuestOs, GuestOsCategory, Template, Zone
from server.api.command import ROOT, Call, Job, Listed, command
from server.api.commands.templates.views import in_zones
from server.api.listing import Page, SortKey, listed
from server.api.parameters import Param
from server.api.views import View

GROUP = "Guest OS"


class OsTypeView(View):
    """A guest operating system."""

    entity: ClassVar = GuestOs
    key: ClassVar = "ostype"

    id: str | None = None
    name: str | None = None
    description: str | None = None
    oscategoryid: str | None = None
    oscategoryname: str | None = None
    isuserdefined: bool | None = None
    fordisplay: bool | None = None

    @classmethod
    def of(cls, row: GuestOs, call: Call) -> Self:
        category = call.store.table(GuestOsCategory).get(row.category_id)
        return cls(
            id=row.id,
            name=row.name or row.description,
            description=row.description,
            oscategoryid=row.category_id,
            oscategoryname=category.name if category is not None else None,
            isuserdefined=row.is_user_defined,
            fordisplay=row.display,
        )


class OsCategoryView(View):
    """A family of guest operating systems."""

    entity: ClassVar = GuestOsCategory
    key: ClassVar = "oscategory"

    id: str | None = None
    name: str | None = None
    isfeatured: bool | None = None

    @classmethod
    def of(cls, row: GuestOsCategory, call: Call) -> Self:
        return cls(id=row.id, name=row.name, isfeatured=row.featured)


@command("listOsTypes", view=OsTypeView, group=GROUP)
async def list_os_types(
    call: Call,
    *,
    page: Page,
    id: GuestOs | None = None,
    oscategoryid: GuestOsCategory | None = None,
    description: str | None = None,
    fordisplay: bool | None = None,
) -> Listed:
    """Lists OS types."""
    if not call.caller.is_root_admin:
        if fordisplay is False:
            return Listed([], 0)
        fordisplay = True
    return listed(
        call,
        GuestOs,
        page=page,
        ids=None if id is None else [id],
        equal={
            "category_id": oscategoryid and oscategoryid.id,
            "description": description,
            "display": fordisplay,
        },
        search=("description",),
    )


@command(
    "addGuestOs",
    view=OsTypeView,
    job=True,
    creates=GuestOs,
    roles=ROOT,
    group=GROUP,
    event="GUEST.OS.ADD",
    since="4.4.0",
)
async def add_guest_os(
    call: Call,
    *,
    oscategoryid: GuestOsCategory,
    osdisplayname: Annotated[str, Param("how it is called")],
    name: Annotated[str | None, Param("a shorter name")] = None,
    forDisplay: Annotated[bool, Param("whether users see it in lists")] = True,
) -> Job:
    """Adds an OS type."""
    row = call.manager.guest_os.add(oscategoryid, osdisplayname, name=name, display=forDisplay)

    async def work() -> GuestOs:
        return call.store.table(GuestOs).get(row.id) or row

    return Job(work, row)


@command(
    "updateGuestOs",
    view=OsTypeView,
    job=True,
    roles=ROOT,
    group=GROUP,
    event="GUEST.OS.UPDATE",
    since="4.4.0",
)
async def update_guest_os(
    call: Call,
    *,
    id: GuestOs,
    osdisplayname: str | None = None,
    oscategoryid: GuestOsCategory | None = None,
    forDisplay: Annotated[bool | None, Param("whether users see it in lists")] = None,
) -> Job:
    """Changes an OS type."""

    async def work() -> GuestOs:
        row: GuestOs = call.manager.guest_os.update(
            id, description=osdisplayname, category=oscategoryid, display=forDisplay
        )
        return row

    return Job(work, id)


@command("removeGuestOs", job=True, roles=ROOT, group=GROUP, event="GUEST.OS.REMOVE", since="4.4.0")
async def remove_guest_os(call: Call, *, id: GuestOs) -> Job:
    """Removes an OS type that was added."""

    async def work() -> None:
        call.manager.guest_os.remove(id)

    return Job(work, id)


@command("listOsCategories", view=OsCategoryView, group=GROUP)
async def list_os_categories(
    call: Call,
    *,
    page: Page,
    id: GuestOsCategory | None = None,
    name: str | None = None,
    isfeatured: bool | None = None,
    isiso: Annotated[
        bool | None, Param("those that ISOs, or for false templates, which the caller may use are of", since="4.21.0")
    ] = None,
    zoneid: Annotated[Zone | None, Param("those of templates and ISOs in that zone", since="4.21.0")] = None,
    arch: Annotated[str | None, Param("those of templates and ISOs for that architecture", since="4.21.0")] = None,
) -> Listed:
    """Lists OS categories."""
    used = None if (isiso, zoneid, arch) == (None, None, None) else _categories_of(call, isiso, zoneid, arch)
    return listed(
        call,
        GuestOsCategory,
        page=page,
        ids=None if id is None else [id],
        equal={"name": name, "featured": isfeatured},
        keep=None if used is None else lambda row: row.id in used,
    )


def _categories_of(call: Call, iso: bool | None, zone: Zone | None, arch: str | None) -> set[str]:
    """The ids of the categories of the templates and ISOs like that which the caller may use."""
    templates = [
        template
        for template in call.store.table(Template)
        if template.state == "Active"
        and template.type not in HIDDEN
        and iso in (None, template.format == "ISO")
        and arch in (None, template.arch)
        and (zone is None or any(row.zone is not None and row.zone.id == zone.id for row in in_zones(template, call)))
        and may(call.store, call.caller, template, operate=False)
    ]
    guest_oses = call.store.table(GuestOs)
    return {row.category_id for template in templates if (row := guest_oses.get(template.guest_os_id)) is not None}


@command(
    "addOsCategory",
    view=OsCategoryView,
    roles=ROOT,
    group=GROUP,
    event="GUEST.OS.CATEGORY.ADD",
    since="4.21.0",
)
async def add_os_category(call: Call, *, name: str, isfeatured: bool = False) -> GuestOsCategory:
    """Adds an OS category."""
    row: GuestOsCategory = call.manager.guest_os.add_category(name, isfeatured)
    return row


@command(
    "updateOsCategory",
    view=OsCategoryView,
    roles=ROOT,
    group=GROUP,
    event="GUEST.OS.CATEGORY.UPDATE",
    since="4.21.0",
)
async def update_os_category(
    call: Call,
    *,
    id: GuestOsCategory,
    name: str | None = None,
    isfeatured: bool | None = None,
    sortkey: SortKey = None,
) -> GuestOsCategory:
    """Changes an OS category."""
    row: GuestOsCategory = call.manager.guest_os.update_category(
        id, name=name, featured=isfeatured, sort_key=sortkey
    )
    return row


@command("deleteOsCategory", roles=ROOT, group=GROUP, event="GUEST.OS.CATEGORY.DELETE", since="4.21.0")
async def delete_os_category(call: Call, *, id: GuestOsCategory) -> None:
    """Deletes an OS category that no OS type is in."""
    call.manager.guest_os.delete_category(id)
