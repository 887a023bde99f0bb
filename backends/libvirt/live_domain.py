"""The disks, drives and network cards that a running domain's XML tells of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from backends.libvirt.domain_xml import disk_serial
from cloudsim.protocol.specs import DiskSpec


class LiveDisk(NamedTuple):
    """A disk or CD-ROM drive; `path` is empty where nothing is in the drive. `xml` is the element as libvirt
    has it.
    """

    target: str
    bus: str
    path: str
    serial: str
    alias: str
    xml: str

    def holds(self, disk: DiskSpec, path: Path | None) -> bool:
        """Whether it is that volume, whose image is at `path` (None: not known)."""
        if self.serial and self.serial == disk_serial(disk.volume_id):
            return True
        return path is not None and bool(self.path) and os.path.realpath(self.path) == os.path.realpath(path)


class LiveNic(NamedTuple):
    """A network card. `xml` names it without doubt, where its MAC alone may not."""

    mac: str
    xml: str


def disks(xml: str) -> list[LiveDisk]:
    """The disks that a guest can write to, in the order of libvirt's XML."""
    return [_disk(element) for element in _elements(xml, "disk") if element.get("device", "disk") == "disk"]


def drives(xml: str) -> list[LiveDisk]:
    """The CD-ROM drives."""
    return [_disk(element) for element in _elements(xml, "disk") if element.get("device") == "cdrom"]


def nics(xml: str) -> list[LiveNic]:
    """The network cards."""
    return [
        LiveNic(_attribute(element, "mac", "address").lower(), ET.tostring(element, encoding="unicode"))
        for element in _elements(xml, "interface")
    ]


def _elements(xml: str, tag: str) -> list[ET.Element]:
    return ET.fromstring(xml).findall(f"./devices/{tag}")


def _disk(element: ET.Element) -> LiveDisk:
    return LiveDisk(
        target=_attribute(element, "target", "dev"),
        bus=_attribute(element, "target", "bus"),
        path=_attribute(element, "source", "file") or _attribute(element, "source", "dev"),
        serial=element.findtext("serial", ""),
        alias=_attribute(element, "alias", "name"),
        xml=ET.tostring(element, encoding="unicode"),
    )


def _attribute(element: ET.Element, child: str, attribute: str) -> str:
    found = element.find(child)
    return found.get(attribute, "") if found is not None else ""
