"""Instances on a simulated host: start, stop, change, plug, snapshot."""

from __future__ import annotations

from msgspec.structs import replace

from backends.simulated.guest import Guest
from backends.simulated.machine import Machine
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import ConsoleAddress, DiskSpec, ImageSpec, NicSpec, SecurityRule, VmSpec

_MIB = 1 << 20


class Instances(Machine):
    """The instance methods of `cloudsim.hypervisor.Hypervisor`, except migration.

    A disk is open on one host at a time, as QEMU's image locks see to: starting an instance whose disk
    runs elsewhere fails, whatever the manager believes.
    """

    __slots__ = ()

    async def start_vm(self, vm: VmSpec) -> ConsoleAddress | None:
        self.check_power(self.boots)
        guest = self.guests.get(vm.name)
        if guest is not None and guest.spec.id != vm.id:
            raise HypervisorError(f"{self.name} runs another instance called {vm.name}, {guest.spec.id}")
        if guest is not None and guest.state in ("running", "paused"):
            return self.address_of_console(guest)
        if guest is not None:
            raise HypervisorError(f"instance {vm.name} is {guest.state} on {self.name}")
        self.check_room(vm)
        for disk in vm.disks:
            self.check_free(disk, vm.name)
        self.check_image(vm.iso)
        guest = Guest(vm, "booting", self.site.loop.time())
        try:
            for disk in vm.disks:
                self.hold(disk, vm.name)
            self.admit(guest)
            await self.take("vm_define")
            for disk in vm.disks[:1]:
                await self.serve(self.pool(disk.pool_id), "boot_ios")
            await self.take("vm_boot")
        except BaseException:
            self.drop(guest)
            raise
        guest.state = "running"
        guest.started = self.site.loop.time()
        self.prepared.pop(vm.name, None)
        self.begin_work(guest)
        return self.address_of_console(guest)

    def check_free(self, disk: DiskSpec, vm: str) -> None:
        """Raises HypervisorError if `hold` would."""
        content = self.pool(disk.pool_id).find(disk.path)
        if content.user is not None and content.user != f"{vm}@{self.name}":
            raise HypervisorError(f"disk {disk.path} of {vm} is in use by {content.user}")

    def check_image(self, image: ImageSpec | None) -> None:
        """Raises HypervisorError for an image that its store does not have."""
        if image is not None:
            self.site.store(image.store_url, self.place).find(image.path, image.size)

    async def stop_vm(self, name: str, forced: bool) -> None:
        self.check_power(self.boots)
        self.prepared.pop(name, None)
        guest = self.guests.get(name)
        if guest is None or guest.state == "incoming":
            return
        await self.take("forced_stop" if forced or guest.state != "running" else "vm_shutdown")
        self.drop(guest)

    async def reboot_vm(self, name: str, forced: bool) -> None:
        guest = self.running(name)
        await self.take("forced_stop" if forced else "vm_shutdown")
        if guest.work is not None:
            guest.work.pause()
        if guest.appliance is not None:
            guest.appliance.stop()
        try:
            for disk in guest.disks[:1]:
                await self.serve(self.pool(disk.pool_id), "boot_ios")
            await self.take("vm_boot")
            guest.state = "running"
            guest.started = self.site.loop.time()
            if guest.console is not None:
                guest.console.rebooted()
        finally:  # a guest that boots does so whatever becomes of the agent that asked for it
            self.begin_work(guest)

    async def suspend_vm(self, name: str) -> None:
        guest = self.running(name)
        await self.take("vm_suspend")
        guest.state = "paused"
        self.note(guest, "paused")
        self.go_on(guest)

    async def resume_vm(self, name: str) -> None:
        guest = self.running(name)
        await self.take("vm_suspend")
        guest.state = "running"
        self.note(guest, "goes on")
        self.go_on(guest)

    async def scale_vm(self, name: str, cpus: int, cpu_mhz: int, memory_mib: int) -> None:
        guest = self.running(name)
        more = memory_mib - guest.spec.memory_mib
        limit = int(self.group.memory * self.group.memory_overcommit)
        if more > 0 and self.memory_used + more > limit:
            raise HypervisorError(
                f"instance {name} needs {more} MiB more, and {self.memory_used} of at most {limit} MiB "
                f"on {self.name} are taken"
            )
        before = guest.spec
        self._resize(guest, replace(before, cpus=cpus, cpu_mhz=cpu_mhz, memory_mib=memory_mib))
        try:
            await self.take("vm_scale")
        except BaseException:
            if self.guests.get(name) is guest:
                self._resize(guest, before)
            raise
        self.note(guest, f"now {cpus} x {cpu_mhz} MHz and {memory_mib} MiB")

    def _resize(self, guest: Guest, spec: VmSpec) -> None:
        self.memory_used += spec.memory_mib - guest.spec.memory_mib
        guest.spec = spec
        if guest.work is not None:
            guest.work.resize(spec.cpus, spec.cpu_mhz)

    async def console(self, name: str, serial: bool = False) -> ConsoleAddress:
        return self.address_of_console(self.running(name))

    async def set_security_rules(
        self, name: str, nic_id: str, rules: tuple[SecurityRule, ...] | None
    ) -> None:
        guest = self.guests.get(name)
        if guest is None:
            return
        await self.take("security_rules")
        nics = tuple(replace(nic, rules=rules) if nic.id == nic_id else nic for nic in guest.nics)
        guest.spec = replace(guest.spec, nics=nics)

    async def plug_nic(self, name: str, nic: NicSpec) -> None:
        guest = self.running(name)
        await self.take("nic_plug")
        nics = tuple(n for n in guest.nics if n.id != nic.id)
        guest.spec = replace(guest.spec, nics=(*nics, nic))
        self.note(guest, f"eth{nic.device} plugged in: {nic.mac}, {nic.ip or 'no address'}")

    async def unplug_nic(self, name: str, nic: NicSpec) -> None:
        guest = self.running(name)
        if any(n.id == nic.id for n in guest.nics):
            await self.take("nic_unplug")
            guest.spec = replace(guest.spec, nics=tuple(n for n in guest.nics if n.id != nic.id))
            self.note(guest, f"eth{nic.device} unplugged: {nic.mac}")

    async def attach_volume(self, name: str, disk: DiskSpec) -> None:
        guest = self.running(name)
        if any(d.volume_id == disk.volume_id for d in guest.disks):
            return
        if any(d.device == disk.device for d in guest.disks):
            raise HypervisorError(f"instance {name} has a disk in slot {disk.device} already")
        self.hold(disk, name)
        try:
            await self.take("volume_attach")
        except BaseException:
            self.release(disk, name)
            raise
        guest.spec = replace(guest.spec, disks=(*guest.disks, disk))
        self.note(guest, f"disk {disk.device} attached: volume {disk.volume_id}")

    async def detach_volume(self, name: str, disk: DiskSpec) -> None:
        guest = self.running(name)
        found = next((d for d in guest.disks if d.volume_id == disk.volume_id), None)
        if found is not None:
            await self.take("volume_detach")
            guest.spec = replace(guest.spec, disks=tuple(d for d in guest.disks if d is not found))
            self.release(found, name)
            self.note(guest, f"disk {found.device} detached: volume {found.volume_id}")

    async def attach_iso(self, name: str, iso: ImageSpec | None) -> None:
        guest = self.running(name)
        self.check_image(iso)
        if guest.spec.iso != iso:
            await self.take("volume_detach" if iso is None else "volume_attach")
            guest.spec = replace(guest.spec, iso=iso)
            self.note(guest, "the ISO was taken out" if iso is None else f"ISO {iso.path} put in")

    async def create_vm_snapshot(
        self, name: str, snapshot: str, disks: tuple[DiskSpec, ...], memory: bool
    ) -> None:
        """Memory is kept beside the first disk, and takes room and time on its pool."""
        guest = self.guests.get(name)
        contents = [(self.pool(d.pool_id), self.pool(d.pool_id).find(d.path)) for d in disks]
        for disk, (_, content) in zip(disks, contents, strict=True):
            if snapshot in content.snapshots:
                raise HypervisorError(f"disk {disk.path} of {name} has a snapshot {snapshot} already")
        kept = guest.spec.memory_mib * _MIB if memory and guest is not None and contents else 0
        if kept:
            contents[0][0].take(kept, f"memory of {name} in snapshot {snapshot}")
        try:
            await self.take("vm_snapshot")
            if kept:
                pool = contents[0][0]
                await self.move([*self.reach(self.place, pool.place), pool.disks], kept)
        except BaseException:
            if kept:
                contents[0][0].take(-kept, "")
            raise
        for index, (_, content) in enumerate(contents):
            content.snapshots[snapshot] = kept if index == 0 else 0
        work = None if guest is None else guest.work
        if contents and (work is not None or contents[0][1].work is not None):
            root = contents[0][1]
            progress = work.memory() if work is not None and memory else None
            root.work_then = {**(root.work_then or {}), snapshot: (root.work, progress)}

    async def revert_to_vm_snapshot(
        self, name: str, snapshot: str, disks: tuple[DiskSpec, ...], memory: bool
    ) -> None:
        for disk in disks:
            if snapshot not in self.pool(disk.pool_id).find(disk.path).snapshots:
                raise HypervisorError(f"disk {disk.path} of {name} has no snapshot {snapshot}")
        guest = self.guests.get(name)
        await self.take("vm_snapshot_revert")
        progress = None
        for disk in disks[:1]:
            root = self.pool(disk.pool_id).find(disk.path)
            root.work, progress = (root.work_then or {}).get(snapshot, (None, None))
        if guest is not None and not memory and guest.state == "running":
            if guest.work is not None:
                guest.work.pause()
            await self.take("vm_boot")
            guest.started = self.site.loop.time()
            self.begin_work(guest)
        elif guest is not None and memory:
            self.recall_work(guest, progress)

    async def delete_vm_snapshot(self, name: str, snapshot: str, disks: tuple[DiskSpec, ...]) -> None:
        await self.take("vm_snapshot")
        for disk in disks:
            pool = self.pool(disk.pool_id)
            content = pool.contents.get(disk.path)
            if content is not None:
                pool.take(-content.snapshots.pop(snapshot, 0), "")
                if content.work_then is not None:
                    content.work_then.pop(snapshot, None)
