"""A libvirt host's work on secondary storage: snapshots, templates and downloads."""

from __future__ import annotations

import threading
from pathlib import Path
from urllib.parse import urlsplit

from backends.libvirt import checksums, qemu_img
from backends.libvirt.backup import back_up
from backends.libvirt.downloads import SCHEMES, download, shown
from backends.libvirt.image_format import SUFFIXES, examine, named, of_name, opened_as
from backends.libvirt.image_stores import SNAPSHOTS, TEMPLATES
from backends.libvirt.settings import HostSettings
from backends.libvirt.storage import StorageBase, exists, step
from backends.libvirt.transfer import Received, receive, stoppable
from backends.libvirt.turns import Shared
from backends.libvirt.unfinished import check_room, room
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import DiskSpec, ImageSpec

_READABLE = 0o644
"""Every host has to read what one of them put into a store."""


class SecondaryStorage(StorageBase):
    """The secondary storage methods of `cloudsim.hypervisor.Hypervisor`. Paths are relative to their store."""

    def __init__(self, settings: HostSettings) -> None:
        super().__init__(settings)
        self._downloads: Shared[tuple[str, int, str]] = Shared()

    async def image_file(self, image: ImageSpec) -> Path:
        """Where the image's file is on this host. Raises HypervisorError if it is not there."""
        return await self.stores.find(image)

    async def store_folder(self, store_url: str) -> Path:
        """Where the image store is on this host. Raises HypervisorError if it is not there."""
        return await self.stores.folder(store_url)

    async def delete_image(self, image: ImageSpec) -> None:
        with step("volume_delete"):
            await self.stores.remove(image)

    # snapshots

    async def backup_snapshot(
        self,
        snapshot_id: str,
        disk: DiskSpec,
        store_url: str,
        vm: str | None,
        inside: str | None = None,
        quiesce: bool = False,
    ) -> tuple[str, int]:
        """The copy is of one moment, and stands alone. A guest that uses the disk goes on meanwhile."""
        file = await self._disk(disk)
        if inside is not None and inside not in await qemu_img.snapshot_list(file):
            raise HypervisorError(f"disk {disk.path} has no snapshot {inside}")
        path = f"{SNAPSHOTS}/{snapshot_id}.qcow2"
        target = await self.stores.new(store_url, path)
        if vm is not None and vm not in await self.users(file):
            vm = None
        async with self.file_turns.turn(file if vm is None else f"backup of {vm}"):
            with step("disk_snapshot"), room(f"secondary storage {store_url}"):
                async with self.unfinished.beside(target) as new:
                    if inside is not None:
                        await qemu_img.convert(file, new, snapshot=inside, share=True)
                    elif vm is None:
                        await self.check_unused(file, f"disk {disk.path}")
                        await qemu_img.convert(file, new)
                    else:
                        await back_up(self.connection, vm, {file: new}, quiesce=quiesce)
                    physical = (await examine(new, "qcow2", f"snapshot {snapshot_id}")).actual_size
                    await self.unfinished.put(new, target, replace=True, mode=_READABLE)
        return path, physical

    async def revert_snapshot(self, disk: DiskSpec, image: ImageSpec) -> None:
        """The disk keeps its size, if that is not smaller than the snapshot's; it is no clone of a template any more."""
        file = await self._disk(disk)
        source = await self.stores.find(image)
        async with self.file_turns.turn(file):
            await self.check_unused(file, f"disk {disk.path}")
            inside = await qemu_img.snapshot_list(file)
            if inside:
                names = ", ".join(inside)
                raise HypervisorError(f"disk {disk.path} holds the instance snapshots {names}, which would be lost")
            found = await examine(source, "qcow2", image.path)
            with room(f"storage pool {disk.pool_id}"):
                check_room(file.parent, f"{image.path}, beside the present disk,", found.actual_size)
                async with self.unfinished.beside(file) as new:
                    await qemu_img.convert(source, new)
                    if disk.size > found.virtual_size:
                        await qemu_img.resize(new, disk.size)
                    await self.check_unused(file, f"disk {disk.path}")
                    await self.unfinished.put(new, file, replace=True)

    async def _disk(self, disk: DiskSpec) -> Path:
        await self.pools.ready(disk.pool_id)
        file = self.pools.disk(disk)
        if not await exists(file):
            raise HypervisorError(f"there is no {disk.path} on storage pool {disk.pool_id}")
        return file

    # templates

    async def create_template(
        self, template_id: str, store_url: str, image: ImageSpec | None, disk: DiskSpec | None
    ) -> tuple[str, int]:
        """A qcow2 image that stands alone, whatever it is made from."""
        if disk is not None:
            source, kind = await self._disk(disk), "qcow2"
            await self.check_unused(source, f"disk {disk.path}")
        elif image is not None:
            source, kind = await self.stores.find(image), of_name(image.path, image.format)
            await examine(source, kind, image.path)
        else:
            raise HypervisorError(f"template {template_id} has neither a disk nor a snapshot to be made from")
        path = f"{TEMPLATES}/{template_id}.qcow2"
        target = await self.stores.new(store_url, path)
        with step("template_copy"), room(f"secondary storage {store_url}"):
            async with self.unfinished.beside(target) as new:
                await qemu_img.convert(source, new, opened_as(kind))
                made = await examine(new, "qcow2", f"template {template_id}")
                await self.unfinished.put(new, target, replace=True, mode=_READABLE)
        return path, made.virtual_size

    async def download_template(
        self, template_id: str, url: str, store_url: str, format: str, checksum: str | None
    ) -> tuple[str, int, str | None]:
        """From http, https and ftp servers, and from other zones' secondary storage; gzip, bzip2, xz and zip are unpacked.

        The file is what `format` says and refers to no other, or it is not kept. The checksum is that of what was
        sent; of the algorithm that was asked for, else SHA-256.
        """
        wanted = None if not checksum else checksums.parse(checksum)
        kind = named(format)
        path = f"{TEMPLATES}/{template_id}.{SUFFIXES[kind]}"
        return await self._downloads.do(
            (store_url, path), lambda: self._download(path, url.strip(), store_url, kind, wanted)
        )

    async def _download(
        self, path: str, url: str, store_url: str, kind: str, wanted: checksums.Checksum | None
    ) -> tuple[str, int, str]:
        target = await self.stores.new(store_url, path)
        algorithm = checksums.USUAL if wanted is None else wanted.algorithm
        with room(f"secondary storage {store_url}"):
            async with self.unfinished.beside(target) as new:
                with step("template_copy"):
                    received = await self._fetch(url, new, algorithm)
                if wanted is not None and received.sent != wanted:
                    raise HypervisorError(
                        f"what {shown(url)} serves has the checksum {received.sent} instead of {wanted}"
                    )
                image = await examine(new, kind, f"what {shown(url)} serves")
                packed = received.packed is not None
                await self.stores.note_packed(
                    target, received.sent if packed else None, received.kept if packed else None
                )
                await self.unfinished.put(new, target, replace=True, mode=_READABLE)
        return path, image.virtual_size, str(received.sent)

    async def _fetch(self, url: str, new: Path, algorithm: str) -> Received:
        if urlsplit(url).scheme in SCHEMES:
            return await download(url, new, algorithm)
        file = await self.stores.at_url(url, self.pools)

        def work(stop: threading.Event) -> Received:
            length = file.stat().st_size
            check_room(new.parent, url, length)
            with file.open("rb") as source:
                return receive(source, new, algorithm=algorithm, length=length, stop=stop)

        return await stoppable(f"cannot read {url}", work)
