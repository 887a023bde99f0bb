"""What `SimLoop` hands out for a callback: asyncio's handles, made cheaply, and timers SimPy can hold.

A simulation makes one handle for each task switch and each timer, so creating one is most of what the
loop itself costs. These classes fill asyncio's own slots directly and leave debug information to
`SimLoop._guard`, which runs only in debug mode.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backends.simulated.loop import SimLoop


class SimHandle(asyncio.Handle):
    """A callback that is ready to run. Public behaviour is that of `asyncio.Handle`.

    Made by `SimLoop.call_soon`, which fills the slots itself.
    """

    __slots__ = ()

    if TYPE_CHECKING:  # the slots of asyncio.Handle
        _callback: Any
        _args: Any
        _loop: Any
        _context: Any
        _source_traceback: Any
        _repr: str | None


class SimTimer(asyncio.TimerHandle):
    """A callback due at a simulated time; stands in the environment's queue as if it were an event.

    It answers to what `simpy.Environment.step` asks of an event (`callbacks`, `_ok`), without the list
    and the instance dictionary that a `simpy.Event` carries.
    """

    __slots__ = ()

    if TYPE_CHECKING:  # the slots of asyncio.TimerHandle
        _callback: Any
        _args: Any
        _loop: Any
        _context: Any
        _when: float
        _source_traceback: Any
        _repr: str | None

    _ok = True

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: SimLoop,
        context: Context | None,
    ) -> None:
        self._when = when
        self._callback = callback
        self._args = args
        self._loop = loop
        self._context = copy_context() if context is None else context
        self._cancelled = False
        self._scheduled = False  # whether it is in the environment's queue
        self._source_traceback = None
        self._repr = None

    def cancel(self) -> None:
        """Forget the callback. The place in the queue is given back before the clock could reach it."""
        if self._cancelled:
            return
        loop = self._loop
        if loop._debug:
            self._repr = repr(self)
        self._cancelled = True
        self._callback = None
        self._args = None
        if self._scheduled:
            loop._timer_handle_cancelled(self)

    @property
    def callbacks(self) -> list[Callable[[SimTimer], None]]:
        """SimPy's view of the timer, for an environment that is stepped without the loop."""
        return [SimTimer._fall_due]

    @callbacks.setter
    def callbacks(self, _: None) -> None:
        """SimPy clears an event's callbacks when it processes the event; a timer keeps none."""

    def _fall_due(self) -> None:
        self._scheduled = False
        if self._cancelled:
            self._loop._cancelled_timers -= 1
        else:
            self._loop._ready.append(self)


class SleepTimer(SimTimer):
    """The timer of `asyncio.sleep`, most of all timers: `_args` is the sleeper's (future, result).

    It sets the future without going through a callback in a copied context, and is seen by nobody but
    `asyncio.sleep`, which cancels it when it wakes, for whatever reason.
    """

    __slots__ = ()

    def fire(self) -> None:
        """Wake the sleeper, unless it has been cancelled at this very instant."""
        future, result = self._args
        try:  # noqa: SIM105 - suppress() would cost as much as the rest
            future.set_result(result)
        except asyncio.InvalidStateError:
            pass

    def cancel(self) -> None:
        """Give the place in the queue back, if the timer has not fired."""
        if self._scheduled and not self._cancelled:
            self._cancelled = True
            self._loop._timer_handle_cancelled(self)

    def _fall_due(self) -> None:
        self._scheduled = False
        if self._cancelled:
            self._loop._cancelled_timers -= 1
        else:
            self.fire()
