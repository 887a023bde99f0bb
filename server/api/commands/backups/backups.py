"""Backups of instances."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

import msgspec

from cloudsim.model import Account, Backup, BackupOffering, Domain, VirtualMachine, Zone
from server.api.command import Call, Job, Listed, command
from server.api.listing import Page, listed
from server.api.parameters import Param
from server.api.scope import Scope
from server.api.views import Date, Long, View, Wire, date

GROUP = "Backup"


class BackupView(View):
    """All disks of an instance as they were at one moment."""

    entity: ClassVar = Backup
    key: ClassVar = "backup"

    id: str | None = None
    name: str | None = None
    description: str | None = None
    virtualmachineid: Annotated[str | None, "the instance that it is of, which may be gone"] = None
    virtualmachinename: str | None = None
    externalid: Annotated[str | None, "what its files are called in their repository"] = None
    type: str | None = None
    intervaltype: Annotated[str | None, "MANUAL, or the interval of its schedule"] = None
    created: Date | None = None
    size: Annotated[Long | None, "bytes that it takes"] = None
    virtualsize: Annotated[Long | None, "bytes of the disks, as their guest saw them"] = None
    status: Annotated[str | None, Wire("status")] = None
    volumes: Annotated[str | None, "its disks, in JSON: uuid, type, size, path, deviceid"] = None
    backupofferingid: str | None = None
    backupofferingname: str | None = None
    accountid: str | None = None
    account: str | None = None
    domainid: str | None = None
    domain: str | None = None
    zoneid: str | None = None
    zone: str | None = None
    vmdetails: Annotated[dict[str, str] | None, "how the instance was, where listvmdetails asks for it"] = None
    vmbackupofferingremoved: Annotated[bool | None, "whether the instance has its offering no more"] = None
    isbackupvmexpunged: Annotated[bool | None, "whether the instance is gone"] = None

    @classmethod
    def of(cls, row: Backup, call: Call) -> Self:
        table = call.store.table
        vm, offering = table(VirtualMachine).get(row.vm_id), table(BackupOffering).get(row.offering_id)
        account, domain = table(Account).get(row.account_id), table(Domain).get(row.domain_id)
        zone = table(Zone).get(row.zone_id)
        return cls(
            id=row.id,
            name=row.name,
            description=row.description,
            virtualmachineid=row.vm_id,
            virtualmachinename=vm.name if vm is not None else row.vm_name,
            externalid=f"backups/{row.id}",
            type="FULL",
            intervaltype=row.interval,
            created=date(row.created),
            size=row.size,
            virtualsize=sum(volume.size for volume in row.volumes),
            status=row.state,
            volumes=_volumes(row),
            backupofferingid=row.offering_id,
            backupofferingname=offering.name if offering is not None else None,
            accountid=row.account_id,
            account=account.name if account is not None else None,
            domainid=row.domain_id,
            domain=domain.name if domain is not None else None,
            zoneid=row.zone_id,
            zone=zone.name if zone is not None else None,
            vmdetails=row.vm_details if call.cache.get("vm details") else None,
            vmbackupofferingremoved=vm is None or vm.backup_offering_id != row.offering_id,
            isbackupvmexpunged=vm is None,
        )


def _volumes(row: Backup) -> str:
    disks = [
        {"uuid": each.id, "type": each.type, "size": each.size, "path": each.path, "deviceid": each.device}
        for each in row.volumes
    ]
    return msgspec.json.encode(disks).decode()


@command("createBackup", job=True, event="BACKUP.CREATE", group=GROUP, since="4.14.0")
async def create_backup(
    call: Call,
    *,
    virtualmachineid: Annotated[VirtualMachine, Param("an instance with a backup offering", access="operate")],
    name: Annotated[str | None, Param("what it is called; one is made up if left out", since="4.21.0")] = None,
    description: Annotated[str | None, Param(since="4.21.0")] = None,
    quiescevm: Annotated[
        bool, Param("whether the guest's agent brings its file systems to rest for the moment", since="4.21.0")
    ] = False,
) -> Job:
    """Backs all disks of an instance up as they are now."""
    backups: Any = call.manager.backups
    backup = backups.allocate(virtualmachineid, name or None, description)

    async def work() -> None:
        await backups.create(backup.id, quiesce=quiescevm)

    return Job(work, virtualmachineid)


@command("listBackups", view=BackupView, group=GROUP, since="4.14.0")
async def list_backups(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: Backup | None = None,
    name: Annotated[str | None, Param(since="4.21.0")] = None,
    virtualmachineid: Annotated[
        str | None, Param("of that instance, which may be gone", type="uuid", entity=VirtualMachine)
    ] = None,
    zoneid: Zone | None = None,
    backupofferingid: Annotated[BackupOffering | None, Param(since="4.21.0")] = None,
    listvmdetails: Annotated[bool, Param("tell how the instances were", since="4.21.0")] = False,
) -> Listed:
    """Lists backups, those of instances that are gone too."""
    call.cache["vm details"] = listvmdetails
    return listed(
        call,
        Backup,
        page=page,
        scope=scope,
        ids=None if id is None else [id],
        equal={
            "name": name,
            "vm_id": virtualmachineid or None,
            "zone_id": zoneid and zoneid.id,
            "offering_id": backupofferingid and backupofferingid.id,
        },
        search=("name", "vm_name"),
    )


@command("deleteBackup", job=True, event="BACKUP.DELETE", group=GROUP, since="4.14.0")
async def delete_backup(
    call: Call,
    *,
    id: Backup,
    forced: Annotated[bool, Param("makes no difference: no backup needs another one")] = False,
) -> Job:
    """Deletes a backup."""
    call.manager.backups.check_deletable(id)
    return Job(lambda: call.manager.backups.delete(id.id), id, queue=id.vm_id)


@command("restoreBackup", job=True, event="BACKUP.RESTORE", group=GROUP, since="4.14.0")
async def restore_backup(call: Call, *, id: Backup) -> Job:
    """Puts all disks of a stopped instance back to a backup of it."""
    call.manager.backups.check_restorable(id)

    async def work() -> None:
        await call.manager.backups.restore(id.id)

    return Job(work, id, queue=id.vm_id)


@command(
    "restoreVolumeFromBackupAndAttachToVM",
    job=True,
    event="BACKUP.RESTORE.VOLUME.TO.VM",
    group="Volume",
    since="4.14.0",
)
async def restore_volume_from_backup_and_attach_to_vm(
    call: Call,
    *,
    backupid: Annotated[Backup, Param(access="operate")],
    volumeid: Annotated[str, Param("which of the backup's disks: the uuid that its volumes tell")],
    virtualmachineid: Annotated[VirtualMachine, Param("the instance that gets it", access="operate")],
) -> Job:
    """Makes a data disk of a disk in a backup, and attaches it to an instance."""
    made = call.manager.from_backups
    volume = made.allocate(backupid, volumeid, virtualmachineid)

    async def work() -> None:
        await made.restore_and_attach(volume.id, virtualmachineid.id)

    return Job(work, virtualmachineid)
