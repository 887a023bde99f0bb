"""Runs one seed: random calls by everybody, faults, calm, looks; and in the end all is deleted and nothing is left."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from backends.simulated.faults import SimulatedFaultInjector
from cloudsim.invariants import ALWAYS, WHEN_QUIET, Violation, check
from cloudsim.model import Account, AsyncJob, Domain, Host, Project, User
from cloudsim.model.operations import JOB_FAILED, JOB_IN_PROGRESS, JOB_SUCCEEDED
from cloudsim.store import Change
from tests.dst.cloud import Complaints
from tests.dst.plan import random_faults
from tests.selfservice.asking import Asked, Asker
from tests.selfservice.cloud import Answer, ServedCloud
from tests.selfservice.counts import Counting
from tests.selfservice.looking import Looking
from tests.selfservice.ownership import Ownership
from tests.selfservice.people import settle_in
from tests.selfservice.remains import Remains, guests
from tests.selfservice.shapes import wrong
from tests.selfservice.trespass import Trespassing, answered, refused_in_time

EPISODE = 6 * 3600.0
ACTIVE = 4 * 3600.0
SAMPLE = 600.0
LONGEST_SETTLING = 12 * 3600.0
"""Simulated seconds: an episode, of it the part with calls and faults, between looks, and until quiet at most."""
LAST = 60
"""Calls that are told of when something is broken."""


class Outcome(NamedTuple):
    """What became of a run.

    `statuses` and `jobs` are of commands, by status and by end; `probes` lists were looked at, with `seen` rows in all,
    `tried` calls made on another's things; `last` are the last calls in words; `cut_short`: it did not come to its end.
    """

    violations: list[Violation]
    simulated: float
    calls: int
    statuses: Counter[tuple[str, int]]
    jobs: Counter[tuple[str, int]]
    probes: int
    seen: int
    tried: int
    restarts: int
    last: list[str]
    cut_short: bool


class Violated(Exception):
    """Something does not hold."""


class Run:
    """One seed, on a cloud of its own."""

    def __init__(self, seed: int, *, episodes: int = 1, faults: bool = True, gap: float = 60.0, go_on: bool = False) -> None:
        self.seed, self.episodes, self.gap, self.go_on = seed, episodes, gap, go_on
        self.found: list[Violation] = []
        self.cut_short = False
        self.cloud = ServedCloud(seed, racks=2, hosts=3)
        generator = np.random.default_rng([seed, 0x5E1F])
        self._chance = generator
        self._faults = tuple(random_faults(generator, episodes, 2, 3)) if faults else ()
        self.asker = Asker(self.cloud, generator)
        self.looking = Looking(self.cloud, generator)
        self.trespassing = Trespassing(self.cloud, self.asker, generator)
        self.counting, self.remains = Counting(), Remains()
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.jobs: Counter[tuple[str, int]] = Counter()
        self.calls = 0
        self.last: deque[str] = deque(maxlen=LAST)
        self._tasks: set[asyncio.Task[None]] = set()
        self._accepted: dict[str, Asked] = {}
        self.start = 0.0

    @property
    def now(self) -> float:
        return self.cloud.loop.time() - self.start

    def outcome(self) -> Outcome:
        """Run it to its end, or to the first violation."""
        cloud = self.cloud
        complaints = Complaints(cloud.violations)
        loggers = [logging.getLogger(name) for name in ("cloudsim", "server")]
        for logger in loggers:
            logger.addHandler(complaints)
            logger.propagate = False
        try:
            with asyncio.Runner(loop_factory=lambda: cloud.loop) as runner:
                runner.run(self._main())
        finally:
            for logger in loggers:
                logger.removeHandler(complaints)
                logger.propagate = True
        return Outcome(
            self.found + cloud.violations,
            cloud.loop.time(),
            self.calls,
            self.statuses,
            self.jobs,
            self.looking.probes,
            self.looking.seen,
            self.trespassing.tried,
            cloud.restarts,
            list(self.last),
            self.cut_short,
        )

    async def _main(self) -> None:
        cloud = self.cloud
        self._new_server()
        cloud.on_new_server = self._new_server  # type: ignore[method-assign]
        await cloud.set_up()
        await settle_in(cloud)
        self.start = cloud.loop.time()
        injector = SimulatedFaultInjector(cloud.world, self._faults, cloud.randomness.branch("faults"), cloud.restart)
        injector.start()
        try:
            for episode in range(self.episodes):
                await self._active((episode * EPISODE) + ACTIVE)
                await self._settle()
                self._look_closely()
                await self._until((episode + 1) * EPISODE)
            injector.stop()
            await self._settle()
            await self._delete_everything()
        except Violated:
            self.cut_short = True
            injector.stop(heal=False)
        finally:
            for task in self._tasks:
                task.cancel()
            await cloud.server.stop()

    def _new_server(self) -> None:
        for task in self._tasks:
            task.cancel()
        store = self.cloud.store
        jobs = store.table(AsyncJob)
        self._accepted = {job_id: asked for job_id, asked in self._accepted.items() if job_id in jobs}
        store.subscribe(self._changed)
        self.remains.follow(store)

    # calls

    async def _active(self, end: float) -> None:
        while self.now < end:
            await self._until(min(end, self.now + self._chance.exponential(self.gap if self._chance.random() < 0.7 else 1.0)))
            if not self.cloud.up:
                continue
            if self._chance.random() < 0.06:
                for asked in self.asker.bunch():
                    self._make(asked)
            elif (asked_one := self.asker.call()) is not None:
                self._make(asked_one)
            if self._chance.random() < 0.1:
                self._look()

    def _make(self, asked: Asked) -> None:
        task = self.cloud.loop.create_task(self._do(asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, asked: Asked) -> None:
        cloud, store = self.cloud, self.cloud.store
        self.calls += 1
        user = store.table(User).get(asked.user.id)
        if user is None or not cloud.up:
            return
        guards = answered(Ownership(store), user, asked)
        answer = await cloud.call(user, asked.command.name, **asked.parameters)
        self._tell(asked, answer)
        self.statuses[asked.command.name, answer.status] += 1
        if answer.status != 200:
            if "Internal error" in answer.text:
                self._found([Violation("no internal error", f"{asked.command.name} {asked.parameters}: {answer.text}")])
            return
        self._found(refused_in_time(asked, guards))
        if asked.command.job:
            self._accepted[answer.body["jobid"]] = asked
            row = store.table(AsyncJob).get(answer.body["jobid"])
            if row is not None and row.status != JOB_IN_PROGRESS:
                self._ended(row)
        else:
            self._found(wrong(asked.command, answer.body))

    def _tell(self, asked: Asked, answer: Answer) -> None:
        what = f"{self.now:9.1f} {asked.user.username}: {asked.command.name} {asked.parameters}"
        self.last.append(f"{what} -> {answer.status} {answer.text or json.dumps(answer.body)[:100]}")

    def _changed(self, changes: list[Change]) -> None:
        for table, _, after in changes:
            if table.row_type is AsyncJob and after is not None and after.status != JOB_IN_PROGRESS:
                self._ended(after)

    def _ended(self, job: AsyncJob) -> None:
        if job.status == JOB_FAILED and "Internal error" in (job.result or ""):
            self._found([Violation("no internal error", f"job {job.command}: {job.result}")])
        asked = self._accepted.pop(job.id, None)
        if asked is None:
            return
        self.jobs[job.command, job.status] += 1
        self.last.append(f"{self.now:9.1f} job {job.command} of {asked.user.username}: {job.status} {(job.result or '')[:160]}")
        if job.status == JOB_SUCCEEDED and job.result:
            self._found(wrong(asked.command, json.loads(job.result)))

    def _found(self, violations: Iterable[Violation]) -> None:
        self.cloud.violations += violations

    # looks

    async def _until(self, time: float) -> None:
        loop, end = self.cloud.loop, self.start + time
        while True:
            due = loop.create_future()
            loop.call_at(min(loop.time() + SAMPLE, end), due.set_result, None)
            await due
            self._check_always()
            if loop.time() >= end:
                return

    def _check_always(self) -> None:
        if self.cloud.up:
            self._found(check(self.cloud.scene(), ALWAYS))
        self._stop_if_violated()

    def _stop_if_violated(self) -> None:
        violations = self.cloud.violations
        if violations and not self.go_on:
            raise Violated
        if violations and len(self.found) < 200:
            self.found += violations
            for violation in violations:
                print(f"{self.now:.0f} {violation}", flush=True)
        violations.clear()

    def _look(self) -> None:
        """At one instant: counts and limits, and some lists of some people."""
        if self.cloud.up:
            self._found(self.counting.check(self.cloud))
            self._found(self.looking.at_random(self.asker.users(), 25))
        self._stop_if_violated()

    def _look_closely(self) -> None:
        """The same, and what takes longer, on a quiet cloud."""
        users = self.asker.users()
        self._found(self.counting.check(self.cloud))
        self._found(self.looking.at_random(users, 300))
        self._found(self.looking.complete(users))
        self._found(self.looking.by_keyword(self.cloud.admin))
        for index in self._chance.permutation(len(users))[:3]:
            self._found(self.trespassing.everything(users[index]))
        self._stop_if_violated()

    async def _settle(self) -> None:
        """Wait until the cloud is quiet, and all that then must hold holds."""
        deadline = self.now + LONGEST_SETTLING
        while True:
            await self._until(self.now + 300)
            left = self._unsettled()
            if not left:
                return
            if self.now >= deadline:
                self._found(left)
                raise Violated

    def _unsettled(self) -> list[Violation]:
        cloud = self.cloud
        if not cloud.up:
            return [Violation("the manager comes back", "it is away")]
        down = [h.name for h in cloud.store.table(Host) if h.state != "Up"]
        if down:
            return [Violation("hosts come back", f"{', '.join(down)} not Up")]
        hanging = [Violation("every job ends", f"{a.command.name} {a.parameters}") for a in self._accepted.values()]
        return [*hanging, *check(cloud.scene(), WHEN_QUIET), *self.remains.check(cloud), *guests(cloud)]

    # the end

    async def _delete_everything(self) -> None:
        """What nobody disturbs succeeds: every project, domain and account can be deleted, and nothing is left."""
        store = self.cloud.store
        for user in self.asker.users():
            for asked in self.asker.furniture(user):
                self._make(asked)
        await self._settle()
        self._look()
        for project in list(store.table(Project)):
            await self._succeeds("deleteProject", id=project.id, cleanup=True)
        root = next(d for d in store.table(Domain) if d.parent_id is None)
        for domain in list(store.table(Domain).where("parent_id", root.id)):
            await self._succeeds("deleteDomain", id=domain.id, cleanup=True)
        for account in list(store.table(Account)):
            if not account.is_default:
                await self._succeeds("deleteAccount", id=account.id)
        await self._settle()
        left = [a.name for a in store.table(Account) if not a.is_default]
        left += [d.path for d in store.table(Domain) if d.parent_id is not None]
        if left:
            self._found([Violation("nothing is left behind", f"{left} after all were deleted")])
        for name in OF_PEOPLE:
            for row in store.tables[name]:
                owner = Ownership(store).owner(row)
                if owner is None or not owner.is_default:
                    self._found([Violation("nothing is left behind", f"{row}")])
        self._stop_if_violated()

    async def _succeeds(self, command: str, **parameters: Any) -> None:
        cloud = self.cloud
        answer = await cloud.call(cloud.admin, command, **parameters)
        if answer.status != 200:
            self._found([Violation("what nobody disturbs succeeds", f"{command} {parameters}: {answer.text}")])
            raise Violated
        job = await cloud.server.jobs.wait(answer.body["jobid"])
        if job.status != JOB_SUCCEEDED:
            self._found([Violation("what nobody disturbs succeeds", f"{command} {parameters}: {job.result}")])
            raise Violated


OF_PEOPLE = (
    "VirtualMachine", "Volume", "Snapshot", "VmSnapshot", "Backup", "Network", "Vpc", "SecurityGroup", "SshKeyPair", "UserData",
    "AffinityGroup", "InstanceGroup", "FirewallRule", "PortForwardingRule", "LoadBalancerRule", "VpnUser", "VpnCustomerGateway",
)  # fmt: skip
"""Row types that only people's things are of."""
