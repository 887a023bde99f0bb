"""Small loads and hosts for tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cloudsim.consolidation.power import Linear
from cloudsim.experiment.consolidation.fleet import HostKind
from cloudsim.experiment.consolidation.load import Load
from cloudsim.experiment.consolidation.state import instances_of

HOST = HostKind(cores=1, mhz=1000, memory_mib=1000, power=Linear(peak=200, idle=100))


def load_of(
    share: Sequence[Sequence[float]], mhz: Sequence[float], memory: Sequence[float], interval_s: float = 300.0
) -> Load:
    """`share` has a row for each instance, of one core each, a value for each interval."""
    return Load(
        "tiny",
        tuple(f"vm-{i}" for i in range(len(mhz))),
        instances_of(np.array(mhz, float), np.ones(len(mhz)), np.array(memory, float)),
        np.ascontiguousarray(np.array(share, float).T),
        interval_s,
    )


def random_load(seed: int, instances: int, values: int, longest: float = 1.0) -> Load:
    """Instances of four sizes, whose CPU wanders in whole per cent, some of them asking for nothing at times."""
    chance = np.random.default_rng(seed)
    steps = chance.integers(-30, 31, (instances, values)).cumsum(axis=1) + chance.integers(-20, 80, (instances, 1))
    sizes = chance.integers(0, 4, instances)
    return load_of(
        np.clip(steps, 0, 100) / 100.0,
        np.array([2500.0, 2000.0, 1000.0, 500.0])[sizes],
        np.array([870.0, 1740.0, 1740.0, 613.0])[sizes] * longest,
    )
