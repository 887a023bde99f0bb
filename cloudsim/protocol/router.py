"""All that a router is to do: what the manager sends it, whole, whenever something of it changes.

A router has nothing of its own to remember: the same configuration makes the same router, so that one may be replaced
by another at any time. Addresses are IPv4 text (IPv6 where a name ends in 6 or a CIDR may be either), ports numbers, ICMP
types and codes -1 for any. The rules and what they mean together are those of `cloudsim.systemvm.reachability`, which
decides what of them follows for a packet.
"""

from __future__ import annotations

from typing import Literal

import msgspec

DEFAULT_MTU = 1500
"""Bytes of an interface's packets where nothing else is said."""


class PublicAddress(msgspec.Struct, frozen=True):
    """An address of the router's outside, on its interface with that MAC. `source_nat`: guests are seen as it."""

    ip: str
    netmask: str
    gateway: str
    mac: str
    source_nat: bool = False


class PublicAddress6(msgspec.Struct, frozen=True):
    """The router's IPv6 address outside, in a subnet of 64 bits, on its interface with that MAC.

    It is no guest's: routers upstream send there what is for the subnets of its networks.
    """

    ip: str
    gateway: str
    mac: str


class RouterGuest(msgspec.Struct, frozen=True):
    """An instance's NIC on a guest network: its lease, its names and its metadata.

    `default`: its gateway and name servers are this network's. `user_data` is base64. `password` is handed to the
    guest once, on its asking; None: what was given before and not asked for yet still holds. `dhcp_options` of its
    lease, by number, go before those of the network.
    """

    mac: str
    ip: str
    hostname: str
    vm: str = ""
    vm_id: str = ""
    default: bool = True
    secondary_ips: tuple[str, ...] = ()
    user_data: str | None = None
    public_keys: tuple[str, ...] = ()
    password: str | None = None
    metadata: dict[str, str] = {}
    dhcp_options: dict[str, str] = {}


class Traffic(msgspec.Struct, frozen=True):
    """Packets, by what they are and whose. `protocol`: tcp, udp, icmp, all, or an IP protocol number as text.

    `first` to `last` are destination ports, or ICMP type and code; -1: any. No `sources` (`destinations`): all.
    CIDRs of one kind of addresses are of the packets of that kind alone; `icmp` is of IPv6 packets ICMPv6.
    """

    protocol: str
    first: int = -1
    last: int = -1
    sources: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()


class AclEntry(msgspec.Struct, frozen=True):
    """One rule of a tier's access control list, in order. CIDRs are the far side's: where from, or where to."""

    ingress: bool
    allow: bool
    traffic: Traffic


class GuestNetworkConfiguration(msgspec.Struct, frozen=True):
    """A guest network that the router serves, on its interface with that MAC and at its address `router_ip`.

    `services` as network offerings name them. `gateway` is the guests' gateway: the router itself (= `router_ip`), or on
    a shared network another machine. Egress of an isolated network: with `egress_allowed` all but what `egress` rules match
    may leave it, else only what they match. A VPC's tier has `acl` instead (None: not a tier): the first entry that matches
    decides; what none matches may leave the tier if the list has no egress entry, and may not enter it.

    With `ip6`, which is the router's address and the guests' gateway in the network's IPv6 subnet of 64 bits, its guests
    make their own addresses of what the router advertises. Of an isolated network `ingress6` is what may enter, `egress6`
    for IPv6 what `egress` is for IPv4; a tier's list is for both.
    """

    network_id: str
    mac: str
    router_ip: str
    gateway: str
    netmask: str
    services: tuple[str, ...] = ()
    domain: str = ""
    dns: tuple[str, ...] = ()
    guests: tuple[RouterGuest, ...] = ()
    egress_allowed: bool = False
    egress: tuple[Traffic, ...] = ()
    acl: tuple[AclEntry, ...] | None = None
    dhcp_options: dict[str, str] = {}
    mtu: int = DEFAULT_MTU
    ip6: str = ""
    ingress6: tuple[Traffic, ...] = ()
    egress6: tuple[Traffic, ...] = ()


class IngressRule(msgspec.Struct, frozen=True):
    """Traffic let in to a public address by the firewall; all else is dropped, where the address has one."""

    ip: str
    traffic: Traffic


