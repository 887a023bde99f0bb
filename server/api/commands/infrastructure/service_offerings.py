"""Service offerings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.compute.disk_traits import DISK_DETAIL, ENCRYPTED, ROOT_OFFERING, STRICT, traits_of
from cloudsim.management.compute.offerings import GIB, planners
from cloudsim.management.compute.vm_leases import ACTION, DURATION, lease_of
from cloudsim.management.extensions.payloads import kept, replaced
from cloudsim.management.infrastructure.gpus import PASSTHROUGH, GpuCard
from cloudsim.management.operations.details import shown as shown_details
from cloudsim.model import DiskOffering, Domain, ServiceOffering, Template, VirtualMachine, Zone
from server.api.command import ROOT, Call, Listed, command
from server.api.commands.infrastructure.disk_traits import RootDisk, bursts_shown, words
from server.api.commands.infrastructure.offering_scope import Offered, offered, scope_fields
from server.api.listing import Page, SortKey, listed, page_of
from server.api.parameters import Long as LongParameter
from server.api.parameters import Param, one_of
from server.api.views import Date, Long, View, date

GROUP = "Service Offering"


class ServiceOfferingView(View):
    """The size of an instance."""

    entity: ClassVar = ServiceOffering
    key: ClassVar = "serviceoffering"

    id: str | None = None
    name: str | None = None
    state: str | None = None
    displaytext: str | None = None
    cpunumber: int | None = None
    cpuspeed: Annotated[int | None, "MHz"] = None
    memory: Annotated[int | None, "MiB"] = None
    created: Date | None = None
    storagetype: str | None = None
    provisioningtype: str | None = None
    offerha: bool | None = None
    limitcpuuse: bool | None = None
    isvolatile: bool | None = None
    storagetags: str | None = None
    hosttags: str | None = None
    domainid: str | None = None
    domain: str | None = None
    zoneid: str | None = None
    zone: str | None = None
    issystem: bool | None = None
    defaultuse: bool | None = None
    systemvmtype: str | None = None
    networkrate: Annotated[int | None, "Mbit/s"] = None
    iscustomized: bool | None = None
    iscustomizediops: bool | None = None
    miniops: Long | None = None
    maxiops: Long | None = None
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
    deploymentplanner: str | None = None
    serviceofferingdetails: dict[str, str] | None = None
    rootdisksize: Annotated[Long | None, "GiB"] = None
    dynamicscalingenabled: bool | None = None
    diskofferingid: Annotated[str | None, "what root disks are of"] = None
    diskofferingname: str | None = None
    diskofferingdisplaytext: str | None = None
    diskofferingstrictness: bool | None = None
    encryptroot: bool | None = None
    gpucount: int | None = None
    gpucardid: Annotated[str | None, "the only card that it takes"] = None
    gpucardname: str | None = None
    vgpuprofileid: str | None = None
    vgpuprofilename: str | None = None
    gpudisplay: bool | None = None
    purgeresources: bool | None = None
    leaseduration: Annotated[int | None, "days that its instances have a lease for"] = None
    leaseexpiryaction: Annotated[str | None, "STOP or DESTROY"] = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: ServiceOffering, call: Call) -> Self:
        disk = traits_of(row)
        kept = shown_details(call.store, call.caller, row)
        details = {
            name: text
            for name, text in kept.items()
            if not name.startswith(DISK_DETAIL) and name not in (DURATION, ACTION)
        }
        lease = lease_of(row)
        return cls(
            id=row.id,
            name=row.name,
            state=row.state,
            displaytext=row.display_text,
            cpunumber=row.cpus,
            cpuspeed=row.cpu_mhz,
            memory=row.memory_mib,
            created=date(row.created),
            storagetype=row.storage_type,
            provisioningtype=disk.provisioning_type,
            offerha=row.offer_ha,
            limitcpuuse=row.limit_cpu_use,
            isvolatile=row.volatile,
            storagetags=",".join(row.storage_tags) or None,
            hosttags=",".join(row.host_tags) or None,
            issystem=row.is_system,
            defaultuse=row.default_use,
            systemvmtype=row.system_vm_type,
            networkrate=row.network_rate,
            iscustomized=row.cpus is None or row.memory_mib is None,
            iscustomizediops=disk.customized_iops,
            miniops=disk.min_iops,
            maxiops=disk.max_iops,
            diskBytesReadRate=disk.bytes_read_rate,
            diskBytesWriteRate=disk.bytes_write_rate,
            diskIopsReadRate=disk.iops_read_rate,
            diskIopsWriteRate=disk.iops_write_rate,
            **bursts_shown(disk),
            cacheMode=disk.cache_mode,
            deploymentplanner=row.deployment_planner,
            serviceofferingdetails=details or None,
            rootdisksize=row.root_disk_size // GIB if row.root_disk_size else None,
            dynamicscalingenabled=row.dynamic_scaling,
            diskofferingstrictness=STRICT in row.details,
            **_root_disk(row, call),
            encryptroot=ENCRYPTED in row.details,
            gpucount=row.gpus or None,
            **_gpu(row),
            gpudisplay=False,
            purgeresources=False,
            leaseduration=lease.days if lease is not None else None,
            leaseexpiryaction=lease.action if lease is not None else None,
            **scope_fields(call, row),
        )


def _root_disk(row: ServiceOffering, call: Call) -> dict[str, Any]:
    offering = call.store.table(DiskOffering).get(row.details.get(ROOT_OFFERING))
    if offering is None:
        return {}
    return {
        "diskofferingid": offering.id,
        "diskofferingname": offering.name,
        "diskofferingdisplaytext": offering.display_text,
    }


def _gpu(row: ServiceOffering) -> dict[str, Any]:
    if not row.gpus or len(row.gpu_models) != 1:
        return {}
    card = GpuCard(row.gpu_models[0])
    return {
        "gpucardid": card.id,
        "gpucardname": card.model,
        "vgpuprofileid": card.profile_id,
        "vgpuprofilename": PASSTHROUGH,
    }


@command(
    "createServiceOffering",
    view=ServiceOfferingView,
    roles=ROOT,
    group=GROUP,
    event="SERVICE.OFFERING.CREATE",
)
async def create_service_offering(
    call: Call,
    *,
    name: str,
    disk: RootDisk,
    displaytext: str | None = None,
    cpunumber: Annotated[int | None, Param("vCPUs; left out with memory: the caller's choice")] = None,
    cpuspeed: Annotated[int | None, Param("MHz of a vCPU")] = None,
    memory: Annotated[int | None, Param("MiB")] = None,
    customized: bool | None = None,
    mincpunumber: int | None = None,
    maxcpunumber: int | None = None,
    minmemory: int | None = None,
    maxmemory: int | None = None,
    rootdisksize: Annotated[LongParameter | None, Param("GiB")] = None,
    diskofferingid: Annotated[
        DiskOffering | None, Param("what root disks are of, instead of saying it here", since="4.17")
    ] = None,
    diskofferingstrictness: Annotated[
        bool, Param("whether root disks are of no other disk offering", since="4.17")
    ] = False,
    hosttags: Annotated[str | None, Param("tags that a host must have")] = None,
    domainid: Annotated[Sequence[Domain] | None, Param("the domains that it is for")] = None,
    zoneid: Annotated[Sequence[Zone] | None, Param("the zones that it is for")] = None,
    deploymentplanner: Annotated[str | None, Param("see listDeploymentPlanners; with options as in best-fit,norm=l2")] = None,
    offerha: bool = False,
    limitcpuuse: bool = False,
    isvolatile: bool = False,
    encryptroot: Annotated[
        bool, Param("root disks are to be encrypted, which no host does: no instance can be of it", since="4.18")
    ] = False,
    dynamicscalingenabled: bool = True,
    networkrate: Annotated[int | None, Param("Mbit/s")] = None,
    issystem: bool = False,
    systemvmtype: Annotated[str | None, one_of("domainrouter", "consoleproxy", "secondarystoragevm")] = None,
    gpucount: int = 0,
    vgpuprofileid: Annotated[
        str | None,
        Param("the card that its GPUs are of; one GPU, where gpucount is not given", type="uuid", since="4.21"),
    ] = None,
    leaseduration: Annotated[
        int | None, Param("days that its instances have a lease for, by default; with leaseexpiryaction", since="4.21.0")
    ] = None,
    leaseexpiryaction: Annotated[
        Literal["STOP", "DESTROY"] | None, Param("what is done to an instance then", since="4.21.0")
    ] = None,
    serviceofferingdetails: Mapping[str, str] | None = None,
    externaldetails: Annotated[
        Mapping[str, str] | None, Param("what extensions' programs are told of its instances", since="4.21.0")
    ] = None,
) -> ServiceOffering:
    """Creates a service offering."""
    bounds = {
        "mincpunumber": mincpunumber,
        "maxcpunumber": maxcpunumber,
        "minmemory": minmemory,
        "maxmemory": maxmemory,
    }
    details = dict(serviceofferingdetails or {}) | kept(externaldetails)
    for lease_detail in (DURATION, ACTION):
        if lease_detail in details:
            raise InvalidParameterValue(f"{lease_detail} is a parameter of its own, and not of serviceofferingdetails")
    details |= call.manager.vm_leases.of_offering(leaseduration, leaseexpiryaction)
    details |= {bound: str(value) for bound, value in bounds.items() if value is not None}
    offering: ServiceOffering = call.manager.offerings.create_service(
        name=name,
        display_text=displaytext,
        cpus=cpunumber,
        cpu_mhz=cpuspeed,
        memory_mib=memory,
        customized=customized,
        disk=disk,
        root_disk_size=rootdisksize * GIB if rootdisksize else None,
        root_offering=diskofferingid,
        strict=diskofferingstrictness,
        encrypt_root=encryptroot,
        host_tags=words(hosttags),
        domains=domainid or (),
        zones=zoneid or (),
        deployment_planner=deploymentplanner,
        offer_ha=offerha,
        limit_cpu_use=limitcpuuse,
        volatile=isvolatile,
        dynamic_scaling=dynamicscalingenabled,
        network_rate=networkrate,
        is_system=issystem,
        system_vm_type=systemvmtype,
        gpus=gpucount or (1 if vgpuprofileid else 0),
        gpu_models=() if not vgpuprofileid else (call.manager.gpus.card_of_profile(vgpuprofileid).model,),
        details=details,
    )
    return offering


@command(
    "updateServiceOffering",
    view=ServiceOfferingView,
    roles=ROOT,
    group=GROUP,
    event="SERVICE.OFFERING.EDIT",
)
async def update_service_offering(
    call: Call,
    *,
    id: ServiceOffering,
    name: str | None = None,
    displaytext: str | None = None,
    hosttags: str | None = None,
    storagetags: str | None = None,
    domainid: Annotated[str | None, Param("public, or ids by commas", length=4096)] = None,
    zoneid: Annotated[str | None, Param("all, or ids by commas")] = None,
    state: Annotated[str | None, one_of("Active", "Inactive")] = None,
    externaldetails: Annotated[
        Mapping[str, str] | None,
        Param("what extensions' programs are told of its instances, from now on", since="4.21.0"),
    ] = None,
    cleanupexternaldetails: Annotated[bool, Param("whether they are told nothing")] = False,
    sortkey: SortKey = None,
) -> ServiceOffering:
    """Changes a service offering."""
    if externaldetails and cleanupexternaldetails:
        raise InvalidParameterValue("externaldetails and cleanupexternaldetails exclude each other")
    told = externaldetails or ({} if cleanupexternaldetails else None)
    offering: ServiceOffering = call.manager.offerings.update_service(
        id,
        name=name,
        display_text=displaytext,
        host_tags=None if hosttags is None else words(hosttags),
        storage_tags=None if storagetags is None else words(storagetags),
        domain_ids=domainid,
        zone_ids=zoneid,
        state=state,
        sort_key=sortkey,
        details=None if told is None else replaced(id.details, told),
    )
    return offering


@command("deleteServiceOffering", roles=ROOT, group=GROUP, event="SERVICE.OFFERING.DELETE")
async def delete_service_offering(call: Call, *, id: ServiceOffering) -> None:
    """Withdraws a service offering; instances that have it keep it."""
    call.manager.offerings.delete_service(id)


@command("listServiceOfferings", view=ServiceOfferingView, group=GROUP)
async def list_service_offerings(
    call: Call,
    *,
    page: Page,
    audience: Offered,
    id: ServiceOffering | None = None,
    name: str | None = None,
    issystem: bool = False,
    systemvmtype: str | None = None,
    zoneid: Zone | None = None,
    virtualmachineid: Annotated[VirtualMachine | None, Param("what that instance could change to")] = None,
    cpunumber: Annotated[int | None, Param("at least so many vCPUs")] = None,
    cpuspeed: Annotated[int | None, Param("at least so many MHz")] = None,
    memory: Annotated[int | None, Param("at least so many MiB")] = None,
    storagetype: str | None = None,
    state: Annotated[str | None, Param("Active (the default), Inactive or all", values=("Active", "Inactive", "all"))] = None,
    templateid: Annotated[Template | None, Param("those whose root disk holds that template")] = None,
    gpuenabled: bool | None = None,
    vgpuprofileid: Annotated[
        str | None, Param("those that ask for that card", type="uuid", since="4.21")
    ] = None,
    encryptroot: bool | None = None,
) -> Listed:
    """Lists service offerings."""
    least = (("cpus", cpunumber), ("cpu_mhz", cpuspeed), ("memory_mib", memory))

    def keep(row: ServiceOffering) -> bool:
        if row.is_system != issystem or (issystem and not call.caller.is_root_admin):
            return False
        if encryptroot is not None and encryptroot != (ENCRYPTED in row.details):
            return False
        if systemvmtype is not None and row.system_vm_type != systemvmtype.lower():
            return False
        if virtualmachineid is not None and row.id == virtualmachineid.service_offering_id:
            return False
        if gpuenabled is not None and gpuenabled != bool(row.gpus):
            return False
        if vgpuprofileid is not None and _gpu(row).get("vgpuprofileid") != vgpuprofileid:
            return False
        if templateid is not None and (row.root_disk_size or templateid.size) < templateid.size:
            return False
        if any(value is not None and (getattr(row, field) or value) < value for field, value in least):
            return False
        return offered(
            call,
            row,
            zone=zoneid,
            audience=audience,
            state=state,
            storage_type=storagetype,
        )

    def named(row: ServiceOffering) -> bool:
        return row.is_system == issystem and offered(
            call,
            row,
            zone=zoneid,
            audience=audience,
            state=state,
            storage_type=storagetype,
        )

    if id is not None:
        return listed(call, ServiceOffering, page=page, ids=[id], equal={"name": name}, keep=named)
    return listed(
        call, ServiceOffering, page=page, equal={"name": name}, keep=keep, search=("name", "display_text")
    )


class DeploymentPlannerView(View):
    """A way to choose an instance's host."""

    key: ClassVar = "deploymentPlanner"

    name: str | None = None

    @classmethod
    def of(cls, row: Any, call: Call) -> Self:
        return cls(name=row)


@command("listDeploymentPlanners", view=DeploymentPlannerView, roles=ROOT, group="Configuration")
async def list_deployment_planners(call: Call, *, page: Page) -> Listed:
    """Lists the planners that a service offering may name."""
    return page_of([DeploymentPlannerView(name=name) for name in planners()], page)
