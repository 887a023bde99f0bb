"""GPUs: the cards that hosts have, each of them, and the profiles by which offerings ask for them."""

from __future__ import annotations

from typing import Annotated, ClassVar

from cloudsim.management.infrastructure.gpus import PASSTHROUGH, GpuCard, GpuDevice
from cloudsim.model import Host, VirtualMachine
from server.api.command import ROOT, Call, Listed, command
from server.api.listing import Page, page_of
from server.api.parameters import Param
from server.api.views import Long, View, Wire

GROUP = "GPU"
ID = Param("of one of them", type="uuid", length=40)


class GpuCardView(View):
    """A model of GPU."""

    key: ClassVar = "gpucard"

    id: str | None = None
    name: str | None = None
    devicename: str | None = None


class GpuDeviceView(View):
    """A GPU of a host."""

    key: ClassVar = "gpudevice"

    id: str | None = None
    hostid: str | None = None
    hostname: str | None = None
    busaddress: Annotated[str | None, "its number on its host"] = None
    gpudevicetype: Annotated[str | None, Wire("devicetype")] = None
    gpucardid: str | None = None
    gpucardname: str | None = None
    vgpuprofileid: str | None = None
    vgpuprofilename: str | None = None
    state: Annotated[str | None, Wire("state"), "Free, Allocated or PartiallyAllocated"] = None
    managedstate: Annotated[str | None, Wire("managedstate")] = None
    virtualmachineid: Annotated[str | None, "the instance that has it; of several, the first"] = None
    virtualmachinename: str | None = None
    vmstate: Annotated[str | None, Wire("state")] = None


class VgpuProfileView(View):
    """How much of a card an instance gets: all of it."""

    key: ClassVar = "vgpuprofile"

    id: str | None = None
    name: str | None = None
    description: str | None = None
    gpucardid: str | None = None
    gpucardname: str | None = None
    devicename: str | None = None
    maxvgpuperphysicalgpu: Long | None = None


def _device(found: GpuDevice) -> GpuDeviceView:
    vm = found.vms[0] if found.vms else None
    return GpuDeviceView(
        id=found.id,
        hostid=found.host.id,
        hostname=found.host.name,
        busaddress=str(found.number),
        gpudevicetype="PCI",
        gpucardid=found.card.id,
        gpucardname=found.card.model,
        vgpuprofileid=found.card.profile_id,
        vgpuprofilename=PASSTHROUGH,
        state=found.state,
        managedstate="Managed",
        virtualmachineid=vm.id if vm is not None else None,
        virtualmachinename=vm.name if vm is not None else None,
        vmstate=vm.state if vm is not None else None,
    )


@command("listGpuCards", view=GpuCardView, roles=ROOT, group=GROUP, since="4.21.0")
async def list_gpu_cards(
    call: Call,
    *,
    page: Page,
    id: Annotated[str | None, ID] = None,
    devicename: str | None = None,
    activeonly: Annotated[bool, Param("those that a host which is up has")] = False,
) -> Listed:
    """Lists the models of GPUs that hosts have."""
    return page_of(
        [
            GpuCardView(id=card.id, name=card.model, devicename=card.model)
            for card in call.manager.gpus.cards()
            if id in (None, card.id)
            and devicename in (None, card.model)
            and (card.hosts or not activeonly)
        ],
        page,
    )


@command("listGpuDevices", view=GpuDeviceView, roles=ROOT, group=GROUP, since="4.21.0")
async def list_gpu_devices(
    call: Call,
    *,
    page: Page,
    id: Annotated[str | None, ID] = None,
    hostid: Host | None = None,
    gpucardid: Annotated[str | None, Param("those of that card", type="uuid", length=40)] = None,
    vgpuprofileid: Annotated[str | None, Param("those of that profile", type="uuid", length=40)] = None,
    virtualmachineid: Annotated[VirtualMachine | None, Param("those that the instance has")] = None,
) -> Listed:
    """Lists the GPUs of hosts."""
    gpus = call.manager.gpus
    if hostid is None and virtualmachineid is not None:
        hostid = call.store.table(Host).get(virtualmachineid.host_id)
        if hostid is None:
            return page_of([], page)
    hosts = gpus.hosts() if hostid is None else [hostid]
    found = [
        _device(device)
        for host in hosts
        for device in gpus.devices(host)
        if id in (None, device.id)
        and gpucardid in (None, device.card.id)
        and vgpuprofileid in (None, device.card.profile_id)
        and (virtualmachineid is None or any(vm.id == virtualmachineid.id for vm in device.vms))
    ]
    return page_of(found, page, search=("gpucardname", "hostname"))


@command("discoverGpuDevices", view=GpuDeviceView, many=True, roles=ROOT, group=GROUP, since="4.21.0")
async def discover_gpu_devices(
    call: Call, *, page: Page, id: Annotated[Host, Param("a host", access="any")]
) -> Listed:
    """Lists the GPUs that a host's agent told of when it connected."""
    found = [_device(device) for device in call.manager.gpus.devices(id)]
    return page_of(found, page, search=("gpucardname", "hostname"))


@command("listVgpuProfiles", view=VgpuProfileView, group=GROUP, since="4.21.0")
async def list_vgpu_profiles(
    call: Call,
    *,
    page: Page,
    id: Annotated[str | None, ID] = None,
    name: str | None = None,
    gpucardid: Annotated[str | None, Param("those of that card", type="uuid", length=40)] = None,
    activeonly: Annotated[bool, Param("those of cards that a host which is up has")] = False,
) -> Listed:
    """Lists the profiles by which a service offering asks for GPUs: every card as a whole."""
    return page_of(
        [
            _profile(card)
            for card in call.manager.gpus.cards()
            if id in (None, card.profile_id)
            and name in (None, PASSTHROUGH)
            and gpucardid in (None, card.id)
            and (card.hosts or not activeonly)
        ],
        page,
        search=("name", "gpucardname"),
    )


def _profile(card: GpuCard) -> VgpuProfileView:
    return VgpuProfileView(
        id=card.profile_id,
        name=PASSTHROUGH,
        description=f"{card.model}, whole",
        gpucardid=card.id,
        gpucardname=card.model,
        devicename=card.model,
        maxvgpuperphysicalgpu=1,
    )
