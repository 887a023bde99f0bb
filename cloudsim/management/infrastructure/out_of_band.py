"""Out-of-band management of hosts: their power is switched and seen by their management controllers, not their agents."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Literal, NamedTuple

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.identity import Identity
from cloudsim.model import Cluster, Host, OutOfBandManagement, Zone
from cloudsim.out_of_band import (
    POWER_ACTIONS,
    ManagementController,
    OutOfBandError,
    PowerAction,
    PowerDriver,
)
from cloudsim.world import World

log = logging.getLogger(__name__)

SWITCH = "outOfBandManagementEnabled"
"""The detail of a zone or cluster that says `false` where it is off for all hosts in it."""
_SETTINGS = "outofbandmanagement.ipmitool."
_OPTIONS = ("interface", "retries")
_SWITCHING_AGAIN = 1.0
"""Seconds between two looks whether a host has gone off."""


class PowerActionFailed(CloudError):
    """A power action that was not done."""


class PowerResult(NamedTuple):
    """What an action came to: the host's row as it is now, and what to tell."""

    row: OutOfBandManagement
    action: PowerAction | None
    description: str


class OutOfBand:
    """The management controllers of all hosts. `spawn` runs a coroutine in the background.

    `sync` is to be called every outofbandmanagement.sync.interval.
    """

    def __init__(
        self,
        foundation: Foundation,
        identity: Identity,
        world: World,
        spawn: Callable[[Coroutine[Any, Any, Any]], object],
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._identity = identity
        self._world = world
        self._spawn = spawn
        self._rows = foundation.table(OutOfBandManagement)
        self._hosts = foundation.table(Host)
        self._randomness = foundation.randomness.branch("out of band")

    def of(self, host: Host) -> OutOfBandManagement | None:
        """How the host's power is switched, if that was configured."""
        return self._rows.find("host_id", host.id)

    def in_force(self, host: Host) -> bool:
        """Whether it is on for the host, and off neither for its cluster nor its zone."""
        row = self.of(host)
        return row is not None and row.enabled and self._places_allow(host)

    def _places_allow(self, host: Host) -> bool:
        places = (self._foundation.table(Zone)[host.zone_id], self._foundation.table(Cluster)[host.cluster_id])
        return all(place.details.get(SWITCH, "true") != "false" for place in places)

    def forget(self, host: Host) -> None:
        """Remove what is configured for a host that is being removed. Needs an open transaction."""
        row = self.of(host)
        if row is not None:
            self._rows.delete(row.id)

    # configuring

    def configure(
        self, host: Host, *, driver: str, address: str, port: str, username: str, password: str
    ) -> OutOfBandManagement:
        """Say how the host's management controller is reached. It does not become enabled by that.

        Raises InvalidParameterValue.
        """
        drivers = self._world.out_of_band
        if driver.lower() not in drivers:
            known = ", ".join(sorted(drivers)) or "none"
            raise InvalidParameterValue(f"Out-of-band management driver {driver} is not available: there is {known}")
        number = int(port) if port.isascii() and port.isdigit() else 0
        if not 1 <= number <= 65535:
            raise InvalidParameterValue(f"Invalid port {port}: expected a number from 1 to 65535")
        for name, value in (("address", address), ("username", username), ("password", password)):
            if not value.strip() or value.startswith("-") or not value.isprintable():
                shown = "" if name == "password" else f" {value!r}"
                raise InvalidParameterValue(f"Invalid {name}{shown}: expected a text of one line, not beginning with -")
        values: dict[str, Any] = {
            "driver": driver.lower(),
            "address": address.strip(),
            "port": number,
            "username": username,
            "password": password,
        }
        row = self.of(host)
        with self._store.transaction():
            if row is not None:
                return self._rows.update(row.id, **values)
            return self._rows.insert(
                OutOfBandManagement(id=self._randomness.uuid(), host_id=host.id, **values)
            )

    def check_configured(self, host: Host) -> OutOfBandManagement:
        """The host's row. Raises InvalidParameterValue where there is none."""
        row = self.of(host)
        if row is None:
            raise InvalidParameterValue(f"Out-of-band management is not configured for host {host.name}")
        return row

    def switch_host(self, host: Host, on: bool) -> OutOfBandManagement:
        """Enable or disable it for one host, whose power state is then looked at, or no longer known."""
        row = self.check_configured(host)
        with self._store.transaction():
            row = self._rows.update(row.id, enabled=on)
            self._settle(host)
        return self._rows[row.id]

    def switch_place(self, place: Zone | Cluster, on: bool) -> None:
        """Enable or disable it for all hosts of a zone or cluster, each as it is configured itself."""
        table: Any = self._foundation.table(type(place))
        index = "zone_id" if isinstance(place, Zone) else "cluster_id"
        with self._store.transaction():
            details = table[place.id].details
            table.update(place.id, details={**details, SWITCH: "true" if on else "false"})
            for host_id in list(self._hosts.ids(index, place.id)):
                self._settle(self._hosts[host_id])

    def _settle(self, host: Host) -> None:
        """Have the power state say whether it is known at all."""
        row = self.of(host)
        if row is None:
            return
        if not self.in_force(host):
            self._saw(row, "Disabled")
        elif row.power_state == "Disabled":
            self._saw(row, "Unknown")
            self._spawn(self._look(row.id))

    # acting

    def check_in_force(self, host: Host) -> OutOfBandManagement:
        """The host's row. Raises PowerActionFailed, saying where it is off, unless an action could be tried."""
        row = self.of(host)
        if row is None or not row.enabled:
            raise PowerActionFailed(f"Out-of-band management is not configured or enabled for host {host.name}")
        if not self._places_allow(host):
            raise PowerActionFailed(f"Out-of-band management is disabled for the zone or cluster of host {host.name}")
        return row

    def action_named(self, text: str) -> PowerAction:
        """The power action of that name, in any case. Raises InvalidParameterValue."""
        for action in POWER_ACTIONS:
            if action == text.upper():
                return action
        raise InvalidParameterValue(f"Invalid action {text}: expected one of {', '.join(POWER_ACTIONS)}")

    async def act(self, host: Host, action: PowerAction, timeout: float | None = None) -> PowerResult:
        """Have it done, and look what has become of the host. `timeout` in seconds, by default the setting.

        Raises PowerActionFailed, also when it is not done in time: nobody knows then whether it will be.
        """
        row = self.check_in_force(host)
        if timeout is None:
            timeout = self._foundation.settings.number("outofbandmanagement.action.timeout", "Cluster", host.cluster_id)
        driver, controller = self._driver(row, host)
        try:
            async with asyncio.timeout(timeout):
                if action != "STATUS":
                    await driver.act(controller, action)
                on = await driver.is_on(controller)
                while on and action == "OFF":
                    await asyncio.sleep(_SWITCHING_AGAIN)
                    on = await driver.is_on(controller)
        except (OutOfBandError, TimeoutError) as error:
            self._saw_of(host, "Unknown")
            why = str(error) or f"no answer within {timeout:g} seconds"
            raise self._failed(host, f"action {action}", why) from error
        state: Literal["On", "Off"] = "On" if on else "Off"
        return PowerResult(self._saw_of(host, state) or row, action, f"Power of host {host.name} is {state}")

    async def change_password(self, host: Host, password: str | None) -> PowerResult:
        """Have the controller take another password, one of ours without `password`, and keep that.

        Raises PowerActionFailed.
        """
        row = self.check_in_force(host)
        wanted = password or self._randomness.uuid().replace("-", "")[:16]
        timeout = self._foundation.settings.number("outofbandmanagement.action.timeout", "Cluster", host.cluster_id)
        driver, controller = self._driver(row, host)
        try:
            async with asyncio.timeout(timeout):
                await driver.change_password(controller, wanted)
        except (OutOfBandError, TimeoutError) as error:
            why = str(error) or f"no answer within {timeout:g} seconds"
            raise self._failed(host, "change of password", why) from error
        now = self.of(host)
        if now is not None:
            with self._store.transaction():
                row = self._rows.update(now.id, password=wanted)
        return PowerResult(row, None, f"Password of the management controller of host {host.name} is changed")

    def _failed(self, host: Host, what: str, why: str) -> PowerActionFailed:
        return PowerActionFailed(f"Out-of-band management {what} on host {host.name} failed with error: {why}")

    def _driver(self, row: OutOfBandManagement, host: Host) -> tuple[PowerDriver, ManagementController]:
        driver = self._world.out_of_band.get(row.driver)
        if driver is None:
            raise PowerActionFailed(f"Out-of-band management driver {row.driver} is not available")
        controller = ManagementController(
            guid=host.guid,
            address=row.address,
            port=row.port,
            username=row.username,
            password=row.password,
            options={name: self._foundation.settings.get(_SETTINGS + name) for name in _OPTIONS},
        )
        return driver, controller

    # seeing

    async def sync(self) -> None:
        """Look at the power states of all hosts that it is on for."""
        room = asyncio.Semaphore(self._foundation.settings.integer("outofbandmanagement.sync.poolsize"))
        await self._look_all([row.id for row in self._rows.where("enabled", True)], room)

    async def _look_all(self, row_ids: Iterable[str], room: asyncio.Semaphore) -> None:
        async def look(row_id: str) -> None:
            async with room:
                await self._look(row_id)

        await asyncio.gather(*(look(row_id) for row_id in row_ids))

    async def _look(self, row_id: str) -> None:
        row = self._rows.get(row_id)
        host = None if row is None else self._hosts.get(row.host_id)
        if host is None or not self.in_force(host):
            return
        try:
            await self.act(host, "STATUS")
        except PowerActionFailed as error:
            log.info("%s", error.text)

    def _saw_of(self, host: Host, state: Literal["On", "Off", "Unknown"]) -> OutOfBandManagement | None:
        row = self.of(host)
        if row is None or not self.in_force(host):
            return row
        return self._saw(row, state)

    def _saw(
        self, row: OutOfBandManagement, state: Literal["On", "Off", "Unknown", "Disabled"]
    ) -> OutOfBandManagement:
        if state == row.power_state:
            return row
        host = self._hosts[row.host_id]
        with self._store.transaction():
            self._foundation.events.record(
                "HOST.OOBM.POWERSTATE.TRANSITION",
                f"Host {host.name}'s power state is {state}, and was {row.power_state}",
                caller=Caller(self._identity.system()[0]),
                resource_id=host.id,
                resource_type="Host",
            )
            return self._rows.update(row.id, power_state=state)
