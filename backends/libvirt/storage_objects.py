"""What lies on a libvirt host's storage, told as folders and files, and copies from one image store to another."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

from msgspec.structs import replace

from backends.libvirt import qemu_img
from backends.libvirt.bounded import QUICK, in_thread
from backends.libvirt.checksums import USUAL
from backends.libvirt.image_format import SUFFIXES
from backends.libvirt.storage import StorageBase, exists, step
from backends.libvirt.transfer import receive, stoppable
from backends.libvirt.unfinished import BEGINNING, check_room, room
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import ImageSpec, StorageObject

_MOST = 10_000
"""More entries of one folder than that nobody reads."""
_READABLE = 0o644


class StorageObjects(StorageBase):
    """`storage_objects` and `copy_image` of `cloudsim.hypervisor.Hypervisor`."""

    async def storage_objects(
        self, pool_id: str | None, store_url: str | None, path: str, describe: bool
    ) -> tuple[StorageObject, ...]:
        """Links and devices are left out, and what is half-made. Only qcow2 files are described."""
        if pool_id is not None:
            root, where = await self.pools.ready(pool_id), f"storage pool {pool_id}"
        else:
            root, where = await self.stores.folder(store_url or ""), f"secondary storage {store_url}"
        folder = root / path.strip("/")
        if not folder.resolve().is_relative_to(root.resolve()):
            raise HypervisorError(f"{path!r} is no folder in {where}")
        found = await in_thread(f"listing {path or '/'} of {where}", lambda: _entries(root, folder), 10 * QUICK)
        if found is None:
            raise HypervisorError(f"there is no {path} in {where}")
        return tuple([await self._described(root, each) for each in found]) if describe else found

    async def _described(self, root: Path, found: StorageObject) -> StorageObject:
        if found.directory or found.format != "qcow2":
            return found
        file = root / found.name
        info = await qemu_img.info(file, "qcow2")
        users = await self.users(file)
        return replace(
            found,
            virtual_size=info.virtual_size,
            backing=info.backing,
            encrypted=info.encrypted,
            user=users[0] if users else None,
        )

    async def copy_image(self, image: ImageSpec, store_url: str) -> tuple[str, int]:
        """Byte for byte, with what is noted of its checksum. One that is there already is found as it is."""
        source, target = await self.stores.find(image), await self.stores.new(store_url, image.path)
        if not await exists(target):
            what = f"copying {image.path} to secondary storage {store_url}"

            def work(stop: threading.Event) -> None:
                length = source.stat().st_size
                check_room(new.parent, image.path, length)
                with source.open("rb") as file:
                    receive(file, new, algorithm=USUAL, length=length, unpack=False, stop=stop)

            with step("template_copy"), room(f"secondary storage {store_url}"):
                async with self.unfinished.beside(target) as new:
                    await stoppable(what, work)
                    await self.stores.copy_note(source, target)
                    await self.unfinished.put(new, target, replace=True, mode=_READABLE)
        return image.path, await in_thread(f"looking at {target}", lambda: target.stat().st_blocks * 512)


def _entries(root: Path, folder: Path) -> tuple[StorageObject, ...] | None:
    if folder.is_file():
        return (_object(root, folder),)
    if not folder.is_dir():
        return None
    found = []
    for entry in sorted(folder.iterdir())[:_MOST]:
        mode = entry.lstat().st_mode
        if (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and not entry.name.startswith(BEGINNING):
            found.append(_object(root, entry))
    return tuple(found)


def _object(root: Path, entry: Path) -> StorageObject:
    told = entry.stat()
    name = str(entry.relative_to(root))
    if stat.S_ISDIR(told.st_mode):
        return StorageObject(name, directory=True, modified=told.st_mtime)
    return StorageObject(name, size=told.st_blocks * 512, modified=told.st_mtime, format=_format(entry))


def _format(file: Path) -> str:
    """By its first bytes qcow2, else by its name."""
    with file.open("rb") as opened:
        if opened.read(4) == b"QFI\xfb":
            return "qcow2"
    suffix = file.suffix[1:].lower()
    return suffix if suffix in SUFFIXES.values() else "raw"
