"""The engine for everything: the management server's own planner over the same arrays, request by request.

It knows GPUs, tags, NUMA nodes, tenants, affinity groups, batches that a policy orders, and any policy whatever. What it
does for a request is what `cloudsim.management.compute.vm_start` does for an instance, without the instance.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from cloudsim.experiment.blocks import Flavour, RequestBlock
from cloudsim.experiment.replay.bounds import HostsNeeded
from cloudsim.experiment.replay.hosts import HostGroup, arrays_of
from cloudsim.experiment.replay.result import Totals
from cloudsim.experiment.replay.samples import Mix, Sampler, State
from cloudsim.placement import NoPlace, PlacementRequest, Planner
from cloudsim.randomness import Randomness


class NoThresholds:
    """Settings under which hosts may be filled: no over-commit beyond the hosts' own, no thresholds, one policy."""

    def __init__(self, policy: str) -> None:
        self._policy = policy

    def get(self, name: str) -> str:
        return self._policy

    def number(self, name: str, scope: Literal["Global", "Cluster"] = "Global", scope_id: str = "") -> float:
        return 1.0

    def own(self, name: str, scope: str) -> dict[str, float]:
        return {}


class Placed(NamedTuple):
    """An instance on a host, with all that is to be given back."""

    slot: int
    request: PlacementRequest
    gpus: tuple[int, ...]
    nodes: tuple[int, ...]
    groups: tuple[str, ...]


class Waiting(NamedTuple):
    """A request of the batch that has not been placed yet; `number` is its place in the trace, from 0."""

    number: int
    flavour: int
    lifetime: int
    request: PlacementRequest
    affinity: tuple[str, ...]
    anti_affinity: tuple[str, ...]


