"""External hosts: added to the cloud under a name that their extension knows, and what its program does for them.

Each has an agent like any other host, in the server's own process: `agents`, which a server sets that may run programs.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cloudsim.errors import InvalidParameterValue, UnsupportedCommand
from cloudsim.extensions import ExternalAgents, Operation, ProgramError, ProgramFailed
from cloudsim.management.extensions.extensions import Extensions, ExtensionUnavailable
from cloudsim.management.extensions.payloads import Payloads
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.infrastructure.hypervisor_types import EXTERNAL
from cloudsim.model import Cluster, Extension, ExternalInstance, Host, Nic, VirtualMachine
from cloudsim.protocol.specs import ConsoleAddress, HostFacts, PowerState, VmReport
from cloudsim.world import HostDiscovery

log = logging.getLogger(__name__)

SIZE = {"cpucores": 1000, "cpuspeed": 2000, "memory": 1 << 20}
"""Details of a host that say how much fits on it (cores, MHz of a core, MiB), and what counts where they do not."""
TIMEOUT = "timeout"
"""The detail of an extension that says for how many seconds its program may be at an operation."""
_SHARE_OF_WAIT = 0.9
"""Of the setting `wait`, where nothing else is said: so the program's time is over before the command's is."""
_LOOK_WITHIN = 60.0
"""Seconds that a look at power states may take."""
_STATES: dict[str, PowerState] = {"poweron": "PowerOn", "poweroff": "PowerOff"}
_MAC = re.compile(r"[0-9a-f][02468ace](:[0-9a-f]{2}){5}")


class ExternalHosts:
    """The external hosts of one cloud."""

    def __init__(
        self, foundation: Foundation, extensions: Extensions, payloads: Payloads, agents: Agents
    ) -> None:
        self._foundation = foundation
        self._extensions = extensions
        self._payloads = payloads
        self._manager = agents
        self._hosts = foundation.table(Host)
        self._randomness = foundation.randomness.branch("external hosts")
        self.agents: ExternalAgents | None = None

    def begin(self) -> None:
        """Start the agents of the hosts that there are. Where no programs run, they stay disconnected."""
        if self.agents is not None:
            for cluster in self._foundation.table(Cluster):
                if cluster.hypervisor == EXTERNAL:
                    for host in self._hosts.where("cluster_id", cluster.id):
                        self._start(host.guid, host.name, _facts_of(host))

    def stop(self) -> None:
        """Stop all agents."""
        if self.agents is not None:
            self.agents.stop_all()

    def discover(self, wanted: HostDiscovery, details: Mapping[str, str]) -> str:
        """Start an agent for a host of that URL, which may be any name, and return its guid. Raises what stands against it."""
        if self.agents is None:
            raise UnsupportedCommand("This cloud runs no programs of extensions, and so has no External hosts")
        cluster = self._foundation.table(Cluster)[wanted.cluster_id]
        extension = self._extensions.of_cluster(cluster.id)
        if extension is None:
            raise InvalidParameterValue(f"Can't add host: no extension is registered with cluster {cluster.name}")
        if not self._extensions.is_ready(extension):
            raise ExtensionUnavailable(
                f"Can't add host: the program of extension {extension.name} is not there, or not executable: "
                f"{self._extensions.location(extension)}"
            )
        for host in self._hosts.where("cluster_id", cluster.id):
            if host.url == wanted.url:
                raise InvalidParameterValue(f"Can't add host: {wanted.url} is host {host.name} already")
        name = _name_of(wanted.url)
        if self._hosts.find(("zone_id", "name"), (wanted.zone_id, name)) is not None:
            raise InvalidParameterValue(f"Can't add host: the zone has a host {name} already")
        guid = self._randomness.uuid()
        self._start(guid, name, _facts(details, cluster.arch))
        return guid

    def _start(self, guid: str, name: str, facts: HostFacts) -> None:
        assert self.agents is not None
        host = _Host(self._foundation, self._extensions, self._payloads, guid, name, facts)
        self.agents.start(host, self._manager.accept)

    def forget(self, guid: str) -> None:
        """Stop the agent of a host that goes, or did not come to be."""
        if self.agents is not None:
            self.agents.stop(guid)

    async def expunge(self, vm: VirtualMachine) -> None:
        """Have the program delete an instance that it has made. Raises ExtensionUnavailable when it does not."""
        instances = self._foundation.table(ExternalInstance)
        row = instances.find("vm_id", vm.id)
        if row is None:
            return
        extension = self._foundation.table(Extension)[row.extension_id]
        host = self._hosts.get(row.host_id)
        payload = self._payloads.of(vm, extension, host=host)
        timeout = operation_timeout(self._foundation, extension)
        try:
            await self._extensions.call(extension, "delete", payload, timeout)
        except ProgramFailed as error:
            raise ExtensionUnavailable(f"Instance {vm.name} was not deleted: {error}") from error
        with self._foundation.store.transaction():
            instances.delete(row.id)


class _Host:
    """Implements `cloudsim.extensions.ExternalHost` on the manager's rows."""

    def __init__(
        self,
        foundation: Foundation,
        extensions: Extensions,
        payloads: Payloads,
        guid: str,
        name: str,
        facts: HostFacts,
    ) -> None:
        self.guid = guid
        self.name = name
        self.facts = facts
        self._foundation = foundation
        self._extensions = extensions
        self._payloads = payloads
        self._vms = foundation.table(VirtualMachine)
        self._instances = foundation.table(ExternalInstance)

    async def start(self, instance: str, password: str | None) -> None:
        host, extension, vm = self._of(instance)
        if extension.prepares:
            self._prepared(vm, await self._ask("prepare", host, extension, vm))
        row = self._instances.find("vm_id", vm.id)
        if row is not None and row.made:
            await self._ask("start", host, extension, vm, password=password)
            self._note(vm, extension, host, made=True)  # it may have been on another host
            return
        self._note(vm, extension, host, made=False)
        try:
            await self._ask("create", host, extension, vm, password=password)
        except ProgramFailed:
            await self._undo(vm, host, extension)
            raise
        self._note(vm, extension, host, made=True)

    async def stop(self, instance: str, forced: bool) -> None:
        host, extension, vm = self._of(instance)
        await self._ask("stop", host, extension, vm, forced=forced)

    async def reboot(self, instance: str, forced: bool) -> None:
        host, extension, vm = self._of(instance)
        await self._ask("reboot", host, extension, vm, forced=forced)

    async def states(self) -> tuple[VmReport, ...]:
        """By `statuses`; what it leaves out of the cloud's instances here is asked for one by one."""
        host = self._foundation.table(Host).find("guid", self.guid)
        if host is None:
            return ()  # it is being added
        extension = self._extension(host)
        try:
            answer = await self._ask("statuses", host, extension, timeout=_LOOK_WITHIN)
            told = answer.get("power_state", {})
            if not isinstance(told, dict):
                raise ProgramFailed(f"extension {extension.name}: statuses answered no power_state by name")
        except ProgramError:
            told = {}
        found = {}
        for name, state in told.items():
            vm = self._vms.find("instance_name", name)
            found[name] = VmReport(name, "" if vm is None else vm.id, _state(state))
        for vm in self._vms.where("host_id", host.id):
            if vm.instance_name not in found:
                state = await self._state(host, extension, vm)
                found[vm.instance_name] = VmReport(vm.instance_name, vm.id, state)
        return tuple(found.values())

    async def _state(self, host: Host, extension: Extension, vm: VirtualMachine) -> PowerState:
        try:
            answer = await self._ask("status", host, extension, vm, timeout=_LOOK_WITHIN)
        except ProgramFailed as error:
            log.warning("the state of %s is not known: %s", vm.instance_name, error)
            return "PowerUnknown"
        return _state(answer.get("power_state"))

    async def console(self, instance: str) -> ConsoleAddress:
        host, extension, vm = self._of(instance)
        answer = await self._ask("getconsole", host, extension, vm)
        told = answer.get("console")
        told = told if isinstance(told, dict) else answer
        protocol = str(told.get("protocol", "vnc")).lower()
        if protocol != "vnc":
            raise ProgramFailed(f"extension {extension.name}: consoles by {protocol} are not supported, but by vnc")
        address, port = told.get("host"), str(told.get("port", ""))
        if not isinstance(address, str) or not address or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ProgramFailed(f"extension {extension.name}: getconsole answered no host and port")
        return ConsoleAddress(address, int(port), str(told.get("password") or ""))

    # asking

    def _extension(self, host: Host) -> Extension:
        extension = self._extensions.of_cluster(host.cluster_id)
        if extension is None:
            raise ProgramFailed(f"no extension is registered with the cluster of host {host.name}")
        return extension

    def _of(self, instance: str) -> tuple[Host, Extension, VirtualMachine]:
        host = self._foundation.table(Host).find("guid", self.guid)
        vm = self._vms.find("instance_name", instance)
        if host is None or vm is None:
            raise ProgramFailed(f"the cloud knows no {instance if host is not None else self.name} any more")
        return host, self._extension(host), vm

    async def _ask(
        self,
        operation: Operation,
        host: Host,
        extension: Extension,
        vm: VirtualMachine | None = None,
        *,
        password: str | None = None,
        forced: bool | None = None,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        if vm is None:
            payload = self._payloads.of_host(host, extension)
        else:
            payload = self._payloads.of(vm, extension, host=host, password=password)
        if forced is not None:
            payload["forced"] = forced
        most = operation_timeout(self._foundation, extension)
        return await self._extensions.call(
            extension, operation, payload, most if timeout is None else min(timeout, most)
        )

    # what is known of instances

    def _note(self, vm: VirtualMachine, extension: Extension, host: Host, *, made: bool) -> None:
        row = self._instances.find("vm_id", vm.id)
        with self._foundation.store.transaction():
            if row is not None:
                self._instances.update(row.id, host_id=host.id, made=made)
                return
            self._instances.insert(
                ExternalInstance(
                    id=vm.id,
                    vm_id=vm.id,
                    extension_id=extension.id,
                    host_id=host.id,
                    made=made,
                    created=self._foundation.now(),
                )
            )

    async def _undo(self, vm: VirtualMachine, host: Host, extension: Extension) -> None:
        """Have what a failed create left be deleted. What cannot be is deleted with the instance."""
        try:
            await self._ask("delete", host, extension, vm, forced=True)
        except ProgramFailed as error:
            log.warning("what may be left of %s was not deleted: %s", vm.instance_name, error)
            return
        row = self._instances.find("vm_id", vm.id)
        if row is not None:
            with self._foundation.store.transaction():
                self._instances.delete(row.id)

    def _prepared(self, vm: VirtualMachine, answer: Mapping[str, Any]) -> None:
        """Change what the program wants to be otherwise: MAC addresses. Raises ProgramFailed for anything else."""
        table = self._foundation.table(Nic)
        changes: dict[str, str] = {}
        wanted = answer.get("nics", [])
        if not isinstance(wanted, list) or not all(isinstance(each, dict) for each in wanted):
            raise ProgramFailed("prepare: nics is no list of objects with uuid and mac")
        for each in wanted:
            nic = table.get(str(each.get("uuid")))
            if nic is None or nic.vm_id != vm.id:
                raise ProgramFailed(f"prepare: {vm.instance_name} has no NIC {each.get('uuid')}")
            if each.get("ip", nic.ip) != nic.ip:
                raise ProgramFailed("prepare: the address of a NIC is the cloud's to choose, not the program's")
            mac = str(each.get("mac", nic.mac)).lower()
            other = table.find("mac", mac)
            if not _MAC.fullmatch(mac) or (other is not None and other.id != nic.id) or mac in changes.values():
                raise ProgramFailed(f"prepare: {mac} is no MAC address, or in use")
            changes[nic.id] = mac
        with self._foundation.store.transaction():
            for nic_id, mac in changes.items():
                table.update(nic_id, mac=mac)


def operation_timeout(foundation: Foundation, extension: Extension) -> float:
    """Seconds that the extension's program may be at an operation."""
    most = _SHARE_OF_WAIT * foundation.settings.number("wait")
    text = extension.details.get(TIMEOUT, "")
    return min(float(text), most) if text.isdecimal() and int(text) else most


def check_details(details: Mapping[str, str]) -> None:
    """Raise InvalidParameterValue for details of a host that say a size which is none."""
    _facts(details, "x86_64")


def _facts(details: Mapping[str, str], arch: str) -> HostFacts:
    sizes = {}
    for name, otherwise in SIZE.items():
        text = details.get(name, str(otherwise))
        if not text.isdecimal() or not 0 < int(text) < 1 << 31:
            raise InvalidParameterValue(f"externaldetails: {name} is a whole number above 0, not {text!r}")
        sizes[name] = int(text)
    return HostFacts(EXTERNAL, sizes["cpucores"], sizes["cpuspeed"], sizes["memory"], arch=arch)


def _facts_of(host: Host) -> HostFacts:
    return HostFacts(EXTERNAL, host.cpus, host.cpu_mhz, host.memory_mib, arch=host.arch)


def _name_of(url: str) -> str:
    """What a host of that URL is called: the server in it, or the text itself."""
    try:
        found = urlsplit(url if "://" in url else f"//{url}").hostname
    except ValueError:
        found = None
    name = found or url.strip()
    if not name:
        raise InvalidParameterValue("url: a host needs a name")
    return name


def _state(text: object) -> PowerState:
    return _STATES.get(str(text).replace("_", "").lower(), "PowerUnknown")
