"""The software of a simulated virtual router: the configuration that it was last given."""

from __future__ import annotations

from backends.simulated.systemvms.appliance import Appliance
from cloudsim.protocol.router import RouterConfiguration
from cloudsim.protocol.systemvm import (
    ConfigureRouter,
    Done,
    RouterStatistics,
    RouterStatisticsResult,
    SystemVmReply,
    SystemVmRequest,
)


class SimulatedRouter(Appliance):
    """`configuration` is what is in force, None until it was told; `number` is its number."""

    configuration: RouterConfiguration | None = None
    number: int = 0

    async def reply(self, request: SystemVmRequest) -> SystemVmReply:
        if isinstance(request, ConfigureRouter):
            if request.number < self.number:
                return Done(error=f"configuration {request.number} is older than {self.number}, which is in force")
            self.configuration, self.number = request.configuration, request.number
            return Done()
        if isinstance(request, RouterStatistics):
            return RouterStatisticsResult(number=self.number, sites_up=self._sites_up())
        return await super().reply(request)

    def _sites_up(self) -> tuple[str, ...]:
        """Peers elsewhere answer whoever calls them; they never call themselves, so that passive connections wait."""
        sites = self.configuration.sites if self.configuration is not None else ()
        return tuple(site.id for site in sites if not site.passive)
