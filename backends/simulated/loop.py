"""SimLoop: an asyncio event loop whose clock is a SimPy environment.

    >>> async def main():
    ...     await asyncio.sleep(30)
    ...     return asyncio.get_running_loop().time()
    >>> with asyncio.Runner(loop_factory=SimLoop) as runner:
    ...     runner.run(main())
    30.0

The loop goes in turns. In a turn, every event and timer due at the present instant is processed in SimPy's
order (time, priority, order of scheduling), then every callback that is ready runs, first in, first out.
What these callbacks make ready runs in the next turn, and time advances only when nothing is ready and
nothing is due. So a program sees the order it would see on asyncio's own loop, and ties, which asyncio
leaves open, go by the order of scheduling: the same program always runs in the same order.

Three paces. As fast as possible, the default, reads no wall clock and blocks on nothing. `pace = 10.0`
lets ten simulated seconds pass in a wall second. And `step`, `advance` and `run_until` move the clock by
hand, whatever the pace.
"""

from __future__ import annotations

import asyncio
import math
import sys
import threading
import time
import traceback
import weakref
from asyncio import base_events
from asyncio.log import logger
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any, TypeVarTuple

import simpy
from simpy.events import NORMAL

from backends.simulated.bridge import Bridge, simulated
from backends.simulated.deadlock import DeadlockError
from backends.simulated.handles import SimHandle, SimTimer, SleepTimer
from backends.simulated.pace import AS_FAST_AS_POSSIBLE, Pace
from backends.simulated.sealed import Sealed
from backends.simulated.stepping import Stepping
from backends.simulated.tasks import SimTask

__all__ = ["AS_FAST_AS_POSSIBLE", "DeadlockError", "SimLoop", "simulated"]

Ts = TypeVarTuple("Ts")

_new = object.__new__
_Future = asyncio.Future
_wake_sleeper: Any = asyncio.futures._set_result_unless_cancelled  # type: ignore[attr-defined]

_LAST_INSTANT = sys.float_info.max  # what is scheduled later than this, at infinity, never happens
_FEW_CANCELLED = 64  # below this many, sweeping the queue is not worth its cost
_TRACEBACK_DEPTH = 10  # frames kept with a handle in debug mode, as many as asyncio keeps

_loop_of: weakref.WeakKeyDictionary[simpy.Environment, weakref.ref[SimLoop]] = weakref.WeakKeyDictionary()


