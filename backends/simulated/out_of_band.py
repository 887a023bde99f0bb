"""The management controllers of simulated hosts: they switch the very hosts that run the instances.

A controller has a network port of its own at the switch of its rack: cutting a host's link leaves it reachable, cutting
the rack's does not. It is found by the host, at whatever address, and lets in whoever reaches it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from backends.simulated.link import TCP_TIMEOUT
from backends.simulated.power import Power
from backends.simulated.simulated_host import SimulatedHost
from backends.simulated.site import Site
from cloudsim.out_of_band import ManagementController, OutOfBandError, PowerAction


class ManagementControllers:
    """Implements `cloudsim.out_of_band.PowerDriver`; `hosts` by guid."""

    def __init__(self, site: Site, hosts: Mapping[str, SimulatedHost], power: Power) -> None:
        self._site = site
        self._hosts = hosts
        self._power = power

    async def act(self, controller: ManagementController, action: PowerAction) -> None:
        """SOFT is as quick as OFF here, and a host that is off is started by CYCLE, but not by RESET."""
        host = await self._reach(controller)
        power = self._power
        if action == "RESET" and not power.is_on(host):
            raise OutOfBandError(f"{host.name} is off: there is nothing to reset")
        if action != "ON":
            power.switch_off(host)
        if action in ("ON", "CYCLE", "RESET"):
            if power.is_broken(host):
                raise OutOfBandError(f"{host.name} does not start")
            power.switch_on(host)

    async def is_on(self, controller: ManagementController) -> bool:
        return self._power.is_on(await self._reach(controller))

    async def change_password(self, controller: ManagementController, password: str) -> None:
        await self._reach(controller)

    async def _reach(self, controller: ManagementController) -> SimulatedHost:
        host = self._hosts.get(controller.guid)
        if host is None:
            raise OutOfBandError(f"there is no simulated host {controller.guid}")
        rack = host.hypervisor.place.parent
        if rack is not None and not self._site.topology.reachable(rack, self._site.manager):
            await asyncio.sleep(TCP_TIMEOUT)
            raise OutOfBandError(f"the management controller of {host.name} does not answer")
        await asyncio.sleep(self._site.sampler("bmc_action"))
        return host
