"""Scores of capacity, compiled: the best occupied class by a bit set over each flavour's ranking, and its lowest host.

Hosts of a class are a set in pages of 4,096 slots, made when needed; each class knows its lowest host, so that classes of
equal score are compared by one look each. A host that changes its class touches the rankings only when the class it leaves
becomes empty, or the one that it joins was.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cloudsim.experiment.replay.classes import Grid, Ranking
from cloudsim.experiment.replay.kernels import NOBODY, PAGE_BITS, join


class Classes(NamedTuple):
    """Which hosts are in which class, and which classes are occupied, in each flavour's order.

    `cell[h]` is a host's class, and `columns[h]` how many classes a unit of CPU is, see Grid. `members[c]` is how many a
    class has, `lowest[c]` the lowest of them. `page[c, p]` is the number of a page in `words` (64 words of 64 hosts)
    whose non-empty words are the bits of `summary`; `unused` are the free pages, `unused_count[0]` many. `place[c, f]`,
    `at` and `tie` are a Ranking's; `low[f, w]` has a bit for each occupied class at its place, `high` one for each
    non-zero word of `low`.
    """

    cell: Any
    members: Any
    lowest: Any
    page: Any
    words: Any
    summary: Any
    unused: Any
    unused_count: Any
    place: Any
    at: Any
    tie: Any
    low: Any
    high: Any
    columns: Any


def occupied(grid: Grid, ranking: Ranking, cell: np.ndarray, kind: np.ndarray) -> Classes:
    """The index for hosts of those kinds that are in those classes."""
    hosts = len(cell)
    pages = -(-hosts >> PAGE_BITS)
    most = min(hosts, grid.size * pages) + 1
    width = -(-grid.size // 64)
    flavours = len(ranking.at)
    state = Classes(
        cell.astype(np.int32),
        np.zeros(grid.size, np.int32),
        np.full(grid.size, NOBODY, np.int32),
        np.full((grid.size, pages), -1, np.int32),
        np.zeros((most, 64), np.uint64),
        np.zeros(most, np.uint64),
        np.arange(most - 1, -1, -1, dtype=np.int32),
        np.full(1, most, np.int64),
        np.ascontiguousarray(ranking.place.T),
        ranking.at,
        ranking.tie,
        np.zeros((flavours, width), np.uint64),
        np.zeros((flavours, -(-width // 64)), np.uint64),
        grid.columns[kind].astype(np.int32),
    )
    for h in range(hosts):
        join(state, h, int(state.cell[h]))
    return state
