"""Affinity groups."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.compute.affinity import TYPES
from cloudsim.model import AffinityGroup, DedicatedResource, VirtualMachine
from server.api.command import Call, Job, Listed, command
from server.api.listing import Page, listed, page_of
from server.api.ownership import Owner
from server.api.parameters import Param
from server.api.scope import Scope
from server.api.views import View, domain_fields, owner

GROUP = "Affinity Group"


class AffinityGroupView(View):
    """Instances that must share a host, or must not."""

    entity: ClassVar = AffinityGroup
    key: ClassVar = "affinitygroup"

    id: str | None = None
    name: str | None = None
    description: str | None = None
    type: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    virtualmachineIds: Annotated[list[str] | None, "the instances in it"] = None
    dedicatedresources: Annotated[list[dict[str, str]] | None, "what is dedicated to whoever is in it"] = None

    @classmethod
    def of(cls, row: AffinityGroup, call: Call) -> Self:
        return cls(
            id=row.id,
            name=row.name,
            description=row.description,
            type=row.type,
            virtualmachineIds=[vm.id for vm in call.manager.affinity_groups.members(row)],
            dedicatedresources=_dedicated(row, call),
            **(domain_fields(call, row.domain_id) if row.of_domain else owner(call, row.account_id)),
        )


def _dedicated(row: AffinityGroup, call: Call) -> list[dict[str, str]] | None:
    found = []
    for each in call.store.table(DedicatedResource).where("affinity_group_id", row.id):
        place: Any = call.store.tables[each.kind].get(each.resource_id)
        if place is not None:
            found.append({"resourcetype": each.kind, "resourceid": place.id, "resourcename": place.name})
    return found or None


class AffinityGroupTypeView(View):
    """A kind of affinity group."""

    key: ClassVar = "affinityGroupType"

    type: str | None = None


@command(
    "createAffinityGroup",
    view=AffinityGroupView,
    job=True,
    creates=AffinityGroup,
    event="AFFINITY.GROUP.CREATE",
    group=GROUP,
)
async def create_affinity_group(
    call: Call,
    *,
    owner: Owner,
    name: str,
    type: Annotated[str, Param("one of listAffinityGroupTypes")],
    description: str | None = None,
) -> Job:
    """Creates an affinity group."""
    group: AffinityGroup = call.manager.affinity_groups.create(owner, name, type, description or "")

    async def work() -> AffinityGroup:
        return group

    return Job(work, group)


@command("deleteAffinityGroup", job=True, event="AFFINITY.GROUP.DELETE", group=GROUP)
async def delete_affinity_group(
    call: Call, *, owner: Owner, id: AffinityGroup | None = None, name: str | None = None
) -> Job:
    """Deletes an affinity group; its instances stay."""
    groups = call.manager.affinity_groups
    if (id is None) == (name is None):
        raise InvalidParameterValue("Either the affinity group id or its name must be given, and not both")
    group = id if id is not None else groups.of_name(owner, name)
    groups.check_delete(group)

    async def work() -> None:
        groups.delete(group)

    return Job(work, group)


@command("listAffinityGroups", view=AffinityGroupView, group=GROUP)
async def list_affinity_groups(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: AffinityGroup | None = None,
    name: str | None = None,
    type: str | None = None,
    virtualmachineid: Annotated[VirtualMachine | None, Param("the groups that this instance is in")] = None,
) -> Listed:
    """Lists affinity groups."""
    table = call.store.table(AffinityGroup)
    ids = None if id is None else [id]
    if virtualmachineid is not None:  # whoever may see the instance sees its groups
        its = [table[group_id] for group_id in virtualmachineid.affinity_group_ids]
        return listed(
            call,
            AffinityGroup,
            page=page,
            ids=[group for group in its if id is None or group.id == id.id],
            equal={"name": name, "type": type},
            search=("name", "description"),
        )
    shared = [] if ids is not None else call.manager.affinity_groups.of_domains(call.caller.account)
    if shared:  # they are nobody's own
        owned = [group for group in table if scope.owns(group.account_id)]
        ids = [*owned, *shared]
    return listed(
        call,
        AffinityGroup,
        page=page,
        scope=None if shared or (id is not None and id.of_domain) else scope,
        ids=ids,
        equal={"name": name, "type": type},
        search=("name", "description"),
    )


@command("listAffinityGroupTypes", view=AffinityGroupTypeView, group=GROUP)
async def list_affinity_group_types(call: Call, *, page: Page) -> Listed:
    """Lists the kinds of affinity groups."""
    return page_of([AffinityGroupTypeView(type=name) for name in TYPES], page, search=("type",))
