"""The clock moved by hand, for tests and lessons: an instant, a number of seconds, or up to a time."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from typing import Any

import simpy


class Stepping(asyncio.AbstractEventLoop):
    """Mixin of `SimLoop`. Whatever the pace, these methods wait for no wall clock and no other thread."""

    env: simpy.Environment

    _horizon: float | None = None  # how far the clock may go by hand; None: as the pace says
    _limit: float
    _must_complete: bool
    _ready: deque[Any]
    _check_running: Callable[[], None]
    _next_instant: Callable[[], float]
    _unasked_limit: Callable[[], float]

    def run_until(self, time: float) -> None:
        """Run all that happens up to and including simulated `time`, and leave the clock there.

        `stop()` in a callback ends this early. Raises `ValueError` if `time` is past.
        """
        self._check_running()
        if not time >= self.env._now:
            raise ValueError(f"cannot run until {time}: it is {self.env._now} already")
        self._horizon = time
        self._limit = self._unasked_limit()
        outer, self._must_complete = self._must_complete, False
        try:
            self.run_forever()
        finally:
            self._must_complete = outer
            self._horizon = None
            self._limit = self._unasked_limit()

    def advance(self, seconds: float) -> None:
        """`run_until` the given number of simulated seconds from now."""
        self.run_until(self.env._now + seconds)

    def step(self) -> bool:
        """Run one instant: the rest of the present one if anything is ready or due, else the next.

        Returns whether there was anything to run.
        """
        instant = self.env._now if self._ready else self._next_instant()
        if instant == math.inf:
            return False
        self.run_until(instant)
        return True
