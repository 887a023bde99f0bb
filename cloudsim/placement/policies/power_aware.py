"""Power-aware best fit decreasing: the host whose power grows least; of equal ones the first.

Power is linear in the share of CPU that is promised, from idle to peak. An empty host is taken to be `off`
and to draw nothing, so that the first instance costs its idle power too (`empty=idle`: it draws that anyway).
Requests of one instant are placed by decreasing MHz (option `measure`).

Use it for energy, where hosts differ in what they draw for their size: among hosts of one kind that are on
all cost the same, and the first that fits is taken. `watts` names kinds of hosts by the MHz that they give:
`watts=3720:86:117+5320:93.7:135` are the HP ProLiant G4 and G5 of the source's study (idle and peak W). Other
hosts draw `watts_per_ghz` at their peak, and the share `idle` of that when idle. Source: Beloglazov and
Buyya, "Optimal online deterministic algorithms and adaptive heuristics for energy and performance efficient
dynamic consolidation of virtual machines in cloud data centers" (2012), algorithm PABFD.
"""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

import numpy as np
from msgspec import Meta

from cloudsim.errors import InvalidParameterValue
from cloudsim.placement.decreasing import Decreasing, Measure
from cloudsim.placement.policy import Candidates, Scores, ScoringPolicy
from cloudsim.placement.request import PlacementRequest


class PowerAware(Decreasing, ScoringPolicy):
    name: ClassVar[str] = "power-aware"
    of_capacity: ClassVar[bool] = True
    measure: Measure = "cpu"
    watts: tuple[str, ...] = ()
    watts_per_ghz: Annotated[float, Meta(gt=0, le=1e6)] = 25.0
    idle: Annotated[float, Meta(ge=0, le=1)] = 0.7
    empty: Literal["off", "idle"] = "off"

    def prepare(self) -> None:
        self._kinds = [self._kind(text) for text in self.watts]

    def _kind(self, text: str) -> tuple[int, float, float]:
        try:
            mhz, idle, peak = text.split(":")
            kind = int(mhz), float(idle), float(peak)
        except ValueError:
            kind = 0, 0.0, 0.0
        if kind[0] <= 0 or not 0 <= kind[1] <= kind[2] < math.inf:
            raise InvalidParameterValue(
                f"policy {self.name}: watts: expected MHz:idle:peak with 0 <= idle <= peak, got {text!r}"
            )
        return kind

    def score(self, request: PlacementRequest, hosts: Candidates) -> Scores:
        peak = hosts.cpu_total * self.watts_per_ghz / 1000
        idle = peak * self.idle
        for mhz, idle_watts, peak_watts in self._kinds:
            same = hosts.cpu_total == mhz
            idle, peak = np.where(same, idle_watts, idle), np.where(same, peak_watts, peak)
        growth = (peak - idle) * request.cpu / hosts.cpu_total
        return -(growth + np.where(hosts.empty, idle, 0.0)) if self.empty == "off" else -growth
