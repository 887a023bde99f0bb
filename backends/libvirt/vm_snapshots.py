"""Snapshots of whole instances: all disks at one moment, and the memory of a running one.

They are internal snapshots of the qcow2 images, made by QEMU itself while the instance runs and by qemu-img
while it does not. libvirt knows nothing of them: it would refuse to migrate an instance that has any.

Memory can only be put back into a machine that is built as it was. How it was built is kept beside the
memory, which is in the first disk's image; if the instance was started anew since, its machine is built again
after that description.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from backends.libvirt import live_domain, machine_records, qemu_img, qemu_monitor
from backends.libvirt.bounded import in_thread
from backends.libvirt.connection import NoSuchInstance
from backends.libvirt.domain_state import taps
from backends.libvirt.machine_records import MachineRecord
from backends.libvirt.storage import StorageBase, exists
from cloudsim.hypervisor import HypervisorError, note_step
from cloudsim.protocol.specs import DiskSpec

log = logging.getLogger(__name__)

SLOWEST = 4 << 20
"""Bytes per second at which memory is written to or read from a disk at the very least."""

_MIB = 1 << 20
_PAUSED = 3
"""libvirt.VIR_DOMAIN_PAUSED"""


class VmSnapshots(StorageBase):
    """`create_vm_snapshot`, `revert_to_vm_snapshot` and `delete_vm_snapshot` of `LibvirtHypervisor`."""

    if TYPE_CHECKING:  # of its other parts
        _starting: frozenset[str]

        async def _destroy(self, name: str) -> None: ...
        async def _forget(self, name: str) -> None: ...

    async def create_vm_snapshot(
        self, name: str, snapshot: str, disks: tuple[DiskSpec, ...], memory: bool
    ) -> None:
        """As `Hypervisor.create_vm_snapshot`. The guest stands still while its memory is written."""
        what = f"snapshot {snapshot} of {name}"
        began = time.monotonic()
        disks = _in_order(disks)
        await self._ready(disks, what)
        xml = await self._running(name)
        if xml is None:
            await self._create_offline(snapshot, disks, what)
        elif memory:
            await self._create_with_memory(name, snapshot, disks, xml, what)
        else:
            await self._create_of_disks(name, snapshot, disks, xml, what)
        note_step("vm_snapshot", time.monotonic() - began)

    async def _create_offline(self, snapshot: str, disks: tuple[DiskSpec, ...], what: str) -> None:
        for disk in disks:
            if snapshot in await qemu_img.snapshot_list(self.pools.disk(disk)):
                raise HypervisorError(f"{what}: disk {disk.path} has a snapshot of that name already")
        made: list[DiskSpec] = []
        try:
            for disk in disks:
                await qemu_img.snapshot_create(self.pools.disk(disk), snapshot)
                made.append(disk)
        except BaseException:
            for disk in made:
                try:
                    await qemu_img.snapshot_delete(self.pools.disk(disk), snapshot)
                except HypervisorError as error:
                    log.warning("%s was not taken, and yet one of its disks keeps it: %s", what, error)
            raise

    async def _create_of_disks(
        self, name: str, snapshot: str, disks: tuple[DiskSpec, ...], xml: str, what: str
    ) -> None:
        attached = self._attached(disks, xml, what)

        def create(domain: Any) -> None:
            nodes = qemu_monitor.nodes(domain, attached)
            _check_new(nodes, snapshot, disks)
            qemu_monitor.snapshot_disks(domain, [node.name for node in nodes], snapshot)

        await self.connection.domain_call(name, what, create)

    async def _create_with_memory(
        self, name: str, snapshot: str, disks: tuple[DiskSpec, ...], xml: str, what: str
    ) -> None:
        attached = self._attached(disks, xml, what)
        self._check_all(disks, xml, what)
        folder = self.pools.path(disks[0].pool_id)

        def look(domain: Any) -> str:
            _check_new(qemu_monitor.nodes(domain, attached), snapshot, disks)
            return machine_records.description(domain)

        described = await self.connection.domain_call(name, what, look)
        record = MachineRecord(described, disks[0].volume_id)
        await in_thread(what, lambda: machine_records.put(folder, snapshot, record))

        def create(domain: Any) -> None:
            names = [node.name for node in qemu_monitor.nodes(domain, attached)]
            qemu_monitor.save(domain, names, snapshot)

        try:
            await self.connection.domain_call(name, what, create, self._limit(xml))
        except BaseException:
            try:
                await self._delete_running(name, snapshot, disks, what)
                await in_thread(what, lambda: machine_records.remove(folder, snapshot))
            except HypervisorError as error:
                log.warning("%s was not taken, and yet something of it is left: %s", what, error)
            raise

    async def revert_to_vm_snapshot(
        self, name: str, snapshot: str, disks: tuple[DiskSpec, ...], memory: bool
    ) -> None:
        """As `Hypervisor.revert_to_vm_snapshot`. A running instance runs on: from the moment of the snapshot
        with `memory`, else from its boot. One that does not run has its disks put back.
        """
        what = f"reverting {name} to snapshot {snapshot}"
        began = time.monotonic()
        disks = _in_order(disks)
        await self._ready(disks, what)
        xml = await self._running(name)
        for disk in disks:
            if snapshot not in await qemu_img.snapshot_list(self.pools.disk(disk)):
                raise HypervisorError(f"{what}: disk {disk.path} has no such snapshot")
        if xml is None:
            await self._revert_offline(snapshot, disks)
        elif memory:
            await self._revert_with_memory(name, snapshot, disks, xml, what)
        else:
            await self._revert_by_restart(name, snapshot, disks, xml, what)
        note_step("vm_snapshot_revert", time.monotonic() - began)

    async def _revert_offline(self, snapshot: str, disks: tuple[DiskSpec, ...]) -> None:
        for disk in disks:
            await qemu_img.snapshot_apply(self.pools.disk(disk), snapshot)

    async def _revert_by_restart(
        self, name: str, snapshot: str, disks: tuple[DiskSpec, ...], xml: str, what: str
    ) -> None:
        self._attached(disks, xml, what)
        machine = await self.connection.domain_call(name, what, machine_records.definition)
        self._starting |= {name}  # it is not to be taken for one that has ended
        try:
            await self._destroy(name)
            try:
                await self._revert_offline(snapshot, disks)
            finally:
                await self._start_again(name, machine, what)
                await self._resume(name, what)
        except BaseException:
            await self._end_if_gone(name)
            raise
        finally:
            self._starting -= {name}

    async def _revert_with_memory(
        self, name: str, snapshot: str, disks: tuple[DiskSpec, ...], xml: str, what: str
    ) -> None:
        attached = self._attached(disks, xml, what)
        self._check_all(disks, xml, what)
        folder = self.pools.path(disks[0].pool_id)
        record = await in_thread(what, lambda: machine_records.get(folder, snapshot))
        if record is None or record.memory_in != disks[0].volume_id:
            raise HypervisorError(f"{what}: its memory was not kept")

        def look(domain: Any) -> tuple[str, bool, str]:
            if snapshot not in qemu_monitor.nodes(domain, attached)[0].memories:
                raise HypervisorError(f"{what}: its memory was not kept")
            described, machine = machine_records.description(domain), machine_records.definition(domain)
            return described, domain.state()[0] == _PAUSED, machine

        now, paused, machine = await self.connection.domain_call(name, what, look)
        changed = machine_records.difference(record.description, now)
        if changed is not None:
            raise HypervisorError(f"{what}: {changed}")

        def load(domain: Any) -> None:
            names = [node.name for node in qemu_monitor.nodes(domain, attached)]
            qemu_monitor.load(domain, names, snapshot)

        limit = self._limit(xml)
        if machine_records.same_machine(record.description, now):
            try:
                await self.connection.domain_call(name, what, load, limit)
                return
            except HypervisorError as error:
                log.warning("%s: the machine is built anew: %s", what, error)
        self._starting |= {name}
        try:
            await self._destroy(name)
            try:
                await self._start_again(name, machine_records.rebuilt(record.description, machine), what)
                await self.connection.domain_call(name, what, load, limit)
            except HypervisorError:
                # Its memory is lost. It starts from its disks, whatever is on them, rather than not at all.
                await self._destroy(name)
                await self._start_again(name, machine, what)
                await self._resume(name, what)
                raise
            if not paused:
                await self._resume(name, what)
        except BaseException:
            await self._end_if_gone(name)
            raise
        finally:
            self._starting -= {name}

    async def delete_vm_snapshot(self, name: str, snapshot: str, disks: tuple[DiskSpec, ...]) -> None:
        """As `Hypervisor.delete_vm_snapshot`. Disks that are gone, or have no such snapshot, are no error."""
        what = f"removing snapshot {snapshot} of {name}"
        began = time.monotonic()
        for disk in disks:
            await self.pools.ready(disk.pool_id)
        if await self._running(name) is not None:
            await self._delete_running(name, snapshot, disks, what)
        else:
            for disk in disks:
                await self._delete_offline(disk, snapshot)
        for pool_id in {disk.pool_id for disk in disks}:
            await in_thread(what, partial(machine_records.remove, self.pools.path(pool_id), snapshot))
        note_step("vm_snapshot", time.monotonic() - began)

    async def _delete_offline(self, disk: DiskSpec, snapshot: str) -> None:
        path = self.pools.disk(disk)
        if await exists(path) and snapshot in await qemu_img.snapshot_list(path):
            await qemu_img.snapshot_delete(path, snapshot)

    async def _delete_running(self, name: str, snapshot: str, disks: tuple[DiskSpec, ...], what: str) -> None:
        """From the disks that are attached by QEMU, from others by qemu-img."""
        xml = await self._running(name)
        attached, others = [], []
        for disk in disks:
            found = None if xml is None else self._find(disk, xml)
            if found is None:
                others.append(disk)
            else:
                attached.append(found.alias)

        def delete(domain: Any) -> None:
            for node in qemu_monitor.nodes(domain, attached):
                if snapshot in node.snapshots:
                    qemu_monitor.delete(domain, node.name, snapshot)

        if attached:
            await self.connection.domain_call(name, what, delete, self._limit(xml or ""))
        for disk in others:
            await self._delete_offline(disk, snapshot)

    # what they share

    async def _running(self, name: str) -> str | None:
        """The XML of the instance as it runs here, or is paused; None: it does not."""
        try:
            return await self.connection.domain_call(
                name,
                f"looking up {name}",
                lambda domain: str(domain.XMLDesc(0)) if domain.isActive() else None,
            )
        except NoSuchInstance:
            return None

    async def _ready(self, disks: tuple[DiskSpec, ...], what: str) -> None:
        if not disks:
            raise HypervisorError(f"{what}: it has no disks")
        for disk in disks:
            await self.pools.ready(disk.pool_id)
            if not await exists(self.pools.disk(disk)):
                raise HypervisorError(f"{what}: disk {disk.path} is not on storage pool {disk.pool_id}")

    def _find(self, disk: DiskSpec, xml: str) -> live_domain.LiveDisk | None:
        path = self.pools.disk(disk)
        return next((live for live in live_domain.disks(xml) if live.holds(disk, path)), None)

    def _attached(self, disks: tuple[DiskSpec, ...], xml: str, what: str) -> list[str]:
        """libvirt's names for the disks, in their order. Raises HypervisorError if one is not attached."""
        aliases = []
        for disk in disks:
            live = self._find(disk, xml)
            if live is None:
                raise HypervisorError(f"{what}: disk {disk.path} is not attached to it")
            aliases.append(live.alias)
        return aliases

    def _check_all(self, disks: tuple[DiskSpec, ...], xml: str, what: str) -> None:
        """Memory and disks are of one moment, or the guest's file systems are damaged."""
        for live in live_domain.disks(xml):
            if not any(live.holds(disk, self.pools.disk(disk)) for disk in disks):
                raise HypervisorError(f"{what}: its disk {live.target} ({live.path}) is not part of it")

    def _limit(self, xml: str) -> float:
        return self.settings.libvirt_timeout + machine_records.memory_mib(xml) * _MIB / SLOWEST

    async def _start_again(self, name: str, machine: str, what: str) -> None:
        """The same machine, paused; its new network devices are guarded."""
        limit = 4 * self.settings.libvirt_timeout
        xml = await self.connection.call(
            what, lambda connection: machine_records.start_paused(connection, machine), limit
        )
        vm = self.kept.get(name)
        if vm is not None:
            await self.networks.guard(vm, taps(xml))

    async def _resume(self, name: str, what: str) -> None:
        await self.connection.domain_call(name, what, lambda domain: domain.resume())

    async def _end_if_gone(self, name: str) -> None:
        """If it could not be started again, nothing here is to look as if it ran."""
        try:
            if await self._running(name) is None:
                await self._forget(name)
        except Exception:
            log.exception("clearing up after %s, which could not be started again", name)


def _in_order(disks: tuple[DiskSpec, ...]) -> tuple[DiskSpec, ...]:
    """The root disk first, which the memory goes to."""
    return tuple(sorted(disks, key=lambda disk: disk.device))


def _check_new(nodes: list[qemu_monitor.Node], snapshot: str, disks: tuple[DiskSpec, ...]) -> None:
    for node, disk in zip(nodes, disks, strict=True):
        if snapshot in node.snapshots:
            raise HypervisorError(f"disk {disk.path} has a snapshot of that name already")
