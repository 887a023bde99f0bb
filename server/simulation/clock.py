"""The clock of a served simulation: what it says, how fast it goes, and how much happens."""

from __future__ import annotations

import time
from collections import deque

from backends.simulated.loop import SimLoop
from backends.simulated.world import SimulatedWorld
from server.pacing import PAUSE, Pacing, pace_of

_MARK_EVERY, _MARKS = 0.5, 10
"""Real seconds between readings of the number of events, and how many are kept: the rate is over these."""


class Clock:
    """Reads and sets the time of `world`, on whose thread it is used."""

    def __init__(self, world: SimulatedWorld, loop: SimLoop, pacing: Pacing) -> None:
        self._world = world
        self._loop = loop
        self.pacing = pacing
        self._began = world.now()
        self._marks: deque[tuple[float, int]] = deque(maxlen=_MARKS)
        self._marks.append((time.monotonic(), loop.counted()))

    def now(self) -> float:
        """Simulated Unix seconds."""
        return self._world.now()

    @property
    def passed(self) -> float:
        """Simulated seconds since the server began to serve."""
        return self._world.now() - self._began

    @property
    def rate(self) -> float:
        """Simulated seconds in a real one just now: `inf` is as fast as it goes."""
        return self._loop.pace

    def events_per_second(self) -> float:
        """Simulated events in a real second, over the last readings: those of the last seconds where somebody looks often."""
        now, count = time.monotonic(), self._loop.counted()
        since, then = self._marks[0]
        if now - self._marks[-1][0] >= _MARK_EVERY:
            self._marks.append((now, count))
        return (count - then) / max(now - since, 1e-3)

    def set_pace(self, text: str) -> None:
        """`pause`, `resume` (at the pace of before), or a pace. ValueError for others; nothing has changed then."""
        word = text.strip().lower()
        if word == "resume":
            self.pacing.ask(self.pacing.rate)
        elif word == "pause":
            self.pacing.ask(PAUSE)
        else:
            try:
                rate = pace_of(word)
            except ValueError:
                expected = "expected pause, resume, real, max, or a factor such as 10x"
                raise ValueError(f"{expected}, got {text[:40]!r}") from None
            self.pacing.ask(rate)
