"""An instance as libvirt's domain XML. Pure: everything that is found out or chosen on a host comes in by
`DomainSetting`.

Elements and their meaning: https://libvirt.org/formatdomain.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree as ET

import msgspec

from backends.systemvm.plan import CHANNEL
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.details import IO_POLICY, IO_THREADS, KEYBOARD, KEYBOARDS, NIC_PACKED, NIC_QUEUES
from cloudsim.protocol.specs import DiskSpec, NicSpec, VmSpec

NAMESPACE = "urn:cloudsim:instance:1"

PRODUCT = "CloudStack KVM Hypervisor"
"""The SMBIOS product name. cloud-init looks for its beginning to know that there is a metadata service like
CloudStack's."""

MHZ_PER_SHARE = 10
MOST_SHARES = 10000
"""CPU shares are in proportion to cpus * MHz, on every host alike. 10000 is the most that cgroup v2 takes."""

QUOTA_PERIOD, LEAST_QUOTA = 10000, 1000
"""Microseconds: how CloudStack divides a CPU's time, and the least of it that the kernel hands out."""

_LIMITS = (
    ("total_ios", "total_iops_sec"),
    ("read_bytes", "read_bytes_sec"),
    ("write_bytes", "write_bytes_sec"),
    ("read_ios", "read_iops_sec"),
    ("write_ios", "write_iops_sec"),
    ("read_bytes_max", "read_bytes_sec_max"),
    ("write_bytes_max", "write_bytes_sec_max"),
    ("read_ios_max", "read_iops_sec_max"),
    ("write_ios_max", "write_iops_sec_max"),
    ("read_bytes_max_length", "read_bytes_sec_max_length"),
    ("write_bytes_max_length", "write_bytes_sec_max_length"),
    ("read_ios_max_length", "read_iops_sec_max_length"),
    ("write_ios_max_length", "write_iops_sec_max_length"),
)
"""Field of DiskLimits -> libvirt's element."""
NOTHING: Mapping[str, str] = {}
STORAGE_SPECIFIC = "storage_specific"

ISO_DRIVE, CONFIG_DRIVE = "hdc", "hdd"


class DomainSetting(msgspec.Struct, frozen=True, kw_only=True):
    """What a host adds to an instance's spec."""

    acceleration: Literal["kvm", "qemu"]
    disks: dict[str, Path]
    """Volume id -> the file."""
    bridges: dict[str, str]
    """NIC id -> the bridge."""
    console_log: Path
    """Where the serial console's output is kept."""
    vnc_listen: str
    vnc_password: str
    """At most 8 characters: VNC knows no more."""
    iso: Path | None = None
    config_drive: Path | None = None
    host_mhz: int = 0
    """The speed of the host's CPUs; 0: nobody asked."""
    shares: dict[str, Path] = {}
    """Folders that a system VM has a share of, by their tags."""


def domain_xml(vm: VmSpec, setting: DomainSetting) -> str:
    """The domain, ready for `createXML`. Raises HypervisorError for what such a host cannot give."""
    check(vm)
    kvm = setting.acceleration == "kvm"
    domain = ET.Element("domain", type=setting.acceleration)
    _text(domain, "name", vm.name)
    _text(domain, "uuid", vm.id)
    _metadata(domain, vm)
    _size(domain, vm, setting.host_mhz)
    _boot(domain, vm)
    _features(domain, vm, kvm)
    domain.append(_cpu(vm, kvm))
    ET.SubElement(domain, "clock", offset="localtime" if _is_windows(vm) else "utc")
    for event, action in (("poweroff", "destroy"), ("reboot", "restart"), ("crash", "destroy")):
        _text(domain, f"on_{event}", action)
    devices = ET.SubElement(domain, "devices")
    for disk in sorted(vm.disks, key=lambda disk: disk.device):
        devices.append(_disk(disk, setting.disks[disk.volume_id], vm.details))
    devices.append(_cdrom(setting.iso, cdrom_target(vm), cdrom_bus(vm)))
    if setting.config_drive is not None:
        devices.append(_cdrom(setting.config_drive, config_drive_target(vm), cdrom_bus(vm)))
    for nic in sorted(vm.nics, key=lambda nic: nic.device):
        devices.append(_interface(nic, setting.bridges[nic.id], vm))
    _consoles(devices, vm, setting)
    if vm.system is not None:
        channel = ET.SubElement(devices, "channel", type="unix")
        ET.SubElement(channel, "target", type="virtio", name=CHANNEL)
    for tag, folder in setting.shares.items():
        share = ET.SubElement(devices, "filesystem", type="mount", accessmode="passthrough")
        ET.SubElement(share, "source", dir=str(folder))
        ET.SubElement(share, "target", dir=tag)
    rng = ET.SubElement(devices, "rng", model="virtio")
    _text(rng, "backend", "/dev/urandom", model="random")
    balloon = ET.SubElement(devices, "memballoon", model="virtio")
    ET.SubElement(balloon, "stats", period="10")
    return _string(domain)


