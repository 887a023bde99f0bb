"""How much is left of a host, as one number, by several norms. GPUs count where the request or any host has some.

Only operations that give the same result for one number as for many are used (no powers, no logarithms): the same state must
have the same score whoever asks.
"""

from __future__ import annotations

from functools import reduce
from typing import Literal

import numpy as np

from cloudsim.placement.candidates import Capacities
from cloudsim.placement.request import PlacementRequest

Norm = Literal["cpu", "memory", "l1", "l2", "linf"]


def remainder(norm: Norm, request: PlacementRequest, hosts: Capacities) -> np.ndarray:
    """For each host: MHz left before placing (`cpu`), MiB (`memory`), or a norm of the shares left after it."""
    if norm == "cpu":
        return hosts.cpu_room
    if norm == "memory":
        return hosts.memory_room
    left = [dimension.left for dimension in hosts.dimensions(request)]
    if norm == "l1":
        return reduce(np.add, left)
    if norm == "l2":
        return np.sqrt(reduce(np.add, [share * share for share in left]))
    return reduce(np.maximum, left)
