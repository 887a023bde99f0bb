"""What a host serves to its own guests on one network: the files that dnsmasq and the metadata server read.

Every host has the network's gateway address, with the same MAC address, and serves its own guests only (security.sh
keeps the traffic on the host). Names are those of the guests that this host knows; other names are passed on to the
network's name servers, which the namespace cannot reach yet as it has no way out of the network: they are
answered with a refusal at once.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from backends.libvirt.metadata_files import write_metadata, write_private
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import NicSpec, VmSpec

METADATA_ADDRESS = "169.254.169.254"
LEASE = 31_536_000
"""Seconds, a year. An infinite lease would do as well for the guest, but from its end one could not tell its beginning."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f]+")

Guest = tuple[VmSpec, NicSpec]


def served(nic: NicSpec) -> bool:
    """Whether the host itself gives this card any service."""
    return bool(nic.services) and nic.ip is not None and nic.gateway is not None and nic.netmask is not None


class Place(msgspec.Struct, frozen=True):
    """Where the services of a network are on this host: kept in a file, to be found by a later agent."""

    network_id: str
    bridge: str
    mac: str
    gateway: str
    dhcp: bool
    uplinks: tuple[str, ...]


@dataclass(frozen=True)
class NetworkServices:
    """One network's services on this host."""

    network_id: str
    bridge: str
    gateway: str
    netmask: str
    services: frozenset[str]
    dns: tuple[str, ...]
    domain: str

    @classmethod
    def of(cls, nic: NicSpec, bridge: str) -> NetworkServices:
        """As this card, which is `served`, describes them. Raises HypervisorError for what no file could hold."""
        assert nic.gateway is not None and nic.netmask is not None
        found = cls(
            nic.network_id, bridge, nic.gateway, nic.netmask, frozenset(nic.services), nic.dns, nic.domain
        )
        if not _ID.fullmatch(nic.network_id):
            raise HypervisorError(f"{nic.network_id!r} is no id of a network")
        if nic.domain and not _DOMAIN.fullmatch(nic.domain):
            raise HypervisorError(f"network {nic.network_id}: {nic.domain!r} is no domain")
        try:
            ipaddress.IPv4Network(f"{nic.gateway}/{nic.netmask}", strict=False)
            for address in (nic.ip or "", *nic.secondary_ips, *nic.dns):
                ipaddress.IPv4Address(address)
        except ValueError as error:
            raise HypervisorError(f"network {nic.network_id}: {error}") from None
        return found

    @property
    def mac(self) -> str:
        """Of the gateway, the same on all hosts."""
        digits = hashlib.blake2s(self.network_id.encode(), digest_size=5).hexdigest()
        return "0e:" + ":".join(digits[at : at + 2] for at in range(0, 10, 2))

    @property
    def port(self) -> str:
        """The device that joins the namespace to the bridge."""
        return service_port(self.network_id)

    @property
    def address(self) -> str:
        length = ipaddress.IPv4Network(f"{self.gateway}/{self.netmask}", strict=False).prefixlen
        return f"{self.gateway}/{length}"

    @property
    def dhcp(self) -> bool:
        return "Dhcp" in self.services

    def place(self, uplinks: tuple[str, ...]) -> Place:
        return Place(self.network_id, self.bridge, self.mac, self.gateway, self.dhcp, uplinks)

    def write(self, folder: Path, guests: Iterable[Guest], mtu: int, host_name: str) -> None:
        """Bring the network's `folder` up to date for these guests."""
        guests = sorted(guests, key=lambda guest: guest[1].mac)
        dns = folder / "dns"
        hosts, options = dhcp_hosts(guests).encode(), dhcp_options(guests).encode()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        dns.mkdir(mode=0o755, exist_ok=True)
        write_private(folder / "dnsmasq.conf", (self.configuration(mtu) + _tagged(guests)).encode())
        write_private(dns / "hosts", hosts, 0o644)
        write_private(dns / "options", options, 0o644)
        write_private(dns / "names", self.names(guests).encode(), 0o644)
        write_metadata(folder / "metadata", guests if "UserData" in self.services else (), host_name)

    def configuration(self, mtu: int) -> str:
        """For dnsmasq, which finds the folder `dns` as /mnt."""
        lines = [
            "interface=eth0",
            "except-interface=lo",
            "bind-interfaces",
            "no-resolv",
            "no-hosts",
            "quiet-dhcp",
            "pid-file=/mnt/run/dnsmasq.pid",
        ]
        if "Dns" in self.services:
            lines += ["addn-hosts=/mnt/names", "bogus-priv", *(f"server={server}" for server in self.dns)]
            if self.domain:
                lines += [f"domain={self.domain}", f"local=/{self.domain}/"]
        else:
            lines.append("port=0")
        if self.dhcp:
            network = ipaddress.IPv4Network(self.address, strict=False)
            lines += [
                f"dhcp-range={network.network_address},static,{self.netmask},{LEASE}",
                "dhcp-hostsfile=/mnt/hosts",
                "dhcp-optsfile=/mnt/options",
                "dhcp-leasefile=/mnt/run/leases",
                "dhcp-ignore=tag:!known",
                "dhcp-ignore-names",
                "dhcp-authoritative",
                "no-ping",
                f"dhcp-option=option:router,{self.gateway}",
                f"dhcp-option=option:mtu,{mtu}",
                "dhcp-option=tag:secondary,option:router",
                "dhcp-option=tag:secondary,option:dns-server",
            ]
            servers = (self.gateway,) if "Dns" in self.services else self.dns
            if servers:
                lines.append("dhcp-option=option:dns-server," + ",".join(servers))
            if self.domain:
                lines.append(f"dhcp-option=option:domain-name,{self.domain}")
        return "\n".join(lines) + "\n"

    def names(self, guests: Iterable[Guest]) -> str:
        """The hosts file of the network's name service."""
        lines = [f"{self.gateway} data-server"]
        for vm, nic in guests:
            name = host_name_of(vm)
            full = f" {name}.{self.domain}" if self.domain else ""
            lines.append(f"{nic.ip}{full} {name}")
        return "\n".join(lines) + "\n"


