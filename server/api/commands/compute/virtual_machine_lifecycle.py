"""Starting, stopping, moving, destroying instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.compute.root_disk_change import RootDiskWish
from cloudsim.management.compute.vm_states import next_state
from cloudsim.management.storage.volume_sizes import GIB
from cloudsim.model import (
    Cluster,
    DiskOffering,
    Host,
    Pod,
    ServiceOffering,
    StoragePool,
    Template,
    VirtualMachine,
    Volume,
)
from server.api.command import ADMINS, ROOT, Call, Job, command
from server.api.commands.compute.deployment import number_in
from server.api.commands.compute.virtual_machine_views import VirtualMachineView
from server.api.commands.compute.virtual_machines import GROUP
from server.api.parameters import Long, Param
from server.api.views import View


@command("startVirtualMachine", view=VirtualMachineView, job=True, group=GROUP)
async def start_virtual_machine(
    call: Call,
    *,
    id: VirtualMachine,
    podid: Pod | None = None,
    clusterid: Cluster | None = None,
    hostid: Host | None = None,
    deploymentplanner: str | None = None,
    considerlasthost: Annotated[
        bool, Param("try the host where it was first, where no other is asked for", since="4.18.0")
    ] = True,
) -> Job:
    """Starts a stopped instance."""
    if (podid or clusterid or hostid or deploymentplanner) and not call.caller.is_root_admin:
        raise PermissionDenied(
            "Only a root admin can say with podid, clusterid, hostid or deploymentplanner where an instance starts"
        )
    if id.state not in ("Running", "Starting", "Stopping"):
        next_state(id.state, "StartRequested", f"instance {id.name}")
    if deploymentplanner is not None:
        call.manager.planner.policy(deploymentplanner)
    return Job(
        lambda: call.manager.vms.started(
            call.caller,
            id.id,
            host_id=hostid.id if hostid else None,
            cluster_id=clusterid.id if clusterid else None,
            pod_id=podid.id if podid else None,
            planner=deploymentplanner,
            last=considerlasthost and deploymentplanner is None,
        ),
        id,
    )


@command("stopVirtualMachine", view=VirtualMachineView, job=True, group=GROUP)
async def stop_virtual_machine(
    call: Call,
    *,
    id: VirtualMachine,
    forced: Annotated[bool, Param("pull the plug; with no agent on its host, take it for stopped")] = False,
) -> Job:
    """Stops an instance."""
    if id.state in ("Destroyed", "Expunging", "Error"):
        raise InvalidParameterValue(f"Unable to stop instance {id.name}: it is in state {id.state}")
    return Job(lambda: call.manager.vms.stopped(call.caller, id.id, forced=forced), id)


@command("rebootVirtualMachine", view=VirtualMachineView, job=True, group=GROUP)
async def reboot_virtual_machine(
    call: Call, *, id: VirtualMachine, forced: Annotated[bool, Param("stop and start it")] = False
) -> Job:
    """Restarts a running instance."""
    if id.state not in ("Running", "Starting"):
        raise InvalidParameterValue(f"Unable to reboot instance {id.name}: it is in state {id.state}")
    return Job(lambda: call.manager.vms.rebooted(call.caller, id.id, forced=forced), id)


@command("destroyVirtualMachine", view=VirtualMachineView, job=True, group=GROUP)
async def destroy_virtual_machine(
    call: Call,
    *,
    id: VirtualMachine,
    expunge: Annotated[
        bool, Param("remove it for good; root admins, or where the settings allow it")
    ] = False,
    volumeids: Annotated[Sequence[Volume] | None, Param("data disks to delete with it")] = None,
) -> Job:
    """Destroys an instance. Until it is expunged it can be recovered; the answer about an expunged one is empty."""
    if expunge:
        _check_may_expunge(call)
        call.manager.vms.expunging.check(id)
    if id.delete_protection:
        raise InvalidParameterValue(f"Instance {id.name} has delete protection enabled")
    for volume in volumeids or ():
        if volume.vm_id != id.id or volume.type == "ROOT":
            raise InvalidParameterValue(
                f"volumeids names {volume.name}, which is no data disk of instance {id.name}"
            )
    vms, volumes = call.manager.vms, call.manager.volumes

    async def work() -> VirtualMachine | View:
        vm: VirtualMachine = await vms.destroyed(call.caller, id.id)
        for volume in volumeids or ():
            vms.release_volume(volume.id)
            await volumes.delete(call.store.table(Volume)[volume.id])
        if not expunge:
            return vm
        await vms.expunging.expunged(call.caller, id.id)
        return View()

    return Job(work, id)


def _check_may_expunge(call: Call) -> None:
    allowed = call.manager.settings.boolean("allow.user.expunge.recover.vm", "Account", call.caller.account.id)
    if not call.caller.is_admin and not allowed:
        raise PermissionDenied(
            "Parameter expunge can be passed by admins only, unless allow.user.expunge.recover.vm"
        )


@command("recoverVirtualMachine", view=VirtualMachineView, group=GROUP)
async def recover_virtual_machine(call: Call, *, id: VirtualMachine) -> VirtualMachine:
    """Brings a destroyed instance back, stopped."""
    _check_may_expunge(call)
    vm: VirtualMachine = call.manager.vms.recover(call.caller, id.id)
    return vm


@command("expungeVirtualMachine", job=True, roles=ROOT, group=GROUP)
async def expunge_virtual_machine(call: Call, *, id: VirtualMachine) -> Job:
    """Removes a destroyed instance for good."""
    if id.state not in ("Destroyed", "Expunging", "Error"):
        raise InvalidParameterValue(
            f"Unable to expunge instance {id.name}: it is in state {id.state}, not Destroyed"
        )
    call.manager.vms.expunging.check(id)

    async def work() -> None:
        await call.manager.vms.expunging.expunged(call.caller, id.id)

    return Job(work, id)


def check_may_move(call: Call) -> None:
    """Raise PermissionDenied but for root admins: the commands are ADMINS' by role, and hosts are the operator's."""
    if not call.caller.is_root_admin:
        raise PermissionDenied("No permission to migrate VM, only root admins can migrate a VM")


@command("migrateVirtualMachine", view=VirtualMachineView, job=True, roles=ADMINS, group=GROUP)
async def migrate_virtual_machine(
    call: Call,
    *,
    virtualmachineid: VirtualMachine,
    hostid: Annotated[Host | None, Param("where to; with autoselect, the cloud chooses")] = None,
    autoselect: bool = True,
    storageid: Annotated[
        StoragePool | None, Param("where the disks of a stopped instance go, instead of hostid")
    ] = None,
) -> Job:
    """Moves a running instance to another host, or a stopped one's disks to another primary storage."""
    check_may_move(call)
    if storageid is not None:
        if hostid is not None:
            raise InvalidParameterValue("Parameters hostid and storageid exclude each other")
        pool = storageid
        call.manager.storage_motion.check_stopped(virtualmachineid, pool)
        return Job(
            lambda: call.manager.storage_motion.move_stopped(call.caller, virtualmachineid.id, pool),
            virtualmachineid,
        )
    if hostid is None and not autoselect:
        raise InvalidParameterValue("hostid must be given, or autoselect be true")
    target = hostid.id if hostid else None
    call.manager.migration.check(virtualmachineid, target)
    return Job(
        lambda: call.manager.migration.migrate(call.caller, virtualmachineid.id, target), virtualmachineid
    )


