"""Tasks that make sets deterministic.

asyncio keeps tasks in sets: a `TaskGroup` cancels its tasks, and `asyncio.wait` returns them, in the order
of a set, which goes by hash, which for asyncio's own tasks is an address in memory. A simulation may not
depend on that. A `SimTask` hashes to its number in the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backends.simulated.loop import SimLoop


class SimTask(asyncio.Task[Any]):
    """A task numbered by its loop, from 1; unless it is given a name, that is `Task-<number>`."""

    def __init__(self, coro: Coroutine[Any, Any, Any], *, loop: SimLoop, name: Any = None, **options: Any):
        number = next(loop._task_numbers)
        self._number = number  # first: asyncio puts the task in a set as it initialises it
        super().__init__(coro, loop=loop, name=f"Task-{number}" if name is None else name, **options)

    def __hash__(self) -> int:
        return self._number
