"""What a libvirt host is, and whether its guests run under KVM."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path
from typing import Any

from backends.libvirt.accel import Acceleration, probe
from backends.libvirt.base import HostBase
from cloudsim.protocol.specs import HostFacts

log = logging.getLogger(__name__)

_CPUFREQ = Path("/sys/devices/system/cpu/cpu0/cpufreq")
_CPU_FREQUENCIES = (_CPUFREQ / "base_frequency", _CPUFREQ / "cpuinfo_max_freq")
"""kHz: what every core holds at one time; else the most of one. libvirt knows only what a core runs at just
now."""

SOME_MHZ = 1000
"""For machines that tell their processor's speed nowhere."""


class Facts(HostBase):
    """`facts` and `choose_acceleration` of `LibvirtHypervisor`."""

    acceleration: Acceleration = Acceleration("qemu", "KVM has not been tried yet")

    async def choose_acceleration(self) -> Acceleration:
        """Find out, once, what guests run on: KVM where it works and the settings do not forbid it."""
        if self.settings.emulate:
            self.acceleration = Acceleration("qemu", "the settings say so")
        else:
            self.acceleration = await asyncio.to_thread(probe)
            if self.acceleration.type != "kvm":
                log.warning(
                    "guests on %s are emulated, and slow: %s", self.settings.name, self.acceleration.reason
                )
        return self.acceleration

    async def facts(self) -> HostFacts:
        """What the settings say, and for the rest what libvirt finds. Raises HypervisorError."""
        return await self.connection.call(f"describing host {self.settings.name}", self._facts)

    def _facts(self, connection: Any) -> HostFacts:
        settings = self.settings
        arch, memory_mib, cpus, mhz, nodes, sockets, _cores, _threads = connection.getInfo()
        memory = (
            settings.memory_mib
            if settings.memory_mib is not None
            else all_memory_mib(connection) or memory_mib
        )
        versions = connection.getVersion(), connection.getLibVersion()
        return HostFacts(
            hypervisor="KVM",
            cpus=settings.cpus if settings.cpus is not None else cpus,
            cpu_mhz=settings.cpu_mhz if settings.cpu_mhz is not None else measured_mhz() or mhz or SOME_MHZ,
            memory_mib=max(0, memory - settings.reserved_memory_mib),
            local_storage=filesystem_size(settings.local_storage),
            sockets=nodes * sockets,
            arch=arch,
            hypervisor_version="QEMU {} / libvirt {}".format(*map(version, versions)),
            private_ip=settings.private_ip,
        )


def all_memory_mib(connection: Any) -> int | None:
    """What the host's kernel has for use. `getInfo` adds up NUMA nodes, which leaves out memory that was
    added later."""
    import libvirt

    try:
        return int(connection.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS)["total"]) // 1024
    except (libvirt.libvirtError, KeyError):
        return None


def version(number: int) -> str:
    """libvirt's way to write 7.2.22 is 7002022."""
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"


def measured_mhz(sources: tuple[Path, ...] = _CPU_FREQUENCIES) -> int | None:
    """The processor's speed by the first of the kernel's files that has it."""
    for source in sources:
        try:
            return int(source.read_text()) // 1000
        except (OSError, ValueError):
            continue
    return None


def filesystem_size(folder: Path) -> int:
    """Bytes of the filesystem that `folder` is on, or would be on once it is made; 0 if it cannot be told."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).total
        except FileNotFoundError:
            continue
        except OSError:
            break
    return 0
