"""A volume as the API shows it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.management.compute.disk_traits import DiskTraits
from cloudsim.model import (
    Cluster,
    DiskOffering,
    Pod,
    ServiceOffering,
    StoragePool,
    Template,
    Transfer,
    VirtualMachine,
    Volume,
    VolumeOnStore,
    VolumeStatistics,
    Zone,
)
from server.api.command import Call
from server.api.views import Date, TagView, View, date, owner, tags
from server.api.views import Long as LongField

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
