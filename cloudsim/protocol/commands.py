"""What the management server asks of a host, one Command each, and the Answer to it.

An Answer carries `error` when the command failed: a text that names the object and the reason. A command
is idempotent at the agent by its message's sequence number; see `cloudsim.agent`.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from cloudsim.protocol.specs import (
    BackupFile,
    ConsoleAddress,
    DiskSpec,
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


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a command; `error` is None when it succeeded.

    `steps` are the seconds that its parts took, where the host measured them, under the names that
    `backends.simulated.latency.LatencyProfile` has for them.
    """

    error: str | None = None
    steps: dict[str, float] = {}

    @property
    def ok(self) -> bool:
        return self.error is None


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A request to a host. `subject` is what the agent must not work on twice at a time.

    `repeatable`: done again from the start after an interruption, it ends as if it had been done once. Others are
    answered with an error when the agent was restarted in the middle of them.
    """

    answer: ClassVar[type[Answer]] = Answer
    repeatable: ClassVar[bool] = True

    @property
    def subject(self) -> str | None:
        return None


class _VmCommand(Command, frozen=True, kw_only=True):
    vm: str

    @property
    def subject(self) -> str | None:
        return self.vm


class StartAnswer(Answer, frozen=True, kw_only=True):
    console: ConsoleAddress | None = None


class StartCommand(Command, frozen=True, kw_only=True):
    """Define and start an instance; it answers once the guest has booted."""

    answer: ClassVar[type[Answer]] = StartAnswer
    vm: VmSpec

    @property
    def subject(self) -> str | None:
        return self.vm.name


class StopAnswer(Answer, frozen=True, kw_only=True):
    pass


class StopCommand(_VmCommand, frozen=True, kw_only=True):
    """Shut an instance down (`forced`: pull its plug) and undefine it. Succeeds when there is none."""

    answer: ClassVar[type[Answer]] = StopAnswer
    forced: bool = False


class RebootAnswer(Answer, frozen=True, kw_only=True):
    pass


class RebootCommand(_VmCommand, frozen=True, kw_only=True):
    answer: ClassVar[type[Answer]] = RebootAnswer
    repeatable: ClassVar[bool] = False
    forced: bool = False


class SuspendAnswer(Answer, frozen=True, kw_only=True):
    pass


class SuspendCommand(_VmCommand, frozen=True, kw_only=True):
    answer: ClassVar[type[Answer]] = SuspendAnswer


class ResumeAnswer(Answer, frozen=True, kw_only=True):
    pass


class ResumeCommand(_VmCommand, frozen=True, kw_only=True):
    answer: ClassVar[type[Answer]] = ResumeAnswer


class PrepareForMigrationAnswer(Answer, frozen=True, kw_only=True):
    """`files`: where each of its volumes (by id) is on the destination, where hosts name files."""

    files: dict[str, str] = {}


class PrepareForMigrationCommand(Command, frozen=True, kw_only=True):
    """To the destination: make ready (pools, bridges) to receive the instance."""

    answer: ClassVar[type[Answer]] = PrepareForMigrationAnswer
    vm: VmSpec

    @property
    def subject(self) -> str | None:
        return self.vm.name


class MigrateAnswer(Answer, frozen=True, kw_only=True):
    downtime: float = 0.0


class MigrateCommand(_VmCommand, frozen=True, kw_only=True):
    """To the source: move the running instance to the host at `destination` (its address).

    `with_storage` copies disks. `files` says of the volumes (by id) that move to another pool where they are there.
    """

    answer: ClassVar[type[Answer]] = MigrateAnswer
    repeatable: ClassVar[bool] = False
    destination: str
    with_storage: bool = False
    files: dict[str, str] = {}


class ScaleVmAnswer(Answer, frozen=True, kw_only=True):
    pass


class ScaleVmCommand(_VmCommand, frozen=True, kw_only=True):
    """Give a running instance other cpus and memory."""

    answer: ClassVar[type[Answer]] = ScaleVmAnswer
    cpus: int
    cpu_mhz: int
    memory_mib: int


class PlugNicAnswer(Answer, frozen=True, kw_only=True):
    pass


class PlugNicCommand(_VmCommand, frozen=True, kw_only=True):
    answer: ClassVar[type[Answer]] = PlugNicAnswer
    nic: NicSpec


class UnplugNicAnswer(Answer, frozen=True, kw_only=True):
    pass


class UnplugNicCommand(_VmCommand, frozen=True, kw_only=True):
    answer: ClassVar[type[Answer]] = UnplugNicAnswer
    nic: NicSpec


class AttachVolumeAnswer(Answer, frozen=True, kw_only=True):
    pass


class AttachVolumeCommand(_VmCommand, frozen=True, kw_only=True):
    answer: ClassVar[type[Answer]] = AttachVolumeAnswer
    disk: DiskSpec


class DetachVolumeAnswer(Answer, frozen=True, kw_only=True):
    pass


class DetachVolumeCommand(_VmCommand, frozen=True, kw_only=True):
    answer: ClassVar[type[Answer]] = DetachVolumeAnswer
    disk: DiskSpec


class AttachIsoAnswer(Answer, frozen=True, kw_only=True):
    pass


class AttachIsoCommand(_VmCommand, frozen=True, kw_only=True):
    """Put an ISO into the drive of a running instance; None ejects what is in it."""

    answer: ClassVar[type[Answer]] = AttachIsoAnswer
    iso: ImageSpec | None = None


class VmSnapshotAnswer(Answer, frozen=True, kw_only=True):
    pass


class CreateVmSnapshotCommand(_VmCommand, frozen=True, kw_only=True):
    """Snapshot all disks of an instance, and its memory when `memory` and it runs."""

    answer: ClassVar[type[Answer]] = VmSnapshotAnswer
    repeatable: ClassVar[bool] = False
    snapshot: str
    disks: tuple[DiskSpec, ...]
    memory: bool = False


class RevertToVmSnapshotCommand(_VmCommand, frozen=True, kw_only=True):
    answer: ClassVar[type[Answer]] = VmSnapshotAnswer
    repeatable: ClassVar[bool] = False
    snapshot: str
    disks: tuple[DiskSpec, ...]
    memory: bool = False


class DeleteVmSnapshotCommand(_VmCommand, frozen=True, kw_only=True):
    answer: ClassVar[type[Answer]] = VmSnapshotAnswer
    snapshot: str
    disks: tuple[DiskSpec, ...]


class ModifyStoragePoolAnswer(Answer, frozen=True, kw_only=True):
    statistics: PoolStatistics | None = None


class ModifyStoragePoolCommand(Command, frozen=True, kw_only=True):
    """Mount a pool on the host (`add`), or let go of it."""

    answer: ClassVar[type[Answer]] = ModifyStoragePoolAnswer
    pool: PoolSpec
    add: bool = True


class CopyTemplateAnswer(Answer, frozen=True, kw_only=True):
    path: str = ""
    size: int = 0


class CopyTemplateCommand(Command, frozen=True, kw_only=True):
    """Bring a template from secondary storage onto a pool, to be cloned from."""

    answer: ClassVar[type[Answer]] = CopyTemplateAnswer
    image: ImageSpec
    pool_id: str
    template_id: str


class DeleteTemplateAnswer(Answer, frozen=True, kw_only=True):
    pass


class DeleteTemplateCommand(Command, frozen=True, kw_only=True):
    """Remove a template's copy from a pool."""

    answer: ClassVar[type[Answer]] = DeleteTemplateAnswer
    pool_id: str
    path: str


