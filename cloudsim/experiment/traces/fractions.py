"""Fractions of cores and machines as sizes of instances, which have whole cores of some speed."""

from __future__ import annotations

import math
from typing import NamedTuple

from cloudsim.experiment.requests import SMALLEST_MIB


class Size(NamedTuple):
    """Cores, the speed of each in MHz, and memory in MiB."""

    cpus: int
    cpu_mhz: int
    memory_mib: int


def slow_cores(milli: int, core_mhz: int = 1000) -> tuple[int, int]:
    """`milli` thousandths of a core of `core_mhz` as (cores, MHz of each).

    As few cores as have room for it, each as slow as will do: the reservation is never smaller than what was asked for, and at
    most a MHz a core larger.
    """
    milli = max(1, milli)
    cpus = -(-milli // 1000)
    return cpus, -(-milli * core_mhz // (1000 * cpus))


class Machine(NamedTuple):
    """The machine that a trace's fractions are fractions of: `cores` of `cpu_mhz` MHz, and `memory_mib`."""

    cores: int
    cpu_mhz: int
    memory_mib: int

    def part(self, cpu: float, memory: float) -> Size:
        """The fractions `cpu` and `memory` of it, rounded up to a thousandth of a core, a MHz and a MiB."""
        # Fractions of machines have few decimals: what a float adds at the end of them is no reason for another step.
        milli = math.ceil(round(cpu * self.cores * 1000, 6))
        mib = math.ceil(round(memory * self.memory_mib, 6))
        return Size(*slow_cores(milli, self.cpu_mhz), max(SMALLEST_MIB, mib))
