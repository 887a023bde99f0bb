"""CloudStack's kinds of usage that are told here, by their numbers."""

from __future__ import annotations

from typing import NamedTuple

RUNNING_VM, ALLOCATED_VM, IP_ADDRESS, BYTES_SENT, BYTES_RECEIVED, VOLUME, TEMPLATE, ISO, SNAPSHOT = range(
    1, 10
)
SECURITY_GROUP, LOAD_BALANCER, PORT_FORWARDING, NETWORK_OFFERING, VPN_USER = range(10, 15)
DISK_READS, DISK_WRITES, DISK_BYTES_READ, DISK_BYTES_WRITTEN = range(21, 25)
VM_SNAPSHOT, VOLUME_SECONDARY, NETWORK, VPC = 25, 26, 30, 31


class UsageType(NamedTuple):
    """A kind of usage: its name and what it tells. `unit` is what its amounts are, hours by default."""

    name: str
    description: str
    unit: str = "Hrs"


USAGE_TYPES: dict[int, UsageType] = {
    RUNNING_VM: UsageType("RUNNING_VM", "Running Vm Usage"),
    ALLOCATED_VM: UsageType("ALLOCATED_VM", "Allocated Vm Usage"),
    IP_ADDRESS: UsageType("IP_ADDRESS", "IP Address Usage"),
    BYTES_SENT: UsageType("NETWORK_BYTES_SENT", "Network Usage (Bytes Sent)", "bytes sent"),
    BYTES_RECEIVED: UsageType("NETWORK_BYTES_RECEIVED", "Network Usage (Bytes Received)", "bytes received"),
    VOLUME: UsageType("VOLUME", "Volume Usage"),
    TEMPLATE: UsageType("TEMPLATE", "Template Usage"),
    ISO: UsageType("ISO", "ISO Usage"),
    SNAPSHOT: UsageType("SNAPSHOT", "Snapshot Usage"),
    SECURITY_GROUP: UsageType("SECURITY_GROUP", "Security Group Usage"),
    LOAD_BALANCER: UsageType("LOAD_BALANCER_POLICY", "Load Balancer Usage"),
    PORT_FORWARDING: UsageType("PORT_FORWARDING_RULE", "Port Forwarding Usage"),
    NETWORK_OFFERING: UsageType("NETWORK_OFFERING", "Network Offering Usage"),
    VPN_USER: UsageType("VPN_USERS", "VPN users usage"),
    DISK_READS: UsageType("VM_DISK_IO_READ", "VM Disk usage(I/O Read)", "operations"),
    DISK_WRITES: UsageType("VM_DISK_IO_WRITE", "VM Disk usage(I/O Write)", "operations"),
    DISK_BYTES_READ: UsageType("VM_DISK_BYTES_READ", "VM Disk usage(Bytes Read)", "bytes read"),
    DISK_BYTES_WRITTEN: UsageType("VM_DISK_BYTES_WRITE", "VM Disk usage(Bytes Write)", "bytes written"),
    VM_SNAPSHOT: UsageType("VM_SNAPSHOT", "VM Snapshot storage usage"),
    VOLUME_SECONDARY: UsageType("VOLUME_SECONDARY", "Volume on secondary storage usage"),
    NETWORK: UsageType("NETWORK", "Network usage"),
    VPC: UsageType("VPC", "VPC usage"),
}
