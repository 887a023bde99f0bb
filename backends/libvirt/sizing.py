"""Another size for a running domain."""

from __future__ import annotations

import contextlib
import re
from typing import Any
from xml.etree import ElementTree as ET

from backends.libvirt.domain_xml import cpu_shares
from cloudsim.hypervisor import HypervisorError


def resize(domain: Any, cpus: int, cpu_mhz: int, memory_mib: int, quota: int | None = None) -> None:
    """vCPUs are plugged, memory goes through the balloon. Blocks; raises libvirtError, or HypervisorError
    beyond what the domain was started for. What was done is undone if a later part fails. `quota`: what each vCPU may
    have of a period, for a domain with a limit.

    A guest may refuse to give up a vCPU, and takes no notice of the balloon without its driver.
    """
    import libvirt

    live = libvirt.VIR_DOMAIN_AFFECT_LIVE
    name = domain.name()
    _state, most_kib, kib_before, cpus_before, _time = domain.info()
    most_cpus = domain.maxVcpus()
    if cpus < 1 or cpus > most_cpus:
        raise HypervisorError(
            f"instance {name} was started for 1 to {most_cpus} CPUs, and cannot have {cpus} now"
        )
    if memory_mib < 1 or memory_mib * 1024 > most_kib:
        raise HypervisorError(
            f"instance {name} was started for up to {most_kib // 1024} MiB, "
            f"and cannot have {memory_mib} MiB now"
        )
    shares = cpu_shares(cpus, cpu_mhz)
    with contextlib.ExitStack() as undo:
        if cpus > cpus_before:
            _check_room_for_code(domain, cpus, most_cpus)
        if cpus != cpus_before:
            undo.callback(_quietly, domain.setVcpusFlags, cpus_before, live)
            domain.setVcpusFlags(cpus, live)
        if memory_mib * 1024 != kib_before:
            undo.callback(_quietly, domain.setMemoryFlags, kib_before, live)
            domain.setMemoryFlags(memory_mib * 1024, live)
        tuned = ({"cpu_shares": shares} if shares else {}) | ({} if quota is None else {"vcpu_quota": quota})
        if tuned:
            domain.setSchedulerParametersFlags(tuned, live)
        undo.pop_all()


def _check_room_for_code(domain: Any, cpus: int, most_cpus: int) -> None:
    """Raises HypervisorError where the plugging would end an emulated guest: QEMU divides the memory for
    translated code into regions, gives each vCPU another one when its own is full, and aborts if none is left
    for a new vCPU.
    """
    import libvirt_qemu

    if ET.fromstring(domain.XMLDesc(0)).get("type") != "qemu":
        return
    told = libvirt_qemu.qemuMonitorCommand(
        domain, "info jit", libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP
    )
    found = re.search(r"gen code size\s+(\d+)/(\d+)", told)
    if found is not None and not has_room(int(found[1]), int(found[2]), cpus, most_cpus):
        raise HypervisorError(
            f"instance {domain.name()} cannot have {cpus} CPUs just now: "
            "the memory in which QEMU emulates them is full"
        )


def has_room(used: int, size: int, cpus: int, most_cpus: int) -> bool:
    """Whether each of the vCPUs has a region. `used` of `size` bytes are full; QEMU's tcg_n_regions says how
    they are divided: at most 8 regions for each vCPU that there may be, of at least 2 MiB."""
    regions = min(max(size // (2 << 20), most_cpus), 8 * most_cpus)
    return used * regions // size + cpus < regions


def _quietly(function: Any, *arguments: int) -> None:
    """The first error is the one to tell."""
    import libvirt

    with contextlib.suppress(libvirt.libvirtError):
        function(*arguments)
