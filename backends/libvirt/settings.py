"""What an operator tells the agent of one host."""

from __future__ import annotations

from pathlib import Path

import msgspec


class HostSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a host that cannot be found out on it. Sizes in MiB, speeds in MHz per core, times in seconds."""

    name: str
    """What the cloud calls the host."""
    guid: str
    data: Path
    """The agent's own folder: specs of instances, pools, leases, logs. It outlives the agent's process."""
    private_ip: str
    """The management address: other hosts reach this one there, to migrate to it."""
    uri: str = "qemu:///system"
    emulate: bool = False
    """Use QEMU's emulation even where KVM works."""
    guest_device: str = "cloudbr0"
    """The bridge or interface that carries guest networks: VLANs are made on it, VXLANs go through it."""
    public_device: str = ""
    """The bridge or interface that carries system VMs' public traffic; empty: `guest_device`."""
    management_device: str = ""
    """The bridge by which system VMs reach hosts and storage; empty: `guest_device`."""
    vnc_listen: str = "0.0.0.0"
    migration_uri: str = "qemu+tls://{address}/system"
    """How this host's libvirt reaches that of another; {address} is the other's private_ip."""
    stop_within: float = 60.0
    """How long a guest may take to shut down by ACPI before its plug is pulled."""
    wait_for_guest: float = 0.0
    """How long a start waits for the guest to take its address by DHCP before it is answered; 0: not at all."""
    system_vm_within: float = 180.0
    """How long a system VM may take from its start until it answers; emulated ones on a loaded machine are slow."""
    libvirt_timeout: float = 30.0
    """After how long a libvirt call is given up that should be quick."""
    cpus: int | None = None
    """Where given, `cpus`, `cpu_mhz` and `memory_mib` stand for what the machine has."""
    cpu_mhz: int | None = None
    memory_mib: int | None = None
    reserved_memory_mib: int = 0
    """Kept for the host itself, and taken from what it offers."""
    local_storage: Path = Path("/var/lib/libvirt/images")
