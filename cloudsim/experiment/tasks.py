"""What became of the tasks of each request: columns, one entry a task, in the order of arrival."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Tasks:
    """Columns by task. Times are seconds from the beginning of the study, None for what did not happen.

    `request` is the request's number in the order of arrival, from 0. `began` is when the task first began. One
    that was lost with its guest's memory begins again: `begun_again` counts that. One that was done and is lost, with
    the root disk or by going back to a snapshot, is not done any more.
    """

    def __init__(self) -> None:
        self.request: list[int] = []
        self.task: list[int] = []
        self.length_ms: list[int] = []
        self.began: list[float | None] = []
        self.finished: list[float | None] = []
        self.begun_again = 0
        self._first: dict[int, int] = {}
        self._left: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.request)

    def expect(self, request: int, lengths: Sequence[int]) -> None:
        """A request has come, whose tasks have these lengths in ms."""
        count = len(lengths)
        self._first[request] = len(self)
        self._left[request] = count
        self.request.extend([request] * count)
        self.task.extend(range(count))
        self.length_ms.extend(lengths)
        self.began.extend([None] * count)
        self.finished.extend([None] * count)

    def left(self, request: int) -> int:
        """How many tasks of that request are not done."""
        return self._left.get(request, 0)

    def begin(self, request: int, tasks: Sequence[int], time: float) -> None:
        """The guest has booted and begins these tasks."""
        first = self._first.get(request)
        if first is None:
            return  # work that somebody gave the instance later
        for task in tasks:
            row = first + task
            if self.began[row] is None:
                self.began[row] = time
                continue
            self.begun_again += 1
            if self.finished[row] is not None:
                self.finished[row] = None
                self._left[request] += 1

    def finish(self, request: int, task: int, time: float) -> None:
        """The task is done."""
        first = self._first.get(request)
        if first is not None:
            row = first + task
            if self.finished[row] is None:
                self._left[request] -= 1
            self.finished[row] = time

    def figures(self) -> dict[str, Any]:
        """How many there are and are done; of those that are done, when on average and at the latest, and how many
        times as long as alone at full speed they took on average, from when they first began."""
        done = [
            (round(1e6 * finished), round(1e6 * began), length)
            for began, finished, length in zip(self.began, self.finished, self.length_ms, strict=True)
            if began is not None and finished is not None
        ]
        count = len(done)
        return {
            "tasks": len(self),
            "finished": count,
            "begun_again": self.begun_again,
            "mean_finish_s": round(sum(end for end, _, _ in done) / count / 1e6, 6) if count else None,
            "makespan_s": max(end for end, _, _ in done) / 1e6 if count else None,
            "mean_slowdown": round(sum((e - b) / (1000 * n) for e, b, n in done) / count, 6) if count else None,
        }
