"""Tags on resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.operations.tags import TAGGABLE, taggable
from cloudsim.model import ResourceTag
from server.api.command import Call, Job, Listed, command
from server.api.listing import Page, listed
from server.api.parameters import Param
from server.api.scope import Scope
from server.api.views import TagView


@command("createTags", group="Resource Tags", since="4.0.0", job=True, event="CREATE_TAGS")
async def create_tags(
    call: Call,
    *,
    resourcetype: Annotated[str, Param("what the resources are, such as UserVm or Volume", values=tuple(TAGGABLE))],
    resourceids: Annotated[Sequence[str], Param("ids of the resources")],
    tags: Annotated[Mapping[str, str], Param("keys and values")],
    customer: Annotated[str | None, Param("who the tags are for")] = None,
) -> Job:
    """Hangs tags on resources."""
    service = call.manager.tags
    resources = service.resources(call.caller, resourcetype, resourceids)
    service.check_create(resources, tags)

    async def work() -> None:
        service.create(call.caller, resourcetype, resources, tags, customer)

    return Job(work)


@command("deleteTags", group="Resource Tags", since="4.0.0", job=True, event="DELETE_TAGS")
async def delete_tags(
    call: Call,
    *,
    resourcetype: Annotated[str, Param("what the resources are, such as UserVm or Volume", values=tuple(TAGGABLE))],
    resourceids: Annotated[Sequence[str], Param("ids of the resources")],
    tags: Annotated[Mapping[str, str] | None, Param("keys, and values if only those; by default all")] = None,
) -> Job:
    """Takes tags off resources."""
    service = call.manager.tags
    resources = service.resources(call.caller, resourcetype, resourceids)
    found = service.matching(resources, tags or {})

    async def work() -> None:
        service.delete(found)

    return Job(work)


@command("listTags", view=TagView, group="Resource Tags", since="4.0.0")
async def list_tags(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    resourcetype: str | None = None,
    resourceid: str | None = None,
    key: str | None = None,
    value: str | None = None,
    customer: str | None = None,
) -> Listed:
    """Lists tags."""
    if resourcetype:
        resourcetype, _ = taggable(resourcetype)
    if value and not key:
        raise InvalidParameterValue("A tag's value is looked for together with its key")
    return listed(
        call,
        ResourceTag,
        page=page,
        scope=scope,
        equal={
            "resource_type": resourcetype or None,
            "resource_id": resourceid or None,
            "key": key or None,
            "value": value or None,
            "customer": customer or None,
        },
        search=("key", "value"),
    )
