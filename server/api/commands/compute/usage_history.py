"""What instances and system VMs used over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import VirtualMachine
from cloudsim.model.compute import UsageSample
from server.api.command import ROOT, Call, Listed, command
from server.api.commands.compute.usage_fields import KIB, usage_fields
from server.api.listing import Page, Paging, listed
from server.api.parameters import Date as DateParameter
from server.api.parameters import Param
from server.api.scope import Ownership, ownership
from server.api.views import Long, View, date

Start = Annotated[DateParameter | None, Param("none before that")]
End = Annotated[DateParameter | None, Param("none after that")]
Name = Annotated[str | None, Param("those whose name contains that")]


class UsageSampleView(View):
    """What one used: since the sample before, where it is read, written or sent."""

    timestamp: str | None = None
    cpuused: Annotated[str | None, "of its vCPUs, in percent"] = None
    memorykbs: Annotated[Long | None, "KiB that it has"] = None
    memoryintfreekbs: Annotated[Long | None, "KiB of them that it does not use"] = None
    memorytargetkbs: Annotated[Long | None, "KiB that it is to have"] = None
    diskkbsread: Annotated[Long | None, "KiB"] = None
    diskkbswrite: Annotated[Long | None, "KiB"] = None
    diskioread: Annotated[Long | None, "operations"] = None
    diskiowrite: Annotated[Long | None, "operations"] = None
    diskiopstotal: Annotated[Long | None, "operations of both kinds"] = None
    networkkbsread: Annotated[Long | None, "KiB"] = None
    networkkbswrite: Annotated[Long | None, "KiB"] = None
    networkread: str | None = None
    networkwrite: str | None = None


class VmUsageView(View):
    """An instance with what it used over time."""

    entity: ClassVar = VirtualMachine
    key: ClassVar = "virtualmachine"

    id: str | None = None
    name: str | None = None
    displayname: str | None = None
    stats: Annotated[list[UsageSampleView] | None, "the samples, the oldest first"] = None

    @classmethod
    def of(cls, row: VirtualMachine, call: Call) -> Self:
        start, end = call.cache.get("usage span", (None, None))
        samples = call.manager.vm_usages.of(row.id, start, end)
        return cls(
            id=row.id,
            name=row.name,
            displayname=row.display_name,
            stats=[_shown(sample, row.memory_mib * KIB) for sample in samples],
        )


def _shown(sample: UsageSample, memory: int) -> UsageSampleView:
    used = usage_fields(sample, memory)
    return UsageSampleView(
        timestamp=date(sample.at),
        diskiopstotal=sample.disk_read_ios + sample.disk_write_ios,
        networkread=f"{used['networkkbsread']} KB",
        networkwrite=f"{used['networkkbswrite']} KB",
        **used,
    )


def _listed(
    call: Call,
    page: Paging,
    id: VirtualMachine | None,
    ids: Sequence[VirtualMachine],
    name: str | None,
    span: tuple[float | None, float | None],
    scope: Ownership | None,
    of_users: bool,
) -> Listed:
    start, end = span
    if start is not None and end is not None and end < start:
        raise InvalidParameterValue("Parameter enddate must not be before startdate")
    if id is not None and ids:
        raise InvalidParameterValue("Parameters id and ids exclude each other")
    call.cache["usage span"] = span
    wanted: Any = [id] if id is not None else list(ids) or None

    def keep(vm: VirtualMachine) -> bool:
        return (vm.type == "User") == of_users and (not name or name.lower() in vm.name.lower())

    return listed(
        call,
        VirtualMachine,
        page=page,
        scope=scope,
        ids=wanted,
        keep=keep,
        search=("name", "display_name", "instance_name"),
    )


@command("listVirtualMachinesUsageHistory", view=VmUsageView, group="Virtual Machine", since="4.17")
async def list_virtual_machines_usage_history(
    call: Call,
    *,
    page: Page,
    id: VirtualMachine | None = None,
    ids: Annotated[Sequence[VirtualMachine], Param("only these")] = (),
    name: Name = None,
    startdate: Start = None,
    enddate: End = None,
) -> Listed:
    """Lists what instances used over time."""
    scope = ownership(call, listall=True, named=id is not None or bool(ids))
    return _listed(call, page, id, ids, name, (startdate, enddate), scope, True)


@command(
    "listSystemVmsUsageHistory", view=VmUsageView, group="System VM", roles=ROOT, since="4.18.0"
)
async def list_system_vms_usage_history(
    call: Call,
    *,
    page: Page,
    id: VirtualMachine | None = None,
    ids: Annotated[Sequence[VirtualMachine], Param("only these")] = (),
    name: Name = None,
    startdate: Start = None,
    enddate: End = None,
) -> Listed:
    """Lists what system VMs and routers used over time."""
    return _listed(call, page, id, ids, name, (startdate, enddate), None, False)
