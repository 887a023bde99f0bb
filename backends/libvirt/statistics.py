"""What running instances use, from libvirt's counters."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from backends.libvirt.base import HostBase
from backends.libvirt.domain_xml import disk_slot
from cloudsim.protocol.specs import DiskStatistics, VmStatistics

FIRST_INTERVAL = 0.5
"""Seconds between the two samples of an instance that was never measured before."""

SHORTEST_INTERVAL = 0.2
"""Seconds that two samples must be apart to tell a percentage; sooner, the last one is told again."""

Counters = dict[str, Any]
"""libvirt's own names, as `virConnectGetAllDomainStats` documents them."""


class Sample(msgspec.Struct, frozen=True):
    """CPU time used by a domain until a moment, both in seconds, and the percentage that was told then."""

    run: tuple[str, int]
    """Which run of which instance: its id, and libvirt's number for this run."""
    at: float
    used: float
    percent: float | None = None


class Statistics(HostBase):
    """`vm_statistics` of `LibvirtHypervisor`."""

    _samples: dict[str, Sample] | None = None

    async def vm_statistics(self, names: tuple[str, ...]) -> tuple[VmStatistics, ...]:
        """Raises HypervisorError. An instance measured for the first time is sampled over half a second."""
        measured = await self._counters(names)
        samples = self._samples if self._samples is not None else {}
        fresh = {
            name: sample for name, (sample, _) in measured.items() if not follows(samples.get(name), sample)
        }
        if fresh:
            samples = samples | fresh
            await asyncio.sleep(FIRST_INTERVAL)
            measured = await self._counters(names)
        result = []
        for name, (sample, counters) in measured.items():
            told = with_percent(samples.get(name), sample, counters)
            samples[name] = told
            result.append(statistics_of(name, counters, told.percent or 0.0))
        if not names:
            samples = {name: samples[name] for name in measured}
        self._samples = samples
        return tuple(result)

    async def _counters(self, names: tuple[str, ...]) -> dict[str, tuple[Sample, Counters]]:
        def ask(connection: Any) -> dict[str, tuple[Sample, Counters]]:
            import libvirt

            kinds = (
                libvirt.VIR_DOMAIN_STATS_STATE
                | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
                | libvirt.VIR_DOMAIN_STATS_VCPU
                | libvirt.VIR_DOMAIN_STATS_BALLOON
                | libvirt.VIR_DOMAIN_STATS_INTERFACE
                | libvirt.VIR_DOMAIN_STATS_BLOCK
            )
            # NOWAIT: of a domain that is busy or stuck only a part is told, but no other waits for it.
            flags = (
                libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE
                | libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
            )
            found = {}
            for domain, counters in connection.getAllDomainStats(kinds, flags):
                name = domain.name()
                if not names or name in names:
                    run = (domain.UUIDString(), domain.ID())
                    found[name] = (Sample(run, time.monotonic(), counters.get("cpu.time", 0) / 1e9), counters)
            return found

        return await self.connection.call(f"measuring instances on {self.settings.name}", ask)


def follows(before: Sample | None, now: Sample) -> bool:
    """Whether both are of one run of one instance."""
    return before is not None and before.run == now.run and before.used <= now.used


def with_percent(before: Sample | None, now: Sample, counters: Counters) -> Sample:
    """`now`, with the percentage of its vCPUs used since `before`; `before` itself if that is too near."""
    if before is None or not follows(before, now):
        return now
    elapsed = now.at - before.at
    if elapsed < SHORTEST_INTERVAL and before.percent is not None:
        return before
    vcpus = max(1, counters.get("vcpu.current", 1))
    percent = 100.0 * (now.used - before.used) / (max(elapsed, 1e-3) * vcpus)
    return msgspec.structs.replace(now, percent=round(min(percent, 100.0), 2))


def statistics_of(name: str, counters: Counters, cpu_percent: float) -> VmStatistics:
    """libvirt's counters, summed over disks and NICs."""
    return VmStatistics(
        name=name,
        cpu_percent=cpu_percent,
        memory_mib=memory_used_kib(counters) // 1024,
        disk_read_bytes=_sum(counters, "block", "rd.bytes"),
        disk_write_bytes=_sum(counters, "block", "wr.bytes"),
        disk_read_ios=_sum(counters, "block", "rd.reqs"),
        disk_write_ios=_sum(counters, "block", "wr.reqs"),
        network_read_bytes=_sum(counters, "net", "rx.bytes"),
        network_write_bytes=_sum(counters, "net", "tx.bytes"),
        disks=tuple(_disks(counters)),
    )


def _disks(counters: Counters) -> Iterator[DiskStatistics]:
    """Of each disk in a slot; drives for ISOs have none."""
    for i in range(counters.get("block.count", 0)):
        device = disk_slot(str(counters.get(f"block.{i}.name", "")))
        if device is not None:
            names = ("rd.bytes", "wr.bytes", "rd.reqs", "wr.reqs")
            yield DiskStatistics(device, *(int(counters.get(f"block.{i}.{name}", 0)) for name in names))


def memory_used_kib(counters: Counters) -> int:
    """What the guest says that it uses, its caches not counted; what the host gave it, where the guest says
    nothing."""
    available = counters.get("balloon.available")
    for free in ("balloon.usable", "balloon.unused"):
        if available is not None and free in counters:
            return int(max(0, available - counters[free]))
    given = counters.get("balloon.current", 0)
    return int(min(counters.get("balloon.rss", given), given) if given else counters.get("balloon.rss", 0))


def _sum(counters: Counters, group: str, counter: str) -> int:
    return sum(
        int(counters.get(f"{group}.{i}.{counter}", 0)) for i in range(counters.get(f"{group}.count", 0))
    )
