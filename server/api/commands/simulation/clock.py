"""The clock of a simulation: what it says, and how fast it goes."""

from __future__ import annotations

import time
from typing import Annotated, ClassVar

from cloudsim.errors import InvalidParameterValue
from server.api.command import ROOT, Call, Listed, command
from server.api.listing import Page, page_of
from server.api.parameters import Param
from server.api.views import Date, View, date
from server.pacing import pace_text
from server.simulation.console import SIMULATED, SimulationConsole

GROUP = "Simulation"


def console(call: Call) -> SimulationConsole:
    """The controls of the simulation that a call is about."""
    found: SimulationConsole = call.door.provided[SIMULATED]
    return found


class SimulationView(View):
    """The simulation that this cloud runs in."""

    key: ClassVar = "simulation"

    name: Annotated[str | None, "the datacenter's"] = None
    state: Annotated[str | None, "Running, or Paused"] = None
    clock: Annotated[Date | None, "what time it is in the simulation"] = None
    wallclock: Annotated[Date | None, "what time it is outside of it"] = None
    elapsed: Annotated[float | None, "simulated seconds since the server began to serve"] = None
    pace: Annotated[str | None, "what was asked for: real, a factor such as 10x, or max"] = None
    currentpace: Annotated[
        str | None, "how fast time goes just now: with max, real while there is nothing to do; pause while it is paused"
    ] = None
    eventspersecond: Annotated[float | None, "simulated events in a real second"] = None
    hosts: Annotated[int | None, "hosts of the datacenter, whether they are part of the cloud or not"] = None
    latency: Annotated[str | None, "the latency profile"] = None
    seed: Annotated[str | None, "what all chance of this start of the server comes from"] = None

    @classmethod
    def now(cls, call: Call) -> SimulationView:
        found = console(call)
        clock, pacing = found.clock, found.clock.pacing
        return cls(
            name=found.world.datacenter.name,
            state="Paused" if pacing.paused else "Running",
            clock=date(clock.now()),
            wallclock=date(time.time()),
            elapsed=round(clock.passed, 3),
            pace=pace_text(pacing.rate),
            currentpace=pace_text(clock.rate),
            eventspersecond=round(clock.events_per_second(), 1),
            hosts=len(found.world.hosts),
            latency=found.latency,
            seed=str(call.manager.foundation.randomness.seed),
        )


@command("listSimulations", view=SimulationView, roles=ROOT, group=GROUP, needs=SIMULATED)
async def list_simulations(call: Call, *, page: Page) -> Listed:
    """Lists the simulation that this cloud runs in: its clock and its pace."""
    return page_of([SimulationView.now(call)], page)


@command("updateSimulation", view=SimulationView, roles=ROOT, group=GROUP, needs=SIMULATED, event="SIMULATION.UPDATE")
async def update_simulation(
    call: Call,
    *,
    pace: Annotated[
        str, Param("pause, resume (at the pace of before), real, a factor such as 10x, or max: as fast as it goes")
    ],
) -> SimulationView:
    """Sets the pace of the simulation. While it is paused the API answers; jobs wait."""
    try:
        console(call).clock.set_pace(pace)
    except ValueError as error:
        raise InvalidParameterValue(f"Parameter pace: {error}") from None
    return SimulationView.now(call)