class CreateVolumeAnswer(Answer, frozen=True, kw_only=True):
    path: str = ""
    size: int = 0


class CreateVolumeCommand(Command, frozen=True, kw_only=True):
    """Make a disk on a pool: a clone of `template_path` there, a copy of `image`, or empty.

    `provisioning` thin takes room as it is written to; sparse has its tables from the start, fat all its room.
    """

    answer: ClassVar[type[Answer]] = CreateVolumeAnswer
    volume_id: str
    pool_id: str
    size: int
    template_path: str | None = None
    image: ImageSpec | None = None
    provisioning: Literal["thin", "sparse", "fat"] = "thin"


class DeleteVolumeAnswer(Answer, frozen=True, kw_only=True):
    pass


class DeleteVolumeCommand(Command, frozen=True, kw_only=True):
    """Remove a disk. Succeeds when there is none."""

    answer: ClassVar[type[Answer]] = DeleteVolumeAnswer
    volume_id: str
    pool_id: str
    path: str


class ResizeVolumeAnswer(Answer, frozen=True, kw_only=True):
    size: int = 0


class ResizeVolumeCommand(Command, frozen=True, kw_only=True):
    """Change a disk's size; `vm` names the running instance that has it attached."""

    answer: ClassVar[type[Answer]] = ResizeVolumeAnswer
    disk: DiskSpec
    size: int
    vm: str | None = None


