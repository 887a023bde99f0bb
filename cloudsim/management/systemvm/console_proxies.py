"""How many console proxies a zone has: as many as its open consoles need, with some room, and at least one.

A zone can have them when it is enabled, has public addresses, a host that is up, and a system VM template that is
ready. One at a time is started or removed in a zone.
"""

from __future__ import annotations

import asyncio
import contextlib
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
"""Intervals of consoleproxy.capacityscan.interval that a proxy which is not needed stays."""
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
        self._idle: dict[str, float] = {}
        """Proxy that is not needed -> since when."""
        self._pauses: dict[str, tuple[float, float]] = {}
        """Zone -> not before when, and the pause after the next failure."""
        self._bell = asyncio.Event()
        self._looking = False

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
        """Look at once, and from then on whenever something changes that the number may depend on."""
        store = self._foundation.store
        store.subscribe(self._hear, Zone, IpRange, TemplateOnStore, SystemVm, ConsoleSession)
        self.wake()

    def _hear(self, changes: list[Change]) -> None:
        self.wake()

    def wake(self) -> None:
        """Look soon."""
        self._bell.set()
        if not self._looking:
            self._looking = True
            self._spawn(self._look())

    async def _look(self) -> None:
        """Look as long as there is something to wait for: a zone at rest costs nothing."""
        try:
            while True:
                await asyncio.sleep(1.0)  # what comes together is looked at together
                self._bell.clear()
                if not self.scan():
                    return
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.number("consoleproxy.capacityscan.interval") / 1000):
                        await self._bell.wait()
        finally:
            self._looking = False

    def scan(self) -> bool:
        """One round over the zones; whether another one may find something to do though nothing changes."""
        viewers = self.viewers()
        enabled = [zone for zone in self._zones if zone.allocation_state == "Enabled"]
        return any([zone.id in self._busy or self._balance(zone, viewers) for zone in enabled])

    def _balance(self, zone: Zone, viewers: Counter[str]) -> bool:
        settings = self._settings
        each = settings.integer("consoleproxy.session.max")
        standby = settings.integer("consoleproxy.capacity.standby")
        there = self.of(zone.id)
        wanted = [row for row in there if row.wanted]
        room = each * len(wanted) - sum(viewers[row.id] for row in wanted)
        if not there or (wanted and room < standby):
            most = settings.integer("consoleproxy.launch.max", "Zone", zone.id)
            if len(there) >= most or not self._could_have(zone):
                return False
            if self._foundation.now() >= self._pauses.get(zone.id, (0.0, 0.0))[0] and self._has_host(zone):
                self._work(zone, partial(self._deploy, zone))
            return True
        unneeded = [row for row in wanted if not viewers[row.id]][-1:] if room - each >= standby else []
        if len(wanted) == 1 or not unneeded:
            for row in wanted:
                self._idle.pop(row.id, None)
            return False
        return self._wait_or_remove(zone, unneeded[0])

    def _wait_or_remove(self, zone: Zone, row: SystemVm) -> bool:
        since = self._idle.setdefault(row.id, self._foundation.now())
        interval = self._settings.number("consoleproxy.capacityscan.interval") / 1000
        if self._foundation.now() - since >= IDLE_ROUNDS * interval:
            del self._idle[row.id]
            self._work(zone, partial(self._remove, row))
        return True

    def _could_have(self, zone: Zone) -> bool:
        if zone.is_edge:
            return False
        ranges = self._foundation.table(IpRange).where("zone_id", zone.id)
        return any(each.public and each.start_ip for each in ranges) and self._system_vms.template(zone) is not None

    def _has_host(self, zone: Zone) -> bool:
        hosts = self._foundation.table(Host)
        return any(hosts[host_id].state == "Up" for host_id in hosts.ids("zone_id", zone.id))

    def _work(self, zone: Zone, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def working() -> None:
            try:
                await work()
            finally:
                self._busy.discard(zone.id)
                self._bell.set()

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
