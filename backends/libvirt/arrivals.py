"""A host that instances migrate to: it makes ready, guards what comes, and clears up after what does not
come.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.libvirt import instance_files, qemu_img
from backends.libvirt.bounded import in_thread
from backends.libvirt.config_drive import config_drive
from backends.libvirt.connection import Connection, NoSuchInstance
from backends.libvirt.domain_state import Presence, taps
from backends.libvirt.domain_xml import check
from backends.libvirt.made_disks import MadeDisks
from backends.libvirt.settings import HostSettings
from backends.libvirt.storage import StorageBase, exists
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import DiskSpec, ImageSpec, VmSpec

log = logging.getLogger(__name__)

ARRIVE_WITHIN = 900.0
"""Seconds after which an instance is not awaited any more whose migration has not begun."""

LOOK_AGAIN = 1.0
"""Seconds between looks whether it has come, where libvirt's events do not say so before."""


class Arrivals(StorageBase):
    """`prepare_migration` of `LibvirtHypervisor`.

    The instance's domain is here, paused, from when its migration begins; its NICs are guarded then, so that
    the guest never runs here unguarded.
    """

    if TYPE_CHECKING:  # of its other parts
        _starting: frozenset[str]

        async def image_file(self, image: ImageSpec) -> Path: ...
        async def _forget(self, name: str) -> None: ...

    def __init__(self, settings: HostSettings) -> None:
        super().__init__(settings)
        self._made = MadeDisks(settings.data / "arrivals")
        self._watches: dict[str, asyncio.Task[None]] = {}

    async def prepare_migration(self, vm: VmSpec) -> dict[str, str]:
        """As `Hypervisor.prepare_migration`. Again is no error.

        A disk that is missing on this host's own storage is made, empty, to be filled by a migration with
        storage. What was prepared for an instance that does not come is taken away again.
        """
        check(vm)
        what = f"making ready for {vm.name}"
        if vm.name in self._starting or await self._seen_here(vm.name) is not None:
            raise HypervisorError(f"{what}: it is on this host already")
        await self._end_watch(vm.name)
        lacking = await self._lacking(vm, what)
        if vm.iso is not None:
            await self.image_file(vm.iso)
        try:
            await self._make(vm.name, lacking)
            self.kept.put(vm)
            await self.networks.prepare(vm)
            data = self.settings.data
            await in_thread(what, lambda: instance_files.make_ready(data, vm.name))
            if vm.config_drive:
                await config_drive(vm, instance_files.config_drive_folder(data, vm.name))
        except BaseException:
            await self._clear_away(vm.name, never_ran=True)
            raise
        self._watch(vm)
        return {disk.volume_id: str(self.pools.disk(disk)) for disk in vm.disks}

    async def resume_arrivals(self) -> None:
        """The agent starts: await what is on its way here, and clear up after what an earlier agent
        awaited.
        """
        for vm in list(self.kept):
            here = await self._seen_here(vm.name)
            if here is not None and here[0].migrating:
                self._watch(vm)
        for name in await in_thread("looking for awaited instances", self._made.names):
            if name in self._watches:
                continue
            if await self._seen_here(name) is not None:
                await in_thread(f"keeping the disks of {name}", partial(self._made.arrived, name))
            else:
                await self._remove_made(name, never_ran=False)

    async def end_watches(self) -> None:
        """The agent stops. What is awaited stays prepared."""
        for task in self._watches.values():
            task.cancel()
        await asyncio.gather(*self._watches.values(), return_exceptions=True)
        self._watches.clear()

    # its disks

    async def _lacking(self, vm: VmSpec, what: str) -> list[DiskSpec]:
        lacking = []
        for disk in vm.disks:
            await self.pools.ready(disk.pool_id)
            path = self.pools.disk(disk)
            if await exists(path):
                continue
            if not self.pools.is_local(disk.pool_id):
                raise HypervisorError(f"{what}: its disk {disk.volume_id} is not at {path}")
            lacking.append(disk)
        return lacking

    async def _make(self, name: str, disks: list[DiskSpec]) -> None:
        noted: dict[Path, int] = {}
        for disk in disks:
            path = self.pools.disk(disk)
            async with self.unfinished.beside(path) as new:
                await qemu_img.create(new, disk.size)
                noted[path] = (await in_thread(f"looking at {new}", new.stat)).st_mtime_ns
                await in_thread(f"noting the disks of {name}", lambda: self._made.note(name, noted))
                if not await self.unfinished.put(new, path):
                    raise HypervisorError(
                        f"making ready for {name}: {path} has just been made by somebody else"
                    )

    async def _remove_made(self, name: str, never_ran: bool) -> None:
        what = f"removing the disks made for {name}"
        for disk in await in_thread(what, lambda: self._made.remove(name, written_too=never_ran)):
            log.warning(
                "%s was made for %s, which is not here: it stays, as it has been written to", disk, name
            )

    # its coming

    def _watch(self, vm: VmSpec) -> None:
        task = asyncio.get_running_loop().create_task(self._await_arrival(vm))
        self._watches[vm.name] = task
        task.add_done_callback(lambda done: self._watch_ended(vm.name, done))

    def _watch_ended(self, name: str, task: asyncio.Task[None]) -> None:
        if self._watches.get(name) is task:
            del self._watches[name]
        if not task.cancelled() and task.exception() is not None:
            log.error("awaiting %s failed", name, exc_info=task.exception())

    async def _end_watch(self, name: str) -> None:
        """Nothing of an earlier attempt is to be mistaken for this one's."""
        task = self._watches.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        await self._remove_made(name, never_ran=task is not None)

    async def _await_arrival(self, vm: VmSpec) -> None:
        events = _Events(vm.name, self.connection.apart())
        try:
            await self._listen(vm.name, events)
            if await self._comes(vm, events):
                await in_thread(f"keeping the disks of {vm.name}", lambda: self._made.arrived(vm.name))
            else:
                log.info("instance %s did not arrive", vm.name)
                await self._clear_away(vm.name, never_ran=events.reliable and not events.ran)
        finally:
            await self._unlisten(events)

    async def _comes(self, vm: VmSpec, events: _Events) -> bool:
        """Whether it came; its NICs are guarded then."""
        seen = guarded = False
        end = time.monotonic() + ARRIVE_WITHIN
        while True:
            try:
                here = await self._seen_here(vm.name)
                if here is None:
                    if (seen or time.monotonic() > end) and vm.name not in self._starting:
                        return False
                elif here[0].starting_up:  # it has not come, and its cards may not be there yet
                    seen = True
                elif here[0].power != "PowerOff":  # else it is being made, or being taken away after all
                    seen = True
                    if not guarded:
                        await self.networks.guard(vm, taps(here[1]))
                        guarded = True
                    if here[0].power == "PowerOn":
                        return True
            except Exception as error:  # as long as it may come, somebody has to guard it
                log.warning(
                    "awaiting %s: %s", vm.name, error, exc_info=not isinstance(error, HypervisorError)
                )
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN):
                    await events.news.wait()
            events.news.clear()

    async def _seen_here(self, name: str) -> tuple[Presence, str] | None:
        """The domain's state and XML; None if there is none."""
        try:
            return await self.connection.domain_call(
                name, f"looking up {name}", lambda domain: (Presence.of(domain), str(domain.XMLDesc(0)))
            )
        except NoSuchInstance:
            return None

    async def _clear_away(self, name: str, never_ran: bool) -> None:
        """It did not come: nothing of it is to stay here."""
        try:
            await self._forget(name)
        except Exception:
            log.exception("clearing up after %s, which did not arrive", name)
        await self._remove_made(name, never_ran)

    async def _listen(self, name: str, events: _Events) -> None:
        loop = asyncio.get_running_loop()

        def tell(_connection: Any, domain: Any, event: int, detail: int, _opaque: Any) -> None:
            if domain.name() == name:
                with suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(events.heard, event, detail)

        def listen(connection: Any) -> tuple[Any, int]:
            import libvirt

            kind = libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE
            return connection, connection.domainEventRegisterAny(None, kind, tell, None)

        try:
            events.source = await events.connection.call(f"awaiting {name}", listen)
        except HypervisorError as error:
            log.warning("no events of %s, looking now and then instead: %s", name, error)

    async def _unlisten(self, events: _Events) -> None:
        if events.source is not None:
            connection, number = events.source
            with suppress(Exception):  # the connection may be gone, and with it what was registered on it
                await asyncio.shield(
                    in_thread("unlisten", lambda: connection.domainEventDeregisterAny(number))
                )
        await asyncio.shield(events.connection.close())


class _Events:
    """What libvirt has said of an instance that is awaited."""

    def __init__(self, name: str, connection: Connection) -> None:
        self.name = name
        self.connection = connection
        self.news = asyncio.Event()
        self.ran = False
        self.source: tuple[Any, int] | None = None

    def heard(self, event: int, _detail: int) -> None:
        import libvirt

        if event == libvirt.VIR_DOMAIN_EVENT_RESUMED:
            self.ran = True
        self.news.set()

    @property
    def reliable(self) -> bool:
        """Whether nothing can have gone unheard."""
        return self.source is not None and bool(self.source[0].isAlive())
