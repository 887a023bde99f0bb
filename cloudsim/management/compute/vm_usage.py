"""What instances use of their hosts over time, as hosts measure it.

Within `vm.stats.interval` each host that is up is asked once, one after the other, so that a large cloud is asked
evenly. What a host answers are counters since the instance's start; kept is what was added since the answer before.
Samples stand in rows of `CHUNK`, which are let go of after `vm.stats.max.retention.time`, or with their instance.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, cast

from msgspec.structs import replace

from cloudsim.errors import CloudError
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.model import Host, VirtualMachine, VmUsage
from cloudsim.model.compute import UsageSample
from cloudsim.protocol.commands import VmStatisticsAnswer, VmStatisticsCommand
from cloudsim.protocol.specs import VmStatistics

INTERVAL, RETENTION, USERS_ONLY = "vm.stats.interval", "vm.stats.max.retention.time", "vm.stats.user.vm.only"
CHUNK = 12
"""Samples of an instance that stand in one row."""
COUNTED = (
    "disk_read_bytes",
    "disk_write_bytes",
    "disk_read_ios",
    "disk_write_ios",
    "network_read_bytes",
    "network_write_bytes",
)
"""What hosts count from an instance's start on."""
_OFF = 300.0
"""Seconds between looks at whether measurements are wanted again, or hosts are there."""


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
        self._agents = agents
        self._spawn = spawn
        self._hosts = foundation.table(Host)
        self._vms = foundation.table(VirtualMachine)
        self._table = foundation.table(VmUsage)
        self._uuid = foundation.randomness.branch("vm usage").uuid
        self._last: dict[str, VmStatistics] = {}
        self._asked: set[str] = set()

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            hosts = [host.id for host in self._hosts.where("state", "Up")]
            interval = self._settings.number(INTERVAL) / 1000
            if not interval or not hosts:
                await asyncio.sleep(interval or _OFF)
                continue
            for host_id in hosts:
                await asyncio.sleep(interval / len(hosts))
                if host_id not in self._asked and self._agents.is_connected(host_id):
                    self._asked.add(host_id)
                    self._spawn(self._measure(host_id))
            self._purge()

    def of(self, vm_id: str, start: float | None = None, end: float | None = None) -> Iterator[UsageSample]:
        """The samples of an instance from `start` to `end` (Unix seconds, both included), the oldest first."""
        for chunk in self._table.where("vm_id", vm_id):
            for sample in chunk.samples:
                if (start is None or sample.at >= start) and (end is None or sample.at <= end):
                    yield sample

    def latest(self, vm_id: str) -> UsageSample | None:
        """The last sample of an instance; None before there is one."""
        chunk_id = next(reversed(cast("dict[str, None]", self._table.ids("vm_id", vm_id))), None)
        return None if chunk_id is None else self._table[chunk_id].samples[-1]

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
            for chunk in self._table.where("vm_id", vm.id):
                self._table.delete(chunk.id)

    async def _measure(self, host_id: str) -> None:
        try:
            answer = await self._agents.send(host_id, VmStatisticsCommand())
        except CloudError:
            return  # the next round asks again
        finally:
            self._asked.discard(host_id)
        if not isinstance(answer, VmStatisticsAnswer) or not answer.ok:
            return
        users_only = self._settings.boolean(USERS_ONLY)
        at = round(self._foundation.now(), 3)
        with self._store.transaction():
            for found in answer.vms:
                vm = self._vms.find("instance_name", found.name)
                if vm is not None and vm.host_id == host_id and (vm.type == "User" or not users_only):
                    self._keep(vm, found, at)

    def _keep(self, vm: VirtualMachine, found: VmStatistics, at: float) -> None:
        before = self._last.get(vm.id)
        self._last[vm.id] = found
        if before is None:
            return  # how much of what it counted is new, the next one tells
        sample = _sample(at, before, found)
        chunks = self._table.where("vm_id", vm.id)
        if chunks and len(chunks[-1].samples) < CHUNK:
            self._table.update(chunks[-1].id, samples=(*chunks[-1].samples, sample))
        else:
            self._table.insert(VmUsage(id=self._uuid(), vm_id=vm.id, begun=at, samples=(sample,)))

    def _purge(self) -> None:
        oldest = self._foundation.now() - 60 * self._settings.number(RETENTION)
        old = []
        for chunk in self._table:  # insertion order is the order of `begun`
            if chunk.begun >= oldest:
                break
            if chunk.samples[-1].at < oldest:
                old.append(chunk.id)
        with self._store.transaction():
            for chunk_id in old:
                self._table.delete(chunk_id)


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
