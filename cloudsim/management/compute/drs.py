"""The distributed resource scheduler: plans that move instances within a cluster, on demand or by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, cast

import numpy as np
from msgspec.structs import replace

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.compute.vm_migration import Migration
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.identity import Identity
from cloudsim.management.operations.jobs import Jobs
from cloudsim.model import AsyncJob, Cluster, DrsPlan, Host, VirtualMachine
from cloudsim.model.compute import DrsMigration
from cloudsim.model.operations import JOB_IN_PROGRESS
from cloudsim.placement import HostCapacity
from cloudsim.placement.balancing import Algorithm, Hosts, Instances, plan

log = logging.getLogger(__name__)

DAY, MINUTE = 86_400.0, 60.0
Spawn = Callable[[Coroutine[Any, Any, Any]], object]


class Drs:
    """Makes plans, carries them out, and does both by itself where drs.automatic.enable says so."""

    def __init__(
        self,
        foundation: Foundation,
        identity: Identity,
        jobs: Jobs,
        hosts: HostCapacity,
        migration: Migration,
        spawn: Spawn,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._identity = identity
        self._jobs = jobs
        self._capacity = hosts
        self._migration = migration
        self._spawn = spawn
        self._table = foundation.table(DrsPlan)
        self._clusters = foundation.table(Cluster)
        self._hosts = foundation.table(Host)
        self._vms = foundation.table(VirtualMachine)
        self._job_rows = foundation.table(AsyncJob)
        self._randomness = foundation.randomness.branch("drs")

    # making plans

    def generate(self, cluster: Cluster, most: int | None = None) -> DrsPlan:
        """A plan of at most `most` migrations (by default drs.max.migrations); it is not kept until it is carried out."""
        if most is not None and most <= 0:
            raise InvalidParameterValue("Unable to execute DRS: parameter migrations must be a positive number")
        if cluster.allocation_state != "Enabled":
            raise InvalidParameterValue(
                f"Unable to execute DRS on the cluster {cluster.name} as it is {cluster.allocation_state.lower()}"
            )
        moves = self._moves(cluster, most or self._number(cluster, "drs.max.migrations"))
        return DrsPlan(
            id=self._randomness.uuid(),
            cluster_id=cluster.id,
            type="MANUAL",
            status="UNDER_REVIEW",
            migrations=moves,
            created=self._foundation.now(),
        )

    def _moves(self, cluster: Cluster, most: int) -> tuple[DrsMigration, ...]:
        rows = self._hosts.where("cluster_id", cluster.id)
        hosts = [h for h in rows if h.state == "Up" and h.resource_state == "Enabled"]
        at = {host.id: position for position, host in enumerate(hosts)}
        vms = [vm for host in hosts for vm in self._movable(host)]
        if len(hosts) < 2 or not vms:
            return ()
        allowed = np.zeros((len(vms), len(hosts)), np.bool_)
        for row, vm in enumerate(vms):
            for candidate in self._migration.candidates(vm):
                if candidate.suitable and candidate.host.id in at:
                    allowed[row, at[candidate.host.id]] = True
        slots = [self._capacity.slot[host.id] for host in hosts]
        c = self._capacity
        totals = c.cpu_total[slots].astype(float), c.memory_total[slots].astype(float)
        room = c.cpu_room[slots].astype(float), c.memory_room[slots].astype(float)
        found = plan(
            Hosts(totals[0] - room[0], totals[0], totals[1] - room[1], totals[1]),
            Instances(
                np.array([at[cast(str, vm.host_id)] for vm in vms]),
                np.array([float(vm.cpus * vm.cpu_mhz) for vm in vms]),
                np.array([float(vm.memory_mib) for vm in vms]),
                allowed,
            ),
            algorithm=cast(Algorithm, self._text(cluster, "drs.algorithm")),
            metric=self._text(cluster, "drs.metric"),  # type: ignore[arg-type]
            threshold=self._foundation.settings.number("drs.imbalance", "Cluster", cluster.id),
            most=most,
        )
        moved: set[str] = set()
        kept = []
        for move in found:
            vm = vms[move.instance]
            if moved.isdisjoint(vm.affinity_group_ids):  # what suited before one of its group moved may not after
                moved.update(vm.affinity_group_ids)
                kept.append(DrsMigration(vm_id=vm.id, source_id=vm.host_id or "", destination_id=hosts[move.host].id))
        return tuple(kept)

    def _movable(self, host: Host) -> list[VirtualMachine]:
        found = (self._vms[vm_id] for vm_id in self._vms.ids("host_id", host.id))
        return [vm for vm in found if vm.state == "Running" and vm.type == "User" and not vm.gpus]

    # carrying them out

    def check(self, cluster: Cluster, wanted: Mapping[str, str]) -> tuple[DrsMigration, ...]:
        """The migrations that `wanted` (instance id -> host id) means. Raises unless all can be asked for now."""
        if not wanted:
            raise InvalidParameterValue("Parameter migrateto is empty: there is nothing to migrate")
        if any(plan.status in ("READY", "IN_PROGRESS") for plan in self._table.where("cluster_id", cluster.id)):
            raise InvalidParameterValue(f"There is already a plan in progress for cluster {cluster.name}")
        moves = []
        for vm_id, host_id in wanted.items():
            vm, host = self._vms.get(vm_id), self._hosts.get(host_id)
            if vm is None or vm.host_id is None or self._hosts[vm.host_id].cluster_id != cluster.id:
                raise InvalidParameterValue(f"Parameter migrateto: no instance {vm_id} runs in cluster {cluster.name}")
            if host is None or host.cluster_id != cluster.id:
                raise InvalidParameterValue(f"Parameter migrateto: cluster {cluster.name} has no host {host_id}")
            self._migration.check(vm, host_id)
            moves.append(DrsMigration(vm_id=vm_id, source_id=vm.host_id, destination_id=host_id))
        return tuple(moves)

    def execute(self, caller: Caller, cluster: Cluster, moves: tuple[DrsMigration, ...], *, automatic: bool) -> DrsPlan:
        """Keep the plan, and enter a job for each of its migrations; it is COMPLETED when they have ended."""
        with self._store.transaction():
            event = self._foundation.events.record(
                "CLUSTER.DRS",
                f"Executing DRS plan for cluster {cluster.name}: {len(moves)} migrations",
                caller=caller,
                resource_id=cluster.id,
                resource_type="Cluster",
            )
            made = self._table.insert(
                DrsPlan(
                    id=self._randomness.uuid(),
                    cluster_id=cluster.id,
                    type="AUTOMATED" if automatic else "MANUAL",
                    status="IN_PROGRESS",
                    migrations=tuple(replace(move, job_id=self._enter(caller, move).id) for move in moves),
                    event_id=event.id,
                    created=self._foundation.now(),
                )
            )
        self._spawn(self.finished(made.id))
        return made

    def _enter(self, caller: Caller, move: DrsMigration) -> AsyncJob:
        async def work() -> VirtualMachine:
            return await self._migration.migrate(caller, move.vm_id, move.destination_id)

        return self._jobs.submit(
            caller, "migrateVirtualMachine", work, instance_type="VirtualMachine", instance_id=move.vm_id
        )

    async def finished(self, plan_id: str) -> None:
        """Wait until all jobs of the plan have ended, and say so in its row."""
        for move in self._table[plan_id].migrations:
            job = self._job_rows.get(move.job_id)
            if job is not None and job.status == JOB_IN_PROGRESS:
                await self._jobs.wait(job.id)
        with self._store.transaction():
            if plan_id in self._table:
                self._table.update(plan_id, status="COMPLETED")

    # by itself

    def settle_after_restart(self) -> None:
        """Plans that a stopped server left: their jobs have failed with it."""
        with self._store.transaction():
            for row in list(self._table):
                if row.status != "COMPLETED":
                    self._table.update(row.id, status="COMPLETED")

    async def run_automatic(self) -> None:
        """Carry out a plan in each cluster where that is due, and forget plans that are too old."""
        now = self._foundation.now()
        for cluster in list(self._clusters):
            settings = self._foundation.settings
            if not settings.boolean("drs.automatic.enable", "Cluster", cluster.id):
                continue
            plans = self._table.where("cluster_id", cluster.id)
            last = max((row.created for row in plans if row.type == "AUTOMATED"), default=-np.inf)
            if now - last < MINUTE * self._number(cluster, "drs.automatic.interval"):
                continue
            try:
                moves = self.generate(cluster).migrations
                if moves:
                    wanted = {move.vm_id: move.destination_id for move in moves}
                    account, user = self._identity.system()
                    self.execute(Caller(account, user), cluster, self.check(cluster, wanted), automatic=True)
            except CloudError as error:
                log.warning("no DRS in cluster %s: %s", cluster.name, error.text)
            await asyncio.sleep(0)
        self._forget_old(now - DAY * self._foundation.settings.integer("drs.plan.expire.interval"))

    def _forget_old(self, before: float) -> None:
        with self._store.transaction():
            for row in [row for row in self._table if row.created < before and row.status == "COMPLETED"]:
                self._table.delete(row.id)

    def _text(self, cluster: Cluster, name: str) -> str:
        return self._foundation.settings.get(name, "Cluster", cluster.id)

    def _number(self, cluster: Cluster, name: str) -> int:
        return self._foundation.settings.integer(name, "Cluster", cluster.id)
