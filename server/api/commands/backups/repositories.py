"""Backup providers, and the repositories of the one that has some."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.management.storage.backups.providers import PROVIDERS
from cloudsim.model import BackupRepository, Zone
from server.api.command import ROOT, Call, Listed, command
from server.api.commands.infrastructure.capacity_view import zone_fields
from server.api.listing import Page, listed
from server.api.parameters import Long as LongParameter
from server.api.parameters import Param, one_of
from server.api.views import Date, Long, View, date

GROUP = "Backup"


class BackupProviderView(View):
    """A way to back up that a zone can choose."""

    key: ClassVar = "providers"

    name: str | None = None
    description: str | None = None

    @classmethod
    def of(cls, row: str, call: Call) -> Self:
        return cls(name=row, description=PROVIDERS[row])


@command("listBackupProviders", view=BackupProviderView, roles=ROOT, group=GROUP, since="4.14.0")
async def list_backup_providers(
    call: Call, *, name: Annotated[str | None, one_of(*PROVIDERS)] = None
) -> Listed:
    """Lists the backup providers that zones can choose from."""
    found = [each for each in PROVIDERS if not name or each == name.lower()]
    return Listed(found, len(found))


class BackupRepositoryView(View):
    """A share or folder of the hosts that backups are kept in."""

    entity: ClassVar = BackupRepository
    key: ClassVar = "backuprepository"

    id: str | None = None
    name: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    provider: str | None = None
    type: Annotated[str | None, "nfs or filesystem"] = None
    address: Annotated[str | None, "host:/path, or the folder of type filesystem"] = None
    mountopts: Annotated[str | None, "with what the hosts mount it"] = None
    capacitybytes: Annotated[Long | None, "how large it is, as far as it was said"] = None
    crosszoneinstancecreation: Annotated[
        bool | None, "whether instances of other zones may be made of what it holds"
    ] = None
    created: Date | None = None

    @classmethod
    def of(cls, row: BackupRepository, call: Call) -> Self:
        return cls(
            id=row.id,
            name=row.name,
            provider=row.provider,
            type=row.type,
            address=row.address,
            mountopts=row.mount_options or None,
            capacitybytes=row.capacity or None,
            crosszoneinstancecreation=row.cross_zone,
            created=date(row.created),
            **zone_fields(call, row.zone_id),
        )


@command(
    "addBackupRepository",
    view=BackupRepositoryView,
    roles=ROOT,
    group=GROUP,
    event="BACKUP.REPOSITORY.ADD",
    since="4.20.0",
)
async def add_backup_repository(
    call: Call,
    *,
    zoneid: Zone,
    name: str,
    address: Annotated[str, Param("host:/path, or a folder that every host of the zone has, for type filesystem")],
    type: Annotated[str, one_of("nfs", "filesystem")],
    provider: Annotated[str | None, Param("nas is the only one that has repositories")] = None,
    mountopts: Annotated[str | None, Param("options for mounting a share, such as vers=4.1,nolock")] = None,
    capacitybytes: Annotated[LongParameter | None, Param("how large it is, for reports of capacity", type="long")] = None,
    crosszoneinstancecreation: Annotated[
        bool, Param("whether instances of other zones may be made of what it holds", since="4.22.0")
    ] = False,
) -> BackupRepository:
    """Adds a share or folder to keep backups of a zone's instances in."""
    made: BackupRepository = call.manager.backup_repositories.add(
        zoneid,
        name=name,
        address=address,
        type=type,
        provider=provider,
        mount_options=mountopts,
        capacity=capacitybytes,
        cross_zone=crosszoneinstancecreation,
    )
    return made


@command(
    "updateBackupRepository",
    view=BackupRepositoryView,
    roles=ROOT,
    group=GROUP,
    event="BACKUP.REPOSITORY.UPDATE",
    since="4.22.0",
)
async def update_backup_repository(
    call: Call,
    *,
    id: BackupRepository,
    name: str | None = None,
    address: Annotated[str | None, Param("where all that was kept has been brought before")] = None,
    mountopts: str | None = None,
    crosszoneinstancecreation: bool | None = None,
) -> BackupRepository:
    """Changes a backup repository."""
    changed: BackupRepository = call.manager.backup_repositories.update(
        id, name=name, address=address, mount_options=mountopts, cross_zone=crosszoneinstancecreation
    )
    return changed


@command("listBackupRepositories", view=BackupRepositoryView, roles=ROOT, group=GROUP, since="4.20.0")
async def list_backup_repositories(
    call: Call,
    *,
    page: Page,
    id: BackupRepository | None = None,
    name: str | None = None,
    zoneid: Zone | None = None,
    provider: str | None = None,
) -> Listed:
    """Lists backup repositories."""
    return listed(
        call,
        BackupRepository,
        page=page,
        ids=None if id is None else [id],
        equal={"name": name, "zone_id": zoneid and zoneid.id, "provider": provider and provider.lower()},
    )


@command(
    "deleteBackupRepository", roles=ROOT, group=GROUP, event="BACKUP.REPOSITORY.DELETE", since="4.20.0"
)
async def delete_backup_repository(call: Call, *, id: BackupRepository) -> None:
    """Forgets a backup repository that no offering and no backup needs."""
    call.manager.backup_repositories.delete(id)
