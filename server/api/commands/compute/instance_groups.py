"""Instance groups."""

from __future__ import annotations

from typing import ClassVar, Self

from cloudsim.model import InstanceGroup
from server.api.command import Call, Listed, command
from server.api.listing import Page, listed
from server.api.ownership import Owner
from server.api.scope import Scope
from server.api.views import Date, View, date, owner

GROUP = "Instance Group"


class InstanceGroupView(View):
    """A name under which instances are gathered."""

    entity: ClassVar = InstanceGroup
    key: ClassVar = "instancegroup"

    id: str | None = None
    name: str | None = None
    created: Date | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: InstanceGroup, call: Call) -> Self:
        return cls(id=row.id, name=row.name, created=date(row.created), **owner(call, row.account_id))


@command("createInstanceGroup", view=InstanceGroupView, group=GROUP)
async def create_instance_group(call: Call, *, owner: Owner, name: str) -> InstanceGroup:
    """Creates an instance group."""
    group: InstanceGroup = call.manager.instance_groups.create(owner, name)
    return group


@command("updateInstanceGroup", view=InstanceGroupView, group=GROUP)
async def update_instance_group(call: Call, *, id: InstanceGroup, name: str | None = None) -> InstanceGroup:
    """Renames an instance group."""
    if name is None:
        return id
    group: InstanceGroup = call.manager.instance_groups.rename(id, name)
    return group


@command("deleteInstanceGroup", group=GROUP)
async def delete_instance_group(call: Call, *, id: InstanceGroup) -> None:
    """Deletes an instance group; its instances stay."""
    call.manager.instance_groups.delete(id)


@command("listInstanceGroups", view=InstanceGroupView, group=GROUP)
async def list_instance_groups(
    call: Call, *, page: Page, scope: Scope, id: InstanceGroup | None = None, name: str | None = None
) -> Listed:
    """Lists instance groups."""
    return listed(
        call, InstanceGroup, page=page, scope=scope, ids=None if id is None else [id], equal={"name": name}
    )
