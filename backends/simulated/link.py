"""The connection between a simulated agent and the manager: in order, and as unreliable as told.

A message costs one timer and one entry in a queue. Delivery times never go backwards, so the order is
kept whatever the latencies. Faults are in a `Condition`, which both ends of every link of one agent share.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextvars import Context

from cloudsim.protocol.codec import decode, encode
from cloudsim.protocol.messages import Message, Request, Response
from cloudsim.randomness import Randomness

TCP_TIMEOUT = 30.0
"""Seconds without a way through after which a connection breaks: the order of a tuned TCP_USER_TIMEOUT."""


class Condition:
    """What is wrong with the connections of one agent; `clear` while nothing is.

    Probabilities are of each message by itself. `delay` is seconds more for each message. While it is
    `partitioned` messages are lost; while it is `hung` the agent neither receives nor sends nor connects.
    `counter`, where there is one, counts what is sent by kind.
    """

    __slots__ = (
        "_ended_hangs",
        "_sleepers",
        "clear",
        "counter",
        "cuts",
        "delay",
        "duplication",
        "hangs",
        "links",
        "loss",
        "randomness",
        "wire",
    )

    def __init__(self, randomness: Randomness | None = None) -> None:
        self.randomness = randomness
        self.loss = 0.0
        self.duplication = 0.0
        self.delay = 0.0
        self.cuts = 0
        self.hangs = 0
        self.wire = False
        self.counter: Counter[str] | None = None
        self.links: dict[SimulatedLink, None] = {}
        """The agent's ends of links that are open."""
        self._sleepers: list[asyncio.Future[None]] = []
        self._ended_hangs = 0
        self.clear = True

    @property
    def partitioned(self) -> bool:
        return self.cuts > 0

    @property
    def hung(self) -> bool:
        return self.hangs > 0

    def impair(self, *, loss: float = 0.0, duplication: float = 0.0, delay: float = 0.0) -> None:
        """Add to the probabilities and the delay (take from them, if negative)."""
        self.loss = round(max(0.0, self.loss + loss), 12)  # 0.1 + 0.2 - 0.1 - 0.2 is to be none
        self.duplication = round(max(0.0, self.duplication + duplication), 12)
        self.delay = round(max(0.0, self.delay + delay), 12)
        self.judge()

    def judge(self) -> None:
        """Say anew whether all is well."""
        self.clear = not (
            self.loss
            or self.duplication
            or self.delay
            or self.cuts
            or self.hangs
            or self.wire
        )

    def cut(self, timeout: float = TCP_TIMEOUT) -> None:
        """Lose every message from now on. Links still open after `timeout` seconds of it close at both ends."""
        self.cuts += 1
        self.judge()
        if self.cuts == 1:
            for link in list(self.links):
                link.expire(timeout)

    def mend(self) -> None:
        """Undo one `cut`; links that are still open live on."""
        self.cuts -= 1
        self.judge()
        if self.cuts == 0:
            for link in self.links:
                link.survive()

    def hang(self) -> None:
        """The agent does nothing from now on; what comes and what it would send is kept."""
        self.hangs += 1
        self.judge()

    def wake(self) -> None:
        """Undo one `hang`: the agent finds all that came meanwhile, in order."""
        if self._ended_hangs:
            self._ended_hangs -= 1  # its machine was switched off meanwhile, which ended it
            return
        self.hangs -= 1
        self.judge()
        if self.hangs == 0:
            self._awake()

    def restart(self) -> None:
        """The agent's machine begins anew: whatever hung in it does no more."""
        if self.hangs:
            self._ended_hangs += self.hangs
            self.hangs = 0
            self.judge()
            self._awake()

    def _awake(self) -> None:
        for link in list(self.links):
            link.wake()
        sleepers, self._sleepers = self._sleepers, []
        for sleeper in sleepers:
            if not sleeper.done():
                sleeper.set_result(None)

    async def awake(self) -> None:
        """Return once the agent is not hung."""
        while self.hangs:
            sleeper = asyncio.get_running_loop().create_future()
            self._sleepers.append(sleeper)
            await sleeper

    def chance(self, probability: float) -> bool:
        if probability <= 0.0:
            return False
        if self.randomness is None:
            raise ValueError("a link with loss or duplication needs randomness")
        return self.randomness.generator.random() < probability


class _Closing:
    """Goes through a link last."""


_CLOSING = _Closing()


def _ignore(*_: object) -> None:
    pass


