"""What to say when a simulation can go no further: which tasks wait, and where."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from typing import Any

_ASYNCIO = os.path.dirname(asyncio.__file__) + os.sep


class DeadlockError(RuntimeError):
    """Nothing is ready, nothing is scheduled, and the awaited task is not done.

    The message has a line for each pending task: its name, its coroutine, and where that waits.
    """

    @classmethod
    def of(cls, tasks: Iterable[asyncio.Task[Any]], now: float) -> DeadlockError:
        """The error for these pending tasks at simulated time `now` (seconds)."""
        # Default names end in a number; shortest first puts Task-2 before Task-10.
        ordered = sorted(tasks, key=lambda task: (len(task.get_name()), task.get_name()))
        lines = "".join(f"\n  {describe(task)}" for task in ordered)
        count = f"{len(ordered)} task{'' if len(ordered) == 1 else 's'}"
        return cls(f"Nothing is left to happen at time {now}, and {count} still waiting:{lines}")


def describe(task: asyncio.Task[Any]) -> str:
    """One line on a pending task: name, coroutine, the caller's own line it waits at, and for what."""
    frames: list[tuple[str, str, int]] = []
    awaited: Any = task.get_coro()
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is None:
            break
        frames.append((awaited.__qualname__, frame.f_code.co_filename, frame.f_lineno))
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
    if not frames:
        return f"{task.get_name()}: {task.get_coro()!r}"
    own = next((frame for frame in reversed(frames) if not frame[1].startswith(_ASYNCIO)), frames[-1])
    line = f"{task.get_name()}: {frames[0][0]}() waits at {own[1]}:{own[2]}"
    if own is not frames[0]:
        line += f" in {own[0]}()"
    if frames[-1] is not own:
        line += f" for {frames[-1][0]}()"
    return line
