"""How many console proxies a zone has: as many as its open consoles need, with some room, and at least one.

A zone can have them when it is enabled, has public addresses, a host that is up, and a system VM template that is
ready. One at a time is started or removed in a zone.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from cloudsim.errors import CloudError
from cloudsim.management.foundation import Foundation
from cloudsim.management.systemvm.system_vms import SystemVms
from cloudsim.model import ConsoleSession, Host, IpRange, SystemVm, TemplateOnStore, VirtualMachine, Zone
from cloudsim.store import Change

log = logging.getLogger(__name__)

IDLE_ROUNDS = 10
"""Rounds that a proxy which is not needed stays."""
LONGEST_PAUSE = 600.0
"""Seconds after which a deployment that failed is tried again at the latest."""
LIVE = ("Granted", "Acquired")
"""States of the sessions that take room on a proxy."""


class ConsoleProxies:
    """The console proxies of one cloud."""

    def __init__(
        self,
        foundation: Foundation,
        system_vms: SystemVms,
        spawn: Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]],
    ) -> None:
        self._foundation = foundation
        self._settings = foundation.settings
        self._system_vms = system_vms
        self._spawn = spawn
        self._machines = foundation.table(VirtualMachine)
        self._sessions = foundation.table(ConsoleSession)
        self._zones = foundation.table(Zone)
        self._busy: set[str] = set()
        self._idle: Counter[str] = Counter()
        self._pauses: dict[str, tuple[float, float]] = {}
        """Zone -> not before when, and the pause after the next failure."""
        self._woken = False

    # which there are

    def of(self, zone_id: str) -> list[SystemVm]:
        """The zone's proxies, the oldest first."""
        return [row for row in self._system_vms.rows.where("kind", "ConsoleProxy") if row.zone_id == zone_id]

    def viewers(self) -> Counter[str]:
        """Proxy id -> sessions that it was given and that are not over."""
        return Counter(
            session.proxy_id
            for state in LIVE
            for session in self._sessions.where("state", state)
            if session.proxy_id is not None
        )

    def choose(self, zone_id: str) -> list[SystemVm]:
        """Those that can take another console, the fullest first, so that others become idle."""
        viewers, most = self.viewers(), self._settings.integer("consoleproxy.session.max")
        free = [row for row in self.of(zone_id) if self._serves(row) and viewers[row.id] < most]
        return sorted(free, key=lambda row: -viewers[row.id])

    def _serves(self, row: SystemVm) -> bool:
        return self._system_vms.runs(row) and row.agent_state == "Up"

    # how many there are

    def begin(self) -> None:
        """Look at once, and whenever a zone may have come to be able to have proxies."""
        self._foundation.store.subscribe(self._hear, Zone, IpRange, TemplateOnStore)
        self.wake()

    def _hear(self, changes: list[Change]) -> None:
        self.wake()

    def wake(self) -> None:
        """Look soon."""
        if not self._woken:
            self._woken = True
            self._spawn(self._look())

    async def _look(self) -> None:
        await asyncio.sleep(1.0)  # what comes together is looked at together
        self._woken = False
        self.scan()

    def scan(self) -> None:
        """One round over the zones."""
        viewers = self.viewers()
        for zone in list(self._zones):
            if zone.id not in self._busy and zone.allocation_state == "Enabled":
                self._balance(zone, viewers)

    def _balance(self, zone: Zone, viewers: Counter[str]) -> None:
        settings = self._settings
        each = settings.integer("consoleproxy.session.max")
        standby = settings.integer("consoleproxy.capacity.standby")
        there = self.of(zone.id)
        wanted = [row for row in there if row.wanted]
        room = each * len(wanted) - sum(viewers[row.id] for row in wanted)
        if not there or (wanted and room < standby):
            most = settings.integer("consoleproxy.launch.max", "Zone", zone.id)
            if len(there) < most and self._may_try(zone) and self._can_have(zone):
                self._work(zone, partial(self._deploy, zone))
            return
        needless = [row for row in wanted if not viewers[row.id]][-1:] if room - each >= standby else []
        for row in wanted:
            if row not in needless or len(wanted) == 1:
                del self._idle[row.id]
        if needless and len(wanted) > 1:
            (row,) = needless
            self._idle[row.id] += 1
            if self._idle[row.id] >= IDLE_ROUNDS:
                del self._idle[row.id]
                self._work(zone, partial(self._remove, row))

    def _can_have(self, zone: Zone) -> bool:
        hosts = self._foundation.table(Host)
        return (
            any(each.public for each in self._foundation.table(IpRange).where("zone_id", zone.id))
            and self._system_vms.template(zone) is not None
            and any(hosts[host_id].state == "Up" for host_id in hosts.ids("zone_id", zone.id))
        )

    def _may_try(self, zone: Zone) -> bool:
        return self._foundation.now() >= self._pauses.get(zone.id, (0.0, 0.0))[0]

    def _work(self, zone: Zone, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def working() -> None:
            try:
                await work()
            finally:
                self._busy.discard(zone.id)

        self._busy.add(zone.id)
        self._spawn(working())

    async def _deploy(self, zone: Zone) -> None:
        try:
            await self._system_vms.deploy("ConsoleProxy", zone)
        except CloudError as error:
            shortest = self._settings.number("consoleproxy.capacityscan.interval") / 1000
            pause = self._pauses.get(zone.id, (0.0, shortest))[1]
            self._pauses[zone.id] = (self._foundation.now() + pause, min(2 * pause, LONGEST_PAUSE))
            log.warning("zone %s gets no console proxy: %s", zone.name, error.text)
        else:
            self._pauses.pop(zone.id, None)

    async def _remove(self, row: SystemVm) -> None:
        try:
            await self._system_vms.in_turn(
                row.id, "destroySystemVm", partial(self._system_vms.destroyed, row.id)
            )
        except CloudError as error:
            log.warning("an idle console proxy stays: %s", error.text)
