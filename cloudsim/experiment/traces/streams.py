"""Endless random numbers that come in chunks, taken some at a time: the same numbers, however many are taken at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Stream:
    """The numbers of `chunks`, in their order."""

    def __init__(self, chunks: Iterator[Floats]) -> None:
        self._chunks = chunks
        self._chunk = np.empty(0)
        self._used = 0

    def take(self, count: int) -> Floats:
        """The next `count` numbers."""
        taken = np.empty(count)
        filled = 0
        while filled < count:
            if self._used == len(self._chunk):
                self._chunk, self._used = next(self._chunks), 0
            part = self._chunk[self._used : self._used + count - filled]
            taken[filled : filled + len(part)] = part
            self._used += len(part)
            filled += len(part)
        return taken


class Choice:
    """Draws indices of `weights`, each as often as its weight says."""

    def __init__(self, weights: Floats, generator: np.random.Generator) -> None:
        sums = (weights / weights.sum()).cumsum()
        self._sums = sums / sums[-1]
        self._generator = generator

    def take(self, count: int) -> NDArray[np.int64]:
        """The next `count` indices."""
        return self._sums.searchsorted(self._generator.random(count), side="right")
