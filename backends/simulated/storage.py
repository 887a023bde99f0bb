"""Primary and secondary storage: what lies on them, how much room it takes, and what it costs to reach.

A pool serves its I/O operations in the order in which they come, `iops` in a second, and its disks share
`gbps` among the transfers that read or write them. Contents stay in plain dicts, so that invariants can
see what was left behind.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable

from backends.simulated.flows import Channel
from backends.simulated.topology import Place
from backends.simulated.work import InMemory, OnDisk
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import PoolStatistics


class Content:
    """A file on a pool: a template's copy or a volume.

    `size` is what a guest sees, `taken` the bytes it takes on the pool beside its snapshots (name to
    bytes). `clones` counts the volumes that need it, `user` is who has it open (`i-2-7-VM@host`). It is
    `unfinished` until all of it is there. `work` is what it knows of the work of the guest whose root disk it
    is, and `work_then` what it knew, and the guest's memory, at each of the snapshots.
    """

    __slots__ = ("clones", "parent", "size", "snapshots", "taken", "unfinished", "user", "work", "work_then")

    def __init__(self, size: int, taken: int, parent: str | None = None) -> None:
        self.size = size
        self.taken = taken
        self.parent = parent
        self.clones = 0
        self.snapshots: dict[str, int] = {}
        self.user: str | None = None
        self.unfinished = False
        self.work: OnDisk | None = None
        self.work_then: dict[str, tuple[OnDisk | None, InMemory | None]] | None = None


class Pool:
    """Primary storage. `used` is at all times the sum over what lies on it, and `ballast`."""

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        capacity: int,
        iops: float,
        bandwidth: float,
        written_share: float,
    ) -> None:
        self.name = name
        self.place = place
        self.capacity = capacity
        self.iops = iops
        self.bandwidth = bandwidth
        self.written_share = written_share
        self.ids: set[str] = set()
        """The ids under which hosts have mounted it."""
        self.disks = Channel(f"{name} disks", bandwidth)
        self.contents: dict[str, Content] = {}
        self.used = 0
        self.ballast = 0
        """Bytes taken by nothing of the cloud's: a fault that fills the pool."""
        self.slowness = 1.0
        self._free_at = 0.0
        self._copies: dict[str, _SharedCopy] = {}

    def statistics(self) -> PoolStatistics:
        return PoolStatistics(self.capacity, self.used)

    def written(self, size: int) -> int:
        """The bytes that a new thin volume of this size takes."""
        return math.ceil(size * self.written_share)

    def find(self, path: str) -> Content:
        """The file at that path. Raises HypervisorError if there is none."""
        content = self.contents.get(path)
        if content is None:
            raise HypervisorError(f"there is no {path} on pool {self.name}")
        return content

    def add(self, path: str, content: Content) -> None:
        """Put a file. Raises HypervisorError if the path is taken, its parent missing, or the pool too full."""
        if path in self.contents:
            raise HypervisorError(f"{path} exists on pool {self.name} already")
        parent = None if content.parent is None else self.find(content.parent)
        self.take(content.taken, path)
        if parent is not None:
            parent.clones += 1
        self.contents[path] = content

    def take(self, size: int, what: str) -> None:
        """Account for `size` more bytes (less, if negative). Raises HypervisorError if they do not fit."""
        if size > 0 and self.used + size > self.capacity:
            raise HypervisorError(
                f"pool {self.name} is full: {what} needs {size} bytes, "
                f"and {self.used} of {self.capacity} are used"
            )
        self.used += size

    def remove(self, path: str) -> None:
        """Delete the file; nothing if there is none. Raises HypervisorError while something needs it."""
        content = self.contents.get(path)
        if content is None:
            return
        if content.user is not None:
            raise HypervisorError(f"{path} on pool {self.name} is in use by {content.user}")
        if content.clones:
            raise HypervisorError(f"{path} on pool {self.name} has {content.clones} clones")
        del self.contents[path]
        self.used -= content.taken + sum(content.snapshots.values())
        if content.parent is not None:
            parent = self.contents.get(content.parent)
            if parent is not None:
                parent.clones -= 1

    def fill(self) -> None:
        """Take all the room that is left."""
        self.ballast += max(0, self.capacity - self.used)
        self.used = max(self.used, self.capacity)

    def unfill(self) -> None:
        """Give back what `fill` took."""
        self.used -= self.ballast
        self.ballast = 0

    async def serve(self, operations: float) -> None:
        """Wait until the pool has done this many I/Os, after those that it was asked for before."""
        if operations <= 0:
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._free_at = max(self._free_at, now) + operations / self.iops * self.slowness
        await asyncio.sleep(self._free_at - now)

    async def copy_once(self, path: str, size: int, copying: Callable[[], Awaitable[object]]) -> Content:
        """The file at `path`, brought by `copying()` if it is not there; who comes meanwhile waits for it too.

        A failure reaches all who wait. If they all give up, so does the copy. Either way nothing is left.
        """
        shared = self._copies.get(path)
        if shared is None:
            if path in self.contents:
                return self.contents[path]
            self.take(size, path)
            shared = self._copies[path] = _SharedCopy(Content(size, size), _run(copying))
            shared.task.add_done_callback(lambda task: self._copied(path, shared))
        shared.waiting += 1
        try:
            await asyncio.wait((shared.task,))  # a shield would keep a failure for who does not wait any more
            shared.task.result()
            return shared.content
        finally:
            shared.waiting -= 1
            if shared.waiting == 0 and not shared.task.done():
                del self._copies[path]  # whoever comes now starts anew
                shared.task.cancel()

    def _copied(self, path: str, shared: _SharedCopy) -> None:
        if self._copies.get(path) is shared:
            del self._copies[path]
        if shared.task.cancelled() or shared.task.exception() is not None:
            self.used -= shared.content.taken
        else:
            self.contents[path] = shared.content


