"""A run in numbers that add up: integrals over, and counts in, cells of equal length that its time is divided into.

Every time average, share and ratio is made from sums over cells, so that what is left out at the beginning, and which
slices of time are looked at, can be decided once all runs are there.
"""

from __future__ import annotations

import numpy as np

from cloudsim.experiment.compare.placements import Floats, Placements
from cloudsim.experiment.compare.spec import CELLS
from cloudsim.experiment.compare.steps import Steps, busy_periods
from cloudsim.experiment.replay.state import cumulated

INTEGRALS = (
    "time",
    "instances",
    "cpu",
    "memory",
    "gpu",
    "cpu_share",
    "not_empty",
    "busy_cpu",
    "busy_memory",
    "bound",
)
"""Integrals over time (ms): of 1; of the number of instances; of what they reserve (MHz, MiB, thousandths of GPUs); of the
sum over hosts of the reserved share of their CPU; of hosts that have instances, and what those have (MHz, MiB); of
the volume bound (hosts)."""

COUNTS = ("requests", "rejected", "asked_core_ms", "refused_core_ms")
"""Of the requests that arrive in a cell: how many, how many are not placed, and the core-ms that they ask for."""

PEAKS = ("instances", "not_empty")
COLUMNS = (*INTEGRALS, *COUNTS)


def edges_of(over: float) -> Floats:
    """The bounds of the cells of a run that ended at `over` ms."""
    return np.linspace(0.0, over, CELLS + 1)


def cells_of(placements: Placements) -> tuple[Floats, Floats]:
    """The sums [CELLS, COLUMNS] and the peaks [CELLS, PEAKS] of a run."""
    p, edges = placements, edges_of(placements.over)
    there = p.placed & (p.end > p.start)
    start, end, host, need = p.start[there], p.end[there], p.host[there], p.need[there]
    share = need[:, 0] / p.capacity[host, 0]
    each = np.column_stack((np.ones(len(start)), need, share))
    levels = Steps.of_changes(np.concatenate((start, end)), np.concatenate((each, -each)))
    busy, begin, finish = busy_periods(host, start, end)
    having = np.column_stack((np.ones(len(busy)), p.capacity[busy, :2]))
    used = Steps.of_changes(np.concatenate((begin, finish)), np.concatenate((having, -having)))
    sums = np.concatenate(
        (
            np.diff(edges)[:, None],
            levels.integrals(edges),
            used.integrals(edges),
            _bound(levels, p).integrals(edges),
            _counts(p, edges),
        ),
        axis=1,
    )
    peaks = np.column_stack((levels.peaks(edges), used.peaks(edges)))
    return sums, peaks


def _bound(levels: Steps, placements: Placements) -> Steps:
    """The volume bound over time: see `cloudsim.experiment.replay.bounds`."""
    sums = cumulated(placements.capacity)
    hosts = [
        np.searchsorted(sums[:, d], np.rint(levels.levels[:, 1 + d])) for d in range(sums.shape[1]) if sums[-1, d]
    ]
    return Steps(levels.times, np.max(hosts, axis=0).astype(float)[:, None])


def _counts(placements: Placements, edges: Floats) -> Floats:
    """COUNTS by the cell in which a request arrives; one that arrives as the run ends is in the last."""
    cell = np.clip(np.searchsorted(edges, placements.arrival, side="right") - 1, 0, CELLS - 1)
    refused = ~placements.placed
    ones = np.ones(len(cell))
    weights = (ones, refused * ones, placements.core_ms, placements.core_ms * refused)
    return np.column_stack([np.bincount(cell, each, CELLS) for each in weights])
