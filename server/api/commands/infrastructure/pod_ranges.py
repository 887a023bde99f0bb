"""Further address ranges of pods: of the management and the storage network."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import Pod, StorageIpRange, Zone
from server.api.command import ROOT, Call, Job, Listed, command
from server.api.commands.infrastructure.pods import PodView
from server.api.listing import Page, listed
from server.api.parameters import Param
from server.api.views import View

ThePod = Annotated[Pod, Param(access="use")]
TheRange = Annotated[StorageIpRange, Param(access="use")]
First = Annotated[str, Param("the first address")]
Last = Annotated[str | None, Param("the last address; by default the first")]


@command(
    "createManagementNetworkIpRange",
    view=PodView,
    job=True,
    roles=ROOT,
    group="Pod",
    event="MANAGEMENT.IP.RANGE.CREATE",
    since="4.11.0.0",
)
async def create_management_network_ip_range(
    call: Call,
    *,
    podid: ThePod,
    gateway: Annotated[str, Param("the pod's")],
    netmask: Annotated[str, Param("the pod's")],
    startip: First,
    endip: Last = None,
    vlan: Annotated[str | None, Param("a VLAN id, or untagged")] = None,
    forsystemvms: Annotated[bool, Param("whether they are kept for system VMs")] = False,
) -> Job:
    """Gives a pod more management addresses."""

    async def work() -> Pod:
        call.manager.pod_ranges.add(
            podid,
            gateway=gateway,
            netmask=netmask,
            start_ip=startip,
            end_ip=endip or None,
            vlan=vlan,
            for_system_vms=forsystemvms,
        )
        return call.store.table(Pod)[podid.id]

    return Job(work, podid)


@command(
    "updatePodManagementNetworkIpRange",
    job=True,
    roles=ROOT,
    group="Pod",
    event="MANAGEMENT.IP.RANGE.UPDATE",
    since="4.16.0.0",
)
async def update_pod_management_network_ip_range(
    call: Call,
    *,
    podid: ThePod,
    currentstartip: str,
    currentendip: str,
    newstartip: str | None = None,
    newendip: str | None = None,
) -> Job:
    """Changes a range of a pod's management addresses."""
    if not newstartip and not newendip:
        raise InvalidParameterValue("Parameter newstartip or newendip must be given")

    async def work() -> None:
        pod = call.store.table(Pod)[podid.id]
        call.manager.pod_ranges.update(
            pod, currentstartip, currentendip, newstartip or None, newendip or None
        )

    return Job(work, podid)


@command(
    "deleteManagementNetworkIpRange",
    job=True,
    roles=ROOT,
    group="Pod",
    event="MANAGEMENT.IP.RANGE.DELETE",
    since="4.11.0.0",
)
async def delete_management_network_ip_range(
    call: Call, *, podid: ThePod, startip: str, endip: str, vlan: str
) -> Job:
    """Takes management addresses that nobody has from a pod."""

    async def work() -> None:
        call.manager.pod_ranges.remove(podid, startip, endip, vlan)

    return Job(work, podid)


class StorageIpRangeView(View):
    """Addresses of the storage network."""

    entity: ClassVar = StorageIpRange
    key: ClassVar = "storagenetworkiprange"

    id: str | None = None
    zoneid: str | None = None
    podid: str | None = None
    vlan: int | None = None
    startip: str | None = None
    endip: str | None = None
    gateway: str | None = None
    netmask: str | None = None

    @classmethod
    def of(cls, row: StorageIpRange, call: Call) -> Self:
        return cls(
            id=row.id,
            zoneid=row.zone_id,
            podid=row.pod_id,
            vlan=int(row.vlan) if row.vlan is not None else None,
            startip=row.start_ip,
            endip=row.end_ip,
            gateway=row.gateway,
            netmask=row.netmask,
        )


@command(
    "createStorageNetworkIpRange",
    view=StorageIpRangeView,
    job=True,
    roles=ROOT,
    group="Network",
    event="STORAGE.IP.RANGE.CREATE",
    since="3.0.0",
)
async def create_storage_network_ip_range(
    call: Call,
    *,
    podid: ThePod,
    gateway: str,
    netmask: str,
    startip: First,
    endip: Last = None,
    vlan: Annotated[int | None, Param("a VLAN id; untagged if left out")] = None,
) -> Job:
    """Gives a pod addresses of the storage network."""

    async def work() -> StorageIpRange:
        row: StorageIpRange = call.manager.pod_ranges.add_storage(
            podid, gateway=gateway, netmask=netmask, start_ip=startip, end_ip=endip or None, vlan=vlan
        )
        return row

    return Job(work, podid)


@command("listStorageNetworkIpRange", view=StorageIpRangeView, roles=ROOT, group="Network", since="3.0.0")
async def list_storage_network_ip_range(
    call: Call,
    *,
    page: Page,
    id: StorageIpRange | None = None,
    podid: Pod | None = None,
    zoneid: Zone | None = None,
) -> Listed:
    """Lists the pods' addresses of the storage network."""
    return listed(
        call,
        StorageIpRange,
        page=page,
        ids=None if id is None else [id],
        equal={"pod_id": podid and podid.id, "zone_id": zoneid and zoneid.id},
        search=("start_ip", "end_ip"),
    )


@command(
    "updateStorageNetworkIpRange",
    view=StorageIpRangeView,
    job=True,
    roles=ROOT,
    group="Network",
    event="STORAGE.IP.RANGE.UPDATE",
    since="3.0.0",
)
async def update_storage_network_ip_range(
    call: Call,
    *,
    id: TheRange,
    startip: str | None = None,
    endip: str | None = None,
    netmask: str | None = None,
    vlan: Annotated[int | None, Param("a VLAN id; 0 for untagged")] = None,
) -> Job:
    """Changes a range of the storage network."""

    async def work() -> StorageIpRange:
        row: StorageIpRange = call.manager.pod_ranges.update_storage(
            call.store.table(StorageIpRange)[id.id],
            start_ip=startip or None,
            end_ip=endip or None,
            netmask=netmask or None,
            vlan=vlan,
        )
        return row

    return Job(work, id)


@command(
    "deleteStorageNetworkIpRange",
    job=True,
    roles=ROOT,
    group="Network",
    event="STORAGE.IP.RANGE.DELETE",
    since="3.0.0",
)
async def delete_storage_network_ip_range(call: Call, *, id: TheRange) -> Job:
    """Deletes a range of the storage network."""

    async def work() -> None:
        if id.id in call.store.table(StorageIpRange):
            call.manager.pod_ranges.remove_storage(id)

    return Job(work, id)
