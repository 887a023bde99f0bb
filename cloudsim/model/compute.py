"""Instances and what they are deployed from and with."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from cloudsim.store import Keys, Row

VmState = Literal[
    "Starting",
    "Running",
    "Stopping",
    "Stopped",
    "Shutdown",
    "Destroyed",
    "Expunging",
    "Migrating",
    "Error",
    "Unknown",
]
GONE: frozenset[VmState] = frozenset({"Destroyed", "Expunging", "Error"})
"""States of instances that count for nothing and use nothing any more."""


class ServiceOffering(Row, frozen=True, kw_only=True):
    """The size of an instance. A customized one leaves cpus, mhz or memory to the deploy call (None)."""

    keys: ClassVar[Keys] = Keys(indexes=("name",))

    name: str
    display_text: str
    cpus: int | None
    cpu_mhz: int | None
    memory_mib: int | None
    gpus: int = 0
    gpu_milli: int = 1000
    gpu_models: tuple[str, ...] = ()
    storage_type: Literal["shared", "local"] = "shared"
    root_disk_size: int | None = None
    host_tags: tuple[str, ...] = ()
    storage_tags: tuple[str, ...] = ()
    deployment_planner: str | None = None
    offer_ha: bool = False
    limit_cpu_use: bool = False
    volatile: bool = False
    dynamic_scaling: bool = True
    network_rate: int | None = None
    is_system: bool = False
    system_vm_type: str | None = None
    default_use: bool = False
    domain_ids: tuple[str, ...] = ()
    zone_ids: tuple[str, ...] = ()
    state: Literal["Active", "Inactive"] = "Active"
    sort_key: int = 0
    created: float = 0.0
    details: dict[str, str] = {}


class VirtualMachine(Row, frozen=True, kw_only=True):
    """An instance. `host_id` is where it runs, or where capacity is reserved for it while it starts.

    It reserves `cpus` x `cpu_mhz`, `memory_mib`, and `gpu_milli` thousandths of each of `gpus` GPUs, which
    while it has a host are that host's `gpu_devices`. `iso_id` is the ISO in its drive. `password` is the one that
    its guest is to set at the next start, and is forgotten then. `expected_end` (Unix ms) is when its owner said
    that it would end, which placement may use. `user_data_values` are those of the variables in its user data.
    """

    keys: ClassVar[Keys] = Keys(
        indexes=(
            "account_id",
            "zone_id",
            "host_id",
            "last_host_id",
            "state",
            "name",
            "template_id",
            "service_offering_id",
            "group_id",
            "iso_id",
            "type",
            "backup_offering_id",
        ),
        unique=("instance_name",),
    )

    name: str
    display_name: str
    instance_name: str
    account_id: str
    domain_id: str
    zone_id: str
    template_id: str
    service_offering_id: str
    cpus: int
    cpu_mhz: int
    memory_mib: int
    gpus: int = 0
    gpu_milli: int = 1000
    gpu_models: tuple[str, ...] = ()
    gpu_devices: tuple[int, ...] = ()
    host_id: str | None = None
    last_host_id: str | None = None
    migrating_to: str | None = None
    pod_id: str | None = None
    state: VmState = "Stopped"
    power_state: Literal["PowerUnknown", "PowerOn", "PowerOff"] = "PowerUnknown"
    user_id: str | None = None
    hypervisor: str = ""
    guest_os_id: str | None = None
    group_id: str | None = None
    key_pairs: tuple[str, ...] = ()
    user_data: str | None = None
    user_data_id: str | None = None
    user_data_values: dict[str, str] = {}
    affinity_group_ids: tuple[str, ...] = ()
    iso_id: str | None = None
    password: str | None = None
    type: Literal["User", "ConsoleProxy", "SecondaryStorageVm", "DomainRouter", "InternalLoadBalancerVm"] = "User"
    security_group_ids: tuple[str, ...] = ()
    ha_enabled: bool = False
    display: bool = True
    delete_protection: bool = False
    dynamically_scalable: bool = False
    expected_end: int | None = None
    backup_offering_id: str | None = None
    created: float = 0.0
    updated: float = 0.0
    details: dict[str, str] = {}


class SshKeyPair(Row, frozen=True, kw_only=True):
    """A public key that an account can have put into its instances."""

    keys: ClassVar[Keys] = Keys(indexes=("account_id",), unique=(("account_id", "name"),))

    name: str
    account_id: str
    domain_id: str
    public_key: str
    fingerprint: str
    created: float = 0.0


class UserData(Row, frozen=True, kw_only=True):
    """Registered user data, base64 as it came."""

    keys: ClassVar[Keys] = Keys(indexes=("account_id",), unique=(("account_id", "name"),))

    name: str
    account_id: str
    domain_id: str
    user_data: str
    params: str | None = None
    created: float = 0.0


class AffinityGroup(Row, frozen=True, kw_only=True):
    """Instances that must share a host, or must not, or that run on what is dedicated to them.

    With `of_domain` any account in the domain or below it may use it.
    """

    keys: ClassVar[Keys] = Keys(indexes=("account_id",), unique=(("account_id", "name"),))

    name: str
    type: str
    account_id: str
    domain_id: str
    of_domain: bool = False
    description: str = ""
    created: float = 0.0


class InstanceGroup(Row, frozen=True, kw_only=True):
    """A name under which an account gathers instances."""

    keys: ClassVar[Keys] = Keys(indexes=("account_id",), unique=(("account_id", "name"),))

    name: str
    account_id: str
    domain_id: str
    created: float = 0.0


ScheduledAction = Literal["START", "STOP", "REBOOT", "FORCE_STOP", "FORCE_REBOOT"]


class VmSchedule(Row, frozen=True, kw_only=True):
    """What is done to an instance, and when: a cron expression in a time zone. `next_run`: None when never again."""

    keys: ClassVar[Keys] = Keys(indexes=("vm_id",))

    vm_id: str
    description: str
    action: ScheduledAction
    schedule: str
    timezone: str
    start: float = 0.0
    end: float | None = None
    enabled: bool = True
    next_run: float | None = None
    created: float = 0.0


class DrsMigration(msgspec.Struct, frozen=True, kw_only=True):
    """A move in a plan, and the job that does it once the plan is carried out."""

    vm_id: str
    source_id: str
    destination_id: str
    job_id: str | None = None


class DrsPlan(Row, frozen=True, kw_only=True):
    """Moves that make a cluster's hosts balanced or condensed, in their order."""

    keys: ClassVar[Keys] = Keys(indexes=("cluster_id",))

    cluster_id: str
    type: Literal["MANUAL", "AUTOMATED"]
    status: Literal["UNDER_REVIEW", "READY", "IN_PROGRESS", "COMPLETED"]
    migrations: tuple[DrsMigration, ...] = ()
    event_id: str | None = None
    created: float = 0.0


