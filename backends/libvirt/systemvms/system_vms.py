"""`ask_system_vm` of `LibvirtHypervisor`, and what is different about instances that are system VMs.

One that is a machine is a domain like others, but it is up only when it answers, and is then told who it is. One that is
a namespace is no domain at all: what the host does to instances is done to the namespace here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
from msgspec.structs import replace

from backends.libvirt.devices import Devices
from backends.libvirt.instances import Instances
from backends.libvirt.migration import Migration
from backends.libvirt.settings import HostSettings
from backends.libvirt.statistics import Statistics
from backends.libvirt.systemvms.base_plan import plan_of
from backends.libvirt.systemvms.channel import Channel
from backends.libvirt.systemvms.namespaces import Namespaces
from backends.systemvm.plan import CHANNEL, Plan
from backends.systemvm.rendering.router import render
from cloudsim.hypervisor import NO_FILES, HypervisorError, note_step
from cloudsim.protocol.specs import ConsoleAddress, NicSpec, VmReport, VmSpec, VmStatistics
from cloudsim.protocol.systemvm import AnyReply, AnyRequest, ConfigureRouter, Done, Ping, Pong

log = logging.getLogger(__name__)

ANSWERS_WITHIN = 55.0
"""Seconds for a request: less than the manager waits, so that it is told what was wrong."""
PING_AGAIN = 2.0
"""Seconds after which a machine that is booting is asked again."""
SLOW_AFTER, SLOW_PING_AGAIN = 60.0, 10.0
"""One that is not there by then is on a slow host, and has more time for each answer."""


class SystemVms(Instances, Devices, Migration, Statistics):
    """Goes before the other parts of `LibvirtHypervisor`."""

    def __init__(self, settings: HostSettings) -> None:
        super().__init__(settings)
        self.namespaces = Namespaces(settings.data)
        self._channels: dict[str, Channel] = {}

    # asking

    async def ask_system_vm(self, name: str, request: AnyRequest) -> AnyReply:
        """As `Hypervisor.ask_system_vm`. One that has lost its memory, because it restarted, is told who it is first."""
        reply = await self._asked(name, request)
        if isinstance(request, Ping) and isinstance(reply, Pong) and not reply.role:
            reply = await self._told(name)
        return reply

    async def _asked(self, name: str, request: AnyRequest, limit: float = ANSWERS_WITHIN) -> AnyReply:
        if isinstance(request, ConfigureRouter):
            vm = self.kept.get(name)
            role = vm.system.role if vm is not None and vm.system is not None else "router"
            try:
                plan = replace(render(request.configuration), number=request.number, role=role)
            except ValueError as error:
                return Done(error=str(error))
            return await self._apply(name, plan, limit)
        return await self._exchange(name, msgspec.to_builtins(request), limit)

    async def _apply(self, name: str, plan: Plan, limit: float) -> AnyReply:
        return await self._exchange(name, {"type": "ApplyPlan", "plan": msgspec.to_builtins(plan)}, limit)

    async def _exchange(self, name: str, request: dict[str, Any], limit: float) -> AnyReply:
        channel = await self._channel(name)
        try:
            reply = await channel.ask(request, limit)
        except HypervisorError:
            if self._channels.get(name) is channel:
                del self._channels[name]
            await channel.close()
            raise
        try:
            found: AnyReply = msgspec.convert(reply, AnyReply)
            return found
        except msgspec.ValidationError as error:
            raise HypervisorError(f"system VM {name} replied what is no reply: {error}") from None

    async def _channel(self, name: str) -> Channel:
        path = str(self.namespaces.socket(name)) if self.namespaces.has(name) else await self._socket_of(name)
        channel = self._channels.get(name)
        if channel is None or channel.path != path:
            if channel is not None:
                await channel.close()
            channel = self._channels[name] = Channel(name, path)
        return channel

    async def _socket_of(self, name: str) -> str:
        """Where QEMU has the machine's channel."""
        xml = await self._live(name, f"looking for the channel of {name}")
        for channel in ET.fromstring(xml).iterfind("./devices/channel[@type='unix']"):
            target, source = channel.find("target"), channel.find("source")
            if target is not None and source is not None and target.get("name") == CHANNEL:
                return source.get("path", "")
        raise HypervisorError(f"instance {name} is no system VM")

    # life

    async def start_vm(self, vm: VmSpec) -> ConsoleAddress | None:
        """As `Hypervisor.start_vm`. Of a system VM it returns once that has answered and knows who it is."""
        if vm.system is not None and vm.system.mode == "Namespace":
            await self._start_namespace(vm)
            return None
        return await super().start_vm(vm)

    async def _start_namespace(self, vm: VmSpec) -> None:
        began = time.monotonic()
        self.kept.starting(vm)
        try:
            bridges = await self.networks.prepare(vm)
            await self.namespaces.start(vm, bridges)
            await self._await_guest(vm, time.time())
        except BaseException:
            await self._logged(
                f"clearing up after the failed start of {vm.name}", lambda: self._forget(vm.name)
            )
            raise
        self.kept.started(vm.name)
        note_step("vm_define", time.monotonic() - began)

    async def _await_guest(self, vm: VmSpec, since: float) -> None:
        if vm.system is None:
            await super()._await_guest(vm, since)
            return
        began = time.monotonic()
        end = began + self.settings.system_vm_within
        while True:
            try:
                slow = time.monotonic() - began > SLOW_AFTER
                reply = await self._asked(vm.name, Ping(), SLOW_PING_AGAIN if slow else PING_AGAIN)
                break
            except HypervisorError as error:
                log.debug("%s", error)
                if time.monotonic() >= end or not await self._is_there(vm.name):
                    raise HypervisorError(f"system VM {vm.name} did not come up: {error}") from None
                await asyncio.sleep(0.1)
        if not (isinstance(reply, Pong) and reply.role):
            await self._told(vm.name)
        note_step("vm_boot", time.monotonic() - began)

    async def _is_there(self, name: str) -> bool:
        if self.namespaces.has(name):
            return self.namespaces.runs(name)
        return not await self._is_off(name)

    async def _told(self, name: str) -> AnyReply:
        """Tell it who it is; what it says to a ping then. Raises HypervisorError if it cannot be that."""
        vm = self._known(name, f"telling system VM {name} who it is")
        reply = await self._apply(name, plan_of(vm, self.networks.mtus(vm)), ANSWERS_WITHIN)
        if reply.error is not None:
            raise HypervisorError(f"system VM {name} cannot be set up: {reply.error}")
        return await self._asked(name, Ping())

    async def stop_vm(self, name: str, forced: bool) -> None:
        """As `Hypervisor.stop_vm`. A namespace has nothing to write down, and goes at once."""
        if self.namespaces.has(name):
            await self._forget(name)
        else:
            await super().stop_vm(name, forced)

    async def _forget(self, name: str) -> None:
        channel = self._channels.pop(name, None)
        if channel is not None:
            await channel.close()
        await self.namespaces.remove(name)
        await super()._forget(name)

    async def reboot_vm(self, name: str, forced: bool) -> None:
        """As `Hypervisor.reboot_vm`."""
        if not self.namespaces.has(name):
            await super().reboot_vm(name, forced)
            return
        vm = self._known(name, f"rebooting {name}")
        await self.namespaces.remove(name)
        await self._start_namespace(vm)

    async def suspend_vm(self, name: str) -> None:
        """As `Hypervisor.suspend_vm`."""
        self._refuse(name, "suspended")
        await super().suspend_vm(name)

    async def resume_vm(self, name: str) -> None:
        """As `Hypervisor.resume_vm`."""
        self._refuse(name, "suspended")
        await super().resume_vm(name)

    async def scale_vm(self, name: str, cpus: int, cpu_mhz: int, memory_mib: int) -> None:
        """As `Hypervisor.scale_vm`."""
        self._refuse(name, "scaled")
        await super().scale_vm(name, cpus, cpu_mhz, memory_mib)

    async def migrate_vm(
        self, name: str, destination: str, with_storage: bool, files: Mapping[str, str] = NO_FILES
    ) -> float:
        """As `Hypervisor.migrate_vm`."""
        self._refuse(name, "migrated")
        return await super().migrate_vm(name, destination, with_storage, files)

    async def console(self, name: str, serial: bool = False) -> ConsoleAddress:
        """As `Hypervisor.console`."""
        if self.namespaces.has(name):
            raise HypervisorError(f"router {name} is a namespace on its host, and has no console")
        return await super().console(name, serial)

    def _refuse(self, name: str, what: str) -> None:
        if self.namespaces.has(name):
            raise HypervisorError(f"router {name} is a namespace on its host, and cannot be {what}")

    # cards

    async def plug_nic(self, name: str, nic: NicSpec) -> None:
        """As `Hypervisor.plug_nic`."""
        if not self.namespaces.has(name):
            await super().plug_nic(name, nic)
            return
        before = self._known(name, f"plugging NIC {nic.mac} into {name}")
        vm = replace(before, nics=(*(other for other in before.nics if other.id != nic.id), nic))
        bridge = await self.networks.plug(vm, nic)
        try:
            await self.namespaces.plug(name, nic, bridge)
        except BaseException:
            await self._logged(f"taking NIC {nic.mac} back", lambda: self.networks.unplug(before, nic))
            raise
        self.kept.put(vm)

    async def unplug_nic(self, name: str, nic: NicSpec) -> None:
        """As `Hypervisor.unplug_nic`."""
        if not self.namespaces.has(name):
            await super().unplug_nic(name, nic)
            return
        await self.namespaces.unplug(name, nic)
        before = self.kept.get(name)
        if before is not None:
            vm = replace(before, nics=tuple(other for other in before.nics if other.id != nic.id))
            await self.networks.unplug(vm, nic)
            self.kept.put(vm)

    # which there are

    async def vm_states(self) -> tuple[VmReport, ...]:
        """As `Hypervisor.vm_states`, with routers that are namespaces."""
        domains = await super().vm_states()
        for name in self.namespaces.dead():
            spec = self.kept.get(name)
            if spec is None or name not in self.kept.unfinished():
                await self._logged(f"clearing up after {name}", lambda name=name: self._forget(name))  # type: ignore[misc]
        return (*domains, *self.namespaces.reports())

    async def vm_statistics(self, names: tuple[str, ...]) -> tuple[VmStatistics, ...]:
        """As `Hypervisor.vm_statistics`."""
        wanted = [report.name for report in self.namespaces.reports() if not names or report.name in names]
        domains = tuple(name for name in names if name not in wanted)
        found = await super().vm_statistics(domains) if domains or not names else ()
        now = time.monotonic()
        for name in wanted:
            spec = self.kept.get(name)
            found = (*found, self.namespaces.statistics(name, spec.nics if spec is not None else (), now))
        return found

    async def close_channels(self) -> None:
        """The agent ends; system VMs run on."""
        for channel in [self._channels.pop(name) for name in list(self._channels)]:
            await channel.close()
