"""The same lists with figures for a dashboard: what is taken, in the units that people read."""

from __future__ import annotations

from typing import Annotated, Any, Self

from cloudsim.management.infrastructure.capacity_report import HostSums, Level
from cloudsim.management.infrastructure.host_uses import HostUse
from cloudsim.model import Cluster, Host, StoragePool, VirtualMachine, Zone
from server.api.command import ROOT, Call, command
from server.api.commands.infrastructure.capacity_view import capacity_report
from server.api.commands.infrastructure.clusters import ClusterView, list_clusters
from server.api.commands.infrastructure.host_view import HostView, percent, shows
from server.api.commands.infrastructure.hosts import list_hosts
from server.api.commands.infrastructure.storage_pools import StoragePoolView, list_storage_pools
from server.api.commands.infrastructure.zone_view import ZoneView
from server.api.commands.infrastructure.zones import list_zones
from server.api.views import Long

GROUP = "Metrics"
GIB = 1 << 30
CPU_LIMIT = "cluster.cpu.allocated.capacity.disablethreshold"
MEMORY_LIMIT = "cluster.memory.allocated.capacity.disablethreshold"
CPU_NOTICE = "cluster.cpu.allocated.capacity.notificationthreshold"
MEMORY_NOTICE = "cluster.memory.allocated.capacity.notificationthreshold"
POOL_LIMIT = "pool.storage.allocated.capacity.disablethreshold"
POOL_FULL = "pool.storage.capacity.disablethreshold"
POOL_NOTICE = "cluster.storage.allocated.capacity.notificationthreshold"


class _Sums:
    """CPU and memory over the hosts of a place that take instances."""

    def __init__(self, call: Call, place: Zone | Cluster) -> None:
        level: Level = "zone" if isinstance(place, Zone) else "cluster"
        sums: HostSums | None = call.cache.get(f"{level} sums")
        if sums is None:
            sums = call.cache[f"{level} sums"] = capacity_report(call).host_sums(level)
        found = sums.of(call.manager.capacity.group(place.id))
        self.hosts, self.cpu, self.cpu_used, self.memory, self.memory_used = found[:5]

        self.use: HostUse = call.manager.host_uses.within(place.id)

    def fill(self, view: Any, call: Call) -> None:
        """Set the fields that zones and clusters share."""
        settings = call.manager.settings
        view.cputotal, view.memorytotal = _ghz(self.cpu), _gb(self.memory)
        view.cpuallocated = percent(self.cpu_used, self.cpu)
        view.memoryallocated = percent(self.memory_used, self.memory)
        cpu, memory = self.cpu_used / (self.cpu or 1), self.memory_used / (self.memory or 1)
        view.cpuallocatedthreshold = cpu > settings.number(CPU_NOTICE)
        view.cpuallocateddisablethreshold = cpu > settings.number(CPU_LIMIT)
        view.memoryallocatedthreshold = memory > settings.number(MEMORY_NOTICE)
        view.memoryallocateddisablethreshold = memory > settings.number(MEMORY_LIMIT)
        view.cpuused = percent(self.use.cpu_mhz, self.cpu)
        view.memoryused = percent(self.use.memory_mib, self.memory)
        cpu, memory = self.use.cpu_mhz / (self.cpu or 1), self.use.memory_mib / (self.memory or 1)
        view.cputhreshold = cpu > settings.number(CPU_NOTICE)
        view.cpudisablethreshold = cpu > settings.number(CPU_LIMIT)
        view.memorythreshold = memory > settings.number(MEMORY_NOTICE)
        view.memorydisablethreshold = memory > settings.number(MEMORY_LIMIT)


