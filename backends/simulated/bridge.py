"""Between SimPy and asyncio: a coroutine waits for an event, a process for a coroutine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import simpy


async def simulated(event: simpy.Event) -> Any:
    """Wait, in a coroutine on a `SimLoop`, for a SimPy event; see `Bridge.wait_for_event`."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, Bridge):
        raise RuntimeError(f"a SimPy event can be awaited only on a SimLoop, not on {loop!r}")
    return await loop.wait_for_event(event)


class Bridge(asyncio.AbstractEventLoop):
    """Mixin of `SimLoop`: what crosses between its coroutines and the processes of its environment."""

    env: simpy.Environment

    async def wait_for_event(self, event: simpy.Event) -> Any:
        """Wait for a SimPy event: its value, or its failure raised (which defuses the event).

        When the waiting task is cancelled, the event is no longer waited for, and may still happen.
        Raises `ValueError` for an event of another environment.
        """
        if event.env is not self.env:
            raise ValueError(f"{event!r} belongs to another environment")
        if event.callbacks is None:
            if event._ok:
                return event._value
            raise event._value
        future = self.create_future()

        def settle(event: simpy.Event) -> None:
            if future.done():
                return
            if event._ok:
                future.set_result(event._value)
            else:
                event._defused = True
                future.set_exception(event._value)

        event.callbacks.append(settle)
        try:
            return await future
        except asyncio.CancelledError:
            if event.callbacks is not None and settle in event.callbacks:
                event.callbacks.remove(settle)
            raise

    def event_of(self, awaitable: Awaitable[Any]) -> simpy.Event:
        """A SimPy event that happens when a coroutine, task or future is done: for SimPy processes.

        It fails with the exception of the awaitable, or with `CancelledError`.
        """
        event = self.env.event()

        def settle(future: asyncio.Future[Any]) -> None:
            if future.cancelled():
                event.fail(asyncio.CancelledError())  # type: ignore[arg-type]
            elif (exception := future.exception()) is not None:
                event.fail(exception)  # type: ignore[arg-type]
            else:
                event.succeed(future.result())

        asyncio.ensure_future(awaitable, loop=self).add_done_callback(settle)
        return event