class SimLoop(Stepping, Bridge, Sealed, base_events.BaseEventLoop):
    """An asyncio event loop in simulated time (seconds).

    `env` is the SimPy environment to run in; without one the loop makes its own, at `initial_time`.
    SimPy processes run beside coroutines in it, and may schedule callbacks and create tasks. While
    the loop is open it owns the environment: `env.run()` is not called by anyone else.

    `pace` is in simulated seconds per wall second (see `Pace`). `external=True` says that other
    threads hand in work with `call_soon_threadsafe`: a loop with nothing to do then waits for them, and
    one with much to do rests for a moment every two milliseconds, so that they come to run.

    Without it, at `AS_FAST_AS_POSSIBLE`, a loop with nothing to do can never have anything to do
    again: `run_until_complete` raises `DeadlockError`, and `run_forever` returns, as `env.run()` does.
    An event that fails and is awaited by nobody ends the run with its exception, as in SimPy.
    """

    # BaseEventLoop's own, which its subclasses use.
    _ready: deque[Any]
    _stopping: bool
    _debug: bool
    _thread_id: int | None
    _task_factory: Any
    _check_closed: Callable[[], None]
    _check_running: Callable[[], None]
    _check_thread: Callable[[], None]
    _check_callback: Callable[[Any, str], None]

    # Class attributes, because BaseEventLoop.__init__ calls set_debug() before ours can set them.
    _closed = False
    _guarded = False

    def __init__(
        self,
        env: simpy.Environment | None = None,
        *,
        pace: float = AS_FAST_AS_POSSIBLE,
        initial_time: float = 0.0,
        external: bool = False,
    ) -> None:
        self.env = simpy.Environment(initial_time) if env is None else env
        self.external = external
        self._pace = Pace(pace)
        self._settling: deque[Any] = deque()
        super().__init__()
        other = _loop_of.get(self.env, lambda: None)()
        if other is not None and not other.is_closed():
            self.close()
            raise RuntimeError(f"this environment already has a loop: {other!r}")
        _loop_of[self.env] = weakref.ref(self)
        self._queue: list[tuple[float, int, int, Any]] = self.env._queue  # type: ignore[assignment]
        self._serial: count[int] = self.env._eid
        self._task_numbers = count(1)
        self._cancelled_timers = 0
        self._must_complete = False
        self._limit = self._unasked_limit()

    def __repr__(self) -> str:
        state = "closed" if self._closed else "running" if self.is_running() else "idle"
        return f"<SimLoop {state} time={self.env.now} pace={self.pace}>"

    # Time and pace

    def time(self) -> float:
        """The simulated time in seconds: `env.now`."""
        return self.env._now

    @property
    def pace(self) -> float:
        """Simulated seconds per wall second; `inf` is as fast as possible, 0 stands still.

        May be set while the loop runs, from its own thread; from another one, hand the setting in
        with `call_soon_threadsafe`, so that it takes effect at a definite simulated time.
        """
        return self._pace.rate

    @pace.setter
    def pace(self, rate: float) -> None:
        rate = Pace.checked(rate)
        if self._thread_id is not None and self._thread_id != threading.get_ident():
            raise RuntimeError("set the pace of a running loop through call_soon_threadsafe()")
        self._pace.rate = rate
        self._pace.anchor(self.env._now)
        self._limit = self._unasked_limit()

    def counted(self) -> int:
        """Takes the next number of the events and timers that are scheduled: how many there have been, about."""
        return next(self._serial)

    def _unasked_limit(self) -> float:
        """The time up to which the inner loop may go from event to event without asking `_hold`."""
        if self._horizon is not None:
            return min(self._horizon, _LAST_INSTANT)
        unasked = self._pace.rate == AS_FAST_AS_POSSIBLE and not self.external
        return _LAST_INSTANT if unasked else -math.inf

    # Scheduling. Handles are made in place and not by their classes: creating them is most of the cost.

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return _Future(loop=self)

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        """A task of this loop: from the task factory if one is set, else a `SimTask`."""
        if self._task_factory is not None:
            return super().create_task(coro, **options)
        self._check_closed()
        return SimTask(coro, loop=self, **options)

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Run the callback at the present instant, after those that are ready already."""
        handle = _new(SimHandle)
        handle._callback = callback
        handle._args = args
        handle._loop = self
        handle._context = copy_context() if context is None else context
        handle._cancelled = False
        handle._source_traceback = handle._repr = None
        if self._guarded:
            self._guard(handle, callback, "call_soon")
        self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run the callback `delay` simulated seconds from now. Infinity is never.

        A delay that is not positive, or too small to change the time, is `call_soon`.
        """
        now = self.env._now
        when = now + delay
        if callback is _wake_sleeper and when > now and not self._guarded:
            sleep = _new(SleepTimer)
            sleep._when = when
            sleep._callback = callback
            sleep._args = args
            sleep._loop = self
            sleep._context = sleep._source_traceback = sleep._repr = None
            sleep._cancelled = False
            sleep._scheduled = True
            heappush(self._queue, (when, NORMAL, next(self._serial), sleep))
            return sleep
        return self._timer(when, callback, args, context, "call_later")

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run the callback at the simulated time `when`; `call_soon`, if that is not in the future."""
        if when is None:
            raise TypeError("when cannot be None")
        return self._timer(when, callback, args, context, "call_at")

    def _timer(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: Context | None,
        method: str,
    ) -> SimTimer:
        timer = SimTimer(when, callback, args, self, context)
        if self._guarded:
            self._guard(timer, callback, method, outer=1)
        if when > self.env._now:
            timer._scheduled = True
            heappush(self._queue, (when, NORMAL, next(self._serial), timer))
        else:  # past, or not a number, which would spoil the order of the queue
            self._ready.append(timer)
        return timer

    def _guard(self, handle: Any, callback: Callable[..., object], method: str, outer: int = 0) -> None:
        """The checks of a closed loop and of debug mode, kept out of the way of every other call."""
        self._check_closed()
        if self._debug:
            self._check_thread()
            self._check_callback(callback, method)
            handle._source_traceback = traceback.extract_stack(sys._getframe(2 + outer), _TRACEBACK_DEPTH)

    def _write_to_self(self) -> None:
        # BaseEventLoop.call_soon_threadsafe calls this after it has put the callback among the ready.
        self._pace.ring()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        self._cancelled_timers += 1
        if self._cancelled_timers > _FEW_CANCELLED and self._cancelled_timers * 2 > len(self._queue):
            self._keep(lambda timer: not timer._cancelled)
            self._cancelled_timers = 0

    def _keep(self, wanted: Callable[[SimTimer], bool]) -> None:
        """Drop the timers that are not wanted, in place: the environment holds the same list."""
        queue = self._queue
        queue[:] = [entry for entry in queue if not isinstance(entry[3], SimTimer) or wanted(entry[3])]
        heapify(queue)

    def _next_instant(self) -> float:
        """When the next event is due, infinity if none is. Cancelled timers at the head are dropped."""
        queue = self._queue
        while queue:
            instant, _, _, event = queue[0]
            if not isinstance(event, SimTimer) or not event._cancelled:
                return instant
            heappop(queue)
            self._cancelled_timers -= 1
        return math.inf

    # Running

    def run_forever(self) -> None:
        """Run until `stop()`; or, see the class, until nothing is left that could happen."""
        self._check_running()
        self._pace.anchor(self.env._now)
        super().run_forever()

    def run_until_complete(self, future: Any) -> Any:
        """Run until the future or coroutine is done, and return its result or raise its exception.

        Raises `DeadlockError` if nothing is left that could complete it.
        """
        outer, self._must_complete = self._must_complete, True
        try:
            return super().run_until_complete(future)
        finally:
            self._must_complete = outer

    def call_when_settled(self, callback: Callable[..., object], *args: Any) -> Any:
        """Call it at this very instant, when nothing else is left that happens in it; in the order of asking."""
        handle = asyncio.Handle(callback, args, self)
        self._settling.append(handle)
        return handle

    def close(self) -> None:
        """Drop what is ready and every timer. SimPy's events stay in the environment."""
        if not self._closed and not self.is_running() and hasattr(self, "_queue"):
            self._keep(lambda timer: timer._loop is not self)
        super().close()
        self._guarded = True

    def set_debug(self, enabled: bool) -> None:
        """Check threads and callbacks, keep where handles come from, and log slow callbacks."""
        super().set_debug(enabled)
        self._guarded = self._closed or self._debug

    def _run_once(self) -> None:
        """Turn after turn until `stop()`. BaseEventLoop.run_forever calls this."""
        env, queue, ready = self.env, self._queue, self._ready
        process_event, popleft = env.step, ready.popleft
        while True:
            if ready or self._stopping:
                now = env._now
            else:
                if self._cancelled_timers:
                    now = self._next_instant()
                else:
                    now = queue[0][0] if queue else math.inf
                if self._settling and now > env._now:
                    now = env._now
                    ready.append(self._settling.popleft())
                elif now > self._limit:
                    now = self._hold(now)
                env._now = now
            while queue and queue[0][0] <= now:
                event = queue[0][3]
                kind = event.__class__
                if kind is not SleepTimer and kind is not SimTimer:
                    process_event()  # SimPy's own rules for SimPy's own events
                    continue
                heappop(queue)
                event._scheduled = False
                if event._cancelled:
                    self._cancelled_timers -= 1
                elif kind is SleepTimer:
                    event.fire()
                else:
                    self._run(event)
            if self._debug:
                for _ in range(len(ready)):
                    self._run(popleft())
            else:
                for _ in range(len(ready)):
                    handle = popleft()
                    if not handle._cancelled:
                        try:
                            handle._context.run(handle._callback, *handle._args)
                        except (SystemExit, KeyboardInterrupt):
                            raise
                        except BaseException as exception:
                            self._report(handle, exception)
                handle = None  # it would keep what the callback refers to
            if self._stopping:
                return

    def _hold(self, instant: float) -> float:
        """Nothing is ready, and the next event, at `instant`, is not for the inner loop to reach alone.

        Returns the time to go on at, after a wait if the pace asks for one.
        """
        now = self.env._now
        if self._horizon is not None:
            self._stopping = True
            return now if self._horizon == math.inf else self._horizon
        if self.external:
            self._pace.rest()
        if self._pace.rate != AS_FAST_AS_POSSIBLE:
            return self._pace.wait_until(instant, now)
        if self.external:
            if instant <= _LAST_INSTANT:
                return instant
            self._pace.wait_for_bell()
        elif self._must_complete:
            raise DeadlockError.of(asyncio.all_tasks(self), now)
        else:
            self._stopping = True
        return now

    def _run(self, handle: Any) -> None:
        """Run one callback. In debug mode, log a slow one, in wall time: it is the program that is slow."""
        if handle._cancelled:
            return
        start = time.perf_counter() if self._debug else 0.0
        self._current_handle = handle if self._debug else None
        try:
            handle._context.run(handle._callback, *handle._args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exception:
            self._report(handle, exception)
        finally:
            self._current_handle = None
        if self._debug and (taken := time.perf_counter() - start) >= self.slow_callback_duration:
            logger.warning("Executing %r took %.3f seconds", handle, taken)

    def _report(self, handle: Any, exception: BaseException) -> None:
        context = {"message": f"Exception in callback {handle!r}", "exception": exception, "handle": handle}
        if handle._source_traceback:
            context["source_traceback"] = handle._source_traceback
        self.call_exception_handler(context)
