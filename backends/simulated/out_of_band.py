"""The management controllers of simulated hosts: they switch the very hosts that run the instances.

A controller has a network port of its own at the switch of its rack: cutting a host's link leaves it reachable, cutting
the rack's does not. It is found by the host, at whatever address, and lets in whoever reaches it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backends.simulated.link import TCP_TIMEOUT
from cloudsim.out_of_band import ManagementController, OutOfBandError, PowerAction

if TYPE_CHECKING:
    from backends.simulated.world import SimulatedHost, SimulatedWorld


class ManagementControllers:
    """Implements `cloudsim.out_of_band.PowerDriver`."""

    def __init__(self, world: SimulatedWorld) -> None:
        self._world = world

    async def act(self, controller: ManagementController, action: PowerAction) -> None:
        """SOFT is as quick as OFF here, and a host that is off is started by CYCLE, but not by RESET."""
        host = await self._reach(controller)
        power = self._world.power
        if action == "RESET" and not power.is_on(host):
            raise OutOfBandError(f"{host.name} is off: there is nothing to reset")
        if action != "ON":
            power.switch_off(host)
        if action in ("ON", "CYCLE", "RESET"):
            if power.is_broken(host):
                raise OutOfBandError(f"{host.name} does not start")
            power.switch_on(host)

    async def is_on(self, controller: ManagementController) -> bool:
        return self._world.power.is_on(await self._reach(controller))

    async def change_password(self, controller: ManagementController, password: str) -> None:
        await self._reach(controller)

    async def _reach(self, controller: ManagementController) -> SimulatedHost:
        world = self._world
        host = world.hosts.get(controller.guid)
        if host is None:
            raise OutOfBandError(f"there is no simulated host {controller.guid}")
        rack = host.hypervisor.place.parent
        if rack is not None and not world.site.topology.reachable(rack, world.site.manager):
            await asyncio.sleep(TCP_TIMEOUT)
            raise OutOfBandError(f"the management controller of {host.name} does not answer")
        await asyncio.sleep(world.site.sampler("bmc_action"))
        return host
