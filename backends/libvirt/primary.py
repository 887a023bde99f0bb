"""A libvirt host's work on primary storage: pools, templates on them, volumes."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

from msgspec.structs import replace

from backends.libvirt import qemu_img
from backends.libvirt.bounded import QUICK, in_thread
from backends.libvirt.checksums import USUAL, Checksum
from backends.libvirt.image_format import backing_of, examine, of_name, opened_as
from backends.libvirt.qemu_img import Filled
from backends.libvirt.storage import StorageBase, exists, step, target_of
from backends.libvirt.transfer import checksum, receive, stoppable
from backends.libvirt.unfinished import check_room, room
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import DiskSpec, ImageSpec, PoolSpec, PoolStatistics

log = logging.getLogger(__name__)

_OWN_DISK = "/var/lib/libvirt/images"
"""What the manager calls the folder for local storage of any host."""
_BLOCK_RESIZE_BYTES = 1
"""libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES"""
_PREALLOCATION: dict[str, Filled] = {"thin": "off", "sparse": "metadata", "fat": "falloc"}
"""What of a disk is there from the start, by how it is provisioned."""


class PrimaryStorage(StorageBase):
    """The primary storage methods of `cloudsim.hypervisor.Hypervisor`.

    A volume's path is its id, a template's template-<id>. Volumes of templates are qcow2 clones that name the template
    relative to themselves, so that hosts may mount a pool at different places.
    """

    # pools

    async def mount_pool(self, pool: PoolSpec) -> PoolStatistics:
        """Besides, what an earlier agent of this host left half-made there is removed."""
        with step("pool_mount"):
            found = await self.pools.mount(self._here(pool))
            await self.unfinished.clear(self.pools.path(pool.id))
        return found

    def _here(self, pool: PoolSpec) -> PoolSpec:
        own = pool.type == "Filesystem" and pool.host == self.settings.private_ip and pool.path == _OWN_DISK
        return replace(pool, path=str(self.settings.local_storage)) if own else pool

    async def restore_pools(self) -> None:
        """At the agent's start: mount what was mounted, and remove what was left half-made."""
        await self.pools.restore()
        for pool_id in self.pools:
            try:
                await self.unfinished.clear(await self.pools.ready(pool_id))
            except HypervisorError as error:
                log.warning("storage pool %s is not cleared: %s", pool_id, error)

    async def unmount_pool(self, pool: PoolSpec) -> None:
        if pool.id not in self.pools:
            return
        users = await self.users(self.pools.path(pool.id))
        if users:
            raise HypervisorError(f"storage pool {pool.id} is in use by {', '.join(users)}")
        with step("pool_mount"):
            await self.pools.unmount(pool)

    async def pool_statistics(self, pool_id: str) -> PoolStatistics:
        return await self.pools.statistics(pool_id)

    # templates

    async def copy_template(self, image: ImageSpec, pool_id: str, template_id: str) -> tuple[str, int]:
        """Once for a pool, however many ask; a checksum that does not match is an error. ISOs stay what they are."""
        folder = await self.pools.ready(pool_id)
        path = f"template-{template_id}"
        target = self.pools.file(pool_id, path)
        kind = of_name(image.path, image.format)
        what = f"template {template_id}"
        async with self.file_turns.turn(target):
            if not await exists(target):
                source = await self.stores.find(image)
                wanted = await self.stores.expected(image, source)
                with step("template_copy"), room(f"storage pool {pool_id}"):
                    needed = await in_thread(f"looking at {source}", lambda: _allocated(source))
                    check_room(folder, what, needed)
                    async with self.unfinished.beside(target) as new:
                        if kind in ("qcow2", "iso"):
                            await _copy(source, new, wanted, what)
                            await examine(new, kind, what)
                        else:
                            await _verify(source, wanted, what)
                            await examine(source, kind, what)
                            await qemu_img.convert(source, new, opened_as(kind))
                        await self.unfinished.put(new, target)
            stored = "raw" if kind == "iso" else "qcow2"
            return path, (await qemu_img.info(target, stored)).virtual_size

    async def delete_template(self, pool_id: str, path: str) -> None:
        """A template that volumes on the pool are clones of cannot go before them."""
        folder = await self.pools.ready(pool_id)
        target = self.pools.file(pool_id, path)
        async with self.file_turns.turn(target):
            if not await exists(target):
                return
            clones = await in_thread(f"looking for clones of {path}", lambda: _clones(folder, target), 20 * QUICK)
            users = [] if clones else await self.users(target)
            if clones or users:
                raise HypervisorError(
                    f"{path} on storage pool {pool_id} is still needed by {', '.join(clones or users)}"
                )
            with step("volume_delete"):
                await in_thread(f"removing {target}", target.unlink, 10 * QUICK)

    # volumes

    async def create_volume(
        self,
        volume_id: str,
        pool_id: str,
        size: int,
        template_path: str | None,
        image: ImageSpec | None,
        provisioning: str = "thin",
    ) -> tuple[str, int]:
        """One that exists is found as it is. Only a copy of an image takes more than a little room at once."""
        await self.pools.ready(pool_id)
        target = self.pools.file(pool_id, volume_id)
        async with self.file_turns.turn(target):
            if await exists(target):
                return volume_id, (await qemu_img.info(target, "qcow2")).virtual_size
            filled = _PREALLOCATION[provisioning]
            with room(f"storage pool {pool_id}"):
                if provisioning == "fat":
                    check_room(target.parent, f"volume {volume_id}", size)
                async with self.unfinished.beside(target) as new:
                    if template_path is not None:
                        await self._clone(new, pool_id, template_path, size, filled)
                    elif image is not None:
                        await self._copy_image(new, volume_id, image, size, filled)
                    else:
                        with step("volume_create"):
                            await qemu_img.create(new, size, filled)
                    await self.unfinished.put(new, target)
            return volume_id, (await qemu_img.info(target, "qcow2")).virtual_size

    async def _clone(self, new: Path, pool_id: str, template_path: str, size: int, filled: Filled) -> None:
        """A file over the template's; one that is not thin is a copy of it."""
        template = self.pools.file(pool_id, template_path)
        async with self.file_turns.turn(template):
            if not await exists(template):
                raise HypervisorError(f"there is no {template_path} on storage pool {pool_id}")
            with step("template_clone"):
                least = (await qemu_img.info(template, "qcow2")).virtual_size
                if filled == "off":
                    await qemu_img.clone(new, _relative(template, new), max(size, least))
                else:
                    await qemu_img.convert(template, new, filled=filled)
                    if size > least:
                        await qemu_img.resize(new, size, filled=filled)

    async def _copy_image(
        self, new: Path, volume_id: str, image: ImageSpec, size: int, filled: Filled
    ) -> None:
        source = await self.stores.find(image)
        kind = of_name(image.path, image.format)
        found = await examine(source, kind, image.path)
        check_room(new.parent, f"volume {volume_id}", found.actual_size)
        with step("volume_create"):
            await qemu_img.convert(source, new, opened_as(kind), filled=filled)
            if size > found.virtual_size:
                await qemu_img.resize(new, size, filled=filled)

    async def delete_volume(self, volume_id: str, pool_id: str, path: str) -> None:
        """Waits for the making of the volume, where that is still going on here."""
        await self.pools.ready(pool_id)
        target = self.pools.file(pool_id, path)
        async with self.file_turns.turn(target):
            if await exists(target):
                await self.check_unused(target, f"volume {volume_id}")
                with step("volume_delete"):
                    await in_thread(f"removing {target}", target.unlink, 10 * QUICK)

    async def resize_volume(self, disk: DiskSpec, size: int, vm: str | None) -> int:
        """Under a running instance a disk can only grow."""
        await self.pools.ready(disk.pool_id)
        file = self.pools.disk(disk)
        size = qemu_img.whole_sectors(size)
        async with self.file_turns.turn(file):
            if not await exists(file):
                raise HypervisorError(f"there is no {disk.path} on storage pool {disk.pool_id}")
            present = (await qemu_img.info(file, "qcow2")).virtual_size
            with step("volume_resize"):
                if vm is not None:
                    await self._grow_online(disk, file, present, size, vm)
                    return size
                await self.check_unused(file, f"disk {disk.path}")
                with room(f"storage pool {disk.pool_id}"):
                    await qemu_img.resize(file, size, shrink=size < present)
            return (await qemu_img.info(file, "qcow2")).virtual_size

    async def vm_activity(self, disks: tuple[DiskSpec, ...]) -> bool:
        """By QEMU's image locks. Where the storage keeps a dead host's locks (NFS 3), its instances seem to live on."""
        for disk in disks:
            await self.pools.ready(disk.pool_id)
            file = self.pools.disk(disk)
            if not await exists(file):
                raise HypervisorError(f"there is no {disk.path} on storage pool {disk.pool_id}")
            if await qemu_img.in_use(file):
                return True
        return False

    async def _grow_online(self, disk: DiskSpec, file: Path, present: int, size: int, vm: str) -> None:
        what = f"resizing disk {disk.path} of {vm}"
        xml = await self.connection.domain_call(vm, what, lambda domain: str(domain.XMLDesc(0)))
        target = target_of(xml, file)
        if target is None:
            raise HypervisorError(f"disk {disk.path} is not attached to {vm}")
        if size < present:  # libvirt would do it, and the guest lose its file system
            raise HypervisorError(f"disk {disk.path} of running {vm} cannot shrink")
        await self.connection.domain_call(
            vm, what, lambda domain: domain.blockResize(target, size, _BLOCK_RESIZE_BYTES)
        )
        spec = self.kept.get(vm)
        if spec is not None:
            disks = tuple(replace(d, size=size) if d.volume_id == disk.volume_id else d for d in spec.disks)
            self.kept.put(replace(spec, disks=disks))