def dhcp_hosts(guests: Iterable[Guest]) -> str:
    """The addresses that cards get."""
    lines = []
    for vm, nic in guests:
        mac = nic.mac.lower()
        if not _MAC.fullmatch(mac):
            raise HypervisorError(f"instance {vm.name}: {nic.mac!r} is no MAC address")
        lines.append(f"{mac},{nic.ip},{host_name_of(vm)},{LEASE}\n")
    return "".join(lines)


def _tagged(guests: Iterable[Guest]) -> str:
    """By what dnsmasq tells cards from those that get what all do: one that is not the instance's default one gets neither
    a router nor name servers.

    Not in the file of `dhcp_hosts`: dnsmasq 2.90 does not survive to read tags there anew after it gave a lease.
    """
    lines = []
    for _, nic in guests:
        tags = ([] if nic.default else ["secondary"]) + ([_tag(nic)] if nic.dhcp_options else [])
        lines += [f"dhcp-mac=set:{tag},{nic.mac.lower()}\n" for tag in tags]
    return "".join(lines)


def dhcp_options(guests: Iterable[Guest]) -> str:
    """What leases of single cards have besides what the network's have, or instead of it."""
    lines = []
    for vm, nic in guests:
        for option, value in nic.dhcp_options.items():
            if not option.isdecimal() or not _PLAIN.fullmatch(value):
                raise HypervisorError(f"instance {vm.name}: DHCP option {option!r} cannot be {value!r}")
            lines.append(f"tag:{_tag(nic)},{option},{value}\n")
    return "".join(lines)


def _tag(nic: NicSpec) -> str:
    return "card-" + nic.mac.lower().replace(":", "")


def host_name_of(vm: VmSpec) -> str:
    """A name that DNS can hold."""
    label = re.sub(r"[^A-Za-z0-9-]+", "-", vm.hostname or vm.name).strip("-")[:63].strip("-")
    return label or "instance"


def service_port(network_id: str) -> str:
    return "svc" + hashlib.blake2s(network_id.encode(), digest_size=6).hexdigest()


def leased_at(folder: Path, nic: NicSpec) -> float | None:
    """When the card last took its address from the DHCP server of the network's `folder`; seconds are whole."""
    try:
        lines = (folder / "dns" / "run" / "leases").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    for line in lines:
        fields = line.split()
        if len(fields) >= 3 and fields[0].isdecimal() and fields[1:3] == [nic.mac.lower(), nic.ip]:
            return float(int(fields[0]) - LEASE)
    return None
