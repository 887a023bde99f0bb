"""The arrays of a management server's hosts, kept from its store's change feed.

What is promised is always exactly what the instance rows say: an instance reserves on `host_id`, and on
`migrating_to` while it moves.
"""

from __future__ import annotations

from typing import Any

from cloudsim.model import Cluster, Configuration, DedicatedResource, Host, Pod, VirtualMachine
from cloudsim.placement.arrays import HostArrays
from cloudsim.placement.settings import PlacementSettings
from cloudsim.store import Change, Store


def _reservation(vm: VirtualMachine) -> tuple[Any, ...]:
    return (
        vm.host_id,
        vm.migrating_to,
        vm.cpus,
        vm.cpu_mhz,
        vm.memory_mib,
        vm.gpu_devices,
        vm.account_id,
        vm.expected_end,
    )


class HostCapacity(HostArrays):
    """The arrays of all hosts in `store`; `settings` are read for over-commit."""

    def __init__(self, store: Store, settings: PlacementSettings) -> None:
        super().__init__()
        self._store = store
        self._settings = settings
        self._hosts = store.table(Host)
        self._vms = store.table(VirtualMachine)
        self._dedications = store.table(DedicatedResource)
        self.failover_tag = settings.get("ha.tag").strip()
        store.subscribe(self._changed, Host, VirtualMachine, Cluster, Pod, Configuration, DedicatedResource)
        for host in self._hosts:
            self._add(host)
        for vm in self._vms:
            self._reserve(vm, 1)

    def _changed(self, changes: list[Change]) -> None:
        for table, before, after in changes:
            kind = table.row_type
            if kind is VirtualMachine:
                self._move(before, after)
            elif kind is Host:
                if before is None:
                    self._add(after)
                elif after is None:
                    self.take_away(self.slot[before.id])
                else:
                    self._update(after)
            elif kind is Cluster or kind is Pod:
                if (
                    before is not None
                    and after is not None
                    and before.allocation_state != after.allocation_state
                ):
                    self._refresh_all()
            elif kind is DedicatedResource:
                self._refresh_all()
            elif kind is Configuration:
                name = (after or before).name
                if name == "ha.tag":
                    self.failover_tag = self._settings.get(name).strip()
                    self._refresh_all()
                elif name.endswith(".overprovisioning.factor"):
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
            self.reserve(slot, sign, vm.cpus * vm.cpu_mhz, vm.memory_mib, vm.account_id)
            if vm.expected_end is not None:
                self.expect(slot, sign, vm.expected_end)
            if vm.gpu_devices and host_id is vm.host_id:
                self.reserve_gpus(slot, sign, vm.gpu_devices, vm.gpu_milli)

    def _add(self, host: Host) -> None:
        self.add(host.id, host.zone_id, host.pod_id, host.cluster_id)
        self._update(host)

    def _update(self, host: Host) -> None:
        slot = self.slot[host.id]
        settings, cluster_id = self._settings, host.cluster_id
        cpu_factor = settings.number("cpu.overprovisioning.factor", "Cluster", cluster_id)
        memory_factor = settings.number("mem.overprovisioning.factor", "Cluster", cluster_id)
        self.tags[slot] = frozenset(host.tags)
        self.failover[slot] = self.failover_tag in self.tags[slot]
        self.models[slot] = host.gpu_model
        enabled = host.state == "Up" and host.resource_state == "Enabled"
        if enabled:
            cluster_row = self._store.table(Cluster).get(host.cluster_id)
            pod_row = self._store.table(Pod).get(host.pod_id)
            enabled = not any(
                row is not None and row.allocation_state != "Enabled" for row in (cluster_row, pod_row)
            )
        self.resize(
            slot,
            cpus=host.cpus,
            speed=host.cpu_mhz,
            cpu=int(host.cpus * host.cpu_mhz * cpu_factor),
            memory=int(host.memory_mib * memory_factor),
            enabled=enabled,
        )
        if host.gpus:
            self.set_gpus(slot, host.gpus)
        if self.owners or len(self._dedications):
            self.dedicate(slot, self._owner_of(host))

    def _owner_of(self, host: Host) -> str | None:
        """Whom the host, or the cluster or pod that it is in, is dedicated to: the nearest counts."""
        for row_id in (host.id, host.cluster_id, host.pod_id):
            row = self._dedications.find("resource_id", row_id)
            if row is not None:
                return row.account_id or row.domain_id
        return None

    def _refresh_all(self) -> None:
        for host in self._hosts:
            self._update(host)
