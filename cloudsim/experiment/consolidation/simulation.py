"""One simulation: a load on hosts under a policy, interval by interval, with migrations ending in between."""

from __future__ import annotations

import heapq
from itertools import count
from typing import Any

import numpy as np
from numba import cfunc

from cloudsim.consolidation.detection.detection import REMEMBERED
from cloudsim.consolidation.placement import PowerAwareBestFitDecreasing
from cloudsim.consolidation.policy import Baseline, Consolidation, Policy
from cloudsim.consolidation.power import WATTS, watts_of
from cloudsim.experiment.consolidation import compiled, kernels
from cloudsim.experiment.consolidation.conventions import OURS, Conventions
from cloudsim.experiment.consolidation.load import Load
from cloudsim.experiment.consolidation.outcome import Outcome, Series
from cloudsim.experiment.consolidation.state import (
    ENERGY,
    LAST,
    NONE,
    ON_S,
    RECORDED_AT,
    SHUTDOWNS,
    Floats,
    Records,
    state_of,
)
from cloudsim.experiment.errors import ExperimentError
from cloudsim.randomness import Randomness

LATE = 0.1
"""How long after the beginning of an interval decisions are, where `ends_uncounted`: the least time between two events in
CloudSim."""

PABFD = PowerAwareBestFitDecreasing()
WATTS_OF: Any = cfunc(WATTS, cache=True)(watts_of.py_func)


def simulate(
    load: Load,
    hosts: tuple[Records, Floats],
    policy: Policy,
    randomness: Randomness,
    conventions: Conventions = OURS,
) -> Outcome:
    """Run the whole load. The same arguments give the same outcome.

    `hosts` are as `state.hosts_of` makes them. Raises ExperimentError if an instance fits on no host.
    """
    return _Simulation(load, hosts, policy, randomness, conventions).run()


