"""Brings a trace to a cloud: each request is a deployment at its time, and a destruction when its life is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from cloudsim.errors import CloudError
from cloudsim.experiment import causes
from cloudsim.experiment.outcomes import Outcomes
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.tasks import Tasks
from cloudsim.management.compute.deploy_request import DeployRequest
from cloudsim.management.identity.caller import Caller
from cloudsim.management.server import ManagementServer
from cloudsim.model import AsyncJob, Host, VirtualMachine
from cloudsim.model.operations import JOB_SUCCEEDED
from cloudsim.placement import PlacementRequest, Policy
from cloudsim.store import Store

RETRY_AFTER = 600.0
"""Seconds after which an instance that could not be destroyed is tried again."""


def _asked(request: VmRequest) -> PlacementRequest:
    """What placement will be asked for it, as far as it is known before there is an instance."""
    return PlacementRequest(
        request.cpus * request.cpu_mhz,
        request.memory_mib,
        request.cpus,
        request.cpu_mhz,
        request.gpus,
        request.gpu_milli,
        request.gpu_models,
        request.tenant,
        request.tags,
        request.arrival_ms,
    )


class Fed(Protocol):
    """A cloud that requests are brought to: one of an experiment, or one that is served."""

    server: ManagementServer
    store: Store

    @property
    def world(self) -> Any:
        """A `cloudsim.experiment.cloud.DescribedWorld`."""

    def deployment(self, index: int, request: VmRequest) -> DeployRequest:
        """What is asked of the cloud for request number `index`, from 0. Raises CloudError."""

    def caller_for(self, trace_id: str) -> Caller:
        """Who asks."""


class Heard(Protocol):
    """What tells of instances and jobs, as `cloudsim.experiment.recording.Recorder` does: it calls what is set here."""

    on_vm: Callable[[VirtualMachine | None, VirtualMachine | None], None]
    on_job: Callable[[AsyncJob], None]


class Feeder:
    """Feeds `requests` into the cloud from loop time `start` on. One timer is armed for the next arrival.

    `counts_from_arrival` says from when lifetimes count; `ends_with_work`, that instances with work are destroyed
    when it is done, and not by their lifetime. `on_step` is called after each arrival and each departure, and when the
    work of an instance is done.

    It is a `cloudsim.work.WorkListener`, for a world that tells of work.
    """

    def __init__(
        self,
        cloud: Fed,
        recorder: Heard,
        requests: Iterator[VmRequest],
        start: float,
        counts_from_arrival: bool,
        ends_with_work: bool = False,
    ) -> None:
        self._cloud = cloud
        self._requests = requests
        self._following = next(requests, None)
        self._start = start
        self._counts_from_arrival = counts_from_arrival
        self._ends_with_work = ends_with_work
        self._loop = cloud.world.loop
        self._vms = cloud.store.table(VirtualMachine)
        self._hosts = cloud.store.table(Host)
        self.outcomes = Outcomes()
        self.tasks = Tasks()
        self.exhausted = False
        self.unanswered = 0
        self.to_depart = 0
        self._deploying: dict[str, tuple[int, str, VmRequest]] = {}
        self._destroying: dict[str, str] = {}
        self._index: dict[str, int] = {}
        self._at_work: set[int] = set()
        """Requests whose instances have a host and tasks that are not done."""
        self._until_done: set[str] = set()
        """Instances that are destroyed when their work is done."""
        self._idle: set[str] = set()
        """Those of them that lost their host before it was, so that it never may be."""
        self._leaving: dict[str, asyncio.TimerHandle] = {}
        """Instances that run until their lifetime is over, and what ends it."""
        self._staying: set[str] = set()
        """Instances that run on for ever."""
        self._ends_at_once = False
        self._next_arrival: asyncio.TimerHandle | None = None
        self.on_step: Callable[[], None] = lambda: None
        self.on_accepted: Callable[[int, str], None] = lambda index, vm_id: None
        """Hears of the instance that was made for a request."""
        self._others_done: Callable[[], bool] = lambda: True
        recorder.on_vm = self._moved
        recorder.on_job = self._ended

    def wait_for(self, others: Callable[[], bool]) -> None:
        """The run is not over before `others()`; who makes it so calls `on_step`."""
        self._others_done = others

    def begin(self) -> None:
        self._arm()

    def stop(self, *, destroy: bool = False) -> None:
        """Bring no more requests. Instances live on for as long as they would have; with `destroy`, they are destroyed."""
        if self._next_arrival is not None:
            self._next_arrival.cancel()
        self._following = None
        self.exhausted = True
        if destroy:
            self._ends_at_once = True
            self.to_depart += len(self._staying) + len(self._idle)
            leaving = [*self._leaving, *self._until_done, *self._staying, *self._idle]
            for timer in self._leaving.values():
                timer.cancel()
            for kept in (self._leaving, self._until_done, self._staying, self._idle):
                kept.clear()
            for vm_id in leaving:
                self._destroy(vm_id)
        self.on_step()

    def _now(self) -> float:
        return self._loop.time() - self._start

    def _arm(self) -> None:
        batch = self._next_batch()
        if batch:
            due = self._start + batch[0].arrival_ms / 1000
            self._next_arrival = self._loop.call_at(due, self._due, batch)
        else:
            self.exhausted = True

    def _next_batch(self) -> list[VmRequest]:
        """The next request; under a policy that orders batches, all that arrive with it. Empty at the end."""
        if self._following is None:
            return []
        batch = [self._following]
        self._following = next(self._requests, None)
        orders = self._policy().orders_batches
        while orders and self._following is not None and self._following.arrival_ms == batch[0].arrival_ms:
            batch.append(self._following)
            self._following = next(self._requests, None)
        return batch

    def _policy(self) -> Policy:
        return self._cloud.server.planner.policy(None)

    def _due(self, batch: list[VmRequest]) -> None:
        # What leaves at this very instant leaves first, and requests of one instant come one after the other.
        self._cloud.world.when_settled(lambda: self._arrive(batch))

    def _arrive(self, batch: list[VmRequest]) -> None:
        indices = [self.outcomes.arrived(request) for request in batch]
        order: Sequence[int] = range(len(batch))
        if len(batch) > 1:
            order = self._policy().batch_order([_asked(request) for request in batch])
        for i in order:
            self._deploy(indices[i], batch[i])
        self._arm()
        self.on_step()

    def _deploy(self, index: int, request: VmRequest) -> None:
        cloud = self._cloud
        if request.work_ms:
            self.tasks.expect(index, request.work_ms)
        if cloud.server.stopping:
            self.outcomes.failed(index, "manager down")
        else:
            try:
                deployment = cloud.deployment(index, request)
                vm, job = cloud.server.vms.deploy(cloud.caller_for(f"deploy {index + 1}"), deployment)
            except CloudError as error:
                self.outcomes.failed(index, causes.of_error(error))
            else:
                self._index[vm.id] = index
                self._deploying[job.id] = (index, vm.id, request)
                self.unanswered += 1
                self.on_accepted(index, vm.id)

    # what the recorder hears, within a commit: nothing is written here, only noted or scheduled

    def _moved(self, before: VirtualMachine | None, after: VirtualMachine | None) -> None:
        row = after or before
        assert row is not None
        index = self._index.get(row.id)
        if index is None:
            return
        if after is None:
            del self._index[row.id]
            self._at_work.discard(index)
            self._idle.discard(row.id)
            self._staying.discard(row.id)
            self.outcomes.gone(index, self._now())
        elif after.host_id is not None:
            if self.tasks.left(index):
                self._at_work.add(index)
                if row.id in self._idle:
                    self._idle.remove(row.id)
                    self._until_done.add(row.id)
                    self.to_depart += 1
            self.outcomes.placed(index, self._now(), self._hosts[after.host_id].name)
        else:
            self._at_work.discard(index)
            if row.id in self._until_done:
                self._until_done.remove(row.id)
                self._idle.add(row.id)
                self.to_depart -= 1
            if self.tasks.left(index):
                self._loop.call_soon(self.on_step)
            self.outcomes.released(index, self._now())

    def _ended(self, job: AsyncJob) -> None:
        deployment = self._deploying.pop(job.id, None)
        if deployment is not None:
            self.unanswered -= 1
            self._answered(job, *deployment)
        vm_id = self._destroying.pop(job.id, None)
        if vm_id is not None:
            if job.status == JOB_SUCCEEDED:
                self.to_depart -= 1
            else:
                self._loop.call_later(RETRY_AFTER, self._destroy, vm_id)
            self._loop.call_soon(self.on_step)

    def _answered(self, job: AsyncJob, index: int, vm_id: str, request: VmRequest) -> None:
        if job.status != JOB_SUCCEEDED:
            self.outcomes.failed(index, causes.of_result(job.result))
            self.to_depart += 1
            self._loop.call_soon(self._destroy, vm_id)
            return
        now = self._now()
        self.outcomes.running(index, now)
        if self._ends_at_once:
            self.to_depart += 1
            self._loop.call_soon(self._destroy, vm_id)
        elif request.work_ms and self._ends_with_work:
            self.to_depart += 1
            if self.tasks.left(index):
                self._until_done.add(vm_id)
            else:
                self._loop.call_soon(self._destroy, vm_id)
        elif request.lifetime_ms is not None:
            # As one sum of ms where it can be: the instant is then exactly that of an arrival at the same ms.
            end = request.arrival_ms + request.lifetime_ms
            seconds = end / 1000 if self._counts_from_arrival else now + request.lifetime_ms / 1000
            self.to_depart += 1
            self._leaving[vm_id] = self._loop.call_at(self._start + seconds, self._destroy, vm_id)
        else:
            self._staying.add(vm_id)
        self._loop.call_soon(self.on_step)

    def _destroy(self, vm_id: str) -> None:
        self._leaving.pop(vm_id, None)
        vm = self._vms.get(vm_id)
        if vm is None:
            self.to_depart -= 1
        elif self._cloud.server.stopping:
            self._loop.call_later(RETRY_AFTER, self._destroy, vm_id)
        else:
            caller = self._cloud.caller_for(f"destroy {self._index.get(vm_id, -1) + 1}")
            job = self._cloud.server.vms.destroy(caller, vm, expunge=True)
            self._destroying[job.id] = vm_id
        self.on_step()

    # what a world tells of work

    def work_began(self, vm_id: str, tasks: Sequence[int], time: float) -> None:
        index = self._index.get(vm_id)
        if index is not None:
            self.tasks.begin(index, tasks, time - self._start)

    def task_finished(self, vm_id: str, task: int, time: float) -> None:
        index = self._index.get(vm_id)
        if index is None:
            return
        self.tasks.finish(index, task, time - self._start)
        if not self.tasks.left(index):
            self._at_work.discard(index)
            if vm_id in self._until_done:
                self._until_done.remove(vm_id)
                self._loop.call_soon(self._destroy, vm_id)
            else:
                self._loop.call_soon(self.on_step)

    def instance_of(self, index: int) -> VirtualMachine | None:
        """The instance of a request; None before it came and after it went."""
        for vm_id, each in self._index.items():
            if each == index:
                return self._vms.get(vm_id)
        return None

    async def until(self, end: float | str) -> None:
        """Return when the run is over: after `end` seconds, or see `Scenario.until`."""
        if not isinstance(end, str):
            await asyncio.sleep(max(0.0, self._start + end - self._loop.time()))
            return
        done = self._loop.create_future()
        earlier = self.on_step

        def step() -> None:
            earlier()
            answered = self.exhausted and not self.unanswered and self._others_done()
            if answered and not self._awaited(end) and not done.done():
                done.set_result(None)

        self.on_step = step
        step()
        await done

    def _awaited(self, end: str) -> bool:
        """Whether there is still something of what the run is to end with."""
        if end == "last-task":
            return bool(self._at_work)
        return end == "last-departure" and bool(self.to_depart)
