"""Instances that the cloud did not make: how a simulated host describes them, and how tests and lessons put them there."""

from __future__ import annotations

from collections.abc import Sequence

from backends.simulated.datacenter import GIB
from backends.simulated.guest import Guest
from backends.simulated.machine import Machine
from backends.simulated.storage import Content
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import (
    DiskSpec,
    NicSpec,
    UnmanagedDisk,
    UnmanagedInstance,
    UnmanagedNic,
    VmSpec,
)


class Unmanaged(Machine):
    """The part of `cloudsim.hypervisor.Hypervisor` that is about instances which the cloud does not know."""

    __slots__ = ()

    async def unmanaged_instances(
        self, name: str | None, known: tuple[str, ...]
    ) -> tuple[UnmanagedInstance, ...]:
        self.check_power(self.boots)
        unknown = self.guests.keys() - set(known)
        return tuple(
            _described(guest)
            for guest in self.guests.values()
            if guest.spec.name in unknown and guest.state != "incoming" and name in (None, guest.spec.name)
        )

    async def adopt_vm(self, vm: VmSpec) -> None:
        self.running(vm.name).spec = vm

    def run_foreign(
        self,
        id: str,
        name: str,
        *,
        cpus: int = 1,
        cpu_mhz: int = 1000,
        memory_mib: int = 512,
        pool_id: str | None = None,
        disks_gib: Sequence[float] = (8,),
        vlans: Sequence[str | None] = (),
        guest_os: str = "",
    ) -> VmSpec:
        """Run an instance here at once, as an operator does with the hypervisor's own tools.

        Its disks, root first, are new ones on the pool of that id (by default the first that is mounted here); each
        of `vlans` gives it a NIC there. Raises HypervisorError when that cannot be; nothing is left behind then.
        """
        pool_id = pool_id or next(iter(self.mounted), "")
        disks = tuple(
            DiskSpec(f"{name}-{n}", pool_id, f"{name}-{n}", int(gib * GIB), "DATADISK" if n else "ROOT", n)
            for n, gib in enumerate(disks_gib)
        )
        nics = tuple(NicSpec(f"{name}-nic{n}", _mac(id, n), "", n, vlan=vlan) for n, vlan in enumerate(vlans))
        spec = VmSpec(name, id, cpus, cpu_mhz, memory_mib, disks, nics, hostname=name, guest_os=guest_os)
        self.check_power(self.boots)
        if name in self.guests:
            raise HypervisorError(f"{self.name} runs an instance {name} already")
        self.check_room(spec)
        self._make(spec)
        self.admit(Guest(spec, "running", self.site.loop.time()))
        return spec

    def _make(self, spec: VmSpec) -> None:
        """Make the disks, and open them for the instance."""
        made: list[DiskSpec] = []
        try:
            for disk in spec.disks:
                pool = self.pool(disk.pool_id)
                pool.add(disk.path, Content(disk.size, pool.written(disk.size)))
                made.append(disk)
                self.hold(disk, spec.name)
        except HypervisorError:
            for disk in made:
                self.release(disk, spec.name)
                self.pool(disk.pool_id).remove(disk.path)
            raise


def _mac(id: str, number: int) -> str:
    """An address of those that QEMU's guests have (52:54:00), by the instance's id."""
    text = f"525400{(int(id[-6:], 16) + number) % (1 << 24):06x}"
    return ":".join(text[i : i + 2] for i in range(0, 12, 2))


def _described(guest: Guest) -> UnmanagedInstance:
    spec = guest.spec
    return UnmanagedInstance(
        name=spec.name,
        id=spec.id,
        state="PowerOn",
        cpus=spec.cpus,
        memory_mib=spec.memory_mib,
        cpu_mhz=spec.cpu_mhz,
        guest_os=spec.guest_os,
        disks=tuple(
            UnmanagedDisk(
                label=f"vd{chr(ord('a') + disk.device)}",
                path=f"/mnt/{disk.pool_id}/{disk.path}",
                size=disk.size,
                pool_id=disk.pool_id,
                pool_path=disk.path,
                device=disk.device,
            )
            for disk in sorted(spec.disks, key=lambda disk: disk.device)
        ),
        nics=tuple(
            UnmanagedNic(
                label=f"net{nic.device}",
                mac=nic.mac,
                bridge="cloudbr0" if nic.vlan is None else f"br-{nic.vlan}",
                vlan=nic.vlan,
            )
            for nic in sorted(spec.nics, key=lambda nic: nic.device)
        ),
    )
