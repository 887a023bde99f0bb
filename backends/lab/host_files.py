"""What lies in a host's folder: how its libvirt is set up, who it is, and what it runs."""

from __future__ import annotations

import shlex
import shutil
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

_SYSTEM = Path("/etc/libvirt")
_CAPABILITIES = Path("qemu/capabilities")


class Identity(msgspec.Struct, frozen=True):
    """Who a host is; the same after each power cycle."""

    name: str
    uuid: str
    address: str
    mac: str


def identity(lab: str, number: int, name: str, address: str) -> Identity:
    third, fourth = (int(part) for part in address.split(".")[2:])
    mac = f"02:63:6c:00:{third:02x}:{fourth:02x}"  # locally administered
    return Identity(name, str(uuid.uuid5(uuid.NAMESPACE_OID, f"cloudsim lab {lab} host {number}")), address, mac)


class HostFolder:
    """`path` is the host's own; what is written here, the host's first process mounts over the machine's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.etc = path / "etc"
        self.lib = path / "lib"
        self.cache = path / "cache"
        self.services = path / "services"
        self.agent = path / "agent"
        self.pid = path / "pid"
        self.unsupervised = path / "unsupervised"

    def prepare(self, who: Identity, hosts: Mapping[str, str], *, has_cgroups: bool) -> None:
        """Write what is missing or may have changed; disks and what the agent keeps stay. `hosts`: name to address."""
        for folder in (self.etc / "qemu", self.lib / "images", self.cache, self.services, self.agent):
            folder.mkdir(parents=True, exist_ok=True)
        self.agent.chmod(0o700)
        self.pid.unlink(missing_ok=True)
        for name in ("libvirt.conf", "qemu-lockd.conf", "virtlogd.conf"):
            if (_SYSTEM / name).exists():
                shutil.copy(_SYSTEM / name, self.etc / name)
        if (_SYSTEM / "nwfilter").is_dir():  # the rules that domains may refer to by name
            shutil.copytree(_SYSTEM / "nwfilter", self.etc / "nwfilter", dirs_exist_ok=True)
        (self.etc / "libvirtd.conf").write_text(_settings(_libvirtd(who)))
        (self.etc / "qemu.conf").write_text(_settings(_qemu(who, has_cgroups=has_cgroups)))
        lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in hosts.items())]
        (self.path / "hosts").write_text("\n".join(lines) + "\n")
        self.service("libvirtd", ["libvirtd", "--listen", "--config", "/etc/libvirt/libvirtd.conf"])

    def service(self, name: str, argv: list[str], environment: Mapping[str, str] | None = None) -> None:
        """What the host's first process is to keep running, from its next start or SIGHUP on."""
        file = self.services / name
        new = self.path / f"{name}.new"
        exports = [f"export {key}={shlex.quote(text)}" for key, text in (environment or {}).items()]
        new.write_text("\n".join(["#!/bin/bash", *exports, f"exec {shlex.join(argv)}", ""]))
        new.chmod(0o700)
        new.replace(file)

    @property
    def has_capabilities(self) -> bool:
        return any((self.cache / _CAPABILITIES).glob("*.xml"))

    def take_capabilities(self, folders: Iterable[Path]) -> None:
        """Copy what libvirt found out about QEMU from the first folder that has it: it saves the probe's second.

        libvirt checks what it reads there against the QEMU that is installed.
        """
        mine = self.cache / _CAPABILITIES
        for folder in folders:
            if self.has_capabilities or not any((folder / _CAPABILITIES).glob("*.xml")):
                continue
            mine.mkdir(parents=True, exist_ok=True)
            for file in (folder / _CAPABILITIES).glob("*.xml"):
                shutil.copy2(file, mine / file.name)


def _settings(values: Mapping[str, object]) -> str:
    """In the syntax of libvirt's files."""
    lines = []
    for name, value in values.items():
        if isinstance(value, list):
            text = "[" + ", ".join(f'"{one}"' for one in value) + "]"
        else:
            text = str(value) if isinstance(value, int) else f'"{value}"'
        lines.append(f"{name} = {text}")
    return "\n".join(lines) + "\n"


def _libvirtd(who: Identity) -> dict[str, object]:
    return {
        "listen_tls": 0,
        "listen_tcp": 1,  # without authentication: the network ends on this machine
        "listen_addr": who.address,
        "auth_tcp": "none",
        "auth_unix_rw": "none",
        "host_uuid": who.uuid,
        "keepalive_interval": 2,
        "keepalive_count": 3,
        "log_outputs": "2:file:/var/log/libvirt/libvirtd.log",
    }


def _qemu(who: Identity, *, has_cgroups: bool) -> dict[str, object]:
    return {
        "user": "root",
        "group": "root",
        "dynamic_ownership": 0,
        "remember_owner": 0,
        "security_driver": "none",
        "stdio_handler": "file",  # no virtlogd here
        "namespaces": [],  # the host's own are enough
        "cgroup_controllers": ["cpu", "cpuacct", "memory", "blkio", "cpuset"] if has_cgroups else [],
        "vnc_listen": "0.0.0.0",
        "migration_host": who.address,
        "migration_address": who.address,
        "keepalive_interval": 2,
        "keepalive_count": 3,
    }
