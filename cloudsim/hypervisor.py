"""The backend interface: what any world must be able to do for an agent.

One `Hypervisor` is one host. Its methods return when the thing is done and raise `HypervisorError`,
naming the object and the reason, when it can't be; nothing half-made is left behind then. All are idempotent
where the text says so. They may run at the same time for different objects; the agent never runs two for
the same instance.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Protocol

from cloudsim.protocol.specs import (
    BackupFile,
    ConsoleAddress,
    DiskSpec,
    HostFacts,
    ImageSpec,
    NicSpec,
    PoolSpec,
    PoolStatistics,
    SecurityRule,
    StorageObject,
    UnmanagedInstance,
    VmReport,
    VmSpec,
    VmStatistics,
)
from cloudsim.protocol.systemvm import AnyReply, AnyRequest


class HypervisorError(Exception):
    """The host could not do it. The text names the object and the reason."""


STEPS: ContextVar[dict[str, float] | None] = ContextVar("steps", default=None)
"""Where the parts of the command that is being done note what they took; None where nobody wants to know."""


NO_FILES: Mapping[str, str] = {}


def note_step(name: str, seconds: float) -> None:
    """Tell how long a part of the running command took, by its name in the simulator's latency profile."""
    steps = STEPS.get()
    if steps is not None:
        steps[name] = round(steps.get(name, 0.0) + seconds, 6)


