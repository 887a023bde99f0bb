"""What all traces have in common: which part of one is taken, and how it is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.randomness import Randomness

NotNegative = Annotated[int, Meta(ge=0)]
Count = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0)]


class Trace(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="format", gc=False
):
    """Where requests come from. Subclasses say their `format` and what else has to be known.

    `start` requests are left out and at most `limit` are taken; arrivals count from the first one taken.
    `lifetimes: endless` leaves every instance running. `interarrival` multiplies the time between
    requests: 0.5 is twice the load. `every_ms` lets them arrive that far apart, whatever their times: the order
    is all that is left of them.
    """

    source: ClassVar[str] = ""
    """Where users get such a trace, for the error when the file is not there."""

    start: NotNegative = 0
    limit: Count | None = None
    lifetimes: Literal["recorded", "endless"] = "recorded"
    interarrival: Positive = 1.0
    every_ms: Count | None = None

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        """The whole trace, streaming, in the order of arrival; paths are relative to `folder`."""
        raise NotImplementedError

    def files(self, folder: Path) -> tuple[Path, ...]:
        """The files that the trace is read from."""
        return ()

    def requests(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        """The part of the trace that was asked for. The same arguments give the same requests again.

        Raises TraceError for a missing file or a malformed row; arrivals never go back.
        """
        self._need(folder)
        first: int | None = None
        last = 0
        taken = 0
        for index, request in enumerate(self.read(folder, randomness)):
            if index < self.start:
                continue
            if self.limit is not None and taken >= self.limit:
                return
            if first is None:
                first = request.arrival_ms
            arrival = request.arrival_ms - first
            if self.every_ms is not None:
                arrival = taken * self.every_ms
            elif self.interarrival != 1.0:
                arrival = round(arrival * self.interarrival)
            if arrival < last:
                raise TraceError(f"request {request.id} arrives before the one that it follows")
            last = arrival
            taken += 1
            lifetime = None if self.lifetimes == "endless" else request.lifetime_ms
            if arrival != request.arrival_ms or lifetime != request.lifetime_ms:
                request = msgspec.structs.replace(request, arrival_ms=arrival, lifetime_ms=lifetime)
            yield request

    def _need(self, folder: Path) -> None:
        for path in self.files(folder):
            if not path.is_file():
                origin = f" {self.source}" if self.source else ""
                raise TraceError(f"{path}: there is no such file.{origin}")
