"""A served cloud on a simulated datacenter, whose time goes at a pace of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import flask
import sqlalchemy as sa

from backends.simulated.certificates import SimulatedAuthority
from backends.simulated.datacenter import Datacenter
from backends.simulated.loop import SimLoop
from backends.simulated.world import SimulatedWorld
from cloudsim.errors import CloudError
from cloudsim.management.server import ManagementServer
from cloudsim.randomness import Randomness
from server.api.command import COMMANDS
from server.api.dispatch import Dispatcher
from server.api.envelope import Reply, error_reply
from server.api.request import Request
from server.bootstrap import FOUNDING, RETURN, admin, build, restore
from server.console_door import SimulatedConsoleDoor
from server.database import DatabaseJournal, JournalBroken
from server.demo.demo import Demo
from server.listening import reached_at
from server.pacing import REAL, Pacing, pace_text
from server.simulation.console import SIMULATED, SimulationConsole
from server.simulation.threads import in_thread
from server.storage_door import LARGEST_UPLOAD, SimulatedStorageDoor, add_routes

T = TypeVar("T")

_NOT_SIMULATED = frozenset(
    {
        "login",
        "logout",
        "createexperiment",
        "deleteexperiment",
        "getexperimentresult",
        "getexperimentfile",
        "startworkload",
    }
)
"""Commands that wait, if at all, for something real: simulated time must not race meanwhile."""

PATIENCE = 5.0
"""Real seconds after which a request that came while time stood still, and waits for it, is answered that it does."""


class _PacedJournal(DatabaseJournal):
    """Tells the pacing while somebody waits for the disk."""

    pacing: Pacing

    async def durable(self, sequence: int) -> None:
        with self.pacing.disk():
            await super().durable(sequence)


class _PacedDispatcher(Dispatcher):
    """Tells the pacing of requests at work. None waits for ever for a time that stands still."""

    pacing: Pacing

    async def answer(self, request: Request, *, trusted: bool = False) -> Reply:
        if request.command.lower() in _NOT_SIMULATED:
            return await super().answer(request, trusted=trusted)
        if self.pacing.paused:
            return await self._while_paused(request, trusted)
        with self.pacing.work():
            return await super().answer(request, trusted=trusted)

    async def _while_paused(self, request: Request, trusted: bool) -> Reply:
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._at_work(request, trusted))
        late = asyncio.Event()
        timer = threading.Timer(PATIENCE, loop.call_soon_threadsafe, (late.set,))
        timer.daemon = True
        timer.start()
        waiting = loop.create_task(late.wait())
        try:
            await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            waiting.cancel()
        if task.done() or not self.pacing.paused:
            return await task
        # what was begun goes on when time does: cut off in the middle it would leave half a change
        text = f"The simulation is paused: {request.command} goes on when its time does (updateSimulation pace=resume)"
        command = COMMANDS.get(request.command.lower())
        name = command.response if command is not None else "errorresponse"
        return error_reply(name, CloudError(text), json=request.wants_json)

    async def _at_work(self, request: Request, trusted: bool) -> Reply:
        with self.pacing.work():
            return await super().answer(request, trusted=trusted)


class SimulatedSite:
    """Implements `server.site.Site`. `rate` is the pace, `latency` a profile of `backends.simulated.latency`.

    Experiments are kept in the folder `experiments`; `results` is another one with results of runs.

    `authority` is the folder of the certificate authority, if there is to be one.

    Consoles are shown on the socket `consoles`, where there is one. A new cloud has the past that `demo` tells.
    """

    world: SimulatedWorld

    def __init__(
        self,
        datacenter: Datacenter,
        rate: float,
        latency: str | Path = "default",
        consoles: socket.socket | None = None,
        demo: Demo | None = None,
        *,
        experiments: Path,
        results: Path | None = None,
        authority: Path | None = None,
    ) -> None:
        self._experiments, self._results = experiments, results
        self._authority = authority
        self._demo = demo
        self._consoles = consoles
        self._door: SimulatedConsoleDoor | None = None
        self._manager: ManagementServer | None = None
        self.console: SimulationConsole | None = None
        self.loop = SimLoop(pace=REAL, external=True)
        self.pacing = Pacing(self.loop, rate)
        self._datacenter = datacenter
        self._latency = latency

    def open(self, randomness: Randomness, *, is_new: bool, last: float) -> SimulatedWorld:
        now = time.time()
        self.world = SimulatedWorld(
            self._datacenter,
            randomness=randomness,
            loop=self.loop,
            epoch=now - FOUNDING - self._past if is_new else max(now - RETURN, last + 1.0),
            profile=self._latency,
        )
        if self._authority is not None:
            self.world.certificate_authorities = {"root": SimulatedAuthority(self._authority, self.world.now)}
        self.pacing.hurry()
        return self.world

    @property
    def _past(self) -> float:
        """Seconds that a new cloud has behind it."""
        return 0.0 if self._demo is None else self._demo.story.span

    def journal(
        self, engine: sa.Engine, on_failure: Callable[[JournalBroken], None] | None
    ) -> DatabaseJournal:
        journal = _PacedJournal(engine, on_failure=on_failure)
        journal.pacing = self.pacing
        return journal

    def dispatcher(self, manager: ManagementServer) -> Dispatcher:
        dispatcher = _PacedDispatcher(manager)
        dispatcher.pacing = self.pacing
        assert self.console is not None
        dispatcher.provided[SIMULATED] = self.console
        return dispatcher

    async def begin(self, manager: ManagementServer) -> None:
        demo = self._demo
        if demo is None:
            await build(manager, self.world)
        else:
            demo.prepare(manager)
            await build(manager, self.world, lambda: demo.tell(manager, self.world, admin(manager)))

    async def resume(self, manager: ManagementServer) -> None:
        await restore(manager, self.world)

    async def beside(self, function: Callable[[], T]) -> T:
        with self.pacing.outside():
            return await in_thread(function)

    def follow(self, manager: ManagementServer) -> None:
        self._manager = manager
        self.pacing.follow(manager.store, manager.jobs)
        latency = Path(self._latency).name
        self.console = SimulationConsole(
            manager,
            self.world,
            self.loop,
            self.pacing,
            latency=latency,
            experiments=self._experiments,
            results=self._results,
        )
        if self._consoles is not None:
            self._door = SimulatedConsoleDoor(self.world, self._consoles)
            self._door.start()
            manager.consoles.door = reached_at(self._consoles)

    def extend(self, app: flask.Flask, url: str) -> int:
        assert self._manager is not None
        door = SimulatedStorageDoor(self._manager, self.world)
        add_routes(app, door)
        self._manager.secondary_storage_vms.doors = lambda: door.origin(url)
        return LARGEST_UPLOAD

    async def close(self) -> None:
        if self.console is not None:
            self.console.close()
        if self._door is not None:
            self._door.stop()

    def greeting(self) -> Iterator[tuple[str, str]]:
        pace = pace_text(self.pacing.rate)
        texts = {"real": "real", "max": "as fast as possible while there is work, else real"}
        if self._demo is not None:
            yield "Demo", f"its users and their passwords in {self._demo.handover}"
        yield "Time", texts.get(pace, f"{pace} as fast as real")
        if self._consoles is not None:
            host, port = reached_at(self._consoles)
            pages = self._door is not None and self._door.has_pages
            yield "Consoles", f"port {port} of {host}{'' if pages else ', without pages: run make console-assets'}"
