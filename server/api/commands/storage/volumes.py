"""Volumes: made, attached, resized, removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.compute.offerings import DiskTraits
from cloudsim.model import (
    Cluster,
    DiskOffering,
    Host,
    Pod,
    ServiceOffering,
    Snapshot,
    StoragePool,
    Template,
    Transfer,
    VirtualMachine,
    Volume,
    VolumeOnStore,
    VolumeStatistics,
    Zone,
)
from server.api.command import Call, Job, Listed, command
from server.api.listing import OnlyCount, Page, Scope, Tags, counted, listed, of_users
from server.api.ownership import Owner
from server.api.parameters import Long, Param, one_of
from server.api.views import Date, TagView, View, date, owner, tags
from server.api.views import Long as LongField

GROUP = "Volume"
KIB = 1 << 10


class VolumeView(View):
    """A disk."""

    entity: ClassVar = Volume
    key: ClassVar = "volume"

    id: str | None = None
    name: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    type: Annotated[str | None, "ROOT or DATADISK"] = None
    deviceid: Annotated[LongField | None, "the slot it takes in its instance; 0 is the root disk"] = None
    virtualmachineid: str | None = None
    vmname: str | None = None
    vmdisplayname: str | None = None
    vmstate: str | None = None
    vmtype: str | None = None
    templateid: str | None = None
    templatename: str | None = None
    templatedisplaytext: str | None = None
    provisioningtype: Annotated[str | None, "thin, sparse or fat"] = None
    size: Annotated[LongField | None, "bytes"] = None
    miniops: LongField | None = None
    maxiops: LongField | None = None
    created: Date | None = None
    attached: Date | None = None
    state: str | None = None
    status: Annotated[str | None, "how far its upload has come, or why it failed"] = None
    destroyed: bool | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    storagetype: Annotated[str | None, "shared or local"] = None
    hypervisor: str | None = None
    diskofferingid: str | None = None
    diskofferingname: str | None = None
    diskofferingdisplaytext: str | None = None
    serviceofferingid: str | None = None
    serviceofferingname: str | None = None
    serviceofferingdisplaytext: str | None = None
    snapshotid: Annotated[str | None, "the snapshot that it was made of"] = None
    isextractable: bool | None = None
    displayvolume: bool | None = None
    deleteprotection: bool | None = None
    quiescevm: bool | None = None
    supportsstoragesnapshot: bool | None = None
    storage: Annotated[str | None, "the primary storage it lies on; for root admins"] = None
    storageid: str | None = None
    path: str | None = None
    clusterid: str | None = None
    clustername: str | None = None
    podid: str | None = None
    podname: str | None = None
    diskkbsread: Annotated[LongField | None, "KiB in all, as far as it was measured"] = None
    diskkbswrite: LongField | None = None
    diskioread: Annotated[LongField | None, "operations in all, as far as it was measured"] = None
    diskiowrite: LongField | None = None
    virtualsize: Annotated[LongField | None, "bytes that its instance sees"] = None
    diskBytesReadRate: Annotated[LongField | None, "bytes per second that its offering allows"] = None
    diskBytesWriteRate: LongField | None = None
    diskIopsReadRate: Annotated[LongField | None, "operations per second that its offering allows"] = None
    diskIopsWriteRate: LongField | None = None
    isoid: Annotated[str | None, "the ISO that a root disk's instance was deployed from"] = None
    isoname: str | None = None
    isodisplaytext: str | None = None
    tags: list[TagView] | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: Volume, call: Call) -> Self:
        store = call.store
        zone = store.table(Zone).get(row.zone_id)
        view = cls(
            id=row.id,
            name=row.name,
            zoneid=row.zone_id,
            zonename=zone.name if zone else None,
            type=row.type,
            deviceid=row.device_id,
            provisioningtype=row.provisioning_type,
            size=row.size,
            miniops=row.min_iops,
            maxiops=row.max_iops,
            created=date(row.created),
            attached=date(row.attached),
            state=row.state,
            destroyed=row.state in ("Destroy", "Expunging"),
            snapshotid=row.snapshot_id,
            isextractable=row.is_extractable,
            displayvolume=row.display,
            deleteprotection=row.delete_protection,
            quiescevm=False,
            supportsstoragesnapshot=False,
            tags=tags(call, row.id),
            **owner(call, row.account_id),
        )
        vm = store.table(VirtualMachine).get(row.vm_id)
        view._show_instance(vm)
        if vm is not None and row.type == "ROOT":
            view._show_iso(store.table(Template).get(vm.template_id))
        view._show_rates(call.manager.disks.traits(row))
        view._show_origin(row, call)
        if row.state in UPLOADS:
            view.status = _status(row, call)
        view._show_place(store.table(StoragePool).get(row.pool_id), row, call)
        view._show_usage(call.manager.volume_usages.total(row.id))
        return view

    def _show_instance(self, vm: VirtualMachine | None) -> None:
        if vm is not None:
            self.virtualmachineid, self.vmname, self.vmdisplayname = vm.id, vm.name, vm.display_name
            self.vmstate, self.vmtype, self.hypervisor = vm.state, vm.type, vm.hypervisor

    def _show_origin(self, row: Volume, call: Call) -> None:
        template = call.store.table(Template).get(row.template_id)
        if template is not None:
            self.templateid, self.templatename = template.id, template.name
            self.templatedisplaytext = template.display_text
        offering = call.store.table(DiskOffering).get(row.disk_offering_id)
        if offering is not None:
            self.diskofferingid, self.diskofferingname = offering.id, offering.name
            self.diskofferingdisplaytext, self.storagetype = offering.display_text, offering.storage_type
        service = call.store.table(ServiceOffering).get(row.service_offering_id)
        if service is not None:
            self.serviceofferingid, self.serviceofferingname = service.id, service.name
            self.serviceofferingdisplaytext = service.display_text
            self.storagetype = self.storagetype or service.storage_type

    def _show_iso(self, template: Template | None) -> None:
        if template is not None and template.format == "ISO":
            self.isoid, self.isoname, self.isodisplaytext = template.id, template.name, template.display_text

    def _show_rates(self, traits: DiskTraits | DiskOffering) -> None:
        self.diskBytesReadRate, self.diskBytesWriteRate = traits.bytes_read_rate, traits.bytes_write_rate
        self.diskIopsReadRate, self.diskIopsWriteRate = traits.iops_read_rate, traits.iops_write_rate

    def _show_usage(self, total: VolumeStatistics | None) -> None:
        if total is not None:
            self.diskkbsread, self.diskkbswrite = total.read_bytes // KIB, total.write_bytes // KIB
            self.diskioread, self.diskiowrite = total.read_ios, total.write_ios

    def _show_place(self, pool: StoragePool | None, row: Volume, call: Call) -> None:
        if pool is None:
            return
        self.virtualsize = row.size
        cluster = call.store.table(Cluster).get(pool.cluster_id)
        if cluster is not None and self.hypervisor is None:
            self.hypervisor = cluster.hypervisor
        if not call.caller.is_root_admin:
            return
        self.storage, self.storageid, self.path = pool.name, pool.id, row.path
        pod = call.store.table(Pod).get(pool.pod_id)
        if cluster is not None:
            self.clusterid, self.clustername = cluster.id, cluster.name
        if pod is not None:
            self.podid, self.podname = pod.id, pod.name


UPLOADS = frozenset(
    {"UploadOp", "NotUploaded", "UploadInProgress", "Uploaded", "UploadError", "UploadAbandoned"}
)


def _status(row: Volume, call: Call) -> str | None:
    on_store = call.store.table(VolumeOnStore).find("volume_id", row.id)
    if on_store is None:
        return None
    if on_store.error is not None or on_store.path:
        return on_store.error or "Upload Complete"
    for transfer in call.store.table(Transfer).where("object_id", row.id):
        if transfer.state == "Running":
            return f"{100 * transfer.done // transfer.size if transfer.size else 0}% Uploaded"
    return "Not uploaded yet"


def queue_of(volume: Volume) -> str:
    """What jobs on a volume wait for: its instance, or itself."""
    return volume.vm_id or volume.id


@command("createVolume", view=VolumeView, job=True, creates=Volume, event="VOLUME.CREATE", group=GROUP)
async def create_volume(
    call: Call,
    *,
    owner: Owner,
    name: Annotated[str | None, Param("what it is called; one is made up if left out")] = None,
    zoneid: Annotated[Zone | None, Param("where; not needed with snapshotid")] = None,
    diskofferingid: Annotated[DiskOffering | None, Param("what kind of disk; this or snapshotid")] = None,
    snapshotid: Annotated[
        Snapshot | None, Param("the snapshot whose content it gets", access="operate")
    ] = None,
    size: Annotated[Long | None, Param("GiB, for an offering that leaves the size open")] = None,
    miniops: Long | None = None,
    maxiops: Long | None = None,
    displayvolume: bool | None = None,
    virtualmachineid: Annotated[
        VirtualMachine | None, Param("the instance to attach it to", access="operate")
    ] = None,
) -> Job:
    """Creates a data disk from a disk offering or a snapshot."""
    manager = call.manager
    volume = manager.volumes.allocate(
        owner,
        name,
        zone=zoneid,
        offering=diskofferingid,
        snapshot=snapshotid,
        size_gib=size,
        min_iops=miniops,
        max_iops=maxiops,
        display=displayvolume is not False,
    )

    async def work() -> Volume:
        made: Volume = await manager.volumes.create(volume.id)
        if virtualmachineid is not None:
            made = await manager.volume_attachment.attach(volume.id, virtualmachineid.id)
        return made

    return Job(work, volume, queue=None if virtualmachineid is None else virtualmachineid.id)


@command("listVolumes", view=VolumeView, group=GROUP)
async def list_volumes(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: Volume | None = None,
    ids: Sequence[Volume] | None = None,
    name: str | None = None,
    type: Annotated[str | None, one_of("ROOT", "DATADISK")] = None,
    state: str | None = None,
    zoneid: Zone | None = None,
    podid: Pod | None = None,
    clusterid: Cluster | None = None,
    hostid: Annotated[Host | None, Param("volumes of instances on that host")] = None,
    storageid: Annotated[StoragePool | None, Param("volumes on that primary storage", type="string")] = None,
    virtualmachineid: VirtualMachine | None = None,
    diskofferingid: DiskOffering | None = None,
    serviceofferingid: ServiceOffering | None = None,
    displayvolume: bool | None = None,
    isencrypted: Annotated[bool | None, Param("none is")] = None,
    listsystemvms: Annotated[bool, Param("also those of system VMs, for root admins")] = False,
    retrieveonlyresourcecount: OnlyCount = False,
    tags: Tags | None = None,
) -> Listed:
    """Lists volumes."""
    pools, vms = call.store.table(StoragePool), call.store.table(VirtualMachine)
    if listsystemvms and not call.caller.is_root_admin:
        raise PermissionDenied("Only root admins are shown the volumes of system VMs")
    if isencrypted:
        return Listed([], 0)

    def keep(volume: Volume) -> bool:
        if state is not None and volume.state.lower() != state.lower():
            return False
        if not volume.display and not call.caller.is_admin:
            return False
        if podid is not None or clusterid is not None:
            pool = pools.get(volume.pool_id)
            if pool is None or (podid is not None and pool.pod_id != podid.id):
                return False
            if clusterid is not None and pool.cluster_id != clusterid.id:
                return False
        if hostid is not None:
            vm = vms.get(volume.vm_id)
            return vm is not None and vm.host_id == hostid.id
        return True

    found = listed(
        call,
        Volume,
        page=page,
        scope=scope if listsystemvms else of_users(call, scope),
        ids=None if id is None and ids is None else [*([id] if id else []), *(ids or [])],
        equal={
            "name": name,
            "type": type.upper() if type else None,
            "zone_id": zoneid and zoneid.id,
            "pool_id": storageid and storageid.id,
            "vm_id": virtualmachineid and virtualmachineid.id,
            "disk_offering_id": diskofferingid and diskofferingid.id,
            "service_offering_id": serviceofferingid and serviceofferingid.id,
            "display": displayvolume,
        },
        keep=keep,
        tags=tags,
    )
    return counted(found, retrieveonlyresourcecount)


@command("attachVolume", view=VolumeView, job=True, event="VOLUME.ATTACH", group=GROUP)
async def attach_volume(
    call: Call,
    *,
    id: Volume,
    virtualmachineid: Annotated[VirtualMachine, Param("the instance that gets it", access="operate")],
    deviceid: Annotated[Long | None, Param("the slot it takes; the first free one if left out")] = None,
) -> Job:
    """Attaches a volume to an instance."""
    attachment = call.manager.volume_attachment
    return Job(lambda: attachment.attach(id.id, virtualmachineid.id, deviceid), id, queue=virtualmachineid.id)


@command("detachVolume", view=VolumeView, job=True, event="VOLUME.DETACH", group=GROUP)
async def detach_volume(
    call: Call,
    *,
    id: Volume | None = None,
    deviceid: Annotated[Long | None, Param("with virtualmachineid: the slot of the volume")] = None,
    virtualmachineid: Annotated[VirtualMachine | None, Param(access="operate")] = None,
) -> Job:
    """Detaches a volume from its instance."""
    attachment = call.manager.volume_attachment
    if (id is None) == (deviceid is None or virtualmachineid is None):
        raise InvalidParameterValue(
            "Invalid parameters: either id, or deviceid and virtualmachineid, must be given"
        )
    if id is None:
        assert virtualmachineid is not None and deviceid is not None
        id = attachment.at_device(virtualmachineid, deviceid)
    volume = id
    return Job(lambda: attachment.detach(volume.id), volume, queue=queue_of(volume))


@command("resizeVolume", view=VolumeView, job=True, event="VOLUME.RESIZE", group=GROUP)
async def resize_volume(
    call: Call,
    *,
    id: Volume,
    size: Annotated[Long | None, Param("GiB")] = None,
    diskofferingid: Annotated[DiskOffering | None, Param("another disk offering")] = None,
    shrinkok: Annotated[bool, Param("whether it may become smaller")] = False,
    miniops: Long | None = None,
    maxiops: Long | None = None,
    automigrate: Annotated[bool, Param("whether it may be moved to a pool that suits the offering", since="4.17")] = False,
) -> Job:
    """Gives a volume another size, or another disk offering."""
    return _with_offering(call, id, diskofferingid, size, miniops, maxiops, automigrate, shrinkok)


def _with_offering(
    call: Call,
    volume: Volume,
    offering: DiskOffering | None,
    size: int | None,
    min_iops: int | None,
    max_iops: int | None,
    auto_migrate: bool,
    shrink_ok: bool,
) -> Job:
    offerings = call.manager.volume_offerings
    offerings.check(
        volume, offering, size_gib=size, min_iops=min_iops, max_iops=max_iops, auto_migrate=auto_migrate
    )
    return Job(
        lambda: offerings.change(
            volume.id,
            offering,
            size_gib=size,
            min_iops=min_iops,
            max_iops=max_iops,
            auto_migrate=auto_migrate,
            shrink_ok=shrink_ok,
        ),
        volume,
        queue=queue_of(volume),
    )


@command(
    "changeOfferingForVolume", view=VolumeView, job=True, event="VOLUME.CHANGE.DISK.OFFERING", since="4.17", group=GROUP
)
async def change_offering_for_volume(
    call: Call,
    *,
    id: Volume,
    diskofferingid: DiskOffering,
    size: Annotated[Long | None, Param("GiB, for an offering that leaves the size open")] = None,
    miniops: Long | None = None,
    maxiops: Long | None = None,
    automigrate: Annotated[bool, Param("whether it may be moved to a pool that suits the offering")] = False,
    shrinkok: Annotated[bool, Param("whether it may become smaller")] = False,
) -> Job:
    """Gives a volume another disk offering."""
    return _with_offering(call, id, diskofferingid, size, miniops, maxiops, automigrate, shrinkok)


@command("migrateVolume", view=VolumeView, job=True, event="VOLUME.MIGRATE", since="3.0.0", group=GROUP)
async def migrate_volume(
    call: Call,
    *,
    volumeid: Annotated[Volume, Param(access="operate")],
    storageid: Annotated[StoragePool, Param("the primary storage to move it to")],
    newdiskofferingid: Annotated[
        DiskOffering | None, Param("the disk offering that it has there", since="4.10")
    ] = None,
) -> Job:
    """Moves a volume that no running instance uses to another primary storage."""
    migration = call.manager.volume_migration
    migration.check(volumeid, storageid)
    if newdiskofferingid is not None:
        call.manager.volume_offerings.check_on(volumeid, storageid, newdiskofferingid)

    async def work() -> Volume:
        moved: Volume = await migration.migrate(volumeid.id, storageid)
        if newdiskofferingid is not None:
            moved = call.manager.volume_offerings.rename(moved, newdiskofferingid)
        return moved

    return Job(work, volumeid, queue=queue_of(volumeid))


@command("updateVolume", view=VolumeView, job=True, event="VOLUME.UPDATE", group=GROUP)
async def update_volume(
    call: Call,
    *,
    id: Volume | None = None,
    name: str | None = None,
    displayvolume: bool | None = None,
    deleteprotection: Annotated[bool | None, Param("whether deleting it is refused")] = None,
) -> Job:
    """Changes a volume's name, or whether it can be seen or deleted."""
    if id is None:
        raise InvalidParameterValue("id must be given")
    volume = id

    async def work() -> Volume:
        changed: Volume = call.manager.volumes.update(
            volume, name=name, display=displayvolume, delete_protection=deleteprotection
        )
        return changed

    return Job(work, volume)


