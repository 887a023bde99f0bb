"""Where a served cloud runs: the world under it, its clock, and how such a cloud begins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

import flask
import sqlalchemy as sa

from cloudsim.management.server import ManagementServer
from cloudsim.randomness import Randomness
from cloudsim.world import World
from server.api.dispatch import Dispatcher
from server.database import DatabaseJournal, JournalBroken

T = TypeVar("T")


class SiteError(Exception):
    """The world cannot be had; the text says why."""


class Site(Protocol):
    """One kind of world to serve a cloud on. `open` is called once, before the loop runs; the rest on the loop."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """What all of it runs on; nothing runs yet."""

    def open(self, randomness: Randomness, *, is_new: bool, last: float) -> World:
        """Make the world of a new cloud, or of one in which something happened at `last` (Unix seconds)."""

    def journal(
        self, engine: sa.Engine, on_failure: Callable[[JournalBroken], None] | None
    ) -> DatabaseJournal:
        """What makes the cloud's changes durable."""

    def dispatcher(self, manager: ManagementServer) -> Dispatcher:
        """What answers API requests."""

    async def begin(self, manager: ManagementServer) -> None:
        """Start the server of a cloud whose store has been seeded, and set up what this world says is there."""

    async def resume(self, manager: ManagementServer) -> None:
        """Start the server of a cloud that has been served before."""

    async def beside(self, function: Callable[[], T]) -> T:
        """What the function returns or raises, which takes real time: in a thread beside the loop."""

    def follow(self, manager: ManagementServer) -> None:
        """From now on requests come in."""

    def extend(self, app: flask.Flask, url: str) -> int:
        """Add to the public app, reached at `url`, what this world has clients find there beside the API; bytes of the
        largest body that a request may have."""

    async def close(self) -> None:
        """The manager has stopped: let go of what the world holds."""

    def greeting(self) -> Iterator[tuple[str, str]]:
        """What an operator wants to know of this world: a word, and what it says."""
