"""Transfers that share links and disks max-min fairly.

A transfer is a fluid flow along channels (directions of links, disks). At every instant the rates are
the max-min fair ones: no channel above its capacity, and no flow could get more without taking from one
that has as little or less. They are found by progressive filling (Bertsekas and Gallager, "Data
Networks", 2nd edition, section 6.5.2), again only when a flow starts or ends or a capacity changes,
and then only among the flows that the change can reach. Between such events nothing runs.

TCP's own shares differ with round-trip times and losses; this is the usual idealisation.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence
from heapq import heapify, heappop, heappush
from itertools import count

from cloudsim.agent.noting import NOTES, StepNotes


class Channel:
    """Something with a capacity (bytes/s) that flows share. Change it with `Flows.set_capacity`."""

    __slots__ = ("capacity", "flows", "name")

    def __init__(self, name: str, capacity: float) -> None:
        self.name = name
        self.capacity = capacity
        self.flows: dict[Flow, None] = {}

    @property
    def load(self) -> float:
        """Bytes per second that pass now."""
        return sum(flow.rate for flow in self.flows)

    def __repr__(self) -> str:
        return f"<Channel {self.name} {self.capacity:g} B/s, {len(self.flows)} flows>"


class Flow:
    """A transfer under way: `remaining` bytes at time `since`, moving at `rate` bytes/s."""

    __slots__ = ("done", "finish", "path", "rate", "remaining", "since")

    def __init__(self, path: tuple[Channel, ...], size: float, now: float, done: asyncio.Future[None]) -> None:
        self.path = path
        self.remaining = size
        self.rate = 0.0
        self.since = now
        self.finish = math.inf
        self.done = done


def fair_rates(flows: Iterable[Flow]) -> dict[Flow, float]:
    """The max-min fair rate of each flow, among these alone, by progressive filling.

    A flow none of whose channels limits it has the rate infinity.
    """
    waiting = dict.fromkeys(flows)
    users: dict[Channel, list[Flow]] = {}
    for flow in waiting:
        for channel in flow.path:
            users.setdefault(channel, []).append(flow)
    left = {channel: channel.capacity for channel in users}
    unfixed = {channel: len(crossing) for channel, crossing in users.items()}
    heap = [(left[c] / unfixed[c], serial, c) for serial, c in enumerate(users)]
    heapify(heap)
    rates: dict[Flow, float] = {}
    while heap:
        share, serial, channel = heappop(heap)
        number = unfixed[channel]
        if not number:
            continue
        if share == math.inf:
            break  # this was the tightest: nothing limits what is left
        current = max(left[channel], 0.0) / number
        if current > share:  # shares only grow as others are fixed: look again when its turn comes
            heappush(heap, (current, serial, channel))
            continue
        for flow in users[channel]:
            if flow in waiting:
                del waiting[flow]
                rates[flow] = current
                for other in flow.path:
                    left[other] -= current
                    unfixed[other] -= 1
    for flow in waiting:
        rates[flow] = math.inf
    return rates


def _note(notes: StepNotes, flow: Flow, size: float, start: float, end: float, failure: str) -> None:
    seconds = end - start
    rate = f" at {size / seconds / 1e6:.0f} MB/s" if seconds > 0 else ""
    through = [{"name": each.name, "bytes_per_s": each.capacity} for each in flow.path]
    told = {"simulated": "transfer", "bytes": size, "seconds": seconds, "through": through}
    notes.note(f"transfer of {size / (1 << 30):.2f} GiB{rate}", start, end, told, failure)


class Flows:
    """All transfers of a world. With `timed=False`, whatever is not cut off arrives at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, timed: bool = True) -> None:
        self._loop = loop
        self._timed = timed
        self._touched: dict[Channel, None] = {}
        self._settling = False
        self._ends: list[tuple[float, int, Flow]] = []
        self._serial = count()
        self._timer: asyncio.TimerHandle | None = None
        self.active: dict[Flow, None] = {}

    async def transfer(
        self, path: Sequence[Channel], size: float, begun: Callable[[Flow], object] | None = None
    ) -> float:
        """Move `size` bytes along `path`; returns the seconds that it took.

        It stalls while a channel has no capacity. Cancelling it takes the flow away. A channel that
        stands in the path twice counts once. `begun` is told the flow, for `left`. Raises what `fail` is called with.
        """
        if size <= 0:
            return 0.0
        start = self._loop.time()
        if not self._timed and all(channel.capacity > 0 for channel in path):
            return 0.0
        flow = Flow(tuple(dict.fromkeys(path)), size, start, self._loop.create_future())
        self.active[flow] = None
        if begun is not None:
            begun(flow)
        for channel in flow.path:
            channel.flows[flow] = None
            self._touched[channel] = None
        if not flow.path:
            flow.done.set_result(None)
        self._settle_soon()
        failure = ""
        try:
            await flow.done
        except Exception as error:
            failure = str(error)
            raise
        finally:
            if flow in self.active:
                self._take_away(flow)
            notes = NOTES.get()
            if notes is not None:
                _note(notes, flow, size, start, self._loop.time(), failure)
        return self._loop.time() - start

    def left(self, flow: Flow) -> float:
        """Bytes of the flow that have not arrived yet. One that was broken off is as it was then."""
        if flow not in self.active or flow.rate == math.inf:
            return flow.remaining
        return max(0.0, flow.remaining - flow.rate * (self._loop.time() - flow.since))

    def set_capacity(self, channel: Channel, capacity: float) -> None:
        """From now on the channel carries this many bytes per second."""
        if not capacity >= 0:
            raise ValueError(f"{channel.name}: capacity {capacity} is negative")
        if capacity != channel.capacity:
            channel.capacity = capacity
            if channel.flows:
                self._touched[channel] = None
                self._settle_soon()

    def fail(self, channel: Channel, error: Exception) -> None:
        """Break off every transfer that crosses the channel with this exception."""
        for flow in list(channel.flows):
            self._take_away(flow)
            if not flow.done.done():
                flow.done.set_exception(error)

    def _take_away(self, flow: Flow) -> None:
        flow.remaining = self.left(flow)
        flow.since = self._loop.time()
        del self.active[flow]
        for channel in flow.path:
            del channel.flows[flow]
            if channel.flows:
                self._touched[channel] = None
        flow.finish = math.nan  # its entries in the heap are void
        self._settle_soon()

    def _settle_soon(self) -> None:
        # One settling for all that happens at one instant: a hundred copies that start together cost one.
        if not self._settling:
            self._settling = True
            self._loop.call_soon(self._settle)

    def _settle(self) -> None:
        """Give every flow that the changes can reach its new rate."""
        self._settling = False
        now = self._loop.time()
        for flow, rate in self._new_rates().items():
            if rate == flow.rate:
                continue
            flow.remaining = max(0.0, flow.remaining - flow.rate * (now - flow.since))
            flow.since = now
            flow.rate = rate
            flow.finish = now if rate == math.inf else now + flow.remaining / rate if rate > 0 else math.inf
            if flow.finish < math.inf:
                heappush(self._ends, (flow.finish, next(self._serial), flow))
        self._arm()

    def _new_rates(self) -> dict[Flow, float]:
        reached: dict[Flow, None] = {}
        seen = self._touched
        self._touched = {}
        channels = list(seen)
        while channels:
            for flow in channels.pop().flows:
                if flow not in reached:
                    reached[flow] = None
                    for channel in flow.path:
                        if channel not in seen:
                            seen[channel] = None
                            channels.append(channel)
        if self._timed:
            return fair_rates(reached)
        return {f: math.inf if all(c.capacity > 0 for c in f.path) else 0.0 for f in reached}

    def _arm(self) -> None:
        ends = self._ends
        while ends and ends[0][0] != ends[0][2].finish:
            heappop(ends)
        if self._timer is not None:
            if ends and self._timer.when() == ends[0][0]:
                return
            self._timer.cancel()
            self._timer = None
        if ends:
            self._timer = self._loop.call_at(ends[0][0], self._finish)

    def _finish(self) -> None:
        self._timer = None
        now = self._loop.time()
        ends = self._ends
        while ends and (ends[0][0] <= now or ends[0][0] != ends[0][2].finish):
            finish, _, flow = heappop(ends)
            if finish == flow.finish:
                self._take_away(flow)
                if not flow.done.done():
                    flow.done.set_result(None)
        self._arm()
