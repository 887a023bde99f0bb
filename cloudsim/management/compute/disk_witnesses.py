"""Whether instances still run on a host that is silent: hosts that reach their disks tell who has them open to write."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from cloudsim.errors import CloudError
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.storage.disks import Disks
from cloudsim.model import Host, StoragePool, VirtualMachine
from cloudsim.protocol.commands import VmActivityAnswer, VmActivityCommand

log = logging.getLogger(__name__)

WITNESSES = 3
"""Hosts that are asked before one gives up for this time."""


class DiskWitnesses:
    """The hosts of a cluster, asked about each other's instances."""

    def __init__(self, foundation: Foundation, agents: Agents, disks: Disks) -> None:
        self._agents = agents
        self._disks = disks
        self._hosts = foundation.table(Host)
        self._pools = foundation.table(StoragePool)

    async def are_gone(self, vms: Sequence[VirtualMachine], lost: Host) -> bool:
        """Whether a host that reaches all disks of all `vms` says that nobody has any open.

        False where nobody can say: also for an instance without a disk, or with one of the lost host's own.
        """
        disks = [self._disks.of(vm) for vm in vms]
        volumes = [volume for of_one in disks for volume in of_one]
        if not all(disks) or any(volume.pool_id is None or volume.path is None for volume in volumes):
            return False
        pools = [self._pools.get(pool_id) for pool_id in {volume.pool_id for volume in volumes}]
        if any(pool is None or pool.scope == "HOST" for pool in pools):
            return False
        if not volumes:
            return True
        question = VmActivityCommand(disks=tuple(self._disks.spec(volume) for volume in volumes))
        for witness in self._near(lost):
            try:
                answer = await self._agents.send(witness.id, question)
            except CloudError as error:
                log.info("host %s cannot tell what runs on %s: %s", witness.name, lost.name, error)
                continue
            if isinstance(answer, VmActivityAnswer) and answer.ok:
                return not answer.active
        return False

    def _near(self, lost: Host) -> list[Host]:
        """Hosts that may reach the same pools."""
        near = self._hosts.where("cluster_id", lost.cluster_id)
        return [host for host in near if host.state == "Up" and host.id != lost.id][:WITNESSES]