class Forward(msgspec.Struct, frozen=True):
    """Ports `first` to `last` of a public address lead to `guest_ip`, to as many ports from `guest_first` on."""

    ip: str
    protocol: Literal["tcp", "udp"]
    first: int
    last: int
    guest_ip: str
    guest_first: int


class StaticNat(msgspec.Struct, frozen=True):
    """All of a public address leads to `guest_ip`, which is seen outside as that address."""

    ip: str
    guest_ip: str


class BalancerMember(msgspec.Struct, frozen=True):
    """A server behind a load balancer. `id` is what statistics call it."""

    id: str
    ip: str
    port: int


class Stickiness(msgspec.Struct, frozen=True):
    """How a client stays with a server; parameters as CloudStack names them."""

    method: Literal["LbCookie", "AppCookie", "SourceBased"]
    name: str
    parameters: dict[str, str] = {}


class HealthCheck(msgspec.Struct, frozen=True):
    """How a load balancer asks its servers; seconds and counts."""

    path: str = "/"
    interval: int = 5
    timeout: int = 2
    healthy: int = 2
    unhealthy: int = 10


class Balancer(msgspec.Struct, frozen=True):
    """A port of one of the router's addresses, spread over members. Without `sources`, all may come."""

    id: str
    ip: str
    port: int
    protocol: Literal["tcp", "udp", "tcp-proxy", "ssl"] = "tcp"
    algorithm: Literal["roundrobin", "leastconn", "source"] = "roundrobin"
    members: tuple[BalancerMember, ...] = ()
    sources: tuple[str, ...] = ()
    stickiness: Stickiness | None = None
    health_check: HealthCheck | None = None
    certificate: str | None = None
    """Certificate, chain and key, PEM, of an `ssl` one."""
    max_connections: int | None = None
    """That it has at one time; more wait."""
    keep_alive: bool = True
    """Whether HTTP connections, where it speaks HTTP, stay open for further requests."""


class PrivateLeg(msgspec.Struct, frozen=True):
    """A VPC router's interface (by MAC) on a network outside of the cloud; `acl` as a tier's, of what it lets through."""

    mac: str
    ip: str
    netmask: str
    gateway: str
    source_nat: bool = False
    acl: tuple[AclEntry, ...] | None = None


class Route(msgspec.Struct, frozen=True):
    """Packets for `cidr` go to `next_hop`."""

    cidr: str
    next_hop: str


class VpnDialIn(msgspec.Struct, frozen=True):
    """L2TP over IPsec on a public address. Clients get `first` to `last`; `users` are names and passwords."""

    ip: str
    preshared_key: str
    local_ip: str
    first: str
    last: str
    users: tuple[tuple[str, str], ...] = ()


class VpnSite(msgspec.Struct, frozen=True):
    """A site-to-site IPsec connection of the VPC `local_cidr`, from its address `ip` to `peer`."""

    id: str
    ip: str
    peer: str
    local_cidr: str
    peer_cidrs: tuple[str, ...]
    preshared_key: str
    ike_policy: str
    esp_policy: str
    ike_lifetime: int = 86_400
    esp_lifetime: int = 3_600
    dead_peer_detection: bool = False
    force_encapsulation: bool = False
    passive: bool = False


class RouterConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """What a virtual router, VPC router or internal load balancer is. `name` is its host name.

    `vpc_cidr` None: no VPC. `firewalled`: public addresses let in only what `ingress` allows (isolated networks); a VPC's
    are open, and the tiers' lists decide. `statistics`: networks between which traffic is counted are all public ones.
    `public_mtu` is of its interfaces outside.
    """

    name: str
    vpc_cidr: str | None = None
    firewalled: bool = True
    public: tuple[PublicAddress, ...] = ()
    guests: tuple[GuestNetworkConfiguration, ...] = ()
    ingress: tuple[IngressRule, ...] = ()
    forwards: tuple[Forward, ...] = ()
    static_nats: tuple[StaticNat, ...] = ()
    balancers: tuple[Balancer, ...] = ()
    private: tuple[PrivateLeg, ...] = ()
    routes: tuple[Route, ...] = ()
    dial_in: tuple[VpnDialIn, ...] = ()
    sites: tuple[VpnSite, ...] = ()
    public6: PublicAddress6 | None = None
    public_mtu: int = DEFAULT_MTU
