"""Backup offerings, and which instances have them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from cloudsim.management.identity import visibility
from cloudsim.management.storage.backups.providers import DUMMY
from cloudsim.model import BackupOffering, VirtualMachine, Zone
from cloudsim.store import Row
from server.api.command import ROOT, Call, Job, Listed, command
from server.api.commands.infrastructure.capacity_view import zone_fields
from server.api.listing import Page, listed, page_of
from server.api.parameters import Param
from server.api.views import Date, View, date

GROUP = "Backup"


class BackupOfferingView(View):
    """A way to back up that instances of a zone may have."""

    entity: ClassVar[type[Row] | None] = BackupOffering
    key: ClassVar = "backupoffering"

    id: str | None = None
    name: str | None = None
    description: str | None = None
    provider: str | None = None
    externalid: Annotated[str | None, "what its provider calls it: of nas, the id of its repository"] = None
    allowuserdrivenbackups: Annotated[
        bool | None, "whether owners of instances back up when and as often as they like"
    ] = None
    crosszoneinstancecreation: bool | None = None
    zoneid: str | None = None
    zonename: str | None = None
    created: Date | None = None

    @classmethod
    def of(cls, row: BackupOffering, call: Call) -> Self:
        return cls(
            id=row.id,
            name=row.name,
            description=row.description,
            provider=row.provider,
            externalid=row.external_id,
            allowuserdrivenbackups=row.user_driven,
            crosszoneinstancecreation=row.provider != DUMMY
            and call.manager.backup_providers.cross_zone(row.external_id),
            created=date(row.created),
            **zone_fields(call, row.zone_id),
        )


class ProviderOfferingView(BackupOfferingView):
    """What a provider has that could be offered."""

    entity: ClassVar[type[Row] | None] = None  # it is no offering yet
    key: ClassVar = "backupprovideroffering"


@command(
    "listBackupProviderOfferings", view=ProviderOfferingView, roles=ROOT, group=GROUP, since="4.14.0"
)
async def list_backup_provider_offerings(call: Call, *, page: Page, zoneid: Zone) -> Listed:
    """Lists what the backup provider of a zone has: of nas, its repositories."""
    providers = call.manager.backup_providers
    providers.check_enabled(zoneid.id)
    provider = providers.of_zone(zoneid.id)
    found = page_of(providers.offerings(zoneid), page, search=("name",))
    rows = [
        ProviderOfferingView(
            name=each.name,
            description=each.description,
            provider=provider,
            externalid=each.external_id,
            **zone_fields(call, zoneid.id),
        )
        for each in found.rows
    ]
    return Listed(rows, found.total)


@command(
    "importBackupOffering",
    view=BackupOfferingView,
    roles=ROOT,
    job=True,
    creates=BackupOffering,
    event="BACKUP.IMPORT.OFFERING",
    group=GROUP,
    since="4.14.0",
)
async def import_backup_offering(
    call: Call,
    *,
    zoneid: Zone,
    name: str,
    description: str,
    externalid: Annotated[str, Param("as listBackupProviderOfferings tells it")],
    allowuserdrivenbackups: Annotated[bool, Param("whether owners of instances back up when they like")],
) -> Job:
    """Offers instances of a zone what its backup provider has."""
    made = call.manager.backup_offerings.import_(
        zoneid,
        name=name,
        description=description,
        external_id=externalid,
        user_driven=allowuserdrivenbackups,
    )

    async def work() -> BackupOffering:
        return made  # type: ignore[no-any-return]

    return Job(work, made)


@command("listBackupOfferings", view=BackupOfferingView, group=GROUP, since="4.14.0")
async def list_backup_offerings(
    call: Call, *, page: Page, id: BackupOffering | None = None, zoneid: Zone | None = None
) -> Listed:
    """Lists backup offerings of the zones that the caller may use."""
    zones = call.store.table(Zone)
    usable: dict[str, bool] = {}

    def keep(offering: BackupOffering) -> bool:
        if offering.zone_id not in usable:
            zone = zones.get(offering.zone_id)
            usable[offering.zone_id] = zone is not None and visibility.may(
                call.store, call.caller, zone, operate=False
            )
        return usable[offering.zone_id]

    return listed(
        call,
        BackupOffering,
        page=page,
        ids=None if id is None else [id],
        equal={"zone_id": zoneid and zoneid.id},
        keep=keep,
    )


@command(
    "updateBackupOffering",
    view=BackupOfferingView,
    roles=ROOT,
    event="BACKUP.OFFERING.EDIT",
    group=GROUP,
    since="4.16.0",
)
async def update_backup_offering(
    call: Call,
    *,
    id: BackupOffering,
    name: str | None = None,
    description: str | None = None,
    allowuserdrivenbackups: bool | None = None,
) -> BackupOffering:
    """Changes a backup offering."""
    changed: BackupOffering = call.manager.backup_offerings.update(
        id, name=name, description=description, user_driven=allowuserdrivenbackups
    )
    return changed


@command("deleteBackupOffering", roles=ROOT, event="BACKUP.OFFERING.DELETE", group=GROUP, since="4.14.0")
async def delete_backup_offering(call: Call, *, id: BackupOffering) -> None:
    """Deletes a backup offering that no instance has and no backup was taken with."""
    call.manager.backup_offerings.delete(id)


@command(
    "assignVirtualMachineToBackupOffering",
    job=True,
    event="BACKUP.OFFERING.ASSIGN",
    group="Virtual Machine",
    since="4.14.0",
)
async def assign_virtual_machine_to_backup_offering(
    call: Call,
    *,
    virtualmachineid: Annotated[VirtualMachine, Param(access="operate")],
    backupofferingid: BackupOffering,
) -> Job:
    """Gives an instance a backup offering."""
    offerings: Any = call.manager.backup_offerings
    offerings.check_assignable(virtualmachineid, backupofferingid)

    async def work() -> None:
        offerings.assign(virtualmachineid.id, backupofferingid)

    return Job(work, virtualmachineid)


@command(
    "removeVirtualMachineFromBackupOffering",
    job=True,
    event="BACKUP.OFFERING.REMOVE",
    group="Virtual Machine",
    since="4.14.0",
)
async def remove_virtual_machine_from_backup_offering(
    call: Call,
    *,
    virtualmachineid: Annotated[VirtualMachine, Param(access="operate")],
    forced: Annotated[bool, Param("makes no difference: no provider stands against it, and backups stay")] = False,
) -> Job:
    """Takes the backup offering from an instance, with its schedules; its backups stay."""
    offerings: Any = call.manager.backup_offerings
    call.manager.backup_providers.check_enabled(virtualmachineid.zone_id)
    offerings.of(virtualmachineid)

    async def work() -> None:
        offerings.remove(virtualmachineid.id)

    return Job(work, virtualmachineid)
