"""The nouns inside commands: what an agent needs to know of an instance, a disk, a pool, a host.

Sizes are bytes unless the name says MiB, speeds MHz per core, times Unix seconds.
"""

from __future__ import annotations

from typing import Literal

import msgspec

PowerState = Literal["PowerOn", "PowerOff", "PowerUnknown"]


class NicSpec(msgspec.Struct, frozen=True):
    """A network card: `vlan` names the broadcast domain (None: the host's plain bridge)."""

    id: str
    mac: str
    network_id: str
    device: int = 0
    ip: str | None = None
    netmask: str | None = None
    gateway: str | None = None
    vlan: str | None = None
    rate_mbit: int | None = None


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


class DiskSpec(msgspec.Struct, frozen=True):
    """A volume on a pool, and the slot it takes in an instance."""

    volume_id: str
    pool_id: str
    path: str
    size: int
    type: Literal["ROOT", "DATADISK"] = "ROOT"
    device: int = 0


class VmSpec(msgspec.Struct, frozen=True):
    """All that a hypervisor needs to run an instance. `name` (i-2-7-VM) is unique in the cloud."""

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


class PoolStatistics(msgspec.Struct, frozen=True):
    """A pool's size and what is used of it, bytes."""

    capacity: int
    used: int


class ConsoleAddress(msgspec.Struct, frozen=True):
    """Where a console proxy finds an instance's screen."""

    host: str
    port: int
    password: str = ""
    kind: Literal["vnc", "text"] = "vnc"
