"""States of a replay at some instants: what cannot be summed up exactly as it goes is averaged over these.

Instants are equally far apart; when there are too many, every second one is dropped and the distance doubled, so that
no trace has more than MOST, and the same trace always has the same ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from cloudsim.experiment.blocks import BLOCK, RequestBlock

NOT_YET = 1 << 38
MOST = 512
PARTS, PARTS_OF_A_SHORT_TRACE = 8, 256
"""Into how many intervals the span of the first block of requests is divided: few where more blocks will come."""
LEAST = 64
"""So many samples are kept when intervals become longer because more blocks have come."""
MOST_FLAVOURS = 64
"""Fragmentation is computed for so many flavours at most, those asked for most."""


class State(NamedTuple):
    """Hosts at an instant: what they have and have left (MHz, MiB), and how many instances they have."""

    cpu_total: np.ndarray
    cpu_room: np.ndarray
    memory_total: np.ndarray
    memory_room: np.ndarray
    instances: np.ndarray


class Mix(NamedTuple):
    """What has been asked for until then: needs (MHz, MiB), and how often each."""

    cpu: np.ndarray
    memory: np.ndarray
    asked: np.ndarray


class Sample(NamedTuple):
    """One instant. Shares are of what all hosts have, `fragmentation` and `gini` in [0, 1]: see docs/metrics.md."""

    time_ms: int
    instances: int
    not_empty: int
    cpu_used: int
    memory_used: int
    rejected: int
    stranded_cpu: float
    stranded_memory: float
    fragmentation: float
    gini: float


class Sampler:
    """Collects samples. `next_ms` is when the next one is due; `spent` are the seconds of `clock` that it took."""

    def __init__(self, clock: Callable[[], float], most: int = MOST) -> None:
        self._clock = clock
        self.spent = 0.0
        self.most = most
        self.interval = 0
        self.next_ms = NOT_YET
        self.samples: list[Sample] = []

    def begin(self, block: RequestBlock) -> None:
        """Choose the interval by the first block that takes any time; make it longer where later ones show it too short.

        A first block that is small may be a short trace, or the beginning of a long one that is read in small blocks.
        """
        span = int(block.arrival_ms[-1] - block.arrival_ms[0]) if len(block) else 0
        if not self.interval and span:
            self.interval = max(1, span // (PARTS if len(block) >= BLOCK else PARTS_OF_A_SHORT_TRACE))
            self.next_ms = int(block.arrival_ms[0]) + self.interval
            return
        while len(self.samples) >= 2 * LEAST and span >= 2 * PARTS * self.interval:
            self._thin_out()

    def take(self, time_ms: int, state: State, mix: Mix, rejected: int) -> None:
        """The state at `time_ms`, the instant that was due."""
        began = self._clock()
        self.samples.append(sample(time_ms, state, mix, rejected))
        self.spent += self._clock() - began
        self.next_ms = time_ms + self.interval
        if len(self.samples) >= self.most:
            self._thin_out()

    def skip_to(self, time_ms: int) -> None:
        """Make the interval so long that no more than `most` instants are due until then."""
        while (time_ms - self.next_ms) // self.interval > self.most:
            self._thin_out()

    def _thin_out(self) -> None:
        self.samples = self.samples[1::2]
        self.interval *= 2
        self.next_ms = max(self.next_ms, (self.samples[-1].time_ms if self.samples else 0) + self.interval)


def sample(time_ms: int, state: State, mix: Mix, rejected: int) -> Sample:
    """What can be said of a state."""
    cpu_used = state.cpu_total - state.cpu_room
    memory_used = state.memory_total - state.memory_room
    cpu_total, memory_total = int(state.cpu_total.sum()), int(state.memory_total.sum())
    stranded = stranding(state, mix)
    return Sample(
        time_ms,
        int(state.instances.sum()),
        int(np.count_nonzero(state.instances)),
        int(cpu_used.sum()),
        int(memory_used.sum()),
        rejected,
        stranded[0] / cpu_total,
        stranded[1] / memory_total,
        fragmentation(state, mix),
        gini(np.maximum(cpu_used / state.cpu_total, memory_used / state.memory_total)),
    )


def stranding(state: State, mix: Mix) -> tuple[int, int]:
    """MHz and MiB left on hosts that can take none of the flavours asked for so far."""
    useful = np.zeros(len(state.cpu_room), np.bool_)
    cpu, memory = _smallest(mix)
    for c, m in zip(cpu, memory, strict=True):
        useful |= (state.cpu_room >= c) & (state.memory_room >= m)
    if not len(cpu):
        return 0, 0
    return int(state.cpu_room[~useful].sum()), int(state.memory_room[~useful].sum())


def _smallest(mix: Mix) -> tuple[np.ndarray, np.ndarray]:
    """The flavours that no other one is at most as large as, in both: a host that takes any takes one of these."""
    order = np.lexsort((mix.memory, mix.cpu))
    order = order[mix.asked[order] > 0]
    memory = mix.memory[order]
    if not len(order):
        return mix.cpu[:0], mix.memory[:0]
    least = np.concatenate(([np.iinfo(np.int64).max], np.minimum.accumulate(memory)[:-1]))
    front = order[memory < least]
    return mix.cpu[front], mix.memory[front]


def fragmentation(state: State, mix: Mix) -> float:
    """The share of the CPU left that an instance drawn from the requests so far could not use, on average.

    sum_f p_f * (CPU left on hosts that cannot take f) / (CPU left). After Weng et al., "Beware of Fragmentation" (ATC
    2023), who measure GPUs so.
    """
    left = int(state.cpu_room.sum())
    if not left or not mix.asked.any():
        return 0.0
    most = np.argsort(-mix.asked, kind="stable")[:MOST_FLAVOURS]
    total = int(mix.asked[most].sum())
    lost = 0.0
    for f in most.tolist():
        if mix.asked[f]:
            unfit = (state.cpu_room < mix.cpu[f]) | (state.memory_room < mix.memory[f])
            lost += int(mix.asked[f]) / total * int(state.cpu_room[unfit].sum())
    return lost / left


def gini(load: np.ndarray) -> float:
    """The Gini coefficient of a load over hosts: 0 where all have the same, (n - 1) / n where one has all."""
    n, total = len(load), float(load.sum())
    if not total:
        return 0.0
    return float(2 * (np.arange(1, n + 1) * np.sort(load)).sum() / (n * total) - (n + 1) / n)
