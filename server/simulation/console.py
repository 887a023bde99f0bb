"""All that a served cloud on a simulated datacenter is controlled with, in one place: what its API commands call."""

from __future__ import annotations

from backends.simulated.loop import SimLoop
from backends.simulated.world import SimulatedWorld
from cloudsim.management.server import ManagementServer
from server.pacing import Pacing
from server.simulation.clock import Clock
from server.simulation.faults import InjectedFaults
from server.simulation.workloads import Workloads

SIMULATED = "a simulated datacenter"
"""What the commands of a simulation need (see `server.api.command`)."""


class SimulationConsole:
    """The controls of one served simulation; they are used on its loop. `latency` is the name of its profile."""

    def __init__(
        self, manager: ManagementServer, world: SimulatedWorld, loop: SimLoop, pacing: Pacing, latency: str
    ) -> None:
        self.manager = manager
        self.world = world
        self.latency = latency
        self.clock = Clock(world, loop, pacing)
        randomness = manager.foundation.randomness.branch("simulation console")
        self.faults = InjectedFaults(world, randomness.branch("faults"))
        self.workloads = Workloads(manager, pacing, randomness.branch("workloads"))

    def close(self) -> None:
        """The server stops."""
        self.workloads.close()
