"""listApis and listCapabilities: what this server can do, told by the declarations themselves."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from cloudsim.model import Zone
from server.api.command import COMMANDS, Call, Command, command, commands_answering
from server.api.envelope import VERSION
from server.api.parameters import Param, Parameter
from server.api.views import Long, ResponseField, SuccessView, View, response_fields


class ApiParameterView(View):
    """A parameter of a command."""

    name: str | None = None
    description: str | None = None
    type: str | None = None
    length: int | None = None
    required: bool | None = None
    since: str | None = None
    related: Annotated[str | None, "commands that answer what it names"] = None
    values: Annotated[list[str] | None, "the only values that it takes; CloudStack does not tell"] = None


class ApiFieldView(View):
    """A member of a command's answer."""

    name: str | None = None
    description: str | None = None
    type: str | None = None
    response: list[ApiFieldView] | None = None


class ApiView(View):
    """A command."""

    key: ClassVar = "api"

    name: str | None = None
    description: str | None = None
    since: str | None = None
    isasync: bool | None = None
    related: str | None = None
    params: list[ApiParameterView] | None = None
    response: list[ApiFieldView] | None = None
    type: str | None = None

    @classmethod
    def of(cls, row: Command, call: Call) -> Self:
        entity = row.view.entity if row.view is not None else None
        fields = response_fields(row.view if row.view is not None else SuccessView)
        return cls(
            name=row.name,
            description=row.description or row.name,
            since=row.since,
            isasync=row.job,
            related=_related(entity, row.name),
            params=[_parameter(p, row) for p in row.parameters],
            response=[_field(f) for f in fields],
        )


def _related(entity: Any, but: str = "") -> str:
    if entity is None:
        return ""
    return ",".join(sorted(name for name in commands_answering(entity) if name != but))


def _parameter(p: Parameter, of: Command) -> ApiParameterView:
    return ApiParameterView(
        name=p.name,
        description=_described(p),
        type=p.type,
        length=p.length,
        required=p.required,
        since=p.since,
        related=_related(p.entity) if p.entity is not None else None,
        values=list(p.values) or None,
    )


def _described(p: Parameter) -> str:
    """The parameter in words, with the values that it takes."""
    if not p.values or all(value in p.description for value in p.values):
        return p.description or p.name
    values = f"{', '.join(p.values[:-1])} or {p.values[-1]}" if len(p.values) > 1 else p.values[0]
    return f"{p.description}: {values}" if p.description else values


def _field(field: ResponseField) -> ApiFieldView:
    return ApiFieldView(
        name=field.name,
        description=field.description or field.name,
        type=field.type,
        response=[_field(f) for f in field.fields] or None,
    )


@command("listApis", view=ApiView, group="Discovery", since="4.1.0")
async def list_apis(call: Call, *, name: Annotated[str | None, Param("only this command")] = None) -> list[Command]:
    """Lists the commands that the caller may use, with their parameters and answers."""
    allowed = call.manager.roles.allows
    found = [c for c in COMMANDS.values() if name is None or c.name.lower() == name.lower()]
    offered = call.door.offers
    return sorted((c for c in found if offered(c) and allowed(call.caller.account, c.name, c.roles)), key=lambda c: c.name)


class CapabilityView(View):
    """What this cloud is set up to do, as clients ask before they offer it."""

    key: ClassVar = "capability"

    cloudstackversion: Annotated[str | None, "the CloudStack release whose API this is"] = None
    securitygroupsenabled: Annotated[bool | None, "whether a zone has security groups"] = None
    dynamicrolesenabled: bool | None = None
    userpublictemplateenabled: bool | None = None
    supportELB: str | None = None
    projectinviterequired: bool | None = None
    allowusercreateprojects: bool | None = None
    customdiskofferingminsize: Annotated[Long | None, "in GiB"] = None
    customdiskofferingmaxsize: Annotated[Long | None, "in GiB"] = None
    regionsecondaryenabled: bool | None = None
    kvmsnapshotenabled: bool | None = None
    allowuserviewdestroyedvm: bool | None = None
    allowuserexpungerecovervm: bool | None = None
    allowuserexpungerecovervolume: bool | None = None
    allowuserviewalldomainaccounts: bool | None = None
    allowuserforcestopvm: bool | None = None
    kubernetesserviceenabled: bool | None = None
    kubernetesclusterexperimentalfeaturesenabled: bool | None = None
    customhypervisordisplayname: str | None = None
    defaultuipagesize: Long | None = None
    instancesstatsretentiontime: int | None = None
    instancesstatsuseronly: bool | None = None
    instancesdisksstatsretentionenabled: bool | None = None
    instancesdisksstatsretentiontime: int | None = None
    dynamicscalingenabled: bool | None = None
    instanceleaseenabled: bool | None = None
    apilimitinterval: Annotated[int | None, "seconds over which calls are counted, where they are"] = None
    apilimitmax: Annotated[int | None, "calls that an account may make within them"] = None
    additionalconfigenabled: bool | None = None


@command("listCapabilities", view=CapabilityView, many=False, group="Configuration")
async def list_capabilities(call: Call) -> CapabilityView:
    """Shows what this cloud is set up to do."""
    settings = call.manager.foundation.settings

    def allowed(name: str) -> bool:
        return call.caller.is_admin or settings.boolean(name, "Account", call.caller.account.id)

    limited = settings.boolean("api.throttling.enabled")
    return CapabilityView(
        apilimitinterval=settings.integer("api.throttling.interval") if limited else None,
        apilimitmax=settings.integer("api.throttling.max") if limited else None,
        cloudstackversion=VERSION,
        securitygroupsenabled=any(zone.security_groups for zone in call.store.table(Zone)),
        dynamicrolesenabled=True,
        userpublictemplateenabled=allowed("allow.public.user.templates"),
        supportELB="false",
        projectinviterequired=settings.boolean("project.invite.required"),
        allowusercreateprojects=settings.boolean("allow.user.create.projects"),
        customdiskofferingminsize=settings.integer("custom.diskoffering.size.min"),
        customdiskofferingmaxsize=settings.integer("custom.diskoffering.size.max"),
        regionsecondaryenabled=False,
        kvmsnapshotenabled=settings.boolean("kvm.snapshot.enabled"),
        allowuserviewdestroyedvm=call.caller.is_admin,
        allowuserexpungerecovervm=allowed("allow.user.expunge.recover.vm"),
        allowuserexpungerecovervolume=allowed("allow.user.expunge.recover.volume"),
        allowuserviewalldomainaccounts=False,
        allowuserforcestopvm=True,
        kubernetesserviceenabled=False,
        kubernetesclusterexperimentalfeaturesenabled=False,
        customhypervisordisplayname="Custom",
        defaultuipagesize=settings.integer("default.ui.page.size"),
        instancesstatsretentiontime=settings.integer("vm.stats.max.retention.time"),
        instancesstatsuseronly=settings.boolean("vm.stats.user.vm.only"),
        instancesdisksstatsretentionenabled=False,
        instancesdisksstatsretentiontime=720,
        dynamicscalingenabled=settings.boolean("enable.dynamic.scale.vm"),
        instanceleaseenabled=settings.boolean("instance.lease.enabled"),
        additionalconfigenabled=False,
    )
