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
            return RouterStatisticsResult(number=self.number)
        return await super().reply(request)