@command("deleteVolume", event="VOLUME.DELETE", group=GROUP)
async def delete_volume(call: Call, *, id: Volume) -> None:
    """Deletes a volume that is not attached."""
    await call.manager.volumes.delete(id)


@command("destroyVolume", view=VolumeView, job=True, event="VOLUME.DESTROY", since="4.14.0", group=GROUP)
async def destroy_volume(
    call: Call,
    *,
    id: Volume,
    expunge: Annotated[bool, Param("whether it goes at once, not to be recovered")] = False,
) -> Job:
    """Destroys a volume, which can be recovered for a while."""
    if expunge:
        _check_may_expunge(call)
    return Job(lambda: call.manager.volumes.destroy(id.id, expunge=expunge), id)


def _check_may_expunge(call: Call) -> None:
    setting = "allow.user.expunge.recover.volume"
    if not call.caller.is_admin and not call.manager.settings.boolean(setting, "Account", call.caller.account.id):
        raise PermissionDenied(f"Expunging and recovering a volume is the admins' where {setting} is false")


@command("recoverVolume", view=VolumeView, event="VOLUME.RECOVER", since="4.14.0", group=GROUP)
async def recover_volume(call: Call, *, id: Volume) -> Volume:
    """Takes a destroyed volume back."""
    _check_may_expunge(call)
    recovered: Volume = call.manager.volumes.recover(id)
    return recovered
