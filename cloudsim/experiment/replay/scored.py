"""Scores of capacity, compiled: the best occupied class by a bit set over each flavour's ranking, and its lowest host.

Hosts of a class are a set in pages of 4,096 slots, made when needed; each class knows its lowest host, so that classes of
equal score are compared by one look each. A host that changes its class touches the rankings only when the class it leaves
becomes empty, or the one that it joins was.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cloudsim.experiment.replay.classes import Grid, Ranking
from cloudsim.experiment.replay.kernels import LOWEST_HOST, NOBODY, PAGE_BITS, SUMMARY, join
from cloudsim.experiment.replay.state import packed


class Classes(NamedTuple):
    """Which hosts are in which class, and which classes may be occupied, in each flavour's order.

    `cell[h]` is a host's class, and how many classes a unit of CPU is there, see Grid. `classes[c]` is the lowest host of a
    class, and whether some order lacks it. `page[c, p]` is the number of a page in `words`: 64 words of 64 hosts, and a word
    with a bit for each of those that is not 0. `unused` are the free pages, from 1 on, `unused[0]` many. `place[c, f]` and
    `order[f, place]` (class, tie) are a Ranking's; `low[f, w]` has a bit for each class at its place, `high` one for each
    word of `low`. An empty class keeps its bit until a search comes across it.
    """

    cell: Any
    classes: Any
    page: Any
    words: Any
    unused: Any
    place: Any
    order: Any
    low: Any
    high: Any


def occupied(grid: Grid, ranking: Ranking, cell: np.ndarray, kind: np.ndarray) -> Classes:
    """The index for hosts of those kinds that are in those classes."""
    hosts = len(cell)
    pages = -(-hosts >> PAGE_BITS)
    most = min(hosts, grid.size * pages) + 1
    unused = np.arange(most, -1, -1, dtype=np.int32)
    unused[0] = most
    low = packed(np.arange(grid.size)[None, :] < (ranking.place >= 0).sum(axis=1)[:, None])
    classes = np.zeros((grid.size, 2), np.int32)
    classes[:, LOWEST_HOST] = NOBODY
    index = Classes(
        np.column_stack((cell, grid.columns[kind])).astype(np.int32),
        classes,
        np.full((grid.size, pages), -1, np.int32),
        np.zeros((most + 1, SUMMARY + 1), np.uint64),
        unused,
        np.ascontiguousarray(ranking.place.T),
        np.stack((ranking.at, ranking.tie), axis=2),
        low,
        packed(low != 0),
    )
    for h in range(hosts):
        join(*index[:5], h, int(cell[h]))
    return index
