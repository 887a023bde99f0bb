"""What state a domain is in, from libvirt's numbers and XML to the words of the cloud."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import msgspec

from cloudsim.protocol.specs import PowerState

_NO_STATE, _PAUSED, _SHUTOFF, _CRASHED = 0, 3, 5, 6
"""libvirt's virDomainState. The others, 1, 2, 4 and 7, are: running, blocked, shutting down, asleep."""

_MIGRATION = 2
"""libvirt's virDomainPausedReason for an instance that is in the hands of a migration."""

_NO_ROOM = 5
"""libvirt's virDomainPausedReason for an instance that could not write to its disk. QEMU pauses a guest for want of room
only; the guest hears of every other error itself."""

_STARTING_UP = 11
"""libvirt's virDomainPausedReason for a machine that is still being put together."""


class Presence(msgspec.Struct, frozen=True):
    """A domain as libvirt has it; `state` and `reason` are libvirt's numbers."""

    id: str
    state: int
    reason: int = 0

    @classmethod
    def of(cls, domain: Any) -> Presence:
        """Blocks. Raises libvirtError."""
        state, reason = domain.state()
        return cls(domain.UUIDString(), state, reason)

    @property
    def on(self) -> bool:
        """Whether there is a machine. A paused guest has power, and so has one that is shutting down."""
        return self.state not in (_SHUTOFF, _CRASHED)

    @property
    def paused(self) -> bool:
        return self.state == _PAUSED

    @property
    def lacks_room(self) -> bool:
        """It waits for room on its storage. When it goes on it tries again to write, and waits again if it must."""
        return self.paused and self.reason == _NO_ROOM

    @property
    def migrating(self) -> bool:
        """It comes from another host, or is just leaving for one; which of the two it is cannot be seen."""
        return self.paused and self.reason == _MIGRATION

    @property
    def starting_up(self) -> bool:
        """Its machine is being made, be it to start here or to come from another host."""
        return self.paused and self.reason == _STARTING_UP

    @property
    def power(self) -> PowerState:
        """PowerUnknown too while two hosts have the instance."""
        if self.state == _NO_STATE or self.migrating:
            return "PowerUnknown"
        return "PowerOn" if self.on else "PowerOff"


def taps(xml: str) -> dict[str, str]:
    """MAC -> the host's network device, of a running domain's NICs."""
    found = {}
    for interface in ET.fromstring(xml).iterfind("./devices/interface"):
        mac, target = interface.find("mac"), interface.find("target")
        if mac is not None and target is not None:
            found[mac.get("address", "").lower()] = target.get("dev", "")
    return found
