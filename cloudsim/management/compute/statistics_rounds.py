"""Rounds in which every host is asked what its instances use, one after the other, so that a large cloud is asked evenly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from cloudsim.errors import CloudError
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.model import Host
from cloudsim.protocol.commands import VmStatisticsAnswer, VmStatisticsCommand
from cloudsim.protocol.specs import VmStatistics

_OFF = 300.0
"""Seconds between looks at whether measurements are wanted again, or hosts are there."""

Take = Callable[[str, tuple[VmStatistics, ...], float], None]


class StatisticsRounds:
    """`run` asks for ever: within `interval()` seconds (0: not now) each host that is up and connected, once.

    `take(host_id, found, at)` gets what a host answers, and the Unix seconds; `after()` is called after every round.
    """

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        spawn: Callable[[Coroutine[Any, Any, Any]], object],
        interval: Callable[[], float],
        take: Take,
        after: Callable[[], None],
    ) -> None:
        self._foundation = foundation
        self._agents = agents
        self._spawn = spawn
        self._interval = interval
        self._take = take
        self._after = after
        self._hosts = foundation.table(Host)
        self._asked: set[str] = set()

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            hosts = [host.id for host in self._hosts.where("state", "Up")]
            interval = self._interval()
            if not interval or not hosts:
                await asyncio.sleep(interval or _OFF)
                continue
            for host_id in hosts:
                await asyncio.sleep(interval / len(hosts))
                if host_id not in self._asked and self._agents.is_connected(host_id):
                    self._asked.add(host_id)
                    self._spawn(self._measure(host_id))
            self._after()

    async def _measure(self, host_id: str) -> None:
        try:
            answer = await self._agents.send(host_id, VmStatisticsCommand())
        except CloudError:
            return  # the next round asks again
        finally:
            self._asked.discard(host_id)
        if isinstance(answer, VmStatisticsAnswer) and answer.ok:
            self._take(host_id, answer.vms, round(self._foundation.now(), 3))
