"""Pods."""

from __future__ import annotations

import ipaddress
from typing import Annotated, ClassVar, Literal, Self

from cloudsim.model import Pod, PodIpRange, Zone
from server.api.command import ROOT, Call, Listed, command
from server.api.commands.infrastructure.capacity_view import (
    CapacityView,
    note_capacities,
    noted_capacities,
    zone_fields,
)
from server.api.listing import Page, listed
from server.api.parameters import Param
from server.api.views import View

GROUP = "Pod"
Allocation = Literal["Enabled", "Disabled"]


class IpRangeView(View):
    """A range of a pod's addresses."""

    startip: str | None = None
    endip: str | None = None
    gateway: str | None = None
    cidr: str | None = None
    forsystemvms: str | None = None
    vlanid: str | None = None


class PodView(View):
    """A row of racks."""

    entity: ClassVar = Pod
    key: ClassVar = "pod"

    id: str | None = None
    name: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    gateway: str | None = None
    netmask: str | None = None
    ipranges: list[IpRangeView] | None = None
    startip: list[str] | None = None
    endip: list[str] | None = None
    forsystemvms: list[str] | None = None
    vlanid: list[str] | None = None
    allocationstate: Annotated[str | None, "Enabled or Disabled"] = None
    capacity: list[CapacityView] | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: Pod, call: Call) -> Self:
        cidr = str(ipaddress.IPv4Network(f"{row.gateway}/{row.netmask}", strict=False))
        ranges = [
            IpRangeView(
                startip=start,
                endip=end,
                gateway=row.gateway,
                cidr=cidr,
                forsystemvms="1" if kept else "0",
                vlanid=f"vlan://{vlan or 'untagged'}",
            )
            for start, end, kept, vlan in (
                (row.start_ip, row.end_ip, True, None),
                *(
                    (more.start_ip, more.end_ip, more.for_system_vms, more.vlan)
                    for more in call.store.table(PodIpRange).where("pod_id", row.id)
                ),
            )
        ]
        return cls(
            id=row.id,
            name=row.name,
            gateway=row.gateway,
            netmask=row.netmask,
            ipranges=ranges,
            startip=[each.startip or "" for each in ranges],
            endip=[each.endip or "" for each in ranges],
            forsystemvms=[each.forsystemvms or "" for each in ranges],
            vlanid=[each.vlanid or "" for each in ranges],
            allocationstate=row.allocation_state,
            capacity=noted_capacities(call, row),
            **zone_fields(call, row.zone_id),
        )


@command("createPod", view=PodView, roles=ROOT, group=GROUP, event="POD.CREATE")
async def create_pod(
    call: Call,
    *,
    zoneid: Zone,
    name: str,
    gateway: Annotated[str | None, Param("the gateway of its management network")] = None,
    netmask: Annotated[str | None, Param("the netmask of its management network")] = None,
    startip: Annotated[str | None, Param("the first address that system VMs may have")] = None,
    endip: Annotated[str | None, Param("the last one; by default the subnet's last")] = None,
    allocationstate: Allocation = "Enabled",
) -> Pod:
    """Creates a pod."""
    pod: Pod = call.manager.pods.create(
        zoneid,
        name=name,
        gateway=gateway,
        netmask=netmask,
        start_ip=startip,
        end_ip=endip,
        allocation_state=allocationstate,
    )
    return pod


@command("updatePod", view=PodView, roles=ROOT, group=GROUP, event="POD.EDIT")
async def update_pod(
    call: Call,
    *,
    id: Pod,
    name: str | None = None,
    gateway: str | None = None,
    netmask: str | None = None,
    startip: str | None = None,
    endip: str | None = None,
    allocationstate: Allocation | None = None,
) -> Pod:
    """Changes a pod."""
    pod: Pod = call.manager.pods.update(
        id,
        name=name,
        gateway=gateway,
        netmask=netmask,
        start_ip=startip,
        end_ip=endip,
        allocation_state=allocationstate,
    )
    return pod


@command("deletePod", roles=ROOT, group=GROUP, event="POD.DELETE")
async def delete_pod(call: Call, *, id: Pod) -> None:
    """Deletes an empty pod."""
    call.manager.pods.delete(id)


@command("listPods", view=PodView, roles=ROOT, group=GROUP)
async def list_pods(
    call: Call,
    *,
    page: Page,
    id: Pod | None = None,
    name: str | None = None,
    zoneid: Zone | None = None,
    allocationstate: Allocation | None = None,
    showcapacities: bool = False,
) -> Listed:
    """Lists pods."""
    equal = {"name": name, "zone_id": zoneid and zoneid.id, "allocation_state": allocationstate}
    found = listed(call, Pod, page=page, ids=None if id is None else [id], equal=equal)
    if showcapacities:
        note_capacities(call, found.rows)
    return found
