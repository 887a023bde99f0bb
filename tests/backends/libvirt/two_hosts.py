"""Two hosts on this machine, guests with a shell on their serial console, and guest networks that only note
what is asked.

    lab = pytest.fixture(scope="module")(two_hosts)     # two hosts that are on; skips where something lacks

    async def story() -> None:
        async with on(lab, 1) as host:                  # the parts of a libvirt hypervisor, on its libvirt
            vm = instance(host, "i-2-1-VM")
            await host.start_vm(vm)
            async with shell(host, vm.name) as guest:
                assert await guest.run("id -u") == "0"

The hosts' agents run on the machine itself, with folders of their own below the lab's. Disks are on `SHARED`,
a pool that both have, or on `LOCAL`: host 1 has another folder there than host 2, whose folder it is that the
agents see.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from backends.images.errors import ImageError
from backends.images.mini import MiniOptions, build
from backends.lab.lab import Lab
from backends.lab.requirements import missing
from backends.libvirt import qemu_img
from backends.libvirt.devices import Devices
from backends.libvirt.facts import Facts
from backends.libvirt.instances import Instances
from backends.libvirt.migration import Migration
from backends.libvirt.settings import HostSettings
from backends.libvirt.vm_snapshots import VmSnapshots
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import DiskSpec, ImageSpec, NicSpec, PoolSpec, VmSpec

SHARED, LOCAL = "shared", "local"
BRIDGE = "cloudbr1"
MIB = 1 << 20


class NotedNetworks:
    """Every card is plugged into one bridge. `failing` names the method that raises."""

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
        return {nic.id: BRIDGE for nic in vm.nics}

    async def guard(self, vm: VmSpec, taps: dict[str, str]) -> None:
        self._note("guard", vm.name)
        self.taps = taps

    async def forget(self, vm: VmSpec) -> None:
        self._note("forget", vm.name)

    async def plug(self, vm: VmSpec, nic: NicSpec) -> str:
        assert nic in vm.nics
        self._note("plug", nic.id)
        return BRIDGE

    async def unplug(self, vm: VmSpec, nic: NicSpec) -> None:
        assert nic not in vm.nics
        self._note("unplug", nic.id)


class Host(Facts, Instances, Devices, Migration, VmSnapshots):
    """The parts under test. ISOs are files on the shared pool."""

    noted: NotedNetworks

    async def image_file(self, image: ImageSpec) -> Path:
        path = self.pools.file(SHARED, image.path)
        if not path.exists():
            raise HypervisorError(f"image {image.path} is not in its store")
        return path


class TwoHosts:
    def __init__(self, lab: Lab, image: Path) -> None:
        self.lab = lab
        self.image = image
        self.shared = lab.primary
        self.local = lab.folder / "local"
        self.local_of_1 = lab.folder / "local-of-1"
        for folder in (self.local, self.local_of_1):
            folder.mkdir()
        lab.host(1).exec(["mount", "--bind", str(self.local_of_1), str(self.local)])

    def data(self, number: int) -> Path:
        return self.lab.folder / f"agent-{number}"


def two_hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoHosts]:
    """For a fixture. The lab is taken away whatever happens."""
    pytest.importorskip("libvirt")
    lacks = missing()
    if lacks:
        pytest.skip("; ".join(lacks))
    try:
        image = build(None, _cache(), MiniOptions(autologin=True))
    except ImageError as error:
        pytest.skip(f"no guest image: {error}")
    lab = Lab(tmp_path_factory.mktemp("lab"), f"pyt{os.getpid() % 100000}")
    try:
        lab.up(hosts=2)
        yield TwoHosts(lab, image)
    finally:
        lab.down()


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "cloudsim" / "images"


@asynccontextmanager
async def on(two: TwoHosts, number: int, **changes: Any) -> AsyncIterator[Host]:
    """The agent's side of a host, for as long as the block takes. What runs on it goes on running."""
    lab_host = two.lab.host(number)
    settings: dict[str, Any] = {
        "name": lab_host.name,
        "guid": f"guid-{number}",
        "data": two.data(number),
        "private_ip": lab_host.address,
        "uri": lab_host.uri,
        "emulate": True,
        "libvirt_timeout": 90.0,
        "migration_uri": "qemu+tcp://{address}/system",
    }
    host = Host(HostSettings(**settings | changes))
    host.noted = NotedNetworks()
    host.networks = host.noted  # type: ignore[assignment]
    await host.connection.open()
    try:
        await host.choose_acceleration()
        await host.pools.mount(PoolSpec(SHARED, "SharedMountPoint", path=str(two.shared)))
        await host.pools.mount(PoolSpec(LOCAL, "Filesystem", path=str(two.local)))
        yield host
    finally:
        await host.end_watches()
        await host.connection.close()