class Hypervisor(Protocol):
    """A host that runs instances and reaches pools, networks and secondary storage."""

    async def facts(self) -> HostFacts:
        """What this host is."""

    def inventory(self) -> tuple[VmReport, ...] | None:
        """As `vm_states`, where this can be said without waiting; None: ask `vm_states`."""

    async def vm_states(self) -> tuple[VmReport, ...]:
        """Every instance on this host, known to the manager or not."""

    async def vm_statistics(self, names: tuple[str, ...]) -> tuple[VmStatistics, ...]:
        """Measure these instances (all when empty); those that are not here are left out."""

    # instances

    async def start_vm(self, vm: VmSpec) -> ConsoleAddress | None:
        """Define and start it; returns once the guest is up. Succeeds at once if it runs here already."""

    async def stop_vm(self, name: str, forced: bool) -> None:
        """Shut it down and undefine it; `forced` pulls the plug. Succeeds if there is none."""

    async def reboot_vm(self, name: str, forced: bool) -> None:
        """Restart the guest in place."""

    async def suspend_vm(self, name: str) -> None:
        """Freeze its vCPUs; its memory stays."""

    async def resume_vm(self, name: str) -> None:
        """Let its vCPUs run again."""

    async def scale_vm(self, name: str, cpus: int, cpu_mhz: int, memory_mib: int) -> None:
        """Change a running instance's size."""

    async def prepare_migration(self, vm: VmSpec) -> dict[str, str]:
        """Make ready to receive the running instance; returns where its volumes (by id) are here, if files have names."""

    async def migrate_vm(
        self, name: str, destination: str, with_storage: bool, files: Mapping[str, str] = NO_FILES
    ) -> float:
        """Move the running instance to the host at that address; returns the downtime in seconds.

        `with_storage` copies the disks that lie elsewhere there: those of the volumes in `files` to these files.
        When it raises, the instance still runs here and not there.
        """

    async def console(self, name: str, serial: bool = False) -> ConsoleAddress:
        """Where the instance's screen is, or its serial console."""

    async def set_security_rules(
        self, name: str, nic_id: str, rules: tuple[SecurityRule, ...] | None
    ) -> None:
        """Put these rules in force for the instance's card, in place of those before. Succeeds if it does not run here."""

    async def ask_system_vm(self, name: str, request: AnyRequest) -> AnyReply:
        """Have the system VM do it; returns what it replies."""

    async def plug_nic(self, name: str, nic: NicSpec) -> None:
        """Add a network card to a running instance."""

    async def unplug_nic(self, name: str, nic: NicSpec) -> None:
        """Take a network card from a running instance. Succeeds if it has none such."""

    async def attach_volume(self, name: str, disk: DiskSpec) -> None:
        """Attach a disk to a running instance."""

    async def detach_volume(self, name: str, disk: DiskSpec) -> None:
        """Detach a disk from a running instance. Succeeds if it is not attached."""

    async def attach_iso(self, name: str, iso: ImageSpec | None) -> None:
        """Put an ISO into a running instance's drive, in place of what is there; None ejects. Again is no error."""

    async def unmanaged_instances(
        self, name: str | None, known: tuple[str, ...]
    ) -> tuple[UnmanagedInstance, ...]:
        """Describe the instances here (or that one), but none of `known`."""

    async def adopt_vm(self, vm: VmSpec) -> None:
        """Know the instance that runs here by this description from now on. Nothing of it changes."""

    async def create_vm_snapshot(
        self, name: str, snapshot: str, disks: tuple[DiskSpec, ...], memory: bool
    ) -> None:
        """Snapshot all its disks at one time, and its memory."""

    async def revert_to_vm_snapshot(
        self, name: str, snapshot: str, disks: tuple[DiskSpec, ...], memory: bool
    ) -> None:
        """Put the disks (and memory) back to the snapshot."""

    async def delete_vm_snapshot(self, name: str, snapshot: str, disks: tuple[DiskSpec, ...]) -> None:
        """Forget the snapshot. Succeeds if there is none."""

    # primary storage

    async def mount_pool(self, pool: PoolSpec) -> PoolStatistics:
        """Make the pool usable on this host; again is no error."""

    async def unmount_pool(self, pool: PoolSpec) -> None:
        """Let go of the pool; its content stays."""

    async def pool_statistics(self, pool_id: str) -> PoolStatistics:
        """Size and use of a mounted pool."""

    async def copy_template(self, image: ImageSpec, pool_id: str, template_id: str) -> tuple[str, int]:
        """Bring a template onto the pool; returns its path there, template-ID, and its virtual size in bytes."""

    async def delete_template(self, pool_id: str, path: str) -> None:
        """Remove a template's copy. Succeeds if there is none."""

    async def create_volume(
        self,
        volume_id: str,
        pool_id: str,
        size: int,
        template_path: str | None,
        image: ImageSpec | None,
        provisioning: str = "thin",
    ) -> tuple[str, int]:
        """Make a disk (a clone of the template on the pool, a copy of the image, or empty); returns path and size.

        `provisioning` thin, sparse or fat, as in `CreateVolumeCommand`; all but thin depend on no template.
        """

    async def delete_volume(self, volume_id: str, pool_id: str, path: str) -> None:
        """Remove a disk. Succeeds if there is none."""

    async def resize_volume(self, disk: DiskSpec, size: int, vm: str | None) -> int:
        """Change a disk's size, attached to the running `vm` or not; returns the new size."""

    async def vm_activity(self, disks: tuple[DiskSpec, ...]) -> bool:
        """Whether an instance, on whatever host, has one of the disks open to write to it, as the storage tells."""

    # secondary storage

    async def storage_objects(
        self, pool_id: str | None, store_url: str | None, path: str, describe: bool
    ) -> tuple[StorageObject, ...]:
        """What is in that folder of a pool or of an image store, by name; or the one file of that path."""

    async def copy_image(self, image: ImageSpec, store_url: str) -> tuple[str, int]:
        """Copy a file to the same path in another image store; returns path and physical size. Again is no error."""

    async def backup_snapshot(
        self,
        snapshot_id: str,
        disk: DiskSpec,
        store_url: str,
        vm: str | None,
        inside: str | None = None,
        quiesce: bool = False,
    ) -> tuple[str, int]:
        """Snapshot a disk into secondary storage; returns the path there and its physical size.

        It is of what the disk holds now, or held when the instance snapshot `inside` was taken. `vm`: the running
        instance that has it. With `quiesce` its guest is at rest at that moment, or it fails.
        """

    async def take_backup(
        self, backup_id: str, disks: tuple[DiskSpec, ...], store_url: str, vm: str | None, quiesce: bool
    ) -> tuple[BackupFile, ...]:
        """Copy the disks, all of one moment, into the store; again replaces what is there.

        `vm`: the running instance that has them. With `quiesce` its guest is at rest at that moment, or it fails.
        """

    async def revert_snapshot(self, disk: DiskSpec, image: ImageSpec) -> None:
        """Put a snapshot's content back into a disk that no running instance uses."""

    async def create_template(
        self, template_id: str, store_url: str, image: ImageSpec | None, disk: DiskSpec | None
    ) -> tuple[str, int]:
        """Make a template from a snapshot or a disk; returns its path in the store and its virtual size."""

    async def download_template(
        self, template_id: str, url: str, store_url: str, format: str, checksum: str | None
    ) -> tuple[str, int, str | None]:
        """Fetch a URL into the store; returns path, size and the checksum found."""

    async def delete_image(self, image: ImageSpec) -> None:
        """Remove a file from secondary storage. Succeeds if there is none."""
