"""A served cloud's first start with a story: before its present there is a past."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from backends.simulated.world import SimulatedWorld
from cloudsim.management.server import ManagementServer
from cloudsim.model import User
from cloudsim.randomness import Randomness
from server.api.dispatch import Dispatcher
from server.demo.actor import Actor
from server.demo.chapters import Chapters
from server.demo.memory import Memory
from server.demo.people import FILE, People
from server.demo.story import Story
from server.demo.tenants import Tenancy

log = logging.getLogger(__name__)


class Demo:
    """Tells `story` to a new cloud, and leaves its people's credentials in `folder`."""

    def __init__(self, story: Story, folder: Path) -> None:
        self.story = story
        self.handover = folder / FILE
        self._folder = folder

    def prepare(self, manager: ManagementServer) -> None:
        """Set what the story sets, before the server starts."""
        for name, value in self.story.settings.items():
            manager.settings.set(name, value)

    async def tell(self, manager: ManagementServer, world: SimulatedWorld, admin: User) -> None:
        """From now on `story.span` simulated seconds pass, at the end of which it is the present.

        `admin` has API keys. Raises StoryError for what goes otherwise than the story says.
        """
        telling = _Telling(self.story, manager, world, admin)
        await telling.whole()
        telling.people.hand_over(self._folder)


class _Telling:
    """One telling: chapters and tenants, each in a task of its own."""

    def __init__(self, story: Story, manager: ManagementServer, world: SimulatedWorld, admin: User) -> None:
        self._story = story
        self._loop = asyncio.get_running_loop()
        self._begin = self._loop.time()
        dispatcher = Dispatcher(manager)
        memory = Memory()
        root = Actor(dispatcher, admin.username, admin.api_key or "", admin.secret_key or "")
        self.people = People(dispatcher, root, memory)
        randomness = Randomness(story.seed).branch("story")
        self._chapters = Chapters(world, self.people.actors, memory, randomness, self._until_text)
        self._memory = memory
        self._randomness = randomness
        self._tasks: set[asyncio.Task[Any]] = set()
        self._failed: asyncio.Future[None] = self._loop.create_future()

    async def whole(self) -> None:
        """All of it. Raises the first error of any part."""
        for role in self._story.roles:
            await self.people.make_role(role)
        for person in self._story.people:
            await self.people.make(person)
        for chapter in self._story.chapters:
            self._spawn(self._chapters.tell(chapter))
        for tenant in self._story.tenants:
            branch = self._randomness.branch(f"tenant {tenant.name}")
            tenancy = Tenancy(self._story, tenant, self.people.actors[tenant.by], self._memory, branch)
            self._spawn(tenancy.live(self._until, self._spawn))
        present = asyncio.ensure_future(self._until(self._story.span))
        try:
            await asyncio.wait((present, self._failed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            present.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._failed.done():
            self._failed.result()

    def _spawn(self, doing: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None and not self._failed.done():
            self._failed.set_exception(task.exception() or RuntimeError())

    async def _until(self, time: float) -> None:
        await asyncio.sleep(max(0.0, self._begin + time - self._loop.time()))

    async def _until_text(self, text: str) -> None:
        await self._until(self._story.time(text))
