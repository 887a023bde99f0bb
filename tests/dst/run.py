"""Runs a plan: operations and faults, calm, checks; and in the end everything is destroyed and nothing is left."""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple

from backends.simulated.faults import SimulatedFaultInjector
from cloudsim.errors import CloudError
from cloudsim.invariants import ALWAYS, WHEN_QUIET, Violation, check
from cloudsim.model import Host, Nic, Snapshot, TemplateOnPool, VirtualMachine, VmSnapshot, Volume
from tests.dst.cloud import Complaints, DstCloud
from tests.dst.operations import Operator
from tests.dst.plan import ACTIVE, EPISODE, HOUR, Operation, Plan

SAMPLE = 600.0
"""Seconds between looks at the invariants that hold always, beside those at each operation."""
LONGEST_SETTLING = 8 * HOUR
"""Simulated time in which a cloud that nobody disturbs must be quiet; a job takes a few times the setting `wait`."""


class Outcome(NamedTuple):
    """What became of a run; `digest` is of every change that was made durable, in order."""

    violations: list[Violation]
    at: float
    simulated: float
    digest: str
    asked: int
    succeeded: int
    failed: int
    restarts: int
    taken_back: int


class Violated(Exception):
    """An invariant does not hold."""


class Run:
    """One run of a plan, on a cloud of its own."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan.complete()
        self.cloud = DstCloud(plan.seed, plan.racks, plan.hosts, plan.watched)
        self.start = 0.0

    @property
    def now(self) -> float:
        return self.cloud.loop.time() - self.start

    def outcome(self) -> Outcome:
        """Run it to its end, or to the first violation."""
        cloud = self.cloud
        complaints = Complaints(cloud.violations)
        logger = logging.getLogger("cloudsim")
        logger.addHandler(complaints)
        propagate, logger.propagate = logger.propagate, False
        try:
            with asyncio.Runner(loop_factory=lambda: cloud.loop) as runner:
                runner.run(self._main())
        finally:
            logger.removeHandler(complaints)
            logger.propagate = propagate
        operator = self.operator
        return Outcome(
            cloud.violations,
            self.now,
            cloud.loop.time(),
            cloud.journal.digest,
            operator.asked,
            operator.succeeded,
            operator.failed,
            cloud.restarts,
            cloud.taken_back,
        )

    async def _main(self) -> None:
        cloud = self.cloud
        self.operator = Operator(cloud)
        await cloud.set_up()
        self.start = cloud.loop.time()
        injector = SimulatedFaultInjector(
            cloud.world, self.plan.faults or (), cloud.randomness.branch("faults"), cloud.restart
        )
        injector.start()
        try:
            await self._episodes()
            injector.stop()
            await self._settle()
            await self._destroy_everything()
        except Violated:
            injector.stop(heal=False)
        finally:
            await cloud.server.stop()

    async def _episodes(self) -> None:
        operations = sorted(self.plan.operations or (), key=lambda o: o.at)
        position = 0
        for episode in range(self.plan.episodes):
            end = episode * EPISODE + ACTIVE
            while position < len(operations) and operations[position].at < end:
                operation = operations[position]
                position += 1
                await self._until(operation.at)
                self._do(operation)
            await self._until(end)
            await self._settle()
            await self._until((episode + 1) * EPISODE)

    def _do(self, operation: Operation) -> None:
        self.operator.do(operation)
        self._check_always()

    async def _until(self, time: float) -> None:
        loop, end = self.cloud.loop, self.start + time
        while loop.time() < end:
            due = loop.create_future()
            loop.call_at(min(loop.time() + SAMPLE, end), due.set_result, None)
            await due
            self._check_always()

    def _check_always(self) -> None:
        cloud = self.cloud
        if cloud.up:
            cloud.violations += check(cloud.scene(), ALWAYS)
        if cloud.violations:
            raise Violated

    async def _settle(self) -> None:
        """Wait until the cloud is quiet, and all that then must hold holds."""
        cloud = self.cloud
        deadline = self.now + LONGEST_SETTLING
        while True:
            await cloud.take_back()
            await self._until(self.now + 300)
            left = self._unsettled()
            if not left:
                return
            if self.now >= deadline:
                cloud.violations += left
                raise Violated

    def _unsettled(self) -> list[Violation]:
        cloud = self.cloud
        if not cloud.up:
            return [Violation("the manager comes back", "it is away")]
        down = [h.name for h in cloud.store.table(Host) if h.state != "Up"]
        if down:
            return [Violation("hosts come back", f"{', '.join(down)} not Up")]
        return [*check(cloud.scene(), WHEN_QUIET), *self.operator.ledger.check(cloud.store)]

    async def _destroy_everything(self) -> None:
        """What nobody disturbs succeeds: every instance and disk can be removed, and nothing is left."""
        cloud, operator = self.cloud, self.operator
        server = cloud.server
        for volume in list(cloud.store.table(Volume)):
            operator.ledger.open(volume.id)
        try:
            for vm in list(cloud.store.table(VirtualMachine)):
                if vm.id in cloud.store.table(VirtualMachine):
                    job = server.vms.destroy(cloud.caller, vm, expunge=True)
                    await self._succeeded(job.id, f"destroying {vm.instance_name} ({vm.state})")
            for snapshot in list(cloud.store.table(Snapshot)):
                await server.snapshots.delete(snapshot.id)
            for volume in list(cloud.store.table(Volume)):
                now = cloud.store.table(Volume).get(volume.id)
                if now is not None:
                    await server.volumes.delete(now)
        except CloudError as error:
            cloud.violations.append(Violation("what nobody disturbs succeeds", error.text))
            raise Violated from error
        self._check_empty()

    async def _succeeded(self, job_id: str, what: str) -> None:
        job = await self.cloud.server.jobs.wait(job_id)
        if job.status != 1 and "Destroyed" not in what:
            text = f"{what}: {job.result}"
            self.cloud.violations.append(Violation("what nobody disturbs succeeds", text))
            raise Violated

    def _check_empty(self) -> None:
        cloud, store = self.cloud, self.cloud.store
        left = [
            Violation("nothing is left", f"{len(store.table(kind))} of {kind.__name__}")
            for kind in (VirtualMachine, Nic, Volume, Snapshot, VmSnapshot)
            if len(store.table(kind))
        ]
        used = {k: v for k, v in cloud.server.capacity.totals().items() if k.endswith("used") and v}
        if used:
            left.append(Violation("nothing is left", f"capacity {used}"))
        templates = {(copy.pool_id, copy.path) for copy in store.table(TemplateOnPool)}
        for pool_id, files in cloud.inventory().files.items():
            for path in sorted(files):
                if (pool_id, path) not in templates:
                    left.append(Violation("nothing is left", f"{path} on {pool_id}"))
        for pool in cloud.world.site.pool_ids.values():
            used_bytes = sum(c.taken for c in pool.contents.values())
            if pool.used != used_bytes:
                left.append(
                    Violation("nothing is left", f"{pool.used} bytes of {pool.name}, not {used_bytes}")
                )
        for host in cloud.world.hosts.values():
            if host.hypervisor.guests or host.hypervisor.memory_used:
                left.append(Violation("nothing is left", f"guests of {host.name}"))
        cloud.violations += [*check(cloud.scene(), ALWAYS), *left]
        if cloud.violations:
            raise Violated
