"""A host that the program of an extension sees to, as an agent has it: what programs are not asked is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from cloudsim.extensions import ExternalHost, ProgramFailed
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import (
    ConsoleAddress,
    HostFacts,
    UnmanagedInstance,
    VmReport,
    VmSpec,
    VmStatistics,
)

T = TypeVar("T")
Refusal = Callable[..., Coroutine[Any, Any, Any]]


def _refuses(what: str) -> Refusal:
    async def refuse(self: ExternalHypervisor, *args: object, **keywords: object) -> Any:
        raise HypervisorError(f"{self.host.name} is an External host, which cannot {what}")

    return refuse


class ExternalHypervisor:
    """Implements `cloudsim.hypervisor.Hypervisor`. Disks and networks are the program's own matter."""

    def __init__(self, host: ExternalHost) -> None:
        self.host = host

    async def facts(self) -> HostFacts:
        return self.host.facts

    def inventory(self) -> tuple[VmReport, ...] | None:
        return None

    async def vm_states(self) -> tuple[VmReport, ...]:
        return await _told(self.host.states())

    async def vm_statistics(self, names: tuple[str, ...]) -> tuple[VmStatistics, ...]:
        return ()

    async def start_vm(self, vm: VmSpec) -> ConsoleAddress | None:
        if vm.system is not None:
            raise HypervisorError(f"{self.host.name} is an External host, which cannot run system VMs")
        await _told(self.host.start(vm.name, vm.password))
        return None

    async def stop_vm(self, name: str, forced: bool) -> None:
        await _told(self.host.stop(name, forced))

    async def reboot_vm(self, name: str, forced: bool) -> None:
        await _told(self.host.reboot(name, forced))

    async def console(self, name: str, serial: bool = False) -> ConsoleAddress:
        if serial:
            raise HypervisorError(f"{self.host.name} is an External host, which has no serial consoles")
        return await _told(self.host.console(name))

    async def unmanaged_instances(
        self, name: str | None, known: tuple[str, ...]
    ) -> tuple[UnmanagedInstance, ...]:
        return ()

    suspend_vm = _refuses("suspend an instance")
    resume_vm = _refuses("resume an instance")
    scale_vm = _refuses("change the size of an instance while it runs")
    prepare_migration = _refuses("take a running instance")
    migrate_vm = _refuses("give a running instance away")
    set_security_rules = _refuses("filter an instance's traffic")
    ask_system_vm = _refuses("run system VMs")
    plug_nic = _refuses("add a network card to a running instance")
    unplug_nic = _refuses("take a network card from a running instance")
    attach_volume = _refuses("use volumes of the cloud's")
    detach_volume = _refuses("use volumes of the cloud's")
    attach_iso = _refuses("use ISOs of the cloud's")
    adopt_vm = _refuses("have an instance imported")
    create_vm_snapshot = _refuses("take snapshots of instances")
    revert_to_vm_snapshot = _refuses("take snapshots of instances")
    delete_vm_snapshot = _refuses("take snapshots of instances")
    mount_pool = _refuses("use primary storage")
    unmount_pool = _refuses("use primary storage")
    pool_statistics = _refuses("use primary storage")
    copy_template = _refuses("use primary storage")
    delete_template = _refuses("use primary storage")
    create_volume = _refuses("use volumes of the cloud's")
    delete_volume = _refuses("use volumes of the cloud's")
    resize_volume = _refuses("use volumes of the cloud's")
    vm_activity = _refuses("use volumes of the cloud's")
    storage_objects = _refuses("use the cloud's storage")
    copy_image = _refuses("use secondary storage")
    take_backup = _refuses("use secondary storage")
    backup_snapshot = _refuses("use secondary storage")
    revert_snapshot = _refuses("use secondary storage")
    create_template = _refuses("use secondary storage")
    download_template = _refuses("use secondary storage")
    delete_image = _refuses("use secondary storage")


async def _told(work: Coroutine[Any, Any, T]) -> T:
    try:
        return await work
    except ProgramFailed as error:
        raise HypervisorError(str(error)) from error