class BackupSnapshotAnswer(Answer, frozen=True, kw_only=True):
    path: str = ""
    physical_size: int = 0


class BackupSnapshotCommand(Command, frozen=True, kw_only=True):
    """Snapshot a disk and copy the snapshot to secondary storage at `store_url`."""

    answer: ClassVar[type[Answer]] = BackupSnapshotAnswer
    snapshot_id: str
    disk: DiskSpec
    store_url: str
    vm: str | None = None
    inside: str | None = None
    """The instance snapshot whose content of the disk is taken, instead of the present one."""
    quiesce: bool = False
    """Whether the guest of `vm` brings its file systems to rest for that moment."""


class RevertSnapshotAnswer(Answer, frozen=True, kw_only=True):
    pass


class RevertSnapshotCommand(Command, frozen=True, kw_only=True):
    """Put a snapshot's content back into the disk it was taken from."""

    answer: ClassVar[type[Answer]] = RevertSnapshotAnswer
    disk: DiskSpec
    image: ImageSpec


class TakeBackupAnswer(Answer, frozen=True, kw_only=True):
    files: tuple[BackupFile, ...] = ()


class TakeBackupCommand(Command, frozen=True, kw_only=True):
    """Copy disks of an instance, all of one moment, to the store at `store_url`.

    `vm` names the instance if it runs; with `quiesce` its guest brings its file systems to rest for that moment.
    """

    answer: ClassVar[type[Answer]] = TakeBackupAnswer
    backup_id: str
    disks: tuple[DiskSpec, ...]
    store_url: str
    vm: str | None = None
    quiesce: bool = False


class DeleteImageAnswer(Answer, frozen=True, kw_only=True):
    pass


class DeleteImageCommand(Command, frozen=True, kw_only=True):
    """Remove a template or snapshot file from secondary storage. Succeeds when there is none."""

    answer: ClassVar[type[Answer]] = DeleteImageAnswer
    image: ImageSpec


class StorageObjectsAnswer(Answer, frozen=True, kw_only=True):
    objects: tuple[StorageObject, ...] = ()


class StorageObjectsCommand(Command, frozen=True, kw_only=True):
    """List the folder `path` of a pool or of an image store, or tell of the file of that path."""

    answer: ClassVar[type[Answer]] = StorageObjectsAnswer
    pool_id: str | None = None
    store_url: str | None = None
    path: str = ""
    describe: bool = False


class CopyImageAnswer(Answer, frozen=True, kw_only=True):
    path: str = ""
    physical_size: int = 0


class CopyImageCommand(Command, frozen=True, kw_only=True):
    """Copy a file from its image store to another one, to the same path there."""

    answer: ClassVar[type[Answer]] = CopyImageAnswer
    image: ImageSpec
    store_url: str


class CreateTemplateAnswer(Answer, frozen=True, kw_only=True):
    path: str = ""
    size: int = 0


class CreateTemplateCommand(Command, frozen=True, kw_only=True):
    """Make a template in secondary storage from a snapshot there, or from a disk."""

    answer: ClassVar[type[Answer]] = CreateTemplateAnswer
    template_id: str
    store_url: str
    image: ImageSpec | None = None
    disk: DiskSpec | None = None


class DownloadTemplateAnswer(Answer, frozen=True, kw_only=True):
    path: str = ""
    size: int = 0
    checksum: str | None = None


class DownloadTemplateCommand(Command, frozen=True, kw_only=True):
    """Fetch a template or ISO by URL into secondary storage."""

    answer: ClassVar[type[Answer]] = DownloadTemplateAnswer
    template_id: str
    url: str
    store_url: str
    format: str
    checksum: str | None = None


class VmStatesAnswer(Answer, frozen=True, kw_only=True):
    vms: tuple[VmReport, ...] = ()


