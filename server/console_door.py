"""The door to all simulated console proxies: one port of this machine, with a real event loop in a thread of its own.

Simulated proxies have addresses that lead nowhere. Their tokens are shown at this door instead, which asks the simulation
whose they are, and carries the bytes between the browser and the simulated instance's terminal.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from backends.simulated.console import Terminal
from backends.simulated.systemvms.consoleproxy import SimulatedConsoleProxy
from backends.simulated.world import SimulatedWorld
from backends.systemvm.consoleproxy.door import ConsoleDoor
from backends.systemvm.consoleproxy.grants import Session
from backends.systemvm.consoleproxy.pages import Pages, gather
from backends.systemvm.consoleproxy.streams import ConsoleError
from cloudsim.hypervisor import HypervisorError

log = logging.getLogger(__name__)
T = TypeVar("T")

UI = Path(__file__).resolve().parent.parent / "ui"
STOP_WITHIN = 5.0


class SimulatedConsoleDoor:
    """Serves on `bound` from `start` to `stop`."""

    def __init__(self, world: SimulatedWorld, bound: socket.socket, ui: Path = UI) -> None:
        try:
            pages = gather(ui)
        except FileNotFoundError as error:
            log.warning("consoles have no pages: %s", error)
            pages = {}
        self.has_pages = bool(pages)
        self._bound = bound
        self._loop = asyncio.new_event_loop()
        self._door = ConsoleDoor(_Simulated(world), Pages(pages))
        self._thread = threading.Thread(target=self._run, name="consoles", daemon=True)

    def start(self) -> None:
        """Returns once it serves."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._door.start(sock=self._bound), self._loop).result(STOP_WITHIN)

    def stop(self) -> None:
        """Cut all consoles and close the port."""
        if self._thread.is_alive():
            with contextlib.suppress(concurrent.futures.TimeoutError):
                asyncio.run_coroutine_threadsafe(self._door.stop(), self._loop).result(STOP_WITHIN)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(STOP_WITHIN)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()


class _Cloud:
    """The cloud's loop, from another thread."""

    def __init__(self, world: SimulatedWorld) -> None:
        self.world = world

    def tell(self, function: Callable[..., object], *arguments: Any) -> None:
        """Have it call that soon. Nothing where the cloud has ended."""
        with contextlib.suppress(RuntimeError):
            self.world.loop.call_soon_threadsafe(function, *arguments)

    async def ask(self, function: Callable[..., T], *arguments: Any) -> T:
        """Have it call that, and wait for what it returns or raises."""
        answer: concurrent.futures.Future[T] = concurrent.futures.Future()

        def call() -> None:
            try:
                answer.set_result(function(*arguments))
            except Exception as error:
                answer.set_exception(error)

        self.tell(call)
        return await asyncio.wrap_future(answer)


class _Simulated:
    """`door.Consoles` of all console proxies of a simulated world."""

    def __init__(self, world: SimulatedWorld) -> None:
        self._cloud = _Cloud(world)

    async def open(self, secret: str, client: str) -> _Console | None:
        found = await self._cloud.ask(self._take, secret, client)
        return None if found is None else _Console(self._cloud, *found)

    def _take(self, secret: str, client: str) -> tuple[SimulatedConsoleProxy, Session] | None:
        found = None
        for proxy in list(self._cloud.world.site.console_proxies.values()):  # all, so that time tells nothing
            session = proxy.open(secret, client)
            if session is not None:
                found = proxy, session
        return found


class _Console:
    def __init__(self, cloud: _Cloud, proxy: SimulatedConsoleProxy, session: Session) -> None:
        self._cloud, self._proxy, self._session = cloud, proxy, session
        self.kind, self.title, self.idle = session.grant.kind, session.grant.title, session.grant.idle

    async def connect(self) -> _TerminalStream:
        stream = _TerminalStream(self._cloud)
        try:
            stream.terminal = await self._cloud.ask(self._terminal, stream)
        except HypervisorError as error:
            raise ConsoleError(str(error)) from None
        return stream

    def _terminal(self, stream: _TerminalStream) -> Terminal:
        terminal = self._proxy.terminal(self._session, stream.put, stream.ended)
        terminal.show()
        return terminal

    def on_cut(self, cut: Callable[[], object]) -> None:
        def hear() -> None:
            self._session.cut = cut
            if not self._session.open:
                cut()

        self._cloud.tell(hear)

    def end(self) -> None:
        self._cloud.tell(self._proxy.grants.end, self._session)


class _TerminalStream:
    """A terminal of the simulation, for the door's loop to read and write."""

    terminal: Terminal

    def __init__(self, cloud: _Cloud) -> None:
        self._cloud = cloud
        self._loop = asyncio.get_running_loop()
        self._said: asyncio.Queue[bytes] = asyncio.Queue()
        self._over = False

    def put(self, data: bytes) -> None:
        """Called by the terminal, on the cloud's loop."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._said.put_nowait, data)

    def ended(self) -> None:
        self.put(b"")

    async def read(self) -> bytes:
        data = b"" if self._over else await self._said.get()
        while data and not self._said.empty():  # what is there already, in one piece
            more = self._said.get_nowait()
            self._over = not more
            data += more
            if not more:
                break
        return data

    async def write(self, data: bytes) -> None:
        self._cloud.tell(self.terminal.feed, data)

    def close(self) -> None:
        self._cloud.tell(self.terminal.close)
