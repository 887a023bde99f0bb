"""ISOs: registered, changed, shared and removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from cloudsim.model import (
    GuestOsCategory,
    ImageStore,
    Project,
    StoragePool,
    Template,
    VirtualMachine,
    Zone,
)
from server.api.command import Call, Job, Listed, command
from server.api.commands.compute.virtual_machine_views import VirtualMachineView
from server.api.commands.templates.listing import shown
from server.api.commands.templates.requested import ChangedIso, RegisteredIso
from server.api.commands.templates.templates import Operation, chosen_zones, copying, share
from server.api.commands.templates.views import InZone, PermissionsView, TemplateView, in_zones
from server.api.listing import Page, Tags
from server.api.ownership import Owner
from server.api.parameters import Param, one_of
from server.api.scope import Scope
from server.api.views import View

GROUP = "ISO"


class IsoView(TemplateView):
    """An ISO in a zone."""

    key: ClassVar = "iso"


class IsoPermissionsView(PermissionsView):
    """With whom an ISO is shared."""

    key: ClassVar = "isopermission"


@command("registerIso", view=IsoView, many=True, event="ISO.CREATE", group=GROUP)
async def register_iso(
    call: Call,
    *,
    owner: Owner,
    request: RegisteredIso,
    url: Annotated[str, Param("where its file is fetched from", length=2048)],
    zoneid: Annotated[Zone | Literal["-1"], Param("the zone that gets it; -1 for every zone")],
    imagestoreuuid: Annotated[ImageStore | None, Param("where it is kept, of that zone", type="string")] = None,
) -> Sequence[InZone]:
    """Registers an ISO, whose file is then downloaded in the background."""
    iso = call.manager.templates.register(call.caller, owner, request, url, chosen_zones(zoneid), imagestoreuuid)
    return in_zones(iso, call)


@command("listIsos", view=IsoView, group=GROUP)
async def list_isos(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    isofilter: Annotated[
        str, one_of("featured", "self", "selfexecutable", "sharedexecutable", "executable", "community", "all")
    ] = "selfexecutable",
    id: Template | None = None,
    name: str | None = None,
    zoneid: Zone | None = None,
    hypervisor: str | None = None,
    arch: str | None = None,
    bootable: bool | None = None,
    ispublic: bool | None = None,
    isready: bool | None = None,
    oscategoryid: GuestOsCategory | None = None,
    imagestoreid: ImageStore | None = None,
    storageid: StoragePool | None = None,
    showunique: Annotated[bool, Param("one row for each ISO, not one for each zone")] = False,
    showremoved: Annotated[bool, Param("deleted ones that something still uses, too")] = False,
    tags: Tags | None = None,
) -> Listed:
    """Lists ISOs."""

    def keep(iso: Template) -> bool:
        return (
            (name is None or iso.name.lower() == name.lower())
            and (hypervisor is None or iso.hypervisor.lower() == hypervisor.lower())
            and (arch is None or iso.arch == arch)
            and (bootable is None or iso.bootable == bootable)
            and (ispublic is None or iso.is_public == ispublic)
        )

    return shown(
        call,
        page=page,
        scope=scope,
        filter=isofilter,
        iso=True,
        templates=None if id is None else [id],
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


@command("updateIso", view=IsoView, event="ISO.UPDATE", group=GROUP)
async def update_iso(
    call: Call,
    *,
    id: Template,
    changes: ChangedIso,
) -> Template:
    """Changes what an ISO says of itself."""
    templates = call.manager.templates
    changed: Template = templates.update(call.caller, templates.active(id, iso=True), **changes)
    return changed


@command("deleteIso", job=True, event="ISO.DELETE", group=GROUP)
async def delete_iso(
    call: Call, *, id: Template, zoneid: Annotated[Zone | None, Param("only from that zone")] = None
) -> Job:
    """Deletes an ISO, from one zone or from all."""
    removal = call.manager.template_removal
    removal.check_deletable(call.manager.templates.active(id, iso=True), zoneid)
    return Job(lambda: removal.delete(id.id, zoneid), id)


@command("copyIso", view=IsoView, job=True, event="ISO.COPY", group=GROUP)
async def copy_iso(
    call: Call,
    *,
    id: Template,
    sourcezoneid: Zone | None = None,
    destzoneid: Zone | None = None,
    destzoneids: Sequence[Zone] | None = None,
) -> Job:
    """Brings an ISO to more zones."""
    iso = call.manager.templates.active(id, iso=True)
    return copying(call, iso, sourcezoneid, [*([destzoneid] if destzoneid else []), *(destzoneids or [])])


@command("updateIsoPermissions", event="ISO.PERMISSIONS", group=GROUP)
async def update_iso_permissions(
    call: Call,
    *,
    id: Template,
    op: Annotated[Operation | None, Param("what happens to accounts: add, remove, or reset all")] = None,
    accounts: Annotated[Sequence[str] | None, Param("names of accounts of the ISO's domain")] = None,
    projectids: Sequence[Project] | None = None,
    ispublic: bool | None = None,
    isfeatured: bool | None = None,
    isextractable: bool | None = None,
) -> None:
    """Shares an ISO with accounts, or with everybody."""
    iso = call.manager.templates.active(id, iso=True)
    share(call, iso, op, accounts, projectids, ispublic, isfeatured, isextractable)


@command("listIsoPermissions", view=IsoPermissionsView, many=False, group=GROUP)
async def list_iso_permissions(call: Call, *, id: Template) -> View:
    """Lists with whom an ISO is shared."""
    return IsoPermissionsView.of(call.manager.templates.active(id, iso=True), call)


@command("attachIso", view=VirtualMachineView, job=True, event="ISO.ATTACH", group=GROUP)
async def attach_iso(
    call: Call,
    *,
    id: Annotated[Template, Param("the ISO", access="use")],
    virtualmachineid: Annotated[VirtualMachine, Param(access="operate")],
    forced: Annotated[bool, Param("take out another ISO that is in the drive")] = False,
) -> Job:
    """Puts an ISO into the drive of an instance, which may run or be stopped."""
    isos, vm = call.manager.iso_attachment, virtualmachineid
    isos.check_attachable(vm, id, forced=forced)
    return Job(lambda: isos.attach(vm.id, id.id, forced=forced), vm)


@command("detachIso", view=VirtualMachineView, job=True, event="ISO.DETACH", group=GROUP)
async def detach_iso(
    call: Call,
    *,
    virtualmachineid: Annotated[VirtualMachine, Param(access="operate")],
    forced: Annotated[
        bool, Param("whether it is forgotten although the host does not let go of it", since="4.15.1")
    ] = False,
) -> Job:
    """Takes the ISO out of the drive of an instance."""
    isos, vm = call.manager.iso_attachment, virtualmachineid
    isos.check_detachable(vm)
    return Job(lambda: isos.detach(vm.id, forced=forced), vm)
