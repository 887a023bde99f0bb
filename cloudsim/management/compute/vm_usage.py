"""What instances use of their hosts over time, as hosts measure it.

Hosts are asked within `vm.stats.interval`. What a host answers are counters since the instance's start; kept is what was
added since the answer before, until `vm.stats.max.retention.time` has passed or the instance is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from msgspec.structs import replace

from cloudsim.management.compute.statistics_rounds import StatisticsRounds
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.operations.sample_chunks import SampleChunks
from cloudsim.model import VirtualMachine, VmUsage
from cloudsim.model.compute import UsageSample
from cloudsim.protocol.specs import VmStatistics

INTERVAL, RETENTION, USERS_ONLY = "vm.stats.interval", "vm.stats.max.retention.time", "vm.stats.user.vm.only"
COUNTED = (
    "disk_read_bytes",
    "disk_write_bytes",
    "disk_read_ios",
    "disk_write_ios",
    "network_read_bytes",
    "network_write_bytes",
)
"""What hosts count from an instance's start on."""


class VmUsages:
    """`run` asks the hosts, `of` answers what they said. `spawn` runs a coroutine in the background."""

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
        uuid = foundation.randomness.branch("vm usage").uuid
        self._samples: SampleChunks[UsageSample] = SampleChunks(foundation.store, VmUsage, "vm_id", uuid)
        self._last: dict[str, VmStatistics] = {}
        self._rounds = StatisticsRounds(foundation, agents, spawn, self._interval, self._take, self._purge)

    async def run(self) -> None:
        """Ask for ever."""
        await self._rounds.run()

    def _interval(self) -> float:
        return self._settings.number(INTERVAL) / 1000

    def of(self, vm_id: str, start: float | None = None, end: float | None = None) -> Iterator[UsageSample]:
        """The samples of an instance from `start` to `end` (Unix seconds, both included), the oldest first."""
        return self._samples.of(vm_id, start, end)

    def latest(self, vm_id: str) -> UsageSample | None:
        """The last sample of an instance; None before there is one."""
        return self._samples.latest(vm_id)

    def total(self, vm_id: str) -> UsageSample | None:
        """The last sample, with all that is kept of what was read, written and sent added up."""
        samples = list(self.of(vm_id))
        if not samples:
            return None
        sums = {field: sum(getattr(sample, field) for sample in samples) for field in COUNTED}
        return replace(samples[-1], **sums)

    async def forget(self, vm: VirtualMachine) -> None:
        """The instance is gone."""
        self._last.pop(vm.id, None)
        with self._store.transaction():
            self._samples.forget(vm.id)

    def _take(self, host_id: str, measured: tuple[VmStatistics, ...], at: float) -> None:
        users_only = self._settings.boolean(USERS_ONLY)
        with self._store.transaction():
            for found in measured:
                vm = self._vms.find("instance_name", found.name)
                if vm is not None and vm.host_id == host_id and (vm.type == "User" or not users_only):
                    self._keep(vm, found, at)

    def _keep(self, vm: VirtualMachine, found: VmStatistics, at: float) -> None:
        before = self._last.get(vm.id)
        self._last[vm.id] = found
        if before is not None:  # how much of what it counted is new, only the next one tells
            self._samples.add(vm.id, _sample(at, before, found))

    def _purge(self) -> None:
        with self._store.transaction():
            self._samples.purge(self._foundation.now() - 60 * self._settings.number(RETENTION))


def _sample(at: float, before: VmStatistics, now: VmStatistics) -> UsageSample:
    def since(counter: str) -> int:
        first, last = getattr(before, counter), getattr(now, counter)
        return int(last - first if last >= first else last)  # it counts anew since its start

    return UsageSample(
        at=at,
        cpu_percent=round(now.cpu_percent, 2),
        memory_mib=now.memory_mib,
        **{counter: since(counter) for counter in COUNTED},
    )
