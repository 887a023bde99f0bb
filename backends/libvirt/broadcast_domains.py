"""Broadcast domains as a host has them: which bridge a network card goes into, and what joins that to other hosts."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from backends.libvirt.settings import HostSettings
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import NicSpec

LONGEST_NAME = 15  # of a device (IFNAMSIZ without its final zero)
_LARGEST = {"VLAN": 4094, "VXLAN": 16_777_215}
_OURS = re.compile(r"(vnet|macvtap|svc|vnr|vxlan)[0-9a-f]")  # ports that lead to guests, not to other hosts


@dataclass(frozen=True)
class BroadcastDomain:
    """`bridge` on this host; `port` is the device made with it, on `device` for the domain `id`.

    A plain one is the operator's bridge: nothing is made, and so nothing is removed.
    """

    kind: Literal["vxlan", "vlan", "plain"]
    bridge: str
    port: str = ""
    device: str = ""
    id: int = 0

    def uplinks(self) -> tuple[str, ...]:
        """The ports of the bridge through which other hosts are reached, as they are now."""
        return (self.port,) if self.port else physical_ports(self.bridge)


def device_of(nic: NicSpec, settings: HostSettings) -> str:
    """The bridge or interface that carries the card's kind of traffic."""
    match nic.traffic:
        case "Public":
            return settings.public_device or settings.guest_device
        case "Management":
            return settings.management_device or settings.guest_device
    return settings.guest_device


def domain_of(nic: NicSpec, guest_device: str) -> BroadcastDomain:
    """Raises HypervisorError for an id that is none, or a VLAN without a physical device."""
    if nic.vlan is None:
        return BroadcastDomain("plain", guest_device)
    if (
        not nic.vlan.isascii()
        or not nic.vlan.isdecimal()
        or not 1 <= int(nic.vlan) <= _LARGEST[nic.isolation]
    ):
        raise HypervisorError(f"network {nic.network_id}: {nic.vlan!r} is no {nic.isolation} id")
    number = int(nic.vlan)
    if nic.isolation == "VXLAN":
        return BroadcastDomain("vxlan", f"brvx-{number}", f"vxlan{number}", guest_device, number)
    device = _physical_device(guest_device, nic)
    bridge, port = f"br{device}-{number}", f"{device}.{number}"
    if len(bridge) > LONGEST_NAME or len(port) > LONGEST_NAME:
        short = hashlib.blake2s(device.encode(), digest_size=3).hexdigest()
        bridge, port = f"br{short}-{number}", f"{short}.{number}"
    return BroadcastDomain("vlan", bridge, port, device, number)


def vlan_of_bridge(bridge: str) -> str | None:
    """The id of the broadcast domain whose bridge has this name; None for others' bridges."""
    match = re.fullmatch(r"(?:brvx|br[^/\s]+)-([1-9][0-9]*)", bridge)
    return match.group(1) if match else None


def ports(bridge: str) -> tuple[str, ...]:
    try:
        return tuple(sorted(each.name for each in Path("/sys/class/net", bridge, "brif").iterdir()))
    except OSError:
        return ()


def physical_ports(bridge: str) -> tuple[str, ...]:
    return tuple(port for port in ports(bridge) if not _OURS.match(port))


def exists(device: str) -> bool:
    return Path("/sys/class/net", device).exists()


def mtu_of(device: str) -> int:
    try:
        return int(Path("/sys/class/net", device, "mtu").read_text())
    except (OSError, ValueError):
        return 1500


def hardware_address(device: str) -> str | None:
    try:
        return Path("/sys/class/net", device, "address").read_text().strip()
    except OSError:
        return None


def _physical_device(guest_device: str, nic: NicSpec) -> str:
    """What VLANs are made on: the guest device, or where that is a bridge, the one device behind it."""
    if not Path("/sys/class/net", guest_device, "bridge").exists():
        return guest_device
    found = [port for port in physical_ports(guest_device) if "." not in port]
    if len(found) != 1:
        raise HypervisorError(
            f"network {nic.network_id}: VLAN {nic.vlan} needs one physical device in bridge {guest_device}, "
            f"and there is {'none' if not found else ', '.join(found)}"
        )
    return found[0]
