"""A host's instance methods on a real libvirt, with guest networks that only note what is asked of them."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path
from typing import Any

from backends.libvirt.facts import Facts
from backends.libvirt.instances import Instances
from backends.libvirt.settings import HostSettings
from backends.libvirt.statistics import Statistics
from backends.libvirt.unmanaged import Unmanaged
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import DiskSpec, ImageSpec, NicSpec, PoolSpec, VmSpec
from tests.backends.libvirt.libvirtd_alone import LonelyHost, guest_disk

POOL = "pool-1"


class NotedNetworks:
    """Every card is plugged into guests0. `failing` names the method that raises."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.taps: dict[str, str] = {}
        self.failing: str | None = None

    def _note(self, method: str, name: str) -> None:
        self.calls.append((method, name))
        if self.failing == method:
            raise HypervisorError(f"network of {name}: {method} failed")

    async def prepare(self, vm: VmSpec) -> dict[str, str]:
        self._note("prepare", vm.name)
        return {nic.id: "guests0" for nic in vm.nics}

    async def guard(self, vm: VmSpec, taps: dict[str, str]) -> None:
        self.taps = taps
        self._note("guard", vm.name)

    async def forget(self, vm: VmSpec) -> None:
        self._note("forget", vm.name)

    async def awaited(self, nic: NicSpec, since: float, limit: float) -> bool:
        self._note("awaited", nic.id)
        return True

    def vlan_of_bridge(self, bridge: str) -> str | None:
        return "101" if bridge == "guests0" else None


class Host(Facts, Instances, Statistics, Unmanaged):
    """The parts under test. ISOs are files beside the disks."""

    noted: NotedNetworks

    async def image_file(self, image: ImageSpec) -> Path:
        path = self.pools.file(POOL, image.path)
        if not path.exists():
            raise HypervisorError(f"image {image.path} is not in its store")
        return path


async def opened(lonely: LonelyHost, folder: Path, **changes: Any) -> Host:
    """A host that emulates, with its pool in `folder`/pool."""
    settings: dict[str, Any] = {
        "name": "host-1",
        "guid": "guid-1",
        "data": folder / "agent",
        "private_ip": "192.0.2.11",
        "uri": lonely.uri,
        "emulate": True,
        "libvirt_timeout": 60.0,
        "local_storage": folder,
    }
    host = Host(HostSettings(**settings | changes))
    host.noted = NotedNetworks()
    host.networks = host.noted  # type: ignore[assignment]
    await host.connection.open()
    await host.choose_acceleration()
    await host.pools.mount(PoolSpec(POOL, "Filesystem", path=str(folder / "pool")))
    return host


def instance(host: Host, name: str, deaf: bool = False, **changes: Any) -> VmSpec:
    """A spec, with its root disk on the pool."""
    disk = DiskSpec(str(uuid.uuid4()), POOL, f"{name}-root", 1 << 20)
    guest_disk(host.pools.disk(disk), deaf)
    plain: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "cpus": 1,
        "cpu_mhz": 0,
        "memory_mib": 32,
        "disks": (disk,),
    }
    return VmSpec(name=name, **plain | changes)


def said(host: Host, vm: VmSpec) -> str:
    """What the guest wrote to its serial console."""
    try:
        return (host.settings.data / "consoles" / f"{vm.name}.log").read_text(errors="replace")
    except FileNotFoundError:
        return ""


def empty_disk(path: Path, size: int = 1 << 20) -> Path:
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, str(size)], check=True)
    return path