class _Simulation:
    def __init__(
        self,
        load: Load,
        hosts: tuple[Records, Floats],
        policy: Policy,
        randomness: Randomness,
        conventions: Conventions,
    ) -> None:
        self.load, self.policy, self.conventions = load, policy, conventions
        self.rules = conventions.rules()
        self.draws = randomness.branch("selection").generator
        self.state = state_of(load.instances, *hosts)
        self.began: float | None = None
        self.known = self.started = self.migrations = 0
        # When they end, a number, and migrations that end together.
        self.pending: list[tuple[float, int, Records]] = []
        self.numbers = count()
        self.rows: list[tuple[float, ...]] = []

    def run(self) -> Outcome:
        self._place_all()
        whole = not self.conventions.ends_uncounted
        if whole:
            self._ask(0.0)
            self._settle(0.0)
        time = self.load.interval_s + (0.0 if whole else LATE)
        while time < self.load.end_s:
            self._finish_until(time)
            self._pass_time(time)
            if isinstance(self.policy, Consolidation):
                self._decide(time, self.policy)
            self._settle(time)
            self._note(time)
            time += self.load.interval_s
        self._finish_until(self.load.end_s)
        if whole:
            self._pass_time(self.load.end_s)
            self._settle(self.load.end_s)
        return self._outcome()

    def _place_all(self) -> None:
        s = self.state
        placement = self.policy.placement if isinstance(self.policy, Consolidation) else PABFD
        failed = compiled.place_all()(
            s.instances,
            s.hosts,
            s.slots,
            s.ends,
            s.curves,
            s.plan,
            self.rules,
            isinstance(self.policy, Baseline),
            WATTS_OF,
            placement.pointer(),
            placement.options(),
        )
        if failed != NONE:
            raise ExperimentError(
                f"{self.load.name}: hosts: expected room for all instances: {self.load.names[failed]} is number"
                f" {failed + 1} of {len(self.load.names)} and fits on no host"
            )

    def _ask(self, time: float) -> None:
        self.state.instances["demand"] = self.load.at(time) * self.load.instances["size"]

    def _pass_time(self, time: float) -> None:
        self._ask(time)
        s = self.state
        compiled.advance()(s.instances, s.hosts, s.slots, s.ends, s.curves, s.counts, self.rules, WATTS_OF, time)

    def _settle(self, time: float) -> None:
        s = self.state
        compiled.settle()(s.instances, s.hosts, s.slots, s.ends, s.counts, self.rules, time)
        if self.began is None:
            self.began = time

    def _finish_until(self, limit: float) -> None:
        """Let migrations end that end until then."""
        while self.pending and self.pending[0][0] <= limit:
            time = self.pending[0][0]
            self._pass_time(time)
            s = self.state
            while self.pending and self.pending[0][0] == time:
                kernels.finish_moves(s.instances, s.slots, s.ends, heapq.heappop(self.pending)[2])
            self._settle(time)

    def _decide(self, time: float, policy: Consolidation) -> None:
        s = self.state
        s.past[:, :-1] = s.past[:, 1:]
        s.past[:, -1] = s.instances["demand"]
        self.known = min(self.known + 1, REMEMBERED)
        rules = (policy.detection, policy.selection, policy.placement, policy.underload)
        self.started = compiled.decide()(
            s.instances,
            s.hosts,
            s.slots.copy(),
            s.ends.copy(),
            s.curves,
            s.past,
            s.plan,
            s.history,
            s.open,
            s.empty,
            s.moves,
            self.rules,
            self.known,
            self.load.interval_s,
            self.draws.random(len(s.instances)),
            WATTS_OF,
            *(part for rule in rules for part in (rule.pointer(), rule.options())),
        )
        self.migrations += self.started
        moves = s.moves[: self.started]
        kernels.begin_moves(s.instances, s.slots, s.ends, moves)
        ends = time + s.instances["memory"][moves["instance"]] / s.hosts["rate"][moves["target"]]
        for end in np.unique(ends):
            heapq.heappush(self.pending, (float(end), next(self.numbers), moves[ends == end]))

    def _note(self, time: float) -> None:
        instances, hosts = self.state.instances, self.state.hosts
        on = hosts["on"]
        self.rows.append(
            (
                time,
                float(self.state.counts[ON_S]),
                float(self.state.counts[ENERGY]),
                float(np.count_nonzero(on & hosts["short"])),
                self.started,
                float(instances["demand"][~instances["ended"]].sum()),
                float(hosts["total"][on].sum()),
            )
        )

    def _outcome(self) -> Outcome:
        instances, hosts, counts = self.state.instances, self.state.hosts, self.state.counts
        columns = np.array(self.rows, np.float64).reshape(-1, len(Series._fields)).T
        time, on, watts = columns[0], _rates(columns[1], columns[0]), _rates(columns[2], columns[0])
        seconds = float(counts[RECORDED_AT]) - (self.began or 0.0)
        spent, on_s = float(counts[ENERGY]), float(counts[ON_S])
        if isinstance(self.policy, Baseline) and self.policy.full_power:
            peak = float(sum(watts_of(curve, 1.0) for curve in self.state.curves))
            spent, on_s = peak * float(counts[LAST]), len(hosts) * seconds
            on, watts = np.full(len(time), float(len(hosts))), np.full(len(time), peak)
        short, begun = (column.astype(np.int64) for column in columns[3:5])
        return Outcome(
            energy=spent,
            migrations=self.migrations,
            shutdowns=int(counts[SHUTDOWNS]),
            seconds=seconds,
            hosts_on_s=on_s,
            on_s=hosts["on_s"],
            short_s=hosts["short_s"],
            asked=instances["asked_in_all"],
            given=instances["given_in_all"],
            lost=instances["lost_in_all"],
            series=Series(time, on, watts, short, begun, columns[5], columns[6]),
            assignment=np.where(instances["ended"], NONE, instances["host"]),
        )


def _rates(total: Floats, time: Floats) -> Floats:
    """What a sum has grown by, by second, since the time before."""
    return np.diff(total, prepend=0.0) / np.diff(time, prepend=0.0)