class VmStatesCommand(Command, frozen=True, kw_only=True):
    """Report every instance on the host."""

    answer: ClassVar[type[Answer]] = VmStatesAnswer


class VmStatisticsAnswer(Answer, frozen=True, kw_only=True):
    vms: tuple[VmStatistics, ...] = ()


class VmStatisticsCommand(Command, frozen=True, kw_only=True):
    """Measure these instances (all when empty)."""

    answer: ClassVar[type[Answer]] = VmStatisticsAnswer
    vms: tuple[str, ...] = ()


class PoolStatisticsAnswer(Answer, frozen=True, kw_only=True):
    statistics: PoolStatistics | None = None


class PoolStatisticsCommand(Command, frozen=True, kw_only=True):
    answer: ClassVar[type[Answer]] = PoolStatisticsAnswer
    pool_id: str


class VmActivityAnswer(Answer, frozen=True, kw_only=True):
    active: bool = False


class VmActivityCommand(Command, frozen=True, kw_only=True):
    """Tell whether an instance, on whatever host, has one of these disks open to write to it."""

    answer: ClassVar[type[Answer]] = VmActivityAnswer
    disks: tuple[DiskSpec, ...]


class UnmanagedInstancesAnswer(Answer, frozen=True, kw_only=True):
    instances: tuple[UnmanagedInstance, ...] = ()


class UnmanagedInstancesCommand(Command, frozen=True, kw_only=True):
    """Describe the instances on the host, or the one called `name`, but none of `known`."""

    answer: ClassVar[type[Answer]] = UnmanagedInstancesAnswer
    name: str | None = None
    known: tuple[str, ...] = ()


class AdoptAnswer(Answer, frozen=True, kw_only=True):
    pass


class AdoptCommand(Command, frozen=True, kw_only=True):
    """An instance that runs here is the cloud's from now on, and this is what the cloud calls it and its parts."""

    answer: ClassVar[type[Answer]] = AdoptAnswer
    vm: VmSpec

    @property
    def subject(self) -> str | None:
        return self.vm.name


class ConsoleAnswer(Answer, frozen=True, kw_only=True):
    address: ConsoleAddress | None = None


class ConsoleCommand(_VmCommand, frozen=True, kw_only=True):
    """Where the instance's screen is, or (`serial`) its serial console."""

    answer: ClassVar[type[Answer]] = ConsoleAnswer
    serial: bool = False


class SecurityRulesAnswer(Answer, frozen=True, kw_only=True):
    pass


class SecurityRulesCommand(_VmCommand, frozen=True, kw_only=True):
    """These rules are in force for the card of a running instance from now on. Succeeds when it does not run here."""

    answer: ClassVar[type[Answer]] = SecurityRulesAnswer
    nic_id: str
    rules: tuple[SecurityRule, ...] | None


class SystemVmAnswer(Answer, frozen=True, kw_only=True):
    reply: AnyReply | None = None


class SystemVmCommand(Command, frozen=True, kw_only=True):
    """Carry a request into the system VM `vm`, which runs on the host, and its reply back.

    `error`: it is not here, or does not answer. What it could not do stands in the reply's.
    """

    answer: ClassVar[type[Answer]] = SystemVmAnswer
    vm: str
    request: AnyRequest


class RenewCertificateAnswer(Answer, frozen=True, kw_only=True):
    serial: str = ""
    """In hexadecimal, of the certificate that the agent has now."""


class RenewCertificateCommand(Command, frozen=True, kw_only=True):
    """Have the manager give you a new certificate. Connections that there are stay with the one that they began with."""

    answer: ClassVar[type[Answer]] = RenewCertificateAnswer


def _leaves(kind: type) -> list[type]:
    found: list[type] = []
    subclasses: list[type] = kind.__subclasses__()
    for sub in subclasses:
        if not sub.__name__.startswith("_"):
            found.append(sub)
        found.extend(_leaves(sub))
    return found


COMMANDS: dict[str, type[Command]] = {t.__name__: t for t in _leaves(Command)}
ANSWERS: dict[str, type[Answer]] = {"Answer": Answer, **{t.__name__: t for t in _leaves(Answer)}}


def answer_type(command: Command | type[Command]) -> type[Answer]:
    """The kind of Answer that `command` gets."""
    return command.answer
