"""The secondary storage VMs of each zone: as many as its transfers need, and which one carries a transfer.

A zone that can have them has one at least, and more when it has so many transfers that the standby of
secstorage.capacity.standby would not fit on them at secstorage.session.max each.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from cloudsim.errors import CloudError
from cloudsim.management.foundation import Foundation
from cloudsim.management.systemvm.system_vms import SystemVms
from cloudsim.model import Host, ImageStore, IpRange, SystemVm, Transfer, VirtualMachine, Zone
from cloudsim.model.systemvm import SystemVmKind

log = logging.getLogger(__name__)

KIND: SystemVmKind = "SecondaryStorageVm"
IDLE_ROUNDS = 10
"""Rounds for which one more than needed must have been idle before it goes."""


class SecondaryStorageVms:
    """`check` is to be called every secstorage.capacity.scan.interval."""

    def __init__(self, foundation: Foundation, system_vms: SystemVms) -> None:
        self._foundation = foundation
        self._settings = foundation.settings
        self._system = system_vms
        self._rows = foundation.table(SystemVm)
        self._vms = foundation.table(VirtualMachine)
        self._hosts = foundation.table(Host)
        self._zones = foundation.table(Zone)
        self._stores = foundation.table(ImageStore)
        self._ranges = foundation.table(IpRange)
        self._transfers = foundation.table(Transfer)
        self._idle: dict[str, int] = {}
        self._refused: dict[str, str] = {}
        self.doors: Callable[[], str] | None = None
        """Where clients reach all of them, `http://host:port`, in a world in which their addresses lead nowhere."""

    # which there are

    def of(self, zone_id: str) -> list[SystemVm]:
        """Those of the zone that are not being removed."""
        return [
            row
            for row in self._rows.where("zone_id", zone_id)
            if row.kind == KIND
            and (vm := self._vms.get(row.id)) is not None
            and vm.state not in ("Destroyed", "Expunging")
        ]

    def row(self, vm_id: str | None) -> SystemVm | None:
        return self._rows.get(vm_id)

    def up(self, zone_id: str) -> list[SystemVm]:
        """Those that run and answer, as far as is known."""
        return [row for row in self.of(zone_id) if self._is_up(row)]

    def _is_up(self, row: SystemVm) -> bool:
        vm = self._vms.get(row.id)
        return vm is not None and vm.state == "Running" and row.agent_state == "Up"

    def carrier(self, transfer: Transfer, avoid: str | None = None) -> SystemVm | None:
        """Who carries the transfer: who has it, or the least busy one that has room; `avoid` only if there is no other."""
        up = self.up(transfer.zone_id)
        for row in up:
            if row.id == transfer.vm_id and row.id != avoid:
                return row
        most = self._settings.integer("secstorage.session.max")
        free = [row for row in up if row.id == transfer.vm_id or self.load(row.id) < most]
        return min(free, key=lambda row: (row.id == avoid, self.load(row.id), row.created), default=None)

    def load(self, vm_id: str) -> int:
        """The transfers that it carries now, or is to."""
        return self._count(vm_id, "Waiting", "Running")

    def _count(self, vm_id: str, *states: str) -> int:
        return sum(self._transfers.count(("vm_id", "state"), (vm_id, state)) for state in states)

    def expected(self, zone_id: str) -> bool:
        """Whether the zone has any, or is to get one sooner or later."""
        zone = self._zones.get(zone_id)
        return zone is not None and (bool(self.of(zone_id)) or self._is_equipped(zone))

    def door(self, row: SystemVm) -> str:
        """Where clients reach it, such as http://192.0.2.7."""
        if self.doors is not None:
            return self.doors()
        if not self._settings.boolean("secstorage.encrypt.copy"):
            return f"http://{row.public_ip}"
        domain = self._settings.get("secstorage.ssl.cert.domain").removeprefix("*.").strip(".")
        if not domain:
            return f"https://{row.public_ip}"
        return f"https://{(row.public_ip or '').replace('.', '-')}.{domain}"

    # how many there are to be

    def possible(self, zone: Zone) -> bool:
        """Whether the zone can have them: it is enabled and has public addresses, secondary storage, a system VM
        template that is ready, and a host that is up."""
        return (
            zone.allocation_state == "Enabled"
            and self._is_equipped(zone)
            and self._system.template(zone) is not None
            and any(self._hosts[each].state == "Up" for each in self._hosts.ids("zone_id", zone.id))
        )

    def _is_equipped(self, zone: Zone) -> bool:
        return (
            not zone.is_edge
            and self._settings.boolean("secondary.storage.vm", "Zone", zone.id)
            and any(each.public and each.start_ip for each in self._ranges.where("zone_id", zone.id))
            and bool(self._stores.where("zone_id", zone.id))
        )

    def needed(self, zone: Zone) -> int:
        """How many the zone needs now."""
        active = sum(
            self._transfers.count(("zone_id", "state"), (zone.id, state)) for state in ("Waiting", "Running")
        )
        wanted = active + self._settings.integer("secstorage.capacity.standby")
        return max(1, -(-wanted // self._settings.integer("secstorage.session.max")))

    async def check(self) -> None:
        """Deploy what a zone lacks, one a round, and remove what it has had no use for."""
        if not len(self._ranges):
            return
        for zone in list(self._zones):
            if not self.possible(zone):
                continue
            have, needed = self.of(zone.id), self.needed(zone)
            if len(have) < needed:
                await self._deploy(zone)
            for row in have:
                await self._show_new_stores(zone, row)
            await self._dismiss(have, len(have) - needed)

    async def _deploy(self, zone: Zone) -> None:
        try:
            await self._system.deploy(KIND, zone)
        except CloudError as error:
            if self._refused.get(zone.id) != error.text:
                log.warning("zone %s gets no secondary storage VM: %s", zone.name, error.text)
            self._refused[zone.id] = error.text
        else:
            self._refused.pop(zone.id, None)

    async def _show_new_stores(self, zone: Zone, row: SystemVm) -> None:
        """A store that was added since the VM started is shared with it when it starts again; uploads are waited for."""
        vm = self._vms.get(row.id)
        if vm is None or not self._is_up(row) or self._carries_upload(row.id):
            return
        if any(store.created > vm.updated for store in self._stores.where("zone_id", zone.id)):
            try:
                again = partial(self._system.rebooted, row.id)
                await self._system.in_turn(row.id, "rebootSystemVm", again)
            except CloudError as error:
                log.warning("%s does not see the new secondary storage yet: %s", vm.instance_name, error.text)

    def _carries_upload(self, vm_id: str) -> bool:
        return any(row.kind == "Upload" for row in self._transfers.where(("vm_id", "state"), (vm_id, "Running")))

    async def _dismiss(self, have: list[SystemVm], surplus: int) -> None:
        for row in sorted(have, key=lambda row: row.created, reverse=True):
            idle = surplus > 0 and row.wanted and self._is_idle(row.id)
            self._idle[row.id] = self._idle.get(row.id, 0) + 1 if idle else 0
            if self._idle[row.id] < IDLE_ROUNDS:
                continue
            surplus -= 1
            del self._idle[row.id]
            try:
                gone = partial(self._system.destroyed, row.id)
                await self._system.in_turn(row.id, "destroySystemVm", gone)
            except CloudError as error:
                log.warning("secondary storage VM %s is not removed: %s", row.id, error.text)

    def _is_idle(self, vm_id: str) -> bool:
        """Whether it carries nothing, and serves nothing to anybody."""
        return not self._count(vm_id, "Waiting", "Running", "Published", "Cancelling")
