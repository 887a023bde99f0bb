"""A served cloud: a simulated datacenter and its management server on a loop, in a thread of its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import secrets
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import sqlalchemy as sa

from backends.simulated.datacenter import Datacenter
from backends.simulated.loop import SimLoop
from backends.simulated.world import SimulatedWorld
from cloudsim.management.server import ManagementServer
from cloudsim.model import ROW_TYPES, User
from cloudsim.randomness import Randomness
from cloudsim.store import Store
from server.api.dispatch import Dispatcher
from server.api.envelope import Reply
from server.api.request import Request
from server.bootstrap import FOUNDING, RETURN, found, latest, resume
from server.database import DatabaseJournal, JournalBroken, load_rows
from server.pacing import REAL, Pacing

log = logging.getLogger(__name__)
T = TypeVar("T")

_STOP_WITHIN = 30.0
_NOT_SIMULATED = frozenset({"login", "logout"})
"""Commands that wait, if at all, for something real: simulated time must not race meanwhile."""


class _PacedJournal(DatabaseJournal):
    """Tells the pacing while somebody waits for the disk."""

    pacing: Pacing

    async def durable(self, sequence: int) -> None:
        with self.pacing.disk():
            await super().durable(sequence)


class _PacedDispatcher(Dispatcher):
    """Tells the pacing of requests at work."""

    pacing: Pacing

    async def answer(self, request: Request, *, trusted: bool = False) -> Reply:
        if request.command.lower() in _NOT_SIMULATED:
            return await super().answer(request, trusted=trusted)
        with self.pacing.work():
            return await super().answer(request, trusted=trusted)


class RunningCloud:
    """One cloud over a database that `open_database` opened.

    Reading the database takes place at once. `begin` starts the thread; `stop` ends it and writes what is left to
    write. `on_end(reason)` is called from another thread when the cloud cannot go on.
    """

    def __init__(
        self, engine: sa.Engine, datacenter: Datacenter, rate: float, on_end: Callable[[str], None]
    ) -> None:
        self._on_end = on_end
        self._stopping = False
        self.loop = SimLoop(pace=REAL, external=True)
        self.pacing = Pacing(self.loop, rate)
        rows = list(load_rows(engine))
        self.is_new = not rows
        self.store = Store(ROW_TYPES)
        self.store.load(rows)
        now = time.time()
        randomness = Randomness(secrets.randbits(128), secret_source=secrets.token_bytes)
        self.world = SimulatedWorld(
            datacenter,
            randomness=randomness.branch("world"),
            loop=self.loop,
            epoch=now - FOUNDING if self.is_new else max(now - RETURN, latest(rows) + 1.0),
        )
        self._journal = _PacedJournal(
            engine, on_failure=lambda error: on_end(f"{error.text}; what was acknowledged before is safe")
        )
        self._journal.pacing = self.pacing
        if not self.is_new:
            self.store.journal = self._journal
        self.manager = ManagementServer(self.store, self.world, randomness.branch("management server"))
        self.dispatcher: Dispatcher | None = None
        self._alive = threading.Event()
        self._end: asyncio.Future[None] | None = None
        self._thread = threading.Thread(target=self._run, name="cloud", daemon=True)

    def begin(
        self, password: str, keys: tuple[str, str] | None, hand_over: Callable[[User], None]
    ) -> concurrent.futures.Future[None]:
        """Start the loop, and set the cloud up or take it over; the future is done when it can be used.

        `password`, `keys` and `hand_over` are for a new cloud, see `server.bootstrap.found`.
        """

        async def beginning() -> None:
            self.pacing.hurry()
            if self.is_new:
                await found(self.manager, self.world, self._journal, password, keys, hand_over)
            else:
                await resume(self.manager, self.world)
            self.pacing.follow(self.store, self.manager.jobs)
            dispatcher = _PacedDispatcher(self.manager)
            dispatcher.pacing = self.pacing
            self.dispatcher = dispatcher

        self._thread.start()
        self._alive.wait()
        return self.submit(beginning())

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Have the loop run `work`."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def stop(self) -> bool:
        """Stop the server and its world, and write what is queued; whether all of that went well."""
        well = True
        self._stopping = True
        if self._thread.is_alive():
            try:
                self.submit(self.manager.stop()).result(_STOP_WITHIN)
            except Exception:
                log.exception("the management server did not stop as it should")
                well = False
            if self._end is not None and self._thread.is_alive():
                self.loop.call_soon_threadsafe(self._finish)
                self._thread.join(_STOP_WITHIN)
                well = well and not self._thread.is_alive()
        try:
            self._journal.close()
        except JournalBroken as error:
            log.error("%s", error.text)
            well = False
        return well

    def _finish(self) -> None:
        if self._end is not None and not self._end.done():
            self._end.set_result(None)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
                runner.run(self._live())
        except BaseException as error:
            log.exception("the cloud's loop failed")
            if not self._stopping:
                self._on_end(f"the cloud's loop failed: {error!r}")
        finally:
            self._alive.set()

    async def _live(self) -> None:
        self._end = asyncio.get_running_loop().create_future()
        self._alive.set()
        await self._end
