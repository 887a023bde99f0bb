"""Starting instances on a libvirt host. A guest begins to run only when its networks are guarded."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.libvirt import firmware, instance_files
from backends.libvirt.bounded import in_thread
from backends.libvirt.config_drive import config_drive
from backends.libvirt.console import Consoles, new_password
from backends.libvirt.domain_state import Presence, taps
from backends.libvirt.domain_xml import DomainSetting, check, domain_xml, needs_q35
from backends.libvirt.systemvms.base_plan import stores_of
from cloudsim.hypervisor import HypervisorError, note_step
from cloudsim.protocol.specs import ConsoleAddress, VmSpec

if TYPE_CHECKING:
    from backends.libvirt.accel import Acceleration
    from cloudsim.protocol.specs import HostFacts, ImageSpec

log = logging.getLogger(__name__)

UNDO_FIRST, UNDO_LONGEST = 0.5, 15.0
"""Seconds between attempts to take away what a failed start has left: the first wait, and what its doubling ends at."""

SETTLED = 1.0
"""Seconds that a libvirt which answers again may take to begin what it was asked before."""

SLOW = 4.0
"""Starting and destroying may take so many times as long as calls that should be quick."""


class _Attempt:
    """A start, as the thread that has libvirt create the domain and the one that waits for it know it."""

    def __init__(self) -> None:
        self.given_up = threading.Event()
        self.sent = False
        self.answered = threading.Event()

    @property
    def is_open(self) -> bool:
        """Whether libvirt may still create the domain."""
        return self.sent and not self.answered.is_set()


class Starts(Consoles):
    """`start_vm` of `LibvirtHypervisor`."""

    if TYPE_CHECKING:  # of its other parts
        acceleration: Acceleration

        async def facts(self) -> HostFacts: ...
        async def image_file(self, image: ImageSpec) -> Path: ...
        async def store_folder(self, store_url: str) -> Path: ...
        async def _presence(self, name: str) -> Presence | None: ...
        async def _destroy(self, name: str) -> None: ...
        async def _forget(self, name: str) -> None: ...
        async def _logged(self, what: str, doing: Callable[[], Awaitable[None]]) -> None: ...

    _starting: frozenset[str] = frozenset()

    async def start_vm(self, vm: VmSpec) -> ConsoleAddress | None:
        """As `Hypervisor.start_vm`. One that is here but paused goes on.

        On an error the manager starts it on another host, so when this raises the instance does not run here for
        certain. Should libvirt fail in the middle, it takes until libvirt answers again.
        """
        check(vm)
        began = time.monotonic()
        here = await self._before_start(vm)
        self._starting |= {vm.name}
        attempt = _Attempt()
        try:
            try:
                since, address = await self._start(vm, here, attempt)
                took = time.monotonic() - began
                if vm.system is not None:  # it is of no use before it answers
                    await self._await_guest(vm, time.time())
            except BaseException:
                attempt.given_up.set()
                await self._undo_start(vm, attempt)
                raise
            self.kept.started(vm.name)
            if since is not None:
                note_step("vm_define", took)
                if vm.system is None:
                    await self._await_guest(vm, since)
        finally:
            self._starting -= {vm.name}
        return address

    async def _before_start(self, vm: VmSpec) -> Presence | None:
        """The instance's domain, if it has one; the start is refused if it must not be touched."""
        try:
            here = await self._presence(vm.name)
        except HypervisorError:
            known = self.kept.get(vm.name)
            if known is not None and known.id == vm.id:  # an earlier agent may have started it
                await self._undo_start(vm, _Attempt())
            raise
        if here is not None and here.id != vm.id:
            raise HypervisorError(
                f"instance {vm.name} cannot start: another one, {here.id}, has its name here"
            )
        if here is not None and here.migrating:
            raise HypervisorError(f"instance {vm.name} cannot start: it is just being migrated")
        return here

    async def _start(
        self, vm: VmSpec, here: Presence | None, attempt: _Attempt
    ) -> tuple[float | None, ConsoleAddress]:
        """When the guest began to run (Unix time; None: it ran before), and its console."""
        if here is None or not here.on:
            return await self._start_new(vm, attempt)
        if here.paused:
            self.kept.put(vm)
            await self.networks.prepare(vm)
            return await self._let_run(vm)
        return None, await self.console(vm.name)

    async def _start_new(self, vm: VmSpec, attempt: _Attempt) -> tuple[float, ConsoleAddress]:
        await self._check_firmware(vm)
        disks = {disk.volume_id: self.pools.disk(disk) for disk in vm.disks}
        for disk in vm.disks:
            file = disks[disk.volume_id]
            if not await in_thread(f"looking for the disks of {vm.name}", file.exists):
                raise HypervisorError(
                    f"instance {vm.name} cannot start: its disk {disk.volume_id} is not at {file}"
                )
        iso = await self.image_file(vm.iso) if vm.iso is not None else None
        self.kept.starting(vm)
        bridges = await self.networks.prepare(vm)
        data = self.settings.data
        await in_thread(f"making ready for {vm.name}", lambda: instance_files.make_ready(data, vm.name))
        drive = None
        if vm.config_drive:
            drive = await config_drive(vm, instance_files.config_drive_folder(data, vm.name))
        setting = DomainSetting(
            acceleration=self.acceleration.type,
            disks=disks,
            bridges=bridges,
            console_log=instance_files.console_log(data, vm.name),
            vnc_listen=self.settings.vnc_listen,
            vnc_password=new_password(),
            iso=iso,
            config_drive=drive,
            host_mhz=(await self.facts()).cpu_mhz if vm.limit_cpu else 0,
            shares={tag: await self.store_folder(url) for url, (tag, _) in stores_of(vm).items()},
        )
        await self._create(vm, domain_xml(vm, setting), attempt)
        return await self._let_run(vm)

    async def _create(self, vm: VmSpec, xml: str, attempt: _Attempt) -> None:
        """The domain, paused. One that libvirt makes after all when nobody waits for it any more is taken
        away."""

        def create(connection: Any) -> None:
            import libvirt

            if attempt.given_up.is_set():
                return
            attempt.sent = True
            try:
                domain = connection.createXML(xml, libvirt.VIR_DOMAIN_START_PAUSED)
            finally:
                if connection.isAlive():
                    attempt.answered.set()
            if attempt.given_up.is_set():
                domain.destroy()

        limit = SLOW * self.settings.libvirt_timeout
        await self.connection.call(f"starting {vm.name}", create, limit, payload=xml)

    async def _let_run(self, vm: VmSpec) -> tuple[float, ConsoleAddress]:
        """Guard the networks of the paused domain, then let it run; when that was (Unix time), and its
        console."""
        xml = await self.connection.find(vm.name)
        if xml is None:
            raise HypervisorError(f"instance {vm.name} ended while it was being started")
        await self.networks.guard(vm, taps(xml))
        since = time.time()
        await self.connection.domain_call(vm.name, f"starting {vm.name}", lambda domain: domain.resume())
        return since, await self.console(vm.name)

    async def _await_guest(self, vm: VmSpec, since: float) -> None:
        limit = self.settings.wait_for_guest
        nic = next((nic for nic in vm.nics if "Dhcp" in nic.services), None)
        if limit <= 0 or nic is None:
            return
        began = time.monotonic()
        try:
            awake = await self.networks.awaited(nic, since, limit)
        except HypervisorError as error:
            log.warning("whether instance %s is up cannot be seen: %s", vm.name, error)
            return
        if awake:
            note_step("vm_boot", time.monotonic() - began)
        else:
            log.warning("instance %s has taken no address within %g s of its start", vm.name, limit)

    async def _check_firmware(self, vm: VmSpec) -> None:
        if vm.firmware != "UEFI":
            return
        machine, kind = "q35" if needs_q35(vm) else "pc", self.acceleration.type
        capabilities = await self.connection.call(
            f"looking for firmware for {vm.name}",
            lambda connection: str(connection.getDomainCapabilities(None, "x86_64", machine, kind, 0)),
        )
        lack = firmware.missing(capabilities, vm)
        if lack is not None:
            raise HypervisorError(lack)

    async def _undo_start(self, vm: VmSpec, attempt: _Attempt) -> None:
        """Take away what there is of it; returns when libvirt has said that its domain is gone."""
        wait = UNDO_FIRST
        may_come = attempt.is_open
        while True:
            try:
                await self._destroy(vm.name)
                if not may_come:
                    break
                may_come, wait = False, SETTLED
            except HypervisorError as error:
                log.warning(
                    "what a failed start left of %s cannot be taken away, again in %g s: %s", vm.name, wait, error
                )
            await asyncio.sleep(wait)
            wait = min(2 * wait, UNDO_LONGEST)
        await self._logged(f"clearing up after the failed start of {vm.name}", lambda: self._forget(vm.name))

    async def drop_unfinished_starts(self) -> None:
        """At the agent's start: take away what an earlier agent was starting and had not let run.

        The manager asks for it again if it still wants it; if not, it would be paused for ever. Raises HypervisorError.
        """
        for name in self.kept.unfinished():
            spec, here = self.kept.get(name), await self._presence(name)
            if spec is not None and here is not None and here.id == spec.id and here.paused and not here.migrating:
                log.info("the start of %s was interrupted, and is undone", name)
                await self._destroy(name)
            self.kept.started(name)
