"""Which primary storage this host has mounted, and where; remembered over restarts of the agent and of the host."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from backends.libvirt.bounded import QUICK, in_thread
from backends.libvirt.mounts import mount_nfs, mounted, unmount
from backends.libvirt.turns import Turns
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import DiskSpec, PoolSpec, PoolStatistics

log = logging.getLogger(__name__)

FOLDERS = ("Filesystem", "SharedMountPoint", "PreSetup")
"""Pool types that are a folder which every host finds in its own file system."""
NETWORK = "NetworkFilesystem"

_EVER = 86400.0

_decoder = msgspec.json.Decoder(list[PoolSpec])


class Pools:
    """The pools of one host. `path`, `file`, `disk` and `pool_of` touch no disk; the others may wait for one.

    Network file systems are mounted below `data`/mounts. After a reboot `restore` mounts them again, and `ready`
    whatever could not be mounted then.
    """

    def __init__(self, data: Path) -> None:
        self._mounts = data / "mounts"
        self._memory = data / "pools.json"
        self._turns = Turns()
        self._asking: dict[str, asyncio.Task[PoolStatistics | None]] = {}
        self._pools = self._recall()

    def _recall(self) -> dict[str, PoolSpec]:
        try:
            return {pool.id: pool for pool in _decoder.decode(self._memory.read_bytes())}
        except FileNotFoundError:
            return {}
        except msgspec.DecodeError as error:
            log.warning("%s is damaged, the manager has to mount its pools again: %s", self._memory, error)
            return {}

    def _remember(self) -> None:
        new = self._memory.with_suffix(".new")
        with new.open("wb") as file:
            file.write(msgspec.json.encode(list(self._pools.values())))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._memory)

    # where things are

    def __contains__(self, pool_id: str) -> bool:
        return pool_id in self._pools

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._pools))

    def path(self, pool_id: str) -> Path:
        """The pool's folder. Raises HypervisorError if the pool is not mounted."""
        pool = self._pools.get(pool_id)
        if pool is None:
            raise HypervisorError(f"storage pool {pool_id} is not mounted on this host")
        return self._folder(pool)

    def file(self, pool_id: str, path: str) -> Path:
        """A file on the pool. Raises HypervisorError for a path that leads out of it."""
        folder = self.path(pool_id)
        found = Path(os.path.normpath(folder / path))
        if not path or "\0" in path or found == folder or not found.is_relative_to(folder):
            raise HypervisorError(f"{path!r} is no file on storage pool {pool_id}")
        return found

    def disk(self, disk: DiskSpec) -> Path:
        """The file of a volume."""
        return self.file(disk.pool_id, disk.path)

    def pool_of(self, file: Path) -> str | None:
        """The id of the pool that the file lies on; of several, the one that begins nearest to it."""
        place = Path(os.path.normpath(file))
        found = [pool for pool in self._pools.values() if place.is_relative_to(self._folder(pool))]
        return max(found, key=lambda pool: len(self._folder(pool).parts)).id if found else None

    def is_local(self, pool_id: str) -> bool:
        """Whether this host alone has the pool's files: an instance with disks there migrates with its storage."""
        pool = self._pools.get(pool_id)
        return pool is not None and pool.type == "Filesystem"

    def _folder(self, pool: PoolSpec) -> Path:
        if pool.type == NETWORK:
            return self._mounts / pool.id
        return Path(os.path.normpath(pool.path))

    # mounting

    async def mount(self, pool: PoolSpec) -> PoolStatistics:
        """Make the pool usable, and remember it; again is no error. A pool that has moved is mounted anew."""
        _check(pool)
        async with self._turns.turn(pool.id):
            known = self._pools.get(pool.id)
            if known is not None and known.type == NETWORK and known != pool:
                await unmount(self._folder(known))
            folder = self._folder(pool)
            if pool.type == NETWORK:
                await mount_nfs(pool.host, pool.path, pool.port, folder)
            elif pool.type == "Filesystem":
                await in_thread(f"making the folder of {_at(pool, folder)}", lambda: _make(folder))
            found = await self._measure(pool)
            await in_thread(f"writing to {_at(pool, folder)}", lambda: _try_write(folder))
            self._pools[pool.id] = pool
            self._remember()
        return found

    async def unmount(self, pool: PoolSpec) -> None:
        """Let go of the pool; its content stays. Succeeds if it is not mounted."""
        async with self._turns.turn(pool.id):
            known = self._pools.get(pool.id)
            if known is None:
                return
            if known.type == NETWORK:
                await unmount(self._folder(known))
            del self._pools[pool.id]
            self._remember()

    async def ready(self, pool_id: str) -> Path:
        """The pool's folder, once it is certain that it is there. Raises HypervisorError, saying why, if not."""
        await self.statistics(pool_id)
        return self.path(pool_id)

    async def restore(self) -> None:
        """Mount all pools that are remembered; those that cannot be are logged, and tried again when they are used."""
        for error in await asyncio.gather(*map(self.ready, list(self._pools)), return_exceptions=True):
            if isinstance(error, HypervisorError):
                log.warning("a storage pool is not there: %s", error)
            elif isinstance(error, BaseException):
                raise error

    async def statistics(self, pool_id: str) -> PoolStatistics:
        """Size and use of the file system that the pool lies on, which is mounted if need be."""
        folder = self.path(pool_id)
        if self._pools[pool_id].type == NETWORK and mounted(folder) is None:
            async with self._turns.turn(pool_id):
                pool = self._pools.get(pool_id)
                if pool is not None:
                    await mount_nfs(pool.host, pool.path, pool.port, folder)
        pool = self._pools.get(pool_id)
        if pool is None:
            raise HypervisorError(f"storage pool {pool_id} was unmounted from this host")
        return await self._measure(pool)

    async def _measure(self, pool: PoolSpec) -> PoolStatistics:
        """Ask the file system. One that does not answer keeps one thread, not one more with each question."""
        folder = self._folder(pool)
        loop = asyncio.get_running_loop()
        asking = self._asking.get(pool.id)
        if asking is None or asking.done() or asking.get_loop() is not loop:
            question = in_thread(f"asking {_at(pool, folder)}", lambda: _look(folder), limit=_EVER)
            asking = self._asking[pool.id] = loop.create_task(question)
        done, _ = await asyncio.wait([asking], timeout=QUICK)
        if not done:
            raise HypervisorError(f"{_at(pool, folder)} did not answer within {QUICK:g} s")
        found = asking.result()
        if found is None:
            raise HypervisorError(f"{_at(pool, folder)}: there is no such folder on this host")
        return found


def _at(pool: PoolSpec, folder: Path) -> str:
    return f"storage pool {pool.id} at {folder}"


def _look(folder: Path) -> PoolStatistics | None:
    if not folder.is_dir():
        return None
    found = os.statvfs(folder)
    total = found.f_blocks * found.f_frsize
    return PoolStatistics(total, total - found.f_bfree * found.f_frsize)


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def _check(pool: PoolSpec) -> None:
    if pool.type not in (*FOLDERS, NETWORK):
        raise HypervisorError(f"storage pool {pool.id}: storage of type {pool.type} is not supported on this host")
    if not pool.id or "/" in pool.id or pool.id.startswith("."):
        raise HypervisorError(f"{pool.id!r} is no id of a storage pool")
    if not pool.path.startswith("/"):
        raise HypervisorError(f"storage pool {pool.id}: {pool.path!r} is no absolute path")
    if pool.type == NETWORK and (not pool.host or pool.host.startswith("-")):
        raise HypervisorError(f"storage pool {pool.id}: {pool.host!r} is no file server")


def _try_write(folder: Path) -> None:
    """Raise OSError if nothing can be written there; being root, one learns this only by trying."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"\0")
