"""Tells a story's chapters: at its time each begins, and does its steps one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from backends.simulated.faults import SimulatedFaultInjector
from backends.simulated.world import SimulatedWorld
from cloudsim.randomness import Randomness
from server.demo.actor import Actor, Refused
from server.demo.memory import Memory
from server.demo.story import Chapter, Step, StoryError, seconds

_PATIENCE = 120.0


class Chapters:
    """`until(time)` returns when the story has come to that time."""

    def __init__(
        self,
        world: SimulatedWorld,
        actors: Mapping[str, Actor],
        memory: Memory,
        randomness: Randomness,
        until: Callable[[str], Any],
    ) -> None:
        self._world = world
        self._actors = actors
        self._memory = memory
        self._randomness = randomness
        self._until = until
        self._faults = 0

    async def tell(self, chapter: Chapter) -> None:
        """Raises StoryError for a step that goes otherwise than it says."""
        await self._until(chapter.at)
        for index, step in enumerate(chapter.steps):
            try:
                await self._do(step, step.by or chapter.by)
            except (StoryError, Refused) as error:
                what = step.call or "fault"
                raise StoryError(f"chapter {chapter.title!r}, step {index + 1} ({what}): {error}") from error

    async def _do(self, step: Step, by: str) -> None:
        if step.pause is not None:
            await asyncio.sleep(seconds(step.pause))
        elif step.fault is not None:
            fault = self._memory.filled(msgspec.to_builtins(step.fault))
            self._faults += 1
            branch = self._randomness.branch(f"fault {self._faults}")
            SimulatedFaultInjector(self._world, [msgspec.convert(fault, type(step.fault))], branch).start()
        else:
            for _ in range(step.tries - 1):
                try:
                    return await self._call(step, self._actors[by])
                except Refused:
                    await asyncio.sleep(_PATIENCE)
            await self._call(step, self._actors[by])

    def _for(self, step: Step) -> Sequence[dict[str, Any] | None]:
        """What to call for: a row each time, or None as often as the step says."""
        return [None] * step.count if step.each is None else self._memory.rows(step.each)

    async def _call(self, step: Step, actor: Actor) -> None:
        assert step.call is not None
        asked: list[dict[str, Any]] = []
        try:
            for n, row in enumerate(self._for(step), 1):
                if n > 1:
                    await asyncio.sleep(seconds(step.every))
                asked.append(await actor.ask(step.call, self._memory.filled(step.with_, n, row)))
            if step.as_ is not None and not step.wait:
                self._memory.keep(step.as_, asked)
            if not step.wait:
                return
            found = [await actor.result(body) for body in asked]
        except Refused as error:
            if step.fails is None or step.fails not in str(error):
                raise
            return
        if step.fails is not None:
            raise StoryError(f"it was to fail with {step.fails!r}, and did not")
        if step.as_ is not None:
            rows = [row for each in found for row in (each if isinstance(each, list) else [each])]
            if not rows or not isinstance(rows[0], dict) or not rows[0]:
                raise StoryError(f"there is nothing to remember as {step.as_}")
            self._memory.keep(step.as_, rows)