@command("migrateVirtualMachineWithVolume", view=VirtualMachineView, job=True, roles=ADMINS, group=GROUP)
async def migrate_virtual_machine_with_volume(
    call: Call,
    *,
    virtualmachineid: VirtualMachine,
    hostid: Annotated[Host | None, Param("where to; with autoselect, the cloud chooses")] = None,
    migrateto: Annotated[
        Sequence[Mapping[str, str]] | None,
        Param("each volume and pool: a volume, and the primary storage to move it to"),
    ] = None,
    autoselect: bool = False,
) -> Job:
    """Moves a running instance to another host together with its volumes, where that does not reach them."""
    check_may_move(call)
    if hostid is None and not autoselect and not migrateto:
        raise InvalidParameterValue("hostid must be given, or migrateto, or autoselect be true")
    wanted = {}
    for entry in migrateto or ():
        volume = call.store.table(Volume).get(entry.get("volume"))
        pool = call.store.table(StoragePool).get(entry.get("pool"))
        if volume is None or pool is None:
            raise InvalidParameterValue("Each entry of migrateto needs the id of a volume and the id of a (storage) pool")
        wanted[volume.id] = pool
    target = hostid.id if hostid else None
    call.manager.storage_motion.check(virtualmachineid, hostid, wanted)
    return Job(
        lambda: call.manager.storage_motion.migrate(call.caller, virtualmachineid.id, target, wanted),
        virtualmachineid,
    )


