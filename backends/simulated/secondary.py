"""A simulated host's work on secondary storage: snapshots, templates and downloads."""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qs, urlsplit

from backends.simulated.primary import PrimaryStorage
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import DiskSpec, ImageSpec

_SCHEMES = frozenset({"http", "https", "ftp"})
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


class SecondaryStorage(PrimaryStorage):
    """The secondary storage methods of `cloudsim.hypervisor.Hypervisor`."""

    __slots__ = ()

    async def backup_snapshot(
        self, snapshot_id: str, disk: DiskSpec, store_url: str, vm: str | None
    ) -> tuple[str, int]:
        pool = self.pool(disk.pool_id)
        content = pool.find(disk.path)
        if vm is not None:
            self.running(vm)
        store = self.site.store(store_url, self.place)
        path, size = f"snapshots/{snapshot_id}", content.taken
        way = [pool.disks, *self.reach(pool.place, store.place), store.disks]
        store.add(path, size)
        if content.work is not None:
            store.work[path] = content.work
        try:
            await self.take("disk_snapshot")
            await self.move(way, size)
        except BaseException:
            store.remove(path)
            raise
        return path, size

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
        """A download by the zone's internet access, of as many bytes as the URL's `size` says (units k, m,
        g, t, of 1024) or the profile's `download_size`.

        Fails for schemes other than http, https and ftp, for a server whose name or path begins with
        "fail", and, where a checksum is asked for, for a URL with `corrupt` in its query. Without one
        the checksum found is the MD5 of the URL, so the same URL always has the same.
        """
        parts = urlsplit(url)
        host, query = parts.hostname or "", parse_qs(parts.query, keep_blank_values=True)
        if parts.scheme not in _SCHEMES or not host:
            raise HypervisorError(f"cannot download {url}: scheme {parts.scheme or 'missing'!r} has no server")
        if host.startswith("fail") or parts.path.startswith("/fail"):
            raise HypervisorError(f"cannot download {url}: {host} does not serve it")
        size = self._size(url, query)
        store = self.site.store(store_url, self.place)
        path = f"templates/{template_id}"
        store.add(path, size)
        try:
            core = store.place.parent or store.place
            await self.move([self.site.internet, *self.reach(core, store.place), store.disks], size)
            await self.take("template_download")
            if checksum and "corrupt" in query:
                raise HypervisorError(f"what {url} serves does not have the checksum {checksum}")
        except BaseException:
            store.remove(path)
            raise
        found = hashlib.md5(url.encode(), usedforsecurity=False).hexdigest()
        return path, size, checksum or found

    def _size(self, url: str, query: dict[str, list[str]]) -> int:
        if "size" not in query:
            return int(self.site.sampler("download_size"))
        text = query["size"][-1].strip().lower().removesuffix("b")
        number, unit = (text[:-1], text[-1]) if text[-1:].isalpha() else (text, "")
        if not number.isdigit() or unit not in _UNITS:
            raise HypervisorError(f"cannot download {url}: {query['size'][-1]!r} is not a size")
        return int(number) * _UNITS[unit]

    async def delete_image(self, image: ImageSpec) -> None:
        await self.take("volume_delete")
        self.site.store(image.store_url, self.place).remove(image.path)
