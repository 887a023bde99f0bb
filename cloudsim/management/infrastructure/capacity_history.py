"""What a cloud had and what of it was taken, over time: one sample of every zone each few minutes.

Samples are taken at whole multiples of `capacity.history.interval` seconds of Unix time, so that those of all zones, and
those before and after a restart, fit together. They are kept whole for `capacity.history.retention` days, and then
one for each hour until `capacity.history.hourly.retention` days. A sample costs what the capacity report costs:
sums over arrays and counters, whatever the number of instances.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections import Counter
from itertools import groupby
from operator import attrgetter

import numpy as np

from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.capacity_report import CapacityReport
from cloudsim.model import CapacitySample, Host, VirtualMachine, Zone
from cloudsim.placement.capacity import HostCapacity
from cloudsim.store import Change

DAY, HOUR = 86_400.0, 3600.0
INTERVAL, RETENTION, HOURLY = (
    "capacity.history.interval",
    "capacity.history.retention",
    "capacity.history.hourly.retention",
)
TENTHS = 10
"""Classes of how full a host is."""
_OFF = 300.0
"""Seconds between looks at whether samples are wanted again."""

_time = attrgetter("sampled")


class CapacityHistory:
    """Takes samples from `begin` on (`run` is the loop), and finds those of a zone."""

    def __init__(self, foundation: Foundation, hosts: HostCapacity, report: CapacityReport) -> None:
        self._foundation = foundation
        self._settings = foundation.settings
        self._report = report
        self._capacity = hosts
        self._zones = foundation.table(Zone)
        self._hosts = foundation.table(Host)
        self._table = foundation.table(CapacitySample)
        self._uuid = foundation.randomness.branch("capacity history").uuid
        self._instances: dict[str, Counter[str]] = {}
        self._samples: dict[str, list[CapacitySample]] = {}
        self._hourly: dict[str, int] = {}

    def begin(self) -> None:
        """Count what is there, and keep count from now on."""
        for vm in self._foundation.table(VirtualMachine):
            self._count(vm, 1)
        for sample in self._table:
            self._samples.setdefault(sample.zone_id, []).append(sample)
        self._foundation.store.subscribe(self._changed, VirtualMachine)

    async def run(self) -> None:
        """Take samples when they are due, for ever."""
        while True:
            interval = self._settings.number(INTERVAL)
            await asyncio.sleep(self._until_due(interval) if interval else _OFF)
            if interval and interval == self._settings.number(INTERVAL):
                self.sample()

    def _until_due(self, interval: float) -> float:
        """Seconds to the next multiple of the interval, and not to the one that was just met."""
        now = self._foundation.now()
        wait = interval - now % interval
        return wait if wait > 1e-3 * interval else wait + interval

    def sample(self) -> None:
        """Add a sample of every zone, and let go of what has been kept long enough."""
        now = round(self._foundation.now(), 3)
        with self._foundation.store.transaction():
            self._forget_zones()
            if len(self._zones):
                found = {zone.id: self._of(zone, now, self._uuid()) for zone in self._zones}
                for zone_id, sample in found.items():
                    self._table.insert(sample)
                    self._thin(zone_id, now)
        if len(self._zones):
            for zone_id, sample in found.items():
                self._samples.setdefault(zone_id, []).append(sample)

    def between(
        self, zone_id: str, start: float | None, end: float | None, apart: float = 0.0
    ) -> list[CapacitySample]:
        """The samples of a zone from `start` to `end` (Unix seconds, both included), the oldest first.

        With `apart` only the first of each span of that many seconds, the spans being multiples of it.
        """
        samples = self._samples.get(zone_id, [])
        first = 0 if start is None else bisect_left(samples, start, key=_time)
        last = len(samples) if end is None else bisect_right(samples, end, key=_time)
        found = samples[first:last]
        if not apart:
            return found
        return [next(span) for _, span in groupby(found, key=lambda sample: sample.sampled // apart)]

    def latest(self, zone: Zone) -> CapacitySample:
        """A sample of now, that is not kept."""
        return self._of(zone, round(self._foundation.now(), 3), "")

    def _of(self, zone: Zone, now: float, row_id: str) -> CapacitySample:
        capacities = self._report.of((zone,))
        states = Counter(host.state for host in self._hosts.where("zone_id", zone.id))
        return CapacitySample(
            id=row_id,
            zone_id=zone.id,
            sampled=now,
            types=tuple(each.type for each in capacities),
            used=tuple(each.used for each in capacities),
            total=tuple(each.total for each in capacities),
            instances={state: n for state, n in sorted(self._instances.get(zone.id, Counter()).items()) if n},
            hosts=dict(sorted(states.items())),
            fill=self._fill(zone.id),
        )

    def _fill(self, zone_id: str) -> tuple[int, ...]:
        """How many of the zone's hosts are filled up to each tenth, by the scarcer of CPU and memory."""
        capacity = self._capacity
        n = capacity.size
        here = np.flatnonzero((capacity.zone[:n] == capacity.group(zone_id)) & capacity.enabled[:n])
        cpu = capacity.cpu_used[here] / np.maximum(capacity.cpu_total[here], 1)
        memory = capacity.memory_used[here] / np.maximum(capacity.memory_total[here], 1)
        classes = np.clip((np.maximum(cpu, memory) * TENTHS).astype(np.int64), 0, TENTHS - 1)
        return tuple(np.bincount(classes, minlength=TENTHS).tolist())

    def _forget_zones(self) -> None:
        for zone_id in [each for each in self._samples if each not in self._zones]:
            for sample in self._samples.pop(zone_id):
                self._table.delete(sample.id)
            self._hourly.pop(zone_id, None)

    def _thin(self, zone_id: str, now: float) -> None:
        """Of what is older than the retention keep the first of each hour; of what is too old for that, nothing.

        What has been thinned (`_hourly` samples from the beginning) is not looked at again.
        """
        samples = self._samples.get(zone_id)
        if not samples:
            return
        whole = now - DAY * self._settings.number(RETENTION)
        oldest = now - DAY * max(self._settings.number(HOURLY), self._settings.number(RETENTION))
        thinned = self._hourly.get(zone_id, 0)
        gone = 0
        while gone < len(samples) and samples[gone].sampled < oldest:
            self._table.delete(samples[gone].id)
            gone += 1
        if gone:
            del samples[:gone]
            thinned = max(0, thinned - gone)
        while thinned < len(samples) and samples[thinned].sampled < whole:
            if thinned and samples[thinned].sampled // HOUR == samples[thinned - 1].sampled // HOUR:
                self._table.delete(samples.pop(thinned).id)
            else:
                thinned += 1
        self._hourly[zone_id] = thinned

    def _changed(self, changes: list[Change]) -> None:
        for _, before, after in changes:
            if before is not None and after is not None and before.state == after.state:
                continue
            if before is not None:
                self._count(before, -1)
            if after is not None:
                self._count(after, 1)

    def _count(self, vm: VirtualMachine, sign: int) -> None:
        if vm.type == "User":
            self._instances.setdefault(vm.zone_id, Counter())[vm.state] += sign
