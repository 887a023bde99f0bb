"""Disk offerings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

from cloudsim.management.compute.offerings import GIB
from cloudsim.management.storage.volume_offering import suits
from cloudsim.model import DiskOffering, Domain, StoragePool, VirtualMachine, Volume, Zone
from server.api.command import ROOT, Call, Listed, command
from server.api.commands.infrastructure.disk_traits import Bursts, Disk, bursts_shown, words
from server.api.commands.infrastructure.offering_scope import Offered, offered, scope_fields
from server.api.listing import Page, SortKey, listed
from server.api.parameters import Long as LongParameter
from server.api.parameters import Param, one_of
from server.api.views import Date, Long, View, date

GROUP = "Disk Offering"


class DiskOfferingView(View):
    """The size and kind of a data disk."""

    entity: ClassVar = DiskOffering
    key: ClassVar = "diskoffering"

    id: str | None = None
    name: str | None = None
    state: str | None = None
    displaytext: str | None = None
    disksize: Annotated[Long | None, "GiB"] = None
    created: Date | None = None
    domainid: str | None = None
    domain: str | None = None
    zoneid: str | None = None
    zone: str | None = None
    iscustomized: bool | None = None
    iscustomizediops: bool | None = None
    miniops: Long | None = None
    maxiops: Long | None = None
    tags: str | None = None
    storagetype: str | None = None
    provisioningtype: str | None = None
    diskBytesReadRate: Long | None = None
    diskBytesWriteRate: Long | None = None
    diskIopsReadRate: Long | None = None
    diskIopsWriteRate: Long | None = None
    diskBytesReadRateMax: Annotated[Long | None, "what a burst may reach"] = None
    diskBytesReadRateMaxLength: Annotated[Long | None, "seconds of a burst"] = None
    diskBytesWriteRateMax: Long | None = None
    diskBytesWriteRateMaxLength: Long | None = None
    diskIopsReadRateMax: Long | None = None
    diskIopsReadRateMaxLength: Long | None = None
    diskIopsWriteRateMax: Long | None = None
    diskIopsWriteRateMaxLength: Long | None = None
    cacheMode: str | None = None
    displayoffering: bool | None = None
    disksizestrictness: bool | None = None
    encrypt: bool | None = None
    suitableforvirtualmachine: bool | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: DiskOffering, call: Call) -> Self:
        return cls(
            id=row.id,
            name=row.name,
            state=row.state,
            displaytext=row.display_text,
            disksize=row.size // GIB,
            created=date(row.created),
            iscustomized=row.customized,
            iscustomizediops=row.customized_iops,
            miniops=row.min_iops,
            maxiops=row.max_iops,
            tags=",".join(row.tags) or None,
            storagetype=row.storage_type,
            provisioningtype=row.provisioning_type,
            diskBytesReadRate=row.bytes_read_rate,
            diskBytesWriteRate=row.bytes_write_rate,
            diskIopsReadRate=row.iops_read_rate,
            diskIopsWriteRate=row.iops_write_rate,
            **bursts_shown(row),
            cacheMode=row.cache_mode,
            displayoffering=row.display,
            disksizestrictness=row.disk_size_strictness,
            encrypt=row.encrypt,
            **scope_fields(call, row),
        )


@command("createDiskOffering", view=DiskOfferingView, roles=ROOT, group=GROUP, event="DISK.OFFERING.CREATE")
async def create_disk_offering(
    call: Call,
    *,
    name: str,
    disk: Disk,
    displaytext: Annotated[str | None, Param(length=4096)] = None,
    disksize: Annotated[LongParameter | None, Param("GiB")] = None,
    customized: Annotated[bool, Param("the caller gives the size")] = False,
    domainid: Annotated[Sequence[Domain] | None, Param("the domains that it is for")] = None,
    zoneid: Annotated[Sequence[Zone] | None, Param("the zones that it is for")] = None,
    displayoffering: bool = True,
    disksizestrictness: bool = False,
    encrypt: Annotated[
        bool, Param("disks are to be encrypted, which no host or storage does: no volume can be of it", since="4.18")
    ] = False,
) -> DiskOffering:
    """Creates a disk offering."""
    offering: DiskOffering = call.manager.offerings.create_disk(
        name=name,
        display_text=displaytext,
        size=None if disksize is None else disksize * GIB,
        customized=customized,
        disk=disk,
        domains=domainid or (),
        zones=zoneid or (),
        display=displayoffering,
        disk_size_strictness=disksizestrictness,
        encrypt=encrypt,
    )
    return offering


@command("updateDiskOffering", view=DiskOfferingView, roles=ROOT, group=GROUP, event="DISK.OFFERING.EDIT")
async def update_disk_offering(
    call: Call,
    *,
    id: DiskOffering,
    bursts: Bursts,
    name: str | None = None,
    displaytext: Annotated[str | None, Param(length=4096)] = None,
    tags: str | None = None,
    displayoffering: bool | None = None,
    domainid: Annotated[str | None, Param("public, or ids by commas", length=4096)] = None,
    zoneid: Annotated[str | None, Param("all, or ids by commas")] = None,
    state: Annotated[str | None, one_of("Active", "Inactive")] = None,
    bytesreadrate: LongParameter | None = None,
    byteswriterate: LongParameter | None = None,
    iopsreadrate: LongParameter | None = None,
    iopswriterate: LongParameter | None = None,
    cachemode: str | None = None,
    sortkey: SortKey = None,
) -> DiskOffering:
    """Changes a disk offering."""
    offering: DiskOffering = call.manager.offerings.update_disk(
        id,
        name=name,
        display_text=displaytext,
        tags=None if tags is None else words(tags),
        display=displayoffering,
        domain_ids=domainid,
        zone_ids=zoneid,
        state=state,
        sort_key=sortkey,
        rates={
            "bytes_read_rate": bytesreadrate,
            "bytes_write_rate": byteswriterate,
            "iops_read_rate": iopsreadrate,
            "iops_write_rate": iopswriterate,
            "cache_mode": cachemode,
            **bursts,
        },
    )
    return offering


@command("deleteDiskOffering", roles=ROOT, group=GROUP, event="DISK.OFFERING.DELETE")
async def delete_disk_offering(call: Call, *, id: DiskOffering) -> None:
    """Withdraws a disk offering; volumes that have it keep it."""
    call.manager.offerings.delete_disk(id)


@command("listDiskOfferings", view=DiskOfferingView, group=GROUP)
async def list_disk_offerings(
    call: Call,
    *,
    page: Page,
    audience: Offered,
    id: DiskOffering | None = None,
    name: str | None = None,
    zoneid: Zone | None = None,
    storageid: Annotated[StoragePool | None, Param("what a volume on that pool could have")] = None,
    volumeid: Annotated[Volume | None, Param("what that volume could change to")] = None,
    virtualmachineid: Annotated[
        VirtualMachine | None, Param("the answer tells which are suitable for that instance", since="4.20.0")
    ] = None,
    storagetype: str | None = None,
    encrypt: bool | None = None,
    state: Annotated[str | None, Param("Active (the default), Inactive or all", values=("Active", "Inactive", "all"))] = None,
) -> Listed:
    """Lists disk offerings."""

    def keep(row: DiskOffering) -> bool:
        if encrypt is not None and row.encrypt != encrypt:
            return False
        if storageid is not None and not suits(storageid, row):
            return False
        if volumeid is not None and row.id == volumeid.disk_offering_id:
            return False
        if not row.display and not call.caller.is_root_admin:
            return False
        return offered(
            call,
            row,
            zone=zoneid,
            audience=audience,
            state=state,
            storage_type=storagetype,
        )

    answer = listed(
        call,
        DiskOffering,
        page=page,
        ids=None if id is None else [id],
        equal={"name": name},
        keep=keep,
        search=("name", "display_text"),
    )
    if virtualmachineid is None:
        return answer
    pools = call.manager.disks.reach.pools_near(virtualmachineid)
    views = []
    for row in answer.rows:
        view = DiskOfferingView.of(row, call)
        view.suitableforvirtualmachine = any(pool.state == "Up" and suits(pool, row) for pool in pools)
        views.append(view)
    return Listed(views, answer.total)
