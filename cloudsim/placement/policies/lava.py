"""LAVA, lifetime-aware VM allocation: hosts have a lifetime class, and short instances fill the gaps that long ones leave.

Lifetimes fall into classes by the bounds `hours` (1, 10 and 100: LC1 to LC4). The first instance on a host
gives it its class, and the host is open: it is for instances of that class. Once the share `full` of its CPU
or memory is used it is recycling: what is left, and what leaves, is for instances of lower classes, which are
gone before it would be empty. When the time to a recycling host's expected end is that of a lower class, the
host falls to that class and takes still shorter ones. A host that is not empty when the time of its class is
over was mispredicted, and rises a class.

An instance goes to a recycling host of a higher class (the nearest first), else to an open one of its own,
else to any other host with instances, else to an empty one; among equals as in `nilas`, whose bounds are
called `steps` here. A request without an expected end is expected to stay for ever, in the highest class.

Use it to keep hosts empty under a mixture of short and long instances, with lifetimes predicted with some
error. Source: Ling et al., "LAVA: Lifetime-aware VM allocation with learned distributions and adaptation to
mispredictions" (MLSys 2025). This is a reading of the idea, and not the authors' code. What is simpler here:
a lifetime is one number, foretold once, not a distribution that is asked again as an instance ages; a host
falls a class by its expected end, and not when the last of the instances that it had when it became recycling
is gone; the state of hosts is brought up to date when an instance is placed. The steps, and that
other hosts come before empty ones, are chosen here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from cloudsim.placement.lifetimes import FOREVER, bounds, class_of, empty_at, end_of
from cloudsim.placement.norms import Norm
from cloudsim.placement.policy import Candidates, HostArrays, Ints, Mask, Need, Scores
from cloudsim.placement.request import PlacementRequest
from cloudsim.placement.rules import Rule, RuleChain, least_extended, tightest

EMPTY = -1


class Lava(RuleChain):
    name: ClassVar[str] = "lava"
    needs: ClassVar[tuple[Need, ...]] = ("lifetimes",)
    hours: tuple[float, ...] = (1, 10, 100)
    full: Annotated[float, Meta(gt=0, le=1)] = 0.9
    steps: tuple[float, ...] = (0, 0.5, 1, 2, 4, 8, 24, 72, 168)
    norm: Norm = "l2"

    def prepare(self) -> None:
        self._limits = bounds(self.name, "hours", self.hours)
        self._steps = bounds(self.name, "steps", self.steps)
        self._above = np.concatenate(([-1], self._limits))
        self._up_to = np.append(self._limits, FOREVER)
        self._class = np.zeros(0, np.int64)
        self._recycling = np.zeros(0, np.bool_)
        self._due = np.zeros(0, np.int64)

    def choose(self, request: PlacementRequest, hosts: HostArrays, feasible: Mask) -> int:
        self._follow(request.time, hosts)
        slot = super().choose(request, hosts, feasible)
        if self._class[slot] == EMPTY:
            self._put(np.array([slot]), class_of(end_of(request) - request.time, self._limits), request.time)
        return slot

    def preferences(self) -> Sequence[Rule]:
        return self.state, least_extended(self._steps), tightest(self.norm)

    def state(self, request: PlacementRequest, hosts: Candidates) -> Scores:
        """The rule that compares classes: 0 for empty hosts, 1, 2 for open ones of its own, more for recycling ones."""
        mine = class_of(end_of(request) - request.time, self._limits)
        theirs, recycling = self._class[hosts.slots], self._recycling[hosts.slots]
        level = (theirs != EMPTY).astype(np.int64)
        level += ~recycling & (theirs == mine)
        return level + (recycling & (theirs > mine)) * (2 + len(self._limits) - theirs)

    # the state of hosts

    def _follow(self, now: int, hosts: HostArrays) -> None:
        """Bring every host's class and state up to date."""
        n = hosts.size
        new = n - len(self._class)
        if new:
            self._class = np.append(self._class, np.full(new, EMPTY))
            self._recycling = np.append(self._recycling, np.zeros(new, np.bool_))
            self._due = np.append(self._due, np.zeros(new, np.int64))
        there = hosts.instances[:n] > 0
        self._class[~there] = EMPTY
        self._recycling &= there
        others = np.flatnonzero(there & (self._class == EMPTY))  # which somebody else has put instances on
        if len(others):
            self._put(others, class_of(empty_at(now, Candidates(hosts, others)) - now, self._limits), now)
        full = hosts.cpu_used[:n] >= self.full * hosts.cpu_total[:n]
        full |= hosts.memory_used[:n] >= self.full * hosts.memory_total[:n]
        self._recycling |= there & full
        overdue = there & (self._due <= now)
        left = hosts.expected_end[:n] - now
        shorter = self._recycling & ~overdue & (left > 0) & (left <= self._above[self._class])
        shorter &= hosts.instances[:n] == hosts.foretold[:n]
        for slots, classes in (
            (np.flatnonzero(overdue), np.minimum(self._class[overdue] + 1, len(self._limits))),
            (np.flatnonzero(shorter), class_of(left[shorter], self._limits)),
        ):
            self._put(slots, classes, now)

    def _put(self, slots: Ints, lifetime_class: Ints, now: int) -> None:
        """Those hosts have that class from now on; their time is over when an instance of it must have ended."""
        self._class[slots] = lifetime_class
        self._due[slots] = now + np.minimum(self._up_to[lifetime_class], FOREVER - now)
