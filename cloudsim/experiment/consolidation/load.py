"""What instances ask for: their sizes, and the CPU that they use over time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloudsim.experiment.consolidation.state import Floats, Records


class Load(NamedTuple):
    """`share[k, v]` is the share of its size that instance v asks for at the time k * `interval_s`; straight lines between.

    The last value holds until the end, one interval later.
    """

    name: str
    names: tuple[str, ...]
    instances: Records
    share: Floats
    interval_s: float

    @property
    def end_s(self) -> float:
        return len(self.share) * self.interval_s

    def at(self, time: float) -> Floats:
        """The share that every instance asks for at a time (s)."""
        last = len(self.share) - 1
        place = time / self.interval_s
        low, high = int(np.floor(place)), int(np.ceil(place))
        before = self.share[min(low, last)]
        if low == high:
            return before.copy()
        slope = (self.share[min(high, last)] - before) / self.interval_s
        return before + slope * (time - low * self.interval_s)