class SimulatedLink:
    """One end, as `cloudsim.protocol.link.Link`. Make two with `pair`."""

    __slots__ = (
        "_closed",
        "_condition",
        "_context",
        "_due",
        "_expiry",
        "_inbox",
        "_incoming",
        "_is_agent",
        "_latency",
        "_loop",
        "_outgoing",
        "_peer",
        "_registry",
        "on_close",
        "on_message",
    )

    _peer: SimulatedLink

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        condition: Condition,
        latency: Callable[[], float],
        context: Context,
        is_agent: bool,
        registry: dict[SimulatedLink, None],
    ) -> None:
        self.on_message: Callable[[Message], None] = _ignore
        self.on_close: Callable[[], None] = _ignore
        self._loop = loop
        self._condition = condition
        self._latency = latency
        self._context = context
        self._is_agent = is_agent
        self._inbox: list[Message | bytes | _Closing] = []  # mostly empty: a deque would be ten times as big
        self._incoming: list[Message | bytes | _Closing] = []
        self._outgoing: list[Message | bytes | _Closing] = []
        self._due = 0.0
        self._closed = False
        self._expiry: asyncio.TimerHandle | None = None
        self._registry = registry
        registry[self] = None

    @classmethod
    def pair(
        cls,
        loop: asyncio.AbstractEventLoop,
        condition: Condition,
        latency: Callable[[], float],
        context: Context,
        managers_ends: dict[SimulatedLink, None],
    ) -> tuple[SimulatedLink, SimulatedLink]:
        """The agent's end and the manager's end of a new link; `latency()` is seconds one way.

        Each is in `condition.links` or `managers_ends` until it closes.
        """
        agent = cls(loop, condition, latency, context, True, condition.links)
        manager = cls(loop, condition, latency, context, False, managers_ends)
        agent._peer, manager._peer = manager, agent
        return agent, manager

    @property
    def closed(self) -> bool:
        return self._closed

    def send(self, message: Message) -> None:
        """Hand over a message; returns at once. On a closed link it is lost."""
        if self._closed:
            return
        condition = self._condition
        if condition.counter is not None:
            condition.counter[kind(message)] += 1
        if not condition.clear:
            self._send_impaired(message)
            return
        loop = self._loop
        now = loop.time()
        due = now + self._latency()
        if due < self._due:
            due = self._due
        else:
            self._due = due
        peer = self._peer
        peer._inbox.append(message)
        if due > now:
            loop.call_at(due, peer._arrive, context=self._context)
        else:  # as call_at would, without the timer
            loop.call_soon(peer._arrive, context=self._context)

    def close(self) -> None:
        """End the connection; the other end's `on_close` is called, after what was sent before."""
        if self._closed:
            return
        self._end()
        if self._condition.partitioned:
            self._loop.call_later(TCP_TIMEOUT, self._peer._break, context=self._context)
        else:
            self._post(_CLOSING)

    def vanish(self) -> None:
        """The machine at this end is gone: it says and hears nothing more; the other end times out."""
        if not self._closed:
            self._end()
            self._loop.call_later(TCP_TIMEOUT, self._peer._break, context=self._context)

    def expire(self, timeout: float) -> None:
        """Break the connection at both ends in `timeout` seconds, unless it may `survive`."""
        if self._expiry is None:
            self._expiry = self._loop.call_later(timeout, self._expired, context=self._context)

    def survive(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None

    def wake(self) -> None:
        """The agent at this end runs again: do what it was kept from."""
        outgoing, self._outgoing = self._outgoing, []
        for item in outgoing:
            self._forward(item)
        incoming, self._incoming = self._incoming, []
        self._inbox[:0] = incoming  # before what is still on its way
        for _ in incoming:
            self._loop.call_soon(self._arrive, context=self._context)

    def _send_impaired(self, message: Message) -> None:
        condition = self._condition
        item = encode(message) if condition.wire else message
        if self._is_agent and condition.hung:
            self._outgoing.append(item)
        else:
            self._forward(item)

    def _forward(self, item: Message | bytes | _Closing) -> None:
        condition = self._condition
        if condition.partitioned or (item is not _CLOSING and condition.chance(condition.loss)):
            return
        self._post(item)
        if item is not _CLOSING and condition.chance(condition.duplication):
            self._post(item)

    def _post(self, item: Message | bytes | _Closing) -> None:
        self._due = max(self._due, self._loop.time() + self._latency() + self._condition.delay)
        self._peer._inbox.append(item)
        self._loop.call_at(self._due, self._peer._arrive, context=self._context)

    def _arrive(self) -> None:
        item = self._inbox.pop(0)
        if self._closed:
            return
        if self._is_agent and self._condition.hangs:
            self._incoming.append(item)
        elif isinstance(item, _Closing):
            self._break()
        else:
            self.on_message(decode(item) if isinstance(item, bytes) else item)

    def _expired(self) -> None:
        self._expiry = None
        self._peer._break()
        self._break()

    def _break(self) -> None:
        """The connection is over: say so to the owner of this end, or when it wakes."""
        if self._closed:
            return
        if self._is_agent and self._condition.hangs:
            self._incoming.append(_CLOSING)
            return
        self._end()
        self.on_close()

    def _end(self) -> None:
        self._closed = True
        self.survive()
        del self._registry[self]


def kind(message: Message) -> str:
    """What a message counts as: the name of its command or answer, else its own."""
    if isinstance(message, Request):
        return type(message.command).__name__
    if isinstance(message, Response):
        return type(message.answer).__name__
    return type(message).__name__
