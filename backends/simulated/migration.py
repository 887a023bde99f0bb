"""Live migration by pre-copy, as Clark et al., "Live Migration of Virtual Machines" (NSDI 2005), have it.

All memory is sent while the guest runs; then again and again what it has dirtied meanwhile; and when what
is left takes less than the allowed downtime, or sending gains nothing any more, the guest is stopped and
the rest is sent. Rounds share the network with every other transfer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from backends.simulated.flows import Channel
from backends.simulated.guest import Guest
from backends.simulated.machine import Machine
from backends.simulated.storage import Content, Pool
from cloudsim.hypervisor import NO_FILES, HypervisorError
from cloudsim.protocol.specs import DiskSpec, VmSpec

_MIB = 1 << 20

DOWNTIME_LIMIT = 0.3
"""Seconds of stop-and-copy at which the rounds may end: QEMU's default `downtime-limit`."""

MOST_ROUNDS = 30
"""Rounds after which the guest is stopped whatever is left; chosen, of the order of Xen's."""


class Migration(Machine):
    """The migration methods of `cloudsim.hypervisor.Hypervisor`. Destinations are named by address."""

    __slots__ = ()

    async def prepare_migration(self, vm: VmSpec) -> dict[str, str]:
        """Refuses what could not arrive; keeps no room for it, which the manager's reservation does."""
        self.check_power(self.boots)
        if vm.name in self.guests:
            raise HypervisorError(f"instance {vm.name} is on {self.name} already")
        self.check_room(vm)
        for disk in vm.disks:
            self.pool(disk.pool_id)
        self.prepared[vm.name] = vm
        return {}

    async def migrate_vm(
        self, name: str, destination: str, with_storage: bool, files: Mapping[str, str] = NO_FILES
    ) -> float:
        """Where disks go with their instance is in what the destination was prepared for; `files` are not needed."""
        guest = self.running(name)
        if guest.state == "booting":
            raise HypervisorError(f"instance {name} is booting on {self.name}")
        target, spec = self._checked(guest, destination, with_storage)
        path = self.reach(self.place, target.place)
        boots, state = target.boots, guest.state
        arriving = Guest(spec, "incoming", guest.started)
        target.admit(arriving)
        copied: list[tuple[Pool, str]] = []
        try:
            await self.take("migration_setup")
            if with_storage:
                await self._copy_disks(guest, target, spec, path, copied)
            rest = await self._rounds(guest, path)
            target.check_power(boots)
            guest.state = "paused"
            self.go_on(guest)
            downtime = await self.move(path, rest)
            target.check_power(boots)
        except BaseException:
            target.drop(arriving)
            for pool, disk_path in copied:
                pool.remove(disk_path)
            if self.guests.get(name) is guest:
                guest.state = state
                self.go_on(guest)
            raise
        self._hand_over(guest, target, arriving, state, copied)
        return downtime

    def _checked(self, guest: Guest, destination: str, with_storage: bool) -> tuple[Machine, VmSpec]:
        name = guest.spec.name
        target = self.site.machines.get(destination)
        if target is None or not target.powered:
            raise HypervisorError(f"cannot migrate {name}: no host answers at {destination}")
        if target is self or name in target.guests:
            raise HypervisorError(f"cannot migrate {name}: it is on {target.name} already")
        if guest.spec.gpu_devices:
            raise HypervisorError(f"cannot migrate {name}: it has GPUs passed through")
        if guest.spec.disks and any(d.pool_id not in target.mounted for d in guest.disks) and not with_storage:
            raise HypervisorError(f"cannot migrate {name}: {target.name} does not reach all its disks")
        prepared = target.prepared.get(name)
        if with_storage and prepared is None:
            raise HypervisorError(f"cannot migrate {name} with its storage: {target.name} is not prepared")
        spec = guest.spec
        if with_storage and prepared is not None:
            places = {d.volume_id: d for d in prepared.disks}
            spec = _with_disks(spec, tuple(places.get(d.volume_id, d) for d in spec.disks))
            for disk in spec.disks:
                target.pool(disk.pool_id)
        target.check_room(spec)
        return target, spec

    async def _copy_disks(
        self,
        guest: Guest,
        target: Machine,
        spec: VmSpec,
        path: list[Channel],
        copied: list[tuple[Pool, str]],
    ) -> None:
        """Copy the disks that lie elsewhere at the destination; they lose their backing file."""
        for old, new in zip(guest.disks, spec.disks, strict=True):
            source, sink = self.pool(old.pool_id), target.pool(new.pool_id)
            if source is sink and old.path == new.path:
                continue
            content = source.find(old.path)
            if new.path not in sink.contents:
                sink.add(new.path, Content(content.size, content.taken))
                copied.append((sink, new.path))
            else:  # which the manager has made for it
                made = sink.contents[new.path]
                more = max(0, content.taken - made.taken)
                sink.take(more, new.path)
                made.taken += more
            await self.move([source.disks, *path, sink.disks], content.taken)

    async def _rounds(self, guest: Guest, path: list[Channel]) -> float:
        """Send memory until little is left; returns the bytes to send with the guest stopped."""
        memory = float(guest.spec.memory_mib * _MIB)
        dirty_rate = self.site.sampler("dirty_page_rate") if guest.state == "running" else 0.0
        left = memory
        for _ in range(MOST_ROUNDS):
            seconds = await self.move(path, left)
            bandwidth = left / seconds if seconds > 0 else math.inf
            dirtied = min(memory, dirty_rate * seconds)
            if dirtied <= bandwidth * DOWNTIME_LIMIT or dirtied >= left:
                return dirtied
            left = dirtied
        return left

    def _hand_over(
        self, guest: Guest, target: Machine, arriving: Guest, state: str, copied: list[tuple[Pool, str]]
    ) -> None:
        """In one instant: the guest is there, not here, and its disks with it."""
        name = guest.spec.name
        root = self.root_disk(guest)
        arriving.console, guest.console = guest.console, None
        appliance, guest.appliance = guest.appliance, None
        self.drop(guest)
        for disk in arriving.disks:
            target.hold(disk, name)
        moved = target.root_disk(arriving)
        if root is not None and moved is not None:
            moved.work = root.work  # what was written while it was copied has been copied, too
        target.prepared.pop(name, None)
        arriving.state = state  # type: ignore[assignment]  # running or paused, as it was here
        if appliance is not None:  # its memory came with it
            arriving.appliance, appliance.machine, appliance.guest = appliance, target, arriving
        target.changed()
        if arriving.console is not None:
            arriving.console.moved(target, arriving)
        target.note(arriving, f"moved from {self.name} to {target.name}")
        target.take_work(arriving, guest.work)
        if copied:
            self._forget_disks(guest, arriving)

    def _forget_disks(self, guest: Guest, arriving: Guest) -> None:
        kept: set[tuple[str, str]] = {(d.pool_id, d.path) for d in arriving.disks}
        for disk in guest.disks:
            if (disk.pool_id, disk.path) not in kept:
                self.pool(disk.pool_id).remove(disk.path)


def _with_disks(spec: VmSpec, disks: tuple[DiskSpec, ...]) -> VmSpec:
    from msgspec.structs import replace

    return replace(spec, disks=disks)