class ZoneMetricsView(ZoneView):
    """A zone with what is taken of it."""

    state: str | None = None
    clusters: str | None = None
    cputotal: str | None = None
    cpuallocated: str | None = None
    memorytotal: str | None = None
    memoryallocated: str | None = None
    cpuallocatedthreshold: bool | None = None
    cpuallocateddisablethreshold: bool | None = None
    memoryallocatedthreshold: bool | None = None
    memoryallocateddisablethreshold: bool | None = None
    cpuused: str | None = None
    memoryused: str | None = None
    cputhreshold: bool | None = None
    cpudisablethreshold: bool | None = None
    memorythreshold: bool | None = None
    memorydisablethreshold: bool | None = None

    @classmethod
    def of(cls, row: Zone, call: Call) -> Self:
        shown = super().of(row, call)
        shown.state = row.allocation_state
        clusters = call.store.table(Cluster).where("zone_id", row.id)
        enabled = sum(cluster.allocation_state == "Enabled" for cluster in clusters)
        shown.clusters = f"{enabled} / {len(clusters)}"
        _Sums(call, row).fill(shown, call)
        return shown


class ClusterMetricsView(ClusterView):
    """A cluster with what is taken of it."""

    state: str | None = None
    hosts: str | None = None
    cputotal: str | None = None
    cpuallocated: str | None = None
    memorytotal: str | None = None
    memoryallocated: str | None = None
    cpuallocatedthreshold: bool | None = None
    cpuallocateddisablethreshold: bool | None = None
    memoryallocatedthreshold: bool | None = None
    memoryallocateddisablethreshold: bool | None = None
    cpuused: str | None = None
    memoryused: str | None = None
    cputhreshold: bool | None = None
    cpudisablethreshold: bool | None = None
    memorythreshold: bool | None = None
    memorydisablethreshold: bool | None = None

    @classmethod
    def of(cls, row: Cluster, call: Call) -> Self:
        shown = super().of(row, call)
        shown.state = row.allocation_state
        sums = _Sums(call, row)
        shown.hosts = f"{sums.hosts} / {call.store.table(Host).count('cluster_id', row.id)}"
        sums.fill(shown, call)
        return shown


class HostMetricsView(HostView):
    """A host with what is taken of it, and once it was measured what is used."""

    disconnected: str | None = None
    lastpinged: str | None = None
    created: str | None = None
    powerstate: str | None = None
    instances: str | None = None
    systeminstances: str | None = None
    cpuused: str | None = None
    memoryused: Annotated[Long | None, "bytes"] = None
    cpuusedghz: str | None = None
    memoryusedgb: str | None = None
    networkkbsread: Annotated[Long | None, "KiB since the measurement before"] = None
    networkkbswrite: Long | None = None
    networkread: str | None = None
    networkwrite: str | None = None
    cputhreshold: bool | None = None
    cpudisablethreshold: bool | None = None
    memorythreshold: bool | None = None
    memorydisablethreshold: bool | None = None
    cputotalghz: str | None = None
    cpuallocatedghz: str | None = None
    memorytotalgb: str | None = None
    memoryallocatedgb: str | None = None
    cpuallocatedthreshold: bool | None = None
    cpuallocateddisablethreshold: bool | None = None
    memoryallocatedthreshold: bool | None = None
    memoryallocateddisablethreshold: bool | None = None

    @classmethod
    def of(cls, row: Host, call: Call) -> Self:
        shown = super().of(row, call)
        vms = call.store.table(VirtualMachine).where("host_id", row.id)
        shown.instances = f"{sum(vm.state == 'Running' for vm in vms)} / {len(vms)}"
        systems = [vm for vm in vms if vm.type != "User"]
        shown.systeminstances = f"{sum(vm.state == 'Running' for vm in systems)} / {len(systems)}"
        if shown.outofbandmanagement is not None:
            shown.powerstate = shown.outofbandmanagement.powerstate
        hosts, settings = call.manager.capacity, call.manager.settings
        slot = hosts.slot.get(row.id)
        if slot is None:
            return shown
        cpu, memory = int(hosts.cpu_total[slot]), int(hosts.memory_total[slot])
        where = ("Cluster", row.cluster_id)
        use: HostUse | None = call.manager.host_uses.of(row.id) if shows(call, "stats") else None
        if use is not None:
            shown._show_use(row, use)
            shown.cputhreshold = use.cpu_mhz > cpu * settings.number(CPU_NOTICE, *where)
            shown.cpudisablethreshold = use.cpu_mhz > cpu * settings.number(CPU_LIMIT, *where)
            shown.memorythreshold = use.memory_mib > memory * settings.number(MEMORY_NOTICE, *where)
            shown.memorydisablethreshold = use.memory_mib > memory * settings.number(MEMORY_LIMIT, *where)
        if not shows(call, "capacity"):
            return shown
        cpu_used, memory_used = int(hosts.cpu_used[slot]), int(hosts.memory_used[slot])
        shown.cputotalghz, shown.cpuallocatedghz = _ghz(cpu), _ghz(cpu_used)
        shown.memorytotalgb, shown.memoryallocatedgb = _gb(memory), _gb(memory_used)
        shown.cpuallocatedthreshold = cpu_used > cpu * settings.number(CPU_NOTICE, *where)
        shown.cpuallocateddisablethreshold = cpu_used > cpu * settings.number(CPU_LIMIT, *where)
        shown.memoryallocatedthreshold = memory_used > memory * settings.number(MEMORY_NOTICE, *where)
        shown.memoryallocateddisablethreshold = memory_used > memory * settings.number(MEMORY_LIMIT, *where)
        return shown

    def _show_use(self, row: Host, use: HostUse) -> None:
        self.cpuused = percent(use.cpu_mhz, row.cpus * row.cpu_mhz)
        self.memoryused = use.memory_mib << 20
        self.cpuusedghz, self.memoryusedgb = _ghz(use.cpu_mhz), _gb(use.memory_mib)
        self.networkkbsread, self.networkkbswrite = use.network_read >> 10, use.network_write >> 10
        self.networkread, self.networkwrite = (
            f"{size / GIB:.2f} GB" for size in (use.network_read, use.network_write)
        )


