"""All that a served cloud on a simulated datacenter is controlled with, in one place: what its API commands call."""

from __future__ import annotations

from pathlib import Path

from backends.simulated.loop import SimLoop
from backends.simulated.world import SimulatedWorld
from cloudsim.management.server import ManagementServer
from server.pacing import Pacing
from server.simulation.clock import Clock
from server.simulation.experiments.experiments import Experiments
from server.simulation.experiments.found import Found, found_in
from server.simulation.faults import InjectedFaults
from server.simulation.workloads import Workloads

SIMULATED = "a simulated datacenter"
"""What the commands of a simulation need (see `server.api.command`)."""


class SimulationConsole:
    """The controls of one served simulation; they are used on its loop. `latency` is the name of its profile.

    Experiments are kept in `experiments`; results that were made elsewhere are looked for there, and in `results`.
    """

    def __init__(
        self,
        manager: ManagementServer,
        world: SimulatedWorld,
        loop: SimLoop,
        pacing: Pacing,
        *,
        latency: str,
        experiments: Path,
        results: Path | None,
    ) -> None:
        self.manager = manager
        self.world = world
        self.latency = latency
        self.clock = Clock(world, loop, pacing)
        randomness = manager.foundation.randomness.branch("simulation console")
        self.faults = InjectedFaults(world, randomness.branch("faults"))
        self.workloads = Workloads(manager, pacing, randomness.branch("workloads"))

        self.experiments = Experiments(loop, experiments, randomness.branch("experiments"))
        self._roots = (experiments,) if results is None else (experiments, results)

    def found(self) -> list[Found]:
        """Results that were made elsewhere, as they are there now."""
        return found_in(self._roots)

    def close(self) -> None:
        """The server stops."""
        self.experiments.close()
        self.workloads.close()
