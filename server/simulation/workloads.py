"""Workloads of a served simulation: requests that arrive as a user's would, and what becomes of them.

They go the way of every deployment: the same checks, jobs, placement and commands. A workload lives in the server's memory;
its instances are the cloud's.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack
from typing import Literal

import numpy as np

from cloudsim.experiment.feeding import Feeder
from cloudsim.experiment.outcomes import Outcomes
from cloudsim.management.server import ManagementServer
from cloudsim.randomness import Randomness
from server.pacing import Pacing
from server.simulation.series import POINTS, Series
from server.simulation.served_cloud import Listening, ServedCloud
from server.simulation.workload_request import Requests

log = logging.getLogger(__name__)

KEPT = 50
"""How many workloads that have ended are remembered, as long as they have brought no more than `KEPT_REQUESTS` together."""
KEPT_REQUESTS = 300_000
RUNNING_AT_ONCE = 10
COLUMNS = (
    "time_s",
    "requested",
    "placed",
    "rejected",
    "failed",
    "pending",
    "instances",
    "latency_p50",
    "latency_p95",
    "cpu",
    "memory",
)
"""Of a workload's series: counts since its beginning; its instances that run; seconds of the deployments that succeeded
since the point before; the shares of CPU and memory of the whole cloud that are promised."""

State = Literal["Running", "Draining", "Ended"]


class Followed(Outcomes):
    """Also knows the instances, and how long those that run took."""

    def __init__(self) -> None:
        super().__init__()
        self.vm_ids: list[str | None] = []
        self.seconds: list[float] = []
        self.present = 0

    def running(self, index: int, time: float) -> None:
        super().running(index, time)
        self.seconds.append(time - self.arrival[index])
        self.present += 1

    def gone(self, index: int, time: float) -> None:
        super().gone(index, time)
        self.present -= self.running_at[index] is not None

    def accepted(self, index: int, vm_id: str) -> None:
        self.vm_ids += [None] * (index + 1 - len(self.vm_ids))
        self.vm_ids[index] = vm_id

    def vm_of(self, index: int) -> str | None:
        return self.vm_ids[index] if index < len(self.vm_ids) else None


class Workload:
    """One workload, from its beginning. It is Running while requests come, Draining until its last instance has gone
    or will stay, and Ended then."""

    def __init__(self, number: str, name: str, cloud: ServedCloud, requests: Requests, pacing: Pacing) -> None:
        self.id = number
        self.name = name
        self.cloud = cloud
        self.requests = requests
        self.created = cloud.world.now()
        self.ended: float | None = None
        self.stopped = False
        self.outcomes = Followed()
        self.series = Series(COLUMNS, max(1.0, requests.last_arrival / (POINTS / 2)))
        self.on_end: Callable[[], None] = lambda: None
        self._loop = cloud.world.loop
        self._began = self._loop.time()
        self._listening = Listening(cloud.store)
        self._held = ExitStack()
        self._pacing = pacing
        self._writing: asyncio.Task[None] | None = None
        self._next: asyncio.TimerHandle | None = None
        self._sampled = 0
        self._known: tuple[int, tuple[float, float, float]] = (0, (0.0, 0.0, 0.0))
        self._feeder = Feeder(cloud, self._listening, iter(requests), self._began, False)
        self._feeder.outcomes = self.outcomes
        self._feeder.on_step = self._step
        self._feeder.on_accepted = self.outcomes.accepted

    def begin(self) -> None:
        """From now on requests come; `max` goes as fast as it can for them."""
        self._held.enter_context(self._pacing.work())
        self._feeder.begin()
        self._tick()

    @property
    def state(self) -> State:
        if self.ended is not None:
            return "Ended"
        return "Draining" if self._feeder.exhausted else "Running"

    def stop(self, *, destroy: bool) -> None:
        """No more requests come; with `destroy`, its instances are destroyed now instead of when their time is over."""
        self.stopped = True
        self._feeder.stop(destroy=destroy)

    def latencies(self) -> tuple[float, float, float] | None:
        """The median, and the 95th and 99th percentiles, of the seconds from a request until its instance ran."""
        seconds = self.outcomes.seconds
        if not seconds:
            return None
        if self._known[0] != len(seconds):
            p50, p95, p99 = np.percentile(seconds, (50, 95, 99)).tolist()
            self._known = len(seconds), (p50, p95, p99)
        return self._known[1]

    def close(self) -> None:
        """The server stops: nothing more is noted."""
        if self._next is not None:
            self._next.cancel()
        if self._writing is not None:
            self._writing.cancel()
        self._listening.stop()
        self._held.close()

    # inside

    def _step(self) -> None:
        if self._writing is None or self._writing.done():
            self._writing = self._loop.create_task(self._written())
        if self.ended is None and self._is_over():
            self._loop.call_soon(self._end)

    def _is_over(self) -> bool:
        feeder = self._feeder
        return feeder.exhausted and not feeder.unanswered and not feeder.to_depart

    def _end(self) -> None:
        if self.ended is not None or not self._is_over():
            return
        self._sample()
        self.ended = self.cloud.world.now()
        self.close()
        self.on_end()

    async def _written(self) -> None:
        """As with a user's request, time goes slowly while the disk is waited for: what comes does not outrun it."""
        with self._pacing.disk():
            await self.cloud.store.durable()

    def _tick(self) -> None:
        self._sample()
        self._next = self._loop.call_later(self.series.interval, self._tick)

    def _sample(self) -> None:
        counts, seconds = self.outcomes.counts, self.outcomes.seconds
        since, self._sampled = self._sampled, len(seconds)
        p50, p95 = np.percentile(seconds[since:], (50, 95)).tolist() if len(seconds) > since else (None, None)
        capacity = self.cloud.server.capacity
        n = capacity.size
        self.series.add(
            round(self._loop.time() - self._began, 3),
            len(self.outcomes),
            counts["placed"],
            counts["rejected"],
            counts["failed"],
            counts["pending"],
            self.outcomes.present,
            p50,
            p95,
            _share(capacity.cpu_used[:n].sum(), capacity.cpu_total[:n].sum()),
            _share(capacity.memory_used[:n].sum(), capacity.memory_total[:n].sum()),
        )


