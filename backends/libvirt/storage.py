"""What primary and secondary storage of a libvirt host share: who uses a file, and the making of new ones."""

from __future__ import annotations

import os
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backends.libvirt import qemu_img
from backends.libvirt.base import HostBase
from backends.libvirt.bounded import in_thread
from backends.libvirt.image_stores import ImageStores
from backends.libvirt.settings import HostSettings
from backends.libvirt.turns import Turns
from backends.libvirt.unfinished import Unfinished
from cloudsim.hypervisor import HypervisorError, note_step

_ACTIVE = 1
"""libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE"""


class StorageBase(HostBase):
    """Files are worked on one after another: commands for the same file are done in the order in which they came."""

    def __init__(self, settings: HostSettings) -> None:
        super().__init__(settings)
        self.unfinished = Unfinished(settings.guid)
        self.stores = ImageStores(settings.data, self.unfinished)
        self.file_turns = Turns()

    async def users(self, place: Path) -> list[str]:
        """Names of the running instances here that use this file, or one below this folder, or a clone of it."""
        listed = await self.connection.call("listing instances", _running)
        return sorted(
            name for name, xml in listed if any(path.is_relative_to(place) for path in sources(xml))
        )

    async def check_unused(self, file: Path, what: str) -> None:
        """Raise HypervisorError while an instance runs on the qcow2 file, here or where its locks can be seen."""
        users = await self.users(file)
        if users:
            raise HypervisorError(f"{what} is in use by {', '.join(users)}")
        if await qemu_img.in_use(file):
            raise HypervisorError(f"{what} is in use by another process, perhaps on another host")


def _running(connection: Any) -> list[tuple[str, str]]:
    import libvirt

    found = []
    for domain in connection.listAllDomains(_ACTIVE):
        try:
            found.append((domain.name(), domain.XMLDesc(0)))
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:  # it ended meanwhile
                raise
    return found


def sources(xml: str) -> set[Path]:
    """The files that a domain has open for its disks and drives, those that they are clones of included."""
    return {path for disk in _disks(xml) for path in _files(disk, ".//source")}


def target_of(xml: str, file: Path) -> str | None:
    """The name (vda) of the disk whose image this file is; or whose image is an overlay over it, as a snapshot makes."""
    for where in ("./source", ".//source"):
        for disk in _disks(xml):
            target = disk.find("target")
            if target is not None and file in _files(disk, where):
                return target.get("dev")
    return None


def targets(xml: str) -> list[str]:
    """The names of all disks."""
    found = [disk.find("target") for disk in _disks(xml) if disk.get("device", "disk") == "disk"]
    return [target.get("dev", "") for target in found if target is not None]


def _disks(xml: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(xml).findall("./devices/disk")


def _files(disk: ElementTree.Element, where: str) -> set[Path]:
    """As the domain names them: to ask the file system may take for ever, and they have the names that pools gave them."""
    named = [source.get("file") or source.get("dev") for source in disk.iterfind(where)]
    return {Path(os.path.normpath(name)) for name in named if name}


async def exists(file: Path) -> bool:
    return await in_thread(f"looking for {file}", file.is_file)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Note how long this part of a command took."""
    begun = time.monotonic()
    yield
    note_step(name, time.monotonic() - begun)
