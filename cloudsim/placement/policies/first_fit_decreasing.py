"""First fit decreasing: requests of one instant by decreasing size, each to the lowest-numbered host that can hold it.

Use it for offline batches, such as a trace in which all arrive at once; requests that come one by one are
placed as by first fit. What size means is the option `measure`. Source: Johnson, "Near-optimal bin packing
algorithms" (1973), who shows that it needs at most 11/9 of the bins in one dimension; for several, see
`cloudsim.placement.decreasing`.
"""

from __future__ import annotations

from typing import ClassVar

from cloudsim.placement.decreasing import Decreasing
from cloudsim.placement.policies.first_fit import FirstFit
from cloudsim.placement.policy import Need


class FirstFitDecreasing(Decreasing, FirstFit):
    name: ClassVar[str] = "first-fit-decreasing"
    needs: ClassVar[tuple[Need, ...]] = ("batches",)
