"""Requests written into the scenario itself: for lessons, tests, and runs on a few real hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.source import Trace
from cloudsim.randomness import Randomness

Count = Annotated[int, Meta(ge=1)]


class InlineRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request, or with `count` that many alike. `at` and `lifetime` are seconds, `mhz` the speed of each core.

    `work` are the seconds at full speed of the tasks that its guest is given.
    """

    at: Annotated[float, Meta(ge=0)]
    lifetime: Annotated[float, Meta(gt=0)] | None = None
    count: Count = 1
    vcpu: Count = 1
    mhz: Count = 1000
    memory_mib: Count
    tags: tuple[str, ...] = ()
    work: tuple[Annotated[float, Meta(gt=0)], ...] = ()


class InlineTrace(Trace, frozen=True, kw_only=True, tag="inline"):
    """`list` has the requests in the order of their arrival."""

    title: ClassVar[str] = "Requests written into a scenario"
    units: ClassVar[str] = "s, cores, MHz a core, MiB"

    list: Annotated[tuple[InlineRequest, ...], Meta(min_length=1)]

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        number, last = 0, 0.0
        for index, each in enumerate(self.list):
            if each.at < last:
                raise TraceError(
                    f"workload: list[{index}]: at: expected at least {last:g}, in the order of arrival"
                )
            last = each.at
            for _ in range(each.count):
                number += 1
                yield VmRequest(
                    str(number),
                    round(each.at * 1000),
                    None if each.lifetime is None else max(1, round(each.lifetime * 1000)),
                    each.vcpu,
                    each.mhz,
                    each.memory_mib,
                    tags=each.tags,
                    work_ms=tuple(max(1, round(seconds * 1000)) for seconds in each.work),
                )