@command(
    "restoreVirtualMachine", view=VirtualMachineView, job=True, group=GROUP, response="restorevmresponse"
)
async def restore_virtual_machine(
    call: Call,
    *,
    virtualmachineid: VirtualMachine,
    templateid: Annotated[Template | None, Param("another template than its own", access="use")] = None,
    diskofferingid: Annotated[
        DiskOffering | None, Param("what kind of root disk it gets", since="4.19.1")
    ] = None,
    rootdisksize: Annotated[
        Long | None, Param("GiB of its root disk; by default as before", since="4.19.1")
    ] = None,
    details: Annotated[
        Mapping[str, str] | None, Param("minIops and maxIops, for a disk offering that takes them", since="4.19.1")
    ] = None,
    expunge: Annotated[
        bool, Param("remove its old root disk for good, instead of keeping it for a while", since="4.19.1")
    ] = False,
) -> Job:
    """Gives an instance a new root disk from its template or another."""
    vm = virtualmachineid
    setting = "allow.user.expunge.recover.volume"
    may_expunge = call.caller.is_admin or call.manager.settings.boolean(setting, "Account", call.caller.account.id)
    if expunge and not may_expunge:
        raise PermissionDenied(f"Parameter expunge can be passed by admins only, unless {setting} is true")
    if vm.state not in ("Running", "Stopped"):
        raise InvalidParameterValue(f"Unable to restore instance {vm.name}: it is in state {vm.state}")
    chosen = dict(details or {})
    iops = (number_in(chosen, "minIops"), number_in(chosen, "maxIops"))
    if chosen:
        raise InvalidParameterValue(f"details may have minIops and maxIops, not {', '.join(sorted(chosen))}")
    size = None if rootdisksize is None else rootdisksize * GIB
    call.manager.vms.check_restore(vm, templateid, diskofferingid, size, iops)
    return Job(
        lambda: call.manager.vms.restored(
            call.caller, vm.id, templateid, offering=diskofferingid, size=size, iops=iops, expunge=expunge
        ),
        vm,
    )


AutoMigrate = Annotated[
    bool, Param("whether its root disk may be moved to a pool that suits the offering", since="4.17")
]
ShrinkOk = Annotated[bool, Param("whether its root disk may become smaller, as the offering says", since="4.17")]
MinIops = Annotated[Long | None, Param("of its root disk, where the offering leaves that open", since="4.17")]
MaxIops = Annotated[Long | None, Param("of its root disk, where the offering leaves that open", since="4.17")]


@command("changeServiceForVirtualMachine", view=VirtualMachineView, group=GROUP)
async def change_service_for_virtual_machine(
    call: Call,
    *,
    id: VirtualMachine,
    serviceofferingid: ServiceOffering,
    details: Annotated[Mapping[str, str] | None, Param("cpuNumber, cpuSpeed, memory")] = None,
    miniops: MinIops = None,
    maxiops: MaxIops = None,
    automigrate: AutoMigrate = False,
    shrinkok: ShrinkOk = False,
) -> VirtualMachine:
    """Gives a stopped instance another service offering, and its root disk the disk offering that this names."""
    wish = RootDiskWish(min_iops=miniops, max_iops=maxiops, auto_migrate=automigrate, shrink_ok=shrinkok)
    changed: VirtualMachine = await call.manager.scaling.change_offering(
        call.caller, id, serviceofferingid, *_sizes_in(details), disk=wish
    )
    return changed


@command("scaleVirtualMachine", view=VirtualMachineView, job=True, group=GROUP)
async def scale_virtual_machine(
    call: Call,
    *,
    id: VirtualMachine,
    serviceofferingid: ServiceOffering,
    details: Annotated[Mapping[str, str] | None, Param("cpuNumber, cpuSpeed, memory")] = None,
    miniops: MinIops = None,
    maxiops: MaxIops = None,
    automigrate: AutoMigrate = False,
    shrinkok: ShrinkOk = False,
) -> Job:
    """Gives an instance another service offering; a running one that is dynamically scalable can grow."""
    wish = RootDiskWish(min_iops=miniops, max_iops=maxiops, auto_migrate=automigrate, shrink_ok=shrinkok)
    scaling, wanted = call.manager.scaling, _sizes_in(details)
    scaling.check(id, serviceofferingid, *wanted, disk=wish)
    return Job(lambda: scaling.scaled(call.caller, id.id, serviceofferingid, *wanted, disk=wish), id)


def _sizes_in(details: Mapping[str, str] | None) -> tuple[int | None, ...]:
    chosen = dict(details or {})
    return tuple(number_in(chosen, name) for name in ("cpuNumber", "cpuSpeed", "memory"))