def check(vm: VmSpec) -> None:
    """Raises HypervisorError, naming what `vm` asks for and no libvirt host has."""
    if vm.gpu_devices:
        raise HypervisorError(f"instance {vm.name} wants GPUs, and libvirt hosts pass none through")
    if vm.secure_boot and vm.firmware != "UEFI":
        raise HypervisorError(
            f"instance {vm.name} wants secure boot, which needs UEFI firmware and not {vm.firmware}"
        )
    slots: dict[int, str] = {}
    for disk in vm.disks:
        other = slots.setdefault(disk.device, disk.volume_id)
        if other != disk.volume_id:
            raise HypervisorError(
                f"instance {vm.name} has the volumes {other} and {disk.volume_id} both in slot {disk.device}"
            )


def disk_xml(disk: DiskSpec, path: Path, details: Mapping[str, str] = NOTHING) -> str:
    """A volume's disk device, as it is in the domain of those details and as it is attached later."""
    return _string(_disk(disk, path, details))


def interface_xml(nic: NicSpec, bridge: str, vm: VmSpec) -> str:
    """A NIC's device, plugged into `bridge`."""
    return _string(_interface(nic, bridge, vm))


def cdrom_xml(path: Path | None, target: str = ISO_DRIVE, bus: str = "ide") -> str:
    """A CD-ROM drive with that ISO in it, or with none. On q35 (`needs_q35`) it is on another bus."""
    return _string(_cdrom(path, target, bus))


def disk_target(device: int) -> str:
    """The name of slot `device`: vda for 0 (the root disk), vdb for 1, ... CloudStack gives slot 3 to the
    CD-ROM drive, so that no disk is vdd. The guest may call it otherwise; the serial number is what holds."""
    letters = ""
    number = device + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return f"vd{letters}"


def disk_slot(target: str) -> int | None:
    """The slot of which that is the name; None for what is no disk in a slot, such as a CD-ROM drive."""
    letters = target.removeprefix("vd")
    if not letters or letters == target or not letters.isascii() or not letters.islower():
        return None
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("a") + 1
    return number - 1


def disk_serial(volume_id: str) -> str:
    """The disk's serial number in the guest (/dev/disk/by-id/virtio-...): a virtio disk's has 20 characters
    at most."""
    return volume_id.replace("-", "")[:20]


def needs_q35(vm: VmSpec) -> bool:
    """Secure boot needs System Management Mode, which the older machine has not. That one has an IDE bus, and
    the CD-ROM drives that every guest can see."""
    return vm.secure_boot


def cdrom_bus(vm: VmSpec) -> str:
    return "sata" if needs_q35(vm) else "ide"


def cdrom_target(vm: VmSpec) -> str:
    """The drive that ISOs are put into. It is always there."""
    return "sdc" if needs_q35(vm) else ISO_DRIVE


def config_drive_target(vm: VmSpec) -> str:
    return "sdd" if needs_q35(vm) else CONFIG_DRIVE


