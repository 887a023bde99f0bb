"""What all traces have in common: which part of one is taken, and how it is read, row by row or as columns.

A format says how its requests are read (`read`), and where it can do so fast, also how columns of them are (`columns`).
The options that all formats have are applied here to either, with the same result.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec
import numpy as np
from msgspec import Meta

from cloudsim.experiment.blocks import ENDLESS, RequestBlock, blocks_of
from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.prediction import Prediction
from cloudsim.experiment.traces.sample import Sample
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
    is all that is left of them. `lifetime_error` lets placement be told lifetimes that are wrong by as much, see
    `traces.prediction`; 0 tells the true ones. Without it placement is told what the trace says, mostly nothing.
    """

    title: ClassVar[str]
    """What the format is, in a line."""

    units: ClassVar[str] = "s, cores, MHz a core, MiB"
    """The units of its times and sizes, which become ms, cores, MHz of each core, and MiB."""

    source: ClassVar[str] = ""
    """Where users get such a trace, for the error when the file is not there."""

    paths: ClassVar[tuple[str, ...]] = ("path",)
    """The fields that are paths, where they are text."""

    folders: ClassVar[bool] = False
    """Whether such a path may be a folder."""

    start: NotNegative = 0
    limit: Count | None = None
    lifetimes: Literal["recorded", "endless"] = "recorded"
    interarrival: Positive = 1.0
    every_ms: Count | None = None
    lifetime_error: Annotated[float, Meta(ge=0)] | None = None

    @classmethod
    def recognises(cls, sample: Sample) -> bool:
        """Whether a file that begins like that is one of this format, and of no other."""
        return False

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        """The whole trace, streaming, in the order of arrival; paths are relative to `folder`."""
        raise NotImplementedError

    def columns(self, folder: Path, randomness: Randomness) -> Iterator[RequestBlock]:
        """What `read` gives, as columns. Formats that can do it without an object for each request do so."""
        return blocks_of(self.read(folder, randomness))

    def files(self, folder: Path) -> tuple[Path, ...]:
        """The files (or folders) that the trace is read from."""
        values = (getattr(self, name, None) for name in self.paths)
        return tuple(folder / value for value in values if isinstance(value, str))

    def requests(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        """The part of the trace that was asked for. The same arguments give the same requests again.

        Raises TraceError for a missing file or a malformed row; arrivals never go back.
        """
        self._need(folder)
        prediction = self._prediction(randomness)
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
                raise _out_of_order(index)
            last = arrival
            taken += 1
            lifetime = None if self.lifetimes == "endless" else request.lifetime_ms
            expected = request.expected_ms if prediction is None else prediction.of(lifetime)
            if (arrival, lifetime, expected) != (
                request.arrival_ms,
                request.lifetime_ms,
                request.expected_ms,
            ):
                request = msgspec.structs.replace(
                    request, arrival_ms=arrival, lifetime_ms=lifetime, expected_ms=expected
                )
            yield request

    def blocks(self, folder: Path, randomness: Randomness) -> Iterator[RequestBlock]:
        """The same requests as columns, for engines that take millions of them; ids are not read.

        So two requests of one id are not an error here, as looking for them takes memory that grows with the trace;
        `requests` finds them, as `cloudsim trace check` does. Blocks are checked whole, so that a
        malformed row may be found that is a little after `limit`. `flavours` may have some that nobody asks for.
        """
        self._need(folder)
        prediction = self._prediction(randomness)
        end = None if self.limit is None else self.start + self.limit
        origin: int | None = None
        last = 0
        for block in self.columns(folder, randomness):
            if end is not None and block.first >= end:
                return
            low = max(0, self.start - block.first)
            high = len(block) if end is None else min(len(block), end - block.first)
            if low >= high:
                continue
            part = slice(low, high)
            if origin is None:
                origin = int(block.arrival_ms[low])
            number = block.first + low
            arrivals = block.arrival_ms[part] - origin
            if self.every_ms is not None:
                taken = number - self.start
                arrivals = np.arange(taken, taken + high - low, dtype=np.int64) * self.every_ms
            elif self.interarrival != 1.0:
                arrivals = np.rint(arrivals * self.interarrival).astype(np.int64)
            back = np.flatnonzero(np.diff(arrivals, prepend=last) < 0)
            if back.size:
                raise _out_of_order(number + int(back[0]))
            last = int(arrivals[-1])
            lifetimes = block.lifetime_ms[part]
            if self.lifetimes == "endless":
                lifetimes = np.full(high - low, ENDLESS, np.int64)
            yield RequestBlock(
                number - self.start,
                arrivals,
                lifetimes,
                block.expected_ms[part] if prediction is None else prediction.all(lifetimes),
                block.flavour[part],
                block.flavours,
                block.tenants[part],
                block.groups[part],
            )

    def _prediction(self, randomness: Randomness) -> Prediction | None:
        return None if self.lifetime_error is None else Prediction(self.lifetime_error, randomness)

    def _need(self, folder: Path) -> None:
        for path in self.files(folder):
            if path.is_file() or (self.folders and path.is_dir()):
                continue
            what = "file or folder" if self.folders else "file"
            origin = f" {self.source}" if self.source else ""
            raise TraceError(f"{path}: there is no such {what}.{origin}")


def _out_of_order(index: int) -> TraceError:
    return TraceError(f"request {index + 1} arrives before the one that it follows")
