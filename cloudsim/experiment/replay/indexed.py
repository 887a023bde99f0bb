"""Drives the compiled kernels: hands them blocks, lets arrays grow, takes samples, and makes the index anew for a new flavour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cloudsim.experiment.blocks import Flavour, RequestBlock
from cloudsim.experiment.replay import classes, kernels, ordered, scored
from cloudsim.experiment.replay.hosts import HostGroup
from cloudsim.experiment.replay.result import Totals
from cloudsim.experiment.replay.samples import Mix, Sampler, State
from cloudsim.experiment.replay.state import Live, cumulated, grown, integral, live, units
from cloudsim.placement import OrderedPolicy, Policy, RuleChain, ScoringPolicy

_SEARCHES = {"lowest": kernels.LOWEST, "last": kernels.LAST, "after last": kernels.AFTER_LAST}
_CPU_LEVELS = ((kernels.CPU, kernels.I_CPU), (kernels.BUSY_CPU, kernels.I_BUSY_CPU))
_MEMORY_LEVELS = ((kernels.MEMORY, kernels.I_MEMORY), (kernels.BUSY_MEMORY, kernels.I_BUSY_MEMORY))
_place: Any = kernels.place
MOST_FLAVOURS = 1 << 16
"""A departure has so many bits for its flavour."""
MOST_WORDS = 1 << 23
"""The tables of what fits may have so many words: one for each unit that a host has and each 64 flavours."""


class NotIndexed(Exception):
    """Something about hosts, requests or policy for which there is no index: the general engine can do it."""


def takes(policy: Policy, groups: Sequence[HostGroup]) -> bool:
    """Whether there is an index for that policy on those hosts."""
    kind = type(policy)
    if kind.filter is not Policy.filter or policy.orders_batches:
        return False
    if not all(group.plain for group in groups):
        return False
    if isinstance(policy, OrderedPolicy):
        return kind.choose is OrderedPolicy.choose
    by_score = kind.choose in (ScoringPolicy.choose, RuleChain.choose)
    return isinstance(policy, ScoringPolicy) and policy.of_capacity and by_score


class IndexedEngine:
    """A replay by index. `place(block)` gives each request's slot; raises NotIndexed where it cannot go on."""

    name = "indexed"

    def __init__(
        self, policy: Policy, groups: Sequence[HostGroup], sampler: Sampler | None, measure_from_ms: int
    ) -> None:
        self._policy = policy
        self._sampler = sampler
        self._measure_from = measure_from_ms
        counts = [group.number for group in groups]
        self._capacity = np.repeat(np.array([(g.cpu, g.memory) for g in groups], np.int64), counts, axis=0)
        self._cores = np.repeat([g.cores for g in groups], counts)
        self._speed = np.repeat([g.mhz for g in groups], counts)
        self._kinds, self._kind = classes.kinds_of(self._capacity, self._cores, self._speed)
        self._flavours = 0
        self._need = np.zeros((0, 2), np.int64)
        self._flavour_cores = np.zeros(0, np.int64)
        self._asked = np.zeros(0, np.int64)
        self._unit = np.ones(2, np.int64)
        self._state: Live | None = None
        self._search = _SEARCHES[policy.begin] if isinstance(policy, OrderedPolicy) else kernels.LOWEST
        self._index: Any = None
        self._can = np.zeros((0, len(self._capacity)), np.bool_)
        self._requests = 0

    def place(self, block: RequestBlock) -> np.ndarray:
        """The slots for a block of requests, -1 for those that no host can hold."""
        if block.groups:
            raise NotIndexed("affinity groups")
        if len(block.flavours) > self._flavours:
            self._learn(block.flavours)
        if (np.maximum(block.lifetime_ms, 0) >= kernels.LATEST - block.arrival_ms).any():
            raise NotIndexed(f"a request after {kernels.LATEST:,} ms, or one that lives until then")
        if self._sampler is not None:
            assert self._state is not None
            self._sampler.begin(block)
            self._state.count[kernels.SAMPLE_AT] = self._sampler.next_ms
        # Kernels are compiled for arrays that can be written to, which those of a file need not be.
        arrival, lifetime, flavour = (
            np.require(column, np.int64, ("C", "W"))
            for column in (block.arrival_ms, block.lifetime_ms, block.flavour)
        )
        hosts = np.empty(len(block), np.int32)
        columns = (arrival, lifetime, flavour, self._flavour_cores, block.first)
        at = counted = 0
        while True:
            why, at = self._step(columns, 0, at, hosts)
            if why == kernels.GROW:
                assert self._state is not None
                try:
                    self._state = grown(self._state)
                except OverflowError as error:
                    raise NotIndexed(str(error)) from error
            elif why == kernels.SAMPLE:
                self._asked += np.bincount(block.flavour[counted:at], minlength=self._flavours)
                counted = at
                self._sample(int(block.arrival_ms[at]))
            else:
                break
        self._asked += np.bincount(block.flavour[counted:], minlength=self._flavours)
        self._requests += len(block)
        return hosts

    def _step(self, columns: tuple[Any, ...], until: int, at: int, hosts: np.ndarray) -> tuple[int, int]:
        where = (self._state, self._index, self._can, self._search)
        found: tuple[int, int] = _place(*where, *columns, until, at, hosts)
        return found

    def _release(self, now: int) -> None:
        """Let time pass until `now`."""
        nothing = np.zeros(0, np.int64)
        self._step((nothing, nothing, nothing, self._flavour_cores, 0), now, 0, np.zeros(0, np.int32))

    def _sample(self, until_ms: int) -> None:
        """Take the samples that are due until then, and say when the next one is."""
        assert self._sampler is not None and self._state is not None
        self._sampler.skip_to(until_ms)
        while self._sampler.next_ms <= until_ms:
            now = self._sampler.next_ms
            # The instant itself is over only when all that arrives in it has: what leaves in it has left.
            self._release(now)
            self._sampler.take(now, self._now(), self._mix(), self._rejected())
        self._state.count[kernels.SAMPLE_AT] = self._sampler.next_ms

    def _now(self) -> State:
        assert self._state is not None
        room = self._state.hosts[:, :2].astype(np.int64) * self._unit
        capacity, instances = self._capacity, self._state.hosts[:, kernels.INSTANCES]
        return State(capacity[:, 0], room[:, 0], capacity[:, 1], room[:, 1], instances)

    def _mix(self) -> Mix:
        return Mix(self._need[:, 0], self._need[:, 1], self._asked)

    def _rejected(self) -> int:
        assert self._state is not None
        count = self._state.count
        return int(count[kernels.REJECTED_CPU] + count[kernels.REJECTED_MEMORY])

    # flavours

    def _learn(self, flavours: Sequence[Flavour]) -> None:
        """There are flavours that were not there before: the units may become smaller, and the index is made for all."""
        if any(f.gpus or f.tags or f.numa_nodes > 1 for f in flavours[self._flavours :]):
            raise NotIndexed("GPUs, tags or NUMA nodes")
        if len(flavours) > MOST_FLAVOURS:
            raise NotIndexed(f"more than {MOST_FLAVOURS:,} sizes")
        need = np.array([(f.cpus * f.cpu_mhz, f.memory_mib) for f in flavours], np.int64)
        unit = units(self._capacity, need)
        if int((self._capacity // unit).max()) * -(-len(flavours) // 64) > MOST_WORDS:
            raise NotIndexed("too many sizes without a common unit")
        grid = None
        if isinstance(self._policy, ScoringPolicy):
            grid = classes.grid(self._kinds[:, :2], unit, len(need))
            if grid is None:
                raise NotIndexed("too many states")
        self._flavours, self._need = len(need), need
        self._flavour_cores = np.array([f.cpus for f in flavours], np.int64)
        self._asked = np.concatenate((self._asked, np.zeros(len(need) - len(self._asked), np.int64)))
        speed = np.array([f.cpu_mhz for f in flavours])
        self._can = (self._cores[None, :] >= self._flavour_cores[:, None]) & (self._speed[None, :] >= speed[:, None])
        self._rescale(unit, (need // unit).astype(np.int32))
        if grid is None:
            assert self._state is not None
            self._index = ordered.fits(self._state, self._can)
        else:
            assert isinstance(self._policy, ScoringPolicy) and self._state is not None
            kind_can = (self._kinds[None, :, 2] >= self._flavour_cores[:, None]) & (
                self._kinds[None, :, 3] >= speed[:, None]
            )
            ranking = classes.ranking(self._policy, grid, need, kind_can)
            cells = grid.of(self._kind, self._state.hosts)
            self._index = scored.occupied(grid, ranking, cells, self._kind)

    def _rescale(self, unit: np.ndarray, need: np.ndarray) -> None:
        capacity = (self._capacity // unit).astype(np.int32)
        if self._state is None:
            self._state = live(capacity, need)
            self._state.count[kernels.MEASURE_FROM] = self._measure_from
        else:
            factor = self._unit // unit
            self._state.hosts[:, :2] *= factor.astype(np.int32)
            self._state = self._state._replace(capacity=capacity, need=need, sums=cumulated(capacity))
            for d, levels in enumerate((_CPU_LEVELS, _MEMORY_LEVELS)):
                for level, integrated in levels:
                    self._state.count[level] *= factor[d]
                    self._state.integral[integrated] *= factor[d]
        self._unit = unit

    # the end

    def finish(self, drain: bool) -> Totals:
        """The totals; with `drain` only when the last instance has left."""
        state = self._state
        assert state is not None
        if drain:
            self._release(int(state.count[kernels.LAST_END]))
        count = state.count
        cpu, memory = (int(unit) for unit in self._unit)
        causes = {"cpu": int(count[kernels.REJECTED_CPU]), "memory": int(count[kernels.REJECTED_MEMORY])}

        def over_time(which: int, level: int) -> float:
            return integral(state, which, level)

        return Totals(
            engine=self.name,
            hosts=len(self._capacity),
            cpu_capacity=int(self._capacity[:, 0].sum()),
            memory_capacity=int(self._capacity[:, 1].sum()),
            requests=self._requests,
            placed=int(count[kernels.PLACED]),
            rejected={cause: n for cause, n in causes.items() if n},
            check=int(count[kernels.CHECK]) % (1 << 64),
            end_ms=int(count[kernels.CLOCK]),
            measured_ms=float(max(0, count[kernels.CLOCK] - self._measure_from)),
            measured_requests=int(count[kernels.MEASURED_REQUESTS]),
            measured_rejected=int(count[kernels.MEASURED_REJECTED]),
            live=over_time(kernels.I_LIVE, len(state.instance) - int(count[kernels.FREE])),
            not_empty=over_time(kernels.I_NOT_EMPTY, count[kernels.NOT_EMPTY]),
            cpu=over_time(kernels.I_CPU, count[kernels.CPU]) * cpu,
            memory=over_time(kernels.I_MEMORY, count[kernels.MEMORY]) * memory,
            busy_cpu=over_time(kernels.I_BUSY_CPU, count[kernels.BUSY_CPU]) * cpu,
            busy_memory=over_time(kernels.I_BUSY_MEMORY, count[kernels.BUSY_MEMORY]) * memory,
            bound=over_time(kernels.I_BOUND, max(count[kernels.BOUND_CPU], count[kernels.BOUND_MEMORY])),
            asked_core_ms=float(state.integral[kernels.I_ASKED]),
            refused_core_ms=float(state.integral[kernels.I_REFUSED]),
            not_empty_peak=int(count[kernels.NOT_EMPTY_PEAK]),
            live_peak=len(state.instance) - int(count[kernels.LEAST_FREE]),
        )

    def capacity(self) -> np.ndarray:
        """What hosts have: (MHz, MiB) of each."""
        return self._capacity