def _run(copying: Callable[[], Awaitable[object]]) -> asyncio.Task[object]:
    async def run() -> object:
        return await copying()

    return asyncio.get_running_loop().create_task(run())


class _SharedCopy:
    __slots__ = ("content", "task", "waiting")

    def __init__(self, content: Content, task: asyncio.Task[object]) -> None:
        self.content = content
        self.task = task
        self.waiting = 0


class Part:
    """What there is of a file that is being downloaded: the first `done` of the `size` bytes that `url` serves."""

    __slots__ = ("done", "size", "url")

    def __init__(self, url: str, size: int) -> None:
        self.url = url
        self.size = size
        self.done = 0


class ImageStore:
    """Secondary storage: path to size in bytes.

    A path that it has never heard of is taken to have been put there by hand, as operators do with
    system VM templates and as CloudStack's simulator does with its built-in one; one that was deleted is gone.
    """

    def __init__(self, url: str, place: Place, *, capacity: int, bandwidth: float) -> None:
        self.url = url
        self.place = place
        self.capacity = capacity
        self.disks = Channel(f"{url} disks", bandwidth)
        self.files: dict[str, int] = {}
        self.deleted: set[str] = set()
        self.parts: dict[str, Part] = {}
        """Downloads that are under way or broke off, by the path that they are to have; their room is taken."""
        self.work: dict[str, OnDisk] = {}
        """What a root disk knew of work, by the path of its backup."""
        self.used = 0

    def find(self, path: str, size: int) -> int:
        """The size of a file that should be there. Raises HypervisorError if it was deleted."""
        if path not in self.files:
            if path in self.deleted:
                raise HypervisorError(f"there is no {path} in secondary storage {self.url}")
            self.add(path, size)
        return self.files[path]

    def add(self, path: str, size: int) -> None:
        """Put a file, in place of what was there. Raises HypervisorError if it does not fit."""
        used = self.used - self.files.get(path, 0) + size
        if used > self.capacity:
            raise HypervisorError(
                f"secondary storage {self.url} is full: {path} needs {size} bytes, "
                f"and {self.used} of {self.capacity} are used"
            )
        self.used = used
        self.files[path] = size
        self.work.pop(path, None)
        self.deleted.discard(path)

    def begin(self, path: str, url: str, size: int) -> Part:
        """Take room for a download, in place of an earlier one. Raises HypervisorError if it does not fit."""
        self.give_up(path)
        if self.used + size > self.capacity:
            raise HypervisorError(
                f"secondary storage {self.url} is full: {path} needs {size} bytes, "
                f"and {self.used} of {self.capacity} are used"
            )
        self.used += size
        part = self.parts[path] = Part(url, size)
        return part

    def give_up(self, path: str) -> None:
        """Remove what there is of a download, if anything."""
        part = self.parts.pop(path, None)
        if part is not None:
            self.used -= part.size

    def finish(self, path: str) -> None:
        """The download is whole: it is a file from now on."""
        size = self.parts[path].size
        self.give_up(path)
        self.add(path, size)

    def remove(self, path: str) -> None:
        """Delete a file, and what there is of its download; nothing if there is none."""
        self.give_up(path)
        self.used -= self.files.pop(path, 0)
        self.work.pop(path, None)
        self.deleted.add(path)
