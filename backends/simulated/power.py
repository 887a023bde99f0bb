"""The power of simulated hosts: lost and given back by faults, switched by management controllers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from backends.simulated.simulated_host import SimulatedHost


class Power:
    """One for a world. `boots_in` draws the seconds that a host takes from its power to its agent; `boot_agent` starts it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        boots_in: Callable[[], float],
        boot_agent: Callable[[SimulatedHost], None],
    ) -> None:
        self._loop = loop
        self._boots_in = boots_in
        self._boot_agent = boot_agent
        self._broken: set[str] = set()
        self._starting: dict[str, asyncio.TimerHandle] = {}

    def is_on(self, host: SimulatedHost) -> bool:
        """Whether it has power, though it may not have booted yet."""
        return host.hypervisor.powered or host.guid in self._starting

    def is_broken(self, host: SimulatedHost) -> bool:
        """Whether it would not start."""
        return host.guid in self._broken

    def fail(self, host: SimulatedHost) -> None:
        """It is off, and does not start until it is repaired."""
        self._broken.add(host.guid)
        self.switch_off(host)

    def repair(self, host: SimulatedHost) -> None:
        """It is whole, and on at once."""
        self._broken.discard(host.guid)
        self._started(host)

    def switch_off(self, host: SimulatedHost) -> None:
        """Its guests and its agent are gone at once, whatever it was doing. Also what hung in it is over."""
        self._stop_starting(host)
        if not host.hypervisor.powered:
            return
        if host.condition is not None:
            for link in list(host.condition.links):
                link.vanish()
        host.hypervisor.power_off()
        if host.agent is not None:
            host.agent.stop()
        if host.condition is not None:
            host.condition.restart()

    def switch_on(self, host: SimulatedHost) -> None:
        """It boots, if it is off and whole; then its agent starts."""
        if not self.is_broken(host) and not self.is_on(host):
            self._starting[host.guid] = self._loop.call_later(self._boots_in(), self._started, host)

    def _started(self, host: SimulatedHost) -> None:
        self._stop_starting(host)
        if not host.hypervisor.powered:
            host.hypervisor.power_on()
            self._boot_agent(host)

    def _stop_starting(self, host: SimulatedHost) -> None:
        starting = self._starting.pop(host.guid, None)
        if starting is not None:
            starting.cancel()
