"""Snapshots of instances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import VirtualMachine, VmSnapshot, Zone
from server.api.command import Call, Job, Listed, command
from server.api.commands.compute.virtual_machine_views import VirtualMachineView
from server.api.listing import Page, Tags, listed
from server.api.parameters import Param
from server.api.scope import Scope
from server.api.views import Date, TagView, View, Wire, date, owner, tags

GROUP = "Snapshot"


class VmSnapshotView(View):
    """An instance's disks, and its memory, at one time."""

    entity: ClassVar = VmSnapshot
    key: ClassVar = "vmsnapshot"

    id: str | None = None
    name: str | None = None
    displayname: str | None = None
    description: str | None = None
    state: Annotated[str | None, Wire("state")] = None
    type: Annotated[str | None, "Disk or DiskAndMemory"] = None
    current: Annotated[bool | None, "whether the instance's state follows on from it"] = None
    parent: str | None = None
    parentName: str | None = None
    virtualmachineid: str | None = None
    virtualmachinename: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    hypervisor: str | None = None
    created: Date | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    tags: list[TagView] | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: VmSnapshot, call: Call) -> Self:
        vm = call.store.table(VirtualMachine).get(row.vm_id)
        zone = call.store.table(Zone).get(row.zone_id)
        parent = call.store.table(VmSnapshot).get(row.parent_id)
        return cls(
            id=row.id,
            name=row.name,
            displayname=row.display_name,
            description=row.description,
            state=row.state,
            type=row.type,
            current=row.is_current,
            parent=row.parent_id,
            parentName=parent.display_name if parent else None,
            virtualmachineid=row.vm_id,
            virtualmachinename=vm.name if vm else None,
            zoneid=row.zone_id,
            zonename=zone.name if zone else None,
            hypervisor=vm.hypervisor if vm else None,
            created=date(row.created),
            tags=tags(call, row.id),
            **owner(call, row.account_id),
        )


@command(
    "createVMSnapshot",
    view=VmSnapshotView,
    job=True,
    creates=VmSnapshot,
    event="VMSNAPSHOT.CREATE",
    since="4.2.0",
    group=GROUP,
)
async def create_vm_snapshot(
    call: Call,
    *,
    virtualmachineid: Annotated[VirtualMachine, Param(access="operate")],
    name: str | None = None,
    description: str | None = None,
    snapshotmemory: Annotated[bool, Param("whether the memory of the running instance is kept too")] = False,
    quiescevm: Annotated[bool, Param("not supported: a guest is not asked to come to rest")] = False,
) -> Job:
    """Takes a snapshot of an instance."""
    if quiescevm:
        raise InvalidParameterValue("quiescevm is not supported: no guest is asked to bring its file systems to rest")
    service = call.manager.vm_snapshots
    snapshot = service.allocate(virtualmachineid, name=name, description=description, memory=snapshotmemory)
    return Job(lambda: service.create(snapshot.id), snapshot, queue=virtualmachineid.id)


@command("listVMSnapshot", view=VmSnapshotView, key="vmSnapshot", since="4.2.0", group=GROUP)
async def list_vm_snapshots(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    vmsnapshotid: VmSnapshot | None = None,
    vmsnapshotids: Sequence[VmSnapshot] | None = None,
    virtualmachineid: VirtualMachine | None = None,
    name: str | None = None,
    state: str | None = None,
    tags: Tags | None = None,
) -> Listed:
    """Lists snapshots of instances."""
    named = [*([vmsnapshotid] if vmsnapshotid else []), *(vmsnapshotids or [])]
    return listed(
        call,
        VmSnapshot,
        page=page,
        scope=scope,
        ids=None if vmsnapshotid is None and vmsnapshotids is None else named,
        equal={"vm_id": virtualmachineid and virtualmachineid.id},
        keep=lambda s: (
            (name is None or name in (s.name, s.display_name))
            and (state is None or s.state.lower() == state.lower())
        ),
        search=("name", "display_name"),
        tags=tags,
    )


@command("deleteVMSnapshot", job=True, event="VMSNAPSHOT.DELETE", since="4.2.0", group=GROUP)
async def delete_vm_snapshot(
    call: Call, *, vmsnapshotid: Annotated[VmSnapshot, Param(access="operate")]
) -> Job:
    """Deletes a snapshot of an instance."""
    service = call.manager.vm_snapshots
    return Job(lambda: service.delete(vmsnapshotid.id), vmsnapshotid, queue=vmsnapshotid.vm_id)


@command(
    "revertToVMSnapshot",
    view=VirtualMachineView,
    job=True,
    event="VMSNAPSHOT.REVERTTO",
    since="4.2.0",
    group=GROUP,
)
async def revert_to_vm_snapshot(
    call: Call, *, vmsnapshotid: Annotated[VmSnapshot, Param(access="operate")]
) -> Job:
    """Puts an instance back to a snapshot of it."""
    service = call.manager.vm_snapshots
    return Job(lambda: service.revert(vmsnapshotid.id), vmsnapshotid, queue=vmsnapshotid.vm_id)