def _relative(template: Path, clone: Path) -> str:
    return os.path.relpath(template, clone.parent)


def _allocated(path: Path) -> int:
    return path.stat().st_blocks * 512


def _clones(folder: Path, template: Path) -> list[str]:
    """The files in the folder that name the template as their backing file."""
    found = []
    for path in folder.iterdir():
        if path == template or not path.is_file():
            continue
        backing = backing_of(path)
        if backing is not None and os.path.normpath(folder / backing) == str(template):
            found.append(path.name)
    return sorted(found)


async def _copy(source: Path, new: Path, wanted: Checksum | None, what: str) -> None:
    def work(stop: threading.Event) -> Checksum:
        algorithm = USUAL if wanted is None else wanted.algorithm
        with source.open("rb") as file:
            return receive(file, new, algorithm=algorithm, unpack=False, stop=stop).sent

    _compare(await stoppable(f"copying {source}", work), wanted, what)


async def _verify(source: Path, wanted: Checksum | None, what: str) -> None:
    if wanted is not None:
        found = await stoppable(f"reading {source}", lambda stop: checksum(source, wanted.algorithm, stop))
        _compare(found, wanted, what)


def _compare(found: Checksum, wanted: Checksum | None, what: str) -> None:
    if wanted is not None and found != wanted:
        raise HypervisorError(f"{what} in secondary storage is damaged: its checksum is {found} instead of {wanted}")
