"""What becomes of what an account owns, when the account goes or is disabled."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from cloudsim.errors import CloudError
from cloudsim.management.compute.vms import VirtualMachines
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.network.network_life import NetworkLife
from cloudsim.management.operations.jobs import Jobs
from cloudsim.management.storage.snapshots import Snapshots
from cloudsim.management.storage.template_removal import TemplateRemoval
from cloudsim.management.storage.volumes import Volumes
from cloudsim.model import (
    Account,
    AffinityGroup,
    InstanceGroup,
    Network,
    Snapshot,
    SshKeyPair,
    Template,
    UserData,
    VirtualMachine,
    Volume,
)
from cloudsim.model.operations import JOB_FAILED


class Possessions:
    """Everything that accounts own, across services."""

    def __init__(
        self,
        foundation: Foundation,
        jobs: Jobs,
        vms: VirtualMachines,
        volumes: Volumes,
        snapshots: Snapshots,
        templates: TemplateRemoval,
        network_life: NetworkLife,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._jobs = jobs
        self._vms = vms
        self._volumes = volumes
        self._snapshots = snapshots
        self._templates = templates
        self._network_life = network_life

    async def stop(self, account: Account) -> None:
        """Stop the account's instances, those that are just starting too. Raises the first failure."""
        vms = self._foundation.table(VirtualMachine)

        async def stopped(vm_id: str) -> None:
            vm = vms.get(vm_id)
            if vm is not None and vm.state == "Running":
                await self._vms.stopped(None, vm_id, forced=True)

        for vm in vms.where("account_id", account.id):
            if vm.host_id is not None or self._jobs.busy(vm.id):
                await self._in_turn(account, "stopVirtualMachine", vm.id, stopped)

    async def _in_turn(
        self,
        account: Account,
        command: str,
        vm_id: str,
        work: Callable[[str], Coroutine[Any, Any, None]],
    ) -> None:
        """Do it as a job, after those that work on the instance now."""
        job = self._jobs.submit(
            Caller(account),
            command,
            lambda: work(vm_id),
            instance_type="VirtualMachine",
            instance_id=vm_id,
        )
        job = await self._jobs.wait(job.id)
        if job.status == JOB_FAILED:
            raise CloudError(msgspec.json.decode(job.result or "{}").get("errortext", ""))

    async def delete(self, account: Account) -> None:
        """Delete all that the account owns; what is shared with it no longer is.

        Raises the first failure; what is gone by then stays gone.
        """
        table = self._foundation.table

        async def destroyed(vm_id: str) -> None:
            if vm_id in table(VirtualMachine):
                await self._vms.destroyed(None, vm_id, expunge=True, protected=False)

        for vm in table(VirtualMachine).where("account_id", account.id):
            await self._in_turn(account, "destroyVirtualMachine", vm.id, destroyed)
        for snapshot in table(Snapshot).where("account_id", account.id):
            await self._snapshots.delete(snapshot.id)
        for volume in table(Volume).where("account_id", account.id):
            await self._volumes.delete(volume, protected=False)
        for template in table(Template).where("account_id", account.id):
            await self._templates.delete(template.id, forced=True)
        for network in table(Network).where("account_id", account.id):
            await self._network_life.delete(network.id)
        with self._store.transaction():
            for template in [each for each in table(Template) if account.id in each.shared_with]:
                others = tuple(each for each in template.shared_with if each != account.id)
                table(Template).update(template.id, shared_with=others)
            for kind in (SshKeyPair, UserData, AffinityGroup, InstanceGroup):
                rows = self._store.tables[kind.__name__]
                for row in rows.where("account_id", account.id):
                    rows.delete(row.id)
        left = table(VirtualMachine).count("account_id", account.id)
        if left:
            raise CloudError(f"Account {account.name} still has {left} instances")
