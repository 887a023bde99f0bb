"""A simulated host's work on primary storage: pools, templates on them, volumes."""

from __future__ import annotations

from msgspec.structs import replace

from backends.simulated.machine import Machine
from backends.simulated.storage import Content
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import DiskSpec, ImageSpec, PoolSpec, PoolStatistics


class PrimaryStorage(Machine):
    """The primary storage methods of `cloudsim.hypervisor.Hypervisor`. A volume's path is its id."""

    __slots__ = ()

    async def mount_pool(self, pool: PoolSpec) -> PoolStatistics:
        self.check_power(self.boots)
        found = self.mounted.get(pool.id)
        if found is None:
            meant = self.site.mount(pool, self)
            await self.take("pool_mount")
            found = self.mounted[pool.id] = meant
        return found.statistics()

    async def unmount_pool(self, pool: PoolSpec) -> None:
        users = [g.spec.name for g in self.guests.values() if any(d.pool_id == pool.id for d in g.disks)]
        if users:
            raise HypervisorError(f"pool {pool.id} is in use on {self.name} by {', '.join(users)}")
        if pool.id in self.mounted:
            await self.take("pool_mount")
            self.mounted.pop(pool.id, None)

    async def pool_statistics(self, pool_id: str) -> PoolStatistics:
        return self.pool(pool_id).statistics()

    async def copy_template(self, image: ImageSpec, pool_id: str, template_id: str) -> tuple[str, int]:
        """The data goes from secondary storage straight to the pool, once however many hosts ask for it."""
        self.check_power(self.boots)
        pool = self.pool(pool_id)
        path = f"template-{template_id}"
        if path not in pool.contents:
            store = self.site.store(image.store_url, self.place)
            size = store.find(image.path, image.size)
            way = [store.disks, *self.reach(store.place, pool.place), pool.disks]
            boots = self.boots
            await pool.copy_once(path, size, lambda: self.site.flows.transfer(way, size))
            await self.take("template_copy")
            self.check_power(boots)
        return path, pool.find(path).size

    async def delete_template(self, pool_id: str, path: str) -> None:
        """A template that volumes were cloned from cannot go before them."""
        pool = self.pool(pool_id)
        if path in pool.contents:
            await self.take("volume_delete")
            pool.remove(path)

    async def create_volume(
        self,
        volume_id: str,
        pool_id: str,
        size: int,
        template_path: str | None,
        image: ImageSpec | None,
        provisioning: str = "thin",
    ) -> tuple[str, int]:
        self.check_power(self.boots)
        pool = self.pool(pool_id)
        found = pool.contents.get(volume_id)
        if found is not None:
            if found.unfinished:
                raise HypervisorError(f"{volume_id} is being made on pool {pool.name}")
            return volume_id, found.size
        if template_path is not None:
            size = max(size, pool.find(template_path).size)
            if provisioning == "thin":
                content = Content(size, pool.written(size), template_path)
            else:
                content = Content(size, pool.written(size))
        elif image is not None:
            store = self.site.store(image.store_url, self.place)
            physical = store.find(image.path, image.size)
            size = max(size, image.size)
            way = [store.disks, *self.reach(store.place, pool.place), pool.disks]
            content = Content(size, physical)
            content.work = store.work.get(image.path)
        else:
            content = Content(size, pool.written(size))
        if provisioning == "fat":
            content.taken = size
        content.unfinished = True
        pool.add(volume_id, content)
        try:
            await self.serve(pool, "clone_ios")
            await self.take("template_clone" if template_path is not None else "volume_create")
            if image is not None and template_path is None:
                await self.move(way, physical)
            if pool.contents.get(volume_id) is not content:
                raise HypervisorError(f"{volume_id} was removed from pool {pool.name} while it was being made")
        except BaseException:
            if pool.contents.get(volume_id) is content:
                pool.remove(volume_id)
            raise
        content.unfinished = False
        return volume_id, size

    async def delete_volume(self, volume_id: str, pool_id: str, path: str) -> None:
        pool = self.pool(pool_id)
        content = pool.contents.get(path)
        if content is None:
            return
        if content.user is not None:
            raise HypervisorError(f"volume {volume_id} is in use by {content.user}")
        await self.serve(pool, "clone_ios")
        await self.take("volume_delete")
        pool.remove(path)

    async def resize_volume(self, disk: DiskSpec, size: int, vm: str | None) -> int:
        """Growing takes its written share at once; shrinking gives it back."""
        pool = self.pool(disk.pool_id)
        content = pool.find(disk.path)
        guest = None if vm is None else self.running(vm)
        if guest is None and content.user is not None:
            raise HypervisorError(f"disk {disk.path} is in use by {content.user}")
        if guest is not None and size < content.size:
            raise HypervisorError(f"disk {disk.path} of running {vm} cannot shrink")
        await self.take("volume_resize")
        more = pool.written(size) - pool.written(content.size)
        more = max(more, -content.taken)
        pool.take(more, f"resizing {disk.path}")
        content.taken += more
        content.size = size
        if guest is not None:
            disks = tuple(replace(d, size=size) if d.volume_id == disk.volume_id else d for d in guest.disks)
            guest.spec = replace(guest.spec, disks=disks)
        return size

    async def vm_activity(self, disks: tuple[DiskSpec, ...]) -> bool:
        self.check_power(self.boots)
        found = [self.pool(disk.pool_id).contents.get(disk.path) for disk in disks]
        for disk in disks:
            await self.serve(self.pool(disk.pool_id), "clone_ios")
        return any(content is not None and content.user is not None for content in found)
