"""What a simulated instance's console says of its boot, itself and its network cards, as lines."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import textwrap
import zlib
from typing import TYPE_CHECKING

from cloudsim.protocol.specs import NicSpec, VmSpec

if TYPE_CHECKING:
    from backends.simulated.guest import Guest
    from backends.simulated.machine import Machine

COLUMNS = 80
_GIB = 1 << 30


def boot_lines(machine: Machine, guest: Guest) -> list[str]:
    """As a kernel writes them: seconds since the guest began to run in front."""
    spec = guest.spec
    said = [
        "Booting a simulated kernel on a simulated machine",
        f"DMI: cloudsim {spec.name}, id {spec.id}",
        f"Host: {machine.name} at {machine.address}, {machine.group.cores} cores of {machine.group.mhz} MHz",
        f"Memory: {spec.memory_mib} MiB",
        f"smp: {spec.cpus} CPU{'s' if spec.cpus != 1 else ''} of {spec.cpu_mhz} MHz",
    ]
    said += [
        f"virtio_blk: disk {disk.device}, {disk.size / _GIB:.1f} GiB, {'root' if disk.type == 'ROOT' else 'data'}"
        for disk in sorted(spec.disks, key=lambda disk: disk.device)
    ]
    if spec.iso is not None:
        said.append(f"cdrom: {spec.iso.path}")
    said += [f"virtio_net: eth{nic.device} is {nic.mac}" for nic in _nics(spec)]
    said += [f"dhcp: eth{nic.device} has {_address(nic)}" for nic in _nics(spec) if nic.ip is not None]
    said.append(f"cloud-init: {user_data(spec)}")
    said.append(f"{spec.hostname or spec.name} is up")
    pace = 0.02 + (zlib.crc32(spec.id.encode()) % 1000) / 20_000  # the same at each look
    return [f"\x1b[2m[{pace * number * number / 4:12.6f}]\x1b[0m {text}" for number, text in enumerate(said)]


def fact_lines(machine: Machine, guest: Guest) -> list[str]:
    """Name and value, a line each."""
    spec = guest.spec
    facts = [
        ("name", spec.hostname or spec.name),
        ("internal name", spec.name),
        ("id", spec.id),
        ("state", guest.state),
        ("host", f"{machine.name} at {machine.address}"),
        ("service offering", spec.metadata.get("service-offering", "")),
        ("zone", spec.metadata.get("availability-zone", "")),
        ("CPU", f"{spec.cpus} x {spec.cpu_mhz} MHz"),
        ("memory", f"{spec.memory_mib} MiB"),
        *((f"disk {d.device}", f"{d.size / _GIB:.1f} GiB, {d.type}, {d.volume_id}") for d in spec.disks),
        ("ISO", spec.iso.path if spec.iso is not None else ""),
        *((f"eth{nic.device}", _address(nic)) for nic in _nics(spec)),
        ("SSH keys", str(len(spec.public_keys)) if spec.public_keys else ""),
        ("user data", user_data(spec)),
    ]
    return [f"{name:<17}{value}" for name, value in facts if value]


def ip_lines(guest: Guest) -> list[str]:
    """Two lines for each network card."""
    lines = []
    for nic in _nics(guest.spec):
        lines.append(f"eth{nic.device}: {nic.mac}{', the default one' if nic.default else ''}")
        further = f", also {', '.join(nic.secondary_ips)}" if nic.secondary_ips else ""
        gateway = f", gateway {nic.gateway}" if nic.gateway else ""
        lines.append(f"    {_address(nic)}{gateway}{further}")
    return lines or ["no network card"]


def user_data(spec: VmSpec) -> str:
    """What user data the instance was given, in a few words."""
    if not spec.user_data:
        return "no user data"
    try:
        return f"{len(base64.b64decode(spec.user_data, validate=True))} bytes of user data"
    except (ValueError, binascii.Error):
        return "user data that is not base64"


def wrapped(line: str) -> list[str]:
    """The line in pieces that fit on the screen."""
    indent = len(line) - len(line.lstrip())
    return textwrap.wrap(line, COLUMNS, subsequent_indent=" " * indent, drop_whitespace=False) or [""]


def _nics(spec: VmSpec) -> list[NicSpec]:
    return sorted(spec.nics, key=lambda nic: nic.device)


def _address(nic: NicSpec) -> str:
    if nic.ip is None:
        return "no address"
    if nic.netmask is None:
        return nic.ip
    return f"{nic.ip}/{ipaddress.IPv4Network((0, nic.netmask)).prefixlen}"
