"""What is read and written of volumes, as the hosts of their instances measure it.

Hosts are asked within `vm.disk.stats.interval` seconds, but no more often than every `vm.disk.stats.interval.min`. What
was read and written in all is kept with every volume; with `vm.disk.stats.retention.enabled` also how much at which
time, for `vm.disk.stats.max.retention.time` minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from cloudsim.management.compute.statistics_rounds import StatisticsRounds
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.operations.sample_chunks import SampleChunks
from cloudsim.model import VirtualMachine, Volume, VolumeStatistics, VolumeUsage
from cloudsim.model.storage import VolumeSample
from cloudsim.protocol.specs import DiskStatistics, VmStatistics
from cloudsim.store import Change

INTERVAL, LEAST = "vm.disk.stats.interval", "vm.disk.stats.interval.min"
KEEP, RETENTION = "vm.disk.stats.retention.enabled", "vm.disk.stats.max.retention.time"
COUNTED = ("read_bytes", "write_bytes", "read_ios", "write_ios")


class VolumeUsages:
    """`run` asks the hosts, `of` and `total` answer what they said. `spawn` runs a coroutine in the background."""

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        spawn: Callable[[Coroutine[Any, Any, Any]], object],
    ) -> None:
        self._foundation = foundation
        self._settings = foundation.settings
        self._store = foundation.store
        self._vms = foundation.table(VirtualMachine)
        self._volumes = foundation.table(Volume)
        self._totals = foundation.table(VolumeStatistics)
        self._uuid = uuid = foundation.randomness.branch("volume usage").uuid
        self._samples: SampleChunks[VolumeSample] = SampleChunks(
            foundation.store, VolumeUsage, "volume_id", uuid
        )
        self._last: dict[str, DiskStatistics] = {}
        self._rounds = StatisticsRounds(foundation, agents, spawn, self._interval, self._take, self._purge)
        foundation.store.subscribe(self._changed, Volume)

    async def run(self) -> None:
        """Ask for ever."""
        await self._rounds.run()

    def _interval(self) -> float:
        wanted = self._settings.number(INTERVAL)
        return max(wanted, self._settings.number(LEAST)) if wanted else 0.0

    def of(
        self, volume_id: str, start: float | None = None, end: float | None = None
    ) -> Iterator[VolumeSample]:
        """The samples of a volume from `start` to `end` (Unix seconds, both included), the oldest first."""
        return self._samples.of(volume_id, start, end)

    def total(self, volume_id: str) -> VolumeStatistics | None:
        """What was read and written of a volume in all; None before it was measured."""
        return self._totals.find("volume_id", volume_id)

    def _changed(self, changes: list[Change]) -> None:
        """What is attached anew, or gone, is counted from nothing."""
        for _, before, after in changes:
            if before is not None and (after is None or after.vm_id != before.vm_id):
                self._last.pop(before.id, None)

    def _take(self, host_id: str, measured: tuple[VmStatistics, ...], at: float) -> None:
        keep = self._settings.boolean(KEEP)
        with self._store.transaction():
            for found in measured:
                vm = self._vms.find("instance_name", found.name)
                if vm is None or vm.host_id != host_id:
                    continue
                volumes = {volume.device_id: volume for volume in self._volumes.where("vm_id", vm.id)}
                for disk in found.disks:
                    if disk.device in volumes:
                        self._add(volumes[disk.device].id, disk, at, keep=keep)

    def _add(self, volume_id: str, disk: DiskStatistics, at: float, *, keep: bool) -> None:
        before = self._last.get(volume_id)
        self._last[volume_id] = disk
        if before is None:
            return  # how much of what it counted is new, the next one tells
        new = {counter: _since(before, disk, counter) for counter in COUNTED}
        if keep:
            self._samples.add(volume_id, VolumeSample(at=at, **new))
        total = self._totals.find("volume_id", volume_id)
        if total is None:
            self._totals.insert(VolumeStatistics(id=self._uuid(), volume_id=volume_id, measured=at, **new))
        else:
            sums = {counter: getattr(total, counter) + new[counter] for counter in COUNTED}
            self._totals.update(total.id, measured=at, **sums)

    def _purge(self) -> None:
        with self._store.transaction():
            self._samples.purge(self._foundation.now() - 60 * self._settings.number(RETENTION))


def _since(before: DiskStatistics, now: DiskStatistics, counter: str) -> int:
    first, last = getattr(before, counter), getattr(now, counter)
    return int(last - first if last >= first else last)  # it counts anew since its instance's start
