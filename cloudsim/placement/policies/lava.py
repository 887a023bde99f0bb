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
mispredictions" (MLSys 2025). What is simpler here: a lifetime is one number, foretold once, not a
distribution that is asked again as an instance ages; a host falls a class by its expected end, and not when
the last of the instances that it had when it became recycling is gone; the state of hosts is brought up to
date when an instance is placed. The steps of NILAS are chosen here.
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
        self._spans = np.append(self._limits, FOREVER)
        self._class = np.zeros(0, np.int64)
        self._recycling = np.zeros(0, np.bool_)
        self._due = np.zeros(0, np.int64)

    def choose(self, request: PlacementRequest, hosts: HostArrays, feasible: Mask) -> int:
        self._follow(request.time, hosts)
        slot = super().choose(request, hosts, feasible)
        if self._class[slot] == EMPTY:
            self._put(slot, self._class_of(request), request.time)
        return slot

    def preferences(self) -> Sequence[Rule]:
        return self.state, self.nearest_class, least_extended(self._steps), tightest(self.norm)

    def state(self, request: PlacementRequest, hosts: Candidates) -> Scores:
        """The rule that compares the state of hosts: 3 for recycling ones of a higher class, down to 0 for empty ones."""
        mine, theirs, recycling = self._class_of(request), self._class[hosts.slots], self._recycling[hosts.slots]
        return np.select(
            [theirs == EMPTY, recycling & (theirs > mine), ~recycling & (theirs == mine)], [0, 3, 2], default=1
        )

    def nearest_class(self, request: PlacementRequest, hosts: Candidates) -> Scores:
        """The rule that compares recycling hosts: the lower of their classes."""
        mine, theirs, recycling = self._class_of(request), self._class[hosts.slots], self._recycling[hosts.slots]
        return np.where(recycling & (theirs > mine), -theirs, 0)

    def _class_of(self, request: PlacementRequest) -> Ints:
        return class_of(end_of(request) - request.time, self._limits)

    # the state of hosts

    def _follow(self, now: int, hosts: HostArrays) -> None:
        """Bring every host's class and state up to date."""
        new = hosts.size - len(self._class)
        if new:
            self._class = np.append(self._class, np.full(new, EMPTY))
            self._recycling = np.append(self._recycling, np.zeros(new, np.bool_))
            self._due = np.append(self._due, np.zeros(new, np.int64))
        rows = Candidates(hosts, np.arange(hosts.size))
        there = rows.instances > 0
        self._class[~there] = EMPTY
        self._recycling[~there] = False
        left = class_of(empty_at(now, rows) - now, self._limits)
        unknown = there & (self._class == EMPTY)  # somebody else put instances there
        self._put(unknown, left[unknown], now)
        cpu, memory = (rows.cpu_used, rows.cpu_total), (rows.memory_used, rows.memory_total)
        used = [used / np.maximum(total, 1) for used, total in (cpu, memory)]
        self._recycling |= there & (np.maximum(*used) >= self.full)
        overdue = there & (self._due <= now)
        self._put(overdue, np.minimum(self._class[overdue] + 1, len(self._limits)), now)
        shorter = self._recycling & ~overdue & (rows.expected_end > now) & (left < self._class)
        self._put(shorter, left[shorter], now)

    def _put(self, slots: int | Mask, lifetime_class: Ints, now: int) -> None:
        """Those hosts have that class from now on; their time is over when an instance of it must have ended."""
        self._class[slots] = lifetime_class
        self._due[slots] = now + np.minimum(self._spans[lifetime_class], FOREVER - now)
