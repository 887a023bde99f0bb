"""What is plugged into a running instance and taken from it: network cards and their rules, volumes, ISOs.

A device goes when the guest lets go of it, which it does when it is asked to, if it is up. Until it is really
gone, it is in use.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from backends.libvirt import live_domain
from backends.libvirt.base import HostBase
from backends.libvirt.connection import NoSuchInstance
from backends.libvirt.domain_state import taps
from backends.libvirt.domain_xml import cdrom_xml, disk_target, disk_xml, interface_xml
from backends.libvirt.live_domain import LiveDisk
from cloudsim.hypervisor import HypervisorError, note_step
from cloudsim.protocol.specs import DiskSpec, ImageSpec, NicSpec, SecurityRule, VmSpec

log = logging.getLogger(__name__)

LET_GO_WITHIN = 30.0
"""Seconds that a guest may take to let go of a device."""

LOOK_AGAIN = 0.5
"""Seconds between looks whether it has."""

ISO_DRIVES = ("hdc", "sdc")
"""Where `domain_xml` puts the drive for ISOs, on IDE and on SATA."""

_SLOW = 2.0
"""libvirt itself waits up to 5 s for a device to go, and for a tray to open."""


class Devices(HostBase):
    """`plug_nic`, `unplug_nic`, `set_security_rules`, `attach_volume`, `detach_volume` and `attach_iso` of
    `LibvirtHypervisor`.
    """

    if TYPE_CHECKING:  # of its other parts

        async def image_file(self, image: ImageSpec) -> Path: ...

    # network cards

    async def plug_nic(self, name: str, nic: NicSpec) -> None:
        """As `Hypervisor.plug_nic`; again is no error. The card's traffic is guarded before this returns."""
        what = f"plugging NIC {nic.mac} into {name}"
        began = time.monotonic()
        xml = await self._live(name, what)
        before = self._known(name, what)
        vm = replace(before, nics=(*_without(before.nics, nic), nic))
        if any(live.mac == nic.mac.lower() for live in live_domain.nics(xml)):
            await self.networks.plug(vm, nic)
            await self.networks.guard(vm, taps(xml))
            self.kept.put(vm)
            return
        try:
            bridge = await self.networks.plug(vm, nic)
            await self._attach(name, what, interface_xml(nic, bridge, vm))
            await self.networks.guard(vm, taps(await self._live(name, what)))
            self.kept.put(vm)
        except BaseException:
            await self._undo_plug(name, before, nic)
            raise
        note_step("nic_plug", time.monotonic() - began)

    async def _undo_plug(self, name: str, before: VmSpec, nic: NicSpec) -> None:
        """The card is not to stay, whatever of it there is: its traffic may be unguarded."""
        try:
            await self._take_nic(name, f"taking NIC {nic.mac} back from {name}", nic)
            await self.networks.unplug(replace(before, nics=_without(before.nics, nic)), nic)
        except Exception:
            log.exception("NIC %s was not plugged into %s, and something of it is left", nic.mac, name)

    async def unplug_nic(self, name: str, nic: NicSpec) -> None:
        """As `Hypervisor.unplug_nic`. Raises HypervisorError if the guest does not let go of it."""
        what = f"unplugging NIC {nic.mac} from {name}"
        began = time.monotonic()
        if await self._take_nic(name, what, nic):
            note_step("nic_unplug", time.monotonic() - began)
        before = self.kept.get(name)
        if before is not None:
            vm = replace(before, nics=_without(before.nics, nic))
            await self.networks.unplug(vm, nic)
            self.kept.put(vm)

    async def set_security_rules(
        self, name: str, nic_id: str, rules: tuple[SecurityRule, ...] | None
    ) -> None:
        """As `Hypervisor.set_security_rules`. They take effect all together; an agent that starts anew has them too."""
        vm = self.kept.get(name)
        card = next((nic for nic in vm.nics if nic.id == nic_id), None) if vm is not None else None
        if vm is None or card is None:
            return
        began = time.monotonic()
        try:
            xml = await self._live(name, f"setting the security rules of NIC {card.mac} of {name}")
        except NoSuchInstance:
            return
        tap = taps(xml).get(card.mac.lower())
        changed = replace(vm, nics=tuple(replace(n, rules=rules) if n is card else n for n in vm.nics))
        if tap is not None:
            await self.networks.guard(changed, {card.mac: tap})
        self.kept.put(changed)
        note_step("security_rules", time.monotonic() - began)

    async def _take_nic(self, name: str, what: str, nic: NicSpec) -> bool:
        """Whether there was one. libvirt takes two cards with one MAC, so all are looked for."""

        def find(xml: str) -> str | None:
            return next((live.xml for live in live_domain.nics(xml) if live.mac == nic.mac.lower()), None)

        return await self._take(name, what, find)

    # volumes

    async def attach_volume(self, name: str, disk: DiskSpec) -> None:
        """As `Hypervisor.attach_volume`, into slot `disk.device`; again is no error."""
        what = f"attaching volume {disk.volume_id} to {name}"
        began = time.monotonic()
        await self.pools.ready(disk.pool_id)
        path, target = self.pools.disk(disk), disk_target(disk.device)
        for live in live_domain.disks(await self._live(name, what)):
            if live.holds(disk, path):
                if live.target != target:
                    raise HypervisorError(
                        f"{what}: it is attached already, as {live.target} and not as {target}"
                    )
                self._keep_disk(name, disk)
                return
            if live.target == target:
                raise HypervisorError(
                    f"{what}: slot {disk.device} ({target}) holds {self._called(name, live)}"
                )
        kept = self.kept.get(name)
        await self._attach(name, what, disk_xml(disk, path, kept.details if kept is not None else {}))
        self._keep_disk(name, disk)
        note_step("volume_attach", time.monotonic() - began)

    def _keep_disk(self, name: str, disk: DiskSpec) -> None:
        vm = self.kept.get(name)
        if vm is not None:
            others = tuple(d for d in vm.disks if d.volume_id != disk.volume_id and d.device != disk.device)
            self.kept.put(replace(vm, disks=(*others, disk)))

    def _called(self, name: str, live: LiveDisk) -> str:
        vm = self.kept.get(name)
        for disk in vm.disks if vm is not None else ():
            if live.holds(disk, None):
                return f"volume {disk.volume_id} already"
        return f"the disk {live.path} already"

    async def detach_volume(self, name: str, disk: DiskSpec) -> None:
        """As `Hypervisor.detach_volume`. Raises HypervisorError if the guest does not let go of it."""
        what = f"detaching volume {disk.volume_id} from {name}"
        began = time.monotonic()
        try:
            path = self.pools.disk(disk)
        except HypervisorError:
            path = None  # its pool is not mounted any more; the serial number tells

        def find(xml: str) -> str | None:
            return next((live.xml for live in live_domain.disks(xml) if live.holds(disk, path)), None)

        if await self._take(name, what, find):
            note_step("volume_detach", time.monotonic() - began)
        vm = self.kept.get(name)
        if vm is not None:
            self.kept.put(replace(vm, disks=tuple(d for d in vm.disks if d.volume_id != disk.volume_id)))

    # ISOs

    async def attach_iso(self, name: str, iso: ImageSpec | None) -> None:
        """As `Hypervisor.attach_iso`. A tray that the guest keeps locked is opened by force."""
        what = f"ejecting the ISO of {name}" if iso is None else f"putting ISO {iso.path} into {name}"
        path = None if iso is None else await self.image_file(iso)
        xml = await self._live(name, what)
        drive = next((d for d in live_domain.drives(xml) if d.target in ISO_DRIVES), None)
        if drive is None:
            raise HypervisorError(f"{what}: it has no CD-ROM drive")
        if drive.path != (str(path) if path is not None else ""):
            changed = cdrom_xml(path, drive.target, drive.bus)
            limit = _SLOW * self.settings.libvirt_timeout
            await self.connection.domain_call(
                name, what, lambda domain: _change_medium(domain, changed), limit
            )
        vm = self.kept.get(name)
        if vm is not None:
            self.kept.put(replace(vm, iso=iso))

    # what they share

    def _known(self, name: str, what: str) -> VmSpec:
        vm = self.kept.get(name)
        if vm is None:
            raise HypervisorError(f"{what}: this host does not know how the instance was started")
        return vm

    async def _live(self, name: str, what: str) -> str:
        """Its XML as it runs. Raises HypervisorError if it is not on this host."""
        return await self.connection.domain_call(name, what, lambda domain: str(domain.XMLDesc(0)))

    async def _attach(self, name: str, what: str, xml: str) -> None:
        def attach(domain: Any) -> None:
            domain.attachDeviceFlags(xml, _LIVE)

        await self.connection.domain_call(name, what, attach, payload=xml)

    async def _take(self, name: str, what: str, find: Callable[[str], str | None]) -> bool:
        """Have the guest let go of what `find` finds in its XML, until it finds no more; whether there was
        any.

        A guest that is booting does not hear the first request, so it is said again.
        """
        device = find(await self._live(name, what))
        if device is None:
            return False
        end = time.monotonic() + LET_GO_WITHIN
        limit = _SLOW * self.settings.libvirt_timeout
        while device is not None:
            if time.monotonic() >= end:
                raise HypervisorError(f"{what}: the guest did not let go of it within {LET_GO_WITHIN:g} s")
            asking = partial(_ask_for, device=device)
            await self.connection.domain_call(name, what, asking, limit, payload=device)
            device = find(await self._live(name, what))
            if device is not None:
                await asyncio.sleep(LOOK_AGAIN)
                device = find(await self._live(name, what))
        return True


_LIVE = 1
"""libvirt.VIR_DOMAIN_AFFECT_LIVE"""


def _without(nics: tuple[NicSpec, ...], nic: NicSpec) -> tuple[NicSpec, ...]:
    return tuple(other for other in nics if other.id != nic.id)


def _ask_for(domain: Any, device: str) -> None:
    """Blocks, for up to 5 s if the guest is slow. One that is on its way, or gone by now, is no error."""
    import libvirt

    try:
        domain.detachDeviceFlags(device, _LIVE)
    except libvirt.libvirtError as error:
        gone = error.get_error_code() == libvirt.VIR_ERR_DEVICE_MISSING
        if not gone and "in the process of unplug" not in str(error):
            raise


def _change_medium(domain: Any, drive: str) -> None:
    """Blocks, for 5 s if the guest has locked the tray."""
    import libvirt

    try:
        domain.updateDeviceFlags(drive, _LIVE)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_OPERATION_FAILED:
            raise
        domain.updateDeviceFlags(drive, _LIVE | libvirt.VIR_DOMAIN_DEVICE_MODIFY_FORCE)