def _share(used: float, total: float) -> float:
    return round(float(used / total), 6) if total else 0.0


class Workloads:
    """All workloads since the server started, up to `KEPT` of those that have ended."""

    def __init__(self, server: ManagementServer, pacing: Pacing, randomness: Randomness) -> None:
        self._server = server
        self._pacing = pacing
        self._randomness = randomness
        self._workloads: OrderedDict[str, Workload] = OrderedDict()
        self.started = 0

    def all(self) -> list[Workload]:
        """The newest first."""
        return list(reversed(self._workloads.values()))

    def get(self, workload_id: str) -> Workload | None:
        return self._workloads.get(workload_id)

    @property
    def running(self) -> int:
        return sum(each.ended is None for each in self._workloads.values())

    def named(self, name: str) -> Workload | None:
        """The workload of that name that has not ended: names of instances begin with it."""
        return next((w for w in self._workloads.values() if w.name == name and w.ended is None), None)

    def start(self, name: str, cloud: ServedCloud, requests: Requests) -> Workload:
        """Begin a workload; the offerings that it needs are made."""
        cloud.offer(requests.shapes)
        workload = Workload(self._randomness.uuid(), name, cloud, requests, self._pacing)
        self._workloads[workload.id] = workload
        self.started += 1
        workload.begin()
        self._forget()
        return workload

    def close(self) -> None:
        """The server stops: workloads end, and events say so."""
        for workload in self._workloads.values():
            if workload.ended is None:
                workload.close()
                owner = workload.cloud.owner
                self._server.foundation.events.record(
                    "WORKLOAD.STOP",
                    f"Workload {workload.name} ended after {len(workload.outcomes)} requests because the server stopped; "
                    "its instances stay",
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                )

    def _forget(self) -> None:
        ended = [w for w in self._workloads.values() if w.ended is not None]
        requests = sum(len(w.outcomes) for w in ended)
        for left, workload in zip(range(len(ended), 0, -1), ended, strict=True):
            if left <= KEPT and requests <= KEPT_REQUESTS:
                return
            requests -= len(workload.outcomes)
            del self._workloads[workload.id]
