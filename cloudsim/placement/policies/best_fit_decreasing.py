"""Best fit decreasing: requests of one instant by decreasing size, each to the host on which the least is left.

Use it for offline batches; requests that come one by one are placed as by best fit. The options are `measure`
for the size, see `cloudsim.placement.decreasing`, and best fit's `norm`. Source: Johnson, "Near-optimal bin
packing algorithms" (1973).
"""

from __future__ import annotations

from typing import ClassVar

from cloudsim.placement.decreasing import Decreasing
from cloudsim.placement.policies.best_fit import BestFit
from cloudsim.placement.policy import Need


class BestFitDecreasing(Decreasing, BestFit):
    name: ClassVar[str] = "best-fit-decreasing"
    needs: ClassVar[tuple[Need, ...]] = ("batches",)
