"""The nouns inside commands: what an agent needs to know of an instance, a disk, a pool, a host.

Sizes are bytes unless the name says MiB, speeds MHz per core, times Unix seconds.
"""

from __future__ import annotations

from typing import Literal

import msgspec

PowerState = Literal["PowerOn", "PowerOff", "PowerUnknown"]


class SecurityRule(msgspec.Struct, frozen=True):
    """Traffic that a security group lets through: to the instance (`ingress`) or from it.

    `protocol` is tcp, udp, icmp, all or the number of another. `first` and `last` are ports, or ICMP type and code
    (-1: any).
    """

    ingress: bool
    protocol: str
    cidr: str
    first: int = -1
    last: int = -1


class NicSpec(msgspec.Struct, frozen=True):
    """A network card on a guest network.

    `vlan` is the id of the broadcast domain, of the kind `isolation` says (None: the host's plain guest bridge).
    `services` are those that the host itself gives to the instances on it, as network offerings call them: Dhcp,
    Dns, UserData. `rules` None: no security group, everything passes. `traffic` other than Guest: the card of a system VM
    on the host's bridge for that traffic (with `vlan`, in that VLAN of it); nothing is served to or filtered from it.
    """

    id: str
    mac: str
    network_id: str
    device: int = 0
    ip: str | None = None
    netmask: str | None = None
    gateway: str | None = None
    vlan: str | None = None
    rate_mbit: int | None = None
    isolation: Literal["VLAN", "VXLAN"] = "VLAN"
    default: bool = True
    secondary_ips: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    domain: str = ""
    rules: tuple[SecurityRule, ...] | None = None
    traffic: Literal["Guest", "Public", "Management"] = "Guest"
    routed: bool = False
    """Whether the gateway is a machine outside of the cloud, as on shared networks."""
    ip6: str | None = None
    """Its address in an IPv6 subnet of 64 bits, which the guest makes of its MAC itself or was told to have."""
    gateway6: str | None = None
    dhcp_options: dict[str, str] = {}
    """Further options of its lease, by number."""


class PoolSpec(msgspec.Struct, frozen=True):
    """A primary storage pool as a host mounts it."""

    id: str
    type: str
    host: str = ""
    path: str = ""
    port: int = 0


class ImageSpec(msgspec.Struct, frozen=True):
    """A file in secondary storage: its store's URL and its path there."""

    store_url: str
    path: str
    size: int
    format: str = "qcow2"
    checksum: str | None = None


class BackupFile(msgspec.Struct, frozen=True):
    """Where a disk's copy lies in a backup's store, and the bytes that it takes there."""

    volume_id: str
    path: str
    physical_size: int


class StorageObject(msgspec.Struct, frozen=True):
    """A file or folder on a storage pool or in secondary storage; `name` is its path there, `size` what it takes.

    Of files that were to be described: the size that a guest sees, the file that one is a clone of, whether it is
    encrypted, and which instance has it open on the host that was asked.
    """

    name: str
    directory: bool = False
    size: int = 0
    modified: float | None = None
    format: str = ""
    virtual_size: int | None = None
    backing: str | None = None
    encrypted: bool = False
    user: str | None = None


class DiskLimits(msgspec.Struct, frozen=True):
    """What an instance may read and write of a disk per second, bytes and operations; 0: as much as it likes.

    `total_ios` is of both kinds together, where neither has a limit of its own.
    `*_max` is what a burst may reach, for `*_max_length` seconds (0: one).
    """

    read_bytes: int = 0
    write_bytes: int = 0
    read_ios: int = 0
    write_ios: int = 0
    total_ios: int = 0
    read_bytes_max: int = 0
    read_bytes_max_length: int = 0
    write_bytes_max: int = 0
    write_bytes_max_length: int = 0
    read_ios_max: int = 0
    read_ios_max_length: int = 0
    write_ios_max: int = 0
    write_ios_max_length: int = 0


CacheMode = Literal["none", "writeback", "writethrough", "hypervisor_default"]


class DiskSpec(msgspec.Struct, frozen=True):
    """A volume on a pool, and the slot it takes in an instance. `cache` is how its host caches it."""

    volume_id: str
    pool_id: str
    path: str
    size: int
    type: Literal["ROOT", "DATADISK"] = "ROOT"
    device: int = 0
    limits: DiskLimits | None = None
    cache: CacheMode = "none"


class SystemVmSpec(msgspec.Struct, frozen=True):
    """What makes an instance a system VM: it is told its role when it boots, and asked things afterwards.

    `mode` Namespace (routers only): no machine, but a network namespace on the host that does the same.
    """

    role: Literal["router", "vpcrouter", "ilb", "consoleproxy", "secstorage"]
    mode: Literal["VirtualMachine", "Namespace"] = "VirtualMachine"
    stores: tuple[str, ...] = ()
    """URLs of the image stores that a secondary storage VM is to reach."""


