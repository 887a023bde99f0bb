"""A served cloud on real hosts, whose agents connect over TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import flask
import sqlalchemy as sa

from backends.wire.authority import Authority
from backends.wire.gateway import Gateway, default_names
from backends.wire.world import RealWorld
from cloudsim.management.server import ManagementServer
from cloudsim.randomness import Randomness
from server.api.dispatch import Dispatcher
from server.api.door import LARGEST_BODY
from server.database import DatabaseJournal, JournalBroken
from server.simulation.threads import in_thread
from server.site import SiteError

T = TypeVar("T")


class KvmSite:
    """Implements `server.site.Site`. Agents connect to `host` and `port`; `folder` holds the CA that knows them."""

    def __init__(self, folder: Path, host: str, port: int, names: tuple[str, ...] = ()) -> None:
        self.loop: asyncio.AbstractEventLoop = asyncio.new_event_loop()
        self._folder = folder
        self._host, self._port, self._names = host, port, names

    def open(self, randomness: Randomness, *, is_new: bool, last: float) -> RealWorld:
        names = (*default_names(self._host), *self._names)
        self.gateway = Gateway(Authority(self._folder), self._host, self._port, names)
        self.world = RealWorld(self.loop, self.gateway)
        return self.world

    def journal(
        self, engine: sa.Engine, on_failure: Callable[[JournalBroken], None] | None
    ) -> DatabaseJournal:
        return DatabaseJournal(engine, on_failure=on_failure)

    def dispatcher(self, manager: ManagementServer) -> Dispatcher:
        return Dispatcher(manager)

    async def begin(self, manager: ManagementServer) -> None:
        await self._start(manager)

    async def resume(self, manager: ManagementServer) -> None:
        await self._start(manager)

    async def _start(self, manager: ManagementServer) -> None:
        manager.start()
        try:
            await self.gateway.start()
        except OSError as error:
            raise SiteError(
                f"cannot listen for agents at {self._host}, port {self._port}: {error.strerror or error}"
            ) from error
        except ValueError as error:
            raise SiteError(f"--agents-name: {error}") from error

    async def beside(self, function: Callable[[], T]) -> T:
        return await in_thread(function)

    def follow(self, manager: ManagementServer) -> None:
        pass

    def extend(self, app: flask.Flask, url: str) -> int:
        return LARGEST_BODY

    async def close(self) -> None:
        await self.gateway.stop()

    def greeting(self) -> Iterator[tuple[str, str]]:
        where = self._host
        if where in ("0.0.0.0", "::"):
            where = next((name for name in self.gateway.names if name != "localhost"), where)
        yield "Agents", f"wss://{where}:{self.gateway.port}  (new hosts: cloudsim agent token --data {self._folder.parent})"
