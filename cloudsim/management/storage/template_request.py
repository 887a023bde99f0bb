"""What a new template or ISO is to be."""

from __future__ import annotations

from typing import Literal

import msgspec

from cloudsim.model import Extension, GuestOs

FORMATS = ("VHD", "QCOW2", "RAW", "OVA", "VMDK", "VHDX", "VDI", "TAR", "BAREMETAL", "EXTERNAL")
ISO = "ISO"
REGISTERED_TYPES: dict[str, Literal["USER", "SYSTEM"]] = {"USER": "USER", "SYSTEM": "SYSTEM"}
"""What a new template may be. The newest SYSTEM one that is ready in a zone is what its system VMs are made of."""


class TemplateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a new template or ISO is to be."""

    name: str
    display_text: str | None = None
    format: str = ISO
    hypervisor: str = "None"
    guest_os: GuestOs | None = None
    checksum: str | None = None
    public: bool = False
    featured: bool = False
    extractable: bool = False
    bootable: bool = True
    password_enabled: bool = False
    ssh_key_enabled: bool = False
    requires_hvm: bool = True
    dynamically_scalable: bool = False
    direct_download: bool = False
    deploy_as_is: bool = False
    bits: int = 64
    arch: str = "x86_64"
    details: dict[str, str] = {}
    extension: Extension | None = None
    """What makes instances from it, of format EXTERNAL and for hypervisor External."""
    type: str = "USER"
    """SYSTEM: what system VMs are made of, which only a root administrator may say."""
    tag: str | None = None
    """A tag of hosts, which its instances are then started on; only a root administrator may say one."""
