"""The manager's side of the agent connections: who is there, and sending a Command until it is answered.

A command that got no answer is sent again, under the same sequence number, after a while and when its host
reconnects; the agent does it once. When its time is over nobody knows what became of it: `OutcomeUnknown`. A
command that was never sent because its host has no agent raises `AgentUnavailable`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from cloudsim.errors import ResourceUnavailable
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.command_log import CommandLog
from cloudsim.management.operations.trace import TRACE
from cloudsim.management.operations.traces import Traces
from cloudsim.model import Host
from cloudsim.protocol.commands import Answer, Command
from cloudsim.protocol.link import Link
from cloudsim.protocol.messages import (
    Connected,
    Message,
    Ping,
    Refused,
    Request,
    Response,
    Startup,
)
from cloudsim.protocol.specs import Place, VmReport

log = logging.getLogger(__name__)

CLAIM_WITHIN = 60.0
"""Seconds that an agent unknown to the cloud is kept waiting for an addHost that names it."""


class AgentUnavailable(ResourceUnavailable):
    """The host has no agent connected; nothing was sent."""


class OutcomeUnknown(ResourceUnavailable):
    """The command was sent and never answered: it may have been done or not."""


class _Pending:
    __slots__ = ("deadline", "future", "request", "resend_at")

    def __init__(
        self, request: Request, future: asyncio.Future[Answer], deadline: float, resend_at: float
    ) -> None:
        self.request = request
        self.future = future
        self.deadline = deadline
        self.resend_at = resend_at


class _Connection:
    """A host's place in the manager: outlives its links, so that what is pending is sent again."""

    __slots__ = ("guid", "host_id", "last_ping", "link", "pending", "sequence")

    def __init__(self, host_id: str, guid: str, sequence: int) -> None:
        self.host_id = host_id
        self.guid = guid
        self.link: Link | None = None
        self.sequence = sequence
        self.pending: dict[int, _Pending] = {}
        self.last_ping = 0.0

    def answered(self) -> int:
        """The sequence number up to which every answer has come."""
        return next(iter(self.pending)) - 1 if self.pending else self.sequence


