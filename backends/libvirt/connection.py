"""A host's libvirt: blocking calls, each on a thread of its own, and an end to every wait.

libvirt's client blocks, and a libvirtd that is stopped or stuck blocks it for as long as it is so. Python cannot stop
such a thread; it is left behind, and the session that it waits on is given up. It ends by itself when libvirtd goes on,
or when libvirt's keepalive finds the peer dead.

A session has one call at a time. In libvirt older than 10.4 a second thread that uses a session beside one that waits
for an answer can end the whole process, when that answer never comes (CVE-2024-4418).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

from cloudsim.agent.noting import noted
from cloudsim.hypervisor import HypervisorError

log = logging.getLogger(__name__)
T = TypeVar("T")

MOST_CALLS = 32
"""Calls at work at one time, those included that were given up and hang; a further one waits, within its
time."""

MOST_IDLE = 4
"""Sessions that are kept for later calls."""

MOST_OPENINGS, MOST_HUNG = 4, 16
"""Attempts to connect at one time, not counting those that are taken for dead; and counting them."""

OPENING_HANGS = 60.0
"""Seconds after which an attempt to connect is taken for dead."""

KEEPALIVE = (5, 3)
"""Seconds between keepalive messages, and how many may stay unanswered before the connection is closed."""

REACH_WITHIN = 5.0
"""Seconds for a TCP connection to another host's libvirtd: libvirt itself would wait for minutes."""

_PORTS = {"tcp": 16509, "tls": 16514}


class NoSuchInstance(HypervisorError):
    """libvirt knows no domain of that name."""


class _Dead(Exception):
    """The connection had been lost before the call began: nothing was done."""


class _EventLoop:
    """libvirt's event loop, on a thread: keepalives, close callbacks and events need it. One for all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = False

    def start(self) -> None:
        """Must come before the first connection is opened; again is no error."""
        import libvirt

        with self._lock:
            if self._running:
                return
            libvirt.registerErrorHandler(lambda _context, _error: None, None)
            libvirt.virEventRegisterDefaultImpl()
            threading.Thread(target=self._run, name="libvirt-events", daemon=True).start()
            self._running = True

    def _run(self) -> None:
        import libvirt

        while True:
            try:
                libvirt.virEventRunDefaultImpl()
            except libvirt.libvirtError:
                log.exception("libvirt's event loop")


_events = _EventLoop()


class _Session:
    """A libvirt connection. `lost` may come from any thread."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self.usable = True

    def enter(self) -> None:
        """Begin a call. Raises _Dead if the session is of no use any more."""
        import libvirt

        with contextlib.suppress(libvirt.libvirtError):
            if self.usable and self.handle.isAlive():
                return
        self.usable = False
        raise _Dead

    def lost(self) -> None:
        """libvirt says that it is closed; what waits on it fails by itself."""
        self.usable = False

    def close(self) -> None:
        """When no call is at work on it, and none is to be. It may block, where libvirtd hangs."""
        import libvirt

        self.usable = False
        with contextlib.suppress(libvirt.libvirtError):
            self.handle.unregisterCloseCallback()
        with contextlib.suppress(libvirt.libvirtError):
            self.handle.close()


