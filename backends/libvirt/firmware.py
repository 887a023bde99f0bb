"""Whether a host has the firmware that an instance wants."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from cloudsim.protocol.specs import VmSpec


def missing(capabilities: str, vm: VmSpec) -> str | None:
    """What the host lacks to start `vm`, by libvirt's domain capabilities for its machine."""
    if vm.firmware != "UEFI":
        return None
    os = ET.fromstring(capabilities).find("os")
    if os is None or "efi" not in _values(os, "./enum[@name='firmware']/value"):
        return f"instance {vm.name} wants UEFI firmware, which is not installed on this host (package ovmf)"
    if vm.secure_boot and "yes" not in _values(os, "./loader/enum[@name='secure']/value"):
        return (
            f"instance {vm.name} wants secure boot, and no UEFI firmware on this host has it (package ovmf)"
        )
    return None


def _values(os: ET.Element, path: str) -> list[str | None]:
    return [value.text for value in os.iterfind(path)]