class VmSnapshot(Row, frozen=True, kw_only=True):
    """The state of an instance's disks, and for DiskAndMemory its memory, at one time."""

    keys: ClassVar[Keys] = Keys(indexes=("vm_id", "account_id"), unique=(("vm_id", "name"),))

    name: str
    display_name: str
    vm_id: str
    account_id: str
    domain_id: str
    zone_id: str
    type: Literal["Disk", "DiskAndMemory"]
    state: Literal["Allocated", "Creating", "Ready", "Expunging", "Reverting", "Removed", "Error"] = (
        "Allocated"
    )
    description: str | None = None
    parent_id: str | None = None
    is_current: bool = False
    created: float = 0.0


class UsageSample(msgspec.Struct, frozen=True, array_like=True):
    """What an instance used: CPU (of its vCPUs) and memory `at` a time, the rest since the sample before."""

    at: float
    cpu_percent: float
    memory_mib: int
    disk_read_bytes: int
    disk_write_bytes: int
    disk_read_ios: int
    disk_write_ios: int
    network_read_bytes: int
    network_write_bytes: int


class VmUsage(Row, frozen=True, kw_only=True):
    """Some samples of what an instance used, one after the other, from `begun` on."""

    keys: ClassVar[Keys] = Keys(indexes=("vm_id",))

    vm_id: str
    begun: float
    samples: tuple[UsageSample, ...]
