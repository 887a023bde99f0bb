"""Doing a plan's operations through the management services, as the API does: as jobs, one at a time for an instance."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from cloudsim.errors import CloudError, ResourceUnavailable
from cloudsim.invariants import Fact, Ledger, Violation
from cloudsim.management.compute.deploy_request import DeployRequest
from cloudsim.management.compute.disk_plan import DataDisk
from cloudsim.management.network.security_groups import RuleRequest
from cloudsim.model import (
    AsyncJob,
    Host,
    Nic,
    SecurityGroup,
    SecurityGroupRule,
    Snapshot,
    VirtualMachine,
    VmSnapshot,
    Volume,
)
from cloudsim.model.operations import JOB_IN_PROGRESS, JOB_SUCCEEDED
from cloudsim.store import Change, Row
from tests.dst.cloud import DstCloud
from tests.dst.plan import Operation

GIB = 1 << 30
MOST_INSTANCES, MOST_VOLUMES = 36, 60
R = TypeVar("R", bound=Row)
ALIVE = ("Starting", "Running", "Stopping", "Stopped", "Migrating", "Error", "Unknown")

Done = Callable[[], Sequence[Fact]]


class Operator:
    """Carries out operations, and keeps the ledger of what the cloud acknowledged."""

    def __init__(self, cloud: DstCloud) -> None:
        self.cloud = cloud
        self.ledger = Ledger()
        self.asked = self.refused = self.succeeded = self.failed = 0
        self._jobs: dict[str, tuple[dict[str, int], Sequence[Fact]]] = {}
        self._acknowledging: set[asyncio.Task[None]] = set()
        self._doomed: set[str] = (
            set()
        )  # instances that were asked to be destroyed: they lose their data disks
        cloud.on_new_server = self._new_server  # type: ignore[method-assign]
        cloud.store.subscribe(self._changed)

    # what the cloud says

    def _new_server(self) -> None:
        for task in self._acknowledging:
            task.cancel()
        jobs = self.cloud.store.table(AsyncJob)
        for job_id in [j for j in self._jobs if j not in jobs]:
            del self._jobs[job_id]  # its acceptance was not durable, so nobody was told of it
        self.cloud.store.subscribe(self._changed)

    def _changed(self, changes: list[Change]) -> None:
        for table, _, after in changes:
            if table.row_type is AsyncJob and after is not None and after.status != JOB_IN_PROGRESS:
                self._ended(after)

    def _ended(self, job: AsyncJob) -> None:
        if job.status == JOB_SUCCEEDED:
            self.succeeded += 1
        else:
            self.failed += 1
            if "Internal error" in (job.result or ""):
                self.cloud.violations.append(Violation("no internal error", f"{job.command}: {job.result}"))
        numbers, facts = self._jobs.pop(job.id, ({}, ()))
        if job.status == JOB_SUCCEEDED and facts:
            task = self.cloud.loop.create_task(self._acknowledge(numbers, facts))
            self._acknowledging.add(task)
            task.add_done_callback(self._acknowledging.discard)

    async def _acknowledge(self, numbers: dict[str, int], facts: Sequence[Fact]) -> None:
        await self.cloud.store.durable()
        for fact in facts:
            if fact.row_id in numbers and not any(
                v in self._doomed for _, values in fact.fields for v in values
            ):
                self.ledger.acknowledge(numbers[fact.row_id], fact)

    # what is asked of it

    def do(self, operation: Operation) -> None:
        """Ask for it, if the manager is up and there is something to do it to."""
        if not self.cloud.up:
            return
        self.asked += 1
        try:
            getattr(self, "_" + operation.kind.replace(" ", "_"))(operation.pick, operation.other)
        except CloudError:
            self.refused += 1

    def _job(
        self,
        command: str,
        work: Callable[[], Coroutine[Any, Any, Any]],
        row_id: str,
        facts: Sequence[Fact],
        queue: str | None = None,
    ) -> None:
        numbers = {i: self.ledger.open(i) for i in dict.fromkeys([row_id, *(f.row_id for f in facts)])}
        job = self.cloud.server.jobs.submit(self.cloud.caller, command, work, instance_id=row_id, queue=queue)
        self._jobs[job.id] = numbers, facts

    def _one(self, kind: type[R], pick: int, states: tuple[str, ...] | None = None) -> R:
        rows: list[Any] = list(self.cloud.store.table(kind))
        if states is not None and pick % 8:  # now and then one in a state in which it can't be
            rows = [row for row in rows if row.state in states]
        if not rows:
            raise CloudError("there is none")
        chosen: R = rows[pick % len(rows)]
        return chosen

    def _vm(self, pick: int, *states: str) -> VirtualMachine:
        return self._one(VirtualMachine, pick, states)

    def _exists(self, vm: VirtualMachine) -> list[Fact]:
        return [Fact(VirtualMachine, vm.id)]

    def _deploy(self, pick: int, other: int) -> None:
        cloud = self.cloud
        if len(cloud.store.table(VirtualMachine)) >= MOST_INSTANCES:
            return
        disk = cloud.disk_offering()
        request = DeployRequest(
            zone_id=cloud.zone.id,
            template_id=cloud.template.id,
            service_offering_id=cloud.service_offering(pick).id,
            owner=cloud.caller.account,
            data_disks=(DataDisk(disk.id, (1 + other % 4) * GIB),) if other % 3 == 0 else (),
            security_groups=(self._group(pick),) if pick % 4 else (),
        )
        vm, job = cloud.server.vms.deploy(cloud.caller, request)
        facts = self._exists(vm)
        facts += [
            Fact(Nic, nic.id, (("vm_id", (vm.id,)),)) for nic in cloud.store.table(Nic).where("vm_id", vm.id)
        ]
        self._jobs[job.id] = {f.row_id: self.ledger.open(f.row_id) for f in facts}, facts

    def _start(self, pick: int, other: int) -> None:
        vm, server = self._vm(pick, "Stopped"), self.cloud.server
        self._job("start", lambda: server.vms.started(self.cloud.caller, vm.id), vm.id, self._exists(vm))

    def _stop(self, pick: int, other: int) -> None:
        vm, server = self._vm(pick, "Running", "Unknown"), self.cloud.server
        self._job("stop", lambda: server.vms.stopped(self.cloud.caller, vm.id), vm.id, self._exists(vm))

    def _stop_forced(self, pick: int, other: int) -> None:
        vm, server = self._vm(pick, "Running", "Unknown"), self.cloud.server

        async def work() -> None:
            host_id = server.vms._vms[vm.id].host_id
            if host_id is not None and not server.agents.is_connected(host_id):
                raise ResourceUnavailable("nobody can say that the instance does not run")
            await server.vms.stopped(self.cloud.caller, vm.id, forced=True)

        self._job("stop forced", work, vm.id, self._exists(vm))

    def _reboot(self, pick: int, other: int) -> None:
        vm, server = self._vm(pick, "Running"), self.cloud.server
        self._job("reboot", lambda: server.vms.rebooted(self.cloud.caller, vm.id), vm.id, self._exists(vm))

    def _destroy(self, pick: int, other: int) -> None:
        self._destroyed(self._vm(pick, *ALIVE), expunge=False)

    def _expunge(self, pick: int, other: int) -> None:
        self._destroyed(self._vm(pick, *ALIVE, "Destroyed", "Expunging"), expunge=True)

    def _destroyed(self, vm: VirtualMachine, *, expunge: bool) -> None:
        self._doomed.add(vm.id)
        server, kept = self.cloud.server, (("state", ("Destroyed", "Expunging")),)
        fact = Fact(VirtualMachine, vm.id, gone=True) if expunge else Fact(VirtualMachine, vm.id, kept, True)
        volumes = self.cloud.store.table(Volume).where("vm_id", vm.id)
        facts = [fact, *(Fact(Volume, v.id) for v in volumes if v.type == "DATADISK")]
        for row in (*self.cloud.store.table(Nic).where("vm_id", vm.id), *volumes):
            self.ledger.open(row.id)
        self._job(
            "destroy", lambda: server.vms.destroyed(self.cloud.caller, vm.id, expunge=expunge), vm.id, facts
        )

    def _recover(self, pick: int, other: int) -> None:
        vm, server = self._vm(pick, "Destroyed"), self.cloud.server

        async def work() -> None:
            server.vms.recover(self.cloud.caller, vm.id)

        self._job("recover", work, vm.id, [Fact(VirtualMachine, vm.id, (("state", ALIVE),))])

    def _migrate(self, pick: int, other: int) -> None:
        vm, server = self._vm(pick, "Running"), self.cloud.server
        to = None if other % 2 else self._one(Host, other).id
        self._job(
            "migrate", lambda: server.migration.migrate(self.cloud.caller, vm.id, to), vm.id, self._exists(vm)
        )

    # volumes

    def _create_volume(self, pick: int, other: int) -> None:
        cloud, server = self.cloud, self.cloud.server
        if len(cloud.store.table(Volume)) >= MOST_VOLUMES:
            return
        owner = cloud.caller.account
        snapshot = self._one(Snapshot, other, ("BackedUp",)) if pick % 3 == 0 else None
        volume = server.volumes.allocate(
            owner,
            None,
            zone=cloud.zone,
            offering=None if snapshot is not None else cloud.disk_offering(),
            snapshot=snapshot,
            size_gib=None if snapshot is not None else 1 + other % 6,
        )
        fact = Fact(Volume, volume.id)
        self._job("create volume", lambda: server.volumes.create(volume.id), volume.id, [fact])

    def _data(self, pick: int, *, attached: bool | None) -> Volume:
        volumes = [v for v in self.cloud.store.table(Volume) if v.type == "DATADISK"]
        if attached is not None and pick % 8:
            volumes = [v for v in volumes if (v.vm_id is not None) == attached]
        if not volumes:
            raise CloudError("there is none")
        return volumes[pick % len(volumes)]

    def _attach(self, pick: int, other: int) -> None:
        volume, vm = self._data(pick, attached=False), self._vm(other, "Running", "Stopped")
        attachment = self.cloud.server.volume_attachment
        attachment.check_attachable(volume, vm)
        fact = Fact(Volume, volume.id, (("vm_id", (vm.id,)),))
        self._job("attach", lambda: attachment.attach(volume.id, vm.id), volume.id, [fact], vm.id)

    def _detach(self, pick: int, other: int) -> None:
        volume = self._data(pick, attached=True)
        attachment = self.cloud.server.volume_attachment
        fact = Fact(Volume, volume.id, (("vm_id", (None,)),))
        self._job("detach", lambda: attachment.detach(volume.id), volume.id, [fact], volume.vm_id)

    def _resize(self, pick: int, other: int) -> None:
        volume, volumes = self._one(Volume, pick), self.cloud.server.volumes
        gib = volume.size // GIB + 1 + other % 2
        fact = Fact(Volume, volume.id, (("size", (gib * GIB,)),))
        self._job("resize", lambda: volumes.resize(volume.id, size_gib=gib), volume.id, [fact], volume.vm_id)

    def _delete_volume(self, pick: int, other: int) -> None:
        volume, volumes = self._data(pick, attached=False), self.cloud.server.volumes
        volumes.check_removable(volume)

        async def work() -> None:
            now = self.cloud.store.table(Volume).get(volume.id)
            if now is not None:
                await volumes.delete(now)

        self._job("delete volume", work, volume.id, [Fact(Volume, volume.id, gone=True)])

    def _snapshot(self, pick: int, other: int) -> None:
        volume, snapshots = self._one(Volume, pick, ("Ready",)), self.cloud.server.snapshots
        snapshot = snapshots.allocate(volume)
        fact = Fact(Snapshot, snapshot.id, (("state", ("BackedUp",)),))
        queue = volume.vm_id or volume.id
        self._job("snapshot", lambda: snapshots.create(snapshot.id), snapshot.id, [fact], queue)

    def _revert(self, pick: int, other: int) -> None:
        snapshot, snapshots = self._one(Snapshot, pick, ("BackedUp",)), self.cloud.server.snapshots
        volume = snapshots.check_revertable(snapshot)
        queue = volume.vm_id or volume.id
        self._job(
            "revert", lambda: snapshots.revert(snapshot.id), snapshot.id, [Fact(Snapshot, snapshot.id)], queue
        )

    def _delete_snapshot(self, pick: int, other: int) -> None:
        snapshot, snapshots = self._one(Snapshot, pick, ("BackedUp", "Error")), self.cloud.server.snapshots
        snapshots.check_deletable(snapshot)
        fact = Fact(Snapshot, snapshot.id, gone=True)
        self._job("delete snapshot", lambda: snapshots.delete(snapshot.id), snapshot.id, [fact])

    # security groups

    def _group(self, pick: int) -> SecurityGroup:
        """One of three, which are made when they are first picked."""
        owner, groups = self.cloud.caller.account, self.cloud.server.security_groups
        name = ("web", "worker", "store")[pick % 3]
        found = self.cloud.store.table(SecurityGroup).find(("account_id", "name"), (owner.id, name))
        return found or groups.create(owner, name)

    def _allow(self, pick: int, other: int) -> None:
        group, groups = self._group(pick), self.cloud.server.security_groups
        port = 1 + other % 5
        request = RuleRequest(
            ingress=bool(pick % 5),
            protocol="tcp",
            start_port=port,
            end_port=port,
            cidrs=("10.0.0.0/8",) if other % 2 else (),
            groups=() if other % 2 else (self._group(other),),
        )
        groups.check(request)

        async def work() -> None:
            groups.authorize(group, request)

        self._job("allow", work, group.id, [Fact(SecurityGroup, group.id)])

    def _revoke(self, pick: int, other: int) -> None:
        rule, groups = self._one(SecurityGroupRule, pick), self.cloud.server.security_groups

        async def work() -> None:
            groups.revoke(rule.id)

        self._job("revoke", work, rule.id, [Fact(SecurityGroupRule, rule.id, gone=True)])

    # snapshots of instances

    def _snapshot_instance(self, pick: int, other: int) -> None:
        vm, service = self._vm(pick, "Running", "Stopped"), self.cloud.server.vm_snapshots
        snapshot = service.allocate(vm, memory=vm.state == "Running" and other % 2 == 0)
        self._job("snapshot instance", lambda: service.create(snapshot.id), snapshot.id, [], vm.id)

    def _delete_instance_snapshot(self, pick: int, other: int) -> None:
        snapshot, service = self._one(VmSnapshot, pick, ("Ready", "Error")), self.cloud.server.vm_snapshots
        service.check_deletable(snapshot)
        self._job(
            "delete instance snapshot", lambda: service.delete(snapshot.id), snapshot.id, [], snapshot.vm_id
        )
