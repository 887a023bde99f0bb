"""How fast a served cloud's time goes: as the wall's, a number of times as fast, `max`, or not at all.

With `max` simulated time waits for nobody while there is work: an instance starts in milliseconds. When there is
none, it goes as the wall's does, so that an idle cloud neither burns a core nor races through the years.
While a program of an extension runs it goes as the wall's does at most: what waits for it would else run out of patience.
While somebody waits for the disk it goes only `BESIDE_THE_DISK` times as fast: an fsync would else last for hours of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from backends.simulated.loop import SimLoop
from cloudsim.management.operations.jobs import Jobs
from cloudsim.model import AsyncJob, TemplateOnStore
from cloudsim.store import Change, Store

MAX = math.inf
REAL = 1.0
PAUSE = 0.0
BESIDE_THE_DISK = 100.0


class PaceType(click.ParamType[float]):
    """`real`, `max`, or a factor such as `10x`."""

    name = "real|10x|max"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return pace_of(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def pace_of(text: str) -> float:
    """Simulated seconds per real one that `real`, `max`, or a factor such as `10x` means. ValueError for others."""
    word = text.strip().lower()
    if word in ("real", "max"):
        return REAL if word == "real" else MAX
    found = re.fullmatch(r"(\d+(?:\.\d+)?)x", word, re.ASCII)
    if found is None or not 0 < float(found[1]) <= 1e6:
        raise ValueError(f"{text!r} is not a pace: use real, max, or a factor such as 10x")
    return float(found[1])


def pace_text(rate: float) -> str:
    """The pace as `pace_of` reads it; `pause` for none."""
    if rate == PAUSE:
        return "pause"
    return "max" if rate == MAX else "real" if rate == REAL else f"{rate:g}x"


class Pacing:
    """Sets the pace of `loop`, on whose thread it is used: `hurry` while the cloud is set up, then `follow` its work."""

    def __init__(self, loop: SimLoop, rate: float) -> None:
        self._loop = loop
        self.rate = rate
        """What is asked for while time goes."""
        self.paused = False
        self._working = 0
        self._waiting = 0
        self._outside = 0
        self._downloading: set[str] = set()
        self._hurrying = False
        self._jobs: Jobs | None = None

    def ask(self, rate: float) -> None:
        """From now on time goes at that rate, if it was paused, too; `PAUSE` stops it, and leaves `rate` as it is."""
        self.paused = rate == PAUSE
        if not self.paused:
            self.rate = rate
        self._set()

    def hurry(self) -> None:
        """Until `follow`, simulated time takes none."""
        self._hurrying = True
        self._set()

    def follow(self, store: Store, jobs: Jobs) -> None:
        """From now on time goes at the rate that was asked for; jobs, downloads and `work` are work."""
        self._hurrying = False
        self._jobs = jobs
        table = store.table(TemplateOnStore)
        self._downloading = {copy.id for copy in table if copy.state == "Creating"}
        store.subscribe(self._changed, AsyncJob, TemplateOnStore)
        self._set()

    @contextmanager
    def work(self) -> Iterator[None]:
        """Inside of it, somebody waits for something that takes simulated time."""
        self._working += 1
        self._set()
        try:
            yield
        finally:
            self._working -= 1
            self._set()

    @contextmanager
    def disk(self) -> Iterator[None]:
        """Inside of it, somebody waits for something that takes real time."""
        self._waiting += 1
        self._set()
        try:
            yield
        finally:
            self._waiting -= 1
            self._set()

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Inside of it, somebody waits for something outside of the simulation: time goes no faster than real."""
        self._outside += 1
        self._set()
        try:
            yield
        finally:
            self._outside -= 1
            self._set()

    def _changed(self, changes: list[Change]) -> None:
        for _, before, after in changes:
            if isinstance(after or before, TemplateOnStore):
                if after is not None and after.state == "Creating":
                    self._downloading.add(after.id)
                else:
                    self._downloading.discard((after or before).id)
        self._set()

    def _set(self) -> None:
        rate = self._now()
        if rate != self._loop.pace:
            self._loop.pace = rate

    def _outstanding(self) -> int:
        return self._jobs.outstanding if self._jobs is not None else 0

    def _now(self) -> float:
        if self._hurrying:
            return REAL if self._waiting or self._outside else MAX
        if self.paused:
            return PAUSE
        if self._outside:
            return min(self.rate, REAL)
        if self.rate != MAX:
            return self.rate
        if not (self._working or self._downloading or self._outstanding()):
            return REAL
        return BESIDE_THE_DISK if self._waiting else MAX
