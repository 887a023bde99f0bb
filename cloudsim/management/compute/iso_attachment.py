"""The ISO in an instance's drive: put in and taken out, while it runs and while it is stopped.

A stopped instance only remembers it, and gets it when it starts. When nobody knows what became of a request to its
host, an instance is taken to have the ISO: to detach it then is right in either case.
"""

from __future__ import annotations

import logging

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents, OutcomeUnknown
from cloudsim.management.infrastructure.hypervisor_types import EXTERNAL
from cloudsim.management.storage.disks import Disks
from cloudsim.model import Template, VirtualMachine
from cloudsim.protocol.commands import AttachIsoCommand
from cloudsim.protocol.specs import ImageSpec

log = logging.getLogger(__name__)


class IsoFailed(CloudError):
    """A host could not change what is in an instance's drive; the text is the host's."""


class IsoAttachment:
    """Puts ISOs into instances' drives. An instance has one drive."""

    def __init__(self, foundation: Foundation, agents: Agents, disks: Disks) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._disks = disks
        self._vms = foundation.table(VirtualMachine)
        self._templates = foundation.table(Template)

    def check_attachable(self, vm: VirtualMachine, iso: Template, *, forced: bool = False) -> ImageSpec:
        """The ISO's file in the instance's zone. Raises what stands against putting it into the drive.

        `forced`: another one may be in there.
        """
        if iso.format != "ISO" or iso.state != "Active":
            raise InvalidParameterValue(f"Unable to find an ISO with id {iso.id}")
        self._check_state(vm)
        if vm.iso_id is not None and vm.iso_id != iso.id and not forced:
            raise InvalidParameterValue(
                f"The specified VM {vm.name} has ISO {self._name(vm.iso_id)} attached: detach it first"
            )
        return self._disks.pool_templates.image(iso, vm.zone_id)

    def check_detachable(self, vm: VirtualMachine) -> None:
        """Raise what stands against emptying the instance's drive."""
        self._check_state(vm)
        if vm.iso_id is None:
            raise InvalidParameterValue(f"The specified VM {vm.name} has no ISO attached to it.")

    def _check_state(self, vm: VirtualMachine) -> None:
        if vm.hypervisor == EXTERNAL:
            raise InvalidParameterValue(f"An extension sees to VM {vm.name}, which takes no ISO")
        if vm.state not in ("Running", "Stopped"):
            raise InvalidParameterValue(
                f"Please specify a VM that is either Stopped or Running: {vm.name} is {vm.state}"
            )

    def _name(self, iso_id: str) -> str:
        iso = self._templates.get(iso_id)
        return iso_id if iso is None else iso.name

    async def attach(self, vm_id: str, iso_id: str, *, forced: bool = False) -> VirtualMachine:
        """Put the ISO into the drive; what was there stays when the host refuses."""
        vm, iso = self._vms[vm_id], self._templates[iso_id]
        image = self.check_attachable(vm, iso, forced=forced)
        with self._store.transaction():  # first, so that nobody deletes the ISO meanwhile
            self._vms.update(vm_id, iso_id=iso.id)
        try:
            await self._tell_host(vm, image)
        except OutcomeUnknown:
            raise
        except BaseException:
            if vm_id in self._vms:
                with self._store.transaction():
                    self._vms.update(vm_id, iso_id=vm.iso_id)
            raise
        return self._vms[vm_id]

    async def detach(self, vm_id: str, *, forced: bool = False) -> VirtualMachine:
        """Empty the drive; the ISO stays when the host does not let go of it, but `forced` the cloud forgets it."""
        vm = self._vms[vm_id]
        self.check_detachable(vm)
        try:
            await self._tell_host(vm, None)
        except CloudError as error:
            if not forced or vm_id not in self._vms:
                raise
            log.warning("instance %s has no ISO from its next start on: %s", vm.name, error.text)
        with self._store.transaction():
            return self._vms.update(vm_id, iso_id=None)

    async def _tell_host(self, vm: VirtualMachine, image: ImageSpec | None) -> None:
        if vm.state != "Running" or vm.host_id is None:
            return
        answer = await self._agents.send(vm.host_id, AttachIsoCommand(vm=vm.instance_name, iso=image))
        if not answer.ok:
            raise IsoFailed(answer.error or f"The drive of {vm.name} was not changed")
