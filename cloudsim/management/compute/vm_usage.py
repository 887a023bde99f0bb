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
from cloudsim.management.infrastructure.host_uses import HostUse
from cloudsim.management.operations.sample_chunks import SampleChunks
from cloudsim.model import Host, VirtualMachine, VmUsage
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
    """`run` asks the hosts, `of` answers what they said. `spawn` runs a coroutine in the background.

    `on_host(host_id, use)` is told what all instances of a host that was asked use of it.
    """

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        spawn: Callable[[Coroutine[Any, Any, Any]], object],
        on_host: Callable[[str, HostUse], None],
    ) -> None:
        self._foundation = foundation
        self._settings = foundation.settings
        self._store = foundation.store
        self._on_host = on_host
        self._hosts = foundation.table(Host)
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
        host = self._hosts.get(host_id)
        mhz, memory, read, written = 0.0, 0, 0, 0
        with self._store.transaction():
            for found in measured:
                vm = self._vms.find("instance_name", found.name)
                if vm is None or vm.host_id != host_id or host is None:
                    continue
                mhz += found.cpu_percent / 100 * vm.cpus * host.cpu_mhz
                memory += found.memory_mib
                sample = self._new(vm, found, at)
                if sample is not None:
                    read, written = read + sample.network_read_bytes, written + sample.network_write_bytes
                    if vm.type == "User" or not users_only:
                        self._samples.add(vm.id, sample)
        self._on_host(host_id, HostUse(round(mhz), memory, read, written))

    def _new(self, vm: VirtualMachine, found: VmStatistics, at: float) -> UsageSample | None:
        """What is new in what was counted; that only the second measurement tells."""
        before = self._last.get(vm.id)
        self._last[vm.id] = found
        return None if before is None else _sample(at, before, found)

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