class VmSpec(msgspec.Struct, frozen=True):
    """All that a hypervisor needs to run an instance. `name` (i-2-7-VM) is unique in the cloud.

    `user_data` is base64, `password` the one that the guest is to set for its first user, once. `metadata` are further
    values for the guest by their names in the metadata service (`service-offering`, `availability-zone`, ...).
    `max_cpus` and `max_memory_mib` are what a running one may be scaled to. `limit_cpu`: its vCPUs get no more than
    `cpu_mhz`, even of a host that has nothing else to do.
    """

    name: str
    id: str
    cpus: int
    cpu_mhz: int
    memory_mib: int
    disks: tuple[DiskSpec, ...] = ()
    nics: tuple[NicSpec, ...] = ()
    gpu_devices: tuple[int, ...] = ()
    gpu_milli: int = 1000
    hostname: str = ""
    guest_os: str = ""
    user_data: str | None = None
    public_keys: tuple[str, ...] = ()
    iso: ImageSpec | None = None
    details: dict[str, str] = {}
    password: str | None = None
    metadata: dict[str, str] = {}
    config_drive: bool = False
    max_cpus: int = 0
    max_memory_mib: int = 0
    firmware: Literal["BIOS", "UEFI"] = "BIOS"
    secure_boot: bool = False
    boot_order: tuple[Literal["hd", "cdrom", "network"], ...] = ("hd", "cdrom")
    system: SystemVmSpec | None = None
    limit_cpu: bool = False


class VmReport(msgspec.Struct, frozen=True):
    """An instance as a hypervisor finds it."""

    name: str
    id: str
    state: PowerState


class HostFacts(msgspec.Struct, frozen=True):
    """What a host is. `cpu_mhz` per core; `local_storage` bytes."""

    hypervisor: str
    cpus: int
    cpu_mhz: int
    memory_mib: int
    local_storage: int = 0
    sockets: int = 1
    gpus: int = 0
    gpu_model: str = ""
    arch: str = "x86_64"
    hypervisor_version: str = ""
    private_ip: str = ""


class UnmanagedDisk(msgspec.Struct, frozen=True):
    """A disk of an instance that the cloud does not know; `pool_id` None when it lies on no pool of the cloud's."""

    label: str
    path: str
    size: int
    pool_id: str | None = None
    pool_path: str = ""
    device: int = 0
    bus: str = "virtio"


class UnmanagedNic(msgspec.Struct, frozen=True):
    """A network card of an instance that the cloud does not know."""

    label: str
    mac: str
    bridge: str = ""
    vlan: str | None = None
    model: str = "virtio"


class UnmanagedInstance(msgspec.Struct, frozen=True):
    """An instance on a host that the cloud does not know, as the hypervisor describes it."""

    name: str
    id: str
    state: PowerState
    cpus: int
    memory_mib: int
    cpu_mhz: int = 0
    guest_os: str = ""
    disks: tuple[UnmanagedDisk, ...] = ()
    nics: tuple[UnmanagedNic, ...] = ()


class Place(msgspec.Struct, frozen=True):
    """Where in the cloud a host's operator wants it: names or ids of a zone, a pod and a cluster."""

    zone: str
    pod: str
    cluster: str


class DiskStatistics(msgspec.Struct, frozen=True):
    """What an instance read and wrote of the disk in slot `device` since it started."""

    device: int
    read_bytes: int = 0
    write_bytes: int = 0
    read_ios: int = 0
    write_ios: int = 0


class VmStatistics(msgspec.Struct, frozen=True):
    """Counters since the instance started, but `cpu_percent` (of its vCPUs) and `memory_mib` now."""

    name: str
    cpu_percent: float
    memory_mib: int
    disk_read_bytes: int = 0
    disk_write_bytes: int = 0
    disk_read_ios: int = 0
    disk_write_ios: int = 0
    network_read_bytes: int = 0
    network_write_bytes: int = 0
    disks: tuple[DiskStatistics, ...] = ()
    """What of that was done with each of its volumes."""


class PoolStatistics(msgspec.Struct, frozen=True):
    """A pool's size and what is used of it, bytes."""

    capacity: int
    used: int


class ConsoleAddress(msgspec.Struct, frozen=True):
    """Where a console proxy finds an instance's screen."""

    host: str
    port: int
    password: str = ""
    kind: Literal["vnc", "serial", "text"] = "vnc"
