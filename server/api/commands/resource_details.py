"""Details of resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

import msgspec

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.identity import visibility
from cloudsim.management.operations.details import DETAILED, Detail
from server.api.command import ROOT, Call, Job, Listed, command
from server.api.listing import Page, page_of
from server.api.parameters import Param
from server.api.scope import Scope
from server.api.views import View, owner

GROUP = "Resource Metadata"

Type = Annotated[str, Param("what the resource is, such as UserVm or Volume", values=tuple(DETAILED))]


class ResourceDetailView(View):
    """A detail, and what it is of."""

    key: ClassVar = "resourcedetail"

    key_: str | None = msgspec.field(default=None, name="key")
    value: str | None = None
    resourcetype: str | None = None
    resourceid: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None

    @classmethod
    def of(cls, row: Detail, call: Call) -> Self:
        account_id = getattr(row.resource, "account_id", None)
        whose: dict[str, Any] = {} if account_id is None else owner(call, account_id)
        return cls(
            key_=row.key,
            value=row.value,
            resourcetype=row.resource_type,
            resourceid=row.resource.id,
            **whose,
        )


@command(
    "addResourceDetail", roles=ROOT, group=GROUP, since="4.2.0", job=True, event="RESOURCE.DETAILS.CREATE"
)
async def add_resource_detail(
    call: Call,
    *,
    resourcetype: Type,
    resourceid: Annotated[str, Param("id of the resource")],
    details: Annotated[Mapping[str, str], Param("keys and values; one that is there already is replaced")],
    fordisplay: Annotated[bool, Param("false: only root admins see them")] = True,
) -> Job:
    """Adds details to a resource."""
    service = call.manager.details
    resource = service.resource(resourcetype, resourceid)
    service.check_add(resource, details)

    async def work() -> None:
        service.add(resourcetype, resource, details, display=fordisplay)

    return Job(work, resource)


@command(
    "removeResourceDetail", roles=ROOT, group=GROUP, since="4.2.0", job=True, event="RESOURCE.DETAILS.DELETE"
)
async def remove_resource_detail(
    call: Call,
    *,
    resourcetype: Type,
    resourceid: Annotated[str, Param("id of the resource")],
    key: Annotated[str | None, Param("which detail; all if left out")] = None,
) -> Job:
    """Takes details off a resource."""
    service = call.manager.details
    resource = service.resource(resourcetype, resourceid)
    service.check_remove(resource, key or None)

    async def work() -> None:
        service.remove(resource, key or None)

    return Job(work, resource)


@command("listResourceDetails", view=ResourceDetailView, group=GROUP, since="4.2.0")
async def list_resource_details(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    resourcetype: Type,
    resourceid: Annotated[str | None, Param("only of that resource")] = None,
    key: Annotated[str | None, Param("only details of that key")] = None,
    value: Annotated[str | None, Param("with key: only those of that value")] = None,
    fordisplay: Annotated[bool, Param("only those that are shown to the resource's owner")] = False,
) -> Listed:
    """Lists details of resources: what only root admins see is left out for others."""
    if value and not key:
        raise InvalidParameterValue("Parameter value is looked for together with key")
    service = call.manager.details
    if resourceid:
        resource = service.resource(resourcetype, resourceid)
        visibility.check(call.store, call.caller, resource, operate=False)
        resources = [resource]
    else:
        resources = [
            each
            for each in service.resources(call.caller, resourcetype, scope.accounts)
            if not hasattr(each, "account_id") or scope.owns(each.account_id)
        ]
    found = [
        detail
        for resource in resources
        for detail in service.of(call.caller, resourcetype, resource)
        if (not key or detail.key == key)
        and (not value or detail.value == value)
        and (not fordisplay or detail.display)
    ]
    return page_of(found, page, search=("key", "value"))
