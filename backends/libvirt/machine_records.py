"""How a machine was built when its memory was kept: without that, the memory is worth nothing.

A domain that was started anew may have its devices at other places on the PCI bus than the one before, above
all if some had been plugged in while that ran.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec

from backends.private_files import write_private

FOLDER = ".vm-snapshots"
"""On the pool of the first disk: it goes where the memory goes, whatever host the instance runs on."""

_OF_THIS_RUN = ("graphics", "serial", "console")
"""Devices whose back ends are the present run's, and that have no place on a bus."""


class MachineRecord(msgspec.Struct, frozen=True):
    """`description` is libvirt's XML, without passwords; `memory_in` the volume that has the memory."""

    description: str
    memory_in: str


_decoder = msgspec.json.Decoder(MachineRecord)


def put(folder: Path, snapshot: str, record: MachineRecord) -> None:
    """Written whole or not at all. Raises OSError."""
    path = _path(folder, snapshot)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_private(path, msgspec.json.encode(record))


def get(folder: Path, snapshot: str) -> MachineRecord | None:
    """None if there is none, or it is damaged. Raises OSError."""
    try:
        return _decoder.decode(_path(folder, snapshot).read_bytes())
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def remove(folder: Path, snapshot: str) -> None:
    """Succeeds if there is none. Raises OSError."""
    _path(folder, snapshot).unlink(missing_ok=True)


def _path(folder: Path, snapshot: str) -> Path:
    return folder / FOLDER / f"{snapshot.replace('/', '_')}.json"


# from and to libvirt: these block


def description(domain: Any) -> str:
    """A `libvirt.virDomain`'s machine with all its devices and their places, without passwords."""
    import libvirt

    return str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))


def definition(domain: Any) -> str:
    """The same, fit to create it again: with passwords."""
    import libvirt

    return str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE))


def start_paused(connection: Any, definition: str) -> str:
    """Create the domain; returns its XML as it stands there, with its network devices."""
    import libvirt

    return str(connection.createXML(definition, libvirt.VIR_DOMAIN_START_PAUSED).XMLDesc(0))


# comparing descriptions


def memory_mib(xml: str) -> int:
    """The most memory that the machine may have."""
    return int(ET.fromstring(xml).findtext("memory", "0")) // 1024


def difference(then: str, now: str) -> str | None:
    """Why the memory of `then` is of no use to an instance that is like `now`; None if it is."""
    old, new = ET.fromstring(then), ET.fromstring(now)
    for text, part in (
        ("its CPUs were {} when it was taken, and are {} now", _cpus),
        ("its memory was {} when it was taken, and is {} now", _memory),
        ("its disks were {} when it was taken, and are {} now", _disk_names),
        ("its network cards were {} when it was taken, and are {} now", _macs),
        ("its machine was {} when it was taken, and is {} now", _machine),
    ):
        was, has = part(old), part(new)
        if was != has:
            return text.format(was or "none", has or "none")
    return None


def same_machine(then: str, now: str) -> bool:
    """Whether every device is where it was, so that the memory can be put back as it runs."""
    return _shape(ET.fromstring(then)) == _shape(ET.fromstring(now))


def rebuilt(then: str, now: str) -> str:
    """The machine of `then`, to be created with the back ends of `now`: files, bridges, consoles,
    passwords.
    """
    old, new = ET.fromstring(then), ET.fromstring(now)
    for path, key in (("disk", _target), ("interface", _mac)):
        present = {key(element): element for element in new.iterfind(f"./devices/{path}")}
        for element in old.iterfind(f"./devices/{path}"):
            _replace(element, present.get(key(element)), "source")
    devices = old.find("devices")
    if devices is not None:
        for element in [e for e in devices if e.tag in _OF_THIS_RUN]:
            devices.remove(element)
        devices.extend(copy.deepcopy(e) for e in new.iterfind("./devices/*") if e.tag in _OF_THIS_RUN)
    _replace(old, new, "cputune")
    return ET.tostring(old, encoding="unicode")


def _replace(element: ET.Element, present: ET.Element | None, tag: str) -> None:
    if present is None:
        return
    for child in element.findall(tag):
        element.remove(child)
    element.extend(copy.deepcopy(child) for child in present.findall(tag))


def _cpus(domain: ET.Element) -> str:
    vcpu = domain.find("vcpu")
    return "" if vcpu is None else f"{vcpu.get('current') or vcpu.text} of {vcpu.text}"


def _memory(domain: ET.Element) -> str:
    return f"{int(domain.findtext('memory', '0')) // 1024} MiB"


def _machine(domain: ET.Element) -> str:
    kind = domain.find("os/type")
    return f"{domain.get('type')} {'' if kind is None else kind.get('machine', '')}"


def _disk_names(domain: ET.Element) -> str:
    """By what they are and not where: a pool may be mounted elsewhere on another host."""
    found = []
    for disk in domain.iterfind("./devices/disk"):
        if disk.get("device", "disk") == "disk":
            source = disk.find("source")
            name = Path(source.get("file", "")).name if source is not None else ""
            found.append(f"{_target(disk)} ({name})")
    return ", ".join(sorted(found))


def _macs(domain: ET.Element) -> str:
    return ", ".join(sorted(_mac(nic) for nic in domain.iterfind("./devices/interface")))


def _target(disk: ET.Element) -> str:
    target = disk.find("target")
    return "" if target is None else target.get("dev", "")


def _mac(nic: ET.Element) -> str:
    mac = nic.find("mac")
    return "" if mac is None else mac.get("address", "").lower()


def _shape(domain: ET.Element) -> list[tuple[str, ...]]:
    """What QEMU's saved state is divided by: CPUs, and devices at their places."""
    shape = [
        (cpu.get("id", ""), cpu.get("enabled", ""), cpu.get("order", ""))
        for cpu in domain.iterfind("./vcpus/vcpu")
    ]
    return [*shape, *sorted(_places(domain))]


def _places(domain: ET.Element) -> Iterator[tuple[str, ...]]:
    for device in domain.iterfind("./devices/*"):
        address, model = device.find("address"), device.find("model")
        place = "" if address is None else repr(sorted(address.attrib.items()))
        kind = device.get("model", "") or ("" if model is None else model.get("type", ""))
        yield (
            device.tag,
            device.get("type", ""),
            device.get("index", ""),
            kind,
            _mac(device),
            _target(device),
            place,
        )
