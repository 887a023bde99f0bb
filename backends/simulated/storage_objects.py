"""What lies on a simulated host's storage, told as folders and files, and copies from one image store to another."""

from __future__ import annotations

from collections.abc import Iterable

from backends.simulated.secondary import SecondaryStorage
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import ImageSpec, StorageObject


class StorageObjects(SecondaryStorage):
    """`storage_objects` and `copy_image` of `cloudsim.hypervisor.Hypervisor`."""

    __slots__ = ()

    async def storage_objects(
        self, pool_id: str | None, store_url: str | None, path: str, describe: bool
    ) -> tuple[StorageObject, ...]:
        if pool_id is not None:
            pool = self.pool(pool_id)
            await self.serve(pool, "clone_ios")
            files = [
                StorageObject(
                    name,
                    size=content.taken,
                    format="qcow2",
                    virtual_size=content.size if describe else None,
                    backing=content.parent if describe else None,
                    user=content.user if describe else None,
                )
                for name, content in pool.contents.items()
                if not content.unfinished
            ]
            return _inside(files, path, f"storage pool {pool_id}")
        store = self.site.store(store_url or "", self.place)
        kept = [StorageObject(name, size=size, format=_format(name)) for name, size in store.files.items()]
        return _inside(kept, path, f"secondary storage {store_url}")

    async def copy_image(self, image: ImageSpec, store_url: str) -> tuple[str, int]:
        source, target = self.site.store(image.store_url, self.place), self.site.store(store_url, self.place)
        size = source.find(image.path, image.size)
        if image.path in target.files:
            return image.path, target.files[image.path]
        work = source.work.get(image.path)
        target.add(image.path, size)
        if work is not None:
            target.work[image.path] = work
        try:
            await self.move([source.disks, *self.reach(source.place, target.place), target.disks], size)
        except BaseException:
            target.remove(image.path)
            raise
        return image.path, size


def _inside(files: Iterable[StorageObject], path: str, where: str) -> tuple[StorageObject, ...]:
    """The files and folders in folder `path`, or the file of that path. Raises HypervisorError where there is none."""
    folder = path.strip("/")
    found: dict[str, StorageObject] = {}
    for file in files:
        if file.name == folder:
            return (file,)
        if folder and not file.name.startswith(f"{folder}/"):
            continue
        rest = file.name[len(folder) + 1 if folder else 0 :]
        name, slash, _ = rest.partition("/")
        if slash:
            found[name] = StorageObject(f"{folder}/{name}" if folder else name, directory=True)
        else:
            found[name] = file
    if folder and not found:
        raise HypervisorError(f"there is no {path} in {where}")
    return tuple(found[name] for name in sorted(found))


def _format(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name.rpartition("/")[2] else "qcow2"