class StoragePoolMetricsView(StoragePoolView):
    """A storage pool with what is taken of it."""

    created: str | None = None
    disksizetotalgb: str | None = None
    disksizeusedgb: str | None = None
    disksizeallocatedgb: str | None = None
    disksizeunallocatedgb: str | None = None
    storageallocatedthreshold: bool | None = None
    storageallocateddisablethreshold: bool | None = None
    storageusagethreshold: bool | None = None
    storageusagedisablethreshold: bool | None = None

    @classmethod
    def of(cls, row: StoragePool, call: Call) -> Self:
        shown = super().of(row, call)
        report = capacity_report(call)
        room, promised = int(row.capacity * report.overcommit(row)), report.promised(row.id)
        settings = call.manager.settings
        limit = settings.number(POOL_LIMIT, "StoragePool", row.id)
        full, notice = settings.number(POOL_FULL, "StoragePool", row.id), settings.number(POOL_NOTICE)
        shown.disksizetotalgb = f"{row.capacity / GIB:.2f} GB"
        shown.disksizeusedgb = f"{row.used / GIB:.2f} GB"
        shown.disksizeallocatedgb = f"{promised / GIB:.2f} GB"
        shown.disksizeunallocatedgb = f"{(room - promised) / GIB:.2f} GB"
        shown.storageallocateddisablethreshold = promised > room * limit
        shown.storageallocatedthreshold = promised > room * notice
        shown.storageusagedisablethreshold = row.used > row.capacity * full
        shown.storageusagethreshold = row.used > row.capacity * notice
        return shown


def _ghz(mhz: int) -> str:
    return f"{mhz / 1000:.2f} Ghz"


def _gb(mib: int) -> str:
    return f"{mib / 1024:.2f} GB"


for _name, _view, _list, _what in (
    ("listZonesMetrics", ZoneMetricsView, list_zones, "zones"),
    ("listClustersMetrics", ClusterMetricsView, list_clusters, "clusters"),
    ("listHostsMetrics", HostMetricsView, list_hosts, "hosts"),
    ("listStoragePoolsMetrics", StoragePoolMetricsView, list_storage_pools, "storage pools"),
):
    command(
        _name,
        view=_view,
        roles=ROOT,
        group=GROUP,
        since="4.9.3",
        description=f"Lists {_what} with what is taken of them.",
    )(_list)
