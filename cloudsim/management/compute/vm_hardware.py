"""What an instance's details and offering say of the machine that its guest sees: firmware, and how far it can grow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import ServiceOffering, VirtualMachine
from cloudsim.protocol.details import IO_POLICY, IO_THREADS, KEYBOARD, KEYBOARDS, NIC_PACKED, NIC_QUEUES

BootType = Literal["BIOS", "UEFI"]
BootMode = Literal["LEGACY", "SECURE"]

UEFI = "UEFI"
"""The detail of an instance with UEFI firmware; its value is the boot mode."""
IO_POLICIES = ("native", "threads", "io_uring", "storage_specific")
MOST_QUEUES = 256
"""More queues than that no card on a host has."""

HEADROOM = 2
"""A running instance can be scaled to this many times its size, where its offering does not say how far."""


class Firmware(NamedTuple):
    """What an instance boots with."""

    type: BootType = "BIOS"
    secure: bool = False


def firmware(details: Mapping[str, str]) -> Firmware:
    """The firmware that an instance's details ask for."""
    mode = details.get(UEFI)
    return Firmware() if mode is None else Firmware("UEFI", mode.strip().upper() == "SECURE")


def boot_details(boot_type: BootType | None, boot_mode: BootMode | None) -> dict[str, str]:
    """The details of an instance that is to boot so. InvalidParameterValue for what does not go together."""
    if boot_type == "UEFI":
        if boot_mode is None:
            raise InvalidParameterValue("bootmode must be specified for the VM with boot type: UEFI")
        return {UEFI: boot_mode}
    if boot_mode == "SECURE":
        raise InvalidParameterValue("bootmode SECURE needs boottype UEFI")
    return {}


def check_hardware(details: Mapping[str, str]) -> None:
    """Raise InvalidParameterValue for details that ask for hardware that no host gives."""
    policy = details.get(IO_POLICY)
    if policy is not None and policy not in IO_POLICIES:
        raise InvalidParameterValue(f"{IO_POLICY} is one of {', '.join(IO_POLICIES)}, not {policy!r}")
    keyboard = details.get(KEYBOARD)
    if keyboard is not None and keyboard not in KEYBOARDS:
        raise InvalidParameterValue(f"{KEYBOARD} is one of {', '.join(KEYBOARDS)}, not {keyboard[:40]!r}")
    for name in (IO_THREADS, NIC_PACKED):
        if details.get(name, "true").lower() not in ("true", "false"):
            raise InvalidParameterValue(f"{name} is true or false, not {details[name]!r}")
    queues = details.get(NIC_QUEUES)
    if queues is not None and queues != "-1" and not (queues.isdigit() and 1 <= int(queues) <= MOST_QUEUES):
        raise InvalidParameterValue(
            f"{NIC_QUEUES} (nicmultiqueuenumber) is -1, or from 1 to {MOST_QUEUES}, not {queues!r}"
        )


class Largest(NamedTuple):
    """What a running instance can be scaled to; zeros for one that cannot be."""

    cpus: int = 0
    memory_mib: int = 0


def largest(vm: VirtualMachine, offering: ServiceOffering | None) -> Largest:
    """The bounds of its offering where that leaves the size to the caller, else HEADROOM times its size."""
    if not vm.dynamically_scalable:
        return Largest()
    bounds = offering.details if offering is not None else {}
    cpus, memory = bounds.get("maxcpunumber"), bounds.get("maxmemory")
    return Largest(
        max(vm.cpus, int(cpus) if cpus else HEADROOM * vm.cpus),
        max(vm.memory_mib, int(memory) if memory else HEADROOM * vm.memory_mib),
    )
