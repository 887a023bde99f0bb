"""How templates and ISOs look: one row for each zone that has a copy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

from cloudsim.management.operations.details import shown as shown_details
from cloudsim.model import Account, Extension, GuestOs, ImageStore, Template, TemplateOnStore, UserData, Zone
from server.api.command import Call
from server.api.views import Date, Long, TagView, View, Wire, date, owner, tags

STATUS = {
    "Allocated": "Waiting to be downloaded",
    "Ready": "Download Complete",
    "Destroying": "Being removed",
}

ISO_READY = "Successfully Installed"
"""What clients wait for with ISOs, and with ISOs only."""

UPLOADS = {"NOT_UPLOADED": "Not uploaded yet", "UPLOAD_IN_PROGRESS": "Being uploaded"}


@dataclass(frozen=True)
class InZone:
    """A template and its copy in a zone; None where it has none."""

    template: Template
    copy: TemplateOnStore | None = None
    zone: Zone | None = None

    @property
    def id(self) -> str:
        return self.template.id

    @property
    def name(self) -> str:
        return self.template.name

    @property
    def display_text(self) -> str:
        return self.template.display_text

    @property
    def account_id(self) -> str:
        return self.template.account_id

    @property
    def is_ready(self) -> bool:
        """Whether instances can be deployed from it there. An extension's has no copy, and needs none."""
        return self.template.extension_id is not None or (self.copy is not None and self.copy.state == "Ready")


def in_zones(template: Template, call: Call) -> list[InZone]:
    """The template once for each zone that has it; once without a zone where none has."""
    stores, zones = call.store.table(ImageStore), call.store.table(Zone)
    if template.extension_id is not None:
        return [InZone(template, None, zone) for zone in zones] or [InZone(template)]
    found: list[InZone] = []
    for copy in call.store.table(TemplateOnStore).where("template_id", template.id):
        store = stores.get(copy.store_id)
        zone = zones.get(copy.zone_id)
        held: Iterable[Zone] = (
            zones if store is not None and store.zone_id is None else [zone] if zone else []
        )
        found.extend(InZone(template, copy, each) for each in held)
    return found or [InZone(template)]


