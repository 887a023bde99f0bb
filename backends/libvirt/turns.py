"""Who waits for whom: one at a time for the same thing, and one piece of work for all who ask for it at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Turns:
    """Locks by name, first come first served. A name that nobody holds or waits for takes no room."""

    def __init__(self) -> None:
        self._locks: dict[Hashable, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def turn(self, name: Hashable) -> AsyncIterator[None]:
        lock, users = self._locks.get(name, (None, 0))
        lock = lock or asyncio.Lock()
        self._locks[name] = lock, users + 1
        try:
            async with lock:
                yield
        finally:
            users = self._locks[name][1] - 1
            if users:
                self._locks[name] = lock, users
            else:
                del self._locks[name]


class Shared(Generic[T]):
    """Work by name: whoever asks while it is being done waits for that, and gets its result or its failure.

    It goes on as long as somebody waits; when the last one is cancelled, so is the work.
    """

    def __init__(self) -> None:
        self._running: dict[Hashable, tuple[asyncio.Task[T], int]] = {}

    async def do(self, name: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        known = self._running.get(name)
        if known is None:
            task, waiting = asyncio.get_running_loop().create_task(work()), 0
        else:
            task, waiting = known
        self._running[name] = task, waiting + 1
        try:
            return await asyncio.shield(task)
        finally:
            waiting = self._running[name][1] - 1
            if waiting:
                self._running[name] = task, waiting
            else:
                del self._running[name]
                if not task.done():
                    task.cancel()
                    await asyncio.wait([task])
