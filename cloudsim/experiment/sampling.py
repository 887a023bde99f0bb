"""The state of the cloud at regular times: of the whole, and of each host."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from cloudsim.experiment.cloud import Cloud
from cloudsim.experiment.feeding import Feeder
from cloudsim.experiment.recording import Recorder

SAMPLES = 1000
"""How many samples there are, about, where a scenario does not say how often."""
_NICE = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)

SAMPLE_COLUMNS = (
    "time_s",
    "arrived",
    "placed",
    "rejected",
    "failed",
    "pending",
    "instances",
    "cpu_mhz",
    "cpu_mhz_capacity",
    "vcpus",
    "memory_mib",
    "memory_mib_capacity",
    "gpu_milli",
    "gpu_milli_capacity",
    "hosts_up",
    "hosts_empty",
    "messages",
)


def interval_for(seconds: float) -> float:
    """A round interval that gives about SAMPLES samples in `seconds`."""
    wanted = seconds / SAMPLES
    for nice in _NICE:
        if nice >= wanted:
            return float(nice)
    return 86400.0 * math.ceil(wanted / 86400)


class HostSamples:
    """Used CPU, memory, GPU and the number of instances of every host, at some times."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.cpu_mhz: list[NDArray[np.int64]] = []
        self.memory_mib: list[NDArray[np.int64]] = []
        self.gpu_milli: list[NDArray[np.int64]] = []
        self.instances: list[NDArray[np.int64]] = []
        self.names: list[str] = []

    def take(self, time: float, cloud: Cloud) -> None:
        capacity = cloud.server.capacity
        n = capacity.size
        free = capacity.gpu_free[:n].astype(np.int64)
        hosts = cloud.store.tables["Host"]
        if len(self.names) != n:
            self.names = [getattr(hosts.get(host_id), "name", host_id) for host_id in capacity.ids]
        self.times.append(time)
        self.cpu_mhz.append(capacity.cpu_used[:n].copy())
        self.memory_mib.append(capacity.memory_used[:n].copy())
        self.instances.append(capacity.instances[:n].copy())
        self.gpu_milli.append(np.where(free >= 0, 1000 - free, 0).sum(axis=1))


class Sampler:
    """Samples every `interval` seconds, hosts every `host_stride`-th time."""

    def __init__(
        self,
        cloud: Cloud,
        recorder: Recorder,
        feeder: Feeder,
        start: float,
        interval: float,
        host_stride: int,
    ) -> None:
        self._cloud = cloud
        self._recorder = recorder
        self._feeder = feeder
        self._start = start
        self.interval = interval
        self._host_stride = host_stride
        self._number = 0
        self.rows: list[tuple[float, ...]] = []
        self.hosts = HostSamples()
        self.message_rows: list[tuple[float, str, int]] = []
        self._messages: Counter[str] = Counter(cloud.world.messages)
        self.messages: Counter[str] = Counter()

    def begin(self) -> None:
        """Sample now, and from now on."""
        self._tick()

    def _tick(self) -> None:
        self.take(self._number % self._host_stride == 0)
        self._number += 1
        loop = self._cloud.world.loop
        loop.call_at(self._start + self._number * self.interval, self._tick)

    def finish(self) -> None:
        """The last sample, hosts included, unless one was taken at this very time."""
        now = self._cloud.world.loop.time() - self._start
        if not self.hosts.times or self.hosts.times[-1] < now:
            if self.rows and self.rows[-1][0] >= now:
                self.hosts.take(now, self._cloud)
            else:
                self.take(True)

    def take(self, with_hosts: bool) -> None:
        """Write down the state as it is now."""
        cloud, counts = self._cloud, self._feeder.outcomes.counts
        levels = dict(
            zip(
                ("instances", "cpu", "vcpus", "memory", "gpu", "hosts", "cpus_of", "memory_of", "gpu_of"),
                self._recorder.levels.now,
                strict=True,
            )
        )
        now = cloud.world.loop.time() - self._start
        capacity = cloud.server.capacity
        n = capacity.size
        empty = int(np.count_nonzero(capacity.enabled[:n] & (capacity.instances[:n] == 0)))
        self._count_messages(now)
        self.rows.append(
            (
                now,
                len(self._feeder.outcomes),
                counts["placed"],
                counts["rejected"],
                counts["failed"],
                counts["pending"],
                levels["instances"],
                levels["cpu"],
                levels["cpus_of"],
                levels["vcpus"],
                levels["memory"],
                levels["memory_of"],
                levels["gpu"],
                levels["gpu_of"],
                levels["hosts"],
                empty,
                self.messages.total(),
            )
        )
        if with_hosts:
            self.hosts.take(now, cloud)

    def _count_messages(self, now: float) -> None:
        seen = self._cloud.world.messages
        for kind in sorted(seen):
            more = seen[kind] - self._messages[kind]
            if more:
                self.message_rows.append((now, kind, more))
                self.messages[kind] += more
        self._messages = Counter(seen)