class TemplateView(View):
    """A template or ISO in a zone."""

    entity: ClassVar = Template
    key: ClassVar = "template"

    id: str | None = None
    name: str | None = None
    displaytext: str | None = None
    ispublic: bool | None = None
    isfeatured: bool | None = None
    isextractable: bool | None = None
    isready: Annotated[bool | None, "whether instances can be deployed from it in this zone"] = None
    isdynamicallyscalable: bool | None = None
    passwordenabled: bool | None = None
    sshkeyenabled: bool | None = None
    requireshvm: bool | None = None
    directdownload: bool | None = None
    deployasis: bool | None = None
    bootable: bool | None = None
    crossZones: Annotated[bool | None, "whether every zone gets it"] = None
    format: Annotated[str | None, Wire("imageformat")] = None
    hypervisor: str | None = None
    templatetype: str | None = None
    templatetag: Annotated[str | None, "of the hosts that its instances are started on"] = None
    ostypeid: str | None = None
    ostypename: str | None = None
    bits: Annotated[int | None, Wire("int")] = None
    arch: str | None = None
    size: Annotated[Long | None, "bytes of a disk made from it"] = None
    physicalsize: Annotated[Long | None, "bytes of its file"] = None
    checksum: str | None = None
    url: str | None = None
    status: Annotated[str | None, "how far its download has come"] = None
    downloaddetails: Annotated[list[dict[str, str]] | None, "the same in each image store; for root admins"] = None
    created: Date | None = None
    removed: Annotated[Date | None, "when it was deleted: something uses it still"] = None
    zoneid: str | None = None
    zonename: str | None = None
    sourcetemplateid: str | None = None
    accountid: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    userdataid: str | None = None
    userdataname: str | None = None
    userdatapolicy: str | None = None
    userdataparams: str | None = None
    extensionid: Annotated[str | None, "what makes instances from it; for root admins"] = None
    extensionname: str | None = None
    details: dict[str, str] | None = None
    tags: list[TagView] | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: Template | InZone, call: Call) -> Self:
        if isinstance(row, Template):
            row = in_zones(row, call)[0]
        template, copy, zone = row.template, row.copy, row.zone
        guest_os = call.store.table(GuestOs).get(template.guest_os_id)
        user_data = call.store.table(UserData).get(template.user_data_id)
        extension = call.store.table(Extension).get(template.extension_id)
        return cls(
            id=template.id,
            name=template.name,
            displaytext=template.display_text,
            ispublic=template.is_public,
            isfeatured=template.is_featured,
            isextractable=template.is_extractable,
            isready=row.is_ready,
            isdynamicallyscalable=template.dynamically_scalable,
            passwordenabled=template.password_enabled,
            sshkeyenabled=template.ssh_key_enabled,
            requireshvm=template.requires_hvm,
            directdownload=template.direct_download,
            deployasis=template.deploy_as_is,
            bootable=template.bootable,
            crossZones=template.cross_zones,
            format=template.format,
            hypervisor=template.hypervisor,
            templatetype=template.type,
            ostypeid=template.guest_os_id or None,
            ostypename=guest_os.description if guest_os else None,
            bits=template.bits,
            arch=template.arch,
            size=template.size or (copy.size if copy else 0) or None,
            physicalsize=(copy.physical_size or copy.size or None) if copy else None,
            checksum=template.checksum,
            url=template.url,
            status=STATUS["Ready"] if extension is not None else _status(copy, iso=template.format == "ISO"),
            downloaddetails=_downloads(template, zone, call) if call.caller.is_root_admin else None,
            created=date(template.created),
            removed=date(template.removed),
            templatetag=template.tag,
            zoneid=zone.id if zone else None,
            zonename=zone.name if zone else None,
            sourcetemplateid=template.source_template_id,
            accountid=template.account_id or None,
            userdataid=template.user_data_id,
            userdataname=user_data.name if user_data else None,
            userdatapolicy=template.user_data_policy,
            userdataparams=user_data.params if user_data else None,
            extensionid=template.extension_id if call.caller.is_root_admin else None,
            extensionname=extension.name if extension is not None and call.caller.is_root_admin else None,
            details=_details(template, call),
            tags=tags(call, template.id),
            **owner(call, template.account_id),
        )


def _details(template: Template, call: Call) -> dict[str, str] | None:
    """Its details, unless a list was asked for without them."""
    if not call.cache.get("template details", True):
        return None
    return dict(shown_details(call.store, call.caller, template))


def _downloads(template: Template, zone: Zone | None, call: Call) -> list[dict[str, str]] | None:
    """How far the template has come in each image store that serves the zone."""
    found = []
    for copy in call.store.table(TemplateOnStore).where("template_id", template.id):
        store = call.store.table(ImageStore).get(copy.store_id)
        if store is not None and (zone is None or copy.zone_id == zone.id):
            percent = 100 if copy.state == "Ready" else copy.download_percent
            state = "DOWNLOADED" if copy.state == "Ready" else _status(copy) or copy.state
            found.append({"datastore": store.name, "downloadPercent": str(percent), "downloadState": state})
    return found or None


def _status(copy: TemplateOnStore | None, *, iso: bool = False) -> str | None:
    if copy is None:
        return None
    if copy.state == "Failed":
        return copy.error or "Failed"
    if copy.download_state in UPLOADS:
        return UPLOADS[copy.download_state]
    if copy.state == "Creating":
        return f"{copy.download_percent}% Downloaded"
    if copy.state == "Ready" and iso:
        return ISO_READY
    return STATUS[copy.state]


class PermissionsView(View):
    """With whom a template is shared."""

    entity: ClassVar = None
    key: ClassVar = "templatepermission"

    id: str | None = None
    ispublic: bool | None = None
    domainid: str | None = None
    account: list[str] | None = None
    projectids: list[str] | None = None

    @classmethod
    def of(cls, row: Template, call: Call) -> Self:
        shared = [call.store.table(Account).get(account_id) for account_id in row.shared_with]
        accounts = [a for a in shared if a is not None]
        return cls(
            id=row.id,
            ispublic=row.is_public,
            domainid=row.domain_id,
            account=[a.name for a in accounts if a.project_id is None] or None,
            projectids=[a.project_id for a in accounts if a.project_id is not None] or None,
        )
