"""The change feed of one cloud. Nobody listening, it costs nothing; else a commit is noted, and told in rounds.

A commit is appended to a list, whatever is in it. At most four times a second (real ones, also where the cloud's
time goes faster) the loop makes a round of the list and gives each listener what concerns it. A round with more
changes than `LARGEST_ROUND` is not looked at: all listeners are told to read anew what they show.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cloudsim.errors import ServerBusy
from cloudsim.management.identity.caller import Caller
from cloudsim.model import Account, Domain, Project, ProjectMember, Role, User
from cloudsim.store import Change, Row
from server.api.command import Command
from server.changes.audience import Audience
from server.changes.round import Round
from server.changes.stream import LARGEST, Message, Stream

INTERVAL = 0.25
"""Real seconds from one round to the next, at least."""
LARGEST_ROUND = 5_000
"""Changes of rows in a round that is looked at."""
_ABANDONED = 60.0
"""Real seconds after which a stream that nobody has begun to take from is given up."""
_OF_AUTHORITY: frozenset[type[Row]] = frozenset({Account, Domain, Project, ProjectMember, Role, User})
"""What decides who sees what."""


@dataclass
class _Listener:
    """For whom a stream is, and with which API key it was asked for."""

    command: Command
    account_id: str
    user_id: str | None
    api_key: str | None
    wanted: frozenset[str] | None


class _Ticker:
    """A thread that asks for a round when something has changed, and waits until the next is due."""

    def __init__(self, loop: asyncio.AbstractEventLoop, tell: Callable[[], None]) -> None:
        self.dirty = threading.Event()
        self._over = threading.Event()
        self.loop, self._tell = loop, tell
        threading.Thread(target=self._run, name="changes", daemon=True).start()

    def stop(self) -> None:
        self._over.set()
        self.dirty.set()

    def _run(self) -> None:
        with suppress(RuntimeError):  # the loop has closed: nothing changes any more
            while not self._over.is_set():
                self.dirty.wait()
                self.dirty.clear()
                if not self._over.is_set():
                    self.loop.call_soon_threadsafe(self._tell)
                    self._over.wait(INTERVAL)


class ChangeFeed:
    """Who listens to the changes of a manager's cloud. All but `Stream`'s own methods is for the loop's thread."""

    def __init__(self, manager: Any) -> None:
        foundation = manager.foundation
        self._manager = manager
        self._store = foundation.store
        self._now: Callable[[], float] = foundation.now
        self._epoch: str = foundation.randomness.branch("changes").uuid()[:8]
        self._lock = threading.Lock()
        self._listeners: dict[Stream, _Listener] = {}
        self._commits: list[list[Change]] = []
        self._changes = 0
        self._noted = False
        self._ticker: _Ticker | None = None
        self._unsubscribe: Callable[[], None] | None = None

    def __len__(self) -> int:
        return len(self._listeners)

    @property
    def mark(self) -> str:
        """Where the store is now: the id of the next event. Another server, or this one started anew, has others."""
        return f"{self._epoch}-{self._store.sequence}"

    def open(
        self,
        command: Command,
        caller: Caller,
        wanted: frozenset[str] | None,
        *,
        last: str | None = None,
        api_key: str | None = None,
        is_over: Callable[[], bool] = lambda: False,
    ) -> Stream:
        """A new stream for a caller. Raises ServerBusy when there are as many as changes.streams.max allows.

        wanted  the keys of what it wants to hear of; None for all that it may.
        last    the id of the last event that it got, if it got some.
        """
        self._give_up_abandoned()
        most = self._manager.foundation.settings.integer("changes.streams.max")
        if len(self._listeners) >= most:
            raise ServerBusy(
                f"There are {len(self._listeners)} streams of changes, and changes.streams.max allows {most}"
            )
        if self._unsubscribe is None:
            self._begin()
        stream = Stream(
            Audience.of(self._manager, caller.account, wanted, caller.user_id),
            mark=self.mark,
            missed=bool(last) and last != self.mark,
            is_over=is_over,
            leave=self._leave,
        )
        listener = _Listener(command, caller.account.id, caller.user_id, api_key, wanted)
        self.tell()  # what has changed before is not for it
        with self._lock:
            self._listeners[stream] = listener
        return stream

    def tell(self) -> None:
        """Make a round of what has changed, and give it to those whom it concerns."""
        commits, changes = self._commits, self._changes
        self._commits, self._changes, self._noted = [], 0, False
        with self._lock:
            listeners = dict(self._listeners)
        if not changes or not listeners:
            return
        now, mark = self._now(), self.mark
        if changes > LARGEST_ROUND:
            self._examine(listeners, now, mark)
            for stream in listeners:
                stream.overflow(mark, now)
            return
        round = Round.of(self._store, commits)
        if round.touched & _OF_AUTHORITY:
            self._examine(listeners, now, mark)
        messages: dict[Audience, Message] = {}
        for stream in listeners:
            message = messages.get(stream.audience)
            if message is None:
                told = stream.audience.of_round(self._store, round)
                message = messages[stream.audience] = Message(mark, now, told)
            if len(message.changes) > LARGEST:
                stream.overflow(mark, now)
            elif message.changes:
                stream.put(message)
            else:
                stream.reached(mark)

    # the right to listen

    def _examine(self, listeners: dict[Stream, _Listener], now: float, mark: str) -> None:
        """End the streams of those who may not listen any more; those who see other things now have to read anew."""
        for stream, listener in list(listeners.items()):
            account = self._store.table(Account).get(listener.account_id)
            if account is None or not self._may(listener, account):
                stream.end("the user may not follow changes any more")
                del listeners[stream]
                continue
            audience = Audience.of(self._manager, account, listener.wanted, listener.user_id)
            if audience != stream.audience:
                stream.audience = audience
                stream.overflow(mark, now)

    def _may(self, listener: _Listener, account: Account) -> bool:
        user = self._store.table(User).get(listener.user_id)
        if user is None or user.state != "enabled" or account.state != "enabled":
            return False
        if listener.api_key is not None and user.api_key != listener.api_key:
            return False
        return bool(self._manager.roles.allows(account, listener.command.name, listener.command.roles))

    # listening to the store

    def _begin(self) -> None:
        self._ticker = _Ticker(asyncio.get_running_loop(), self.tell)
        self._unsubscribe = self._store.subscribe(self._note)

    def _note(self, changes: list[Change]) -> None:
        self._changes += len(changes)
        if self._changes <= LARGEST_ROUND:
            self._commits.append(changes)
        elif self._commits:
            self._commits = []
        if not self._noted and self._ticker is not None:
            self._noted = True
            self._ticker.dirty.set()

    def _leave(self, stream: Stream) -> None:
        """Called on the thread that took from the stream."""
        with self._lock:
            self._listeners.pop(stream, None)
            ticker = self._ticker
        if not self._listeners and ticker is not None:
            with suppress(RuntimeError):  # the loop has closed
                ticker.loop.call_soon_threadsafe(self._rest)

    def _rest(self) -> None:
        """Stop listening, unless somebody came meanwhile."""
        if self._listeners or self._unsubscribe is None or self._ticker is None:
            return
        self._unsubscribe()
        self._ticker.stop()
        self._unsubscribe = self._ticker = None
        self._commits, self._changes, self._noted = [], 0, False

    def _give_up_abandoned(self) -> None:
        """A request that was given up before its stream began leaves one that nobody takes from."""
        old = time.monotonic() - _ABANDONED
        for stream in [s for s in self._listeners if not s.taken and s.opened < old]:
            stream.close()
