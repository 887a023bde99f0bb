"""Instances on a libvirt host: stop, reboot, suspend, resume, resize, and which there are.

Domains are transient: one that stops, by itself or not, is gone from libvirt, and no old definition can ever
start.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec

from backends.libvirt import instance_files
from backends.libvirt.bounded import in_thread
from backends.libvirt.connection import NoSuchInstance
from backends.libvirt.domain_state import Presence
from backends.libvirt.domain_xml import cpu_quota
from backends.libvirt.sizing import resize
from backends.libvirt.starts import SLOW, Starts
from cloudsim.hypervisor import HypervisorError, note_step
from cloudsim.protocol.specs import VmReport

log = logging.getLogger(__name__)

PRESS_AGAIN = 10.0
"""Seconds after which the power button is pressed again: a guest that is booting does not hear it."""

LOOK_AGAIN = 0.25
"""Seconds between looks whether a guest has shut down."""


class Instances(Starts):
    """The life cycle methods of `LibvirtHypervisor`."""

    _seen: frozenset[str] = frozenset()
    """Instances of the cloud's that ran here when they were last listed."""
    _waiting_for_room: frozenset[str] = frozenset()

    # stopping

    async def stop_vm(self, name: str, forced: bool) -> None:
        """As `Hypervisor.stop_vm`: the power button, and after `stop_within` seconds the plug."""
        here = await self._presence(name)
        if here is not None and here.on:
            pull = forced or here.paused  # a paused guest cannot react to anything
            if pull or not await self._shut_down(name):
                await self._destroy(name)
        await self._forget(name)

    async def _shut_down(self, name: str) -> bool:
        """Whether the guest went within its time."""
        began = time.monotonic()
        gone = await self._pressing(
            name,
            lambda domain: domain.shutdownFlags(1),  # VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN
            lambda: self._is_off(name),
        )
        note_step("vm_shutdown", time.monotonic() - began)
        return gone

    async def _pressing(
        self, name: str, button: Callable[[Any], object], done: Callable[[], Awaitable[bool]]
    ) -> bool:
        """Press the button again and again until it is `done`; False if that is not so after `stop_within`
        seconds."""
        began = pressed = time.monotonic()
        end = began + self.settings.stop_within
        await self.connection.domain_call(name, f"asking {name} to shut down", button)
        while not await done():
            now = time.monotonic()
            if now >= end:
                return False
            if now - pressed >= PRESS_AGAIN:
                pressed = now
                try:
                    await self.connection.domain_call(name, f"asking {name} to shut down", button)
                except HypervisorError as error:
                    log.info("%s", error)  # it may be off just now; else its time runs out
            await asyncio.sleep(min(LOOK_AGAIN, end - now))
        return True

    async def _is_off(self, name: str) -> bool:
        here = await self._presence(name)
        return here is None or not here.on

    async def _destroy(self, name: str) -> None:
        """Pull the plug. Succeeds if there is none."""
        began = time.monotonic()
        limit = SLOW * self.settings.libvirt_timeout
        try:
            await self.connection.domain_call(
                name, f"stopping {name}", lambda domain: domain.destroy(), limit
            )
        except NoSuchInstance:
            return
        except HypervisorError:
            if not await self._is_off(name):
                raise
        note_step("forced_stop", time.monotonic() - began)

    async def _forget(self, name: str) -> None:
        """All that an instance that runs no more has on this host."""
        self._seen -= {name}
        spec = self.kept.get(name)
        if spec is not None:
            try:
                await self.networks.forget(spec)
            except HypervisorError as error:  # `GuestNetworks.restore` finds it again
                log.warning("something of the networks of %s stays: %s", name, error)
        data = self.settings.data
        await in_thread(f"removing the files of {name}", lambda: instance_files.remove(data, name))
        self.kept.remove(name)

    async def _logged(self, what: str, doing: Callable[[], Awaitable[None]]) -> None:
        try:
            await doing()
        except Exception:
            log.exception("%s", what)

    # while it runs

    async def reboot_vm(self, name: str, forced: bool) -> None:
        """As `Hypervisor.reboot_vm`. The guest shuts down by the power button, and its machine is reset
        instead of ended; one that has not done so within `stop_within` seconds is reset at once."""
        spec, since = self.kept.get(name), time.time()
        here = await self._presence(name)
        pull = forced or (here is not None and here.paused)
        if pull or not await self._restart_by_button(name):
            since = time.time()
            began = time.monotonic()
            await self.connection.domain_call(name, f"resetting {name}", lambda domain: domain.reset(0))
            note_step("forced_stop", time.monotonic() - began)
        if spec is not None:
            await self._await_guest(spec, since)

    async def _restart_by_button(self, name: str) -> bool:
        loop = asyncio.get_running_loop()
        restarted = asyncio.Event()

        def tell(*_event: object) -> None:
            loop.call_soon_threadsafe(restarted.set)

        def listen(domain: Any) -> tuple[Any, int]:
            import libvirt

            connection = domain.connect()
            kind = libvirt.VIR_DOMAIN_EVENT_ID_REBOOT
            return connection, connection.domainEventRegisterAny(domain, kind, tell, None)

        async def done() -> bool:
            return restarted.is_set()

        began = time.monotonic()
        watch = self.connection.apart()
        connection, number = await watch.domain_call(name, f"watching {name}", listen)
        try:
            # VIR_DOMAIN_REBOOT_ACPI_POWER_BTN: libvirt resets the machine when the guest has shut down.
            if await self._pressing(name, lambda domain: domain.reboot(1), done):
                note_step("vm_shutdown", time.monotonic() - began)
                return True
            return False
        finally:
            await self._logged(
                f"no longer watching {name}",
                lambda: in_thread(f"no longer watching {name}", lambda: _unlisten(connection, number)),
            )
            await watch.close()

    async def suspend_vm(self, name: str) -> None:
        """As `Hypervisor.suspend_vm`; one that is paused stays so."""
        await self.connection.domain_call(name, f"suspending {name}", lambda domain: domain.suspend())

    async def resume_vm(self, name: str) -> None:
        """As `Hypervisor.resume_vm`; one that runs goes on."""

        def resume(domain: Any) -> None:
            if Presence.of(domain).paused:
                domain.resume()

        await self.connection.domain_call(name, f"resuming {name}", resume)

    async def scale_vm(self, name: str, cpus: int, cpu_mhz: int, memory_mib: int) -> None:
        """As `Hypervisor.scale_vm`, up to the most that the instance was started with."""
        spec = self.kept.get(name)
        limited = spec is not None and spec.limit_cpu
        quota = cpu_quota(cpu_mhz, (await self.facts()).cpu_mhz) if limited else None
        await self.connection.domain_call(
            name, f"resizing {name}", lambda domain: resize(domain, cpus, cpu_mhz, memory_mib, quota)
        )
        if spec is not None:
            sized = {"cpus": cpus, "cpu_mhz": cpu_mhz, "memory_mib": memory_mib}
            self.kept.put(msgspec.structs.replace(spec, **sized))

    # which there are

    def inventory(self) -> tuple[VmReport, ...] | None:
        """libvirt has to be asked: `vm_states`."""
        return None

    async def vm_states(self) -> tuple[VmReport, ...]:
        """As `Hypervisor.vm_states`. What instances leave that have shut down by themselves is cleared up, and those
        that wait for room on full storage try again."""

        def ask(connection: Any) -> dict[str, Presence]:
            import libvirt

            domains = connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE, 0)
            return {
                domain.name(): Presence(domain.UUIDString(), told["state.state"], told["state.reason"])
                for domain, told in domains
            }

        found = await self.connection.call(f"listing instances on {self.settings.name}", ask)
        await self._clear_up(found)
        await self._retry_writes({name for name, here in found.items() if here.lacks_room} & self._seen)
        return tuple(VmReport(name, here.id, here.power) for name, here in found.items())

    async def _clear_up(self, found: dict[str, Presence]) -> None:
        on = {name for name, here in found.items() if here.on}
        gone = self._seen - on - self._starting
        self._seen = frozenset(name for name in on if self.kept.get(name) is not None)
        for name in gone:
            await self._logged(f"clearing up after {name}", partial(self._forget, name))

    async def _retry_writes(self, names: set[str]) -> None:
        for name in names - self._waiting_for_room:
            log.warning("instance %s is paused: there is no room for what it writes to its disk", name)
        for name in self._waiting_for_room - names:
            log.info("instance %s waits for room no more", name)
        self._waiting_for_room = frozenset(names)
        for name in sorted(names):
            try:
                await self.resume_vm(name)
            except HypervisorError as error:
                log.info("%s", error)

    async def _presence(self, name: str) -> Presence | None:
        try:
            return await self.connection.domain_call(name, f"looking up {name}", Presence.of)
        except NoSuchInstance:
            return None


def _unlisten(connection: Any, number: int) -> None:
    """The connection may be gone by now, and with it the watch."""
    import libvirt

    try:
        connection.domainEventDeregisterAny(number)
    except libvirt.libvirtError as error:
        log.debug("%s", error)