class GeneralEngine:
    """A replay by the planner. `place(block)` gives each request's slot."""

    name = "general"

    def __init__(
        self,
        policy: str,
        groups: Sequence[HostGroup],
        sampler: Sampler | None,
        measure_from_ms: int,
        randomness: Randomness,
    ) -> None:
        self.hosts = arrays_of(groups)
        self._planner = Planner(self.hosts, NoThresholds(policy), randomness)
        self._policy = self._planner.policy(None)
        self._ordered = self._policy.orders_batches
        self._sampler = sampler
        self._measure_from = measure_from_ms
        n = self.hosts.size
        self._capacity = np.column_stack((self.hosts.cpu_total[:n], self.hosts.memory_total[:n]))
        self._needed = HostsNeeded(self.capacity())
        self._heap: list[tuple[int, int]] = []
        self._live: dict[int, Placed] = {}
        self._members: dict[str, Counter[int]] = {}
        self._flavours: list[Flavour] = []
        self._asked: Counter[int] = Counter()
        self._clock = 0
        self._not_empty = self._busy_cpu = self._busy_memory = 0
        self._used = [0, 0, 0]
        self._bound = 0
        self._integral = [0.0] * 8
        totals = self.hosts.totals()
        self._totals = Totals(
            engine=self.name,
            hosts=n,
            cpu_capacity=totals["cpu_total"],
            memory_capacity=totals["memory_total"],
            gpu_capacity=totals["gpu_total"],
        )

    def capacity(self) -> np.ndarray:
        """What hosts have: (MHz, MiB) of each, and thousandths of GPU where any has one."""
        gpus = 1000 * (self.hosts.gpu_free[: self.hosts.size] >= 0).sum(axis=1)
        return np.column_stack((self._capacity, gpus)) if gpus.any() else self._capacity

    def place(self, block: RequestBlock) -> np.ndarray:
        """The slots for a block of requests, -1 for those that no host can hold.

        Requests of one instant are a batch to policies that order batches: their blocks end where an instant does.
        """
        self._flavours = block.flavours
        if self._sampler is not None:
            self._sampler.begin(block)
        slots = np.full(len(block), -1, np.int32)
        arrivals = block.arrival_ms.tolist()
        batch: list[Waiting] = []
        for i, waiting in enumerate(self._requests(block)):
            batch.append(waiting)
            if self._ordered and i + 1 < len(arrivals) and arrivals[i + 1] == arrivals[i]:
                continue
            self._advance(arrivals[i])
            for each in self._in_order(batch):
                slots[each.number - block.first] = self._place(each)
            batch = []
        self._totals.requests += len(block)
        return slots

    def _requests(self, block: RequestBlock) -> Sequence[Waiting]:
        """The block's requests, as the planner knows them."""
        found = []
        columns = (block.arrival_ms, block.lifetime_ms, block.expected_ms, block.flavour)
        for i, (now, lifetime, expected, code) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True)
        ):
            f = block.flavours[code]
            request = PlacementRequest(
                cpu=f.cpus * f.cpu_mhz,
                memory=f.memory_mib,
                cpus=f.cpus,
                speed=f.cpu_mhz,
                gpus=f.gpus,
                gpu_milli=f.gpu_milli,
                gpu_models=f.gpu_models,
                account_id=block.tenants[i] if block.tenants else "",
                tags=f.tags,
                time=now,
                expected_end=None if expected < 0 else now + expected,
                numa_nodes=f.numa_nodes,
            )
            affinity, anti_affinity = block.groups[i] if block.groups else ((), ())
            found.append(Waiting(block.first + i, code, lifetime, request, affinity, anti_affinity))
        return found

    def _in_order(self, batch: list[Waiting]) -> Sequence[Waiting]:
        if not self._ordered:
            return batch
        return [batch[i] for i in self._policy.batch_order([each.request for each in batch])]

    def _place(self, waiting: Waiting) -> int:
        request, totals = waiting.request, self._totals
        self._asked[waiting.flavour] += 1
        measured = request.time >= self._measure_from
        core_ms = request.cpus * max(0, waiting.lifetime)
        if measured:
            totals.measured_requests += 1
            totals.asked_core_ms += core_ms
        try:
            slot = self._plan(waiting)
        except NoPlace as error:
            totals.rejected[error.cause] = totals.rejected.get(error.cause, 0) + 1
            if measured:
                totals.measured_rejected += 1
                totals.refused_core_ms += core_ms
            return -1
        hosts = self.hosts
        gpus = hosts.free_gpus(slot, request.gpus, request.gpu_milli) if request.gpus else ()
        nodes: tuple[int, ...] | None = ()
        if hosts.numa_cpu.shape[1]:
            nodes = hosts.free_nodes(slot, request.numa_nodes, request.cpu, request.memory)
        groups = (*waiting.affinity, *waiting.anti_affinity)
        placed = Placed(slot, request, gpus or (), nodes or (), groups)
        self._change(placed, 1)
        self._live[waiting.number] = placed
        if waiting.lifetime >= 0:
            heapq.heappush(self._heap, (request.time + waiting.lifetime, waiting.number))
        totals.placed += 1
        totals.check = (totals.check + (slot + 1) * (waiting.number + 1)) % (1 << 64)
        totals.live_peak = max(totals.live_peak, len(self._live))
        return slot

    def _plan(self, waiting: Waiting) -> int:
        """As affinity groups have it: the first member anywhere, later ones where it is; and never two of the other kind."""
        allowed: set[int] | None = None
        for group in waiting.affinity:
            here = self._members.get(group)
            if here:
                allowed = set(here) if allowed is None else allowed & set(here)
        avoid = {slot for group in waiting.anti_affinity for slot in self._members.get(group, ())}
        ids = self.hosts.ids
        return self._planner.plan(
            waiting.request,
            host_ids=None if allowed is None else [ids[slot] for slot in allowed],
            avoid=[ids[slot] for slot in avoid],
        )

    def _change(self, placed: Placed, sign: int) -> None:
        """Reserve, or give back, all that the instance has."""
        hosts, request, slot = self.hosts, placed.request, placed.slot
        empty = hosts.instances[slot] == 0
        hosts.reserve(slot, sign, request.cpu, request.memory, request.account_id)
        if request.expected_end is not None:
            hosts.expect(slot, sign, request.expected_end)
        hosts.reserve_gpus(slot, sign, placed.gpus, request.gpu_milli)
        hosts.reserve_nodes(slot, sign, placed.nodes, request.cpu, request.memory)
        for group in placed.groups:
            members = self._members.setdefault(group, Counter())
            members[slot] += sign
            if not members[slot]:
                del members[slot]
        if (hosts.instances[slot] == 0) != empty:
            self._not_empty += sign
            self._busy_cpu += sign * int(hosts.cpu_total[slot])
            self._busy_memory += sign * int(hosts.memory_total[slot])
            self._totals.not_empty_peak = max(self._totals.not_empty_peak, self._not_empty)
        used = self._used
        used[0] += sign * request.cpu
        used[1] += sign * request.memory
        used[2] += sign * request.gpu_milli * len(placed.gpus)
        self._bound = -1

    # time

    def _advance(self, now: int) -> None:
        """Everything leaves that is to leave at `now` or before; samples that are due are taken."""
        sampler = self._sampler
        if sampler is not None and sampler.interval:
            sampler.skip_to(now)
            while sampler.next_ms <= now:
                due = sampler.next_ms
                self._release(due)
                sampler.take(due, self._state(), self._mix(), sum(self._totals.rejected.values()))
        self._release(now)
        self._pass_time(now)

    def _release(self, now: int) -> None:
        while self._heap and self._heap[0][0] <= now:
            time, index = heapq.heappop(self._heap)
            self._pass_time(time)
            self._change(self._live.pop(index), -1)

    def _pass_time(self, now: int) -> None:
        last = self._clock
        if now <= last:
            return
        if last < self._measure_from:
            last = min(now, self._measure_from)
        if self._bound < 0:
            self._bound = self._needed.volume(self._used if self._totals.gpu_capacity else self._used[:2])
        span = float(now - last)
        levels = (1, len(self._live), self._not_empty, self._busy_cpu, self._busy_memory, *self._used)
        self._integral = [sum_ + span * level for sum_, level in zip(self._integral, levels, strict=True)]
        self._totals.bound += span * self._bound
        self._clock = now

    def _state(self) -> State:
        n, hosts = self.hosts.size, self.hosts
        return State(
            hosts.cpu_total[:n], hosts.cpu_room[:n], hosts.memory_total[:n], hosts.memory_room[:n], hosts.instances[:n]
        )

    def _mix(self) -> Mix:
        need = np.array([(f.cpus * f.cpu_mhz, f.memory_mib) for f in self._flavours], np.int64)
        asked = np.array([self._asked[code] for code in range(len(self._flavours))], np.int64)
        return Mix(need[:, 0], need[:, 1], asked)

    def finish(self, drain: bool) -> Totals:
        """The totals; with `drain` only when the last instance has left."""
        if drain and self._heap:
            self._release(max(self._heap)[0])
        totals = self._totals
        totals.end_ms = self._clock
        (
            totals.measured_ms,
            totals.live,
            totals.not_empty,
            totals.busy_cpu,
            totals.busy_memory,
            totals.cpu,
            totals.memory,
            totals.gpu,
        ) = self._integral
        return totals
