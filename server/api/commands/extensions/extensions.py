"""Extensions, and the clusters that they are registered with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.extensions.extensions import TYPES
from cloudsim.model import Cluster, Extension
from server.api.command import ROOT, Call, Listed, command
from server.api.listing import Page, listed
from server.api.parameters import Param
from server.api.views import Date, View, date

GROUP, SINCE = "Extension", "4.21.0"
State = Literal["Enabled", "Disabled"]
Part = Literal["all", "resource", "external", "min"]
Details = Param("keys and values that the program is told with every call")
Prepares = Param("whether the program is asked before an instance starts what of it is to be otherwise")
ResourceType = Annotated[str, Param("Cluster", values=("Cluster",))]


class ExtensionResourceView(View):
    """What an extension is registered with."""

    id: str | None = None
    name: str | None = None
    type: str | None = None
    created: str | None = None
    details: dict[str, str] | None = None


class ExtensionView(View):
    """A program of the operator's that the cloud calls."""

    entity: ClassVar = Extension
    key: ClassVar = "extension"

    id: str | None = None
    name: str | None = None
    description: str | None = None
    type: str | None = None
    path: Annotated[str | None, "where its program is on the management server"] = None
    pathready: Annotated[bool | None, "whether the program is there, and executable"] = None
    isuserdefined: bool | None = None
    state: Annotated[str | None, "Enabled or Disabled"] = None
    details: dict[str, str] | None = None
    resources: list[ExtensionResourceView] | None = None
    created: Date | None = None

    @classmethod
    def of(cls, row: Extension, call: Call) -> Self:
        service = call.manager.extensions
        parts = call.cache.get("extension parts", {"resource", "external"})
        return cls(
            id=row.id,
            name=row.name,
            description=row.description or None,
            type=row.type,
            path=service.location(row),
            pathready=service.is_ready(row),
            isuserdefined=True,
            state=row.state,
            details=row.details or None if "external" in parts else None,
            resources=_resources(row, call) if "resource" in parts else None,
            created=date(row.created),
        )


def _resources(row: Extension, call: Call) -> list[ExtensionResourceView] | None:
    clusters = call.store.table(Cluster)
    return [
        ExtensionResourceView(
            id=known.resource_id,
            name=clusters[known.resource_id].name,
            type=known.resource_type,
            created=date(known.created),
            details=known.details or None,
        )
        for known in call.manager.extensions.registrations(row)
    ] or None


@command("createExtension", view=ExtensionView, roles=ROOT, group=GROUP, since=SINCE, event="EXTENSION.CREATE")
async def create_extension(
    call: Call,
    *,
    name: str,
    type: Annotated[str, Param("Orchestrator", values=TYPES)],
    description: str | None = None,
    path: Annotated[
        str | None, Param("of its program, below its folder; without one that is there an example is made")
    ] = None,
    orchestratorrequirespreparevm: Annotated[bool, Prepares] = False,
    state: State = "Enabled",
    details: Annotated[Mapping[str, str] | None, Details] = None,
) -> Extension:
    """Makes an extension of a program."""
    made: Extension = call.manager.extensions.create(
        name=name,
        type=type,
        description=description or "",
        path=path or None,
        prepares=orchestratorrequirespreparevm,
        state=state,
        details=details,
    )
    return made


@command("updateExtension", view=ExtensionView, roles=ROOT, group=GROUP, since=SINCE, event="EXTENSION.UPDATE")
async def update_extension(
    call: Call,
    *,
    id: Extension,
    description: str | None = None,
    orchestratorrequirespreparevm: Annotated[bool | None, Prepares] = None,
    state: State | None = None,
    details: Annotated[Mapping[str, str] | None, Details] = None,
    cleanupdetails: Annotated[bool, Param("whether all details are taken away")] = False,
) -> Extension:
    """Changes an extension; details are in the place of those before."""
    changed: Extension = call.manager.extensions.update(
        id,
        description=description,
        prepares=orchestratorrequirespreparevm,
        state=state,
        details=details,
        cleanup_details=cleanupdetails,
    )
    return changed


@command("deleteExtension", roles=ROOT, group=GROUP, since=SINCE, event="EXTENSION.DELETE")
async def delete_extension(
    call: Call,
    *,
    id: Extension | None = None,
    cleanup: Annotated[bool, Param("whether its program is removed, too")] = False,
) -> None:
    """Deletes an extension that nothing uses, with its custom actions."""
    if id is None:
        raise InvalidParameterValue(
            "Unable to execute API command deleteextension due to missing parameter id"
        )
    call.manager.extensions.delete(id, cleanup=cleanup)


@command("listExtensions", view=ExtensionView, roles=ROOT, group=GROUP, since=SINCE)
async def list_extensions(
    call: Call,
    *,
    page: Page,
    id: Extension | None = None,
    name: str | None = None,
    details: Annotated[
        Sequence[Part], Param("what to show: all (default), resource, external (its details), or min")
    ] = (),
) -> Listed:
    """Lists extensions."""
    call.cache["extension parts"] = (
        {"resource", "external"} if not details or "all" in details else set(details)
    )
    return listed(
        call, Extension, page=page, ids=None if id is None else [id], equal={"name": name or None}
    )


def _cluster(call: Call, type_name: str, resource_id: str) -> Cluster:
    if type_name.lower() != "cluster":
        raise InvalidParameterValue(f"resourcetype: extensions are registered with a Cluster, not {type_name!r}")
    cluster = call.store.table(Cluster).get(resource_id)
    if cluster is None:
        raise InvalidParameterValue(f"resourceid: there is no Cluster with id {resource_id}")
    return cluster


@command(
    "registerExtension",
    view=ExtensionView,
    roles=ROOT,
    group=GROUP,
    since=SINCE,
    event="EXTENSION.RESOURCE.REGISTER",
)
async def register_extension(
    call: Call,
    *,
    extensionid: Extension,
    resourcetype: ResourceType,
    resourceid: Annotated[str, Param("id of the cluster")],
    details: Annotated[Mapping[str, str] | None, Details] = None,
) -> Extension:
    """Has an extension see to what is in a cluster."""
    call.manager.extensions.register(extensionid, _cluster(call, resourcetype, resourceid), details)
    return extensionid


@command(
    "unregisterExtension",
    view=ExtensionView,
    roles=ROOT,
    group=GROUP,
    since=SINCE,
    event="EXTENSION.RESOURCE.UNREGISTER",
)
async def unregister_extension(
    call: Call,
    *,
    extensionid: Extension,
    resourcetype: ResourceType,
    resourceid: Annotated[str, Param("id of the cluster")],
) -> Extension:
    """Undoes the registration of an extension with a cluster."""
    call.manager.extensions.unregister(extensionid, _cluster(call, resourcetype, resourceid))
    return extensionid
