"""A served cloud: its world and its management server on a loop, in a thread of its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import secrets
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec
import sqlalchemy as sa

from backends.external.agents import LocalAgents
from backends.external.programs import ExtensionPrograms
from cloudsim.management.infrastructure.command_log import CommandLog
from cloudsim.management.server import ManagementServer
from cloudsim.model import ROW_TYPES, User
from cloudsim.randomness import Randomness
from cloudsim.store import Store
from server.api.dispatch import Dispatcher
from server.bootstrap import keep, latest, seed
from server.database import JournalBroken, load_rows
from server.garbage import look_seldom, spare_what_is_there
from server.site import Site
from server.webhooks import WebhookSender

log = logging.getLogger(__name__)
T = TypeVar("T")

_STOP_WITHIN = 30.0


class RunningCloud:
    """One cloud over a database that `open_database` opened, on a site.

    Reading the database takes place at once. `begin` starts the thread; `stop` ends it and writes what is left to
    write. `on_end(reason)` is called from another thread when the cloud cannot go on. What happens by
    chance follows from `seed`, where it is given; credentials never do.
    """

    def __init__(
        self, engine: sa.Engine, site: Site, on_end: Callable[[str], None], seed: int | None = None
    ) -> None:
        look_seldom()
        self._on_end = on_end
        self._stopping = False
        self.site = site
        self.loop = site.loop
        rows = list(load_rows(engine))
        self.is_new = not rows
        self.store = Store(ROW_TYPES)
        self.store.load(rows)
        randomness = Randomness(
            secrets.randbits(128) if seed is None else seed, secret_source=secrets.token_bytes
        )
        self.world = site.open(randomness.branch("world"), is_new=self.is_new, last=latest(rows))
        self._journal = site.journal(
            engine, lambda error: on_end(f"{error.text}; what was acknowledged before is safe")
        )
        if not self.is_new:
            self.store.journal = self._journal
        self.manager = ManagementServer(self.store, self.world, randomness.branch("management server"))
        self.dispatcher: Dispatcher | None = None
        self._webhooks = WebhookSender()
        self._alive = threading.Event()
        self._end: asyncio.Future[None] | None = None
        self._thread = threading.Thread(target=self._run, name="cloud", daemon=True)

    def begin(
        self, password: str, keys: tuple[str, str] | None, hand_over: Callable[[User], None]
    ) -> concurrent.futures.Future[None]:
        """Start the loop, and set the cloud up or take it over; the future is done when it can be used.

        `password` and `keys` are for a new cloud's admin, whom `hand_over` gets before anything is durable: a cloud whose
        keys nobody has is of no use.
        """

        async def beginning() -> None:
            self.manager.traces.record()
            if self.is_new:
                user = seed(self.manager, self.world.hypervisor, password, keys)
                await self.site.begin(self.manager)
                hand_over(user)
                await keep(self.store, self._journal)
            else:
                await self.site.resume(self.manager)
            self.manager.webhooks.deliver = self._webhooks.deliver
            self.site.follow(self.manager)
            spare_what_is_there()
            self.dispatcher = self.site.dispatcher(self.manager)

        self._thread.start()
        self._alive.wait()
        return self.submit(beginning())

    def run_programs(self, folder: Path, payloads: Path) -> None:
        """Let extensions be programs in `folder`, which read what they are told in `payloads`. To be called before `begin`."""
        self.manager.extensions.programs = ExtensionPrograms(folder, payloads, self.site.beside)
        self.manager.external_hosts.agents = LocalAgents()

    def log_commands(self, file: BinaryIO) -> None:
        """Write every command and its answer to the file from now on, a line of JSON each. To be called before `begin`."""
        encoder = msgspec.json.Encoder()
        self.manager.agents.log = CommandLog(
            self.world.now, lambda record: file.write(encoder.encode(record) + b"\n")
        )

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Have the loop run `work`."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def stop(self) -> bool:
        """Stop the server and its world, and write what is queued; whether all of that went well."""
        well = True
        self._stopping = True
        if self._thread.is_alive():
            try:
                self.submit(self._stop_manager()).result(_STOP_WITHIN)
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

    async def _stop_manager(self) -> None:
        self._webhooks.close()
        await self.manager.stop()
        await self.site.close()

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