def cpu_shares(cpus: int, cpu_mhz: int) -> int:
    """Of the host's CPU time under contention, in proportion to others; 0: no claim."""
    if cpu_mhz <= 0:
        return 0
    return max(2, min(MOST_SHARES, cpus * cpu_mhz // MHZ_PER_SHARE))


def cpu_quota(cpu_mhz: int, host_mhz: int) -> int:
    """Microseconds of each QUOTA_PERIOD that a vCPU of that speed may run on CPUs of the host's."""
    if host_mhz <= 0:
        return QUOTA_PERIOD
    return max(LEAST_QUOTA, min(QUOTA_PERIOD, QUOTA_PERIOD * cpu_mhz // host_mhz))


def _metadata(domain: ET.Element, vm: VmSpec) -> None:
    ET.register_namespace("cloudsim", NAMESPACE)
    metadata = ET.SubElement(domain, "metadata")
    instance = ET.SubElement(metadata, f"{{{NAMESPACE}}}instance")
    for name, value in (("hostname", vm.hostname), ("guest_os", vm.guest_os)):
        if value:
            _text(instance, f"{{{NAMESPACE}}}{name}", value)


def _size(domain: ET.Element, vm: VmSpec, host_mhz: int) -> None:
    """A guest starts with its most memory and gives back what is beyond its current one, by the balloon."""
    _text(domain, "memory", str(max(vm.memory_mib, vm.max_memory_mib)), unit="MiB")
    _text(domain, "currentMemory", str(vm.memory_mib), unit="MiB")
    most = _most_cpus(vm)
    now = {} if most == vm.cpus else {"current": str(vm.cpus)}
    _text(domain, "vcpu", str(most), placement="static", **now)
    if _says(vm.details, IO_THREADS):
        _text(domain, "iothreads", "1")
    shares = cpu_shares(vm.cpus, vm.cpu_mhz)
    if shares or vm.limit_cpu:
        tune = ET.SubElement(domain, "cputune")
        if shares:
            _text(tune, "shares", str(shares))
        if vm.limit_cpu:
            _text(tune, "period", str(QUOTA_PERIOD))
            _text(tune, "quota", str(cpu_quota(vm.cpu_mhz, host_mhz)))


def _boot(domain: ET.Element, vm: VmSpec) -> None:
    sysinfo = ET.SubElement(domain, "sysinfo", type="smbios")
    system = ET.SubElement(sysinfo, "system")
    for name, value in (("manufacturer", "cloudsim"), ("product", PRODUCT), ("uuid", vm.id)):
        _text(system, "entry", value, name=name)
    os = ET.SubElement(domain, "os")
    if vm.firmware == "UEFI":
        os.set("firmware", "efi")
    _text(os, "type", "hvm", arch="x86_64", machine="q35" if needs_q35(vm) else "pc")
    if vm.firmware == "UEFI":
        firmware = ET.SubElement(os, "firmware")
        wanted = "yes" if vm.secure_boot else "no"
        for feature in ("secure-boot", "enrolled-keys"):
            ET.SubElement(firmware, "feature", enabled=wanted, name=feature)
    for device in vm.boot_order:
        ET.SubElement(os, "boot", dev=device)
    ET.SubElement(os, "smbios", mode="sysinfo")


def _features(domain: ET.Element, vm: VmSpec, kvm: bool) -> None:
    features = ET.SubElement(domain, "features")
    ET.SubElement(features, "acpi")
    ET.SubElement(features, "apic")
    if vm.secure_boot:
        ET.SubElement(features, "smm", state="on")
    if not kvm:
        # QEMU would take up to 1 GiB for translated code, whatever the guest's own size. `sizing` needs room
        # in it.
        cache = 512 if _most_cpus(vm) > vm.cpus else max(48, min(512, vm.memory_mib * 3 // 8))
        _text(ET.SubElement(features, "tcg"), "tb-cache", str(cache), unit="MiB")


def _cpu(vm: VmSpec, kvm: bool) -> ET.Element:
    cpu = ET.Element("cpu", mode="host-model", check="partial") if kvm else ET.Element("cpu", mode="maximum")
    ET.SubElement(cpu, "topology", sockets="1", dies="1", cores=str(_most_cpus(vm)), threads="1")
    return cpu


def _most_cpus(vm: VmSpec) -> int:
    return max(vm.cpus, vm.max_cpus)


def _is_windows(vm: VmSpec) -> bool:
    return "windows" in vm.guest_os.lower()


def _disk(disk: DiskSpec, path: Path, details: Mapping[str, str]) -> ET.Element:
    element = ET.Element("disk", type="file", device="disk")
    driver = ET.SubElement(element, "driver", name="qemu", type="qcow2")
    if disk.cache != "hypervisor_default":
        driver.set("cache", disk.cache)
    policy = details.get(IO_POLICY, STORAGE_SPECIFIC)
    if policy != STORAGE_SPECIFIC and not (policy == "native" and disk.cache != "none"):  # which goes past the cache
        driver.set("io", policy)
    driver.set("discard", "unmap")
    if _says(details, IO_THREADS):
        driver.set("iothread", "1")
    ET.SubElement(element, "source", file=str(path))
    ET.SubElement(element, "target", dev=disk_target(disk.device), bus="virtio")
    limits = [] if disk.limits is None else [(n, v) for field, n in _LIMITS if (v := getattr(disk.limits, field))]
    if limits:
        tune = ET.SubElement(element, "iotune")
        for name, value in limits:
            _text(tune, name, str(value))
    _text(element, "serial", disk_serial(disk.volume_id))
    return element


def _says(details: Mapping[str, str], name: str) -> bool:
    return details.get(name, "false").lower() == "true"


def _cdrom(path: Path | None, target: str, bus: str) -> ET.Element:
    element = ET.Element("disk", type="file", device="cdrom")
    ET.SubElement(element, "driver", name="qemu", type="raw")
    if path is not None:
        ET.SubElement(element, "source", file=str(path))
    ET.SubElement(element, "target", dev=target, bus=bus)
    ET.SubElement(element, "readonly")
    return element


def _interface(nic: NicSpec, bridge: str, vm: VmSpec) -> ET.Element:
    element = ET.Element("interface", type="bridge")
    ET.SubElement(element, "mac", address=nic.mac)
    ET.SubElement(element, "source", bridge=bridge)
    ET.SubElement(element, "model", type="virtio")
    queues = int(vm.details.get(NIC_QUEUES, "1"))
    driver = {} if queues == 1 else {"queues": str(_most_cpus(vm) if queues < 0 else queues)}
    if _says(vm.details, NIC_PACKED):
        driver["packed"] = "on"
    if driver:
        ET.SubElement(element, "driver", driver)
    return element


_KEYMAPS = {"jp": "ja", "nl-be": "fr-be", "uk": "en-gb", "us": "en-us"}
"""QEMU's names for keyboards that it calls otherwise; Belgium has one for both languages."""


def _consoles(devices: ET.Element, vm: VmSpec, setting: DomainSetting) -> None:
    """A serial console to type on, whose output is kept too; the guest agent's channel; a screen."""
    serial = ET.SubElement(devices, "serial", type="pty")
    ET.SubElement(serial, "log", file=str(setting.console_log), append="on")
    ET.SubElement(serial, "target", port="0")
    channel = ET.SubElement(devices, "channel", type="unix")
    ET.SubElement(channel, "target", type="virtio", name="org.qemu.guest_agent.0")
    ET.SubElement(devices, "input", type="tablet", bus="usb")
    graphics = ET.SubElement(
        devices, "graphics", type="vnc", port="-1", autoport="yes", passwd=setting.vnc_password
    )
    keyboard = vm.details.get(KEYBOARD, "")
    if keyboard in KEYBOARDS:
        graphics.set("keymap", _KEYMAPS.get(keyboard, keyboard))
    ET.SubElement(graphics, "listen", type="address", address=setting.vnc_listen)
    ET.SubElement(ET.SubElement(devices, "video"), "model", type="vga")


def _text(parent: ET.Element, tag: str, text: str, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, tag, attributes)
    element.text = text
    return element


def _string(element: ET.Element) -> str:
    ET.indent(element)
    return ET.tostring(element, encoding="unicode")
