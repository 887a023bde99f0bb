"""Instances that hosts run and the cloud does not know: finding them, and letting go of one that it knows.

Taking one in is `vm_import`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from cloudsim.errors import InvalidParameterValue, ResourceUnavailable
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.network.nics import Nics
from cloudsim.management.operations.leftovers import remove_leftovers, remove_policies
from cloudsim.management.storage.disks import Disks
from cloudsim.management.storage.volume_states import check_at_rest
from cloudsim.model import (
    Cluster,
    Host,
    Snapshot,
    VirtualMachine,
    VmSnapshot,
    Volume,
)
from cloudsim.protocol.commands import UnmanagedInstancesAnswer, UnmanagedInstancesCommand
from cloudsim.protocol.specs import UnmanagedInstance

log = logging.getLogger(__name__)


class Found(NamedTuple):
    """An unmanaged instance, and the host that runs it."""

    host: Host
    instance: UnmanagedInstance


class Unmanaged:
    """What runs beside the cloud."""

    def __init__(self, foundation: Foundation, agents: Agents, disks: Disks, nics: Nics) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._disks = disks
        self._nics = nics
        self._hosts = foundation.table(Host)
        self._vms = foundation.table(VirtualMachine)
        self._volumes = foundation.table(Volume)
        self._snapshots = foundation.table(Snapshot)
        self._vm_snapshots = foundation.table(VmSnapshot)
        self.on_unmanage: list[Callable[[VirtualMachine], Awaitable[None]]] = []
        """Called for an instance that is about to be forgotten, while its NICs are there."""

    async def of(self, cluster: Cluster, name: str | None = None) -> list[Found]:
        """The unmanaged instances (or those of that name) on the Up hosts of a cluster, which are asked side by side.

        A host that does not answer is left out.
        """
        hosts = [host for host in self._hosts.where("cluster_id", cluster.id) if host.state == "Up"]
        known = tuple(self._names(cluster))
        answers = await asyncio.gather(*(self._ask(host, name, known) for host in hosts))
        return [
            Found(host, instance)
            for host, instances in zip(hosts, answers, strict=True)
            for instance in instances
            if self._vms.find("instance_name", instance.name) is None
        ]

    def _names(self, cluster: Cluster) -> dict[str, None]:
        """The names of all instances that are, or were last, on the cluster."""
        found: dict[str, None] = {}
        for host_id in self._hosts.ids("cluster_id", cluster.id):
            for index in ("host_id", "last_host_id"):
                found |= dict.fromkeys(vm.instance_name for vm in self._vms.where(index, host_id))
        return found

    async def _ask(
        self, host: Host, name: str | None, known: tuple[str, ...]
    ) -> tuple[UnmanagedInstance, ...]:
        try:
            answer = await self._agents.send(host.id, UnmanagedInstancesCommand(name=name, known=known))
        except ResourceUnavailable as error:
            log.warning("cannot tell what runs unmanaged on host %s: %s", host.name, error)
            return ()
        if not isinstance(answer, UnmanagedInstancesAnswer) or not answer.ok:
            log.warning("cannot tell what runs unmanaged on host %s: %s", host.name, answer.error)
            return ()
        return answer.instances

    # letting go

    def check_unmanageable(self, vm: VirtualMachine, *, forced: bool = False) -> None:
        """Raise what stands against leaving the instance to its host; `forced`: it may lose its config drive."""
        if vm.type != "User" or vm.state != "Running" or vm.host_id is None:
            raise InvalidParameterValue(
                f"Instance {vm.name} cannot be unmanaged: it must be Running and is {vm.state}"
            )
        if vm.iso_id is not None:
            raise InvalidParameterValue(
                f"Cannot unmanage VM {vm.name} as there is an ISO attached. Please detach ISO before unmanaging."
            )
        if not forced and self._nics.wants_config_drive(vm):
            raise InvalidParameterValue(
                f"Cannot unmanage VM {vm.name} as it has a config drive, which the cloud keeps. Use forced to unmanage it."
            )
        if self._vm_snapshots.count("vm_id", vm.id):
            raise InvalidParameterValue(
                f"Cannot unmanage VM {vm.name} as it has VM snapshots. Please remove them before unmanaging."
            )
        for volume in self._disks.of(vm):
            check_at_rest(volume)
            if self._snapshots.count("volume_id", volume.id):
                raise InvalidParameterValue(
                    f"Cannot unmanage VM {vm.name} as there are snapshots of its volume {volume.name}. "
                    "Please remove snapshots before unmanaging."
                )

    async def unmanage(self, caller: Caller, vm_id: str, *, forced: bool = False) -> VirtualMachine:
        """Forget the instance, its disks and its NICs; it goes on running. Records VM.UNMANAGE; returns what it was."""
        vm = self._vms[vm_id]
        self.check_unmanageable(vm, forced=forced)
        for forget in self.on_unmanage:
            await forget(vm)
        vm = self._vms[vm_id]
        self.check_unmanageable(vm, forced=forced)  # routers were told meanwhile
        host = self._hosts[vm.host_id or ""]
        with self._store.transaction():
            for volume in self._disks.of(vm):
                remove_policies(self._foundation, volume.id)
                remove_leftovers(self._foundation, volume.id)
                self._volumes.delete(volume.id)
            for nic in self._nics.of(vm):
                remove_leftovers(self._foundation, nic.id)
            self._nics.release(vm)
            remove_leftovers(self._foundation, vm.id)
            gone = self._vms.delete(vm.id)
            self._foundation.events.record(
                "VM.UNMANAGE",
                f"Successfully unmanaged Vm {vm.name}: {vm.instance_name} stays on host {host.name}",
                caller=caller,
                account_id=vm.account_id,
                domain_id=vm.domain_id,
                resource_id=vm.id,
                resource_type="VirtualMachine",
            )
        return gone
