"""Instances on a host that the cloud did not start, described from their domain XML."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from backends.libvirt.base import HostBase
from backends.libvirt.connection import NoSuchInstance
from backends.libvirt.domain_state import Presence
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import PowerState, UnmanagedDisk, UnmanagedInstance, UnmanagedNic, VmSpec

_LIBOSINFO = "{http://libosinfo.org/xmlns/libvirt/domain/1.0}"

_KIB_OF = {
    "b": 1 / 1024,
    "bytes": 1 / 1024,
    "KiB": 1,
    "k": 1,
    "MiB": 1024,
    "M": 1024,
    "GiB": 1 << 20,
    "G": 1 << 20,
}

Sizes = dict[str, int]
"""Target device -> bytes that the guest sees."""


class Unmanaged(HostBase):
    """`unmanaged_instances` and `adopt_vm` of `LibvirtHypervisor`."""

    async def unmanaged_instances(
        self, name: str | None, known: tuple[str, ...]
    ) -> tuple[UnmanagedInstance, ...]:
        """Running or not. Raises HypervisorError; an instance that goes away meanwhile is left out."""

        def ask(connection: Any) -> list[tuple[str, PowerState, Sizes]]:
            import libvirt

            found = []
            for domain in connection.listAllDomains(0):
                if domain.name() in known or name not in (None, domain.name()):
                    continue
                try:
                    found.append((domain.XMLDesc(0), Presence.of(domain).power, _sizes(connection, domain)))
                except libvirt.libvirtError as error:
                    if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                        raise
            return found

        domains = await self.connection.call(f"describing instances on {self.settings.name}", ask)
        return tuple(describe(*domain, self._place_of, self.networks.vlan_of_bridge) for domain in domains)

    async def adopt_vm(self, vm: VmSpec) -> None:
        """As `Hypervisor.adopt_vm`. Its NICs stay where they are; they are guarded from its next start on."""
        if await self.connection.find(vm.name) is None:
            raise NoSuchInstance(f"adopting {vm.name}: instance {vm.name} is not on this host")
        self.kept.put(vm)

    def _place_of(self, file: Path) -> tuple[str | None, str]:
        """The pool that a file lies on, and its path there."""
        pool_id = self.pools.pool_of(file)
        if pool_id is None:
            return None, ""
        try:
            return pool_id, str(file.relative_to(self.pools.path(pool_id)))
        except (ValueError, HypervisorError):
            return pool_id, file.name


def _sizes(connection: Any, domain: Any) -> Sizes:
    """Blocks, but not for a domain that is busy or stuck: nothing is known of its disks then. Raises
    libvirtError."""
    import libvirt

    if not domain.isActive():
        sizes = {}
        for target in _targets(domain.XMLDesc(0)):
            with contextlib.suppress(libvirt.libvirtError):  # its file may be gone
                sizes[target] = domain.blockInfo(target)[0]
        return sizes
    flags = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    [(_domain, counters)] = connection.domainListGetStats([domain], libvirt.VIR_DOMAIN_STATS_BLOCK, flags)
    count = counters.get("block.count", 0)
    return {counters[f"block.{i}.name"]: counters.get(f"block.{i}.capacity", 0) for i in range(count)}


def _targets(xml: str) -> list[str]:
    return [
        _attribute(disk, "target", "dev")
        for disk in _disks(ET.fromstring(xml))
        if disk.find("source") is not None
    ]


def describe(
    xml: str,
    state: PowerState,
    sizes: Sizes,
    place_of: Callable[[Path], tuple[str | None, str]],
    vlan_of: Callable[[str], str | None],
) -> UnmanagedInstance:
    """The instance that a domain's XML describes. Its disks are numbered in their order, slot 3 left to the
    CD-ROM."""
    domain = ET.fromstring(xml)
    vcpu = domain.find("vcpu")
    cpus = int((vcpu.get("current") or vcpu.text or "1") if vcpu is not None else "1")
    disks = []
    for number, disk in enumerate(_disks(domain)):
        path = disk_path(disk)
        target = _attribute(disk, "target", "dev")
        pool_id, pool_path = place_of(Path(path)) if path.startswith("/") else (None, "")
        disks.append(
            UnmanagedDisk(
                label=target,
                path=path,
                size=sizes.get(target, 0),
                pool_id=pool_id,
                pool_path=pool_path,
                device=number if number < 3 else number + 1,
                bus=_attribute(disk, "target", "bus"),
            )
        )
    nics = []
    for interface in domain.iterfind("./devices/interface"):
        bridge = _attribute(interface, "source", "bridge")
        nics.append(
            UnmanagedNic(
                label=_attribute(interface, "target", "dev") or _attribute(interface, "alias", "name"),
                mac=_attribute(interface, "mac", "address"),
                bridge=bridge,
                vlan=vlan_of(bridge) if bridge else None,
                model=_attribute(interface, "model", "type") or "rtl8139",
            )
        )
    return UnmanagedInstance(
        name=domain.findtext("name", ""),
        id=domain.findtext("uuid", ""),
        state=state,
        cpus=cpus,
        memory_mib=_memory_kib(domain) // 1024,
        guest_os=guest_os(domain),
        disks=tuple(disks),
        nics=tuple(nics),
    )


def disk_path(disk: ET.Element) -> str:
    """Where a disk's content is, by the kind of its source: a file, a block device, or a URL of what is on
    the network."""
    source = disk.find("source")
    if source is None:
        return ""
    if disk.get("type") == "network":
        host = _attribute(source, "host", "name")
        return f"{source.get('protocol')}://{host}/{source.get('name', '').lstrip('/')}"
    return source.get("file") or source.get("dev") or source.get("dir") or source.get("volume") or ""


def guest_os(domain: ET.Element) -> str:
    """What libosinfo's metadata calls it, as virt-install and virt-manager leave it; empty if there is none."""
    os = domain.find(f"./metadata/{_LIBOSINFO}libosinfo/{_LIBOSINFO}os")
    return os.get("id", "") if os is not None else ""


def _disks(domain: ET.Element) -> list[ET.Element]:
    return [
        disk for disk in domain.iterfind("./devices/disk") if disk.get("device", "disk") in ("disk", "lun")
    ]


def _memory_kib(domain: ET.Element) -> int:
    memory = domain.find("currentMemory")
    if memory is None:
        memory = domain.find("memory")
    if memory is None:
        return 0
    return int(int(memory.text or 0) * _KIB_OF.get(memory.get("unit", "KiB"), 1))


def _attribute(element: ET.Element, child: str, attribute: str) -> str:
    found = element.find(child)
    return found.get(attribute, "") if found is not None else ""
