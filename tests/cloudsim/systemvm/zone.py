"""Small networks to ask the oracle about."""

from __future__ import annotations

from typing import Any

from cloudsim.protocol.router import (
    AclEntry,
    GuestNetworkConfiguration,
    PublicAddress,
    RouterConfiguration,
    RouterGuest,
    Traffic,
)
from cloudsim.protocol.specs import NicSpec, SecurityRule, VmSpec

MASK = "255.255.255.0"
ANYWHERE = "198.51.100.9"
SERVICES = ("Dhcp", "Dns", "UserData")


def card(ip: str, network: str | None = None, **fields: Any) -> NicSpec:
    """On the network of its /24, whose gateway is .1."""
    net = ip.rpartition(".")[0]
    mac = "06:00:" + ":".join(f"{int(part):02x}" for part in ip.split("."))
    known = {"netmask": MASK, "gateway": f"{net}.1", "ip": ip, **fields}
    return NicSpec(f"nic-{ip}", mac, network or net, **known)


def instance(name: str, *cards: NicSpec) -> VmSpec:
    return VmSpec(name, f"id-{name}", 1, 1000, 512, nics=cards)


def network(net: str, *guests: tuple[str, str], **fields: Any) -> GuestNetworkConfiguration:
    """The network NET.0/24, with guests by name and address."""
    known: dict[str, Any] = {"gateway": f"{net}.1", "services": SERVICES, "domain": "cs.internal", **fields}
    mac = f"02:00:{int(net.split('.')[0]):02x}:{int(net.split('.')[1]):02x}:{int(net.split('.')[2]):02x}:01"
    return GuestNetworkConfiguration(
        net,
        mac,
        known.pop("router_ip", f"{net}.1"),
        known.pop("gateway"),
        MASK,
        guests=tuple(RouterGuest(card(ip).mac, ip, name, f"i-{name}", f"id-{name}") for name, ip in guests),
        **known,
    )


def public(ip: str, source_nat: bool = False) -> PublicAddress:
    return PublicAddress(
        ip, MASK, "203.0.113.1", "02:ff:00:00:00:" + f"{int(ip.rpartition('.')[2]):02x}", source_nat
    )


def router(name: str, *networks: GuestNetworkConfiguration, **fields: Any) -> RouterConfiguration:
    return RouterConfiguration(name=name, guests=networks, **fields)


def allow(ingress: bool, protocol: str, first: int = -1, cidr: str = "0.0.0.0/0") -> AclEntry:
    return entry(True, ingress, protocol, first, cidr)


def deny(ingress: bool, protocol: str, first: int = -1, cidr: str = "0.0.0.0/0") -> AclEntry:
    return entry(False, ingress, protocol, first, cidr)


def entry(allowed: bool, ingress: bool, protocol: str, first: int, cidr: str) -> AclEntry:
    sources, destinations = ((cidr,), ()) if ingress else ((), (cidr,))
    return AclEntry(ingress, allowed, Traffic(protocol, first, first, sources, destinations))


def let_in(protocol: str, port: int, cidr: str = "0.0.0.0/0") -> SecurityRule:
    return SecurityRule(True, protocol, cidr, port, port)  # type: ignore[arg-type]


def let_out(protocol: str, port: int, cidr: str = "0.0.0.0/0") -> SecurityRule:
    return SecurityRule(False, protocol, cidr, port, port)  # type: ignore[arg-type]