async def instance(two: TwoHosts, host: Host, name: str, **changes: Any) -> VmSpec:
    """A spec, with its root disk on the shared pool."""
    disk = DiskSpec(str(uuid.uuid4()), SHARED, f"{name}-root", 64 * MIB)
    await qemu_img.clone(host.pools.disk(disk), two.image)
    plain: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "cpus": 1,
        "cpu_mhz": 0,
        "memory_mib": 128,
        "disks": (disk,),
    }
    return VmSpec(name=name, **plain | changes)


async def volume(host: Host, name: str, device: int, pool: str = SHARED, size: int = 16 * MIB) -> DiskSpec:
    """An empty data disk."""
    disk = DiskSpec(str(uuid.uuid4()), pool, name, size, "DATADISK", device)
    await qemu_img.create(host.pools.disk(disk), size)
    return disk


class Shell:
    """Root's shell on an instance's serial console."""

    def __init__(self) -> None:
        self.heard = b""
        self._stream: Any = None
        self._said = 0

    async def open(self, host: Host, name: str) -> None:
        def connect(domain: Any) -> Any:
            import libvirt

            stream = domain.connect().newStream(0)
            domain.openConsole(None, stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
            return stream

        self._stream = await host.connection.domain_call(name, f"console of {name}", connect)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(Exception):
            while heard := self._stream.recv(4096):
                self.heard += heard

    async def ready(self, limit: float = 240.0) -> None:
        """The guest is up, and its shell answers."""
        end = time.monotonic() + limit
        while True:
            try:
                await self.run("true", 5.0)
                return
            except AssertionError:
                if time.monotonic() > end:
                    raise

    async def run(self, command: str, limit: float = 60.0) -> str:
        """What the command writes. Fails if it fails, or does not end in time."""
        self._said += 1
        number = self._said
        self.heard = b""
        # What is typed may come back as an echo, so the marks are not typed as they are written.
        self._stream.send(f"echo be''gun{number}; {{ {command} ; }} 2>&1; echo do''ne{number} $?\n".encode())
        end = time.monotonic() + limit
        pattern = re.compile(rb"begun%d\r?\n(.*)done%d (\d+)\r?\n" % (number, number), re.DOTALL)
        while not (found := pattern.search(self.heard)):
            assert time.monotonic() < end, (
                f"the guest has not done {command!r} within {limit} s: {self.heard!r}"
            )
            await asyncio.sleep(0.05)
        lines = found[1].decode(errors="replace").replace("\r", "").splitlines()
        # The system itself writes to the console as well, an empty line first.
        output = "\n".join(line for line in lines if line and not line.startswith("mini "))
        assert found[2] == b"0", f"{command!r} failed in the guest: {output}"
        return output

    def close(self) -> None:
        with suppress(Exception):
            self._stream.abort()


@asynccontextmanager
async def shell(host: Host, name: str) -> AsyncIterator[Shell]:
    found = Shell()
    await found.open(host, name)
    try:
        yield found
    finally:
        found.close()


async def until(condition: Callable[[], bool], what: str, limit: float = 90.0) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"not within {limit} s: {what}"
        await asyncio.sleep(0.05)
