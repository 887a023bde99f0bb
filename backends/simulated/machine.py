"""A simulated host by itself: what it is, what runs on it, and its power."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from backends.simulated.console import GuestConsole
from backends.simulated.datacenter import GBIT, GIB, Hosts
from backends.simulated.flows import Channel
from backends.simulated.guest import Guest
from backends.simulated.meters import measured
from backends.simulated.site import Site
from backends.simulated.storage import Content, Pool
from backends.simulated.topology import Place
from backends.simulated.work import Cores, InMemory, OnDisk, Work
from cloudsim.agent.noting import NOTES, noted
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import (
    ConsoleAddress,
    DiskSpec,
    HostFacts,
    VmReport,
    VmSpec,
    VmStatistics,
)
from cloudsim.work import lengths_in

HYPERVISOR = "Simulator"
VERSION = "1.0"
_VNC = 5900


class Machine:
    """Power, memory, GPUs, mounted pools and guests of one host; `guests` by instance name.

    Memory is a bound (its size times `memory_overcommit`), cores are not: how far to overcommit is the
    manager's to decide. `boots` counts power-offs, so that what was begun before one can tell.
    """

    __slots__ = (
        "_cores",
        "_inventory",
        "_local",
        "address",
        "boots",
        "group",
        "guests",
        "guid",
        "memory_used",
        "mounted",
        "name",
        "place",
        "powered",
        "prepared",
        "site",
    )

    def __init__(self, site: Site, guid: str, name: str, address: str, place: Place, group: Hosts) -> None:
        self.site = site
        self.guid = guid
        self.name = name
        self.address = address
        self.place = place
        self.group = group
        self.powered = True
        self.boots = 0
        self.guests: dict[str, Guest] = {}
        self.prepared: dict[str, VmSpec] = {}
        self.mounted: dict[str, Pool] = {}
        self.memory_used = 0
        self._local: dict[str, Pool] | None = None
        self._cores: Cores | None = None
        self._inventory: tuple[VmReport, ...] | None = ()

    # what it is

    async def facts(self) -> HostFacts:
        group = self.group
        return HostFacts(
            hypervisor=HYPERVISOR,
            cpus=group.cores,
            cpu_mhz=group.mhz,
            memory_mib=group.memory,
            local_storage=int(group.local_disk_gib * GIB),
            sockets=group.sockets,
            gpus=group.gpus,
            gpu_model=group.gpu_model,
            arch=group.arch,
            hypervisor_version=VERSION,
            private_ip=self.address,
        )

    def inventory(self) -> tuple[VmReport, ...]:
        """Every instance here; the same object as long as nothing changes."""
        if self._inventory is None:
            self._inventory = tuple(g.report for g in self.guests.values() if g.state != "incoming")
        return self._inventory

    async def vm_states(self) -> tuple[VmReport, ...]:
        return self.inventory()

    async def vm_statistics(self, names: tuple[str, ...]) -> tuple[VmStatistics, ...]:
        """See `backends.simulated.meters`."""
        wanted = names or tuple(self.guests)
        return tuple(
            self.measure(self.guests[n]) for n in wanted if n in self.guests and self.guests[n].state != "incoming"
        )

    def measure(self, guest: Guest) -> VmStatistics:
        """What its meters show now."""
        return measured(guest, self.site.loop.time(), self.site.utilisation)

    # power

    def power_off(self) -> None:
        """Cut the power: every guest is gone, its disks are free, what was under way fails.

        Pools stay configured, as libvirt's autostart has them.
        """
        self.powered = False
        self.boots += 1
        for guest in list(self.guests.values()):
            self.drop(guest)
        self.prepared.clear()
        error = HypervisorError(f"{self.name} lost power")
        self.site.flows.fail(self.place.up, error)
        self.site.flows.fail(self.place.down, error)
        for pool in (self._local or {}).values():
            self.site.flows.fail(pool.disks, error)

    def power_on(self) -> None:
        """Start again, with no guest."""
        self.powered = True

    # for the operations in the subclasses

    async def take(self, kind: str) -> None:
        """Let the time pass that `kind` takes. Raises HypervisorError if the host loses power meanwhile."""
        seconds = self.site.sampler(kind)
        if NOTES.get() is None:
            await self.spend(seconds)
            return
        with noted(kind, {"simulated": kind, "seconds": seconds}):
            await self.spend(seconds)

    async def spend(self, seconds: float) -> None:
        boots = self.boots
        self.check_power(boots)
        if seconds > 0:
            await asyncio.sleep(seconds)
            self.check_power(boots)

    async def serve(self, pool: Pool, kind: str) -> None:
        """Let the pool do as many I/Os as the profile says for `kind`."""
        boots, operations = self.boots, self.site.sampler(kind)
        with noted(kind, {"simulated": kind, "pool": pool.name, "operations": operations, "iops": pool.iops}):
            await pool.serve(operations)
        self.check_power(boots)

    async def move(self, path: Sequence[Channel], size: float) -> float:
        """A transfer; returns its seconds."""
        boots = self.boots
        seconds = await self.site.flows.transfer(path, size)
        self.check_power(boots)
        return seconds

    def check_power(self, boots: int) -> None:
        if not self.powered or self.boots != boots:
            raise HypervisorError(f"{self.name} lost power")

    def running(self, name: str) -> Guest:
        """The instance of that name. Raises HypervisorError if it does not run here."""
        guest = self.guests.get(name)
        if guest is None or guest.state == "incoming":
            raise HypervisorError(f"instance {name} does not run on {self.name}")
        return guest

    def check_room(self, spec: VmSpec) -> None:
        """Raises HypervisorError if the instance's memory or GPUs do not fit."""
        limit = int(self.group.memory * self.group.memory_overcommit)
        if self.memory_used + spec.memory_mib > limit:
            raise HypervisorError(
                f"instance {spec.name} needs {spec.memory_mib} MiB, and {self.memory_used} of at most "
                f"{limit} MiB on {self.name} are taken"
            )
        for device in spec.gpu_devices:
            if device >= self.group.gpus:
                raise HypervisorError(f"{self.name} has no GPU {device} for instance {spec.name}")
            taken = sum(g.spec.gpu_milli for g in self.guests.values() if device in g.spec.gpu_devices)
            if taken + spec.gpu_milli > 1000:
                raise HypervisorError(
                    f"instance {spec.name} needs {spec.gpu_milli} thousandths of GPU {device} of {self.name}, "
                    f"and {taken} are taken"
                )

    def admit(self, guest: Guest) -> None:
        """Take the guest in, with its memory and a console port."""
        taken = {other.port for other in self.guests.values()}
        port = _VNC
        while port in taken:
            port += 1
        guest.port = port
        self.guests[guest.spec.name] = guest
        self.site.hosts_of.setdefault(guest.spec.name, []).append(self)
        self.memory_used += guest.spec.memory_mib
        self.changed()

    def drop(self, guest: Guest) -> None:
        """Let go of the guest, its memory and its disks; nothing if it is gone already."""
        if self.guests.get(guest.spec.name) is guest:
            del self.guests[guest.spec.name]
            self.site.forget(guest.spec.name, self)
            self.memory_used -= guest.spec.memory_mib
            if guest.work is not None:
                guest.work.pause()
            if guest.appliance is not None:
                guest.appliance.stop()
            if guest.console is not None:
                guest.console.ended()
            for disk in guest.disks:
                self.release(disk, guest.spec.name)
            self.changed()

    def changed(self) -> None:
        self._inventory = None
        self.site.on_guests(self)

    def note(self, guest: Guest, text: str) -> None:
        """Something happened to the guest, for its console to tell."""
        if guest.console is None:
            guest.console = GuestConsole()
        guest.console.note(self.site.loop.time(), text)

    def address_of_console(self, guest: Guest) -> ConsoleAddress:
        return ConsoleAddress(self.address, guest.port, kind="text")

    # work

    def begin_work(self, guest: Guest) -> None:
        """The guest has booted: its tasks begin from nothing, but those that its root disk knows to be done."""
        spec, site = guest.spec, self.site
        if guest.work is not None:
            guest.work.pause()
            guest.work = None
        lengths = lengths_in(spec.user_data)
        if lengths and self.guests.get(spec.name) is guest:
            done = _done_before(self.root_disk(guest), spec.id, lengths)
            work = guest.work = self._work(guest, lengths, done)
            todo = work.todo
            if todo:
                site.work_listener.work_began(spec.id, todo, work.time)
                self.go_on(guest)

    def recall_work(self, guest: Guest, memory: InMemory | None) -> None:
        """The guest's memory is what it was at a snapshot, its work with it."""
        if guest.work is not None:
            guest.work.pause()
            guest.work = None
        if memory is not None:
            guest.work = self._work(guest, memory.lengths, frozenset())
            guest.work.recall(memory)
            self.go_on(guest)

    def _work(self, guest: Guest, lengths: tuple[int, ...], done: frozenset[int]) -> Work:
        spec = guest.spec
        finished = partial(self._task_done, guest)
        return Work(self.site.loop, spec.cpus, spec.cpu_mhz, lengths, finished, done)

    def go_on(self, guest: Guest) -> None:
        """Have the guest's work run on this host's cores exactly while the guest itself does."""
        work = guest.work
        if work is not None:
            if guest.state == "running":
                if self._cores is None:
                    self._cores = Cores(self.group.cores, self.group.mhz)
                work.run_on(self._cores)
            else:
                work.pause()

    def take_work(self, guest: Guest, work: Work | None) -> None:
        """The guest has arrived here, in the middle of that work."""
        if work is not None:
            guest.work = work
            work.on_finished = partial(self._task_done, guest)
            self.go_on(guest)

    def _task_done(self, guest: Guest, task: int, time: float) -> None:
        disk, work, vm_id = self.root_disk(guest), guest.work, guest.spec.id
        if disk is not None and work is not None:
            done = _done_before(disk, vm_id, work.lengths)
            disk.work = OnDisk(vm_id, work.lengths, done | {task})
        self.site.work_listener.task_finished(vm_id, task, time)

    def root_disk(self, guest: Guest) -> Content | None:
        """The file of the guest's first disk, if it has one."""
        disks = guest.spec.disks
        pool = self.mounted.get(disks[0].pool_id) if disks else None
        return None if pool is None else pool.contents.get(disks[0].path)

    # disks and pools

    def pool(self, pool_id: str) -> Pool:
        """The mounted pool. Raises HypervisorError if it is not mounted here."""
        pool = self.mounted.get(pool_id)
        if pool is None:
            raise HypervisorError(f"pool {pool_id} is not mounted on {self.name}")
        return pool

    def hold(self, disk: DiskSpec, vm: str) -> None:
        """Open a disk for writing, as QEMU's image locks do. Raises HypervisorError if another has it open."""
        content = self.pool(disk.pool_id).find(disk.path)
        user = f"{vm}@{self.name}"
        if content.user is not None and content.user != user:
            raise HypervisorError(f"disk {disk.path} of {vm} is in use by {content.user}")
        content.user = user

    def release(self, disk: DiskSpec, vm: str) -> None:
        """Close a disk, if it is this host's instance that has it open."""
        pool = self.mounted.get(disk.pool_id)
        content = None if pool is None else pool.contents.get(disk.path)
        if content is not None and content.user == f"{vm}@{self.name}":
            content.user = None

    def local_pool(self, path: str) -> Pool:
        """The pool on the host's own disk, at that path."""
        if self._local is None:
            self._local = {}
        if path not in self._local:
            group = self.group
            self._local[path] = Pool(
                f"{self.name}:{path}",
                self.place,
                capacity=int(group.local_disk_gib * GIB),
                iops=group.local_iops,
                bandwidth=group.local_gbps * GBIT,
                written_share=0.1,
            )
        return self._local[path]

    def reach(self, source: Place, target: Place) -> list[Channel]:
        """The channels between two places. Raises HypervisorError if a link between them is cut."""
        if not self.site.topology.reachable(source, target):
            raise HypervisorError(f"{self.name} cannot reach from {source.name} to {target.name}: a link is cut")
        return self.site.topology.path(source, target)


def _done_before(disk: Content | None, vm_id: str, lengths: tuple[int, ...]) -> frozenset[int]:
    """The tasks of this work of that instance which its root disk knows to be done."""
    known = None if disk is None else disk.work
    if known is None or known.vm_id != vm_id or known.lengths != lengths:
        return frozenset()
    return known.done
