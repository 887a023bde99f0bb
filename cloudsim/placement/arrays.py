"""What every host has and has left, as NumPy arrays indexed by the host's slot: all that a policy may look at.

Slots follow the order in which hosts were added and are never reused. Whoever owns the arrays adds hosts and reserves:
a management server from its store's change feed (`HostCapacity`), a replay from its trace.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

NEVER = -(1 << 62)
"""`expected_end` of a host that has no instance with an expected end."""

_ZEROED = (
    "cpu_total",
    "cpu_used",
    "memory_total",
    "memory_used",
    "cpus",
    "speed",
    "instances",
    "foretold",
    "zone",
    "pod",
    "cluster",
)


class HostArrays:
    """Arrays over host slots (the first `size` entries are in use).

    `cpu_total`, `cpu_used` in MHz and `memory_total`, `memory_used` in MiB count over-commit. `cpu_room` and
    `memory_room` are what is left, and -1 on a host that takes no instance (not Up, disabled, or in a
    disabled cluster or pod; a zone's own state is the caller's concern). `gpu_free[slot, device]` are
    thousandths of each GPU, -1 where there is none. `expected_end` is when (ms) the last of a host's instances
    is expected to end, of those `foretold` ones whose end somebody foretold, or NEVER. `dedicated` is the number of
    the account or domain that has the host to itself, or -1. `failover` are the hosts with the tag `failover_tag`, which
    are kept free for instances whose host failed; "" where none is. `numa_cpu[slot, node]` and
    `numa_memory[slot, node]` are what is left of each NUMA node; they have no columns where no host says that it
    has nodes. No host has fewer cores than `least_cpus` or slower ones than `least_speed`; `zones` are the
    groups of all zones with hosts.
    """

    cpu_total: Ints
    cpu_used: Ints
    cpu_room: Ints
    memory_total: Ints
    memory_used: Ints
    memory_room: Ints
    cpus: Ints
    speed: Ints
    instances: Ints
    foretold: Ints
    zone: Ints
    pod: Ints
    cluster: Ints
    expected_end: Ints
    dedicated: Ints
    enabled: Mask
    failover: Mask
    gpu_free: NDArray[np.int16]
    numa_cpu: Ints
    numa_memory: Ints

    def __init__(self) -> None:
        self.size = 0
        self.ids: list[str] = []
        self.slot: dict[str, int] = {}
        self._groups: dict[str, int] = {}
        self.gpu_free = np.zeros((0, 0), np.int16)
        self.numa_cpu = self.numa_memory = np.zeros((0, 0), np.int64)
        self._allocate(64)
        self.cluster_cpu_total: dict[int, int] = defaultdict(int)
        self.cluster_memory_total: dict[int, int] = defaultdict(int)
        self.cluster_cpu_used: dict[int, int] = defaultdict(int)
        self.cluster_memory_used: dict[int, int] = defaultdict(int)
        self.tags: list[frozenset[str]] = []
        self.failover_tag = ""
        self.models: list[str] = []
        self.by_account: dict[str, dict[int, int]] = {}
        self.owners: dict[str, int] = {}
        self._ends: list[dict[int, int]] = []
        self.least_cpus = self.least_speed = 1 << 62
        self.zones: set[int] = set()

    def _allocate(self, length: int) -> None:
        def grown(name: str, dtype: Any, fill: int = 0) -> None:
            old = getattr(self, name, None)
            array = np.full(length, fill, dtype)
            if old is not None:
                array[: self.size] = old[: self.size]
            setattr(self, name, array)

        for name in _ZEROED:
            grown(name, np.int64)
        grown("cpu_room", np.int64, -1)
        grown("memory_room", np.int64, -1)
        grown("expected_end", np.int64, NEVER)
        grown("dedicated", np.int64, -1)
        grown("enabled", np.bool_)
        grown("failover", np.bool_)
        self._length = length
        self.gpu_free = self._wider(self.gpu_free, self.gpu_free.shape[1])
        self.numa_cpu = self._wider(self.numa_cpu, self.numa_cpu.shape[1])
        self.numa_memory = self._wider(self.numa_memory, self.numa_memory.shape[1])

    def _wider(self, table: Any, width: int) -> Any:
        """The table with that many columns and a row for every slot; -1 where it had nothing."""
        new = np.full((self._length, width), -1, table.dtype)
        new[: self.size, : table.shape[1]] = table[: self.size]
        return new

    def group(self, row_id: str) -> int:
        """The number that stands for a zone, pod or cluster in the arrays; -1 for one without hosts."""
        return self._groups.get(row_id, -1)

    def _group(self, row_id: str) -> int:
        return self._groups.setdefault(row_id, len(self._groups))

    # what owners of the arrays call

    def add(self, host_id: str, zone: str, pod: str, cluster: str, tags: Any = (), model: str = "") -> int:
        """A host without any capacity yet, see `resize`; returns its slot."""
        if self.size == self._length:
            self._allocate(2 * self._length)
        slot = self.size
        self.size += 1
        self.ids.append(host_id)
        self.tags.append(frozenset(tags))
        self.models.append(model)
        self._ends.append({})
        self.slot[host_id] = slot
        self.zone[slot] = self._group(zone)
        self.zones.add(int(self.zone[slot]))
        self.pod[slot] = self._group(pod)
        self.cluster[slot] = self._group(cluster)
        return slot

    def resize(self, slot: int, *, cpus: int, speed: int, cpu: int, memory: int, enabled: bool) -> None:
        """The host has `cpus` cores of `speed` MHz, and `cpu` MHz and `memory` MiB to give in all."""
        cluster = int(self.cluster[slot])
        self.cluster_cpu_total[cluster] += cpu - int(self.cpu_total[slot])
        self.cluster_memory_total[cluster] += memory - int(self.memory_total[slot])
        self.cpu_total[slot], self.memory_total[slot] = cpu, memory
        self.cpus[slot], self.speed[slot] = cpus, speed
        self.least_cpus = min(self.least_cpus, cpus)
        self.least_speed = min(self.least_speed, speed)
        self.enabled[slot] = enabled
        self.cpu_room[slot] = cpu - self.cpu_used[slot] if enabled else -1
        self.memory_room[slot] = memory - self.memory_used[slot] if enabled else -1

    def set_gpus(self, slot: int, gpus: int) -> None:
        """The host has that many GPUs; those it did not have before are free."""
        if gpus > self.gpu_free.shape[1]:
            self.gpu_free = self._wider(self.gpu_free, gpus)
        devices = self.gpu_free[slot]
        devices[:gpus][devices[:gpus] == -1] = 1000

    def set_numa(self, slot: int, cpu: list[int], memory: list[int]) -> None:
        """The host's NUMA nodes have these MHz and MiB left."""
        if len(cpu) > self.numa_cpu.shape[1]:
            self.numa_cpu = self._wider(self.numa_cpu, len(cpu))
            self.numa_memory = self._wider(self.numa_memory, len(cpu))
        self.numa_cpu[slot, : len(cpu)] = cpu
        self.numa_memory[slot, : len(memory)] = memory

    def dedicate(self, slot: int, owner_id: str | None) -> None:
        """Only instances of that account, or of accounts in that domain, may go to the host; None: of anybody again."""
        self.dedicated[slot] = -1 if owner_id is None else self.owners.setdefault(owner_id, len(self.owners))

    def take_away(self, slot: int) -> None:
        """The host is gone; its slot stays empty."""
        del self.slot[self.ids[slot]]
        cluster = int(self.cluster[slot])
        self.cluster_cpu_total[cluster] -= int(self.cpu_total[slot])
        self.cluster_memory_total[cluster] -= int(self.memory_total[slot])
        self.cpu_total[slot] = self.memory_total[slot] = 0
        self.zone[slot] = self.pod[slot] = self.cluster[slot] = -1
        self.enabled[slot] = False
        self.cpu_room[slot] = self.memory_room[slot] = -1
        self.gpu_free[slot] = -1
        self.numa_cpu[slot] = self.numa_memory[slot] = -1

    def reserve(self, slot: int, sign: int, cpu: int, memory: int, account_id: str) -> None:
        """One instance more (`sign` 1) or fewer (-1) on the host, of that account and with these MHz and MiB."""
        cpu, memory = sign * cpu, sign * memory
        self.cpu_used[slot] += cpu
        self.memory_used[slot] += memory
        if self.enabled[slot]:
            self.cpu_room[slot] -= cpu
            self.memory_room[slot] -= memory
        self.instances[slot] += sign
        cluster = int(self.cluster[slot])
        self.cluster_cpu_used[cluster] += cpu
        self.cluster_memory_used[cluster] += memory
        counts = self.by_account.get(account_id)
        if counts is None:
            counts = self.by_account[account_id] = {}
        left = counts.get(slot, 0) + sign
        if left:
            counts[slot] = left
        else:
            counts.pop(slot, None)

    def expect(self, slot: int, sign: int, end: int) -> None:
        """Of an instance that has just been reserved or released: it was expected to end then (ms)."""
        self.foretold[slot] += sign
        ends = self._ends[slot]
        left = ends.get(end, 0) + sign
        if left:
            ends[end] = left
            if sign > 0 and end > self.expected_end[slot]:
                self.expected_end[slot] = end
        else:
            ends.pop(end, None)
            if end == self.expected_end[slot]:
                self.expected_end[slot] = max(ends, default=NEVER)

    def reserve_gpus(self, slot: int, sign: int, devices: tuple[int, ...], milli: int) -> None:
        """`milli` thousandths of each of the host's `devices` are taken (or given back)."""
        for device in devices:
            self.gpu_free[slot, device] -= sign * milli

    # questions

    def instances_of(self, account_id: str) -> Ints:
        """How many instances of that account each host has: an entry for every slot."""
        counts = np.zeros(self.size, np.int64)
        mine = self.by_account.get(account_id)
        if mine:
            slots = np.fromiter(mine.keys(), np.int64, len(mine))
            counts[slots] = np.fromiter(mine.values(), np.int64, len(mine))
        return counts

    def free_gpus(self, slot: int, gpus: int, gpu_milli: int) -> tuple[int, ...] | None:
        """Devices of that host that can give `gpu_milli` thousandths each, the fullest first; None if too few."""
        free = self.gpu_free[slot]
        fitting = np.flatnonzero(free >= gpu_milli)
        if len(fitting) < gpus:
            return None
        order = fitting[np.argsort(free[fitting], kind="stable")]
        return tuple(int(device) for device in order[:gpus])

    def free_nodes(self, slot: int, nodes: int, cpu: int, memory: int) -> tuple[int, ...] | None:
        """NUMA nodes of that host with an equal part of these MHz and MiB left each, the fullest first; None if too few."""
        room = self.numa_cpu[slot]
        fitting = np.flatnonzero((room * nodes >= cpu) & (self.numa_memory[slot] * nodes >= memory))
        if len(fitting) < nodes:
            return None
        order = fitting[np.argsort(room[fitting], kind="stable")]
        return tuple(int(node) for node in order[:nodes])

    def reserve_nodes(self, slot: int, sign: int, nodes: tuple[int, ...], cpu: int, memory: int) -> None:
        """An equal part of these MHz and MiB is taken from each of the host's NUMA `nodes` (or given back)."""
        for node in nodes:
            self.numa_cpu[slot, node] -= sign * -(-cpu // len(nodes))
            self.numa_memory[slot, node] -= sign * -(-memory // len(nodes))

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
