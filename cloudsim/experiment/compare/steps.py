"""Levels that change at instants, and their exact integrals over time."""

from __future__ import annotations

import numpy as np

from cloudsim.experiment.compare.placements import Floats, Ints


class Steps:
    """Levels over time: `levels[i]` (a row) holds from `times[i]` until `times[i + 1]`; before the first there is nothing.

    `times` ascend strictly.
    """

    def __init__(self, times: Floats, levels: Floats) -> None:
        self.times = times
        self.levels = levels
        passed = np.diff(times)[:, None] * levels[:-1] if len(times) else levels
        self._summed = np.concatenate((np.zeros((1, levels.shape[1])), np.cumsum(passed, axis=0)))

    @classmethod
    def of_changes(cls, times: Floats, changes: Floats) -> Steps:
        """From changes at instants, in any order; those of one instant are made together."""
        order = np.argsort(times, kind="stable")
        times, changes = times[order], changes[order]
        last = np.append(times[1:] != times[:-1], True)[: len(times)]
        return cls(times[last], np.cumsum(changes, axis=0)[last])

    def integrals(self, edges: Floats) -> Floats:
        """The integrals of each level between neighbouring edges: [edges - 1, levels]."""
        if not len(self.times):
            return np.zeros((len(edges) - 1, self.levels.shape[1]))
        at = np.searchsorted(self.times, edges, side="right") - 1
        row = np.maximum(at, 0)
        since = np.where(at >= 0, edges - self.times[row], 0.0)
        until: Floats = self._summed[row] + since[:, None] * self.levels[row]
        return np.diff(until, axis=0)

    def at(self, instants: Floats) -> Floats:
        """The levels at instants, with what changes in that very instant changed: [instants, levels]."""
        found = np.searchsorted(self.times, instants, side="right") - 1
        nothing = np.zeros((1, self.levels.shape[1]))
        return np.concatenate((nothing, self.levels))[found + 1]

    def peaks(self, edges: Floats, level: int = 0) -> Floats:
        """The highest that a level is between neighbouring edges, the later one left out: [edges - 1]."""
        found: Floats = self.at(edges[:-1])[:, level]
        cell = np.searchsorted(edges, self.times, side="right") - 1
        inside = (cell >= 0) & (cell < len(edges) - 1)
        np.maximum.at(found, cell[inside], self.levels[inside, level])
        return found


def busy_periods(host: Ints, start: Floats, end: Floats) -> tuple[Ints, Floats, Floats]:
    """When hosts have instances: the union, host by host, of what instances on it take; as (host, begin, end) of each period.

    An instance that comes in the very instant in which the last one goes begins a period of its own.
    """
    hosts = np.concatenate((host, host))
    times = np.concatenate((start, end))
    signs = np.concatenate((np.ones(len(start), np.int64), np.full(len(end), -1, np.int64)))
    order = np.lexsort((signs, times, hosts))
    count = np.cumsum(signs[order])
    begins = order[(count == 1) & (signs[order] == 1)]
    ends = order[count == 0]
    return hosts[begins], times[begins], times[ends]
