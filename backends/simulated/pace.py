"""How simulated time follows wall time: an anchor, a rate, and a bell that ends a wait early."""

from __future__ import annotations

import contextlib
import math
import threading
import time

AS_FAST_AS_POSSIBLE = math.inf
"""The pace of an experiment: time passes only from event to event."""

_LONGEST_WAIT = 3600.0  # seconds; a lock cannot wait for an arbitrarily long time
_REST, _REST_EVERY = 0.0001, 0.002  # seconds


class Pace:
    """The rate at which simulated seconds pass in one wall second.

    `inf` is as fast as possible (this object is then only a bell), 1.0 is real time, 10.0 ten times
    as fast, and 0.0 stands still: work handed in is done, time does not pass.
    """

    def __init__(self, rate: float) -> None:
        self.rate = self.checked(rate)
        self._wall_anchor = 0.0
        self._time_anchor = 0.0
        self._rest_due = 0.0
        # A lock used as a binary semaphore, because ring() is also called from signal handlers: they
        # interrupt the waiting thread itself, which may not then wait for a lock inside a Condition.
        self._bell = threading.Lock()
        self._bell.acquire()

    @staticmethod
    def checked(rate: float) -> float:
        """The rate as a float. Raises `ValueError` unless it is zero, positive or infinite."""
        rate = float(rate)
        if not rate >= 0.0:
            raise ValueError(f"pace must be zero, positive or infinite, got {rate!r}")
        return rate

    def anchor(self, now: float) -> None:
        """From here on, simulated time `now` is the present wall instant."""
        self._wall_anchor = time.monotonic()
        self._time_anchor = now

    def ring(self) -> None:
        """End the present wait, or else the next one. May be called from any thread or signal handler."""
        with contextlib.suppress(RuntimeError):  # it has been rung already
            self._bell.release()

    def rest(self) -> None:
        """Sleep for a moment, if the last time was two milliseconds ago.

        A thread that never blocks keeps the interpreter's lock for as long as other threads let it, which
        is 5 ms for each single thing that they want to do: a database commit took 1.7 s beside a loop that spun.
        """
        if time.monotonic() >= self._rest_due:
            time.sleep(_REST)
            self._rest_due = time.monotonic() + _REST_EVERY

    def wait_for_bell(self) -> None:
        """Block until the bell rings."""
        self._bell.acquire()

    def wait_until(self, instant: float, now: float) -> float:
        """Block until wall time reaches the simulated `instant`, or the bell rings.

        Returns the simulated time of the present wall instant: at least `now`, at most `instant`.
        A loop that is late gets `instant` back at once, and so catches up.
        """
        here = self._reading(now)
        if here >= instant:
            return instant
        if self.rate == 0.0 or instant == math.inf:
            self._bell.acquire()
        else:
            self._bell.acquire(timeout=min((instant - here) / self.rate, _LONGEST_WAIT))
        return min(self._reading(now), instant)

    def _reading(self, now: float) -> float:
        return max(now, self._time_anchor + (time.monotonic() - self._wall_anchor) * self.rate)