class Agents:
    """All agent connections of one management server.

    `log` and `traces`, where set, hear of every command and its answer. Hooks, set by the owner: `on_new(link, startup, place)`
    for an agent that no host is known of and that says where it wants to be, `on_connected(host, vms)` after a
    known host's Startup, `on_report(host_id, vms)` for a Ping that tells of instances, `on_disconnected(host_id)`
    when a host's link is lost.
    """

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._hosts = foundation.table(Host)
        self._connections: dict[str, _Connection] = {}
        self._unclaimed: dict[str, tuple[Link, Startup]] = {}
        self._claims: dict[str, asyncio.Future[tuple[Link, Startup]]] = {}
        self._first_sequence = int(foundation.now() * 1_000_000)
        self._resending: asyncio.TimerHandle | None = None
        self._unanswered: dict[tuple[str, int], _Pending] = {}
        self.log: CommandLog | None = None
        self.traces: Traces | None = None
        self.on_new: Callable[[Link, Startup, Place], object] | None = None
        self.on_connected: Callable[[Host, tuple[VmReport, ...]], None] = lambda host, vms: None
        self.on_report: Callable[[str, tuple[VmReport, ...]], None] = lambda host_id, vms: None
        self.on_disconnected: Callable[[str], None] = lambda host_id: None
        self._stopped = False

    # connections

    def accept(self, link: Link) -> None:
        """Take a new link; its first message says whose it is."""
        link.on_message = lambda message: self._first(link, message)
        link.on_close = lambda: None

    def is_connected(self, host_id: str) -> bool:
        connection = self._connections.get(host_id)
        return connection is not None and connection.link is not None

    def last_ping(self, host_id: str) -> float:
        """When the host was last heard of (Unix seconds); 0 for never."""
        connection = self._connections.get(host_id)
        return 0.0 if connection is None else connection.last_ping

    def silent_since(self, when: float) -> list[str]:
        """Ids of the connected hosts that were last heard of before `when` (Unix seconds)."""
        return [c.host_id for c in self._connections.values() if c.link is not None and c.last_ping < when]

    def drop_link(self, host_id: str) -> None:
        """Close a host's link; what is pending waits for it to reconnect."""
        connection = self._connections.get(host_id)
        if connection is not None and connection.link is not None:
            connection.link.close()
            connection.link = None

    def _first(self, link: Link, message: Message) -> None:
        if self._stopped or not isinstance(message, Startup):
            return
        host = self._hosts.find("guid", message.guid)
        if host is not None:
            self._bind(host, link, message.vms)
            return
        claim = self._claims.pop(message.guid, None)
        if claim is not None and not claim.done():
            claim.set_result((link, message))
            return
        if message.place is not None and self.on_new is not None:
            self.on_new(link, message, message.place)
            return
        self._unclaimed[message.guid] = (link, message)
        asyncio.get_running_loop().call_later(CLAIM_WITHIN, self._refuse, message.guid, link)

    def _refuse(self, guid: str, link: Link) -> None:
        waiting = self._unclaimed.get(guid)
        if waiting is not None and waiting[0] is link:
            del self._unclaimed[guid]
            link.send(Refused(f"no host with guid {guid} has been added to this cloud"))

    async def claim(self, guid: str, timeout: float = CLAIM_WITHIN) -> tuple[Link, Startup]:
        """The link and first message of an agent that is to become a host. TimeoutError if it does not come."""
        waiting = self._unclaimed.pop(guid, None)
        if waiting is not None:
            return waiting
        claim = self._claims[guid] = asyncio.get_running_loop().create_future()
        try:
            return await asyncio.wait_for(claim, timeout)
        finally:
            self._claims.pop(guid, None)

    def welcome(self, host: Host, link: Link, startup: Startup) -> None:
        """Bind a claimed agent to the host row that was made for it."""
        self._bind(host, link, startup.vms)

    def _bind(self, host: Host, link: Link, vms: tuple[VmReport, ...]) -> None:
        connection = self._connections.get(host.id)
        if connection is None:
            connection = _Connection(host.id, host.guid, self._first_sequence)
            self._connections[host.id] = connection
        old = connection.link
        connection.link = link
        connection.last_ping = self._foundation.now()
        link.on_message = lambda message: self._receive(connection, message)
        link.on_close = lambda: self._closed(connection, link)
        if old is not None and old is not link:
            old.close()
        link.send(Connected(host.id, self._foundation.settings.number("ping.interval")))
        self.on_connected(host, vms)
        for pending in connection.pending.values():
            link.send(pending.request)

    def _closed(self, connection: _Connection, link: Link) -> None:
        if connection.link is link and not self._stopped:
            connection.link = None
            self.on_disconnected(connection.host_id)

    def disconnect(self, host_id: str, reason: str) -> None:
        """Drop a host's connection for good: what is pending fails, its outcome unknown."""
        connection = self._connections.pop(host_id, None)
        if connection is None:
            return
        self._first_sequence = max(self._first_sequence, connection.sequence)  # should it be added again
        for sequence, pending in list(connection.pending.items()):
            self._fail(connection, sequence, pending)
        if connection.link is not None:
            connection.link.send(Refused(reason))
            connection.link.close()

    def _receive(self, connection: _Connection, message: Message) -> None:
        if isinstance(message, Response):
            pending = connection.pending.pop(message.sequence, None)
            if pending is not None:
                del self._unanswered[connection.host_id, message.sequence]
                if self.log is not None:
                    self.log.ended(self._name(connection.host_id), message.sequence, message.answer)
                if pending.request.traced:
                    self._trace_end(connection.host_id, pending, message)
                if not pending.future.done():
                    pending.future.set_result(message.answer)
        elif isinstance(message, Ping):
            connection.last_ping = self._foundation.now()
            if message.vms is not None:
                self.on_report(connection.host_id, message.vms)
        elif isinstance(message, Startup):
            host = self._hosts.get(connection.host_id)
            if host is not None and connection.link is not None:
                self._bind(host, connection.link, message.vms)

    # commands

    async def send(self, host_id: str, command: Command, timeout: float | None = None) -> Answer:
        """Have the host do `command`; returns its Answer, which may carry an error.

        `timeout` in seconds, by default the setting `wait`. What the store has committed is durable before
        the command leaves. Raises AgentUnavailable or OutcomeUnknown.
        """
        if self._store.journal is not None:
            since = self._foundation.now()
            await self._store.durable()
            if self.traces is not None:
                self.traces.written(since)
        connection = self._connections.get(host_id)
        if connection is None or connection.link is None:
            raise AgentUnavailable(f"Host {self._name(host_id)} has no agent connected")
        loop = asyncio.get_running_loop()
        now = loop.time()
        settings = self._foundation.settings
        resend_at = now + settings.number("agent.command.resend")
        deadline = now + (timeout if timeout is not None else settings.number("wait"))
        answered = connection.answered()
        connection.sequence += 1
        trace_id = TRACE.get()
        traced = bool(trace_id) and self.traces is not None and self.traces.wants_work(trace_id)
        request = Request(connection.sequence, command, trace_id, answered, traced)
        pending = _Pending(request, loop.create_future(), deadline, min(resend_at, deadline))
        connection.pending[request.sequence] = pending
        self._unanswered[host_id, request.sequence] = pending
        if self._resending is None:
            self._resending = loop.call_at(pending.resend_at, self._sweep)
        if self.log is not None:
            self.log.sent(self._name(host_id), request)
        if traced and self.traces is not None:
            self.traces.command_sent(self._name(host_id), request)
        connection.link.send(request)
        return await pending.future

    def _sweep(self) -> None:
        """Send again what is unanswered for long; give up what is out of time.

        `_unanswered` is nearly in the order of `resend_at`, so that one timer serves all commands: it is
        off by as much as two commands' time-outs differ, never by more than one resend interval.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        interval = self._foundation.settings.number("agent.command.resend")
        due = [(key, p) for key, p in self._unanswered.items() if p.resend_at <= now]
        for (host_id, sequence), pending in due:
            connection = self._connections[host_id]
            if pending.deadline <= now:
                self._fail(connection, sequence, pending)
                continue
            pending.resend_at = min(now + interval, pending.deadline)
            if connection.link is not None:
                connection.link.send(pending.request)
        self._resending = None
        if self._unanswered:
            earliest = min(p.resend_at for p in self._unanswered.values())
            self._resending = loop.call_at(earliest, self._sweep)

    def _fail(self, connection: _Connection, sequence: int, pending: _Pending) -> None:
        connection.pending.pop(sequence, None)
        self._unanswered.pop((connection.host_id, sequence), None)
        if self.log is not None:
            self.log.ended(self._name(connection.host_id), sequence, None)
        if pending.request.traced:
            self._trace_end(connection.host_id, pending, None)
        if not pending.future.done():
            kind = type(pending.request.command).__name__
            pending.future.set_exception(
                OutcomeUnknown(f"Host {self._name(connection.host_id)} did not answer {kind} in time")
            )

    def _trace_end(self, host_id: str, pending: _Pending, response: Response | None) -> None:
        if self.traces is not None:
            self.traces.command_ended(self._name(host_id), pending.request, response)

    def _name(self, host_id: str) -> str:
        host = self._hosts.get(host_id)
        return host_id if host is None else host.name

    def stop(self) -> None:
        """Close every link and forget what is pending."""
        self._stopped = True
        if self._resending is not None:
            self._resending.cancel()
        for connection in self._connections.values():
            if connection.link is not None:
                connection.link.close()
            for sequence, pending in connection.pending.items():
                pending.future.cancel()
                if self.log is not None:
                    self.log.ended(self._name(connection.host_id), sequence, None)
        for link, _ in self._unclaimed.values():
            link.close()
