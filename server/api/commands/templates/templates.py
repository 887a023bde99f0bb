"""Templates: registered, made, changed, shared and removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from msgspec.structs import replace

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.extensions.payloads import kept
from cloudsim.management.storage.template_request import ISO, TemplateRequest
from cloudsim.model import (
    Account,
    Domain,
    Extension,
    GuestOs,
    GuestOsCategory,
    ImageStore,
    Project,
    Snapshot,
    StoragePool,
    Template,
    UserData,
    VirtualMachine,
    Volume,
    Zone,
)
from server.api.command import Call, Job, Listed, command
from server.api.commands.storage.volumes import queue_of
from server.api.commands.templates.listing import shown
from server.api.commands.templates.requested import TAG, ChangedTemplate, RegisteredTemplate
from server.api.commands.templates.views import InZone, PermissionsView, TemplateView, in_zones
from server.api.listing import Page, Tags
from server.api.ownership import NamedOwner, Owner, account_named
from server.api.parameters import Param, one_of
from server.api.scope import Scope
from server.api.views import View

GROUP = "Template"
Details = Literal["all", "min"]


@command("registerTemplate", view=TemplateView, many=True, event="TEMPLATE.CREATE", group=GROUP)
async def register_template(
    call: Call,
    *,
    owner: Owner,
    request: RegisteredTemplate,
    url: Annotated[str, Param("where its file is fetched from", length=2048)],
    zoneid: Annotated[Zone | Literal["-1"] | None, Param("the zone that gets it; -1 for every zone")] = None,
    zoneids: Annotated[Sequence[Zone] | None, Param("the zones that get it")] = None,
    extensionid: Annotated[
        Extension | None,
        Param("what makes instances from it, of format EXTERNAL for hypervisor External; it has no file", since="4.21.0"),
    ] = None,
    externaldetails: Annotated[
        Mapping[str, str] | None, Param("what the extension's program is told of its instances", since="4.21.0")
    ] = None,
) -> Sequence[InZone]:
    """Registers a template, whose file is then downloaded in the background."""
    request = replace(
        request,
        details=request.details | kept(externaldetails),
        extension=extensionid,
    )
    if request.format.upper() == ISO:
        raise InvalidParameterValue("An ISO is registered with registerIso")
    template = call.manager.templates.register(
        call.caller, owner, request, url, chosen_zones(zoneid, zoneids)
    )
    return in_zones(template, call)


def chosen_zones(zone: Zone | Literal["-1"] | None, zones: Sequence[Zone] | None = None) -> list[Zone] | None:
    """The zones that zoneid and zoneids name; None for all."""
    if zone is not None and zones:
        raise InvalidParameterValue("Both zoneid and zoneids cannot be specified at the same time")
    if zones:
        return list(zones)
    return [zone] if isinstance(zone, Zone) else None


@command(
    "createTemplate", view=TemplateView, job=True, creates=Template, event="TEMPLATE.CREATE", group=GROUP
)
async def create_template(
    call: Call,
    *,
    named: NamedOwner,
    name: str,
    ostypeid: GuestOs,
    displaytext: Annotated[str | None, Param(length=4096)] = None,
    snapshotid: Annotated[Snapshot | None, Param("make it of this snapshot", access="operate")] = None,
    zoneid: Annotated[Zone | None, Param("with snapshotid: the zone, which must be that of the snapshot")] = None,
    volumeid: Annotated[Volume | None, Param("make it of this volume", access="operate")] = None,
    bits: int | None = None,
    arch: str | None = None,
    ispublic: bool = False,
    isfeatured: bool = False,
    isdynamicallyscalable: bool = False,
    passwordenabled: bool = False,
    sshkeyenabled: bool = False,
    requireshvm: bool = True,
    templatetag: Annotated[str | None, TAG] = None,
    details: Mapping[str, str] | None = None,
) -> Job:
    """Makes a template of a snapshot, or of a volume of a stopped instance."""
    owner = named or call.caller.account
    source: Snapshot | Volume | None = snapshotid if snapshotid is not None else volumeid
    if source is None or (snapshotid is not None and volumeid is not None):
        raise InvalidParameterValue("Either volumeid or snapshotid must be given, and not both")
    if zoneid is not None and snapshotid is None:
        raise InvalidParameterValue("zoneid can only be given with snapshotid")
    if zoneid is not None and zoneid.id != source.zone_id:
        raise InvalidParameterValue(f"Snapshot {source.name} is not in zone {zoneid.name} (zoneid)")
    request = TemplateRequest(
        name=name,
        display_text=displaytext,
        format="QCOW2",
        hypervisor=_hypervisor(call, source),
        guest_os=ostypeid,
        public=ispublic,
        featured=isfeatured,
        password_enabled=passwordenabled,
        ssh_key_enabled=sshkeyenabled,
        requires_hvm=requireshvm,
        dynamically_scalable=isdynamicallyscalable,
        bits=64 if bits is None else bits,
        arch=arch or "x86_64",
        tag=templatetag,
        details=dict(details or {}),
    )
    templates = call.manager.templates
    template = templates.allocate(call.caller, owner, request, source)
    # beside what else is done to the snapshot or the volume, one after the other
    return Job(lambda: templates.create(template.id, source), template, queue=_queue(source))


def _queue(source: Snapshot | Volume) -> str:
    return queue_of(source) if isinstance(source, Volume) else source.id


def _hypervisor(call: Call, source: Snapshot | Volume) -> str:
    volume = source if isinstance(source, Volume) else call.store.table(Volume).get(source.volume_id)
    vm = call.store.table(VirtualMachine).get(volume.vm_id) if volume is not None else None
    return vm.hypervisor if vm is not None and vm.hypervisor else str(call.manager.world.hypervisor)


@command("listTemplates", view=TemplateView, group=GROUP)
async def list_templates(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    templatefilter: Annotated[
        str, one_of("featured", "self", "selfexecutable", "sharedexecutable", "shared", "executable", "community", "all")
    ],
    id: Template | None = None,
    ids: Sequence[Template] | None = None,
    name: str | None = None,
    zoneid: Zone | None = None,
    hypervisor: str | None = None,
    templatetype: str | None = None,
    arch: str | None = None,
    parenttemplateid: Template | None = None,
    oscategoryid: GuestOsCategory | None = None,
    imagestoreid: ImageStore | None = None,
    storageid: StoragePool | None = None,
    isready: bool | None = None,
    showunique: Annotated[bool, Param("one row for each template, not one for each zone")] = False,
    showremoved: Annotated[bool, Param("deleted ones that something still uses, too")] = False,
    details: Annotated[Sequence[Details], Param("what to show: all (default), or min for all but its details")] = (),
    extensionid: Annotated[Extension | None, Param("those that it makes instances from", since="4.21.0")] = None,
    tags: Tags | None = None,
) -> Listed:
    """Lists templates."""
    call.cache["template details"] = not details or "all" in details

    def keep(template: Template) -> bool:
        return (
            (name is None or template.name.lower() == name.lower())
            and (hypervisor is None or template.hypervisor.lower() == hypervisor.lower())
            and (templatetype is None or template.type == templatetype.upper())
            and (arch is None or template.arch == arch)
            and (extensionid is None or template.extension_id == extensionid.id)
            and (parenttemplateid is None or template.source_template_id == parenttemplateid.id)
        )

    return shown(
        call,
        page=page,
        scope=scope,
        filter=templatefilter,
        iso=False,
        templates=None if id is None and ids is None else [*([id] if id else []), *(ids or [])],
        keep=keep,
        zone=zoneid,
        store=imagestoreid,
        pool=storageid,
        category=oscategoryid,
        ready=isready,
        unique=showunique,
        removed=showremoved,
        tags=tags,
    )


@command("updateTemplate", view=TemplateView, event="TEMPLATE.UPDATE", group=GROUP)
async def update_template(
    call: Call,
    *,
    id: Template,
    changes: ChangedTemplate,
) -> Template:
    """Changes what a template says of itself."""
    templates = call.manager.templates
    changed: Template = templates.update(call.caller, templates.active(id, iso=False), **changes)
    return changed


@command("deleteTemplate", job=True, event="TEMPLATE.DELETE", group=GROUP)
async def delete_template(
    call: Call,
    *,
    id: Template,
    zoneid: Annotated[Zone | None, Param("only from that zone")] = None,
    forced: Annotated[bool, Param("although instances were deployed from it")] = False,
    issystem: Annotated[bool, Param("needed for a template of system VMs; for root administrators", since="4.20.0")] = False,
) -> Job:
    """Deletes a template, from one zone or from all."""
    removal = call.manager.template_removal
    if issystem and not call.caller.is_root_admin:
        raise PermissionDenied("issystem is for root administrators")
    removal.check_deletable(call.manager.templates.active(id, iso=False), zoneid, forced=forced, system=issystem)
    return Job(lambda: removal.delete(id.id, zoneid, forced=forced, system=issystem), id)


@command("copyTemplate", view=TemplateView, job=True, event="TEMPLATE.COPY", group=GROUP)
async def copy_template(
    call: Call,
    *,
    id: Template,
    sourcezoneid: Zone | None = None,
    destzoneid: Zone | None = None,
    destzoneids: Sequence[Zone] | None = None,
) -> Job:
    """Brings a template to more zones."""
    templates = call.manager.templates
    template = templates.active(id, iso=False)
    return copying(
        call, template, sourcezoneid, [*([destzoneid] if destzoneid else []), *(destzoneids or [])]
    )


def copying(call: Call, template: Template, source: Zone | None, zones: list[Zone]) -> Job:
    """The job that brings a template or ISO to more zones."""
    if not zones:
        raise InvalidParameterValue("Either destzoneid or destzoneids parameters have to be specified.")
    if source is not None and source in zones:
        raise InvalidParameterValue("Please specify different source and destination zones.")
    return Job(lambda: call.manager.templates.copy(template.id, source, zones), template)


Operation = Literal["add", "remove", "reset"]


@command("updateTemplatePermissions", event="TEMPLATE.PERMISSIONS", group=GROUP)
async def update_template_permissions(
    call: Call,
    *,
    id: Template,
    op: Annotated[Operation | None, Param("what happens to accounts: add, remove, or reset all")] = None,
    accounts: Annotated[Sequence[str] | None, Param("names of accounts of the template's domain")] = None,
    projectids: Sequence[Project] | None = None,
    ispublic: bool | None = None,
    isfeatured: bool | None = None,
    isextractable: bool | None = None,
) -> None:
    """Shares a template with accounts, or with everybody."""
    template = call.manager.templates.active(id, iso=False)
    share(call, template, op, accounts, projectids, ispublic, isfeatured, isextractable)


def share(
    call: Call,
    template: Template,
    op: Operation | None,
    names: Sequence[str] | None,
    projects: Sequence[Project] | None,
    public: bool | None,
    featured: bool | None,
    extractable: bool | None,
) -> None:
    """Change with whom a template or ISO is shared."""
    domain = call.store.table(Domain)[template.domain_id]
    table = call.store.table(Account)
    accounts = [account_named(call.store, name, domain) for name in names or ()]
    accounts += [table[project.account_id] for project in projects or ()]
    call.manager.templates.set_permissions(
        call.caller,
        template,
        operation=op,
        accounts=accounts,
        public=public,
        featured=featured,
        extractable=extractable,
    )


@command("listTemplatePermissions", view=PermissionsView, many=False, group=GROUP)
async def list_template_permissions(call: Call, *, id: Template) -> View:
    """Lists with whom a template is shared."""
    return PermissionsView.of(call.manager.templates.active(id, iso=False), call)


@command("linkUserDataToTemplate", view=TemplateView, event="TEMPLATE.UPDATE", since="4.18.0", group=GROUP)
async def link_user_data_to_template(
    call: Call,
    *,
    templateid: Annotated[Template | None, Param(access="operate")] = None,
    isoid: Annotated[Template | None, Param(access="operate")] = None,
    userdataid: Annotated[UserData | None, Param("none to unlink what is linked")] = None,
    userdatapolicy: Annotated[str | None, one_of("ALLOWOVERRIDE", "APPEND", "DENYOVERRIDE")] = None,
) -> Template:
    """Has instances of a template get registered user data."""
    template = templateid or isoid
    if template is None or (templateid is not None and isoid is not None):
        raise InvalidParameterValue("Either templateid or isoid must be given, and not both")
    linked: Template = call.manager.user_data.link(template, userdataid, userdatapolicy)
    return linked
