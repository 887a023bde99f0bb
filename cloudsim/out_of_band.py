"""Out-of-band management: what a backend must be able to do to switch the power of a host without its agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

PowerAction = Literal["ON", "OFF", "CYCLE", "RESET", "SOFT", "STATUS"]
POWER_ACTIONS: tuple[PowerAction, ...] = ("ON", "OFF", "CYCLE", "RESET", "SOFT", "STATUS")


class OutOfBandError(Exception):
    """A management controller could not be reached, refused, or did not do what it was asked; the text says which."""


class ManagementController(msgspec.Struct, frozen=True, kw_only=True):
    """The small computer beside a host that switches its power (a BMC), and how to reach it.

    `guid` is the host's. `options` are the settings that are meant for the driver, by the last part of their names.
    """

    guid: str
    address: str
    port: int
    username: str
    password: str
    options: Mapping[str, str] = {}


class PowerDriver(Protocol):
    """One way of speaking to management controllers. Whoever calls bounds the time that it takes, by cancelling it."""

    async def act(self, controller: ManagementController, action: PowerAction) -> None:
        """Switch the host ON or OFF at once, CYCLE its power, RESET it, or have its system shut down (SOFT).

        Raises OutOfBandError. `action` is none of STATUS here.
        """

    async def is_on(self, controller: ManagementController) -> bool:
        """Whether the host has power. Raises OutOfBandError."""

    async def change_password(self, controller: ManagementController, password: str) -> None:
        """Have the controller take `password` from its user from now on. Raises OutOfBandError."""