class Connection:
    """As many sessions as there are calls at one time. Belongs to the event loop that it is first used on."""

    def __init__(self, uri: str, timeout: float) -> None:
        self.uri = uri
        self.timeout = timeout
        self._idle: list[_Session] = []
        self._busy: set[_Session] = set()
        self._openings: dict[asyncio.Future[_Session], float] = {}
        """With the loop's time at which each was begun."""
        self._waiting: list[asyncio.Future[None]] = []
        self._slots = asyncio.Semaphore(MOST_CALLS)
        self._closed = False

    @property
    def alive(self) -> bool:
        """Whether there is a session, and nothing bad is known of it."""
        return any(session.usable for session in (*self._idle, *self._busy))

    def apart(self) -> Connection:
        """Another one to the same libvirt. Used for one call after the other, these have the same session: for what is
        registered with it, such as events."""
        return Connection(self.uri, self.timeout)

    async def open(self) -> None:
        """Connect. Raises HypervisorError; calls connect by themselves as well, whenever there is need."""
        self._closed = False
        await self.call(f"connecting to {self.uri}", lambda _connection: None)

    async def close(self) -> None:
        """Disconnect, and refuse calls from now on. What is under way goes on."""
        self._closed = True
        for session in self._busy:
            session.usable = False
        idle, self._idle = self._idle, []
        closing = [_on_thread("libvirt-close", session.close) for session in idle]
        if closing:
            await asyncio.wait(closing, timeout=self.timeout)

    async def call(
        self, what: str, function: Callable[[Any], T], timeout: float | None = None, payload: str = ""
    ) -> T:
        """What `function`, given the `libvirt.virConnect`, returns; it runs on a thread.

        Raises HypervisorError, `what` first in its text, when libvirt refuses (its libvirtError is the cause)
        or has not answered within `timeout` seconds (None: the connection's own). In the latter case
        `function` may still take effect later. `payload` is XML that goes along, for who follows the command.
        """
        with noted(what, payload):
            return await self._call(what, function, timeout)

    async def _call(self, what: str, function: Callable[[Any], T], timeout: float | None) -> T:
        limit = self.timeout if timeout is None else timeout
        working: _Session | None = None
        try:
            async with asyncio.timeout(limit) as scope:
                while True:
                    working = None
                    await self._slots.acquire()
                    try:
                        session = await self._free(what)
                        running = _on_thread(what, partial(_within, what, session, function))
                    except BaseException:
                        self._slots.release()
                        raise
                    self._busy.add(session)
                    running.add_done_callback(partial(self._left, session))
                    working = session
                    try:
                        return await asyncio.shield(running)
                    except _Dead:
                        continue
        except TimeoutError:
            if not scope.expired():
                raise
            if working is not None:
                working.usable = False
            raise HypervisorError(f"{what}: libvirt did not answer within {limit:g} s") from None

    async def domain_call(
        self,
        name: str,
        what: str,
        function: Callable[[Any], T],
        timeout: float | None = None,
        payload: str = "",
    ) -> T:
        """As `call`, with the `libvirt.virDomain` of that name; raises NoSuchInstance if there is none."""
        import libvirt

        def look_up(connection: Any) -> T:
            try:
                return function(connection.lookupByName(name))
            except libvirt.libvirtError as error:
                if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                    raise NoSuchInstance(f"{what}: instance {name} is not on this host") from error
                raise

        return await self.call(what, look_up, timeout, payload)

    async def find(self, name: str) -> str | None:
        """The XML that describes the domain as it is now, without passwords; None if there is none."""
        try:
            return await self.domain_call(name, f"looking up {name}", lambda domain: str(domain.XMLDesc(0)))
        except NoSuchInstance:
            return None

    # sessions

    async def _free(self, what: str) -> _Session:
        """A session for one call: one that is idle, or a new one."""
        while True:
            if self._closed:
                raise HypervisorError(f"{what}: the connection to libvirt is closed")
            while self._idle:
                session = self._idle.pop()
                if session.usable:
                    return session
                _on_thread("libvirt-close", session.close)
            if not self._may_open():
                await self._change()
                continue
            opening = _on_thread("libvirt-open", lambda: _open(self.uri))
            self._openings[opening] = asyncio.get_running_loop().time()
            opening.add_done_callback(self._opened)
            try:
                await asyncio.shield(opening)
            except HypervisorError as error:
                raise HypervisorError(f"{what}: {error}") from error.__cause__

    def _may_open(self) -> bool:
        now = asyncio.get_running_loop().time()
        hopeful = sum(now - since < OPENING_HANGS for since in self._openings.values())
        return hopeful < MOST_OPENINGS and len(self._openings) < MOST_HUNG

    async def _change(self) -> None:
        """Return when a session may be free, or may be opened."""
        change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(change)
        await change

    def _tell_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for change in waiting:
            if not change.done():
                change.set_result(None)

    def _opened(self, opening: asyncio.Future[_Session]) -> None:
        del self._openings[opening]
        if not opening.cancelled() and opening.exception() is None:
            self._keep(opening.result())
        self._tell_waiting()

    def _left(self, session: _Session, _done: asyncio.Future[Any]) -> None:
        """The call on it has ended, perhaps long after it was given up."""
        self._slots.release()
        self._busy.discard(session)
        self._keep(session)
        self._tell_waiting()

    def _keep(self, session: _Session) -> None:
        if session.usable and not self._closed and len(self._idle) < MOST_IDLE:
            self._idle.append(session)
        else:
            _on_thread("libvirt-close", session.close)


def _on_thread(name: str, function: Callable[[], T]) -> asyncio.Future[T]:
    """The future of what `function` returns or raises on a thread of its own. To be awaited shielded."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
            future.exception()  # nobody may be waiting for it any more, and that is no fault

    def work() -> None:
        result: Any = None
        failure: BaseException | None = None
        try:
            result = function()
        except BaseException as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=work, name=name, daemon=True).start()
    return future


def _within(what: str, session: _Session, function: Callable[[Any], T]) -> T:
    import libvirt

    session.enter()
    try:
        return function(session.handle)
    except libvirt.libvirtError as error:
        raise HypervisorError(f"{what}: {message(error)}") from error


def message(error: Any) -> str:
    """What a libvirtError says, in one line: QEMU's own messages come in several."""
    return " ".join((error.get_error_message() or str(error)).split())


def _open(uri: str) -> _Session:
    try:
        import libvirt
    except ImportError as error:
        raise HypervisorError("the Python package libvirt-python is not installed (cloudsim[kvm])") from error
    _events.start()
    _reach(uri)
    try:
        handle = libvirt.open(uri)
    except libvirt.libvirtError as error:
        raise HypervisorError(message(error)) from error
    session = _Session(handle)
    with contextlib.suppress(libvirt.libvirtError):  # drivers that run inside the client have neither
        handle.setKeepAlive(*KEEPALIVE)
        handle.registerCloseCallback(lambda _connection, _reason, _opaque: session.lost(), None)
    return session


def _reach(uri: str) -> None:
    """Raises HypervisorError if the URI's libvirtd is on another host and nothing answers on its port."""
    parts = urlsplit(uri)
    port = _PORTS.get(parts.scheme.partition("+")[2])
    if port is None or not parts.hostname:
        return
    address = (parts.hostname, parts.port or port)
    try:
        socket.create_connection(address, REACH_WITHIN).close()
    except OSError as error:
        raise HypervisorError(f"no libvirtd at {address[0]} port {address[1]}: {error}") from error
