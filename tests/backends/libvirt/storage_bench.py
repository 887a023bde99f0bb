"""A host's storage without its libvirt: folders for a pool and a store, and a list of what is said to run."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

pytest.importorskip("libvirt")
if shutil.which("qemu-img") is None:
    pytest.skip("qemu-img is not installed", allow_module_level=True)

from backends.libvirt.instance_backups import InstanceBackups
from backends.libvirt.primary import PrimaryStorage
from backends.libvirt.settings import HostSettings
from backends.libvirt.storage_objects import StorageObjects
from cloudsim.protocol.specs import DiskSpec, ImageSpec, PoolSpec

T = TypeVar("T")
MIB = 1 << 20


class Storage(PrimaryStorage, InstanceBackups, StorageObjects):
    """The storage parts of a host."""


class _Domain:
    def __init__(self, name: str, disks: dict[str, Path]) -> None:
        self._name = name
        self._disks = disks

    def name(self) -> str:
        return self._name

    def XMLDesc(self, flags: int) -> str:
        return domain_xml(self._name, self._disks)


class _Connection:
    """Says of a libvirt what these parts ask it."""

    def __init__(self) -> None:
        self.timeout = 5.0
        self.running: dict[str, dict[str, Path]] = {}

    async def call(self, what: str, function: Callable[[Any], T], timeout: float | None = None) -> T:
        return function(self)

    def listAllDomains(self, flags: int) -> list[_Domain]:
        return [_Domain(name, disks) for name, disks in self.running.items()]


def domain_xml(name: str, disks: dict[str, Path]) -> str:
    listed = "".join(
        f"<disk type='file' device='disk'><source file='{path}'/><backingStore type='file'>"
        f"<source file='{path.parent}/template-t'/></backingStore><target dev='{target}'/></disk>"
        for target, path in disks.items()
    )
    return f"<domain><name>{name}</name><devices>{listed}</devices></domain>"


class StorageBench:
    """One host with the pool `P` and a store; `do` runs a coroutine."""

    def __init__(self, folder: Path, name: str = "host-1", shared: Path | None = None) -> None:
        shared = shared or folder
        self.pool = shared / "pool"
        self.store = shared / "store"
        self.pool.mkdir(exist_ok=True)
        self.store.mkdir(exist_ok=True)
        self.store_url = f"file://{self.store}"
        self.settings = HostSettings(name=name, guid=f"guid-{name}", data=folder / name, private_ip="10.0.0.1")
        self.pool_spec = PoolSpec("P", "SharedMountPoint", "localhost", str(self.pool))
        self.start()
        self.do(self.host.mount_pool(self.pool_spec))

    def start(self) -> None:
        """Start the host's agent (again): what it knew is what it finds."""
        self.host = Storage(self.settings)
        self.libvirt = _Connection()
        self.host.connection = self.libvirt  # type: ignore[assignment]

    @staticmethod
    async def begun(folder: Path) -> None:
        """Wait until something is being made in the folder."""

        def wait() -> None:
            while not any(path.name.startswith(".new-") for path in folder.iterdir()):
                time.sleep(0.001)

        async with asyncio.timeout(60):
            await asyncio.to_thread(wait)

    @staticmethod
    def do(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)

    def image(self, path: str = "templates/t.qcow2", size: int = 8 * MIB, **fields: Any) -> ImageSpec:
        """An image in the store, with a pattern of its size / MiB at its beginning."""
        file = self.store / path
        file.parent.mkdir(exist_ok=True)
        make_image(file, size, bytes([size // MIB]) * MIB)
        return ImageSpec(self.store_url, path, size, **fields)

    def template(self, size: int = 8 * MIB) -> str:
        return self.do(self.host.copy_template(self.image(size=size), "P", "t"))[0]

    @staticmethod
    def disk(volume_id: str, size: int = 8 * MIB) -> DiskSpec:
        return DiskSpec(volume_id, "P", volume_id, size)

    def on_pool(self) -> list[str]:
        return sorted(path.name for path in self.pool.iterdir())

    def in_store(self) -> list[str]:
        return sorted(str(path.relative_to(self.store)) for path in self.store.rglob("*") if path.is_file())


def make_image(file: Path, size: int, content: bytes = b"", format: str = "qcow2") -> None:
    """A disk image of that size which begins with that content."""
    raw = file.with_name(f"{file.name}.source")
    with raw.open("wb") as opened:
        opened.write(content)
        opened.truncate(size)
    qemu_img("convert", "-f", "raw", "-O", format, str(raw), str(file))
    raw.unlink()


def content(file: Path, length: int, format: str = "qcow2") -> bytes:
    """The first bytes that a guest would read from the image."""
    raw = file.with_name(f".{file.name}.read")
    qemu_img("convert", "-U", "-f", format, "-O", "raw", str(file), str(raw))
    with raw.open("rb") as opened:
        found = opened.read(length)
    raw.unlink()
    return found


def write(file: Path, pattern: int, length: int = MIB) -> None:
    """Write into the disk image as a guest would."""
    command = f"write -P {pattern} 0 {length}"
    subprocess.run(["qemu-io", "-f", "qcow2", "-c", command, str(file)], check=True, capture_output=True)


def qemu_img(*arguments: str) -> str:
    done = subprocess.run(["qemu-img", *arguments], check=True, capture_output=True, text=True)
    return done.stdout
