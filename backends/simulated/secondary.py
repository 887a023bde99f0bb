"""A simulated host's work on secondary storage: snapshots, templates and downloads."""

from __future__ import annotations

from backends.simulated.internet import Served
from backends.simulated.primary import PrimaryStorage
from backends.simulated.storage import ImageStore
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import BackupFile, DiskSpec, ImageSpec


class SecondaryStorage(PrimaryStorage):
    """The secondary storage methods of `cloudsim.hypervisor.Hypervisor`."""

    __slots__ = ()

    async def backup_snapshot(
        self,
        snapshot_id: str,
        disk: DiskSpec,
        store_url: str,
        vm: str | None,
        inside: str | None = None,
        quiesce: bool = False,
    ) -> tuple[str, int]:
        pool = self.pool(disk.pool_id)
        content = pool.find(disk.path)
        if inside is not None and inside not in content.snapshots:
            raise HypervisorError(f"disk {disk.path} has no snapshot {inside}")
        if vm is not None:
            self.running(vm)
        store = self.site.store(store_url, self.place)
        path, size = f"snapshots/{snapshot_id}", content.taken
        way = [pool.disks, *self.reach(pool.place, store.place), store.disks]
        store.add(path, size)
        work = content.work if inside is None else (content.work_then or {}).get(inside, (None, None))[0]
        if work is not None:
            store.work[path] = work
        try:
            await self.take("disk_snapshot")
            await self.move(way, size)
        except BaseException:
            store.remove(path)
            raise
        return path, size

    async def take_backup(
        self, backup_id: str, disks: tuple[DiskSpec, ...], store_url: str, vm: str | None, quiesce: bool
    ) -> tuple[BackupFile, ...]:
        """One disk's data after the other's, all of the moment when it began."""
        if vm is not None:
            self.running(vm)
        store = self.site.store(store_url, self.place)
        contents = [(disk, self.pool(disk.pool_id), self.pool(disk.pool_id).find(disk.path)) for disk in disks]
        ways = [[pool.disks, *self.reach(pool.place, store.place), store.disks] for _, pool, _ in contents]
        files: list[BackupFile] = []
        try:
            for disk, _, content in contents:
                if vm is None and content.user is not None:
                    raise HypervisorError(f"disk {disk.path} is in use by {content.user}")
                path = f"backups/{backup_id}-{disk.volume_id}"
                store.add(path, content.taken)
                files.append(BackupFile(disk.volume_id, path, content.taken))
                if content.work is not None:
                    store.work[path] = content.work
            await self.take("disk_snapshot")
            for file, way in zip(files, ways, strict=True):
                await self.move(way, file.physical_size)
        except BaseException:
            for file in files:
                store.remove(file.path)
            raise
        return tuple(files)

    async def revert_snapshot(self, disk: DiskSpec, image: ImageSpec) -> None:
        pool = self.pool(disk.pool_id)
        content = pool.find(disk.path)
        if content.user is not None:
            raise HypervisorError(f"disk {disk.path} is in use by {content.user}")
        store = self.site.store(image.store_url, self.place)
        size = store.find(image.path, image.size)
        more = size - content.taken
        pool.take(more, f"reverting {disk.path}")
        content.taken += more
        try:
            await self.move([store.disks, *self.reach(store.place, pool.place), pool.disks], size)
        except BaseException:
            if pool.contents.get(disk.path) is content:
                pool.take(-more, "")
                content.taken -= more
            raise
        content.work = store.work.get(image.path)

    async def create_template(
        self, template_id: str, store_url: str, image: ImageSpec | None, disk: DiskSpec | None
    ) -> tuple[str, int]:
        store = self.site.store(store_url, self.place)
        path = f"templates/{template_id}"
        if disk is not None:
            pool = self.pool(disk.pool_id)
            content = pool.find(disk.path)
            physical, size = content.taken, content.size
            way = [pool.disks, *self.reach(pool.place, store.place), store.disks]
        elif image is not None:
            source = self.site.store(image.store_url, self.place)
            physical, size = source.find(image.path, image.size), image.size
            way = [source.disks, *self.reach(source.place, store.place), store.disks]
        else:
            raise HypervisorError(f"template {template_id} has neither a disk nor a snapshot to be made from")
        store.add(path, physical)
        try:
            await self.move(way, physical)
        except BaseException:
            store.remove(path)
            raise
        return path, size

    async def download_template(
        self, template_id: str, url: str, store_url: str, format: str, checksum: str | None
    ) -> tuple[str, int, str | None]:
        """A download by the zone's internet access; `Served` says of what. From an image store it is a copy."""
        kept = self.site.kept_at(url)
        if kept is not None:
            return await self._from_store(*kept, store_url, f"templates/{template_id}.{format.lower()}")
        served = Served(url, self.site.sampler)
        store = self.site.store(store_url, self.place)
        path = f"templates/{template_id}.{format.lower()}"
        store.add(path, served.size)
        try:
            core = store.place.parent or store.place
            await self.move([self.site.internet, *self.reach(core, store.place), store.disks], served.size)
            await self.take("template_download")
            found = served.check(checksum)
        except BaseException:
            store.remove(path)
            raise
        return path, served.size, found

    async def _from_store(
        self, source: ImageStore, held: str, store_url: str, path: str
    ) -> tuple[str, int, str | None]:
        store, size = self.site.store(store_url, self.place), source.files[held]
        store.add(path, size)
        try:
            await self.move([source.disks, *self.reach(source.place, store.place), store.disks], size)
        except BaseException:
            store.remove(path)
            raise
        return path, size, None

    async def delete_image(self, image: ImageSpec) -> None:
        await self.take("volume_delete")
        self.site.store(image.store_url, self.place).remove(image.path)
