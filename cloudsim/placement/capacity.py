"""What every host has and has left, as NumPy arrays indexed by the host's slot.

Slots follow the order in which hosts were added and are never reused. The arrays are kept from the
store's change feed, so that what is promised is always exactly what the instance rows say: an
instance reserves on `host_id`, and on `migrating_to` while it moves.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloudsim.model import Cluster, Configuration, Host, Pod, VirtualMachine
from cloudsim.placement.settings import PlacementSettings
from cloudsim.store import Change, Store

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def _reservation(vm: VirtualMachine) -> tuple[Any, ...]:
    return (vm.host_id, vm.migrating_to, vm.cpus, vm.cpu_mhz, vm.memory_mib, vm.gpu_devices, vm.account_id)


class HostCapacity:
    """Arrays over host slots (the first `size` entries are in use).

    `cpu_total`, `cpu_used` in MHz and `memory_total`, `memory_used` in MiB count over-commit. `cpu_room` and
    `memory_room` are what is left, and -1 on a host that takes no instance (not Up, disabled, or in a
    disabled cluster or pod; a zone's own state is the caller's concern). `gpu_free[slot, device]` are
    thousandths of each GPU. No host has fewer cores than `least_cpus` or slower ones than `least_speed`; `zones` are the
    groups of all zones with hosts.
    """

    def __init__(self, store: Store, settings: PlacementSettings) -> None:
        self._store = store
        self._settings = settings
        self._hosts = store.table(Host)
        self._vms = store.table(VirtualMachine)
        self.size = 0
        self.ids: list[str] = []
        self.slot: dict[str, int] = {}
        self._groups: dict[str, int] = {}
        self._allocate(64)
        self.cluster_cpu_total: dict[int, int] = defaultdict(int)
        self.cluster_memory_total: dict[int, int] = defaultdict(int)
        self.cluster_cpu_used: dict[int, int] = defaultdict(int)
        self.cluster_memory_used: dict[int, int] = defaultdict(int)
        self.tags: list[frozenset[str]] = []
        self.models: list[str] = []
        self.by_account: dict[str, dict[int, int]] = {}
        self.least_cpus = self.least_speed = 1 << 62
        self.zones: set[int] = set()
        store.subscribe(self._changed, Host, VirtualMachine, Cluster, Pod, Configuration)
        for host in self._hosts:
            self._add(host)
        for vm in self._vms:
            self._reserve(vm, 1)

    def _allocate(self, length: int) -> None:
        def grown(name: str, dtype: Any, fill: int = 0) -> None:
            old = getattr(self, name, None)
            array = np.full(length, fill, dtype)
            if old is not None:
                array[: self.size] = old[: self.size]
            setattr(self, name, array)

        self.cpu_total: Ints
        self.cpu_used: Ints
        self.cpu_room: Ints
        self.memory_total: Ints
        self.memory_used: Ints
        self.memory_room: Ints
        self.cpus: Ints
        self.speed: Ints
        self.instances: Ints
        self.zone: Ints
        self.pod: Ints
        self.cluster: Ints
        self.enabled: Mask
        for name in (
            "cpu_total",
            "cpu_used",
            "memory_total",
            "memory_used",
            "cpus",
            "speed",
            "instances",
            "zone",
            "pod",
            "cluster",
        ):
            grown(name, np.int64)
        grown("cpu_room", np.int64, -1)
        grown("memory_room", np.int64, -1)
        grown("enabled", np.bool_)
        devices = getattr(self, "gpu_free", np.zeros((0, 0), np.int16))
        self.gpu_free = np.full((length, devices.shape[1]), -1, np.int16)
        self.gpu_free[: self.size] = devices[: self.size]
        self._length = length

    def group(self, row_id: str) -> int:
        """The number that stands for a zone, pod or cluster in the arrays; -1 for one without hosts."""
        return self._groups.get(row_id, -1)

    def _group(self, row_id: str) -> int:
        return self._groups.setdefault(row_id, len(self._groups))

    # the change feed

    def _changed(self, changes: list[Change]) -> None:
        for table, before, after in changes:
            kind = table.row_type
            if kind is VirtualMachine:
                self._move(before, after)
            elif kind is Host:
                if before is None:
                    self._add(after)
                elif after is None:
                    self._remove(before)
                else:
                    self._update(after)
            elif kind is Cluster or kind is Pod:
                if (
                    before is not None
                    and after is not None
                    and before.allocation_state != after.allocation_state
                ):
                    self._refresh_all()
            elif kind is Configuration:
                name = (after or before).name
                if name.endswith(".overprovisioning.factor"):
                    self._refresh_all()

    def _move(self, before: VirtualMachine | None, after: VirtualMachine | None) -> None:
        if before is not None and after is not None and _reservation(before) == _reservation(after):
            return
        if before is not None:
            self._reserve(before, -1)
        if after is not None:
            self._reserve(after, 1)

    def _reserve(self, vm: VirtualMachine, sign: int) -> None:
        for host_id in (vm.host_id, vm.migrating_to):
            if host_id is None:
                continue
            slot = self.slot.get(host_id)
            if slot is None:
                continue
            cpu, memory = sign * vm.cpus * vm.cpu_mhz, sign * vm.memory_mib
            self.cpu_used[slot] += cpu
            self.memory_used[slot] += memory
            if self.enabled[slot]:
                self.cpu_room[slot] -= cpu
                self.memory_room[slot] -= memory
            self.instances[slot] += sign
            cluster = int(self.cluster[slot])
            self.cluster_cpu_used[cluster] += cpu
            self.cluster_memory_used[cluster] += memory
            if vm.gpu_devices and host_id is vm.host_id:
                for device in vm.gpu_devices:
                    self.gpu_free[slot, device] -= sign * vm.gpu_milli
            counts = self.by_account.get(vm.account_id)
            if counts is None:
                counts = self.by_account[vm.account_id] = {}
            left = counts.get(slot, 0) + sign
            if left:
                counts[slot] = left
            else:
                counts.pop(slot, None)

    def _add(self, host: Host) -> None:
        if self.size == self._length:
            self._allocate(2 * self._length)
        slot = self.size
        self.size += 1
        self.ids.append(host.id)
        self.tags.append(frozenset(host.tags))
        self.models.append(host.gpu_model)
        self.slot[host.id] = slot
        self.zone[slot] = self._group(host.zone_id)
        self.zones.add(int(self.zone[slot]))
        self.pod[slot] = self._group(host.pod_id)
        self.cluster[slot] = self._group(host.cluster_id)
        self._update(host)

    def _remove(self, host: Host) -> None:
        slot = self.slot.pop(host.id)
        cluster = int(self.cluster[slot])
        self.cluster_cpu_total[cluster] -= int(self.cpu_total[slot])
        self.cluster_memory_total[cluster] -= int(self.memory_total[slot])
        self.cpu_total[slot] = self.memory_total[slot] = 0
        self.zone[slot] = self.pod[slot] = self.cluster[slot] = -1
        self.enabled[slot] = False
        self.cpu_room[slot] = self.memory_room[slot] = -1
        self.gpu_free[slot] = -1

    def _update(self, host: Host) -> None:
        slot = self.slot[host.id]
        settings, cluster_id = self._settings, host.cluster_id
        cpu_factor = settings.number("cpu.overprovisioning.factor", "Cluster", cluster_id)
        memory_factor = settings.number("mem.overprovisioning.factor", "Cluster", cluster_id)
        cpu = int(host.cpus * host.cpu_mhz * cpu_factor)
        memory = int(host.memory_mib * memory_factor)
        cluster = int(self.cluster[slot])
        self.cluster_cpu_total[cluster] += cpu - int(self.cpu_total[slot])
        self.cluster_memory_total[cluster] += memory - int(self.memory_total[slot])
        self.cpu_total[slot], self.memory_total[slot] = cpu, memory
        self.cpus[slot], self.speed[slot] = host.cpus, host.cpu_mhz
        self.least_cpus = min(self.least_cpus, host.cpus)
        self.least_speed = min(self.least_speed, host.cpu_mhz)
        self.tags[slot] = frozenset(host.tags)
        self.models[slot] = host.gpu_model
        enabled = host.state == "Up" and host.resource_state == "Enabled"
        if enabled:
            cluster_row = self._store.table(Cluster).get(host.cluster_id)
            pod_row = self._store.table(Pod).get(host.pod_id)
            enabled = not any(
                row is not None and row.allocation_state != "Enabled" for row in (cluster_row, pod_row)
            )
        self.enabled[slot] = enabled
        self.cpu_room[slot] = self.cpu_total[slot] - self.cpu_used[slot] if enabled else -1
        self.memory_room[slot] = self.memory_total[slot] - self.memory_used[slot] if enabled else -1
        if host.gpus:
            self._set_gpus(slot, host.gpus)

    def _set_gpus(self, slot: int, gpus: int) -> None:
        width = self.gpu_free.shape[1]
        if gpus > width:
            wider = np.full((self._length, gpus), -1, np.int16)
            wider[:, :width] = self.gpu_free
            self.gpu_free = wider
        devices = self.gpu_free[slot]
        devices[:gpus][devices[:gpus] == -1] = 1000

    def _refresh_all(self) -> None:
        for host in self._hosts:
            self._update(host)

    # questions

    def free_gpus(self, slot: int, gpus: int, gpu_milli: int) -> tuple[int, ...] | None:
        """Devices of that host that can give `gpu_milli` thousandths each, the fullest first; None if too few."""
        free = self.gpu_free[slot]
        fitting = np.flatnonzero(free >= gpu_milli)
        if len(fitting) < gpus:
            return None
        order = fitting[np.argsort(free[fitting], kind="stable")]
        return tuple(int(device) for device in order[:gpus])

    def totals(self) -> dict[str, int]:
        """Sums over all hosts: cpu_total, cpu_used (MHz), memory_total, memory_used (MiB), gpu_total, gpu_used (milli)."""
        n = self.size
        gpu = self.gpu_free[:n]
        present = gpu >= 0
        gpu_total = 1000 * int(present.sum())
        return {
            "cpu_total": int(self.cpu_total[:n].sum()),
            "cpu_used": int(self.cpu_used[:n].sum()),
            "memory_total": int(self.memory_total[:n].sum()),
            "memory_used": int(self.memory_used[:n].sum()),
            "gpu_total": gpu_total,
            "gpu_used": gpu_total - int(gpu[present].sum()),
        }
