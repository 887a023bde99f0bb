"""Custom actions of extensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Self

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.extensions.custom_actions import (
    RESOURCE_TYPES,
    ActionResult,
    resource_type_named,
)
from cloudsim.management.identity.roles import ROLE_TYPES
from cloudsim.model import CustomAction, Extension
from server.api.command import ROOT, Call, Job, Listed, command
from server.api.listing import Page, listed
from server.api.parameters import Param
from server.api.views import Date, View, date

GROUP, SINCE = "Extension", "4.21.0"
_ADD, _UPDATE, _DELETE = (f"EXTENSION.CUSTOM.ACTION.{word}" for word in ("ADD", "UPDATE", "DELETE"))
Type = Param("what it is run for; where the action does not say, who runs it does", values=RESOURCE_TYPES)
RoleTypes = Annotated[
    Sequence[str] | None, Param("the types of roles that may run it, beside root admins", values=ROLE_TYPES)
]
Parameters = Param(
    "what may be said when it is run: of each name, type (STRING, NUMBER, BOOLEAN, DATE), required, validationformat "
    "(NONE, UUID, EMAIL, PASSWORD, URL, DECIMAL) and valueoptions"
)
Message = Param("told to who runs it; {{actionName}}, {{extensionName}} and {{resourceName}} are filled in")
Timeout = Param("seconds that it may take, 5 by default")
Details = Param("keys and values that the program is told with every run")


class CustomActionParameterView(View):
    """What may or must be said when a custom action is run."""

    name: str | None = None
    type: str | None = None
    validationformat: str | None = None
    required: bool | None = None
    valueoptions: list[str] | None = None


class CustomActionView(View):
    """Something that an extension does when it is asked to."""

    entity: ClassVar = CustomAction
    key: ClassVar = "extensioncustomaction"

    id: str | None = None
    name: str | None = None
    description: str | None = None
    extensionid: str | None = None
    extensionname: str | None = None
    resourcetype: str | None = None
    allowedroletypes: list[str] | None = None
    successmessage: str | None = None
    errormessage: str | None = None
    timeout: int | None = None
    enabled: bool | None = None
    details: Annotated[dict[str, str] | None, "for root admins"] = None
    parameters: list[CustomActionParameterView] | None = None
    created: Date | None = None

    @classmethod
    def of(cls, row: CustomAction, call: Call) -> Self:
        root = call.caller.is_root_admin
        return cls(
            id=row.id,
            name=row.name,
            description=row.description or None,
            extensionid=row.extension_id,
            extensionname=call.store.table(Extension)[row.extension_id].name,
            resourcetype=row.resource_type,
            allowedroletypes=list(row.role_types) or None,
            successmessage=row.success_message or None,
            errormessage=row.error_message or None,
            timeout=row.timeout,
            enabled=row.enabled,
            details=dict(row.details) if root and row.details else None,
            parameters=[
                CustomActionParameterView(
                    name=each.name,
                    type=each.type,
                    validationformat=each.format,
                    required=each.required,
                    valueoptions=list(each.options) or None,
                )
                for each in row.parameters
            ]
            or None,
            created=date(row.created),
        )


class UpdatedActionView(View):
    """What CloudStack answers of a changed action, though it declares no more than success."""

    extensioncustomaction: CustomActionView


class ActionResultView(View):
    """What became of a run."""

    key: ClassVar = "customactionresult"

    id: str | None = None
    name: str | None = None
    success: bool | None = None
    result: Annotated[dict[str, str] | None, "message: what became of it; details: what the program says"] = None

    @classmethod
    def of(cls, row: ActionResult, call: Call) -> Self:
        result = {"message": row.message}
        if row.details:
            result["details"] = row.details
        return cls(id=row.action.id, name=row.action.name, success=row.success, result=result)


@command("addCustomAction", view=CustomActionView, roles=ROOT, group=GROUP, since=SINCE, event=_ADD)
async def add_custom_action(
    call: Call,
    *,
    extensionid: Extension,
    name: Annotated[str, Param("the operation that the program is called with")],
    description: str | None = None,
    resourcetype: Annotated[str | None, Type] = None,
    allowedroletypes: RoleTypes = None,
    parameters: Annotated[Sequence[Mapping[str, str]] | None, Parameters] = None,
    successmessage: Annotated[str | None, Message] = None,
    errormessage: Annotated[str | None, Message] = None,
    timeout: Annotated[int | None, Timeout] = None,
    enabled: bool = False,
    details: Annotated[Mapping[str, str] | None, Details] = None,
) -> CustomAction:
    """Says something that an extension does with an instance when it is asked to."""
    made: CustomAction = call.manager.custom_actions.add(
        extensionid,
        name=name,
        description=description or "",
        resource_type=resourcetype or None,
        role_types=allowedroletypes or (),
        parameters=parameters or (),
        success_message=successmessage or "",
        error_message=errormessage or "",
        timeout=timeout,
        enabled=enabled,
        details=details,
    )
    return made


@command("updateCustomAction", roles=ROOT, group=GROUP, since=SINCE, event=_UPDATE)
async def update_custom_action(
    call: Call,
    *,
    id: CustomAction,
    description: str | None = None,
    resourcetype: Annotated[str | None, Type] = None,
    allowedroletypes: RoleTypes = None,
    enabled: bool | None = None,
    parameters: Annotated[Sequence[Mapping[str, str]] | None, Parameters] = None,
    cleanupparameters: Annotated[bool, Param("whether all parameters are taken away")] = False,
    successmessage: Annotated[str | None, Message] = None,
    errormessage: Annotated[str | None, Message] = None,
    timeout: Annotated[int | None, Timeout] = None,
    details: Annotated[Mapping[str, str] | None, Details] = None,
    cleanupdetails: Annotated[bool, Param("whether all details are taken away")] = False,
) -> View:
    """Changes a custom action; parameters and details are in the place of those before."""
    changed = call.manager.custom_actions.update(
        id,
        description=description,
        resource_type=resourcetype or None,
        role_types=allowedroletypes,
        parameters=parameters,
        cleanup_parameters=cleanupparameters,
        success_message=successmessage,
        error_message=errormessage,
        timeout=timeout,
        enabled=enabled,
        details=details,
        cleanup_details=cleanupdetails,
    )
    return UpdatedActionView(extensioncustomaction=CustomActionView.of(changed, call))


@command("deleteCustomAction", roles=ROOT, group=GROUP, since=SINCE, event=_DELETE)
async def delete_custom_action(call: Call, *, id: CustomAction | None = None) -> None:
    """Deletes a custom action."""
    if id is None:
        raise InvalidParameterValue(
            "Unable to execute API command deletecustomaction due to missing parameter id"
        )
    call.manager.custom_actions.delete(id)


@command("listCustomActions", view=CustomActionView, group=GROUP, since=SINCE)
async def list_custom_actions(
    call: Call,
    *,
    page: Page,
    id: CustomAction | None = None,
    name: str | None = None,
    extensionid: Extension | None = None,
    resourcetype: Annotated[str | None, Type] = None,
    resourceid: Annotated[str | None, Param("with resourcetype: those that can be run for that resource")] = None,
    enabled: bool | None = None,
) -> Listed:
    """Lists custom actions: a root admin sees all, others what they may run."""
    service = call.manager.custom_actions
    kind = resource_type_named(resourcetype) if resourcetype else None
    of = extensionid.id if extensionid is not None else None
    if resourceid:
        extension = service.extension_for(service.resource(call.caller, kind, resourceid))
        if extension is None or of not in (None, extension.id):
            return Listed([], 0)
        of = extension.id
    return listed(
        call,
        CustomAction,
        page=page,
        ids=None if id is None else [id],
        equal={"name": name or None, "extension_id": of, "enabled": enabled},
        keep=lambda row: service.may_see(call.caller, row)
        and (kind is None or row.resource_type in (None, kind)),
    )


@command(
    "runCustomAction", view=ActionResultView, job=True, group=GROUP, since=SINCE, event="EXTENSION.CUSTOM.ACTION.RUN"
)
async def run_custom_action(
    call: Call,
    *,
    customactionid: CustomAction,
    resourceid: Annotated[str, Param("id of the instance")],
    resourcetype: Annotated[str | None, Type] = None,
    parameters: Annotated[Mapping[str, str] | None, Param("values of its parameters by their names")] = None,
) -> Job:
    """Has an extension do something with an instance. That it could not is a result, and no error."""
    service, caller, kind = call.manager.custom_actions, call.caller, resourcetype or None

    async def work() -> ActionResult:
        vm, values = service.check_run(caller, customactionid, kind, resourceid, parameters or {})
        done: ActionResult = await service.run(caller, customactionid, vm.id, values)
        return done

    try:
        vm = service.resource(caller, customactionid.resource_type or kind, resourceid)
    except CloudError:  # as in CloudStack it is the job that fails of it
        vm = None
    return Job(work, vm)
