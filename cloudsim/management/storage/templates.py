"""Templates and ISOs: what they are, whose they are, and who may use them. Their files: `template_images`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from cloudsim.errors import CloudError, InvalidParameterValue, PermissionDenied
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.limits import Limits
from cloudsim.management.infrastructure.hypervisor_types import hypervisor_named
from cloudsim.management.storage.template_images import TemplateImages
from cloudsim.management.storage.template_request import FORMATS, ISO, REGISTERED_TYPES, TemplateRequest
from cloudsim.management.storage.template_urls import check_source
from cloudsim.model import (
    Account,
    GuestOs,
    ImageStore,
    Snapshot,
    Template,
    TemplateOnStore,
    VirtualMachine,
    Volume,
    Zone,
)
from cloudsim.model.compute import GONE


class Templates:
    """Makes, changes and shares templates and ISOs."""

    def __init__(self, foundation: Foundation, images: TemplateImages, limits: Limits) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self.images = images
        self._limits = limits
        self._table = foundation.table(Template)
        self._copies = foundation.table(TemplateOnStore)
        self._guest_oses = foundation.table(GuestOs)
        self._zones = foundation.table(Zone)
        self._vms = foundation.table(VirtualMachine)
        self._randomness = foundation.randomness.branch("templates")

    # making

    def register(
        self,
        caller: Caller,
        owner: Account,
        request: TemplateRequest,
        url: str,
        zones: Sequence[Zone] | None,
        store: ImageStore | None = None,
    ) -> Template:
        """A template (or ISO) whose file is downloaded in the background into those zones; None means every zone.

        `store` is where it is kept, of one zone.
        """
        if request.extension is not None:
            return self._of_extension(caller, owner, request, url)
        check_source(caller, url)
        everywhere = zones is None
        chosen = list(self._zones if zones is None else {zone.id: zone for zone in zones}.values())
        if not chosen:
            raise InvalidParameterValue("There is no zone to register the template in")
        if store is not None:
            if len(chosen) != 1 or everywhere:
                raise InvalidParameterValue("imagestoreuuid is for one zone: zoneid must name it")
            if store.zone_id not in (None, chosen[0].id) or store.read_only:
                raise InvalidParameterValue(
                    f"Image store {store.name} (imagestoreuuid) is not one that zone {chosen[0].name} can write to"
                )
        self._limits.check(owner, "template")
        template = self._row(caller, owner, request, url=url, cross_zones=everywhere)
        added = []
        with self._store.transaction():
            self._table.insert(template)
            for zone in chosen:
                if self.images.in_zone(template.id, zone.id) is not None:
                    continue  # a store that serves every zone has it already
                try:
                    added.append(self.images.add(template, zone, store))
                except CloudError:
                    if not everywhere:
                        raise
            if not added:
                raise InvalidParameterValue("No zone has secondary storage to register the template in")
        for copy in added:
            self.images.begin(copy)
        return template

    def _of_extension(self, caller: Caller, owner: Account, request: TemplateRequest, url: str) -> Template:
        """A template without a file: it is ready at once, in every zone. `url` is kept for whom it tells something."""
        self._limits.check(owner, "template")
        template = self._row(caller, owner, request, url=url, cross_zones=True)
        with self._store.transaction():
            return self._table.insert(template)

    def expect(
        self, caller: Caller, owner: Account, request: TemplateRequest, zone: Zone
    ) -> tuple[Template, TemplateOnStore]:
        """A template (or ISO) whose file is to be sent to that zone, and the copy that it is to be."""
        self._limits.check(owner, "template")
        template = self._row(caller, owner, request, url=None)
        with self._store.transaction():
            self._table.insert(template)
            return template, self.images.add(template, zone)

    def forget(self, template_id: str) -> None:
        """Remove the row of a template that never came to be. Needs an open transaction."""
        if template_id in self._table:
            self._table.delete(template_id)

    def _row(
        self,
        caller: Caller,
        owner: Account,
        request: TemplateRequest,
        *,
        url: str | None,
        cross_zones: bool = False,
        source: str | None = None,
    ) -> Template:
        if not request.name.strip():
            raise InvalidParameterValue("A template needs a name")
        format = request.format.upper()
        if format != ISO and format not in FORMATS:
            raise InvalidParameterValue(
                f"Please specify a valid format: {request.format} is none of {', '.join(FORMATS)}"
            )
        external = [format == "EXTERNAL", request.hypervisor.lower() == "external", request.extension is not None]
        if any(external) and not all(external):
            raise InvalidParameterValue(
                "A template of format EXTERNAL is for hypervisor External, and needs an extensionid; no other has one"
            )
        type_ = _type_named(request.type)
        if type_ != "USER" and not caller.is_root_admin:
            raise PermissionDenied(f"Only a root administrator can register a {type_} template")
        if request.tag:
            _check_tag(caller)
        if request.public:
            self._check_public(caller)
        if request.direct_download:
            raise InvalidParameterValue("directdownload is not supported: files come by way of secondary storage")
        if request.deploy_as_is:
            raise InvalidParameterValue("deployasis is for VMware, and not supported")
        if request.bits not in (32, 64):
            raise InvalidParameterValue(f"bits is 32 or 64, not {request.bits}")
        return Template(
            id=self._randomness.uuid(),
            name=request.name,
            display_text=request.display_text or request.name,
            account_id=owner.id,
            domain_id=owner.domain_id,
            format=format,
            hypervisor="None" if format == ISO else hypervisor_named(request.hypervisor),
            guest_os_id=(request.guest_os or self._any_guest_os()).id,
            url=url,
            checksum=request.checksum,
            is_public=request.public,
            is_featured=request.featured and caller.is_root_admin,
            is_extractable=request.extractable,
            cross_zones=cross_zones,
            bootable=request.bootable,
            password_enabled=request.password_enabled,
            ssh_key_enabled=request.ssh_key_enabled,
            requires_hvm=request.requires_hvm,
            dynamically_scalable=request.dynamically_scalable,
            direct_download=request.direct_download,
            deploy_as_is=request.deploy_as_is,
            bits=request.bits,
            arch=request.arch,
            details=dict(request.details),
            type=type_,
            tag=(request.tag or "").strip() or None,
            source_template_id=source,
            extension_id=None if request.extension is None else request.extension.id,
            created=self._foundation.now(),
        )

    def _check_public(self, caller: Caller) -> None:
        """Raise PermissionDenied for a user who may not make templates public."""
        setting, account_id = "allow.public.user.templates", caller.account.id
        if not caller.is_admin and not self._foundation.settings.boolean(setting, "Account", account_id):
            raise PermissionDenied(f"Only private templates and ISOs can be created: {setting} is false")

    def _any_guest_os(self) -> GuestOs:
        """The operating system of a template that names none."""
        for description in ("Other (64-bit)", "Other Linux (64-bit)"):
            found = self._guest_oses.find("description", description)
            if found is not None:
                return found
        first = next(iter(self._guest_oses), None)
        if first is None:
            raise InvalidParameterValue("ostypeid must be given: there are no guest OS types")
        return first

    def allocate(
        self, caller: Caller, owner: Account, request: TemplateRequest, source: Snapshot | Volume
    ) -> Template:
        """A template to be made of a snapshot or a volume, in its zone."""
        self._check_source(source)
        self._limits.check(owner, "template")
        self._limits.check(owner, "secondary_storage", source.size)
        origin = self._table.get(source.template_id)
        if origin is not None:
            request = msgspec.structs.replace(request, format=origin.format, hypervisor=origin.hypervisor)
        template = self._row(caller, owner, request, url=None, source=source.template_id)
        with self._store.transaction():
            self._table.insert(template)
            self.images.add(template, source.zone_id)
        return template

    def _check_source(self, source: Snapshot | Volume) -> None:
        if isinstance(source, Snapshot):
            if source.state != "BackedUp" or source.path is None:
                raise InvalidParameterValue(
                    f"Snapshot id={source.id} is not in BackedUp state yet and can't be used for template creation"
                )
            return
        if source.state != "Ready" or source.path is None:
            raise InvalidParameterValue(
                f"Volume {source.name} is {source.state}; it must be Ready to make a template of it"
            )
        vm = self._vms.get(source.vm_id)
        if vm is not None and vm.state != "Stopped":
            raise InvalidParameterValue(
                f"The VM {vm.name} of volume {source.name} must be stopped and is {vm.state}"
            )

    async def create(self, template_id: str, source: Snapshot | Volume) -> Template:
        """Make the file of an allocated template; when that fails the template is gone."""
        copy = self._copies.where("template_id", template_id)[0]
        try:
            self._check_source(source)
            await self.images.make(copy.id, source)
        except BaseException:
            with self._store.transaction():
                for row in self._copies.where("template_id", template_id):
                    self._copies.delete(row.id)
                if template_id in self._table:
                    self._table.delete(template_id)
            raise
        return self._table[template_id]

    # changing

    def active(self, template: Template, *, iso: bool) -> Template:
        """The template if it is there, and is (or is not) an ISO. Raises InvalidParameterValue."""
        what = "ISO" if iso else "template"
        if template.state != "Active" or (template.format == ISO) != iso:
            raise InvalidParameterValue(f"Unable to find {what} with id {template.id}")
        return template

    def update(
        self,
        caller: Caller,
        template: Template,
        *,
        guest_os: GuestOs | None = None,
        force_guest_os: bool = False,
        cleanup_details: bool = False,
        **changes: Any,
    ) -> Template:
        """Change what is not None: a field of Template by its name.

        `force_guest_os`: the instances that it was given to get the other operating system, too.
        """
        fields = {name: value for name, value in changes.items() if value is not None}
        if "type" in fields:
            fields["type"] = _type_named(fields["type"])
            if not caller.is_root_admin:
                raise PermissionDenied("Only a root administrator can change the templatetype of a template")
        if "tag" in fields:
            _check_tag(caller)
            fields["tag"] = fields["tag"].strip() or None
        if "name" in fields and not str(fields["name"]).strip():
            raise InvalidParameterValue("A template needs a name")
        if "format" in fields:
            fields["format"] = str(fields["format"]).upper()
            if fields["format"] not in FORMATS:
                raise InvalidParameterValue(f"Please specify a valid format, not {fields['format']}")
        if "details" in fields:
            fields["details"] = {**template.details, **fields["details"]}
        if cleanup_details:
            fields["details"] = {}
        followers: list[VirtualMachine] = []
        if guest_os is not None and guest_os.id != template.guest_os_id:
            fields["guest_os_id"] = guest_os.id
            followers = [vm for vm in self._vms.where("template_id", template.id) if vm.state not in GONE]
            if followers and not force_guest_os:
                raise InvalidParameterValue(
                    "Updating the OS type will update the guest OS of all existing instances that were deployed with "
                    "the template or ISO, which may affect their behaviour. To proceed, set forceupdateostype to true"
                )
        if not fields:
            return template
        with self._store.transaction():
            for vm in followers:
                self._vms.update(vm.id, guest_os_id=fields["guest_os_id"])
            return self._table.update(template.id, **fields)

    def set_permissions(
        self,
        caller: Caller,
        template: Template,
        *,
        operation: Literal["add", "remove", "reset"] | None = None,
        accounts: Sequence[Account] = (),
        public: bool | None = None,
        featured: bool | None = None,
        extractable: bool | None = None,
    ) -> Template:
        """Share the template with accounts, or with everybody; `reset` shares it with nobody."""
        if template.type == "SYSTEM":
            raise InvalidParameterValue(f"The permissions of system template {template.name} cannot change")
        if featured is not None and not caller.is_admin:
            raise PermissionDenied("Only an administrator can feature a template")
        if public:
            self._check_public(caller)
        if accounts and operation not in ("add", "remove"):
            raise InvalidParameterValue(
                "Invalid operation on accounts, the operation must be either 'add' or 'remove'"
            )
        changes: dict[str, Any] = {}
        shared = dict.fromkeys(template.shared_with)
        if operation == "reset":
            shared = {}
            changes |= {"is_public": False, "is_featured": False}
        elif operation == "add":
            shared |= dict.fromkeys(a.id for a in accounts if a.id != template.account_id)
        elif operation == "remove":
            for account in accounts:
                shared.pop(account.id, None)
        changes["shared_with"] = tuple(shared)
        for name, value in (
            ("is_public", public),
            ("is_featured", featured),
            ("is_extractable", extractable),
        ):
            if value is not None:
                changes[name] = value
        with self._store.transaction():
            return self._table.update(template.id, **changes)

    async def copy(self, template_id: str, source_zone: Zone | None, zones: Sequence[Zone]) -> Template:
        """Bring the template to more zones, and return when it is there. Raises what failed."""
        template = self._table[template_id]
        if source_zone is not None:
            held = self.images.in_zone(template_id, source_zone.id)
            if held is None or held.state != "Ready":
                raise InvalidParameterValue(
                    f"Template {template.name} is not ready in zone {source_zone.name}"
                )
        added = []
        with self._store.transaction():
            for zone in zones:
                if self.images.in_zone(template_id, zone.id) is None:
                    added.append(self.images.add(template, zone))
        for copy in added:
            await self.images.download(copy.id)
            done = self._copies.get(copy.id)
            if done is not None and done.state != "Ready":
                with self._store.transaction():
                    self._copies.delete(copy.id)
                raise CloudError(done.error or f"Template {template.name} was not copied: no host is up")
        return self._table[template_id]


def _type_named(text: str) -> Literal["USER", "SYSTEM"]:
    """The type of that name in any case. Raises InvalidParameterValue."""
    found = REGISTERED_TYPES.get(text.upper())
    if found is None:
        raise InvalidParameterValue(
            f"Please specify a valid templatetype: {text} is none of {', '.join(REGISTERED_TYPES)}"
        )
    return found


def _check_tag(caller: Caller) -> None:
    if not caller.is_root_admin:
        raise PermissionDenied("Parameter templatetag can only be specified by a root administrator")
